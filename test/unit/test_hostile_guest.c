/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <linux/virtio_config.h>

#include "autotest.h"
#include "relay_bed.h"

/*
 * What a guest may do to its rings, one by one, in either format: which counter tells of it, that
 * the queue stops and gives the device nothing of it, and that a reset mends it. Together and at
 * random: test/fuzz.
 *
 * Read-only memory is not among it: a memory table has none. Its refusal: test_gpa.c.
 */

#define SIZE   16u
#define BIT(n) (1ULL << (n))
#define F_ALL \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX))
#define NEXT	 VRING_DESC_F_NEXT
#define W	 VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT
#define AVAIL	 (1 << VRING_PACKED_DESC_F_AVAIL)
#define USED	 (1 << VRING_PACKED_DESC_F_USED)
#define TABLE	 0x20000
#define GOOD	 0x1000

static struct bed b;
static struct bed_chain chain;
static uint16_t posted; /* packed: descriptors written, in the first lap */

static void
open_bed(bool packed, bool device_packed)
{
	uint64_t format = packed ? BIT(VIRTIO_F_RING_PACKED) : 0;

	bed_open_device(&b, SIZE, 4 * SIZE, F_ALL | format, device_packed);
	posted = 0;
}

/* Descriptor @p i of the chain that is made available next. */
static void
put(unsigned int i, uint64_t gpa, uint32_t len, uint16_t flags)
{
	if (!b.packed) {
		bed_desc(&b, i, gpa, len, flags, i + 1);
		return;
	}
	((struct vring_packed_desc *)b.desc)[posted + i] = (struct vring_packed_desc){
		.addr = gpa, .len = len, .id = posted, .flags = flags | (i == 0 ? 0 : AVAIL)};
}

/* Make that chain of @p n descriptors available. */
static void
give(unsigned int n)
{
	if (!b.packed) {
		bed_avail(&b, 0);
		return;
	}
	((struct vring_packed_desc *)b.desc)[posted].flags |= AVAIL;
	posted += n;
}

static void
put_table(unsigned int i, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	struct vring_desc *d = (struct vring_desc *)bed_ptr(&b, TABLE) + i;

	*d = (struct vring_desc){.addr = gpa, .len = len, .flags = flags, .next = next};
	if (b.packed) {
		d->flags = 0; /* the id */
		d->next = flags;
	}
}

/* ---- the faults of one chain ---- */

static void
hole(void)
{
	put(0, BED_HOLE, 10, 0);
	give(1);
}

static void
into_hole(void)
{
	put(0, BED_HIGH + BED_REGION - 1, 2, W);
	give(1);
}

static void
before_region(void)
{
	put(0, BED_ALIAS - 1, 2, 0);
	give(1);
}

static void
wraps(void)
{
	put(0, UINT64_MAX - 3, 100, W);
	give(1);
}

static void
wraps_to_zero(void)
{
	put(0, UINT64_MAX, 1, 0);
	give(1);
}

static void
empty(void)
{
	put(0, GOOD, 0, 0);
	give(1);
}

static void
removed(void)
{
	svq_queue_detach(b.q);
	bed_memory(&b, BED_WITH_ALIAS);
	CU_ASSERT_EQUAL(bed_attach(&b, b.packed ? 0x8000 : 0), 0);
	put(0, BED_HIGH, 10, 0);
	give(1);
}

/* Begins in what stayed. */
static void
partly_removed(void)
{
	svq_queue_detach(b.q);
	bed_memory(&b, 0);
	CU_ASSERT_EQUAL(bed_attach(&b, b.packed ? 0x8000 : 0), 0);
	put(0, BED_HIGH - 8, 16, W);
	give(1);
}

static void
order(void)
{
	put(0, GOOD, 10, W | NEXT);
	put(1, GOOD, 10, 0);
	give(2);
}

static void
total(void)
{
	put(0, BED_LOW, BED_REGION, NEXT);
	put(1, BED_LOW, UINT32_MAX, 0);
	give(2);
}

static void
next_size(void)
{
	bed_desc(&b, 0, GOOD, 10, NEXT, SIZE);
	give(1);
}

static void
next_far(void)
{
	bed_desc(&b, 0, GOOD, 10, NEXT, UINT16_MAX);
	give(1);
}

