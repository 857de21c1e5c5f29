/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_cycles.h>

#include <svq_worker.h>

#include "autotest.h"
#include "pair_sleep.h"
#include "random.h"
#include "relay_bed.h"

/*
 * Pairs that sleep between a guest and a device that each run in a thread of their own, in bursts
 * with silence between, of about the time after which the pair sleeps. Each side notifies exactly
 * when it is asked to; a wake-up that is lost shows as a chain that does not come back.
 */

#define PACKED (1ULL << VIRTIO_F_RING_PACKED)
#define EVENT  (1ULL << VIRTIO_RING_F_EVENT_IDX)

#define SIZE	  16
#define IDLE_US	  30
#define PATIENCE  5  /* seconds */
#define ROUNDS	  50 /* of worker and device, in which they must have seen what there is */
#define RACES	  200000
#define N_PAIRING 8 /* bit 0: the guest's ring is packed; 1: the device's is; 2: EVENT_IDX */

/* Seconds of the stress test; SVQ_SLEEP_SECONDS changes it. */
#define SECONDS 4

/* One pairing of ring formats. */
struct stress {
	struct bed b;
	struct svq_pair pair;
	bool event_idx;
	pthread_t guest, device;
	atomic_bool stop;
	uint64_t seed, device_seed;
	uint64_t end; /* TSC */
	bool lost;
	uint64_t chains, kicks, irqs;
	_Atomic uint64_t device_rounds;
	/* The guest's place in a packed ring. */
	uint16_t put, get;
	bool put_wrap, get_wrap;
};

static struct stress stress[N_PAIRING];

static void
pause_us(uint64_t *seed, unsigned int max)
{
	uint64_t end = rte_rdtsc() + random_below(seed, max + 1) * rte_get_tsc_hz() / 1000000;

	do
		sched_yield();
	while (rte_rdtsc() < end);
}

/* virtio 1.2, 2.8.10, for a ring that was just given @p n descriptors and stands at @p pos. */
static bool
packed_wants(const struct stress *s, const void *area, uint16_t pos, bool wrap, uint16_t n)
{
	uint32_t both = __atomic_load_n((const uint32_t *)area, __ATOMIC_RELAXED);
	uint16_t flags = both >> 16, event = both & 0x7fff;

	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !s->event_idx)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	if ((both >> 15 & 1) != wrap)
		event -= SIZE;
	return vring_need_event(event, pos, pos - n);
}

static void
step(uint16_t *pos, bool *wrap)
{
	if (++*pos == SIZE) {
		*pos = 0;
		*wrap = !*wrap;
	}
}

/* ---- the guest ---- */

static bool
guest_put_packed(struct stress *s, unsigned int n)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)s->b.desc;
	uint16_t first = s->put, flags, first_flags = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_packed_desc *d = &ring[s->put];

		flags = VRING_DESC_F_WRITE |
			(s->put_wrap ? 1 << VRING_PACKED_DESC_F_AVAIL
				     : 1 << VRING_PACKED_DESC_F_USED);
		d->addr = 0x1000 * s->put;
		d->len = 64;
		d->id = s->put;
		if (i == 0)
			first_flags = flags;
		else
			__atomic_store_n(&d->flags, flags, __ATOMIC_RELAXED);
		step(&s->put, &s->put_wrap);
	}
	__atomic_store_n(&ring[first].flags, first_flags, __ATOMIC_RELEASE);
	atomic_thread_fence(memory_order_seq_cst);
	return packed_wants(s, s->b.used, s->put, s->put_wrap, n);
}

static bool
guest_put_split(struct stress *s, unsigned int n)
{
	uint16_t old = s->b.avail_idx, event;
	unsigned int i;

	for (i = 0; i < n; i++) {
		unsigned int at = s->b.avail_idx++ % SIZE;

		bed_desc(&s->b, at, 0x1000 * at, 64, VRING_DESC_F_WRITE, 0);
		s->b.avail->ring[at] = at;
	}
	__atomic_store_n(&s->b.avail->idx, s->b.avail_idx, __ATOMIC_RELEASE);
	atomic_thread_fence(memory_order_seq_cst);
	if (!s->event_idx)
		return !(__atomic_load_n(&s->b.used->flags, __ATOMIC_RELAXED) &
			VRING_USED_F_NO_NOTIFY);
	event = __atomic_load_n((uint16_t *)&s->b.used->ring[SIZE], __ATOMIC_RELAXED);
	return vring_need_event(event, s->b.avail_idx, old);
}

