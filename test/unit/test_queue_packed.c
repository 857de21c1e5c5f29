/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>

#include "autotest.h"
#include "relay_bed.h"

/* Packed rings: faults, events and log. Its traffic: test_queue_random.c.
 */

#define F_PACKED                                                         \
	((1ULL << VIRTIO_F_VERSION_1) | (1ULL << VIRTIO_F_RING_PACKED) | \
		(1ULL << VIRTIO_RING_F_INDIRECT_DESC) | (1ULL << VIRTIO_RING_F_EVENT_IDX))
#define SIZE  8
#define AVAIL (1 << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1 << VRING_PACKED_DESC_F_USED)

static struct bed b;
static struct bed_chain chain;

static struct vring_packed_desc *
ring(unsigned int i)
{
	return (struct vring_packed_desc *)b.desc + i;
}

static struct vring_packed_desc_event *
driver_event(void)
{
	return (struct vring_packed_desc_event *)b.avail;
}

/* In the ring's first lap: the driver's wrap counter is 1. */
static void
put(unsigned int i, uint64_t gpa, uint32_t len, uint16_t id, uint16_t flags)
{
	*ring(i) = (struct vring_packed_desc){
		.addr = gpa, .len = len, .id = id, .flags = flags | AVAIL};
}

static void
open_bed(void)
{
	bed_open(&b, SIZE, 64, F_PACKED);
}

/* What lies at 0 is at fault: nothing reaches the device, the queue stops. */
static void
expect(enum svq_queue_error error)
{
	struct svq_queue_stats stats;

	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), error);
	svq_queue_stats(b.q, &stats);
	CU_ASSERT_EQUAL(stats.errors[error], 1);
	CU_ASSERT_FALSE(bed_device_take(&b, &chain));
	bed_close(&b);
	open_bed();
}

static void
put_table(uint64_t gpa, unsigned int n, uint16_t flags)
{
	struct vring_packed_desc *table = bed_ptr(&b, gpa);
	unsigned int i;

	for (i = 0; i < n; i++)
		table[i] = (struct vring_packed_desc){
			.addr = 0x1000, .len = 10, .flags = i + 1 == n ? flags : 0};
}

static void
test_faults(void)
{
	unsigned int i;

	open_bed();
	put(0, 0x1000, 10, SIZE, 0);
	expect(SVQ_QUEUE_E_HEAD);
	put(0, BED_HOLE, 10, 0, 0);
	expect(SVQ_QUEUE_E_ADDRESS);
	put(0, 0x1000, 0, 0, 0);
	expect(SVQ_QUEUE_E_ZERO_LEN);
	put(0, 0x1000, 10, 0, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE);
	put(1, 0x1000, 10, 0, 0);
	expect(SVQ_QUEUE_E_ORDER);
	for (i = 0; i < SIZE; i++)
		put(i, 0x1000, 10, 0, VRING_DESC_F_NEXT);
	expect(SVQ_QUEUE_E_LOOP);
	for (i = 0; i < 2; i++)
		put(i, 0x1000, 0x80000000, 0, i == 0 ? VRING_DESC_F_NEXT : 0);
	expect(SVQ_QUEUE_E_TOTAL_LEN);

	put(0, 0x20000, 17, 0, VRING_DESC_F_INDIRECT);
	expect(SVQ_QUEUE_E_INDIRECT);
	put(0, 0x20000, 0, 0, VRING_DESC_F_INDIRECT);
	expect(SVQ_QUEUE_E_INDIRECT);
	put(0, 0x20000, 16 * (SIZE + 1), 0, VRING_DESC_F_INDIRECT);
	expect(SVQ_QUEUE_E_INDIRECT);
	put(0, 0x20000, 16, 0, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT);
	expect(SVQ_QUEUE_E_INDIRECT);
	put(0, BED_HOLE, 16, 0, VRING_DESC_F_INDIRECT);
	expect(SVQ_QUEUE_E_ADDRESS);
	put_table(0x20000, 2, VRING_DESC_F_INDIRECT);
	put(0, 0x20000, 32, 0, VRING_DESC_F_INDIRECT);
	expect(SVQ_QUEUE_E_INDIRECT);
	put(0, 0x1000, 10, 0, VRING_DESC_F_NEXT);
	put(1, 0x20000, 16, 0, VRING_DESC_F_INDIRECT);
	expect(SVQ_QUEUE_E_INDIRECT);
	bed_close(&b);
}

