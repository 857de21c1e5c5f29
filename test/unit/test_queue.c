/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "relay_bed.h"

/* A guest with split rings: chains, faults, events and log. */

#define F_ALL                                                                   \
	((1ULL << VIRTIO_F_VERSION_1) | (1ULL << VIRTIO_RING_F_INDIRECT_DESC) | \
		(1ULL << VIRTIO_RING_F_EVENT_IDX))
#define F_NO_EVENT ((1ULL << VIRTIO_F_VERSION_1) | (1ULL << VIRTIO_RING_F_INDIRECT_DESC))
#define W	   VRING_DESC_F_WRITE
#define NEXT	   VRING_DESC_F_NEXT
#define INDIRECT   VRING_DESC_F_INDIRECT

static struct bed b;
static struct svq_queue_stats stats;
static struct bed_chain chain;
static struct vring_used_elem elem;

static void
read_stats(void)
{
	svq_queue_stats(b.q, &stats);
}

/* A chain of n descriptors of 100 bytes, the last n_in device-writable, reaches the device whole.
 */
static void
round_trip(unsigned int n, unsigned int n_in)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		bed_desc(&b, i, 0x1000 + 0x100 * i, 100,
			(i + 1 < n ? NEXT : 0) | (i >= n - n_in ? W : 0), i + 1);
	bed_avail(&b, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.n, n);
	CU_ASSERT_EQUAL(chain.readable, 100 * (n - n_in));
	CU_ASSERT_EQUAL(chain.writable, 100 * n_in);
	for (i = 0; i < RTE_MIN(n, RTE_DIM(chain.desc)); i++)
		CU_ASSERT_PTR_EQUAL(
			(void *)(uintptr_t)chain.desc[i].addr, bed_ptr(&b, 0x1000 + 0x100 * i));
	bed_device_return(&b, chain.head, 100 * n_in);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_FATAL(bed_reap(&b, &elem));
	CU_ASSERT_EQUAL(elem.id, 0);
	CU_ASSERT_EQUAL(elem.len, 100 * n_in);
}

static void
test_shapes(void)
{
	static const uint32_t sizes[] = {2, 4, 256, 4096, 32768};
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(sizes); i++) {
		for (k = 0; k < RTE_DIM(sizes); k++) {
			uint32_t longest = RTE_MIN(sizes[i], sizes[k]);

			longest = RTE_MIN(longest, 8192u);
			bed_open(&b, sizes[i], sizes[k], F_ALL);
			round_trip(1, 0);
			round_trip(1, 1);
			round_trip(2, 1);
			round_trip(longest, 0);
			round_trip(longest, longest / 2);
			CU_ASSERT_EQUAL(b.bad_iova, 0);
			bed_close(&b);
		}
	}
}

static void
test_too_long_for_shadow(void)
{
	unsigned int i;

	bed_open(&b, 256, 4, F_ALL);
	for (i = 0; i < 5; i++)
		bed_desc(&b, i, 0x1000, 10, i < 4 ? NEXT : 0, i + 1);
	bed_avail(&b, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_TOO_LONG);
	bed_close(&b);
}

static void
put_table(uint64_t gpa, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_desc d = {.addr = 0x1000 + 0x100 * i,
			.len = 64,
			.flags = i + 1 < n ? NEXT : 0,
			.next = i + 1};
		struct svq_gpa_seg segs[2];
		int k,
			parts = svq_gpa_translate(
				svq_dma_map(b.dma), gpa + 16 * i, 16, SVQ_PERM_R, segs, 2);
		uint8_t *from = (uint8_t *)&d;

		/* The table itself may span regions. */
		for (k = 0; k < parts; k++) {
			memcpy(bed_ptr(&b, segs[k].gpa), from, segs[k].len);
			from += segs[k].len;
		}
	}
}

