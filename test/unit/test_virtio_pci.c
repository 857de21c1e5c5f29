/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* The virtio PCI transport against a mocked function: what it says of itself, and its life cycle.
 */

#include <errno.h>
#include <string.h>

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include <rte_common.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "vpci_rig.h"

#define F(bit) (1ULL << (bit))

/* Where mock_vfio_begin() puts the capabilities. */
#define AT_NOTIFY 0x50
#define AT_DEVICE 0x64
#define AT_ISR	  0x74
#define AT_COMMON 0x84

static void
test_open(void)
{
	vpci_rig_begin("");
	CU_ASSERT_EQUAL(vdev->info.features, vm.features);
	CU_ASSERT_EQUAL(vdev->info.max_pairs, 1);
	CU_ASSERT_EQUAL(vdev->info.max_queue_size, 256);
	CU_ASSERT_EQUAL(vdev->info.granule, 4096);
	CU_ASSERT_EQUAL(vdev->info.max_page, 1 << 30);
	CU_ASSERT_EQUAL(vdev->info.numa_node, 0);
	CU_ASSERT_EQUAL(vdev->info.n_apertures, 2);
	CU_ASSERT_EQUAL(vdev->info.apertures[1].first, 0xfef00000);
	CU_ASSERT_EQUAL(vm.status, 0);
	vpci_rig_end();

	vpci_rig_begin(",packed=0");
	CU_ASSERT_EQUAL(vdev->info.features, vm.features & ~F(VIRTIO_F_RING_PACKED));
	vpci_rig_end();
}

static void
test_args(void)
{
	const struct svq_device_driver *driver = svq_device_driver_find("virtio_pci");
	struct rte_kvargs *none = rte_kvargs_parse("packed=1", NULL);

	mock_vfio_begin();
	vpci_rig_refused(",packed=2", -EINVAL, "bad device argument packed=2; give 1");
	vpci_rig_refused(",mac=01:00:00:00:00:00", -EINVAL, "bad device argument mac=");
	mock_log_begin();
	CU_ASSERT_EQUAL(driver->open("t0", none, NULL, &vdev), -EINVAL);
	CU_ASSERT(mock_logged("needs pci="));
	vm.features &= ~F(VIRTIO_NET_F_CTRL_MAC_ADDR);
	vpci_rig_refused(",mac=02:00:00:00:00:01", -ENOTSUP, "leave mac= out");
	mock_vfio_end();
	rte_kvargs_free(none);
}

static void
test_identity(void)
{
	mock_vfio_begin();
	vm.config[PCI_VENDOR_ID] = 0x86;
	vm.config[PCI_VENDOR_ID + 1] = 0x80;
	vpci_rig_refused("", -ENODEV, "is 8086:1041, no virtio-net device (1af4:1041)");
	vm.config[PCI_DEVICE_ID] = 0x42;
	vpci_rig_refused("", -ENODEV, "is 1af4:1042");
	/* Transitional ones are of both kinds. */
	vm.config[PCI_DEVICE_ID] = 0x00;
	CU_ASSERT_EQUAL(vpci_rig_open(""), 0);
	vdev->ops->close(vdev);
	vm.config[PCI_DEVICE_ID] = 0x00;
	vm.config[PCI_STATUS] = 0;
	vpci_rig_refused("", -ENODEV, "is a legacy-only virtio device");
	vm.config[PCI_CAPABILITY_LIST] = 0x40;
	vm.config[0x41] = 0;
	vpci_rig_refused("", -ENODEV, "is a legacy-only virtio device");
	mock_vfio_end();
}

