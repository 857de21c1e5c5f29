/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>

#include "autotest.h"
#include "soft.h"
#include "soft_traffic.h"

/* What only packed rings of the software device have; shapes and faults are in the suites of both
 * formats. */

#define V1     RTE_BIT64(VIRTIO_F_VERSION_1)
#define MRG    RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)
#define PACKED RTE_BIT64(VIRTIO_F_RING_PACKED)

static struct drv drv;

/* The length of the next used chain. */
static uint32_t
reap(struct drv_ring *ring)
{
	uint32_t len = UINT32_MAX;
	struct drv_slot *slot = drv_reap(ring, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
	drv_slot_put(ring, slot);
	return len;
}

static void
check_used(const struct vring_packed_desc *desc, unsigned int flags, uint32_t len, uint16_t id)
{
	CU_ASSERT_EQUAL(desc->flags, flags);
	CU_ASSERT_EQUAL(desc->len, len);
	CU_ASSERT_EQUAL(desc->id, id);
}

/* Which sizes and alignments a packed ring may have, and a change of format. */
static void
test_packed_setup(void)
{
	const struct svq_device_ops *ops;
	struct svq_device_queue conf, bad;
	uint16_t qid;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "queue_size=256,packed=1", NULL), 0);
	ops = drv.dev->ops;
	CU_ASSERT((drv.dev->info.features & PACKED) != 0);
	CU_ASSERT_EQUAL_FATAL(drv_setup(&drv, V1 | PACKED, 256), 0);
	conf = drv.ring[0].conf;
	for (conf.size = 1; conf.size <= 256; conf.size++)
		CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &conf), 0);
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &conf), -EINVAL);
	conf.size = 0;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &conf), -EINVAL);
	conf.size = 3;
	bad = conf;
	bad.desc_iova += 8;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), -EINVAL);
	bad = conf;
	bad.avail_iova += 2;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), -EINVAL);
	bad = conf;
	bad.used_iova += 2;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), -EINVAL);
	for (qid = 0; qid < 2; qid++)
		CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, qid, &conf), 0);
	/* What was set up for one format is not there for the other. */
	CU_ASSERT_EQUAL(ops->set_features(drv.dev, V1), 0);
	CU_ASSERT_EQUAL(ops->start(drv.dev), -EINVAL);
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &conf), -EINVAL);
	drv_close(&drv);

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=0", NULL), 0);
	CU_ASSERT(!(drv.dev->info.features & PACKED));
	drv_close(&drv);
}

/* Either format, from start to start. */
static void
test_format_changes(void)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];
	unsigned int i;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1", NULL), 0);
	for (i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1 | (i % 2 ? PACKED : 0), 64), 0);
		drv_post_even(tx, 28, 4, DRV_DIRECT);
		drv_post_even(rx, 60, 2, DRV_DIRECT);
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
		CU_ASSERT_EQUAL(reap(rx), 112);
		CU_ASSERT_EQUAL(reap(tx), 0);
		drv.dev->ops->stop(drv.dev);
	}
	drv_close(&drv);
}