/* Take back what is used. */
static unsigned int
guest_get(struct stress *s)
{
	const struct vring_packed_desc *ring = (struct vring_packed_desc *)s->b.desc;
	unsigned int n = 0;
	uint16_t flags, idx;

	if (!s->b.packed) {
		idx = __atomic_load_n(&s->b.used->idx, __ATOMIC_ACQUIRE);
		n = (uint16_t)(idx - s->b.seen_used);
		s->b.seen_used = idx;
		return n;
	}
	for (;; n++) {
		flags = __atomic_load_n(&ring[s->get].flags, __ATOMIC_ACQUIRE);
		if (!!(flags & 1 << VRING_PACKED_DESC_F_AVAIL) != s->get_wrap ||
			!!(flags & 1 << VRING_PACKED_DESC_F_USED) != s->get_wrap)
			return n;
		step(&s->get, &s->get_wrap);
	}
}

/* What a wait for a burst began with. */
struct wait {
	uint64_t deadline;
	uint64_t worker, device; /* their rounds */
};

static uint64_t
worker_rounds(void)
{
	struct svq_worker_info info[2];

	svq_worker_info(info, RTE_DIM(info));
	return info[0].polls;
}

static void
wait_begin(struct wait *w, struct stress *s)
{
	w->deadline = rte_rdtsc() + PATIENCE * rte_get_tsc_hz();
	w->worker = worker_rounds();
	w->device = atomic_load(&s->device_rounds);
}

/* Whether a wake-up was lost: it took long, and not because the machine ran others. A worker that
 * blocks has a round, too, now and then. */
static bool
wait_over(const struct wait *w, struct stress *s)
{
	return rte_rdtsc() > w->deadline && worker_rounds() - w->worker > ROUNDS &&
		atomic_load(&s->device_rounds) - w->device > ROUNDS;
}

static void *
guest_thread(void *arg)
{
	struct stress *s = arg;
	unsigned int out = 0, n;
	struct wait wait;
	bool kick;

	while (rte_rdtsc() < s->end && !s->lost) {
		n = 1 + random_below(&s->seed, SIZE);
		kick = s->b.packed ? guest_put_packed(s, n) : guest_put_split(s, n);
		if (kick) {
			s->kicks++;
			eventfd_write(s->b.kickfd, 1);
		}
		s->chains += n;
		out = n;
		wait_begin(&wait, s);
		while (out != 0) {
			out -= guest_get(s);
			if (wait_over(&wait, s)) {
				s->lost = true;
				break;
			}
			sched_yield();
		}
		pause_us(&s->seed, 3 * IDLE_US);
	}
	atomic_store(&s->stop, true);
	return NULL;
}

/* ---- the device ---- */

static bool
device_wants(const struct stress *s, uint16_t old, uint16_t places)
{
	uint16_t event;

	atomic_thread_fence(memory_order_seq_cst);
	if (s->b.dev_packed)
		return packed_wants(s, s->b.savail, s->b.dev_used, s->b.dev_used_wrap, places);
	if (!s->event_idx)
		return !(__atomic_load_n(&s->b.savail->flags, __ATOMIC_RELAXED) &
			VRING_AVAIL_F_NO_INTERRUPT);
	event = __atomic_load_n(&s->b.savail->ring[SIZE], __ATOMIC_RELAXED);
	return vring_need_event(event, s->b.dev_used, old);
}

static void *
device_thread(void *arg)
{
	struct stress *s = arg;
	struct bed_chain chain;
	uint64_t seed = s->device_seed;

	while (!atomic_load(&s->stop)) {
		uint16_t ids[SIZE], old = s->b.dev_used;
		unsigned int n = 0, i;

		while (n < SIZE && bed_device_take(&s->b, &chain))
			ids[n++] = chain.head;
		if (n == 0) {
			atomic_fetch_add(&s->device_rounds, 1);
			sched_yield();
			continue;
		}
		/* The pair may fall asleep meanwhile, or be just about to. */
		if (random_below(&seed, 2) == 0)
			pause_us(&seed, 3 * IDLE_US);
		for (i = 0; i < n; i++)
			bed_device_return(&s->b, ids[i], 0);
		if (device_wants(s, old, n)) {
			s->irqs++;
			eventfd_write(s->b.irqfd, 1);
		}
	}
	return NULL;
}