static void
head_size(void)
{
	if (b.packed) {
		put(0, GOOD, 10, 0);
		((struct vring_packed_desc *)b.desc)[0].id = SIZE;
		give(1);
		return;
	}
	bed_avail(&b, SIZE);
}

static void
head_twice(void)
{
	put(0, GOOD, 10, 0);
	give(1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT(bed_device_take(&b, &chain));
	put(0, GOOD, 10, 0);
	if (b.packed)
		((struct vring_packed_desc *)b.desc)[posted].id = 0;
	give(1);
}

static void
avail_jumps(void)
{
	b.avail->idx = SIZE + 1;
}

static void
avail_back(void)
{
	put(0, GOOD, 10, 0);
	give(1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT(bed_device_take(&b, &chain));
	b.avail->idx = UINT16_MAX;
}

/* A lap ahead of what the device has returned. */
static void
packed_lap(void)
{
	unsigned int i;

	for (i = 0; i < SIZE; i++) {
		put(0, GOOD, 10, 0);
		give(1);
	}
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), SIZE);
	while (bed_device_take(&b, &chain))
		;
	((struct vring_packed_desc *)b.desc)[0].flags = USED;
}

static void
packed_loop(void)
{
	unsigned int i;

	for (i = 0; i < SIZE; i++)
		put(i, GOOD, 10, NEXT);
	give(SIZE);
}

static void
indirect_empty(void)
{
	put(0, TABLE, 0, INDIRECT);
	give(1);
}

static void
indirect_odd(void)
{
	put(0, TABLE, 17, INDIRECT);
	give(1);
}

static void
indirect_long(void)
{
	put(0, TABLE, 16 * (SIZE + 1), INDIRECT);
	give(1);
}

static void
indirect_huge(void)
{
	put(0, TABLE, UINT32_MAX - 15, INDIRECT);
	give(1);
}

static void
indirect_chained(void)
{
	put_table(0, GOOD, 10, 0, 0);
	put(0, TABLE, 16, INDIRECT | NEXT);
	put(1, GOOD, 10, 0);
	give(2);
}

static void
indirect_nested(void)
{
	put_table(0, GOOD, 10, NEXT, 1);
	put_table(1, TABLE, 16, INDIRECT, 0);
	put(0, TABLE, 32, INDIRECT);
	give(1);
}

static void
indirect_nowhere(void)
{
	put(0, BED_HOLE, 32, INDIRECT);
	give(1);
}

static void
indirect_ends_nowhere(void)
{
	put_table(0, GOOD, 10, NEXT, 1);
	memcpy(bed_ptr(&b, BED_HIGH + BED_REGION - 16), bed_ptr(&b, TABLE), 16);
	put(0, BED_HIGH + BED_REGION - 16, 32, INDIRECT);
	give(1);
}

static void
indirect_wraps(void)
{
	put(0, UINT64_MAX - 15, 32, INDIRECT);
	give(1);
}

static void
indirect_to_nowhere(void)
{
	put_table(0, GOOD, 10, NEXT, 1);
	put_table(1, BED_HOLE, 10, 0, 0);
	put(0, TABLE, 32, INDIRECT);
	give(1);
}

static void
indirect_next(void)
{
	put_table(0, GOOD, 10, NEXT, 2);
	put(0, TABLE, 32, INDIRECT);
	give(1);
}

enum formats {
	BOTH,
	SPLIT,
	PACKED,
};

