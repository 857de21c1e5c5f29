/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Control queue, interrupts, resets of single queues and memory of a mocked function. */

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <linux/virtio_pci.h>

#include <rte_common.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "vpci_rig.h"

#define F(bit) (1ULL << (bit))
#define CTRL                                                                     \
	(RIG_V1 | F(VIRTIO_NET_F_CTRL_VQ) | F(VIRTIO_NET_F_CTRL_RX) |            \
		F(VIRTIO_NET_F_CTRL_MAC_ADDR) | F(VIRTIO_NET_F_GUEST_ANNOUNCE) | \
		F(VIRTIO_NET_F_STATUS))

/* A function with two pairs and its control queue behind them. */
static void
two_pairs(void)
{
	mock_vfio_begin();
	vm.device_config[8] = 2;
	vm.n_queues = 5;
	vm.vq[2].max = vm.vq[3].max = 256;
	vm.vq[4].max = 64;
	vm.ctrl_qid = 4;
}

static bool
was_told(unsigned int i, uint8_t class, uint8_t command, const void *data, size_t len)
{
	return i < vm.n_commands && vm.command_log[i][0] == class &&
		vm.command_log[i][1] == command && memcmp(&vm.command_log[i][2], data, len) == 0;
}

/* Each start tells the function the same again; nothing stays mapped after a stop. */
static void
told_at_start(uint64_t features)
{
	unsigned int round, i;

	vpci_rig_begin(",mac=02:00:00:00:00:07");
	for (round = 0; round < 10; round++) {
		vm.n_commands = 0;
		CU_ASSERT_EQUAL_FATAL(vpci_rig_start(features), 0);
		CU_ASSERT_EQUAL(vm.n_commands, 2);
		CU_ASSERT(was_told(0, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET,
			"\x02\x00\x00\x00\x00\x07", 6));
		CU_ASSERT(was_told(1, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, "\x01", 1));
		CU_ASSERT_EQUAL(vm.n_maps, 2);
		CU_ASSERT_EQUAL(vm.maps[0].flags, VFIO_DMA_MAP_FLAG_READ);
		CU_ASSERT_EQUAL(vm.maps[1].flags, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
		/* More than one round of the ring. */
		for (i = 0; i < 9; i++) {
			vm.device_config[6] = VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE;
			vdev->ops->config_done(vdev);
			CU_ASSERT(was_told(2 + i, VIRTIO_NET_CTRL_ANNOUNCE,
				VIRTIO_NET_CTRL_ANNOUNCE_ACK, "", 0));
			vm.device_config[6] = VIRTIO_NET_S_LINK_UP;
			vdev->ops->config_done(vdev);
			CU_ASSERT_EQUAL(vm.n_commands, 3 + i);
		}
		vdev->ops->stop(vdev);
		CU_ASSERT_EQUAL(vm.n_maps, 0);
	}
	vpci_rig_end();
}

static void
test_split(void)
{
	told_at_start(CTRL);
}

static void
test_packed(void)
{
	told_at_start(CTRL | F(VIRTIO_F_RING_PACKED));
}

static void
test_pairs(void)
{
	const struct svq_device_queue queue = {.size = 64};
	unsigned int round;
	uint16_t qid;

	two_pairs();
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vdev->info.max_pairs, 2);
	for (round = 0; round < 3; round++) {
		vm.n_commands = 0;
		CU_ASSERT_EQUAL(vdev->ops->set_features(vdev,
					RIG_V1 | F(VIRTIO_NET_F_CTRL_VQ) | F(VIRTIO_NET_F_MQ)),
			0);
		for (qid = 0; qid < 4; qid++)
			CU_ASSERT_EQUAL(vdev->ops->queue_setup(vdev, qid, &queue), 0);
		CU_ASSERT_EQUAL_FATAL(vdev->ops->start(vdev), 0);
		CU_ASSERT_EQUAL(vm.n_commands, 0);
		CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 0, true), 0);
		CU_ASSERT_EQUAL(vm.n_commands, 0);
		CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 1, true), 0);
		CU_ASSERT(was_told(
			0, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, "\x02\x00", 2));
		CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 0, false), 0);
		CU_ASSERT_EQUAL(vm.n_commands, 1);
		CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 1, false), 0);
		CU_ASSERT(was_told(
			1, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, "\x01\x00", 2));
		CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 2, true), -EINVAL);
		/* Without a stop in between it is the same function. */
		CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 1, true), 0);
		CU_ASSERT_EQUAL(vm.n_commands, 3);
		vdev->ops->stop(vdev);
	}
	vpci_rig_end();
}