/* ---- the tests ---- */

static void
open_one(struct stress *s, unsigned int pairing, unsigned int seconds)
{
	uint64_t features = pairing & 4 ? EVENT : 0;

	memset(s, 0, sizeof(*s));
	s->event_idx = features & EVENT;
	s->put_wrap = s->get_wrap = true;
	s->seed = autotest_seed() + pairing;
	s->device_seed = ~s->seed;
	s->end = rte_rdtsc() + seconds * rte_get_tsc_hz();
	bed_open_conf(&s->b,
		&(struct bed_conf){
			.guest_size = SIZE,
			.device_size = SIZE,
			.guest_features = features | (pairing & 1 ? PACKED : 0),
			.device_features = features | (pairing & 2 ? PACKED : 0),
			.sleeps = true,
		});
	s->pair =
		(struct svq_pair){.dev = &s->b.dev, .rx = s->b.q, .idle_us = IDLE_US, .lcore = -1};
}

static void
test_stress(void)
{
	const char *text = getenv("SVQ_SLEEP_SECONDS");
	unsigned int seconds = text != NULL ? (unsigned int)atoi(text) : SECONDS, i;
	struct svq_pair_sleep_info info;

	for (i = 0; i < N_PAIRING; i++) {
		open_one(&stress[i], i, seconds);
		CU_ASSERT_EQUAL_FATAL(svq_worker_add(&stress[i].pair, -1), 0);
	}
	for (i = 0; i < N_PAIRING; i++) {
		pthread_create(&stress[i].device, NULL, device_thread, &stress[i]);
		pthread_create(&stress[i].guest, NULL, guest_thread, &stress[i]);
	}
	for (i = 0; i < N_PAIRING; i++) {
		struct stress *s = &stress[i];

		pthread_join(s->guest, NULL);
		pthread_join(s->device, NULL);
		svq_pair_sleep_info(&s->pair, &info);
		printf("%s guest, %s device%s: %" PRIu64 " chains, %" PRIu64 " sleeps, %" PRIu64
		       " kicks, %" PRIu64 " interrupts, %" PRIu64 " us asleep%s\n",
			i & 1 ? "packed" : "split", i & 2 ? "packed" : "split",
			i & 4 ? ", event index" : "", s->chains, info.sleeps, s->kicks, s->irqs,
			info.asleep_us, s->lost ? ": LOST" : "");
		CU_ASSERT_FALSE(s->lost);
		CU_ASSERT_FALSE(info.timed);
		CU_ASSERT_EQUAL(svq_queue_error(s->b.q), SVQ_QUEUE_OK);
		/* It did go to sleep, and both sides were needed to wake it. */
		CU_ASSERT(info.sleeps > 20 * seconds);
		CU_ASSERT(s->kicks > 5 * seconds && s->irqs > 5 * seconds);
		svq_worker_del(&s->pair);
		bed_close(&s->b);
	}
}

/* ---- the barrier ---- */

/*
 * A pair falls asleep at the very moment at which the guest, or the device, publishes: whoever
 * comes second has to see the other. Each round both meet, and set off within nanoseconds of each
 * other.
 */
static struct race {
	struct stress s;
	int core; /* of the pair */
	uint64_t rounds;
	_Atomic uint64_t begun, ended; /* rounds */
	bool returns;		       /* the device publishes, not the guest */
	bool notified;
	struct bed_chain chain;
} race;

/* A moment that differs from round to round, up to some 100 ns. */
static void
dither(uint64_t *seed)
{
	volatile unsigned int i;

	for (i = random_below(seed, 64); i != 0; i--)
		;
}

/* Any core but this one, if there is another. */
static void
leave_core(int core)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	for (i = 0; i < CPU_SETSIZE; i++) {
		if (i != core)
			CPU_SET(i, &set);
	}
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *
publisher(void *arg)
{
	struct race *r = arg;
	uint64_t round, spins;

	leave_core(r->core);
	for (round = 1; round <= r->rounds; round++) {
		for (spins = 1; atomic_load_explicit(&r->begun, memory_order_acquire) < round;
			spins++) {
			if (spins % 10000 == 0)
				sched_yield();
		}
		dither(&r->s.seed);
		if (r->returns) {
			uint16_t old = r->s.b.dev_used;

			bed_device_return(&r->s.b, r->chain.head, 0);
			r->notified = device_wants(&r->s, old, 1);
		} else {
			r->notified = r->s.b.packed ? guest_put_packed(&r->s, 1)
						    : guest_put_split(&r->s, 1);
		}
		atomic_store_explicit(&r->ended, round, memory_order_release);
	}
	return NULL;
}