static const struct {
	void (*spoil)(void);
	enum svq_queue_error error;
	enum formats formats;
} faults[] = {
	{hole, SVQ_QUEUE_E_ADDRESS, BOTH},
	{into_hole, SVQ_QUEUE_E_ADDRESS, BOTH},
	{before_region, SVQ_QUEUE_E_ADDRESS, BOTH},
	{wraps, SVQ_QUEUE_E_ADDRESS, BOTH},
	{wraps_to_zero, SVQ_QUEUE_E_ADDRESS, BOTH},
	{empty, SVQ_QUEUE_E_ZERO_LEN, BOTH},
	{removed, SVQ_QUEUE_E_ADDRESS, BOTH},
	{partly_removed, SVQ_QUEUE_E_ADDRESS, BOTH},
	{order, SVQ_QUEUE_E_ORDER, BOTH},
	{total, SVQ_QUEUE_E_TOTAL_LEN, BOTH},
	{next_size, SVQ_QUEUE_E_NEXT, SPLIT},
	{next_far, SVQ_QUEUE_E_NEXT, SPLIT},
	{head_size, SVQ_QUEUE_E_HEAD, BOTH},
	{head_twice, SVQ_QUEUE_E_HEAD, BOTH},
	{avail_jumps, SVQ_QUEUE_E_AVAIL_IDX, SPLIT},
	{avail_back, SVQ_QUEUE_E_AVAIL_IDX, SPLIT},
	{packed_lap, SVQ_QUEUE_E_AVAIL_IDX, PACKED},
	{packed_loop, SVQ_QUEUE_E_LOOP, PACKED},
	{indirect_empty, SVQ_QUEUE_E_INDIRECT, BOTH},
	{indirect_odd, SVQ_QUEUE_E_INDIRECT, BOTH},
	{indirect_long, SVQ_QUEUE_E_INDIRECT, BOTH},
	{indirect_huge, SVQ_QUEUE_E_INDIRECT, BOTH},
	{indirect_chained, SVQ_QUEUE_E_INDIRECT, BOTH},
	{indirect_nested, SVQ_QUEUE_E_INDIRECT, BOTH},
	{indirect_nowhere, SVQ_QUEUE_E_ADDRESS, BOTH},
	{indirect_ends_nowhere, SVQ_QUEUE_E_ADDRESS, BOTH},
	{indirect_wraps, SVQ_QUEUE_E_ADDRESS, BOTH},
	{indirect_to_nowhere, SVQ_QUEUE_E_ADDRESS, BOTH},
	{indirect_next, SVQ_QUEUE_E_NEXT, SPLIT},
};

/* The fault has been made: it is counted once, nothing of it goes on, and a reset mends it. */
static void
expect(enum svq_queue_error error)
{
	struct svq_queue_stats stats;
	unsigned int e;

	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), error);
	if (svq_queue_error(b.q) != error)
		printf("%s instead of %s\n", svq_queue_error_name(svq_queue_error(b.q)),
			svq_queue_error_name(error));
	svq_queue_stats(b.q, &stats);
	for (e = 0; e < SVQ_QUEUE_E_MAX; e++)
		CU_ASSERT_EQUAL(stats.errors[e], e == error);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_FALSE(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(b.bad_iova, 0);

	svq_queue_recall(b.q);
	bed_device_reset(&b);
	svq_queue_detach(b.q);
	memset(b.desc, 0, 16 * SIZE);
	b.avail->idx = b.avail_idx = posted = 0;
	CU_ASSERT_EQUAL(bed_attach(&b, b.packed ? 0x8000 : 0), 0);
	put(0, GOOD, 10, 0);
	give(1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT(bed_device_take(&b, &chain));
	bed_close(&b);
}

static void
test_faults(bool packed)
{
	unsigned int i;

	for (i = 0; i < 2 * RTE_DIM(faults); i++) {
		if (faults[i / 2].formats == (packed ? SPLIT : PACKED))
			continue;
		open_bed(packed, i % 2);
		faults[i / 2].spoil();
		expect(faults[i / 2].error);
	}
}

static void
test_split(void)
{
	test_faults(false);
}

static void
test_packed(void)
{
	test_faults(true);
}

/* Of every length, in the ring and in a table. */
static void
test_loops(void)
{
	unsigned int n, i;

	for (n = 1; n <= SIZE; n++) {
		open_bed(false, false);
		for (i = 0; i < n; i++)
			bed_desc(&b, i, GOOD, 10, NEXT, (i + 1) % n);
		give(1);
		expect(SVQ_QUEUE_E_LOOP);

		open_bed(false, false);
		for (i = 0; i < n; i++)
			put_table(i, GOOD, 10, NEXT, (i + 1) % n);
		put(0, TABLE, 16 * n, INDIRECT);
		give(1);
		expect(SVQ_QUEUE_E_LOOP);
	}
}

/* Event fields may hold anything: calls come or do not. */
static void
test_event(bool packed)
{
	static const uint16_t odd[] = {SIZE, SIZE + 1, 0x7fff, 0x8000 | SIZE, UINT16_MAX};
	unsigned int i;

	for (i = 0; i < RTE_DIM(odd); i++) {
		open_bed(packed, packed);
		if (packed) {
			struct vring_packed_desc_event *e = (void *)b.avail;

			e->off_wrap = odd[i];
			e->flags = i % 2 ? VRING_PACKED_EVENT_FLAG_DESC : UINT16_MAX;
		} else {
			b.avail->ring[SIZE] = odd[i];
		}
		put(0, GOOD, 10, 0);
		give(1);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
		CU_ASSERT(bed_device_take(&b, &chain));
		bed_device_return(&b, chain.head, 0);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_OK);
		bed_close(&b);
	}
}

