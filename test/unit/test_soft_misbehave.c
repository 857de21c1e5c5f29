/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_kvargs.h>
#include <rte_log.h>

#include <svq_queue.h>
#include <svq_virtio.h>

#include "autotest.h"

/* A broken device behind the relay: one queue pair of the software device, told to misbehave, and a
 * guest that sends packets to itself. */

#define V1     RTE_BIT64(VIRTIO_F_VERSION_1)
#define MRG    RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)
#define PACKED RTE_BIT64(VIRTIO_F_RING_PACKED)
#define SIZE   64u
#define BUF    256u
#define MEMORY (1u << 20)
#define RINGS  (MEMORY / 2)

struct vring_of {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t seen; /* used index */
	uint64_t done; /* chains that came back */
	bool out[SIZE];
};

static struct {
	struct svq_device *dev;
	struct svq_guest *guest;
	struct svq_dma *dma;
	struct svq_queue *q[2];
	struct vring_of ring[2];
	uint8_t *mem;
	int memfd, irqfd;
	uint64_t features;
	uint64_t broken; /* how often a queue broke */
	FILE *log;
	char *text;
	size_t len;
} t;

/* ---- the device and the relay ---- */

static void
attach(unsigned int i)
{
	uint64_t gpa = RINGS + i * 0x4000;
	struct svq_queue_guest conf = {
		.desc = t.ring[i].desc,
		.avail = t.ring[i].avail,
		.used = t.ring[i].used,
		.desc_gpa = gpa,
		.avail_gpa = gpa + 0x1000,
		.used_gpa = gpa + 0x2000,
		.size = SIZE,
		.base = svq_queue_base(t.q[i]),
		.features = V1 | MRG,
		.callfd = -1,
	};

	CU_ASSERT_EQUAL_FATAL(svq_queue_attach(t.q[i], &conf), 0);
}

static void
start(void)
{
	const struct svq_device_ops *ops = t.dev->ops;
	struct svq_device_queue setup;
	uint16_t i;

	CU_ASSERT_EQUAL_FATAL(ops->set_features(t.dev, t.features), 0);
	for (i = 0; i < 2; i++) {
		svq_queue_device(t.q[i], &setup);
		CU_ASSERT_EQUAL_FATAL(ops->queue_setup(t.dev, i, &setup), 0);
		CU_ASSERT_EQUAL_FATAL(ops->queue_irq(t.dev, i, t.irqfd), 0);
	}
	CU_ASSERT_EQUAL_FATAL(ops->start(t.dev), 0);
}

/* What a guest's reset does. */
static void
restart(void)
{
	unsigned int i;

	t.dev->ops->stop(t.dev);
	for (i = 0; i < 2; i++) {
		svq_queue_recall(t.q[i]);
		CU_ASSERT_EQUAL(svq_queue_error(t.q[i]), SVQ_QUEUE_OK);
		svq_queue_detach(t.q[i]);
		attach(i);
	}
	start();
}

static void
open_memory(void)
{
	struct svq_guest_region region = {.gpa = 0, .size = MEMORY};
	struct svq_guest_diff diff;

	t.memfd = memfd_create("misbehave", 0);
	CU_ASSERT_FATAL(t.memfd >= 0 && ftruncate(t.memfd, MEMORY) == 0);
	region.fd = t.memfd;
	t.mem = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, t.memfd, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL(t.mem, MAP_FAILED);
	CU_ASSERT_EQUAL_FATAL(svq_guest_create(&t.guest), 0);
	CU_ASSERT_EQUAL_FATAL(svq_dma_create(t.dev, NULL, &t.dma), 0);
	CU_ASSERT_EQUAL_FATAL(svq_guest_prepare(t.guest, &region, 1, &diff), 0);
	CU_ASSERT_EQUAL_FATAL(svq_dma_guest_apply(t.dma, &diff), 0);
	svq_guest_commit(t.guest);
}