/* @return rounds in which the pair slept and was not notified of what it had not seen. */
static uint64_t
run_race(struct race *r)
{
	struct svq_pair *pair = &r->s.pair;
	uint64_t round, lost = 0, spins;

	for (round = 1; round <= r->rounds; round++) {
		unsigned int moved;

		r->returns = round % 2 == 0;
		atomic_store_explicit(&r->begun, round, memory_order_release);
		dither(&r->s.device_seed);
		moved = svq_pair_sleep_try(pair, rte_rdtsc());
		for (spins = 1; atomic_load_explicit(&r->ended, memory_order_acquire) < round;
			spins++) {
			if (spins % 10000 == 0)
				sched_yield();
		}
		lost += pair->sleep.asleep && !r->notified;
		svq_pair_event(pair, (uintptr_t)pair, rte_rdtsc());
		while (moved == 0)
			moved = svq_pair_poll(pair);
		if (!r->returns && !bed_device_take(&r->s.b, &r->chain))
			return UINT64_MAX;
		if (r->returns && guest_get(&r->s) != 1)
			return UINT64_MAX;
	}
	return lost;
}

static void
test_race(void)
{
	pthread_t thread;
	unsigned int i;
	int epfd;

	for (i = 0; i < N_PAIRING; i++) {
		memset(&race, 0, sizeof(race));
		race.rounds = RACES;
		race.core = sched_getcpu();
		open_one(&race.s, i, 0);
		epfd = epoll_create1(EPOLL_CLOEXEC);
		CU_ASSERT_FATAL(epfd >= 0);
		svq_pair_sleep_add(&race.s.pair, epfd);
		CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, publisher, &race), 0);
		CU_ASSERT_EQUAL(run_race(&race), 0);
		pthread_join(thread, NULL);
		svq_pair_sleep_del(&race.s.pair, epfd);
		close(epfd);
		bed_close(&race.s.b);
	}
}

/* ---- a device that is polled, with a descriptor of its own ---- */

/* Packets come to it from elsewhere. Its descriptor tells of them, a little before it sees them. */
static struct polled {
	struct stress s;
	struct svq_device_ops ops;
	int fd;		       /* semaphore: packets told of and not taken */
	_Atomic uint64_t seen; /* packets that it can take, in all */
	uint64_t taken;
	_Atomic uint64_t wakes;
} polled;

static unsigned int
polled_poll(struct svq_device *dev, uint16_t pair)
{
	struct bed_chain chain;
	unsigned int n = 0;
	eventfd_t one;

	RTE_SET_USED(dev);
	RTE_SET_USED(pair);
	for (; polled.taken < atomic_load(&polled.seen); polled.taken++) {
		if (!bed_device_take(&polled.s.b, &chain))
			break;
		bed_device_return(&polled.s.b, chain.head, 0);
		(void)eventfd_read(polled.fd, &one);
		n++;
	}
	return n;
}

static int
polled_sleep(struct svq_device *dev, uint16_t pair)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(pair);
	return 1;
}

static void
polled_wake(struct svq_device *dev, uint16_t pair)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(pair);
	atomic_fetch_add(&polled.wakes, 1);
}

static int
polled_fd(struct svq_device *dev, uint16_t pair)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(pair);
	return polled.fd;
}

static void
polled_open(void)
{
	memset(&polled, 0, sizeof(polled));
	polled.fd = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
	open_one(&polled.s, 0, SECONDS);
	polled.ops = *polled.s.b.dev.ops;
	polled.ops.poll = polled_poll;
	polled.ops.poll_sleep = polled_sleep;
	polled.ops.poll_wake = polled_wake;
	polled.ops.poll_fd = polled_fd;
	polled.s.b.dev.ops = &polled.ops;
	CU_ASSERT_EQUAL_FATAL(svq_worker_add(&polled.s.pair, -1), 0);
}

