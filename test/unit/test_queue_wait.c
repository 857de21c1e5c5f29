/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <linux/virtio_config.h>

#include <rte_malloc.h>

#include "autotest.h"
#include "relay_bed.h"

/* What a queue costs the others of its worker while it cannot go on, and what it needs to go on. */

#define GUEST_SIZE  1024
#define SHADOW_SIZE 256
#define F_SPLIT	    (1ULL << VIRTIO_F_VERSION_1)

static struct bed b;
static struct svq_queue_stats stats;
static struct bed_chain chain;
static struct vring_used_elem elem;

static uint64_t
translations(void)
{
	svq_queue_stats(b.q, &stats);
	return stats.translations;
}

static void
write_chain(unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		bed_desc(&b, i, 0x1000, 64, i + 1 < first + n ? VRING_DESC_F_NEXT : 0, i + 1);
	bed_avail(&b, first);
}

/* A chain that fills the shadow ring, behind one that the device keeps. */
static void
test_stalled(void)
{
	uint64_t before;
	unsigned int i;

	bed_open(&b, GUEST_SIZE, SHADOW_SIZE, F_SPLIT);
	write_chain(0, 2);
	write_chain(2, SHADOW_SIZE);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	before = translations();
	/* It is not read again and again. */
	for (i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	CU_ASSERT_EQUAL(translations(), before);
	CU_ASSERT(stats.stalls >= 100);
	/* It goes on when there is room. */
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	CU_ASSERT_EQUAL(chain.n, SHADOW_SIZE);
	bed_device_return(&b, chain.head, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	/* And what follows is not held back. */
	write_chain(0, 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	bed_close(&b);
}

/* A guest that starts anew has not made that chain available. */
static void
test_stall_forgotten(void)
{
	bed_open(&b, GUEST_SIZE, SHADOW_SIZE, F_SPLIT);
	write_chain(0, 2);
	write_chain(2, SHADOW_SIZE);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 0);
	/* The same ring, of which the guest took the long chain back. */
	svq_queue_detach(b.q);
	b.avail_idx--;
	b.avail->idx = b.avail_idx;
	write_chain(2, 1);
	CU_ASSERT_EQUAL(bed_attach(&b, 0), 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	bed_close(&b);
}

/* Chains in flight would be lost if their ring could not be attached anew for want of memory. */
static void
attach_anew(uint64_t features)
{
	struct rte_malloc_socket_stats detached, attached;

	bed_open(&b, GUEST_SIZE, SHADOW_SIZE, features);
	bed_desc(&b, 0, 0x1000, 64, 0, 0);
	bed_avail(&b, 0);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	svq_queue_detach(b.q);
	CU_ASSERT_EQUAL(rte_malloc_get_socket_stats(0, &detached), 0);
	CU_ASSERT_EQUAL(bed_attach(&b, 0), 0);
	CU_ASSERT_EQUAL(rte_malloc_get_socket_stats(0, &attached), 0);
	CU_ASSERT_EQUAL(attached.alloc_count, detached.alloc_count);
	CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 1);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 0);
	CU_ASSERT_EQUAL(svq_queue_used(b.q), 1);
	CU_ASSERT_FATAL(bed_reap(&b, &elem));
	CU_ASSERT_EQUAL(elem.id, 0);
	bed_close(&b);
}

static void
test_attach_anew(void)
{
	attach_anew(F_SPLIT);
}

/* Slots that are in use stay so: all of a chain's, not its first one only. */
static void
test_attach_anew_full(void)
{
	unsigned int i, moved = 0;

	bed_open(&b, GUEST_SIZE, SHADOW_SIZE, F_SPLIT);
	write_chain(0, 3);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	svq_queue_detach(b.q);
	CU_ASSERT_EQUAL(bed_attach(&b, 0), 0);
	for (i = 0; i < SHADOW_SIZE; i++)
		write_chain(3 + i, 1);
	for (i = 0; i < SHADOW_SIZE; i++)
		moved += svq_queue_avail(b.q);
	CU_ASSERT_EQUAL(moved, SHADOW_SIZE - 3);
	for (i = 0; i <= moved; i++) {
		CU_ASSERT_FATAL(bed_device_take(&b, &chain));
		CU_ASSERT_EQUAL(chain.n, i == 0 ? 3 : 1);
		bed_device_return(&b, chain.head, 0);
	}
	CU_ASSERT_EQUAL(svq_queue_used(b.q), moved + 1);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_OK);
	bed_close(&b);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("queue that waits", NULL, NULL);

	autotest_add(s, "a chain without room costs nothing", test_stalled);
	autotest_add(s, "a chain without room is forgotten", test_stall_forgotten);
	autotest_add(s, "attaching anew needs no memory", test_attach_anew);
	autotest_add(s, "attaching anew finds no slot free", test_attach_anew_full);
}

REGISTER_AUTOTEST(queue_wait_autotest, fill)