static void
bed_open(const char *args, uint64_t features)
{
	struct svq_queue_conf conf = {
		.name = "bed",
		.size = SIZE,
		.features = V1 | MRG | RTE_BIT64(VIRTIO_F_ACCESS_PLATFORM) | features,
		.numa_node = -1,
		.net_header = 12,
	};
	struct rte_kvargs *kvargs = rte_kvargs_parse(args, NULL);
	unsigned int i;

	memset(&t, 0, sizeof(t));
	t.log = open_memstream(&t.text, &t.len);
	rte_openlog_stream(t.log);
	t.features = conf.features;
	t.irqfd = eventfd(0, EFD_NONBLOCK);
	CU_ASSERT_EQUAL_FATAL(
		svq_device_driver_find("soft")->open("broken", kvargs, NULL, &t.dev), 0);
	rte_kvargs_free(kvargs);
	open_memory();
	conf.dma = t.dma;
	for (i = 0; i < 2; i++) {
		conf.qid = (uint16_t)i;
		CU_ASSERT_EQUAL_FATAL(svq_queue_create(&conf, &t.q[i]), 0);
		t.ring[i].desc = (void *)(t.mem + RINGS + i * 0x4000);
		t.ring[i].avail = (void *)(t.mem + RINGS + i * 0x4000 + 0x1000);
		t.ring[i].used = (void *)(t.mem + RINGS + i * 0x4000 + 0x2000);
		attach(i);
	}
	start();
}

static void
bed_close(void)
{
	struct svq_guest_diff diff;
	unsigned int i;

	t.dev->ops->stop(t.dev);
	for (i = 0; i < 2; i++) {
		svq_queue_detach(t.q[i]);
		svq_queue_destroy(t.q[i]);
	}
	CU_ASSERT_EQUAL(svq_guest_prepare(t.guest, NULL, 0, &diff), 0);
	CU_ASSERT_EQUAL(svq_dma_guest_apply(t.dma, &diff), 0);
	svq_guest_commit(t.guest);
	svq_dma_destroy(t.dma);
	svq_guest_destroy(t.guest);
	t.dev->ops->close(t.dev);
	munmap(t.mem, MEMORY);
	close(t.memfd);
	close(t.irqfd);
	rte_openlog_stream(NULL);
	fclose(t.log);
	free(t.text);
}

