/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* lib/vfio against a mocked kernel. */

#include <errno.h>
#include <string.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <rte_common.h>

#include <svq_vfio.h>

#include "autotest.h"
#include "vfio_mock.h"

static struct svq_vfio *vfio;

static void
open_sound(void)
{
	mock_vfio_begin();
	CU_ASSERT_EQUAL_FATAL(svq_vfio_open("t0", MOCK_PCI, &vfio), 0);
}

static void
close_sound(void)
{
	svq_vfio_close(vfio);
	mock_vfio_end();
}

static void
test_pci(void)
{
	static const char *const bad[] = {"", "0000:03:00", "03", "0000:03:00.8", "0000:03:20.0",
		"0000:100:00.0", "10000:03:00.0", "0000:03:00.0 ", "0000:03:00.0,", "g000:03:00.0",
		"-1:03:00.0", "../../../../x"};
	char pci[SVQ_VFIO_PCI_LEN];
	unsigned int i;

	CU_ASSERT_EQUAL(svq_vfio_pci_parse("0000:03:00.0", pci), 0);
	CU_ASSERT_STRING_EQUAL(pci, "0000:03:00.0");
	CU_ASSERT_EQUAL(svq_vfio_pci_parse("fE:1f.7", pci), 0);
	CU_ASSERT_STRING_EQUAL(pci, "0000:fe:1f.7");
	CU_ASSERT_EQUAL(svq_vfio_pci_parse("ffff:ff:1f.7", pci), 0);
	CU_ASSERT_STRING_EQUAL(pci, "ffff:ff:1f.7");
	for (i = 0; i < RTE_DIM(bad); i++)
		CU_ASSERT_EQUAL(svq_vfio_pci_parse(bad[i], pci), -EINVAL);
}

static void
test_open(void)
{
	const struct svq_vfio_info *info;

	open_sound();
	info = svq_vfio_info(vfio);
	CU_ASSERT_STRING_EQUAL(info->pci, MOCK_PCI);
	CU_ASSERT_EQUAL(info->group, 7);
	CU_ASSERT_EQUAL(info->numa_node, 0);
	CU_ASSERT_EQUAL(info->page_sizes, vm.page_sizes);
	CU_ASSERT_EQUAL(info->max_maps, 65535);
	CU_ASSERT_EQUAL(info->n_msix, 4);
	CU_ASSERT_EQUAL_FATAL(info->n_ranges, 2);
	CU_ASSERT_EQUAL(info->ranges[0].last, 0xfedfffff);
	CU_ASSERT_EQUAL(info->ranges[1].first, 0xfef00000);
	CU_ASSERT(vm.config[PCI_COMMAND] & PCI_COMMAND_MEMORY);
	CU_ASSERT_FALSE(vm.config[PCI_COMMAND] & PCI_COMMAND_MASTER);
	CU_ASSERT_EQUAL(svq_vfio_bus_master(vfio, true), 0);
	CU_ASSERT(vm.config[PCI_COMMAND] & PCI_COMMAND_MASTER);
	CU_ASSERT_EQUAL(svq_vfio_bus_master(vfio, false), 0);
	CU_ASSERT_FALSE(vm.config[PCI_COMMAND] & PCI_COMMAND_MASTER);
	close_sound();
}

/* What stands in the way of opening, what comes of it, and what the user is told. */
static void
refused(int error, const char *said)
{
	int ret;

	mock_log_begin();
	ret = svq_vfio_open("t0", MOCK_PCI, &vfio);
	CU_ASSERT_EQUAL(ret, error);
	CU_ASSERT(mock_logged(said));
	if (ret == 0)
		svq_vfio_close(vfio);
	mock_vfio_end();
	mock_vfio_begin();
}