/* Each way in which a structure may lie outside its BAR, or be too small, is the same as none. */
static void
test_caps_range(void)
{
	static const struct {
		uint8_t at, type, len, bar;
		uint32_t offset, size;
		const char *said;
	} bad[] = {
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 16, 4, 0x4000, 0x1000,
			"common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 16, 4, 0x3000, 0x1004,
			"common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 16, 4, 0xfffffffc, 0x38,
			"common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 16, 4, 0x1000, 0xfffff038,
			"common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 16, 4, 0, 0x37, "common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 16, 4, 2, 0x100, "common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 15, 4, 0, 0x1000, "common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 16, 0, 0, 0x1000, "common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, 16, 6, 0, 0x1000, "common configuration"},
		{AT_COMMON, VIRTIO_PCI_CAP_PCI_CFG, 16, 4, 0, 0x1000, "common configuration"},
		{AT_NOTIFY, VIRTIO_PCI_CAP_NOTIFY_CFG, 16, 4, 0x3000, 0x1000, "notification"},
		{AT_NOTIFY, VIRTIO_PCI_CAP_NOTIFY_CFG, 20, 4, 0x3000, 0x1001, "notification"},
		{AT_NOTIFY, VIRTIO_PCI_CAP_NOTIFY_CFG, 20, 4, 0x3001, 0x10, "notification"},
		{AT_NOTIFY, VIRTIO_PCI_CAP_NOTIFY_CFG, 20, 4, 0x3000, 1, "notification"},
		{AT_DEVICE, VIRTIO_PCI_CAP_DEVICE_CFG, 16, 4, 0x2000, 0, "device configuration"},
		{AT_DEVICE, VIRTIO_PCI_CAP_DEVICE_CFG, 16, 4, 0x2002, 8, "device configuration"},
		{AT_DEVICE, 9, 16, 4, 0x2000, 8, "device configuration"},
	};
	unsigned int i;
	char said[64];

	mock_vfio_begin();
	for (i = 0; i < RTE_DIM(bad); i++) {
		mock_cap(bad[i].at, vm.config[bad[i].at + 1], bad[i].len, bad[i].type, bad[i].bar,
			bad[i].offset, bad[i].size);
		snprintf(said, sizeof(said), "no usable %s structure", bad[i].said);
		vpci_rig_refused("", -EPROTO, said);
	}
	/* The driver does without. */
	mock_cap(AT_ISR, AT_COMMON, 16, VIRTIO_PCI_CAP_ISR_CFG, 4, 0x4000, 1);
	CU_ASSERT_EQUAL(vpci_rig_open(""), 0);
	vdev->ops->close(vdev);
	mock_vfio_end();
}

static void
test_caps_chain(void)
{
	mock_vfio_begin();
	vm.config[AT_COMMON + 1] = AT_NOTIFY;
	vpci_rig_refused("", -EPROTO, "run in a circle");
	vm.config[AT_COMMON + 1] = AT_COMMON;
	vpci_rig_refused("", -EPROTO, "run in a circle");
	mock_cap(AT_DEVICE, AT_ISR, 16, VIRTIO_PCI_CAP_DEVICE_CFG, 4, 0x3800, 0x40);
	vpci_rig_refused("", -EPROTO,
		"the notification structure and the device structure overlap in BAR 4");
	mock_cap(AT_ISR, AT_COMMON, 16, VIRTIO_PCI_CAP_ISR_CFG, 4, 0xfff, 4);
	vpci_rig_refused("", -EPROTO, "the common structure and the ISR structure overlap");
	/* Into the header: the end. */
	vm.config[AT_ISR + 1] = 0x10;
	vpci_rig_refused("", -EPROTO, "no usable common configuration");
	/* At the very end of the configuration space there is no room for a structure. */
	vm.config[AT_ISR + 1] = 0xfc;
	vm.config[0xfc] = PCI_CAP_ID_VNDR;
	vpci_rig_refused("", -EPROTO, "no usable common configuration");
	/* The lower two bits of a link are reserved; the first of a type counts. */
	vm.config[AT_COMMON + 1] = 0xa3;
	mock_cap(0xa0, 0, 16, VIRTIO_PCI_CAP_COMMON_CFG, 4, 0x1000, 0x100);
	CU_ASSERT_EQUAL(vpci_rig_open(""), 0);
	vdev->ops->close(vdev);
	mock_vfio_end();
}