/* One good chain, then what the driver must not do while it is in flight. */
static void
test_faults_in_flight(void)
{
	unsigned int i;

	open_bed();
	put(0, 0x1000, 10, 3, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	put(1, 0x1000, 10, 3, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_HEAD);
	bed_close(&b);

	/* The same id twice in one burst. */
	open_bed();
	put(0, 0x1000, 10, 3, 0);
	put(1, 0x1000, 10, 3, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_HEAD);
	bed_close(&b);

	/* More available than the ring holds: a full lap, and the first place again. */
	open_bed();
	for (i = 0; i < SIZE; i++)
		put(i, 0x1000, 10, i, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), SIZE);
	ring(0)->flags = USED;
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_AVAIL_IDX);
	bed_close(&b);

	/* A base beyond the ring. */
	open_bed();
	svq_queue_detach(b.q);
	CU_ASSERT_EQUAL(bed_attach(&b, SIZE), -EINVAL);
	CU_ASSERT_EQUAL(bed_attach(&b, 0x8000 | (SIZE - 1)), 0);
	CU_ASSERT_EQUAL(svq_queue_base(b.q), 0x8000 | (SIZE - 1));
	bed_close(&b);
}

/* A chain waits for room in the shadow ring; its id is free to come again. */
static void
test_stall(void)
{
	unsigned int i;

	bed_open(&b, 8, 4, F_PACKED);
	for (i = 0; i < 4; i++)
		put(i, 0x1000, 10, i, i % 2 == 0 ? VRING_DESC_F_NEXT : 0);
	for (i = 4; i < 7; i++)
		put(i, 0x1000, 10, i, i < 6 ? VRING_DESC_F_NEXT : 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_OK);
	for (i = 0; i < 2; i++) {
		CU_ASSERT_FATAL(bed_device_take(&b, &chain));
		bed_device_return(&b, chain.head, 0);
	}
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 2);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.n, 3);
	bed_close(&b);
}

/* One chain at @p at goes there and back. */
static void
one(unsigned int at, uint32_t written)
{
	put(at, 0x1000, 10, at, written != 0 ? VRING_DESC_F_WRITE : 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, written);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_EQUAL(ring(at)->id, at);
	CU_ASSERT_EQUAL(ring(at)->len, written);
	CU_ASSERT_EQUAL(ring(at)->flags & (AVAIL | USED), AVAIL | USED);
}