static void
test_answers(void)
{
	/* Refused: the device runs nevertheless. */
	vpci_rig_begin("");
	vm.ctrl = MOCK_CTRL_ERR;
	mock_log_begin();
	CU_ASSERT_EQUAL(vpci_rig_start(CTRL), 0);
	CU_ASSERT(mock_logged("the function refuses promiscuous mode"));
	vpci_rig_end();

	two_pairs();
	vpci_rig_open_sound("");
	vm.ctrl = MOCK_CTRL_ERR;
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1 | F(VIRTIO_NET_F_CTRL_VQ) | F(VIRTIO_NET_F_MQ)), 0);
	CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 1, true), -EPERM);
	vm.ctrl = MOCK_CTRL_OK;
	CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 1, true), 0);
	/* No answer: waited for once, and no further command before the next start. */
	vm.ctrl = MOCK_CTRL_NEVER;
	vm.n_commands = 0;
	mock_log_begin();
	CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 1, false), -ETIMEDOUT);
	CU_ASSERT(mock_logged("does not answer in 500 ms"));
	CU_ASSERT_EQUAL(vdev->ops->pair_enable(vdev, 1, false), -EIO);
	CU_ASSERT_EQUAL(vm.n_commands, 1);
	vdev->ops->stop(vdev);
	vm.ctrl = MOCK_CTRL_OK;
	CU_ASSERT_EQUAL(vpci_rig_start(CTRL), 0);
	vdev->ops->stop(vdev);
	vm.ctrl = MOCK_CTRL_WRONG_ID;
	mock_log_begin();
	vm.ctrl_qid = 2;
	vm.n_queues = 3;
	vm.vq[2].max = 64;
	CU_ASSERT_EQUAL(vpci_rig_start(CTRL | F(VIRTIO_F_RING_PACKED)), 0);
	CU_ASSERT(mock_logged("answers what was not asked"));
	vpci_rig_end();

	/* No room for a command. */
	mock_vfio_begin();
	vm.vq[2].max = 1;
	vpci_rig_open_sound("");
	mock_log_begin();
	CU_ASSERT_EQUAL(vpci_rig_start(CTRL), -EINVAL);
	CU_ASSERT(mock_logged("no control queue (queue 2, at most 1 descriptors)"));
	CU_ASSERT_EQUAL(vm.n_maps, 0);
	vpci_rig_end();
}

static void
test_irqs(void)
{
	uint16_t qid;

	vpci_rig_begin("");
	CU_ASSERT_EQUAL(vdev->ops->config_irq(vdev, 50), 0);
	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 1, 51), 0);
	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 2, 51), -EINVAL);
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	CU_ASSERT_EQUAL(vm.n_irqs, 2);
	CU_ASSERT_EQUAL(vm.irqs[0], 50);
	CU_ASSERT_EQUAL(vm.irqs[1], 51);
	CU_ASSERT_EQUAL(vm.msix_config, 0);
	CU_ASSERT_EQUAL(vm.vq[0].vector, 0xffff);
	CU_ASSERT_EQUAL(vm.vq[1].vector, 1);
	CU_ASSERT_EQUAL(vdev->ops->config_irq(vdev, -1), -EBUSY);
	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 0, 52), -EBUSY);
	vdev->ops->stop(vdev);
	CU_ASSERT_EQUAL(vm.n_irqs, 0);
	/* They were the past start's. */
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	CU_ASSERT_EQUAL(vm.n_irqs, 0);
	CU_ASSERT_EQUAL(vm.msix_config, 0xffff);
	vpci_rig_end();

	/* Fewer vectors than queues: the configuration has the first. */
	two_pairs();
	vm.n_msix = 3;
	vpci_rig_open_sound("");
	for (qid = 0; qid < 4; qid++)
		CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, qid, 60 + qid), qid < 2 ? 0 : -ENOSPC);
	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 0, 70), 0);
	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 1, -1), 0);
	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 3, 63), 0);
	vpci_rig_end();
	mock_vfio_begin();
	vm.n_msix = 1;
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 0, 60), -ENOSPC);
	CU_ASSERT_EQUAL(vdev->ops->config_irq(vdev, 50), 0);
	vpci_rig_end();
	mock_vfio_begin();
	vm.n_msix = 0;
	vpci_rig_open_sound("");
	CU_ASSERT_EQUAL(vdev->ops->config_irq(vdev, 50), -ENOSPC);
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	vpci_rig_end();

	/* The function has fewer than it told. */
	vpci_rig_begin("");
	vm.vectors_taken = 1;
	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 1, 51), 0);
	mock_log_begin();
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), -EIO);
	CU_ASSERT(mock_logged("queue 1: the function has no room for vector 1"));
	vdev->ops->stop(vdev);
	vm.vectors_taken = 0;
	CU_ASSERT_EQUAL(vdev->ops->config_irq(vdev, 50), 0);
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), -EIO);
	CU_ASSERT_EQUAL(vm.n_irqs, 1);
	vdev->ops->stop(vdev);
	CU_ASSERT_EQUAL(vm.n_irqs, 0);
	vpci_rig_end();
}