static void
test_features(void)
{
	mock_vfio_begin();
	vm.features &= ~F(VIRTIO_F_VERSION_1);
	vpci_rig_refused("", -ENOTSUP, "does not offer VIRTIO_F_VERSION_1");
	vm.features &= ~F(VIRTIO_F_ACCESS_PLATFORM);
	vpci_rig_refused("", -ENOTSUP, "does not offer VIRTIO_F_ACCESS_PLATFORM");
	vm.refuses_features = true;
	vpci_rig_refused("", -ENOTSUP, "does not take features");
	/* The register for it is not there. */
	mock_cap(AT_COMMON, 0, 16, VIRTIO_PCI_CAP_COMMON_CFG, MOCK_BAR, 0, 0x3a);
	vpci_rig_open_sound("");
	CU_ASSERT_FALSE(vdev->info.features & F(VIRTIO_F_RING_RESET));
	mock_log_begin();
	CU_ASSERT_EQUAL(vdev->ops->set_features(vdev, RIG_V1 | F(VIRTIO_NET_F_CSUM)), -EINVAL);
	CU_ASSERT(mock_logged("features 0x1 are not offered"));
	mock_log_begin();
	CU_ASSERT_EQUAL(vdev->ops->set_features(vdev, F(VIRTIO_F_ACCESS_PLATFORM)), -EINVAL);
	CU_ASSERT(mock_logged("disable-legacy=on"));
	CU_ASSERT_EQUAL(vdev->ops->set_features(vdev, RIG_V1 | F(VIRTIO_NET_F_MAC)), 0);
	CU_ASSERT_EQUAL(vm.accepted, RIG_V1 | F(VIRTIO_NET_F_MAC));
	CU_ASSERT_EQUAL(vm.status,
		VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK);
	vpci_rig_end();
}

static void
test_queues(void)
{
	mock_vfio_begin();
	vm.vq[1].max = 0;
	mock_function_reset();
	vpci_rig_refused("", -EPROTO, "queue 1 has a size of 0");
	vm.n_queues = 1;
	vpci_rig_refused("", -EPROTO, "queue 1 has a size of 0");
	vm.vq[0].max = 0xffff;
	vpci_rig_refused("", -EPROTO, "queue 0 has a size of 0");
	vm.device_config[8] = 0;
	vpci_rig_refused("", -EPROTO, "claims 0 queue pairs");
	vm.device_config[9] = 0x80;
	vpci_rig_refused("", -EPROTO, "claims 32769 queue pairs");
	/* More pairs claimed than there are queues; sizes that no split ring has. */
	vm.device_config[8] = 100;
	vm.n_queues = 6;
	vm.vq[2].max = vm.vq[3].max = 100;
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vdev->info.max_pairs, 2);
	CU_ASSERT_EQUAL(vdev->info.max_queue_size, 64);
	vpci_rig_end();
}