static void
test_indirect(void)
{
	/* Aligned, at an odd address, across a region border, and across it in mid-descriptor. */
	static const uint64_t at[] = {0x20000, 0x20003, BED_HIGH - 32, BED_HIGH - 40};
	unsigned int i;

	bed_open(&b, 16, 32, F_ALL);
	for (i = 0; i < RTE_DIM(at); i++) {
		put_table(at[i], 10);
		bed_desc(&b, 3, at[i], 160, INDIRECT, 0);
		bed_avail(&b, 3);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
		CU_ASSERT_FATAL(bed_device_take(&b, &chain));
		CU_ASSERT_EQUAL(chain.n, 10);
		CU_ASSERT_EQUAL(chain.readable, 640);
		bed_device_return(&b, chain.head, 0);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		CU_ASSERT(bed_reap(&b, &elem));
		CU_ASSERT_EQUAL(elem.id, 3);
	}
	/* A direct descriptor, then an indirect one: valid (virtio 1.2, 2.7.5.3.2). */
	put_table(0x20000, 4);
	bed_desc(&b, 0, 0x8000, 12, NEXT, 1);
	bed_desc(&b, 1, 0x20000, 64, INDIRECT, 0);
	bed_avail(&b, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.n, 5);
	CU_ASSERT_EQUAL(chain.readable, 12 + 256);
	read_stats();
	CU_ASSERT_EQUAL(stats.indirect, 5);
	bed_close(&b);
}

static void
test_region_borders(void)
{
	bed_open(&b, 16, 16, F_ALL);
	/* Ends on the region's last byte: one piece. */
	bed_desc(&b, 0, BED_HIGH - 100, 100, 0, 0);
	bed_avail(&b, 0);
	/* Spans the border: two pieces, from distant host memory. */
	bed_desc(&b, 1, BED_HIGH - 100, 300, W, 0);
	bed_avail(&b, 1);
	/* The alias leads to the same bytes. */
	bed_desc(&b, 2, BED_ALIAS + 0x5000, 10, 0, 0);
	bed_avail(&b, 2);
	/* Two descriptors, each in one region. */
	bed_desc(&b, 3, 0x1000, 12, NEXT, 4);
	bed_desc(&b, 4, BED_HIGH, 60, 0, 0);
	bed_avail(&b, 3);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 4);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.n, 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL_FATAL(chain.n, 2);
	CU_ASSERT_EQUAL(chain.desc[0].len, 100);
	CU_ASSERT_EQUAL(chain.desc[1].len, 200);
	CU_ASSERT_PTR_EQUAL((void *)(uintptr_t)chain.desc[0].addr, bed_ptr(&b, BED_HIGH - 100));
	CU_ASSERT_PTR_EQUAL((void *)(uintptr_t)chain.desc[1].addr, bed_ptr(&b, BED_HIGH));
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_PTR_EQUAL((void *)(uintptr_t)chain.desc[0].addr, bed_ptr(&b, 0x5000));
	read_stats();
	CU_ASSERT_EQUAL(stats.splits, 1);
	CU_ASSERT_EQUAL(stats.chains, 4);
	CU_ASSERT_EQUAL(stats.descs, 5);
	CU_ASSERT_EQUAL(stats.translations, 5);
	CU_ASSERT_EQUAL(b.bad_iova, 0);
	bed_close(&b);
}

