/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Descriptors that change while the device may be reading them, and flags that say that it may not
 * yet. All in the first pair; the second pair must go on.
 */

#include "fe_attack.h"
#include "fe_session.h"

static uint16_t *
flags_of(struct fe_ring *ring, uint16_t place)
{
	return ring->packed ? &ring->ring[place].flags : &ring->desc[place].flags;
}

/* Bend the address of a descriptor, and back, while the device may be reading it. */
static void
bend_addr(struct fe_ring *ring, uint16_t place, uint64_t bad)
{
	uint64_t *addr = &ring->desc[place].addr, good = *addr;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		__atomic_store_n(addr, bad, __ATOMIC_RELAXED);
		__atomic_store_n(addr, good, __ATOMIC_RELAXED);
	}
}

/* Likewise its flags, until the device writes there. */
static void
bend_flags(struct fe_ring *ring, uint16_t place, uint16_t good)
{
	static const uint16_t bits[] = {FE_DESC_NEXT, FE_DESC_INDIRECT, FE_DESC_WRITE,
		FE_DESC_AVAIL, FE_DESC_USED, FE_DESC_AVAIL | FE_DESC_USED};
	uint16_t *flags = flags_of(ring, place), was, bad;
	unsigned int i;

	for (i = 0; i < 60; i++) {
		was = good;
		bad = good ^ bits[i % 6];
		if (!__atomic_compare_exchange_n(
			    flags, &was, bad, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return;
		was = bad;
		if (!__atomic_compare_exchange_n(
			    flags, &was, good, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return;
	}
}

/* Nothing is expected of such a queue; the second pair must go on. */
static int
run_rewrite(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	uint64_t end = fe_now_ms() + 300, bad;
	struct fe_dev_conf two = *conf;
	struct fe_session s;
	struct fe_ring *ring;
	void *cookie;
	uint32_t len;
	int rc;

	two.pairs = 2;
	rc = fe_session_open(&s, &two, net);
	if (rc < 0)
		goto out;
	fe_net_pair_off(&s.net, 0);
	ring = &s.dev.rings[1];
	bad = fe_mem_end(&s.dev.mem) + (1ull << 20);
	while (fe_now_ms() < end) {
		struct fe_seg seg = {.gpa = s.scratch, .len = 100};
		int place;

		while (fe_ring_get(ring, &cookie, &len) > 0)
			;
		place = fe_ring_add(ring, &seg, 1, 1, 0, &s);
		if (place < 0)
			break;
		fe_ring_publish(ring);
		if (a->arg)
			bend_flags(ring, (uint16_t)place, ring->packed ? ring->held : 0);
		else
			bend_addr(ring, (uint16_t)place, bad);
	}
	rc = fe_session_pass(&s, 300);
out:
	fe_session_close(&s);
	return rc;
}

/* ---- Wrap counters ---- */

/* Where the ring goes on, write a descriptor whose flags do not make it available: nothing happens.
 * Then put them right. */
static int
flip_one(struct fe_session *s, unsigned int q, uint16_t wrong)
{
	struct fe_seg seg = {.gpa = s->scratch, .len = 100, .write = q % 2 == 0};
	struct fe_raw raw = {.addr = seg.gpa, .len = seg.len, .flags = wrong};
	struct fe_ring *ring = &s->dev.rings[q];
	uint16_t at = ring->avail_idx;
	void *cookie;
	uint32_t len;

	if (seg.write)
		raw.flags |= FE_DESC_WRITE;
	fe_ring_raw(ring, &raw, 1);
	fe_ring_publish(ring);
	if (fe_session_pass(s, 100) < 0 || fe_session_told(s, -1) < 0)
		return -1;
	if (*flags_of(ring, at % ring->size) != ring->held)
		return fe_wrong("queue %u took what was not available", q);
	ring->avail_idx = ring->shown = at;
	fe_ring_add(ring, &seg, 1, 1, 0, s);
	fe_ring_publish(ring);
	if (fe_session_pass(s, 100) < 0 || fe_session_told(s, -1) < 0)
		return -1;
	/* What was sent comes back at once, a receive buffer waits for a frame. */
	if (q % 2 != 0 && fe_ring_get(ring, &cookie, &len) != 1)
		return fe_wrong("queue %u does not take what is available", q);
	return 0;
}

static int
run_flip(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev_conf two = *conf;
	struct fe_net_conf few = *net;
	struct fe_session s;
	unsigned int q;
	int rc;

	(void)a;
	two.pairs = 2;
	few.window = 16;
	rc = fe_session_open(&s, &two, &few);
	if (rc == 0 && !s.dev.rings[0].packed)
		rc = fe_wrong("a split ring has no wrap counters");
	fe_net_pair_off(&s.net, 0);
	for (q = 0; q < 2 && rc == 0; q++) {
		rc = flip_one(&s, q, FE_DESC_AVAIL | FE_DESC_USED);
		if (rc == 0)
			rc = flip_one(&s, q, FE_DESC_AVAIL);
		if (rc == 0)
			rc = flip_one(&s, q, FE_DESC_USED);
	}
	fe_session_close(&s);
	return rc;
}

const struct fe_attack fe_attacks_change[] = {
	{"rewrite", "a descriptor's address changes while it is read", run_rewrite, 0},
	{"rewrite-flags", "a descriptor's flags change while it is read", run_rewrite, 1},
	{"wrap-flipped", "packed: flags of another lap", run_flip, 0},
	{0},
};