static void
test_sysfs(void)
{
	mock_vfio_begin();
	vm.absent = true;
	refused(-ENODEV, "there is no PCI function 0000:03:00.0");
	vm.driver = "virtio-pci";
	refused(-ENODEV,
		"has the driver virtio-pci, not vfio-pci; bind it: modprobe vfio-pci; "
		"driverctl set-override 0000:03:00.0 vfio-pci");
	vm.driver = NULL;
	refused(-ENODEV, "has no driver, not vfio-pci");
	vm.group = NULL;
	refused(-ENOTSUP, "has no IOMMU");
	vm.noiommu = true;
	refused(-ENOTSUP, "has no IOMMU");
	mock_vfio_end();
}

static void
fail_at(unsigned long request, int error)
{
	vm.fail = request;
	vm.fail_error = error;
}

static void
test_container(void)
{
	mock_vfio_begin();
	vm.open_path = "/dev/vfio/vfio";
	vm.open_error = ENOENT;
	refused(-ENODEV, "modprobe vfio-pci");
	vm.open_path = "/dev/vfio/vfio";
	vm.open_error = EACCES;
	refused(-EACCES, "allow this user");
	vm.version = 1;
	refused(-ENOTSUP, "version 1, not 0");
	vm.no_type1v2 = true;
	refused(-ENOTSUP, "modprobe vfio_iommu_type1");
	fail_at(VFIO_SET_IOMMU, EPERM);
	refused(-EPERM, "interrupt remapping");
	fail_at(VFIO_IOMMU_GET_INFO, EIO);
	refused(-EIO, "does not describe the IOMMU");
	vm.n_ranges = 0;
	refused(-ENOTSUP, "Linux 5.4");
	vm.dma_avail = vm.n_ranges = 0;
	refused(-ENOTSUP, "Linux 5.4");
	mock_vfio_end();
}

static void
test_group(void)
{
	mock_vfio_begin();
	vm.open_path = "/dev/vfio/7";
	vm.open_error = EBUSY;
	refused(-EBUSY, "--no-pci");
	vm.open_path = "/dev/vfio/7";
	vm.open_error = EACCES;
	refused(-EACCES, "allow this user");
	fail_at(VFIO_GROUP_GET_STATUS, EIO);
	refused(-EIO, "has no status");
	vm.not_viable = true;
	vm.neighbour = "0000:03:00.1";
	vm.neighbour_driver = "nvme";
	refused(-EPERM,
		"IOMMU group 7 of 0000:03:00.0 is not viable: the kernel still drives "
		"others of it: 0000:03:00.1 (nvme)");
	vm.not_viable = true;
	vm.neighbour = "0000:00:1c.0";
	vm.neighbour_driver = "pcieport";
	refused(-EPERM, "see /sys/kernel/iommu_groups/7/devices");
	fail_at(VFIO_GROUP_SET_CONTAINER, EBUSY);
	refused(-EBUSY, "another device or process has it");
	fail_at(VFIO_GROUP_GET_DEVICE_FD, EINVAL);
	refused(-EINVAL, "does not give 0000:03:00.0");
	fail_at(VFIO_DEVICE_GET_INFO, EIO);
	refused(-EIO, "does not describe 0000:03:00.0");
	fail_at(VFIO_DEVICE_GET_REGION_INFO, EIO);
	refused(-EIO, "configuration space");
	mock_vfio_end();
}

static void
test_ranges(void)
{
	unsigned int i;

	mock_vfio_begin();
	for (i = 0; i < RTE_DIM(vm.ranges); i++)
		vm.ranges[i] = (struct mock_range){i << 20, (i << 20) + 0xffff};
	vm.ranges[3].last = 0;
	vm.n_ranges = RTE_DIM(vm.ranges);
	CU_ASSERT_EQUAL_FATAL(svq_vfio_open("t0", MOCK_PCI, &vfio), 0);
	CU_ASSERT_EQUAL(svq_vfio_info(vfio)->n_ranges, SVQ_VFIO_MAX_RANGES);
	CU_ASSERT_EQUAL(svq_vfio_info(vfio)->ranges[3].first, 4 << 20);
	close_sound();
}

