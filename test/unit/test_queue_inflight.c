/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "relay_bed.h"

/* Chains that the device holds: ids, what it may get wrong, detach and recall. */

#define F_ALL                                                                   \
	((1ULL << VIRTIO_F_VERSION_1) | (1ULL << VIRTIO_RING_F_INDIRECT_DESC) | \
		(1ULL << VIRTIO_RING_F_EVENT_IDX))
#define W    VRING_DESC_F_WRITE
#define NEXT VRING_DESC_F_NEXT

static struct bed b;
static struct bed_chain chain;
static struct vring_used_elem elem;

static void
one_in_flight(void)
{
	bed_open(&b, 32, 64, F_ALL);
	bed_desc(&b, 1, 0x1000, 10, NEXT, 2);
	bed_desc(&b, 2, 0x2000, 20, W, 0);
	bed_avail(&b, 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
}

static void
device_fault(uint32_t id, uint32_t len, enum svq_queue_error error)
{
	one_in_flight();
	bed_device_return(&b, id, len);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), error);
	CU_ASSERT_EQUAL(b.used->idx, 0);
	/* A reset of the device mends it: the chain is available again. */
	bed_device_reset(&b);
	CU_ASSERT_EQUAL(svq_queue_recall(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_OK);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	bed_close(&b);
}

static void
test_device_faults(void)
{
	device_fault(63, 0, SVQ_QUEUE_E_USED_ID);
	device_fault(64, 0, SVQ_QUEUE_E_USED_ID);
	device_fault(UINT32_MAX, 0, SVQ_QUEUE_E_USED_ID);
	device_fault(0x10000, 0, SVQ_QUEUE_E_USED_ID);
	/* In flight, but not what the chain begins with. */
	device_fault(2, 0, SVQ_QUEUE_E_USED_ID);
	device_fault(1, 21, SVQ_QUEUE_E_USED_LEN);

	one_in_flight();
	b.sused->idx = 2;
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_USED_IDX);
	bed_close(&b);

	/* Nothing can be written to what is only to be read. */
	bed_open(&b, 32, 64, F_ALL);
	bed_desc(&b, 1, 0x1000, 10, 0, 0);
	bed_avail(&b, 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 1);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_USED_LEN);
	bed_close(&b);

	/* The same id twice. */
	bed_open(&b, 32, 64, F_ALL);
	bed_desc(&b, 1, 0x1000, 10, 0, 0);
	bed_desc(&b, 2, 0x1000, 10, 0, 0);
	bed_avail(&b, 1);
	bed_avail(&b, 2);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 0);
	bed_device_return(&b, chain.head, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_USED_ID);
	bed_close(&b);

	one_in_flight();
	b.status = SVQ_DEVICE_S_NEEDS_RESET;
	svq_queue_break(b.q, SVQ_QUEUE_E_NEEDS_RESET);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_NEEDS_RESET);
	bed_close(&b);

	/* Where nobody answers, the bit is read, too. */
	one_in_flight();
	b.status = SVQ_DEVICE_S_GONE;
	svq_queue_break(b.q, SVQ_QUEUE_E_NEEDS_RESET);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_GONE);
	bed_close(&b);
}

/* A head that is in flight, alone and within a run of others. */
static void
test_head_in_flight(void)
{
	unsigned int scalar, again, i;

	for (scalar = 0; scalar < 2; scalar++) {
		for (again = 0; again < 2; again++) {
			bed_open_conf(&b,
				&(struct bed_conf){
					.guest_size = 32,
					.device_size = 32,
					.guest_features = F_ALL,
					.device_features = F_ALL,
					.scalar = scalar,
				});
			for (i = 0; i < 32; i++)
				bed_desc(&b, i, 0x1000, 10, 0, 0);
			bed_avail(&b, 21);
			CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
			for (i = 16; i < 24; i++)
				bed_avail(&b, again ? 16 : i);
			CU_ASSERT_EQUAL(svq_queue_avail(b.q), again ? 1 : 5);
			CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_HEAD);
			CU_ASSERT_EQUAL(svq_queue_inflight(b.q), again ? 2 : 6);
			bed_close(&b);
		}
	}
}

