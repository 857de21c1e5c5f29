/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include "autotest.h"
#include "relay_bed.h"

/*
 * Of a packed ring, the first descriptor of a burst publishes it, and is written last. Afterwards
 * nobody could tell; so a page in the middle of the burst is made read-only, and when it is written
 * the first descriptor is looked at.
 */

#define RING   512
#define PAGE   4096u
#define AVAIL  (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED   (1u << VRING_PACKED_DESC_F_USED)
#define BOTH   (AVAIL | USED)
#define BIT(n) (1ULL << (n))
#define CHAINS 16

static struct bed b;
static unsigned int places; /* of either ring, that chains have taken */

static struct {
	void *page;
	const volatile uint16_t *flags; /* of the first descriptor */
	uint16_t before;		/* those of them that say whose it is */
	unsigned int faults;
	bool changed;
} watch;

static void
on_write(int sig, siginfo_t *info, void *context)
{
	RTE_SET_USED(context);
	if (RTE_PTR_DIFF(info->si_addr, watch.page) >= PAGE) {
		signal(sig, SIG_DFL);
		return;
	}
	watch.faults++;
	watch.changed |= (*watch.flags & ~(VRING_DESC_F_NEXT | VRING_DESC_F_WRITE)) != watch.before;
	mprotect(watch.page, PAGE, PROT_READ | PROT_WRITE);
}

/* The first descriptor of a ring that begins a page; it is not the ring's first. */
static unsigned int
border(const void *ring)
{
	unsigned int i = (RTE_PTR_ALIGN_CEIL(RTE_PTR_ADD(ring, 1), PAGE) - ring) /
		sizeof(struct vring_packed_desc);

	return i > 64 ? i : i + PAGE / sizeof(struct vring_packed_desc);
}

static bool
wrap_at(unsigned int place)
{
	return place / RING % 2 == 0;
}

/* The guest gives @p n chains of @p descs descriptors; as for all here, ids are taken in turn. */
static void
post(unsigned int n, unsigned int descs)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)b.desc;
	unsigned int i, place = places;

	for (i = 0; i < n * descs; i++, place++) {
		ring[place % RING] = (struct vring_packed_desc){
			.addr = 0x10000 + 0x1000 * (i % 64),
			.len = 100,
			.id = place % RING,
			.flags = VRING_DESC_F_WRITE | (wrap_at(place) ? AVAIL : USED) |
				((i + 1) % descs != 0 ? VRING_DESC_F_NEXT : 0),
		};
	}
}

/* The device returns all that it has. */
static void
serve(unsigned int n)
{
	struct bed_chain chain;
	unsigned int i;

	for (i = 0; i < n; i++) {
		CU_ASSERT_FATAL(bed_device_take(&b, &chain));
		bed_device_return(&b, chain.head, 60);
	}
	CU_ASSERT(!bed_device_take(&b, &chain));
}

/* One descriptor after the other, up to @p place of the ring. */
static void
advance(unsigned int place)
{
	for (; places % RING != place; places++) {
		post(1, 1);
		CU_ASSERT_EQUAL_FATAL(svq_queue_avail(b.q), 1);
		serve(1);
		CU_ASSERT_EQUAL_FATAL(svq_queue_used(b.q), 1);
	}
}

/* Move @p n chains over the border of two pages of a ring, there or back: from one to the other the
 * first one's flags turn. */
static void
watched(void *ring, uint16_t before, uint16_t after, unsigned int (*burst)(struct svq_queue *),
	unsigned int n)
{
	const struct sigaction act = {.sa_sigaction = on_write, .sa_flags = SA_SIGINFO};
	struct vring_packed_desc *desc = ring;
	struct sigaction old;

	memset(&watch, 0, sizeof(watch));
	watch.page = &desc[border(ring)];
	watch.flags = &desc[places % RING].flags;
	watch.before = before;
	CU_ASSERT_EQUAL_FATAL(sigaction(SIGSEGV, &act, &old), 0);
	CU_ASSERT_EQUAL_FATAL(mprotect(watch.page, PAGE, PROT_READ), 0);
	CU_ASSERT_EQUAL(burst(b.q), n);
	mprotect(watch.page, PAGE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &old, NULL);
	CU_ASSERT_EQUAL(watch.faults, 1);
	CU_ASSERT(!watch.changed);
	CU_ASSERT_EQUAL(*watch.flags & BOTH, after);
}

static void
try(bool scalar, unsigned int descs)
{
	const uint64_t features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_PACKED);
	const struct bed_conf conf = {.guest_size = RING,
		.device_size = RING,
		.guest_features = features,
		.device_features = features,
		.scalar = scalar};
	unsigned int lap;

	bed_open_conf(&b, &conf);
	places = 0;
	for (lap = 0; lap < 2; lap++) {
		advance(border(b.sdesc) - CHAINS / 2 * descs);
		post(CHAINS, descs);
		watched(b.sdesc, wrap_at(places) ? 0 : BOTH, wrap_at(places) ? AVAIL : USED,
			svq_queue_avail, CHAINS);
		serve(CHAINS);
		CU_ASSERT_EQUAL(svq_queue_used(b.q), CHAINS);
		places += CHAINS * descs;

		advance(border(b.desc) - CHAINS / 2 * descs);
		post(CHAINS, descs);
		CU_ASSERT_EQUAL(svq_queue_avail(b.q), CHAINS);
		serve(CHAINS);
		watched(b.desc, wrap_at(places) ? AVAIL : USED, wrap_at(places) ? BOTH : 0,
			svq_queue_used, CHAINS);
		places += CHAINS * descs;
	}
	bed_close(&b);
}

static void
test_vectors(void)
{
	try(false, 1);
}

static void
test_one_by_one(void)
{
	try(true, 1);
}

static void
test_long_chains(void)
{
	try(false, 3);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("what publishes a burst", NULL, NULL);

	autotest_add(s, "in vector registers", test_vectors);
	autotest_add(s, "one by one", test_one_by_one);
	autotest_add(s, "chains of three descriptors", test_long_chains);
}

REGISTER_AUTOTEST(queue_publish_autotest, fill)