static void
test_dma(void)
{
	struct svq_vfio_stats stats;

	open_sound();
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x10000, 0x7000, 0x1000, SVQ_PERM_R), 0);
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x20000, 0x8000, 0x1000, SVQ_PERM_W), 0);
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x30000, 0x9000, 0x2000, SVQ_PERM_RW), 0);
	CU_ASSERT_EQUAL(vm.maps[0].flags, VFIO_DMA_MAP_FLAG_READ);
	CU_ASSERT_EQUAL(vm.maps[1].flags, VFIO_DMA_MAP_FLAG_WRITE);
	CU_ASSERT_EQUAL(vm.maps[2].flags, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
	CU_ASSERT_EQUAL(vm.maps[2].hva, 0x9000);
	mock_log_begin();
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x31000, 0xa000, 0x1000, SVQ_PERM_R), -EEXIST);
	CU_ASSERT_EQUAL(svq_vfio_dma_unmap(vfio, 0x30000, 0x1000), -EINVAL);
	CU_ASSERT(mock_logged("refuses to unmap"));
	CU_ASSERT_EQUAL(svq_vfio_dma_unmap(vfio, 0x40000, 0x1000), -ENOENT);
	CU_ASSERT_EQUAL(svq_vfio_dma_unmap(vfio, 0x10000, 0x1000), 0);
	svq_vfio_stats(vfio, &stats);
	CU_ASSERT_EQUAL(stats.maps, 3);
	CU_ASSERT_EQUAL(stats.unmaps, 1);
	CU_ASSERT_EQUAL(stats.mapped, 2);
	CU_ASSERT_EQUAL(stats.mapped_bytes, 0x3000);
	close_sound();
}

static void
test_limits(void)
{
	mock_vfio_begin();
	vm.dma_avail = 2;
	vm.memlock = 65536;
	CU_ASSERT_EQUAL_FATAL(svq_vfio_open("t0", MOCK_PCI, &vfio), 0);
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x10000, 0x7000, 0x1000, SVQ_PERM_R), 0);
	fail_at(VFIO_IOMMU_MAP_DMA, ENOMEM);
	mock_log_begin();
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x20000, 0x8000, 0x100000, SVQ_PERM_R), -ENOMEM);
	CU_ASSERT(mock_logged("locked-memory limit too low: 1052672 bytes must be locked for DMA, "
			      "65536 are allowed; raise it to at least 1028 KiB"));
	/* Not the limit. */
	vm.memlock = RLIM_INFINITY;
	fail_at(VFIO_IOMMU_MAP_DMA, ENOMEM);
	mock_log_begin();
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x20000, 0x8000, 0x100000, SVQ_PERM_R), -ENOMEM);
	CU_ASSERT(mock_logged("no memory to lock 1048576 bytes"));
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x20000, 0x8000, 0x1000, SVQ_PERM_R), 0);
	mock_log_begin();
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x30000, 0x9000, 0x1000, SVQ_PERM_R), -ENOSPC);
	CU_ASSERT(mock_logged("as many as the kernel allows (2)"));
	CU_ASSERT_EQUAL(vm.n_map_calls, 2);
	CU_ASSERT_EQUAL(svq_vfio_dma_unmap(vfio, 0x20000, 0x1000), 0);
	CU_ASSERT_EQUAL(svq_vfio_dma_map(vfio, 0x30000, 0x9000, 0x1000, SVQ_PERM_R), 0);
	close_sound();
}

