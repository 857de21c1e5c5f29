/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "autotest.h"
#include "random.h"
#include "relay_events.h"
#include "relay_twin.h"

/*
 * Plain chains are relayed in vector registers just as without: a queue of each kind is given the
 * same, at random, by a guest and by a device that are now and then unsound. They have to agree in
 * all that can be seen (relay_twin.h), faults included; a broken queue is reset, and goes on.
 */

#define MAX_LEN 300000 /* more pages than the log is asked about at once */
#define EPOCHS	24     /* of a queue; it is reset after each */
#define STEPS	64     /* of an epoch */
#define RUNS	12     /* for all that is negotiated and asked for */
/* Of each region, below the bed's rings. */
#define BUFFERS UINT64_C(0x280000)

#define BIT(n) (1ULL << (n))

/* What a chain has that a plain one has not. */
enum odd {
	ODD_NONE,
	ODD_ID, /* not the next one */
	ODD_TWO,
	ODD_WAY,
	ODD_FLAGS,
	ODD_SPAN,
	ODD_FAULTS, /* from here on */
	ODD_ZERO = ODD_FAULTS,
	ODD_SHORT,
	ODD_HOLE,
	ODD_END,
	ODD_TWICE,
	ODD_BEYOND,
	ODD_ORDER,
	ODD_MAX,
};

static struct twin t;
static struct svq_complaints quiet;
static uint64_t rnd;
static unsigned int next_id;
static unsigned int twice; /* that is posted once more */
/* In this epoch. */
static unsigned int odd_every; /* chains, of which one is odd; 0: none is */
static bool guest_faults, device_faults;
static bool spoilt; /* the guest did what it must not */

static unsigned int
below(unsigned int n)
{
	return (unsigned int)random_below(&rnd, n);
}

static bool
one_in(unsigned int n)
{
	return n != 0 && below(n) == 0;
}

/* Whatever comes of a fault, there is not much to be seen behind it. */
static void
end_soon(void)
{
	t.left = RTE_MIN(t.left, 8u);
}

/* ---- The guest ---- */

static uint64_t
random_gpa(uint32_t len)
{
	switch (below(16)) {
	case 0:
		return BED_HIGH + below(BED_REGION - len);
	case 1:
		return BED_ALIAS + below(BUFFERS - len);
	case 2 ... 3:
		if (t.more != 0)
			return TWIN_MORE_GPA(below(t.more)) + below(TWIN_MORE_SIZE - len);
		/* fall through */
	default:
		return below(BUFFERS - len);
	}
}

static void
make_two(struct twin_chain *c, uint16_t flags)
{
	c->gpa[1] = random_gpa(100);
	c->len[1] = 1 + below(100);
	c->flags[1] = flags;
	t.uses[c->id[0]]++;
	if (t.bed[0].packed || twin_free_id(&t, c->id[0] + 1, &c->id[1]))
		c->n = 2;
	t.uses[c->id[0]]--;
}

/* What is out already, once more. */
static void
make_twice(struct twin_chain *c)
{
	const struct twin_chain *other = &t.out[twice];

	if (twice >= t.n_out)
		return;
	if (t.bed[0].packed)
		c->id[0] = other->id[0];
	else
		*c = *other;
}

static void
make_odd(struct twin_chain *c, enum odd odd)
{
	const uint32_t size = t.conf.guest_size;

	switch (odd) {
	case ODD_TWO:
		make_two(c, c->flags[0]);
		break;
	case ODD_ORDER:
		make_two(c, c->flags[0] ^ VRING_DESC_F_WRITE);
		break;
	case ODD_WAY:
		c->flags[0] ^= VRING_DESC_F_WRITE;
		break;
	case ODD_FLAGS:
		c->flags[0] |= t.bed[0].packed ? 0x100 << below(6) : 0x10 << below(12);
		break;
	case ODD_SPAN:
		c->gpa[0] = BED_HIGH - c->len[0] / 2;
		break;
	case ODD_ZERO:
		c->len[0] = 0;
		break;
	case ODD_SHORT:
		c->len[0] = 1 + below(RTE_MAX(t.conf.net_header, 2u) - 1);
		break;
	case ODD_HOLE:
		c->gpa[0] = one_in(2) ? BED_HOLE + below(4096) : random_u64(&rnd);
		break;
	case ODD_END:
		c->gpa[0] = BED_ALIAS + BED_REGION - c->len[0] / 2;
		break;
	case ODD_TWICE:
		make_twice(c);
		break;
	case ODD_BEYOND:
		c->id[0] = size + (one_in(2) ? 0 : below(30000));
		break;
	default:
		break;
	}
}

