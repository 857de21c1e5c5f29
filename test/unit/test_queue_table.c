/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Chains that the device has as indirect tables of the relay's. The bed's device checks that a
 * table may only be read, holds no more descriptors than the ring, and is laid out as its format
 * wants.
 */

#include <stdlib.h>
#include <string.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "relay_bed.h"

#define V1	 (1ULL << VIRTIO_F_VERSION_1)
#define INDIRECT (1ULL << VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED	 (1ULL << VIRTIO_F_RING_PACKED)
#define W	 VRING_DESC_F_WRITE
#define NEXT	 VRING_DESC_F_NEXT
#define TABLE	 0x100000

static struct bed b;
static struct bed_chain chain;
static struct vring_used_elem elem;

static struct svq_queue_stats
stats(void)
{
	struct svq_queue_stats s;

	svq_queue_stats(b.q, &s);
	return s;
}

/* The guest makes a table of @p n buffers of 64 bytes available as descriptor @p head. */
static void
put_table(uint16_t head, unsigned int n, uint16_t flags)
{
	uint64_t gpa = TABLE + 0x1000 * (head % 64);
	struct vring_desc *table = bed_ptr(&b, gpa);
	unsigned int i;

	for (i = 0; i < n; i++)
		table[i] = (struct vring_desc){.addr = 0x1000 + 0x100 * i,
			.len = 64,
			.flags = flags | (i + 1 < n ? NEXT : 0),
			.next = i + 1};
	bed_desc(&b, head, gpa, 16 * n, VRING_DESC_F_INDIRECT, 0);
	bed_avail(&b, head);
}

/* A direct chain of @p n buffers from descriptor @p head on. */
static void
put_direct(uint16_t head, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		bed_desc(&b, head + i, 0x1000 + 0x100 * i, 64, i + 1 < n ? NEXT : 0, head + i + 1);
	bed_avail(&b, head);
}

static void
take(unsigned int n, unsigned int tables)
{
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.n, n);
	CU_ASSERT_EQUAL(chain.tables, tables);
	CU_ASSERT_EQUAL(b.bad_iova, 0);
}

static void
give_back(uint32_t len, uint16_t head)
{
	bed_device_return(&b, chain.head, len);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_FATAL(bed_reap(&b, &elem));
	CU_ASSERT_EQUAL(elem.id, head);
	CU_ASSERT_EQUAL(elem.len, len);
}

static void
test_one_slot(void)
{
	static const uint64_t formats[] = {0, PACKED};
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(formats); i++) {
		bed_open_features(&b, 16, 16, V1 | INDIRECT, V1 | INDIRECT | formats[i]);
		/* As many tables as the ring has descriptors. */
		for (k = 0; k < 16; k++)
			put_table(k, 16, k % 2 ? W : 0);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 4);
		while (svq_queue_avail(b.q) != 0)
			;
		CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 16);
		CU_ASSERT_EQUAL(stats().shadow_indirect, 16);
		CU_ASSERT_EQUAL(stats().stalls, 0);
		for (k = 0; k < 16; k++) {
			take(16, 1);
			CU_ASSERT_EQUAL(chain.writable, k % 2 ? 1024 : 0);
			give_back(k % 2 ? 1000 : 0, k);
		}
		bed_close(&b);

		bed_open_features(&b, 16, 16, V1 | INDIRECT, V1 | formats[i]);
		put_table(3, 5, 0);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
		take(5, 0);
		give_back(0, 3);
		CU_ASSERT_EQUAL(stats().shadow_indirect, 0);
		bed_close(&b);
	}
}

/* Buffers that cross regions, read where the table says; and one direct chain that grows. */
static void
test_splits(void)
{
	bed_open_features(&b, 8, 8, V1 | INDIRECT, V1 | INDIRECT);
	put_table(0, 4, W);
	((struct vring_desc *)bed_ptr(&b, TABLE))[1].addr = BED_HIGH - 16;
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	take(5, 1);
	CU_ASSERT_EQUAL(chain.desc[1].len, 16);
	CU_ASSERT_EQUAL(chain.desc[2].len, 48);
	CU_ASSERT_PTR_EQUAL((void *)(uintptr_t)chain.desc[2].addr, bed_ptr(&b, BED_HIGH));
	CU_ASSERT(svq_queue_inflight_overlaps(b.q, BED_HIGH, 4096));
	CU_ASSERT(svq_queue_inflight_overlaps(b.q, 0x1300, 1));
	CU_ASSERT_FALSE(svq_queue_inflight_overlaps(b.q, 0x1340, 0x100));
	give_back(256, 0);

	/* The guest's ids stay the device's: the chain takes one slot, as at the guest. */
	bed_desc(&b, 5, BED_HIGH - 16, 64, 0, 0);
	bed_avail(&b, 5);
	put_direct(0, 3);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	take(2, 1);
	CU_ASSERT_EQUAL(chain.head, 5);
	give_back(0, 5);
	take(3, 0);
	CU_ASSERT_EQUAL(chain.head, 0);
	give_back(0, 0);
	CU_ASSERT_EQUAL(stats().shadow_indirect, 2);
	CU_ASSERT_EQUAL(stats().splits, 2);
	bed_close(&b);
}