/* One bad chain between two good ones: the first is relayed, the queue stops at the second. */
static void
expect_fault(enum svq_queue_error error)
{
	bed_desc(&b, 30, 0x1000, 60, 0, 0);
	b.avail->ring[b.avail_idx++ % b.guest_size] = 30;
	b.avail->ring[b.avail_idx++ % b.guest_size] = 0;
	b.avail->ring[b.avail_idx++ % b.guest_size] = 30;
	b.avail->idx = b.avail_idx;
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), error);
	read_stats();
	CU_ASSERT_EQUAL(stats.errors[error], 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT(bed_device_take(&b, &chain));
	CU_ASSERT_FALSE(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(b.bad_iova, 0);
	bed_close(&b);
	bed_open(&b, 32, 64, F_ALL);
}

static void
test_guest_faults(void)
{
	unsigned int i;

	bed_open(&b, 32, 64, F_ALL);
	bed_desc(&b, 0, BED_HOLE, 10, 0, 0);
	expect_fault(SVQ_QUEUE_E_ADDRESS);
	bed_desc(&b, 0, BED_HIGH + BED_REGION - 1, 2, 0, 0);
	expect_fault(SVQ_QUEUE_E_ADDRESS);
	bed_desc(&b, 0, UINT64_MAX - 3, 100, W, 0);
	expect_fault(SVQ_QUEUE_E_ADDRESS);
	bed_desc(&b, 0, 0x1000, 0, 0, 0);
	expect_fault(SVQ_QUEUE_E_ZERO_LEN);
	bed_desc(&b, 0, 0x1000, 10, NEXT, 32);
	expect_fault(SVQ_QUEUE_E_NEXT);
	for (i = 0; i < 20; i += 7) {
		unsigned int k;

		for (k = 0; k <= i; k++)
			bed_desc(&b, k, 0x1000, 10, NEXT, k < i ? k + 1 : 0);
		expect_fault(SVQ_QUEUE_E_LOOP);
	}
	bed_desc(&b, 0, 0x1000, 10, NEXT | W, 1);
	bed_desc(&b, 1, 0x1000, 10, 0, 0);
	expect_fault(SVQ_QUEUE_E_ORDER);
	for (i = 0; i < 2; i++)
		bed_desc(&b, i, 0x1000, 0x80000000, i == 0 ? NEXT : 0, 1);
	expect_fault(SVQ_QUEUE_E_TOTAL_LEN);
	bed_desc(&b, 0, 0x20000, 16 * 33, INDIRECT, 0);
	expect_fault(SVQ_QUEUE_E_INDIRECT);
	bed_desc(&b, 0, 0x20000, 17, INDIRECT, 0);
	expect_fault(SVQ_QUEUE_E_INDIRECT);
	bed_desc(&b, 0, 0x20000, 0, INDIRECT, 0);
	expect_fault(SVQ_QUEUE_E_INDIRECT);
	bed_desc(&b, 0, 0x20000, 16, INDIRECT | NEXT, 1);
	expect_fault(SVQ_QUEUE_E_INDIRECT);
	bed_desc(&b, 0, BED_HOLE, 16, INDIRECT, 0);
	expect_fault(SVQ_QUEUE_E_ADDRESS);
	/* A table in a table. */
	*(struct vring_desc *)bed_ptr(&b, 0x20000) =
		(struct vring_desc){.addr = 0x30000, .len = 16, .flags = INDIRECT};
	bed_desc(&b, 0, 0x20000, 16, INDIRECT, 0);
	expect_fault(SVQ_QUEUE_E_INDIRECT);
	/* A loop inside a table. */
	*(struct vring_desc *)bed_ptr(&b, 0x20000) =
		(struct vring_desc){.addr = 0x30000, .len = 16, .flags = NEXT, .next = 0};
	bed_desc(&b, 0, 0x20000, 16, INDIRECT, 0);
	expect_fault(SVQ_QUEUE_E_LOOP);
	bed_close(&b);
}

static void
expect_net_fault(uint16_t qid, uint32_t len, uint16_t flags, enum svq_queue_error error)
{
	bed_open_net(&b, 32, 64, F_ALL, qid, 12);
	bed_desc(&b, 0, 0x1000, 12, qid % 2 == 0 ? W : 0, 0);
	bed_avail(&b, 0);
	bed_desc(&b, 1, 0x1000, len, flags, 2);
	bed_desc(&b, 2, 0x2000, 100, W, 0);
	bed_avail(&b, 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), error);
	read_stats();
	CU_ASSERT_EQUAL(stats.errors[error], 1);
	bed_close(&b);
}

/* What a network device could only answer by asking for a reset of all its queues. */
static void
test_net_faults(void)
{
	expect_net_fault(1, 11, 0, SVQ_QUEUE_E_SHORT);
	expect_net_fault(1, 100, W, SVQ_QUEUE_E_DIRECTION);
	expect_net_fault(1, 100, NEXT, SVQ_QUEUE_E_DIRECTION);
	expect_net_fault(0, 11, W, SVQ_QUEUE_E_SHORT);
	expect_net_fault(0, 100, 0, SVQ_QUEUE_E_DIRECTION);
	expect_net_fault(0, 100, NEXT, SVQ_QUEUE_E_DIRECTION);
}

