/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * VIRTIO_F_IN_ORDER on either side: chains that are held back, and used entries that stand for
 * several. The bed's device checks that the relay uses its descriptors in order, too.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "relay_bed.h"

#define BIT(n)	 (1ULL << (n))
#define V1	 BIT(VIRTIO_F_VERSION_1)
#define IN_ORDER BIT(VIRTIO_F_IN_ORDER)
#define PACKED	 BIT(VIRTIO_F_RING_PACKED)
#define SIZE	 8
#define MANY	 128

static const uint64_t formats[] = {0, PACKED};

static struct bed b;
static struct bed_chain chain[SIZE];
static struct vring_used_elem elem;
static struct svq_queue_stats stats;

/* The guest's buffers 0 to n-1, one descriptor of 100 bytes each, all at the device. */
static void
at_device(uint64_t guest, uint64_t device, unsigned int n)
{
	unsigned int i;

	bed_open_features(&b, SIZE, SIZE, V1 | guest, V1 | device);
	for (i = 0; i < n; i++) {
		bed_desc(&b, i, 0x1000 * (i + 1), 100, VRING_DESC_F_WRITE, 0);
		bed_avail(&b, i);
	}
	CU_ASSERT_EQUAL_FATAL(svq_queue_avail(b.q), n);
	for (i = 0; i < n; i++)
		CU_ASSERT_FATAL(bed_device_take(&b, &chain[i]));
}

static void
returned(uint16_t id, uint32_t len)
{
	CU_ASSERT_FATAL(bed_reap(&b, &elem));
	CU_ASSERT_EQUAL(elem.id, id);
	CU_ASSERT_EQUAL(elem.len, len);
}

static void
test_held_back(void)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(formats); i++) {
		at_device(IN_ORDER, formats[i], 4);
		bed_device_return(&b, chain[2].head, 12);
		bed_device_return(&b, chain[1].head, 11);
		/* Taken from the device, and not returned. */
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 2);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 0);
		CU_ASSERT_FALSE(bed_reap(&b, &elem));
		CU_ASSERT_EQUAL(bed_calls(&b), 0);
		CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 4);
		svq_queue_stats(b.q, &stats);
		CU_ASSERT_EQUAL(stats.held_back, 2);
		/* The device is done with these, but for what it still has. */
		CU_ASSERT(svq_queue_inflight_overlaps(b.q, 0x1000, 0x1000));
		CU_ASSERT_FALSE(svq_queue_inflight_overlaps(b.q, 0x2000, 0x2000));
		CU_ASSERT(svq_queue_inflight_overlaps(b.q, 0x4000, 0x1000));
		bed_device_return(&b, chain[0].head, 10);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		CU_ASSERT_EQUAL(bed_calls(&b), 1);
		returned(0, 10);
		returned(1, 11);
		returned(2, 12);
		CU_ASSERT_FALSE(bed_reap(&b, &elem));
		bed_device_return(&b, chain[3].head, 13);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		returned(3, 13);
		bed_close(&b);
	}
}

/* What is held back is available again, once, like what the device did not complete. */
static void
test_held_recalled(void)
{
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(formats); i++) {
		at_device(IN_ORDER, formats[i], 4);
		bed_device_return(&b, chain[0].head, 10);
		bed_device_return(&b, chain[2].head, 12);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 2);
		returned(0, 10);
		CU_ASSERT_EQUAL(svq_queue_recall(b.q), 3);
		CU_ASSERT_EQUAL(svq_queue_base(b.q), 1);
		bed_device_reset(&b);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 3);
		for (k = 1; k < 4; k++) {
			CU_ASSERT_FATAL(bed_device_take(&b, &chain[k]));
			bed_device_return(&b, chain[k].head, 10 + k);
			CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
			returned(k, 10 + k);
		}
		bed_close(&b);
	}
}

static void
expect_fault(enum svq_queue_error error)
{
	CU_ASSERT_EQUAL(svq_queue_error(b.q), error);
	bed_close(&b);
}