static void
test_queue_reset(void)
{
	const uint64_t features = RIG_V1 | F(VIRTIO_F_RING_RESET);
	const struct svq_device_queue queue = {.size = 32, .desc_iova = 0x9000};

	vpci_rig_begin("");
	CU_ASSERT_EQUAL(vpci_rig_start(RIG_V1), 0);
	CU_ASSERT_EQUAL(vdev->ops->queue_reset(vdev, 0), -ENOTSUP);
	CU_ASSERT_EQUAL(vdev->ops->queue_restart(vdev, 0), -ENOTSUP);
	vdev->ops->stop(vdev);

	CU_ASSERT_EQUAL(vdev->ops->queue_irq(vdev, 0, 51), 0);
	CU_ASSERT_EQUAL(vpci_rig_start(features), 0);
	CU_ASSERT_EQUAL(vdev->ops->queue_reset(vdev, 2), -EINVAL);
	CU_ASSERT_EQUAL(vdev->ops->queue_restart(vdev, 0), -EBUSY);
	CU_ASSERT_EQUAL(vdev->ops->queue_reset(vdev, 0), 0);
	CU_ASSERT_EQUAL(vm.vq[0].enable, 0);
	CU_ASSERT_EQUAL(vm.vq[1].enable, 1);
	CU_ASSERT_EQUAL(vdev->ops->queue_reset(vdev, 0), 0);
	CU_ASSERT_EQUAL(vdev->ops->queue_restart(vdev, 0), -EINVAL);
	CU_ASSERT_EQUAL(vdev->ops->queue_setup(vdev, 0, &queue), 0);
	CU_ASSERT_EQUAL(vdev->ops->queue_restart(vdev, 0), 0);
	CU_ASSERT_EQUAL(vm.vq[0].enable, 1);
	CU_ASSERT_EQUAL(vm.vq[0].size, 32);
	CU_ASSERT_EQUAL(vm.vq[0].desc, 0x9000);
	CU_ASSERT_EQUAL(vm.vq[0].vector, 1);
	vm.queue_reset_hangs = true;
	mock_log_begin();
	CU_ASSERT_EQUAL(vdev->ops->queue_reset(vdev, 0), -EIO);
	CU_ASSERT(mock_logged("queue 0 does not reset"));
	vpci_rig_end();
}

/* A mapping that fails takes those before it back, wherever it happens. */
static void
test_map_failures(void)
{
	const size_t size = 1 << 20;
	struct svq_guest_region regions[3];
	struct svq_guest_diff diff;
	struct svq_guest *guest;
	unsigned int i, k;
	int fd;

	fd = memfd_create("guest", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL(ftruncate(fd, 3 * size), 0);
	for (i = 0; i < RTE_DIM(regions); i++)
		regions[i] = (struct svq_guest_region){
			.gpa = i * (size << 4), .size = size, .offset = i * size, .fd = fd};
	vpci_rig_begin("");
	CU_ASSERT_EQUAL_FATAL(svq_guest_create(&guest), 0);
	for (k = 0; k < RTE_DIM(regions); k++) {
		CU_ASSERT_EQUAL_FATAL(svq_guest_prepare(guest, regions, 3, &diff), 0);
		vm.fail = VFIO_IOMMU_MAP_DMA;
		vm.fail_after = k;
		vm.fail_error = ENOMEM;
		vm.memlock = 4096;
		mock_log_begin();
		CU_ASSERT_EQUAL(svq_dma_guest_apply(vdma, &diff), -ENOMEM);
		CU_ASSERT(mock_logged("locked-memory limit too low"));
		CU_ASSERT_EQUAL(vm.n_maps, 0);
		CU_ASSERT_EQUAL(vm.n_unmap_calls, k * (k + 1) / 2);
		svq_guest_abort(guest);
	}
	CU_ASSERT_EQUAL_FATAL(svq_guest_prepare(guest, regions, 3, &diff), 0);
	CU_ASSERT_EQUAL(svq_dma_guest_apply(vdma, &diff), 0);
	svq_guest_commit(guest);
	CU_ASSERT_EQUAL(vm.n_maps, 3);
	for (k = 0; k < 2; k++) {
		vm.fail = VFIO_IOMMU_MAP_DMA;
		vm.fail_after = k;
		vm.fail_error = ENOSPC;
		CU_ASSERT_EQUAL(vpci_rig_start(CTRL), -ENOSPC);
		vdev->ops->stop(vdev);
		CU_ASSERT_EQUAL(vm.n_maps, 3);
	}
	CU_ASSERT_EQUAL(vpci_rig_start(CTRL), 0);
	CU_ASSERT_EQUAL(vm.n_maps, 5);
	vpci_rig_end();
	svq_guest_destroy(guest);
	close(fd);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("virtio_pci_ctrl", NULL, NULL);

	autotest_add(s, "commands, split ring", test_split);
	autotest_add(s, "commands, packed ring", test_packed);
	autotest_add(s, "queue pairs", test_pairs);
	autotest_add(s, "refused, never and wrongly answered", test_answers);
	autotest_add(s, "interrupts", test_irqs);
	autotest_add(s, "reset of a queue", test_queue_reset);
	autotest_add(s, "mappings that fail", test_map_failures);
}

REGISTER_AUTOTEST(virtio_pci_ctrl_autotest, fill)