/* @return false: there is no id. */
static bool
random_chain(struct twin_chain *c, uint16_t way, enum odd odd)
{
	uint32_t len = RTE_MAX(t.conf.net_header, 1u) + below(one_in(8) ? MAX_LEN : 3000);

	*c = (struct twin_chain){.n = 1, .gpa[0] = random_gpa(len), .len[0] = len, .flags[0] = way};
	if (!twin_free_id(&t, odd == ODD_ID ? below(t.conf.guest_size) : next_id, &c->id[0]))
		return false;
	make_odd(c, odd);
	return true;
}

static void
post(const struct twin_chain *c, enum odd odd)
{
	twin_post(&t, c, odd == ODD_TWICE);
	next_id = c->id[c->n - 1] + 1u;
	if (odd >= ODD_FAULTS) {
		spoilt = true;
		end_soon();
	}
}

/* Which way buffers go that the queue is for; @p other: which they do not. */
static uint16_t
way_of(bool other)
{
	return (t.conf.qid % 2 == 0) != other ? VRING_DESC_F_WRITE : 0;
}

static enum odd
random_odd(void)
{
	enum odd odd;

	if (!one_in(odd_every))
		return ODD_NONE;
	odd = ODD_ID + below(ODD_FAULTS - ODD_ID);
	/* With a header it is a fault. */
	return odd == ODD_WAY && t.conf.net_header != 0 && !guest_faults ? ODD_NONE : odd;
}

static void
post_burst(void)
{
	const uint16_t way = way_of(t.conf.net_header == 0 && one_in(8));
	const enum odd kind = one_in(3) ? ODD_TWICE : ODD_FAULTS + below(ODD_MAX - ODD_FAULTS);
	unsigned int n = 1 + below(40), fault = n, i;

	if (guest_faults && one_in(6)) {
		fault = below(n);
		/* The oldest one's id has others before it that are free. */
		twice = one_in(4) ? below(RTE_MAX(t.n_out, 1u)) : 0;
		/* So that it is the next one, perhaps. */
		if (kind == ODD_TWICE)
			next_id = t.out[twice].id[0] + t.conf.guest_size - fault;
		/* Likewise, behind the last one. */
		if (kind == ODD_BEYOND)
			next_id = 2 * t.conf.guest_size - fault;
	}
	for (i = 0; i < n; i++) {
		enum odd odd = i == fault ? kind : random_odd();
		struct twin_chain c;

		/* To give what it has not is for overrun(). */
		if (!random_chain(&c, way, odd) || (int)c.n > t.places_free)
			return;
		post(&c, odd);
		spoilt |= odd == ODD_WAY && t.conf.net_header != 0;
	}
}

/* A packed ring is filled with chains of two descriptors, which leave ids free; more are then
 * written over those. A split ring's index jumps. */
static void
overrun(void)
{
	struct twin_chain c;
	int n;

	while (t.bed[0].packed && t.places_free > 0) {
		enum odd odd = t.places_free > 1 && !one_in(4) ? ODD_TWO : ODD_NONE;

		if (!random_chain(&c, way_of(false), odd))
			break;
		post(&c, odd);
	}
	while (twin_avail(&t) != 0)
		;
	/* Not over what the relay has still to read. */
	if (twin_broken(&t) || svq_queue_inflight(t.bed[0].q) != t.n_out ||
		(t.bed[0].packed && t.places_free > 0))
		return;
	spoilt = true;
	end_soon();
	for (n = 1 + (int)below(12); t.bed[0].packed && n > 0; n--) {
		if (!random_chain(&c, way_of(false), ODD_NONE))
			break;
		post(&c, ODD_NONE);
	}
	for (n = 0; n < 2 && !t.bed[n].packed; n++)
		t.bed[n].avail->idx = t.bed[n].avail_idx += t.conf.guest_size + 1;
	twin_avail(&t);
}

/* ---- The device ---- */