static void
test_ring_faults(void)
{
	bed_open(&b, 32, 64, F_ALL);
	b.avail->idx = 33;
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_AVAIL_IDX);
	bed_close(&b);

	/* With chains in flight the driver may add only the rest of the ring. */
	bed_open(&b, 32, 64, F_ALL);
	bed_desc(&b, 1, 0x1000, 10, 0, 0);
	bed_avail(&b, 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	b.avail->idx = 33;
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_AVAIL_IDX);
	bed_close(&b);

	bed_open(&b, 32, 64, F_ALL);
	bed_avail(&b, 32);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_HEAD);
	bed_close(&b);

	bed_open(&b, 32, 64, F_NO_EVENT & ~(1ULL << VIRTIO_RING_F_INDIRECT_DESC));
	bed_desc(&b, 0, 0x20000, 16, INDIRECT, 0);
	bed_avail(&b, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_INDIRECT);
	bed_close(&b);
}

static void
one_packet(bool with_kick)
{
	bed_desc(&b, 0, 0x1000, 10, 0, 0);
	bed_avail(&b, 0);
	b.notified = 0;
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_EQUAL(b.notified, with_kick ? 1 : 0);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_FATAL(bed_reap(&b, &elem));
}

static void
test_notifications(void)
{
	/* By flags. We poll, so the guest is told not to kick and the device not to interrupt. */
	bed_open(&b, 32, 64, F_NO_EVENT);
	CU_ASSERT_EQUAL(b.used->flags, VRING_USED_F_NO_NOTIFY);
	CU_ASSERT_EQUAL(b.savail->flags, VRING_AVAIL_F_NO_INTERRUPT);
	one_packet(true);
	CU_ASSERT_EQUAL(bed_calls(&b), 1);
	b.sused->flags = VRING_USED_F_NO_NOTIFY;
	b.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	one_packet(false);
	CU_ASSERT_EQUAL(bed_calls(&b), 0);
	read_stats();
	CU_ASSERT_EQUAL(stats.kicks, 1);
	CU_ASSERT_EQUAL(stats.kicks_suppressed, 1);
	CU_ASSERT_EQUAL(stats.calls, 1);
	CU_ASSERT_EQUAL(stats.calls_suppressed, 1);
	svq_queue_detach(b.q);
	CU_ASSERT_EQUAL(b.used->flags, 0);
	bed_close(&b);

	/* By event index: the flags are not looked at. */
	bed_open(&b, 32, 64, F_ALL);
	CU_ASSERT_EQUAL(b.used->flags, 0);
	b.sused->flags = VRING_USED_F_NO_NOTIFY;
	b.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	bed_device_event(&b, 0); /* kick when avail->idx passes 0 */
	b.avail->ring[32] = 0;	 /* call when used->idx passes 0 */
	one_packet(true);
	CU_ASSERT_EQUAL(bed_calls(&b), 1);
	one_packet(false);
	CU_ASSERT_EQUAL(bed_calls(&b), 0);
	bed_device_event(&b, 2);
	b.avail->ring[32] = 2;
	one_packet(true);
	CU_ASSERT_EQUAL(bed_calls(&b), 1);
	bed_close(&b);
}

static bool
logged(const uint8_t *bitmap, uint64_t gpa)
{
	return bitmap[gpa / 4096 / 8] >> (gpa / 4096 % 8) & 1;
}

static void
test_notification_data(void)
{
	const uint64_t data = 1ULL << VIRTIO_F_NOTIFICATION_DATA;
	unsigned int i;

	bed_open_features(&b, 4, 4, F_NO_EVENT, F_NO_EVENT);
	one_packet(true);
	CU_ASSERT_EQUAL(b.notify_data, 0);
	bed_close(&b);

	/* Split: the index runs on past the ring's end. */
	bed_open_features(&b, 4, 4, F_NO_EVENT, F_NO_EVENT | data);
	for (i = 1; i <= 6; i++) {
		one_packet(true);
		CU_ASSERT_EQUAL(b.notify_data, i << 16);
	}
	bed_close(&b);

	/* Packed: the position, and the wrap counter in the highest bit. A notification for no new
	 * chain tells the same. */
	bed_open_features(&b, 4, 4, F_NO_EVENT, F_NO_EVENT | data | 1ULL << VIRTIO_F_RING_PACKED);
	for (i = 1; i <= 9; i++) {
		one_packet(true);
		CU_ASSERT_EQUAL(
			b.notify_data, (uint32_t)(i % 4) << 16 | (i / 4 % 2 ? 0 : 1u << 31));
		b.notify_data = 0;
		svq_queue_kick(b.q);
		CU_ASSERT_EQUAL(
			b.notify_data, (uint32_t)(i % 4) << 16 | (i / 4 % 2 ? 0 : 1u << 31));
	}
	bed_close(&b);
}

