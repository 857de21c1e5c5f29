/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "autotest.h"
#include "soft_driver.h"

/* One queue of the software device is reset while the others go on (virtio 1.2, 2.6.1). */

#define V1     RTE_BIT64(VIRTIO_F_VERSION_1)
#define PACKED RTE_BIT64(VIRTIO_F_RING_PACKED)
#define RESET  RTE_BIT64(VIRTIO_F_RING_RESET)
#define SIZE   64

static struct drv drv;

static void
post(struct drv_ring *ring, uint32_t len)
{
	struct drv_slot *slot = drv_slot_get(ring);

	drv_piece(slot, 0, len);
	drv_post(ring, slot, DRV_DIRECT);
}

/* A packet through one pair. */
static void
exchange(uint16_t pair)
{
	struct drv_ring *rx = &drv.ring[2 * pair], *tx = &drv.ring[2 * pair + 1];
	struct drv_slot *slot;
	uint32_t len = 0;

	post(rx, 200);
	post(tx, 112);
	CU_ASSERT_EQUAL(drv_poll(&drv, pair), 2);
	slot = drv_reap(rx, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
	CU_ASSERT_EQUAL(len, 112);
	drv_slot_put(rx, slot);
	slot = drv_reap(tx, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
	drv_slot_put(tx, slot);
}

/* What the device could write of a queue; the driver is the only one that may change it now. */
static void
fill_rings(struct drv_ring *ring, int byte)
{
	memset(ring->used, byte, DRV_USED_SIZE / (2 * DRV_MAX_PAIRS));
	if (ring->packed)
		memset(ring->packed_desc, byte, SIZE * sizeof(ring->packed_desc[0]));
}

static bool
rings_hold(const struct drv_ring *ring, uint8_t byte)
{
	const uint8_t *used = (const uint8_t *)ring->used;
	const uint8_t *desc = (const uint8_t *)ring->packed_desc;
	unsigned int i;

	for (i = 0; i < DRV_USED_SIZE / (2 * DRV_MAX_PAIRS); i++) {
		if (used[i] != byte)
			return false;
	}
	for (i = 0; ring->packed && i < SIZE * sizeof(ring->packed_desc[0]); i++) {
		if (desc[i] != byte)
			return false;
	}
	return true;
}

/* Each queue of pair 0 in turn, with buffers at the device. */
static void
one_queue(uint64_t format, uint16_t qid)
{
	const struct svq_device_ops *ops;
	struct drv_ring *ring = &drv.ring[qid];
	struct svq_device_queue conf;
	unsigned int round, i;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "queues=2,packed=1", NULL), 0);
	ops = drv.dev->ops;
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1 | RESET | format, SIZE), 0);
	for (round = 0; round < 5; round++) {
		/* So that the ring is not at its beginning. */
		for (i = 0; i < 7; i++)
			exchange(0);
		post(ring, 100);
		drv_poll(&drv, 0);
		CU_ASSERT_EQUAL(ops->queue_reset(drv.dev, qid), 0);
		CU_ASSERT_EQUAL(ops->queue_reset(drv.dev, qid), 0);
		CU_ASSERT_EQUAL(ops->queue_restart(drv.dev, qid), -EINVAL);
		fill_rings(ring, 0xff);
		drv_poll(&drv, 0);
		CU_ASSERT(rings_hold(ring, 0xff));
		exchange(1);
		conf = ring->conf;
		drv_ring_renew(&drv, qid, SIZE);
		CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, qid, &conf), 0);
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
		CU_ASSERT_EQUAL(ops->queue_restart(drv.dev, qid), 0);
		CU_ASSERT_EQUAL(ops->queue_restart(drv.dev, qid), -EBUSY);
		CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, qid, &conf), -EBUSY);
		CU_ASSERT_EQUAL(ops->status(drv.dev), SVQ_DEVICE_S_DRIVER_OK);
	}
	exchange(0);
	drv_close(&drv);
}

static void
test_one_queue(void)
{
	uint16_t qid;

	for (qid = 0; qid < 2; qid++) {
		one_queue(0, qid);
		one_queue(PACKED, qid);
	}
}

/* Who may reset what, and a ring that is not mapped. */
static void
test_refused(void)
{
	const struct svq_device_ops *ops;
	struct svq_device_queue bad;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "queues=1", NULL), 0);
	ops = drv.dev->ops;
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1, SIZE), 0);
	CU_ASSERT_EQUAL(ops->queue_reset(drv.dev, 0), -ENOTSUP);
	CU_ASSERT_EQUAL(ops->queue_restart(drv.dev, 0), -ENOTSUP);
	exchange(0);
	ops->stop(drv.dev);
	CU_ASSERT_EQUAL_FATAL(drv_setup(&drv, V1 | RESET, SIZE), 0);
	CU_ASSERT_EQUAL(ops->queue_restart(drv.dev, 0), -EINVAL);
	CU_ASSERT_EQUAL(ops->queue_reset(drv.dev, 2), -EINVAL);
	CU_ASSERT_EQUAL(ops->queue_restart(drv.dev, 2), -EINVAL);
	/* Before start it takes back the set-up. */
	CU_ASSERT_EQUAL(ops->queue_reset(drv.dev, 1), 0);
	CU_ASSERT_EQUAL(ops->start(drv.dev), -EINVAL);
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 1, &drv.ring[1].conf), 0);
	CU_ASSERT_EQUAL(ops->start(drv.dev), 0);
	exchange(0);
	CU_ASSERT_EQUAL(ops->queue_reset(drv.dev, 0), 0);
	bad = drv.ring[0].conf;
	bad.size = 3;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), -EINVAL);
	bad = drv.ring[0].conf;
	bad.used_iova = 0xf0000000;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), 0);
	CU_ASSERT_EQUAL(ops->queue_restart(drv.dev, 0), -EFAULT);
	CU_ASSERT(ops->status(drv.dev) & SVQ_DEVICE_S_NEEDS_RESET);
	/* A reset of the device ends that, too. */
	ops->stop(drv.dev);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1 | RESET, SIZE), 0);
	exchange(0);
	drv_close(&drv);

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "ring_reset=0", NULL), 0);
	CU_ASSERT(!(drv.dev->info.features & RESET));
	drv_close(&drv);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_reset", NULL, NULL);

	autotest_add(suite, "one queue at a time", test_one_queue);
	autotest_add(suite, "refused", test_refused);
}

REGISTER_AUTOTEST(soft_reset_autotest, fill)