static void
return_wrong(void)
{
	static const uint16_t both[] = {TWIN_AVAIL, TWIN_USED, TWIN_AVAIL | TWIN_USED};
	uint32_t id = below(t.conf.device_size);
	struct bed *b;
	unsigned int i;

	end_soon();
	/* So it is known what it has. */
	twin_take(&t, UINT_MAX);
	t.astray = t.bed[0].dev_packed;
	switch (below(4)) {
	case 0: /* More bytes than it may write. */
		if (t.n_has != 0)
			twin_return_oldest(&t, 1,
				one_in(4) ? UINT32_MAX : t.has[0].writable + 1 + below(9),
				one_in(2) ? VRING_DESC_F_WRITE : 0);
		break;
	case 1: /* An id that it has not. */
		for (i = 0; i < t.n_has; i++) {
			if (t.has[i].head == id)
				return;
		}
		twin_return(&t, id, 0, 0);
		break;
	case 2: /* One that only looks like one it has, or that is none. */
		if (t.n_has != 0 && !t.bed[0].dev_packed)
			id = t.has[0].head + (one_in(2) ? UINT16_MAX + 1u : t.conf.device_size);
		else
			id = t.conf.device_size + below(2);
		twin_return(&t, id, 0, 0);
		break;
	default: /* More than there are; flags that say neither or nothing new. */
		for (b = t.bed; b < t.bed + 2 && !b->dev_packed; b++)
			b->sused->idx = b->dev_used += t.conf.device_size + 1;
		if (t.n_has != 0 && t.bed[0].dev_packed)
			twin_return_oldest(&t, 1, 0, both[below(RTE_DIM(both))]);
		break;
	}
}

static void
return_burst(void)
{
	const bool in_order = t.conf.device_features & TWIN_IN_ORDER, shuffled = one_in(4);
	unsigned int n = 1 + below(40), fault = n, lengths = below(4), other, i;

	if (device_faults && one_in(6))
		fault = below(n);
	for (i = 0; i < n && t.n_has != 0; i++) {
		unsigned int k = in_order && one_in(8) ? 1 + below(t.n_has) : 1;
		uint32_t most, len;

		if (i == fault) {
			return_wrong();
			continue;
		}
		other = !in_order && shuffled ? below(t.n_has) : 0;
		RTE_SWAP(t.has[0], t.has[other]);
		most = t.has[k - 1].writable;
		len = lengths == 0 ? 0 : lengths == 1 ? most : below(most + 1);
		/* Without WRITE the length may count or not, another one means nothing. */
		twin_return_oldest(&t, k, len,
			one_in(16)	     ? VRING_DESC_F_WRITE
				: one_in(64) ? 0x100 << below(6)
					     : 0);
	}
}

/* ---- All together ---- */

/* Both sides ask for notifications, or not. */
static void
ask(void)
{
	unsigned int seed = below(UINT_MAX), size = 1 + below(100000), i;
	uint64_t gpa = random_gpa(size);
	const bool on = one_in(2);

	for (i = 0; i < 2; i++) {
		srand(seed);
		relay_events_device_ask(&t.bed[i]);
		relay_events_guest_ask(&t.bed[i]);
		svq_queue_listen(t.bed[i].q, on);
	}
	twin_must(&t,
		svq_queue_inflight_overlaps(t.bed[0].q, gpa, size) ==
			svq_queue_inflight_overlaps(t.bed[1].q, gpa, size),
		"buffers in flight");
	twin_compare(&t);
}

static void
step(void)
{
	unsigned int n = 1 + below(3);

	switch (below(32)) {
	case 0 ... 8:
		post_burst();
		/* fall through */
	case 9 ... 13:
		while (n-- != 0)
			twin_avail(&t);
		break;
	case 14 ... 17:
		twin_take(&t, one_in(2) ? UINT_MAX : 1 + below(40));
		break;
	case 18 ... 22:
		twin_take(&t, UINT_MAX);
		return_burst();
		/* fall through */
	case 23 ... 27:
		twin_used(&t);
		break;
	case 28:
		ask();
		break;
	case 29: /* Somebody takes what is logged. */
		memset(t.log, 0, one_in(4) ? sizeof(t.log) : 0);
		break;
	case 30:
		if (one_in(4))
			twin_reattach(&t);
		break;
	default:
		if (guest_faults && one_in(2))
			overrun();
		break;
	}
}

