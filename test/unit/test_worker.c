/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

#include <svq_worker.h>

#include "autotest.h"
#include "relay_bed.h"

#define PAIRS 40
#define MANY  128

static _Atomic uint64_t polled[PAIRS];
static _Atomic uint8_t status;

static unsigned int
counting_poll(struct svq_device *dev, uint16_t pair)
{
	RTE_SET_USED(dev);
	atomic_fetch_add(&polled[pair], 1);
	return 0;
}

static uint8_t
counting_status(struct svq_device *dev)
{
	RTE_SET_USED(dev);
	return status;
}

static const struct svq_device_ops ops = {.poll = counting_poll, .status = counting_status};
static struct svq_device dev = {.ops = &ops, .name = "counting"};
static struct svq_pair pairs[PAIRS];

static bool
moves(unsigned int i)
{
	uint64_t before = atomic_load(&polled[i]);
	uint64_t end = rte_rdtsc() + 5 * rte_get_tsc_hz();

	while (atomic_load(&polled[i]) == before) {
		if (rte_rdtsc() > end)
			return false;
		usleep(10);
	}
	return true;
}

static int
init(void)
{
	unsigned int i;

	if (rte_lcore_count() < 2)
		return 1;
	for (i = 0; i < PAIRS; i++)
		pairs[i] = (struct svq_pair){.dev = &dev, .index = i, .lcore = -1};
	return svq_worker_start(true) < 1;
}

static int
cleanup(void)
{
	svq_worker_stop();
	return 0;
}

static void
test_start_twice(void)
{
	CU_ASSERT_EQUAL(svq_worker_start(false), -EBUSY);
}

static void
test_come_and_go(void)
{
	struct svq_worker_info info[RTE_MAX_LCORE];
	unsigned int i, n, k, total = 0;

	for (i = 0; i < PAIRS; i++)
		CU_ASSERT_EQUAL(svq_worker_add(&pairs[i], -1), 0);
	CU_ASSERT_EQUAL(svq_worker_add(&pairs[7], -1), -EEXIST);
	for (i = 0; i < PAIRS; i++)
		CU_ASSERT(moves(i));
	n = svq_worker_info(info, RTE_DIM(info));
	CU_ASSERT_EQUAL(n, rte_lcore_count() - 1);
	for (i = 0; i < n; i++) {
		total += info[i].pairs;
		/* Spread: nobody has two more than another. */
		for (k = 0; k < n; k++)
			CU_ASSERT(info[i].pairs <= info[k].pairs + 1);
	}
	CU_ASSERT_EQUAL(total, PAIRS);
	for (i = 0; i < PAIRS; i += 2) {
		uint64_t after;

		svq_worker_del(&pairs[i]);
		after = atomic_load(&polled[i]);
		CU_ASSERT_EQUAL(pairs[i].lcore, -1);
		CU_ASSERT(moves(i + 1));
		CU_ASSERT_EQUAL(atomic_load(&polled[i]), after);
	}
	for (i = 0; i < PAIRS; i++)
		svq_worker_del(&pairs[i]);
	svq_worker_del(&pairs[0]);
}

/* A pair goes while the others run, many times: its memory may be freed right after. */
static void
test_churn(void)
{
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz();
	unsigned int n = 0;

	srand(autotest_seed());
	CU_ASSERT_EQUAL(svq_worker_add(&pairs[0], -1), 0);
	while (rte_rdtsc() < end) {
		struct svq_pair *p = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*p));

		*p = pairs[1 + rand() % (PAIRS - 1)];
		CU_ASSERT_EQUAL_FATAL(svq_worker_add(p, -1), 0);
		svq_worker_del(p);
		memset(p, 0xff, sizeof(*p));
		free(p);
		n++;
	}
	CU_ASSERT(n > 10);
	CU_ASSERT(moves(0));
	svq_worker_del(&pairs[0]);
}