static void
test_events(void)
{
	test_event(false);
	test_event(true);
}

/* The used ring is the guest's: that it does not look costs nobody anything. */
static void
test_never_reaped(void)
{
	unsigned int i;

	open_bed(false, false);
	for (i = 0; i < 100 * SIZE; i++) {
		put(0, GOOD, 10, 0);
		give(1);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
		CU_ASSERT(bed_device_take(&b, &chain));
		bed_device_return(&b, chain.head, 0);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	}
	CU_ASSERT_EQUAL(b.used->idx, 100 * SIZE);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_OK);
	bed_close(&b);
}

/* ---- changes while the relay reads ---- */

static atomic_bool over;

/* Another core of the guest: address, length, flags and id of what is being read. */
static void *
change(void *arg)
{
	static const uint64_t gpa[] = {GOOD, BED_HOLE, UINT64_MAX, BED_HIGH - 4, TABLE};
	static const uint32_t len[] = {10, 0, UINT32_MAX, 16, 32};
	volatile struct vring_desc *d = arg, *t = bed_ptr(&b, TABLE);
	unsigned int i;

	for (i = 0; !atomic_load_explicit(&over, memory_order_relaxed); i++) {
		d->addr = t->addr = gpa[i % 5];
		d->len = t->len = len[i / 5 % 5];
		/* NEXT, WRITE and INDIRECT by turns; packed: behind an id, and with an owner. */
		d->flags = t->flags = b.packed ? i % (SIZE + 1) : i / 3 % 8;
		d->next = t->next = b.packed ? i / 3 % 8 | (i % 8 ? AVAIL : USED) : i % (SIZE + 1);
	}
	return NULL;
}

static void
test_race(bool packed, bool device_packed)
{
	unsigned int i, faults_seen = 0;
	pthread_t thread;

	open_bed(packed, device_packed);
	atomic_store(&over, false);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, change, b.desc), 0);
	for (i = 0; i < 20000 || (faults_seen == 0 && i < 100000); i++) {
		b.avail->idx = ++b.avail_idx;
		svq_queue_avail(b.q);
		/* On a busy machine the other thread may have no core of its own. */
		if (i % 64 == 0)
			sched_yield();
		while (bed_device_take(&b, &chain))
			bed_device_return(&b, chain.head, chain.writable);
		svq_queue_used(b.q);
		/* Only the first descriptor changes: a packed ring goes no further than past it. */
		if (svq_queue_error(b.q) == SVQ_QUEUE_OK &&
			(!packed || svq_queue_base(b.q) == 0x8000))
			continue;
		CU_ASSERT(svq_queue_error(b.q) < SVQ_QUEUE_E_USED_IDX);
		faults_seen += svq_queue_error(b.q) != SVQ_QUEUE_OK;
		svq_queue_recall(b.q);
		bed_device_reset(&b);
		svq_queue_detach(b.q);
		b.avail->idx = b.avail_idx = 0;
		CU_ASSERT_EQUAL(bed_attach(&b, b.packed ? 0x8000 : 0), 0);
	}
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(b.bad_iova, 0);
	CU_ASSERT(faults_seen > 0);
	bed_close(&b);
}

static void
test_races(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		test_race(i & 1, i & 2);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("hostile guest", NULL, NULL);

	autotest_add(s, "one by one, split", test_split);
	autotest_add(s, "one by one, packed", test_packed);
	autotest_add(s, "loops of every length", test_loops);
	autotest_add(s, "event fields out of range", test_events);
	autotest_add(s, "used entries are never taken", test_never_reaped);
	autotest_add(s, "memory changes while it is read", test_races);
}

REGISTER_AUTOTEST(hostile_guest_autotest, fill)