static void
test_start(void)
{
	struct svq_device_queue queue = {.size = 64};

	vpci_rig_begin("");
	CU_ASSERT_EQUAL(vdev->ops->start(vdev), -EIO);
	CU_ASSERT_EQUAL(vdev->ops->set_features(vdev, RIG_V1), 0);
	queue.size = 48;
	CU_ASSERT_EQUAL(vdev->ops->queue_setup(vdev, 0, &queue), -EINVAL);
	queue.size = 512;
	CU_ASSERT_EQUAL(vdev->ops->queue_setup(vdev, 0, &queue), -EINVAL);
	queue.size = 64;
	CU_ASSERT_EQUAL(vdev->ops->queue_setup(vdev, 2, &queue), -EINVAL);
	CU_ASSERT_EQUAL(vdev->ops->queue_setup(vdev, 0, &queue), 0);
	mock_log_begin();
	CU_ASSERT_EQUAL(vdev->ops->start(vdev), -EINVAL);
	CU_ASSERT(mock_logged("no queue pair has both"));
	vdev->ops->stop(vdev);

	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	CU_ASSERT(vm.status & VIRTIO_CONFIG_S_DRIVER_OK);
	CU_ASSERT_EQUAL(vdev->ops->status(vdev) & SVQ_DEVICE_S_DRIVER_OK, SVQ_DEVICE_S_DRIVER_OK);
	CU_ASSERT(vm.config[PCI_COMMAND] & PCI_COMMAND_MASTER);
	CU_ASSERT_EQUAL(vm.vq[0].size, 64);
	CU_ASSERT_EQUAL(vm.vq[1].enable, 1);
	CU_ASSERT_EQUAL(vm.vq[1].desc, 0x123456000);
	CU_ASSERT_EQUAL(vm.vq[1].avail, 0x123457000);
	CU_ASSERT_EQUAL(vm.vq[1].used, 0x123458000);
	CU_ASSERT_EQUAL(vm.vq[1].vector, 0xffff);
	CU_ASSERT_EQUAL(vm.vq[2].enable, 0);
	CU_ASSERT_EQUAL(vdev->ops->start(vdev), -EBUSY);
	CU_ASSERT_EQUAL(vdev->ops->set_features(vdev, RIG_V1), -EBUSY);
	CU_ASSERT_EQUAL(vdev->ops->queue_setup(vdev, 0, &queue), -EBUSY);
	vdev->ops->notify(vdev, 1, 1);
	CU_ASSERT_EQUAL(vm.vq[1].notified, 1);
	vm.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	CU_ASSERT(vdev->ops->status(vdev) & SVQ_DEVICE_S_NEEDS_RESET);

	vdev->ops->stop(vdev);
	CU_ASSERT_EQUAL(vm.status, 0);
	CU_ASSERT_EQUAL(vm.vq[1].enable, 0);
	CU_ASSERT_FALSE(vm.config[PCI_COMMAND] & PCI_COMMAND_MASTER);
	vdev->ops->stop(vdev);
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	vpci_rig_end();
	CU_ASSERT_FALSE(vm.config[PCI_COMMAND] & PCI_COMMAND_MASTER);

	vpci_rig_begin("");
	vm.dies_at_start = true;
	mock_log_begin();
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), -EFAULT);
	CU_ASSERT(mock_logged("does not start: its status is 0x4f"));
	vpci_rig_end();
}

static void
test_notify(void)
{
	mock_vfio_begin();
	vm.vq[1].notify_off = 0x3ff;
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	vdev->ops->stop(vdev);
	vm.vq[1].notify_off = 0x400;
	mock_log_begin();
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), -EPROTO);
	CU_ASSERT(mock_logged("its notification address, 1024 * 4, lies outside"));
	vpci_rig_end();

	/* Notification data are 32 bits, which must fit, too. */
	mock_vfio_begin();
	mock_cap(AT_NOTIFY, AT_DEVICE, 20, VIRTIO_PCI_CAP_NOTIFY_CFG, MOCK_BAR, MOCK_NOTIFY, 6);
	vm.features |= F(VIRTIO_F_NOTIFICATION_DATA);
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	vdev->ops->stop(vdev);
	mock_log_begin();
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1 | F(VIRTIO_F_NOTIFICATION_DATA)), -EPROTO);
	CU_ASSERT(mock_logged("queue 1: its notification address"));
	vpci_rig_end();

	/* Where the area is mapped, there is no system call. */
	mock_vfio_begin();
	vm.features |= F(VIRTIO_F_NOTIFICATION_DATA);
	vm.mmap_first = MOCK_NOTIFY;
	vm.mmap_size = 0x1000;
	vm.sparse = true;
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1 | F(VIRTIO_F_NOTIFICATION_DATA)), 0);
	vdev->ops->notify(vdev, 1, 0x12340001);
	CU_ASSERT_EQUAL(vm.vq[1].notified, 0);
	CU_ASSERT_EQUAL(memcmp(mock_bar + MOCK_NOTIFY + 4, "\x01\x00\x34\x12", 4), 0);
	vdev->ops->stop(vdev);
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	memset(mock_bar + MOCK_NOTIFY, 0xee, 8);
	vdev->ops->notify(vdev, 1, 1);
	CU_ASSERT_EQUAL(memcmp(mock_bar + MOCK_NOTIFY + 4, "\x01\x00\xee\xee", 4), 0);
	vpci_rig_end();
}