static void
test_events(void)
{
	open_bed();
	CU_ASSERT_EQUAL(
		((struct vring_packed_desc_event *)b.used)->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
	driver_event()->flags = VRING_PACKED_EVENT_FLAG_ENABLE;
	one(0, 0);
	CU_ASSERT_EQUAL(bed_calls(&b), 1);
	driver_event()->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	one(1, 0);
	CU_ASSERT_EQUAL(bed_calls(&b), 0);
	/* When descriptor 3 of this lap is used. */
	driver_event()->flags = VRING_PACKED_EVENT_FLAG_DESC;
	driver_event()->off_wrap = 3 | 1 << VRING_PACKED_EVENT_F_WRAP_CTR;
	one(2, 0);
	CU_ASSERT_EQUAL(bed_calls(&b), 0);
	one(3, 0);
	CU_ASSERT_EQUAL(bed_calls(&b), 1);
	/* Of the next lap: not yet. */
	driver_event()->off_wrap = 4;
	one(4, 0);
	CU_ASSERT_EQUAL(bed_calls(&b), 0);
	/* Whoever serves the ring next is kicked for descriptor 5 of this lap. */
	svq_queue_detach(b.q);
	CU_ASSERT_EQUAL(
		((struct vring_packed_desc_event *)b.used)->flags, VRING_PACKED_EVENT_FLAG_DESC);
	CU_ASSERT_EQUAL(((struct vring_packed_desc_event *)b.used)->off_wrap,
		5 | 1 << VRING_PACKED_EVENT_F_WRAP_CTR);
	bed_close(&b);
}

static void
test_log(void)
{
	static uint8_t bitmap[(BED_HIGH + BED_REGION) / 4096 / 8];
	struct svq_dirty_log log = {.base = bitmap, .size = sizeof(bitmap)};
	uint64_t page;

	open_bed();
	memset(bitmap, 0, sizeof(bitmap));
	svq_queue_set_log(b.q, &log);
	one(0, 5);
	svq_queue_set_log(b.q, NULL);
	/* The buffer, and the ring itself, into which the used entry was written. */
	for (page = 0; page < sizeof(bitmap) * 8; page++)
		CU_ASSERT_EQUAL(!!(bitmap[page / 8] & 1 << page % 8),
			page == 0x1000 / 4096 || page == b.desc_gpa / 4096);
	bed_close(&b);
}

/* What a packed device returns instead of the one chain that is in flight. */
static void
device_fault(uint32_t id, uint32_t len, enum svq_queue_error error)
{
	bed_open_device(&b, SIZE, 16, F_PACKED, true);
	put(0, 0x1000, 10, 0, VRING_DESC_F_WRITE);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, id, len);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), error);
	bed_device_reset(&b);
	CU_ASSERT_EQUAL(svq_queue_recall(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	bed_close(&b);
}

static void
test_device_faults(void)
{
	device_fault(1, 0, SVQ_QUEUE_E_USED_ID);
	device_fault(16, 0, SVQ_QUEUE_E_USED_ID);
	device_fault(UINT16_MAX, 0, SVQ_QUEUE_E_USED_ID);
	device_fault(0, 11, SVQ_QUEUE_E_USED_LEN);

	/* The same id twice. */
	bed_open_device(&b, SIZE, 16, F_PACKED, true);
	put(0, 0x1000, 10, 0, 0);
	put(1, 0x1000, 10, 1, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 0);
	bed_device_return(&b, chain.head, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_USED_ID);
	bed_close(&b);

	/* A used entry with nothing in flight. */
	bed_open_device(&b, SIZE, 16, F_PACKED, true);
	bed_device_return(&b, 0, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_USED_IDX);
	bed_close(&b);
}

/* A device that says the length and not that it wrote; a length that cannot be is none. */
static void
unflagged(uint16_t flags, uint32_t len, uint32_t expected)
{
	bed_open_device(&b, SIZE, 16, F_PACKED, true);
	put(0, 0x1000, 10, 0, flags);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, len);
	((struct vring_packed_desc *)b.sdesc)->flags &= ~VRING_DESC_F_WRITE;
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_EQUAL(ring(0)->len, expected);
	CU_ASSERT_EQUAL(!!(ring(0)->flags & VRING_DESC_F_WRITE), expected != 0);
	bed_close(&b);
}

static void
test_unflagged(void)
{
	unflagged(VRING_DESC_F_WRITE, 10, 10);
	unflagged(VRING_DESC_F_WRITE, 11, 0);
	unflagged(0, 4711, 0);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("packed rings", NULL, NULL);

	autotest_add(s, "faults", test_faults);
	autotest_add(s, "faults while in flight", test_faults_in_flight);
	autotest_add(s, "chain waits for the shadow ring", test_stall);
	autotest_add(s, "events", test_events);
	autotest_add(s, "dirty log", test_log);
	autotest_add(s, "faults of a packed device", test_device_faults);
	autotest_add(s, "used lengths of a packed device", test_unflagged);
}

REGISTER_AUTOTEST(queue_packed_autotest, fill)