static void
polled_close(void)
{
	svq_worker_del(&polled.s.pair);
	bed_close(&polled.s.b);
	close(polled.fd);
}

/* The guest gives @p n buffers, without a wait. */
static void
polled_post(unsigned int n)
{
	if (guest_put_split(&polled.s, n))
		eventfd_write(polled.s.b.kickfd, 1);
}

/* Whether the guest gets @p n buffers back in time. */
static bool
polled_got(unsigned int n)
{
	uint64_t deadline = rte_rdtsc() + PATIENCE * rte_get_tsc_hz(), rounds = worker_rounds();

	while (n != 0) {
		n -= guest_get(&polled.s);
		if (rte_rdtsc() > deadline && worker_rounds() - rounds > ROUNDS)
			return false;
		sched_yield();
	}
	return true;
}

/* Packets come in bursts; no wake-up is lost, although the device cannot see them yet when it is
 * woken for them. */
static void
test_polled(void)
{
	uint64_t end, seed = autotest_seed();
	struct svq_pair_sleep_info info;
	unsigned int n, bursts = 0;

	polled_open();
	end = polled.s.end;
	while (rte_rdtsc() < end) {
		n = 1 + random_below(&seed, SIZE);
		polled_post(n);
		pause_us(&seed, 3 * IDLE_US);
		eventfd_write(polled.fd, n);
		pause_us(&seed, 2 * IDLE_US);
		atomic_fetch_add(&polled.seen, n);
		CU_ASSERT_FATAL(polled_got(n));
		bursts++;
		pause_us(&seed, 3 * IDLE_US);
	}
	svq_pair_sleep_info(&polled.s.pair, &info);
	printf("%u bursts, %" PRIu64 " sleeps, %" PRIu64 " wakes of the device, %" PRIu64
	       " us asleep\n",
		bursts, info.sleeps, atomic_load(&polled.wakes), info.asleep_us);
	CU_ASSERT(info.sleeps > 20 * SECONDS);
	/* Each sleep that ended, and each try that found work, it was told the end of. */
	CU_ASSERT(atomic_load(&polled.wakes) + 1 >= info.sleeps);
	polled_close();
}

static bool
timed_is(bool timed)
{
	uint64_t deadline = rte_rdtsc() + PATIENCE * rte_get_tsc_hz();
	struct svq_pair_sleep_info info;

	do {
		svq_pair_sleep_info(&polled.s.pair, &info);
		usleep(1000);
	} while (info.timed != timed && rte_rdtsc() < deadline);
	return info.timed == timed;
}

/* The descriptor is readable, and there is nothing: it is looked at by timer instead. */
static void
test_wolf(void)
{
	uint64_t rounds;
	eventfd_t one;

	polled_open();
	polled_post(SIZE);
	eventfd_write(polled.fd, 1);
	CU_ASSERT(timed_is(true));
	rounds = worker_rounds();
	usleep(200000);
	/* Naps double up to 20 ms: some twenty looks, each with a few rounds. */
	CU_ASSERT(worker_rounds() - rounds < 1000);
	/* What comes is seen, and the descriptor is used again. */
	eventfd_write(polled.fd, 3);
	atomic_fetch_add(&polled.seen, 3);
	CU_ASSERT(polled_got(3));
	CU_ASSERT_EQUAL(eventfd_read(polled.fd, &one), 0);
	CU_ASSERT(timed_is(false));
	/* It cries again, and stops without that anything came. */
	eventfd_write(polled.fd, 1);
	CU_ASSERT(timed_is(true));
	CU_ASSERT_EQUAL(eventfd_read(polled.fd, &one), 0);
	CU_ASSERT(timed_is(false));
	eventfd_write(polled.fd, 1);
	atomic_fetch_add(&polled.seen, 1);
	CU_ASSERT(polled_got(1));
	polled_close();
}

static int
init(void)
{
	return svq_worker_start(true) < 1;
}

static int
cleanup(void)
{
	svq_worker_stop();
	return 0;
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("sleep", init, cleanup);

	autotest_add(s, "bursts and silence", test_stress);
	autotest_add(s, "publishing while it falls asleep", test_race);
	autotest_add(s, "a device that is polled", test_polled);
	autotest_add(s, "a device that wakes for nothing", test_wolf);
}

REGISTER_AUTOTEST(sleep_autotest, fill)