/* Ids are kept until a chain comes for which they cannot be; those in flight then stay. */
static void
test_ids_kept(void)
{
	bed_open(&b, 32, 32, 1ULL << VIRTIO_F_VERSION_1);
	bed_desc(&b, 7, 0x1000, 10, W, 0);
	bed_avail(&b, 7);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.head, 7);
	/* Across a border: two descriptors of the device for one of the guest. */
	bed_desc(&b, 5, BED_HIGH - 10, 30, W, 0);
	bed_avail(&b, 5);
	bed_desc(&b, 9, 0x2000, 10, W, 0);
	bed_avail(&b, 9);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	bed_device_return(&b, 7, 10);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.n, 2);
	bed_device_return(&b, chain.head, 30);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 10);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 3);
	CU_ASSERT(bed_reap(&b, &elem) && elem.id == 7 && elem.len == 10);
	CU_ASSERT(bed_reap(&b, &elem) && elem.id == 5 && elem.len == 30);
	CU_ASSERT(bed_reap(&b, &elem) && elem.id == 9 && elem.len == 10);
	/* The device is reset: from the start. */
	bed_device_reset(&b);
	CU_ASSERT_EQUAL(svq_queue_recall(b.q), 0);
	bed_avail(&b, 7);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.head, 7);
	bed_close(&b);
}

static void
test_detach_keeps_in_flight(void)
{
	one_in_flight();
	svq_queue_detach(b.q);
	CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 1);
	CU_ASSERT(svq_queue_inflight_overlaps(b.q, 0x2000, 1));
	CU_ASSERT(svq_queue_inflight_overlaps(b.q, 0, 0x1001));
	CU_ASSERT_FALSE(svq_queue_inflight_overlaps(b.q, 0x3000, 0x1000));
	CU_ASSERT_EQUAL(bed_attach(&b, 0), 0);
	CU_ASSERT_EQUAL(bed_attach(&b, 0), -EBUSY);
	bed_device_return(&b, chain.head, 20);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT(bed_reap(&b, &elem));
	CU_ASSERT_EQUAL(elem.id, 1);
	CU_ASSERT_EQUAL(svq_queue_base(b.q), 1);
	bed_close(&b);
}

/* Buffers that the device publishes together may be one packet: they stay together. */
static void
test_used_together(void)
{
	const unsigned int n = 150;
	unsigned int i;

	bed_open(&b, 256, 256, F_ALL);
	for (i = 0; i < n; i++) {
		bed_desc(&b, i, 0x1000, 64, W, 0);
		bed_avail(&b, i);
	}
	for (i = 0; i < n; i += svq_queue_avail(b.q))
		;
	for (i = 0; i < n; i++) {
		CU_ASSERT_FATAL(bed_device_take(&b, &chain));
		bed_device_return(&b, chain.head, 64);
	}
	CU_ASSERT_EQUAL(svq_queue_used(b.q), n);
	CU_ASSERT_EQUAL(b.used->idx, n);
	bed_close(&b);
}

static void
test_recall_out_of_order(void)
{
	unsigned int i;

	bed_open(&b, 8, 8, F_ALL);
	for (i = 0; i < 6; i++) {
		bed_desc(&b, i, 0x1000 * (i + 1), 10, 0, 0);
		bed_avail(&b, i);
	}
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 6);
	for (i = 0; i < 6; i++) {
		CU_ASSERT_FATAL(bed_device_take(&b, &chain));
		if (i == 1 || i == 4)
			bed_device_return(&b, chain.head, 0);
	}
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 2);
	CU_ASSERT_EQUAL(svq_queue_recall(b.q), 4);
	CU_ASSERT_EQUAL(svq_queue_base(b.q), 2);
	bed_device_reset(&b);
	/* What another back-end would find from the base on: just those not completed, in order. */
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 4);
	for (i = 0; i < 6; i++) {
		if (i == 1 || i == 4)
			continue;
		CU_ASSERT_FATAL(bed_device_take(&b, &chain));
		CU_ASSERT_PTR_EQUAL(
			(void *)(uintptr_t)chain.desc[0].addr, bed_ptr(&b, 0x1000 * (i + 1)));
	}
	bed_close(&b);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("chains in flight", NULL, NULL);

	autotest_add(s, "head in flight", test_head_in_flight);
	autotest_add(s, "ids kept", test_ids_kept);
	autotest_add(s, "faults of the device", test_device_faults);
	autotest_add(s, "detach keeps what is in flight", test_detach_keeps_in_flight);
	autotest_add(s, "used together stays together", test_used_together);
	autotest_add(s, "recall out of order", test_recall_out_of_order);
}

REGISTER_AUTOTEST(queue_inflight_autotest, fill)