static void
test_held_faults(void)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(formats); i++) {
		/* The same id once more. */
		at_device(IN_ORDER, formats[i], 4);
		bed_device_return(&b, chain[1].head, 11);
		bed_device_return(&b, chain[1].head, 11);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		expect_fault(SVQ_QUEUE_E_USED_ID);

		/* Likewise, by the way of those that come in order. */
		at_device(IN_ORDER, formats[i], 4);
		bed_device_return(&b, chain[1].head, 11);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		bed_device_return(&b, chain[0].head, 10);
		bed_device_return(&b, chain[1].head, 11);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		returned(0, 10);
		returned(1, 11);
		CU_ASSERT_FALSE(bed_reap(&b, &elem));
		expect_fault(SVQ_QUEUE_E_USED_ID);

		/* More than the device has: one of the two in flight is held back. */
		at_device(IN_ORDER, formats[i], 2);
		bed_device_return(&b, chain[1].head, 11);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		bed_device_return(&b, chain[0].head, 10);
		if (formats[i] == 0) {
			b.sused->idx++;
			CU_ASSERT_EQUAL(svq_queue_used(b.q), 0);
			CU_ASSERT_FALSE(bed_reap(&b, &elem));
			expect_fault(SVQ_QUEUE_E_USED_IDX);
			continue;
		}
		bed_device_return(&b, chain[0].head, 10);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		returned(0, 10);
		returned(1, 11);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 0);
		expect_fault(SVQ_QUEUE_E_USED_IDX);
	}
}

/* One entry of the device for several chains; the guest has one for each. */
static void
test_batch(void)
{
	uint8_t bitmap[BED_REGION * 2 / 4096 / 8 + 1];
	struct svq_dirty_log log = {.base = bitmap, .size = sizeof(bitmap)};
	unsigned int i, k, page;
	uint16_t ids[SIZE];

	for (i = 0; i < 4; i++) {
		memset(bitmap, 0, sizeof(bitmap));
		at_device(i / 2 ? IN_ORDER : 0, IN_ORDER | formats[i % 2], 6);
		svq_queue_set_log(b.q, &log);
		for (k = 0; k < 6; k++)
			ids[k] = chain[k].head;
		bed_device_return_batch(&b, ids, 4, 7);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 4);
		svq_queue_set_log(b.q, NULL);
		/* Those that were skipped are written throughout, for all that one knows. */
		for (k = 0; k < 4; k++)
			returned(k, k < 3 ? 100 : 7);
		for (page = 1; page <= 6; page++)
			CU_ASSERT_EQUAL(!!(bitmap[page / 8] & 1 << page % 8), page <= 4);
		bed_device_return_batch(&b, ids + 4, 1, 5);
		bed_device_return_batch(&b, ids + 5, 1, 6);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 2);
		returned(4, 5);
		returned(5, 6);
		CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 0);
		bed_close(&b);
	}
}

/* An entry for more chains than the index says; an id that is used already. */
static void
test_batch_faults(void)
{
	unsigned int i;

	at_device(0, IN_ORDER, 4);
	bed_device_return_batch(&b, &chain[3].head, 1, 0);
	b.sused->idx = 2;
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	expect_fault(SVQ_QUEUE_E_USED_ID);

	for (i = 0; i < RTE_DIM(formats); i++) {
		uint16_t ids[] = {chain[0].head, chain[1].head};

		at_device(0, IN_ORDER | formats[i], 4);
		ids[0] = chain[0].head;
		ids[1] = chain[1].head;
		bed_device_return_batch(&b, ids, 2, 0);
		bed_device_return_batch(&b, ids, 1, 0);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 2);
		CU_ASSERT_EQUAL(bed_reap(&b, &elem) + bed_reap(&b, &elem), 2);
		expect_fault(SVQ_QUEUE_E_USED_ID);
	}
}