/* Times that a text is in the log. */
static unsigned int
logged(const char *text)
{
	const char *at;
	unsigned int n = 0;

	fflush(t.log);
	for (at = t.text; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* ---- the guest ---- */

/* Give the device up to @p n more buffers. */
static void
give(unsigned int i, unsigned int n)
{
	struct vring_of *ring = &t.ring[i];
	unsigned int k;

	for (k = 0; k < SIZE && n > 0; k++) {
		if (ring->out[k])
			continue;
		ring->desc[k] = (struct vring_desc){
			.addr = (i * SIZE + k) * BUF,
			.len = i == 0 ? BUF : 100,
			.flags = i == 0 ? VRING_DESC_F_WRITE : 0,
		};
		ring->out[k] = true;
		ring->avail->ring[ring->avail->idx % SIZE] = (uint16_t)k;
		ring->avail->idx++;
		n--;
	}
}

static void
reap(unsigned int i)
{
	struct vring_of *ring = &t.ring[i];

	for (; ring->seen != ring->used->idx; ring->seen++) {
		const struct vring_used_elem *elem = &ring->used->ring[ring->seen % SIZE];

		/* Nothing comes back that is not out: the relay holds the device to that. */
		CU_ASSERT_FATAL(elem->id < SIZE && ring->out[elem->id]);
		CU_ASSERT(elem->len == (i == 0 ? 100 : 0));
		ring->out[elem->id] = false;
		ring->done++;
	}
}

/* One round of everybody. @return whether a packet came back. */
static bool
step(void)
{
	uint64_t before = t.ring[0].done;
	unsigned int i;

	give(0, SIZE);
	give(1, 4);
	for (i = 2; i-- > 0;)
		svq_queue_avail(t.q[i]);
	t.dev->ops->poll(t.dev, 0);
	for (i = 2; i-- > 0;)
		svq_queue_used(t.q[i]);
	reap(0);
	reap(1);
	return t.ring[0].done != before;
}

static struct svq_queue_stats
stats(unsigned int i)
{
	struct svq_queue_stats s;

	svq_queue_stats(t.q[i], &s);
	return s;
}

/* Faults counted, of all kinds on both queues. */
static uint64_t
errors(void)
{
	uint64_t n = 0;
	unsigned int i, e;

	for (i = 0; i < 2; i++) {
		for (e = 0; e < SVQ_QUEUE_E_MAX; e++)
			n += stats(i).errors[e];
	}
	return n;
}

static uint64_t
iommu_faults(void)
{
	struct svq_device_stats s;

	t.dev->ops->stats(t.dev, &s);
	return s.iommu_faults;
}

/* Traffic flows. */
static void
flows(unsigned int rounds)
{
	unsigned int i;

	for (i = 0; i < rounds; i++)
		CU_ASSERT(step());
	CU_ASSERT_EQUAL(svq_queue_error(t.q[0]), SVQ_QUEUE_OK);
	CU_ASSERT_EQUAL(svq_queue_error(t.q[1]), SVQ_QUEUE_OK);
}

/* ---- the tests ---- */

/* Each queue is hit by one fault after some traffic; a reset mends it. */
static void
one(const char *kind, uint64_t features, unsigned int qid, enum svq_queue_error error)
{
	char args[96];
	unsigned int i;

	snprintf(args, sizeof(args), "packed=%d,misbehave=%s@1000:%u", (features & PACKED) != 0,
		kind, qid);
	bed_open(args, features);
	flows(100);
	for (i = 0; i < 1000 && svq_queue_error(t.q[qid]) == SVQ_QUEUE_OK; i++)
		step();
	if (svq_queue_error(t.q[qid]) != error)
		printf("%s: %s\n", args, svq_queue_error_name(svq_queue_error(t.q[qid])));
	CU_ASSERT_EQUAL(svq_queue_error(t.q[qid]), error);
	CU_ASSERT_EQUAL(svq_queue_error(t.q[1 - qid]), SVQ_QUEUE_OK);
	CU_ASSERT_EQUAL(stats(qid).errors[error], 1);
	CU_ASSERT_EQUAL(errors(), 1);
	CU_ASSERT_EQUAL(logged("queue stopped until the guest resets it"), 1);
	CU_ASSERT_EQUAL(logged("misbehaves as it was told"), 1);
	/* It stays as it is. */
	for (i = 0; i < 100; i++)
		step();
	CU_ASSERT_EQUAL(errors(), 1);
	restart();
	flows(1000);
	CU_ASSERT_EQUAL(errors(), 1);
	CU_ASSERT_EQUAL(iommu_faults(), 0);
	bed_close();
}

static void
test_one_by_one(void)
{
	unsigned int qid;

	for (qid = 0; qid < 2; qid++) {
		one("bad_id", 0, qid, SVQ_QUEUE_E_USED_ID);
		one("bad_id", PACKED, qid, SVQ_QUEUE_E_USED_ID);
		one("id_twice", 0, qid, SVQ_QUEUE_E_USED_ID);
		one("id_twice", PACKED, qid, SVQ_QUEUE_E_USED_ID);
		one("bad_len", 0, qid, SVQ_QUEUE_E_USED_LEN);
		one("bad_len", PACKED, qid, SVQ_QUEUE_E_USED_LEN);
		one("idx_jump", 0, qid, SVQ_QUEUE_E_USED_IDX);
		one("wrap", PACKED, qid, SVQ_QUEUE_E_USED_WRAP);
	}
}

/* A device that uses nothing any more is no fault that could be seen; its buffers come back. */
static void
silent(uint64_t features)
{
	uint64_t done;
	unsigned int i;

	bed_open(features & PACKED ? "packed=1,misbehave=silent@1000" : "misbehave=silent@1000",
		features);
	for (i = 0; i < 1000 && step(); i++)
		;
	CU_ASSERT(i >= 100 && i < 1000);
	done = t.ring[0].done;
	for (i = 0; i < 100; i++)
		CU_ASSERT(!step());
	CU_ASSERT_EQUAL(svq_queue_inflight(t.q[1]), SIZE);
	CU_ASSERT_EQUAL(errors(), 0);
	restart();
	flows(1000);
	CU_ASSERT(t.ring[0].done > done);
	CU_ASSERT_EQUAL(iommu_faults(), 0);
	bed_close();
}

static void
test_silent(void)
{
	silent(0);
	silent(PACKED);
}

/* Interrupts without end cost nothing but the interrupts. */
static void
test_irq_storm(void)
{
	unsigned int i;
	eventfd_t n;

	bed_open("misbehave=irq_storm@100", 0);
	flows(200);
	eventfd_read(t.irqfd, &n);
	for (i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(t.dev->ops->poll(t.dev, 0), 0);
		CU_ASSERT_EQUAL(eventfd_read(t.irqfd, &n), 0);
	}
	flows(200);
	restart();
	eventfd_read(t.irqfd, &n);
	flows(200);
	CU_ASSERT(eventfd_read(t.irqfd, &n) < 0);
	CU_ASSERT_EQUAL(errors(), 0);
	bed_close();
}

static void
test_needs_reset(void)
{
	unsigned int i;

	bed_open("misbehave=needs_reset@1000", 0);
	flows(100);
	for (i = 0; i < 1000 && step(); i++)
		;
	CU_ASSERT(i < 1000);
	CU_ASSERT(t.dev->ops->status(t.dev) & SVQ_DEVICE_S_NEEDS_RESET);
	restart();
	CU_ASSERT_EQUAL(t.dev->ops->status(t.dev), SVQ_DEVICE_S_DRIVER_OK);
	flows(1000);
	bed_close();
}

/* Anything at any time: each fault that breaks a queue is counted once, and the next reset mends
 * it. */
static void
at_random(unsigned int seed, bool packed)
{
	unsigned int i, still = 0, restarts = 0;
	uint64_t counted = 0;
	char args[96];

	snprintf(args, sizeof(args), "packed=%d,seed=%u,misbehave=random@300", packed, seed);
	bed_open(args, packed ? PACKED : 0);
	for (i = 0; i < 20000; i++) {
		still = step() ? 0 : still + 1;
		if (still < 3)
			continue;
		still = 0;
		for (unsigned int q = 0; q < 2; q++)
			counted += svq_queue_error(t.q[q]) != SVQ_QUEUE_OK;
		CU_ASSERT_EQUAL(errors(), counted);
		restart();
		restarts++;
	}
	CU_ASSERT(restarts > 20);
	CU_ASSERT(counted > 10);
	CU_ASSERT_EQUAL(errors(), logged("queue stopped until the guest resets it"));
	CU_ASSERT_EQUAL(iommu_faults(), 0);
	bed_close();
}

static void
test_at_random(void)
{
	unsigned int seed;

	for (seed = 1; seed <= 5; seed++) {
		at_random(seed, false);
		at_random(seed, true);
	}
}

static void
test_bad_args(void)
{
	static const char *const bad[] = {
		"misbehave=",
		"misbehave=bad",
		"misbehave=bad_id@",
		"misbehave=bad_id@-1",
		"misbehave=bad_id@1:",
		"misbehave=bad_id:2",
		"misbehave=bad_id@1:1x",
		"misbehave=bad_id+",
		"misbehave=wrap",
		"misbehave=idx_jump,packed=1",
		("misbehave=bad_id+bad_id+bad_id+bad_id+bad_id+bad_id+bad_id+bad_id+bad_id+bad_id+"
		 "bad_id+bad_id+bad_id+bad_id+bad_id+bad_id+bad_id"),
		"seed=0",
		"seed=x",
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		struct rte_kvargs *kvargs = rte_kvargs_parse(bad[i], NULL);
		struct svq_device *dev;

		CU_ASSERT_EQUAL(
			svq_device_driver_find("soft")->open("bad", kvargs, NULL, &dev), -EINVAL);
		rte_kvargs_free(kvargs);
	}
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_misbehave", NULL, NULL);

	autotest_add(suite, "bad arguments", test_bad_args);
	autotest_add(suite, "one by one", test_one_by_one);
	autotest_add(suite, "silent", test_silent);
	autotest_add(suite, "interrupts without end", test_irq_storm);
	autotest_add(suite, "needs a reset", test_needs_reset);
	autotest_add(suite, "at random", test_at_random);
}

REGISTER_AUTOTEST(soft_misbehave_autotest, fill)