/* A slot that had a table and is inside of another chain now: its buffers of then are not in
 * flight. */
static void
test_table_of_old(void)
{
	bed_open_features(&b, 8, 8, V1 | INDIRECT, V1 | INDIRECT);
	put_table(1, 4, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT(svq_queue_inflight_overlaps(b.q, 0x1000, 0x400));
	take(4, 1);
	give_back(0, 1);
	put_direct(0, 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	take(1, 0);
	give_back(0, 0);
	bed_desc(&b, 2, 0x8000, 64, NEXT, 1);
	bed_desc(&b, 1, 0x8100, 64, 0, 0);
	bed_avail(&b, 2);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT(svq_queue_inflight_overlaps(b.q, 0x8100, 1));
	CU_ASSERT_FALSE(svq_queue_inflight_overlaps(b.q, 0x1000, 0x400));
	take(2, 0);
	give_back(0, 2);
	bed_close(&b);
}

/* A chain that finds too few free slots goes as a table; without tables left it waits. */
static void
test_room(void)
{
	unsigned int i;

	bed_open_features(&b, 32, 4, V1 | INDIRECT, V1 | INDIRECT);
	for (i = 0; i < 3; i++)
		put_direct(4 * i, 3);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	CU_ASSERT_EQUAL(stats().stalls, 1);
	take(3, 0);
	take(3, 1);
	bed_device_return(&b, chain.head, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	take(3, 1);
	/* Longer than the ring: such a chain the device need not take, as a table or not (virtio
	 * 1.2, 2.7.5.3.1). */
	put_table(20, 5, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_TOO_LONG);
	bed_close(&b);
}

/* Long tables are few; with none left there are slots, as many as the chain has buffers. */
static void
test_fall_back(void)
{
	unsigned int i, tabled = 0;

	bed_open_features(&b, 64, 256, V1 | INDIRECT, V1 | INDIRECT);
	for (i = 0; i < 6; i++)
		put_table(i, i < 5 ? 33 + i : 32, 0);
	while (svq_queue_avail(b.q) != 0)
		;
	for (i = 0; i < 6; i++) {
		take(i < 5 ? 33 + i : 32, i != 4);
		give_back(0, i);
	}
	for (i = 0; i < 4; i++)
		put_table(i, 64, 0);
	while (svq_queue_avail(b.q) != 0)
		;
	for (i = 0; i < 4; i++) {
		take(64, 1);
		give_back(0, i);
	}
	bed_close(&b);

	/* Of so large a ring none is long. */
	bed_open_features(&b, 64, 32768, V1 | INDIRECT, V1 | INDIRECT);
	put_table(0, 33, 0);
	put_table(1, 32, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	take(33, 0);
	take(32, 1);
	bed_close(&b);

	bed_open_features(&b, 2048, 2048, V1 | INDIRECT, V1 | INDIRECT);
	for (i = 0; i < 600; i++)
		put_table(i, 2, 0);
	while (svq_queue_avail(b.q) != 0)
		;
	CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 600);
	CU_ASSERT_EQUAL(stats().shadow_indirect, 512);
	for (i = 0; i < 600; i++) {
		CU_ASSERT_FATAL(bed_device_take(&b, &chain));
		tabled += chain.tables;
		give_back(0, i);
	}
	CU_ASSERT_EQUAL(tabled, 512);
	/* And all tables are there again. */
	for (i = 0; i < 512; i++)
		put_table(i, 2, 0);
	while (svq_queue_avail(b.q) != 0)
		;
	CU_ASSERT_EQUAL(stats().shadow_indirect, 1024);
	bed_close(&b);
}

static void
test_log_and_recall(void)
{
	uint8_t bitmap[BED_REGION * 2 / 4096 / 8 + 1] = {0};
	struct svq_dirty_log log = {.base = bitmap, .size = sizeof(bitmap)};

	bed_open_features(&b, 8, 8, V1 | INDIRECT, V1 | INDIRECT);
	put_table(0, 4, W);
	((struct vring_desc *)bed_ptr(&b, TABLE))[2].addr = 0x40000;
	((struct vring_desc *)bed_ptr(&b, TABLE))[3].addr = 0x50000;
	put_table(1, 3, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	take(4, 1);
	svq_queue_set_log(b.q, &log);
	give_back(64 + 64 + 1, 0);
	svq_queue_set_log(b.q, NULL);
	CU_ASSERT(bitmap[0] & 1 << 1);
	CU_ASSERT(bitmap[0x40 / 8] & 1);
	CU_ASSERT_FALSE(bitmap[0x50 / 8] & 1);

	CU_ASSERT_EQUAL(svq_queue_recall(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_base(b.q), 1);
	bed_device_reset(&b);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	take(3, 1);
	give_back(0, 1);
	bed_close(&b);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("shadow indirect tables", NULL, NULL);

	autotest_add(s, "slot that had a table", test_table_of_old);
	autotest_add(s, "one slot a table", test_one_slot);
	autotest_add(s, "buffers across regions", test_splits);
	autotest_add(s, "room in the ring", test_room);
	autotest_add(s, "slots instead of a table", test_fall_back);
	autotest_add(s, "dirty log and recall", test_log_and_recall);
}

REGISTER_AUTOTEST(queue_table_autotest, fill)