/* Of what a guest sent in order it gets one used entry a burst, for the last chain. */
static void
test_sent_batch(void)
{
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(formats); i++) {
		bed_open_conf(&b,
			&(struct bed_conf){.guest_size = SIZE,
				.device_size = SIZE,
				.guest_features = V1 | IN_ORDER,
				.device_features = V1 | formats[i],
				.qid = 1,
				.net_header = 12});
		/* The second has two descriptors, and the device completes it first. */
		for (k = 0; k < 5; k++)
			bed_desc(&b, k, 0x1000, 100, k == 1 ? VRING_DESC_F_NEXT : 0, k + 1);
		for (k = 0; k < 5; k++) {
			if (k != 2)
				bed_avail(&b, k);
		}
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 4);
		for (k = 0; k < 4; k++)
			CU_ASSERT_FATAL(bed_device_take(&b, &chain[k]));
		memset(b.used->ring, 0xff, 8 * sizeof(b.used->ring[0]));
		bed_device_return(&b, chain[1].head, 0);
		bed_device_return(&b, chain[0].head, 0);
		bed_device_return(&b, chain[2].head, 0);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 3);
		CU_ASSERT_EQUAL(b.used->idx, 3);
		CU_ASSERT_EQUAL(b.used->ring[0].id, 3);
		CU_ASSERT_EQUAL(b.used->ring[0].len, 0);
		CU_ASSERT_EQUAL(b.used->ring[1].id, UINT32_MAX);
		CU_ASSERT_EQUAL(b.used->ring[2].id, UINT32_MAX);
		/* The next entry stands where that of the fourth chain would. */
		bed_device_return(&b, chain[3].head, 0);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
		CU_ASSERT_EQUAL(b.used->idx, 4);
		CU_ASSERT_EQUAL(b.used->ring[3].id, 4);
		CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 0);
		bed_close(&b);
	}
}

/* The next guest may have no such order, while the device was not reset. Found by test/fuzz. */
static void
test_sent_batch_no_more(void)
{
	unsigned int k;

	bed_open_conf(&b,
		&(struct bed_conf){.guest_size = SIZE,
			.device_size = SIZE,
			.guest_features = V1 | IN_ORDER,
			.device_features = V1 | IN_ORDER,
			.qid = 1,
			.net_header = 12});
	bed_device_reset(&b);
	CU_ASSERT_EQUAL(svq_queue_recall(b.q), 0);
	svq_queue_detach(b.q);
	b.features = V1;
	CU_ASSERT_EQUAL_FATAL(bed_attach(&b, 0), 0);
	for (k = 0; k < 2; k++) {
		bed_desc(&b, k, 0x1000, 100, 0, 0);
		bed_avail(&b, k);
	}
	CU_ASSERT_EQUAL_FATAL(svq_queue_avail(b.q), 2);
	for (k = 0; k < 2; k++) {
		CU_ASSERT_FATAL(bed_device_take(&b, &chain[k]));
		bed_device_return(&b, chain[k].head, 0);
	}
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 2);
	returned(0, 0);
	returned(1, 0);
	bed_close(&b);
}

static void
test_attach(void)
{
	at_device(IN_ORDER, 0, 2);
	svq_queue_detach(b.q);
	b.features = V1;
	CU_ASSERT_EQUAL(bed_attach(&b, 0), -EINVAL);
	b.features = V1 | IN_ORDER;
	CU_ASSERT_EQUAL(bed_attach(&b, 0), 0);
	bed_device_return(&b, chain[1].head, 11);
	bed_device_return(&b, chain[0].head, 10);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 2);
	returned(0, 10);
	returned(1, 11);
	/* With nothing in flight the order may change. */
	svq_queue_detach(b.q);
	b.features = V1;
	CU_ASSERT_EQUAL(bed_attach(&b, 2), 0);
	bed_close(&b);
}

/* The device expects the descriptor behind the last one: it was not reset. */
static void
test_attach_idle(void)
{
	unsigned int i;

	at_device(0, IN_ORDER, 3);
	for (i = 0; i < 3; i++)
		bed_device_return(&b, chain[i].head, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 3);
	svq_queue_detach(b.q);
	CU_ASSERT_EQUAL(bed_attach(&b, 3), 0);
	bed_avail(&b, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain[0]));
	CU_ASSERT_EQUAL(chain[0].head, 3);
	/* A reset of the device takes both back to the first. */
	bed_device_reset(&b);
	CU_ASSERT_EQUAL(svq_queue_recall(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain[0]));
	CU_ASSERT_EQUAL(chain[0].head, 0);
	bed_close(&b);
}

/* A guest's plain chains @p first to @p first + @p n - 1. */
static void
avail_run(unsigned int first, unsigned int n)
{
	unsigned int k;

	for (k = first; k < first + n; k++) {
		bed_desc(&b, k % MANY, 0x1000 * (k % MANY + 1), 100, VRING_DESC_F_WRITE, 0);
		bed_avail(&b, k % MANY);
	}
}