static void
test_dirty_log(void)
{
	static uint8_t bitmap[(BED_HIGH + BED_REGION) / 4096 / 8];
	struct svq_dirty_log log = {.base = bitmap, .size = sizeof(bitmap)};
	unsigned int i, n = 0;

	bed_open(&b, 32, 64, F_ALL);
	memset(bitmap, 0, sizeof(bitmap));
	svq_queue_set_log(b.q, &log);
	bed_desc(&b, 0, 0x1000, 100, NEXT, 1);
	bed_desc(&b, 1, 0x5800, 0x1000, NEXT | W, 2);
	bed_desc(&b, 2, BED_HIGH - 0x800, 0x1000, NEXT | W, 3);
	bed_desc(&b, 3, 0x9000, 0x1000, W, 0);
	bed_avail(&b, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 0x2000);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_FALSE(logged(bitmap, 0x1000));
	CU_ASSERT(logged(bitmap, 0x5000));
	CU_ASSERT(logged(bitmap, 0x6000));
	CU_ASSERT(logged(bitmap, BED_HIGH - 0x1000));
	CU_ASSERT(logged(bitmap, BED_HIGH));
	CU_ASSERT_FALSE(logged(bitmap, 0x9000)); /* the device wrote only 0x2000 bytes */
	CU_ASSERT(logged(bitmap, b.used_gpa));
	for (i = 0; i < sizeof(bitmap) * 8; i++)
		n += bitmap[i / 8] >> (i % 8) & 1;
	CU_ASSERT_EQUAL(n, 5);
	svq_queue_set_log(b.q, NULL);
	bed_close(&b);
}

static void
test_bad_attach(void)
{
	static const uint32_t bad[] = {0, 1, 3, 255, 257, 65535, 65536, 0x80000000};
	struct svq_queue_guest conf = {.callfd = -1};
	unsigned int i;
	struct svq_queue_conf qc = {.name = "x", .size = 3};
	struct svq_queue *q;

	bed_open(&b, 8, 8, F_ALL);
	svq_queue_detach(b.q);
	conf.desc = b.desc;
	conf.avail = b.avail;
	conf.used = b.used;
	for (i = 0; i < RTE_DIM(bad); i++) {
		conf.size = bad[i];
		CU_ASSERT_EQUAL(svq_queue_attach(b.q, &conf), -EINVAL);
	}
	conf.size = 8;
	conf.used = NULL;
	CU_ASSERT_EQUAL(svq_queue_attach(b.q, &conf), -EINVAL);
	conf.used = RTE_PTR_ADD(b.used, 1);
	CU_ASSERT_EQUAL(svq_queue_attach(b.q, &conf), -EINVAL);
	qc.dma = b.dma;
	CU_ASSERT_EQUAL(svq_queue_create(&qc, &q), -EINVAL);
	bed_close(&b);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("queue", NULL, NULL);

	autotest_add(s, "chain shapes, ring sizes", test_shapes);
	autotest_add(s, "chain too long for the shadow ring", test_too_long_for_shadow);
	autotest_add(s, "indirect tables", test_indirect);
	autotest_add(s, "region borders and aliases", test_region_borders);
	autotest_add(s, "faults of the guest's chains", test_guest_faults);
	autotest_add(s, "chains that a network device cannot use", test_net_faults);
	autotest_add(s, "faults of the guest's ring", test_ring_faults);
	autotest_add(s, "notifications", test_notifications);
	autotest_add(s, "notification data", test_notification_data);
	autotest_add(s, "dirty log", test_dirty_log);
	autotest_add(s, "attach refuses", test_bad_attach);
}

REGISTER_AUTOTEST(queue_autotest, fill)