static void
test_reset(void)
{
	/* Slow. */
	mock_vfio_begin();
	vm.reset_reads = 5;
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	vpci_rig_end();
	CU_ASSERT_EQUAL(vm.kernel_resets, 0);

	/* Never by itself. */
	mock_vfio_begin();
	vpci_rig_open_sound("");
	vm.reset_reads = -1;
	vm.kernel_reset_helps = true;
	mock_log_begin();
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	CU_ASSERT(mock_logged("the kernel has reset it"));
	CU_ASSERT_EQUAL(vm.kernel_resets, 1);
	vpci_rig_end();

	/* Never: the device is lost, its DMA is not allowed, nothing waits for ever. */
	mock_vfio_begin();
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	vm.reset_reads = -1;
	mock_log_begin();
	vdev->ops->stop(vdev);
	CU_ASSERT(mock_logged("the function does not reset"));
	CU_ASSERT_FALSE(vm.config[PCI_COMMAND] & PCI_COMMAND_MASTER);
	CU_ASSERT_EQUAL(vdev->ops->set_features(vdev, RIG_V1), -EIO);
	CU_ASSERT_EQUAL(vdev->ops->start(vdev), -EIO);
	vm.reset_reads = 0;
	vpci_rig_end();

	mock_vfio_begin();
	vm.reset_reads = -1;
	vm.no_kernel_reset = true;
	mock_function_reset();
	vpci_rig_refused("", -ETIMEDOUT, "the kernel's reset Operation not supported");
	mock_vfio_end();
}

static void
test_config(void)
{
	uint8_t mac[6];

	vpci_rig_begin("");
	memcpy(vm.device_config, "\x52\x54\x00\x01\x02\x03", 6);
	vm.config_changes = 3;
	CU_ASSERT_EQUAL(vdev->ops->get_config(vdev, 0, mac, sizeof(mac)), 0);
	CU_ASSERT_EQUAL(memcmp(mac, vm.device_config, sizeof(mac)), 0);
	CU_ASSERT_EQUAL(vm.config_changes, 0);
	vm.config_changes = UINT32_MAX;
	mock_log_begin();
	CU_ASSERT_EQUAL(vdev->ops->get_config(vdev, 0, mac, sizeof(mac)), -EAGAIN);
	CU_ASSERT(mock_logged("while it was read"));
	CU_ASSERT_EQUAL(vdev->ops->get_config(vdev, sizeof(vm.device_config) - 5, mac, 6), -EINVAL);
	CU_ASSERT_EQUAL(vdev->ops->get_config(vdev, UINT32_MAX, mac, 6), -EINVAL);
	vpci_rig_end();
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("virtio_pci", NULL, NULL);

	autotest_add(s, "open", test_open);
	autotest_add(s, "arguments", test_args);
	autotest_add(s, "which function", test_identity);
	autotest_add(s, "capabilities out of range or missing", test_caps_range);
	autotest_add(s, "chain of capabilities, overlaps", test_caps_chain);
	autotest_add(s, "features", test_features);
	autotest_add(s, "number and size of queues", test_queues);
	autotest_add(s, "start and stop", test_start);
	autotest_add(s, "notification addresses", test_notify);
	autotest_add(s, "reset", test_reset);
	autotest_add(s, "configuration", test_config);
}

REGISTER_AUTOTEST(virtio_pci_autotest, fill)