/* Runs as a driver makes them that takes its descriptors in turn, from where no eight of them begin
 * at a multiple of eight: twice round ids and slots. */
static void
test_runs(void)
{
	uint8_t bitmap[BED_REGION * 2 / 4096 / 8 + 1];
	struct svq_dirty_log log = {.base = bitmap, .size = sizeof(bitmap)};
	unsigned int i, k, at, n;
	uint16_t ids[20];

	for (i = 0; i < 8; i++) {
		const bool batch = i / 2 % 2 != 0, skewed = i / 4 != 0;

		bed_open_features(&b, MANY, MANY, V1 | (i / 2 ? IN_ORDER : 0),
			V1 | formats[i % 2] | (batch || i / 2 == 0 ? IN_ORDER : 0));
		svq_queue_set_log(b.q, &log);
		n = skewed ? 19 : 20;
		for (at = 3; at < 3 + 2 * MANY; at += n) {
			memset(bitmap, 0, sizeof(bitmap));
			avail_run(at, n);
			CU_ASSERT_EQUAL_FATAL(svq_queue_avail(b.q), n);
			for (k = 0; k < n; k++) {
				struct bed_chain c;

				CU_ASSERT_FATAL(bed_device_take(&b, &c));
				ids[k] = c.head;
			}
			for (k = 0; k < n && !batch; k++)
				bed_device_return(&b, ids[k], 10 + k);
			/* With others behind them. */
			if (batch) {
				bed_device_return_batch(&b, ids, n - 5, 10 + n - 6);
				CU_ASSERT_EQUAL_FATAL(svq_queue_used(b.q), n - 5);
				bed_device_return_batch(&b, ids + n - 5, 5, 10 + n - 1);
			}
			CU_ASSERT_EQUAL_FATAL(svq_queue_used(b.q), batch ? 5 : n);
			for (k = 0; k < n; k++) {
				unsigned int page = (at + k) % MANY + 1;

				returned((at + k) % MANY,
					batch && k != n - 6 && k != n - 1 ? 100 : 10 + k);
				CU_ASSERT(bitmap[page / 8] & 1 << page % 8);
				bitmap[page / 8] &= ~(1 << page % 8);
			}
			/* The used ring lies elsewhere. */
			for (k = 1; k <= MANY; k++)
				CU_ASSERT_FALSE(bitmap[k / 8] & 1 << k % 8);
		}
		CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 0);
		bed_close(&b);
	}
}

/* A run in which one id is in flight already, before and behind the end of a word of the bitmap. */
static void
test_run_twice(void)
{
	static const uint16_t twice[] = {60, 63, 64, 67};
	unsigned int i;

	for (i = 0; i < 2 * RTE_DIM(twice); i++) {
		uint16_t id = twice[i / 2];

		bed_open_features(&b, MANY, MANY, V1 | IN_ORDER, V1 | formats[i % 2]);
		avail_run(id, 1);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
		avail_run(60, 8);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), id - 60u);
		expect_fault(SVQ_QUEUE_E_HEAD);

		/* And one of those that came as a run. */
		bed_open_features(&b, MANY, MANY, V1 | IN_ORDER, V1 | formats[i % 2]);
		avail_run(60, 8);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 8);
		avail_run(id, 1);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
		expect_fault(SVQ_QUEUE_E_HEAD);
	}
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("in order", NULL, NULL);

	autotest_add(s, "completed early, held back", test_held_back);
	autotest_add(s, "held back, recalled", test_held_recalled);
	autotest_add(s, "faults while holding back", test_held_faults);
	autotest_add(s, "one used entry for several chains", test_batch);
	autotest_add(s, "faults of such entries", test_batch_faults);
	autotest_add(s, "one used entry for what was sent", test_sent_batch);
	autotest_add(s, "and each its own for the next guest", test_sent_batch_no_more);
	autotest_add(s, "runs of chains", test_runs);
	autotest_add(s, "a run with an id that is in flight", test_run_twice);
	autotest_add(s, "attached anew", test_attach);
	autotest_add(s, "attached anew, nothing in flight", test_attach_idle);
}

REGISTER_AUTOTEST(queue_order_autotest, fill)
