/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "bench.h"

/* Long beside the cache misses of changing over, short beside a time slice. */
#define SAMPLE_NS 200000
#define WARM_NS	  30000
/*
 * A sample in which either thread had its core for less than that share is taken again, so many
 * times at most: it would tell of other programs.
 */
#define SHARE	0.98
#define RETRIES 200
#define MAX	32

struct far_side {
	const struct bench_sides *_Atomic sides; /* whom to serve, or NULL */
	atomic_bool stop;
	clockid_t clock; /* CPU time of its thread */
};

static void *
run_far_side(void *arg)
{
	struct far_side *far = arg;

	while (!atomic_load_explicit(&far->stop, memory_order_relaxed)) {
		const struct bench_sides *p =
			atomic_load_explicit(&far->sides, memory_order_acquire);

		if (p != NULL)
			p->far(p->arg);
		else
			rte_pause();
	}
	return NULL;
}

/* The near side for so long. @return operations done. */
static uint64_t
run_near_side(const struct bench_sides *p, uint64_t ticks, uint64_t *took, uint64_t *busy)
{
	uint64_t begin = rte_rdtsc(), before = begin, now, done = 0;

	*busy = 0;
	do {
		bool worked;
		unsigned int n = p->near(p->arg, &worked);

		now = rte_rdtsc();
		if (worked)
			*busy += now - before;
		done += n;
		before = now;
	} while (now - begin < ticks);
	*took = now - begin;
	return done;
}

static double
cpu_ns(clockid_t clock)
{
	struct timespec ts = {0};

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* @return whether both threads had their cores for themselves. */
static bool
sample(struct far_side *far, const struct bench_sides *p, double *ns, double *busy_ns)
{
	const double per_ns = rte_get_tsc_hz() / 1e9;
	uint64_t took, busy, done;
	double mine, theirs, wall;

	atomic_store_explicit(&far->sides, p, memory_order_release);
	run_near_side(p, (uint64_t)(WARM_NS * per_ns), &took, &busy);
	mine = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
	theirs = cpu_ns(far->clock);
	wall = cpu_ns(CLOCK_MONOTONIC);
	done = run_near_side(p, (uint64_t)(SAMPLE_NS * per_ns), &took, &busy);
	wall = cpu_ns(CLOCK_MONOTONIC) - wall;
	theirs = cpu_ns(far->clock) - theirs;
	mine = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - mine;
	done = RTE_MAX(done, UINT64_C(1));
	*ns = took / per_ns / done;
	*busy_ns = busy / per_ns / done;
	return mine >= SHARE * wall && theirs >= SHARE * wall;
}

static unsigned int
measure(struct far_side *far, const struct bench_sides *sides, unsigned int n,
	struct bench_samples *samples, struct bench_samples *busy)
{
	unsigned int disturbed = 0, retries, order[MAX], round, i;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (round = 0; round < samples->rounds; round++) {
		bench_shuffle(order, n);
		for (i = 0; i < n; i++) {
			size_t at = (size_t)order[i] * samples->rounds + round;
			double ns, busy_ns;

			for (retries = 0;
				!sample(far, &sides[order[i]], &ns, &busy_ns) && retries < RETRIES;
				retries++)
				;
			disturbed += retries == RETRIES;
			samples->ns[at] = ns;
			busy->ns[at] = busy_ns;
		}
	}
	return disturbed;
}

int
bench_measure_two_cores(const struct bench_sides *sides, unsigned int n, unsigned int rounds,
	struct bench_samples *samples, struct bench_samples *busy)
{
	struct far_side far = {.sides = NULL};
	pthread_t thread;
	int ret;

	busy->ns = NULL;
	if (n > MAX)
		return -EINVAL;
	ret = bench_samples_alloc(samples, n, rounds);
	if (ret == 0)
		ret = bench_samples_alloc(busy, n, rounds);
	if (ret == 0)
		ret = bench_thread_create(&thread, run_far_side, &far);
	if (ret < 0) {
		bench_samples_free(samples);
		bench_samples_free(busy);
		return ret;
	}
	pthread_getcpuclockid(thread, &far.clock);
	ret = measure(&far, sides, n, samples, busy);
	atomic_store(&far.stop, true);
	pthread_join(thread, NULL);
	return ret;
}