static void
test_needs_reset(void)
{
	static struct bed b;
	struct svq_pair pair = {.dev = &dev, .index = 0};
	uint64_t end = rte_rdtsc() + 5 * rte_get_tsc_hz();

	bed_open(&b, 8, 8, 0);
	pair.tx = b.q;
	CU_ASSERT_EQUAL(svq_worker_add(&pair, -1), 0);
	status = SVQ_DEVICE_S_NEEDS_RESET;
	while (svq_queue_error(b.q) == SVQ_QUEUE_OK && rte_rdtsc() < end)
		usleep(100);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_NEEDS_RESET);
	svq_worker_del(&pair);
	status = 0;
	bed_close(&b);
}

static bool
soon(bool (*happened)(struct bed *b), struct bed *b)
{
	uint64_t end = rte_rdtsc() + 5 * rte_get_tsc_hz();

	while (!happened(b)) {
		if (rte_rdtsc() > end)
			return false;
		usleep(100);
	}
	return true;
}

static bool
at_device(struct bed *b)
{
	static struct bed_chain chain;

	return bed_device_take(b, &chain);
}

static bool
broken(struct bed *b)
{
	return svq_queue_error(b->q) != SVQ_QUEUE_OK;
}

/* A front-end fills its call eventfd and makes it blocking: the worker goes on with the others. */
static void
test_blocking_call(void)
{
	static struct bed b;
	struct svq_pair pair = {.dev = &dev, .index = 0};

	bed_open(&b, 8, 8, 0);
	pair.rx = b.q;
	CU_ASSERT_EQUAL(fcntl(b.callfd, F_SETFL, fcntl(b.callfd, F_GETFL) & ~O_NONBLOCK), 0);
	CU_ASSERT_EQUAL(eventfd_write(b.callfd, UINT64_MAX - 1), 0);
	CU_ASSERT_EQUAL(svq_worker_add(&pair, -1), 0);
	CU_ASSERT_EQUAL(svq_worker_add(&pairs[1], -1), 0);
	bed_desc(&b, 0, 0x1000, 100, VRING_DESC_F_WRITE, 0);
	bed_avail(&b, 0);
	CU_ASSERT_FATAL(soon(at_device, &b));
	bed_device_return(&b, 0, 100);
	CU_ASSERT(soon(broken, &b));
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_CALL);
	CU_ASSERT(moves(1));
	/* What had been returned to the guest stays so. */
	CU_ASSERT_EQUAL(b.used->idx, 1);
	svq_worker_del(&pair);
	svq_worker_del(&pairs[1]);
	bed_close(&b);
}

static bool
all_at_device(struct bed *b)
{
	static unsigned int n;

	while (n < MANY && at_device(b))
		n++;
	return n == MANY;
}

/* A device with half a ring of buffers is given the rest all the same, if not in each round. */
static void
test_stocked(void)
{
	static struct bed b;
	struct svq_pair pair = {.dev = &dev, .index = 0};
	unsigned int i;

	bed_open(&b, MANY, MANY, 0);
	pair.rx = b.q;
	CU_ASSERT_FALSE(svq_queue_stocked(b.q));
	for (i = 0; i < MANY; i++) {
		bed_desc(&b, i, 0x1000 * i, 100, VRING_DESC_F_WRITE, 0);
		bed_avail(&b, i);
	}
	CU_ASSERT_EQUAL(svq_worker_add(&pair, -1), 0);
	CU_ASSERT(soon(all_at_device, &b));
	svq_worker_del(&pair);
	CU_ASSERT(svq_queue_stocked(b.q));
	bed_close(&b);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("worker", init, cleanup);

	autotest_add(s, "start twice", test_start_twice);
	autotest_add(s, "pairs come and go", test_come_and_go);
	autotest_add(s, "churn", test_churn);
	autotest_add(s, "device asks for a reset", test_needs_reset);
	autotest_add(s, "call descriptor that blocks", test_blocking_call);
	autotest_add(s, "a device with plenty of buffers", test_stocked);
}

REGISTER_AUTOTEST(worker_autotest, fill)