static void
test_bars(void)
{
	mock_vfio_begin();
	vm.mmap_first = MOCK_NOTIFY;
	vm.mmap_size = 0x1000;
	vm.sparse = true;
	CU_ASSERT_EQUAL_FATAL(svq_vfio_open("t0", MOCK_PCI, &vfio), 0);
	CU_ASSERT_EQUAL(svq_vfio_bar_size(vfio, MOCK_BAR), MOCK_BAR_SIZE);
	CU_ASSERT_EQUAL(svq_vfio_bar_size(vfio, 0), 0);
	CU_ASSERT_EQUAL(svq_vfio_bar_size(vfio, 6), 0);
	CU_ASSERT_PTR_EQUAL(
		svq_vfio_bar_map(vfio, MOCK_BAR, MOCK_NOTIFY + 4, 4), mock_bar + MOCK_NOTIFY + 4);
	CU_ASSERT_PTR_NOT_NULL(svq_vfio_bar_map(vfio, MOCK_BAR, MOCK_NOTIFY, 0x1000));
	CU_ASSERT_PTR_NULL(svq_vfio_bar_map(vfio, MOCK_BAR, MOCK_NOTIFY, 0x1001));
	CU_ASSERT_PTR_NULL(svq_vfio_bar_map(vfio, MOCK_BAR, MOCK_NOTIFY - 2, 4));
	/* Beyond the BAR it is as if nobody were there. */
	CU_ASSERT_EQUAL(svq_vfio_bar_read(vfio, MOCK_BAR, MOCK_BAR_SIZE, 1), 0xff);
	CU_ASSERT_EQUAL(svq_vfio_bar_read(vfio, MOCK_BAR, MOCK_BAR_SIZE - 2, 4), UINT32_MAX);
	CU_ASSERT_EQUAL(svq_vfio_bar_read(vfio, 0, 0, 2), 0xffff);
	close_sound();

	/* More than the BAR has is not mapped. */
	mock_vfio_begin();
	vm.mmap_first = MOCK_NOTIFY;
	vm.mmap_size = 0x2000;
	vm.sparse = true;
	CU_ASSERT_EQUAL_FATAL(svq_vfio_open("t0", MOCK_PCI, &vfio), 0);
	CU_ASSERT_PTR_NULL(svq_vfio_bar_map(vfio, MOCK_BAR, MOCK_NOTIFY, 4));
	close_sound();

	mock_vfio_begin();
	vm.mmap_size = MOCK_BAR_SIZE;
	CU_ASSERT_EQUAL_FATAL(svq_vfio_open("t0", MOCK_PCI, &vfio), 0);
	CU_ASSERT_PTR_EQUAL(svq_vfio_bar_map(vfio, MOCK_BAR, 0, MOCK_BAR_SIZE), mock_bar);
	close_sound();
}

static void
test_irqs(void)
{
	const int fds[] = {5, -1, 6};

	open_sound();
	CU_ASSERT_EQUAL(svq_vfio_msix_set(vfio, fds, 3), 0);
	CU_ASSERT_EQUAL(vm.n_irqs, 3);
	CU_ASSERT_EQUAL(vm.irqs[1], -1);
	CU_ASSERT_EQUAL(vm.irqs[2], 6);
	CU_ASSERT_EQUAL(svq_vfio_msix_set(vfio, NULL, 0), 0);
	CU_ASSERT_EQUAL(vm.n_irqs, 0);
	fail_at(VFIO_DEVICE_SET_IRQS, ENOSPC);
	mock_log_begin();
	CU_ASSERT_EQUAL(svq_vfio_msix_set(vfio, fds, 3), -ENOSPC);
	CU_ASSERT(mock_logged("3 MSI-X vectors"));
	CU_ASSERT_EQUAL(svq_vfio_reset(vfio), 0);
	CU_ASSERT_EQUAL(vm.kernel_resets, 1);
	close_sound();

	mock_vfio_begin();
	vm.no_kernel_reset = true;
	CU_ASSERT_EQUAL_FATAL(svq_vfio_open("t0", MOCK_PCI, &vfio), 0);
	CU_ASSERT_EQUAL(svq_vfio_reset(vfio), -ENOTSUP);
	close_sound();
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vfio", NULL, NULL);

	autotest_add(s, "PCI addresses", test_pci);
	autotest_add(s, "open and close", test_open);
	autotest_add(s, "what sysfs tells", test_sysfs);
	autotest_add(s, "container", test_container);
	autotest_add(s, "group and function", test_group);
	autotest_add(s, "ranges of IOVAs", test_ranges);
	autotest_add(s, "mappings", test_dma);
	autotest_add(s, "limits", test_limits);
	autotest_add(s, "BARs", test_bars);
	autotest_add(s, "interrupts and reset", test_irqs);
}

REGISTER_AUTOTEST(vfio_autotest, fill)
