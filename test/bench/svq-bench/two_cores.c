/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "bench.h"
#include "line.h"

/* Long beside the cache misses of changing over, short beside a time slice. */
#define SAMPLE_NS 200000
#define WARM_NS	  30000
/*
 * A sample in which either thread had its core for less than that share is taken again, so many
 * times at most: it would tell of other programs.
 */
#define SHARE	0.98
#define RETRIES 200
/*
 * While a line takes longer from core to core, the host has placed them far apart. It places them
 * anew at times, rather while we sleep. So long do we wait for it, in all.
 */
#define NEAR_NS 100
#define NAP_US	20000
#define WAIT_NS 20e9
#define MAX	32

struct far_side {
	const struct bench_sides *_Atomic sides; /* whom to serve, or NULL */
	atomic_bool stop;
	clockid_t clock; /* CPU time of its thread */
	struct bench_line line;
	struct bench_sides ask; /* the line */
};

static void
answer(void *arg)
{
	bench_line_answer(arg);
}

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

/* What a line takes from core to core. */
static double
distance(struct far_side *far)
{
	atomic_store_explicit(&far->sides, &far->ask, memory_order_release);
	return bench_line_ns(&far->line);
}

/* Wait until the cores are near each other, if that is still worth while. @return what a line
 * takes. */
static double
come_near(struct far_side *far)
{
	static double waited;
	double begin = bench_now(), ns;

	while ((ns = distance(far)) > NEAR_NS && waited + bench_now() - begin < WAIT_NS)
		usleep(NAP_US);
	waited += bench_now() - begin;
	return ns;
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

static void
measure(struct far_side *far, const struct bench_sides *sides, unsigned int n,
	struct bench_samples *samples, struct bench_samples *busy, float *lines,
	struct bench_flaws *flaws)
{
	unsigned int retries, order[MAX], round, i;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (round = 0; round < samples->rounds; round++) {
		bench_shuffle(order, n);
		for (i = 0; i < n; i++) {
			size_t at = (size_t)order[i] * samples->rounds + round;
			double ns, busy_ns, before, line;
			bool whole;

			for (retries = 0; retries < RETRIES; retries++) {
				before = come_near(far);
				whole = sample(far, &sides[order[i]], &ns, &busy_ns);
				line = distance(far);
				if (whole && (line <= NEAR_NS || before > NEAR_NS))
					break;
			}
			flaws->disturbed += retries == RETRIES;
			flaws->apart += RTE_MAX(line, before) > NEAR_NS;
			lines[at] = line;
			samples->ns[at] = ns;
			busy->ns[at] = busy_ns;
		}
	}
	flaws->line_ns = bench_median_of(lines, n * samples->rounds);
}

int
bench_measure_two_cores(const struct bench_sides *sides, unsigned int n, unsigned int rounds,
	struct bench_samples *samples, struct bench_samples *busy, struct bench_flaws *flaws)
{
	struct far_side far = {.ask = {.far = answer, .arg = &far.line}};
	float *lines = calloc((size_t)n * rounds, sizeof(*lines));
	pthread_t thread;
	int ret;

	*flaws = (struct bench_flaws){0};
	samples->ns = busy->ns = NULL;
	ret = lines == NULL || n > MAX ? -ENOMEM : bench_samples_alloc(samples, n, rounds);
	if (ret == 0)
		ret = bench_samples_alloc(busy, n, rounds);
	if (ret == 0)
		ret = bench_thread_create(&thread, run_far_side, &far);
	if (ret < 0) {
		bench_samples_free(samples);
		bench_samples_free(busy);
		free(lines);
		return ret;
	}
	pthread_getcpuclockid(thread, &far.clock);
	measure(&far, sides, n, samples, busy, lines, flaws);
	atomic_store(&far.stop, true);
	pthread_join(thread, NULL);
	free(lines);
	return 0;
}

void
bench_flaws_report(const struct bench_flaws *flaws, const struct bench_samples *samples)
{
	const unsigned int n = samples->n_subjects * samples->rounds;

	if (flaws->disturbed != 0)
		printf("  (%u of %u samples have lost their core to other programs)\n",
			flaws->disturbed, n);
	if (flaws->apart != 0)
		printf("  (in %u of %u samples the two cores were far apart; a line takes %.0f "
		       "ns)\n",
			flaws->apart, n, flaws->line_ns);
}