/* Where the used descriptors of a packet in several chains stand, and what they say. */
static void
test_used_descriptors(void)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];
	const uint16_t both = 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED;
	const struct vring_packed_desc *desc;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1 | MRG | PACKED, 5), 0);
	desc = rx->packed_desc;
	CU_ASSERT_EQUAL(rx->device_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
	CU_ASSERT_EQUAL(tx->device_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
	/* 112 bytes in chains of 60 and 52, of two places each. */
	drv_post_even(tx, 112, 1, DRV_DIRECT);
	drv_post_even(rx, 30, 2, DRV_DIRECT);
	drv_post_even(rx, 30, 2, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
	check_used(&desc[0], both | VRING_DESC_F_WRITE, 60, 4);
	check_used(&desc[2], both | VRING_DESC_F_WRITE, 52, 3);
	check_used(&tx->packed_desc[0], both, 0, 4);
	CU_ASSERT_EQUAL(reap(rx), 60);
	CU_ASSERT_EQUAL(reap(rx), 52);
	CU_ASSERT_EQUAL(reap(tx), 0);
	/* A chain over the end of the ring belongs to the lap that it began in. */
	drv_post_even(tx, 52, 1, DRV_DIRECT);
	drv_post_even(rx, 30, 2, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
	check_used(&desc[4], both | VRING_DESC_F_WRITE, 52, 3);
	CU_ASSERT_EQUAL(reap(rx), 52);
	drv_post_even(tx, 22, 1, DRV_DIRECT);
	drv_post_even(rx, 30, 1, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
	check_used(&desc[1], VRING_DESC_F_WRITE, 22, 3);
	CU_ASSERT_EQUAL(reap(rx), 22);
	drv_close(&drv);
}

/* Nothing of a burst is seen before it is published: the first used descriptor changes last. */
static void
test_burst_at_once(void)
{
	struct drv_ring *rx = &drv.ring[0];
	struct soft_access access;
	struct soft_ring *ring;
	unsigned int i;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1 | MRG | PACKED, 7), 0);
	ring = &((struct soft_dev *)drv.dev)->pairs[0].rx;
	soft_access_begin(&access, &((struct soft_dev *)drv.dev)->iommu);
	for (i = 0; i < 3; i++)
		drv_post_even(rx, 30, 2, DRV_DIRECT);
	CU_ASSERT_EQUAL_FATAL(soft_ring_begin(ring, &access), 0);
	CU_ASSERT_EQUAL(soft_ring_count(ring, 2), 2);
	CU_ASSERT_EQUAL(soft_ring_count(ring, 100), 3);
	for (i = 0; i < 3; i++) {
		uint16_t at = ring->next;
		struct soft_chain chain;
		struct soft_buf bufs[2];

		CU_ASSERT_FATAL(soft_ring_ready(ring, at));
		CU_ASSERT_EQUAL_FATAL(
			soft_ring_read(ring, &access, &at, SVQ_PERM_W, 60, bufs, &chain), 0);
		CU_ASSERT_EQUAL(chain.len, 60);
		soft_ring_take(ring, &chain.head, 60, false);
		CU_ASSERT_EQUAL(ring->next, at);
		CU_ASSERT(!drv_used(rx));
	}
	CU_ASSERT(!soft_ring_ready(ring, ring->next));
	CU_ASSERT_EQUAL(soft_ring_count(ring, 100), 0);
	soft_ring_publish(ring);
	for (i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(reap(rx), 60);
	CU_ASSERT(!drv_used(rx));
	/* With nothing taken nothing is written. */
	soft_ring_publish(ring);
	CU_ASSERT(!drv_used(rx));
	drv_close(&drv);
}

/* Positions at the end of the longest ring, where place and wrap counter share 16 bits. */
static void
test_longest_ring(void)
{
	struct soft_ring ring = {.size = 32768, .is_packed = true};

	CU_ASSERT_EQUAL(soft_packed_advance(&ring, 0x8000 | 32766, 1), 0x8000 | 32767);
	CU_ASSERT_EQUAL(soft_packed_advance(&ring, 0x8000 | 32767, 1), 0);
	CU_ASSERT_EQUAL(soft_packed_advance(&ring, 32767, 1), 0x8000);
	CU_ASSERT_EQUAL(soft_packed_advance(&ring, 32767, 32768), 0x8000 | 32767);
	CU_ASSERT_EQUAL(soft_packed_advance(&ring, 0, 32768), 0x8000);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_packed", NULL, NULL);

	autotest_add(suite, "sizes and alignment", test_packed_setup);
	autotest_add(suite, "used descriptors", test_used_descriptors);
	autotest_add(suite, "a burst is seen at once", test_burst_at_once);
	autotest_add(suite, "the longest ring", test_longest_ring);
	autotest_add(suite, "format changes", test_format_changes);
}

REGISTER_AUTOTEST(soft_packed_autotest, fill)