static void
restart(void)
{
	twin_restart(&t, random_u64(&rnd));
	/* Often so that chains taken at once have ids on both sides of a word's border. */
	next_id = t.conf.guest_size > 64 && one_in(2) ? 58 + below(14) : below(t.conf.guest_size);
	spoilt = false;
}

static void
run_epoch(void)
{
	static const unsigned int every[] = {0, 0, 200, 40, 4, 2};
	static const uint64_t logs[] = {0, 0, 3, TWIN_LOG_NEAR - 0x40, TWIN_LOG_BYTES};

	odd_every = every[below(RTE_DIM(every))];
	guest_faults = one_in(3);
	device_faults = one_in(4);
	twin_set_log(&t, logs[below(RTE_DIM(logs))]);
	for (t.left = STEPS; t.left != 0 && !twin_broken(&t); t.left--)
		step();
	twin_recall(&t);
	if (spoilt || one_in(3))
		restart();
}

static uint64_t
draw_features(uint64_t features)
{
	static const uint8_t bits[] = {VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX,
		VIRTIO_F_ORDER_PLATFORM, VIRTIO_F_NOTIFICATION_DATA};
	unsigned int i;

	for (i = 0; i < RTE_DIM(bits); i++)
		features |= one_in(2) ? BIT(bits[i]) : 0;
	return features | BIT(VIRTIO_F_VERSION_1);
}

/* @p bits: what is to be tried with each other. */
static void
run(uint64_t guest, uint64_t device, unsigned int bits)
{
	static const struct {
		uint16_t guest, device;
	} sizes[] = {{16, 16}, {16, 64}, {64, 16}, {32, 32}, {64, 64}, {8, 4}, {128, 128},
		{256, 64}, {7, 16}, {20, 32}, {100, 128}, {100, 64}, {33, 32}, {1, 2}};
	/* The first of them as a rule. */
	static const unsigned int more[] = {0, 0, 0, 1, TWIN_MORE_SCAN, TWIN_MORE};
	/* Split rings are a power of two. */
	const unsigned int of = below(guest & TWIN_PACKED ? RTE_DIM(sizes) : 8);
	struct svq_queue_stats stats;

	t.conf = (struct bed_conf){
		.guest_size = sizes[of].guest,
		.device_size = sizes[of].device,
		.guest_features = draw_features(guest | (bits & 1 ? TWIN_IN_ORDER : 0)),
		.device_features = draw_features(device | (bits & 2 ? TWIN_IN_ORDER : 0)),
		.qid = bits >> 2 & 1,
		.net_header = bits & 8 ? 12 : 0,
		.complaints = &quiet,
	};
	twin_open(&t, more[below(RTE_DIM(more))]);
	restart();
	for (t.epoch = 0; t.epoch < EPOCHS; t.epoch++)
		run_epoch();
	svq_queue_stats(t.bed[1].q, &stats);
	CU_ASSERT(stats.chains > EPOCHS && stats.used > EPOCHS);
	twin_close(&t);
}

static void
run_formats(uint64_t guest, uint64_t device)
{
	unsigned int bits, i;

	rnd = autotest_seed();
	/* What is wrong is not to be logged. */
	quiet.from = rte_get_timer_cycles();
	quiet.lines = SVQ_COMPLAINTS_MAX + 1;
	for (bits = 0; bits < 16; bits++) {
		for (i = 0; i < RUNS; i++)
			run(guest, device, bits);
	}
}

static void
test_split_split(void)
{
	run_formats(0, 0);
}

static void
test_split_packed(void)
{
	run_formats(0, TWIN_PACKED);
}

static void
test_packed_split(void)
{
	run_formats(TWIN_PACKED, 0);
}

static void
test_packed_packed(void)
{
	run_formats(TWIN_PACKED, TWIN_PACKED);
}

static bool
has_avx512(void)
{
#ifdef RTE_ARCH_X86_64
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
	return false;
#endif
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("queue in vector registers", NULL, NULL);

	if (!has_avx512())
		printf("This CPU has no AVX-512: what is compared is the same.\n");
	autotest_add(s, "guest split, device split", test_split_split);
	autotest_add(s, "guest split, device packed", test_split_packed);
	autotest_add(s, "guest packed, device split", test_packed_split);
	autotest_add(s, "guest packed, device packed", test_packed_packed);
}

REGISTER_AUTOTEST(queue_vector_autotest, fill)
