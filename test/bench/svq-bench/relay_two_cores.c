/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The relay on one core; driver and device, which poll as it does, on another.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "relay.h"

/* Long beside the cache misses of changing over, short beside a time slice. */
#define SAMPLE_NS 200000
#define WARM_NS	  30000
#define ROUNDS	  500
/*
 * A sample in which either thread had its core for less than that share is taken again, so many
 * times at most: it would tell of other programs.
 */
#define SHARE	0.98
#define RETRIES 200

struct far_side {
	struct relay_bed *_Atomic bed; /* whom to serve, or NULL */
	atomic_bool stop;
	unsigned int burst;
	clockid_t clock; /* CPU time of its thread */
};

static void *
run_far_side(void *arg)
{
	struct far_side *far = arg;

	while (!atomic_load_explicit(&far->stop, memory_order_relaxed)) {
		struct relay_bed *b = atomic_load_explicit(&far->bed, memory_order_acquire);
		struct relay_driver *d;

		if (b == NULL) {
			rte_pause();
			continue;
		}
		d = &b->driver;
		if (d->chains - (d->posted - d->reaped) >= far->burst)
			relay_driver_post(d, far->burst);
		relay_device_run(&b->device, far->burst);
		relay_driver_reap(d, far->burst);
	}
	return NULL;
}

/* Relay for so long. @return chains that went there and back. */
static uint64_t
relay_for(struct relay_bed *b, uint64_t ticks, uint64_t *took)
{
	uint64_t begin = rte_rdtsc(), chains = 0;
	unsigned int i;

	do {
		/* Reading the clock is not to be part of what is measured. */
		for (i = 0; i < 8; i++) {
			b->avail(b->relay);
			chains += b->used(b->relay);
		}
		*took = rte_rdtsc() - begin;
	} while (*took < ticks);
	return chains;
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
sample(struct far_side *far, struct relay_bed *b, double *ns)
{
	const double per_ns = rte_get_tsc_hz() / 1e9;
	double mine, theirs, wall;
	uint64_t took, chains;

	atomic_store_explicit(&far->bed, b, memory_order_release);
	relay_for(b, (uint64_t)(WARM_NS * per_ns), &took);
	mine = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
	theirs = cpu_ns(far->clock);
	wall = cpu_ns(CLOCK_MONOTONIC);
	chains = relay_for(b, (uint64_t)(SAMPLE_NS * per_ns), &took);
	wall = cpu_ns(CLOCK_MONOTONIC) - wall;
	theirs = cpu_ns(far->clock) - theirs;
	mine = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - mine;
	*ns = took / per_ns / RTE_MAX(chains, UINT64_C(1));
	return mine >= SHARE * wall && theirs >= SHARE * wall;
}

/* @return samples that were disturbed all the same. */
static unsigned int
measure(struct far_side *far, struct relay_bed *const *beds, unsigned int n, unsigned int rounds,
	struct bench_samples *samples)
{
	unsigned int disturbed = 0, retries;
	unsigned int order[RELAY_BEDS], round, i;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (round = 0; round < rounds; round++) {
		bench_shuffle(order, n);
		for (i = 0; i < n; i++) {
			unsigned int k = order[i];
			double ns;

			for (retries = 0; !sample(far, beds[k], &ns) && retries < RETRIES;
				retries++)
				;
			disturbed += retries == RETRIES;
			samples->ns[(size_t)k * rounds + round] = ns;
		}
	}
	return disturbed;
}

static void
report(struct relay_bed *const *beds, unsigned int n, const struct relay_shape *shape,
	const struct bench_samples *samples, unsigned int disturbed, struct bench_json *json)
{
	unsigned int i;

	if (disturbed > 0)
		printf("  (%u of %u samples have lost their core to other programs)\n", disturbed,
			n * samples->rounds);
	printf("  %-24s %8s %8s %10s\n", "two cores", "Mpps", "best", "/ QEMU");
	for (i = 0; i < n; i++) {
		const struct relay_variant *v = &beds[i]->variant;
		double ratio = bench_ratio(samples, 0, i);
		char name[64];

		printf("  %-24s %8.2f %8.2f %9.2fx\n", v->name, 1e3 / bench_median(samples, i),
			1e3 / bench_min(samples, i), ratio);
		bench_json_row(json,
			"\"name\": \"%s\", \"cores\": 2, \"qemu\": %s, \"descs\": %u, "
			"\"regions\": %u, \"mpps\": %.3f, \"best_mpps\": %.3f, \"ratio\": %.3f",
			v->name, v->qemu ? "true" : "false", shape->descs, shape->regions,
			1e3 / bench_median(samples, i), 1e3 / bench_min(samples, i), ratio);
		snprintf(name, sizeof(name), "two cores, %s, %u regions", v->name, shape->regions);
		if (shape->descs == 1)
			relay_reached(name, "QEMU", ratio);
	}
}

int
relay_two_cores(struct relay_bed *beds, unsigned int n, const struct relay_shape *shape,
	const struct bench_opts *opts, struct bench_json *json)
{
	const unsigned int rounds = ROUNDS / (opts->quick ? 5 : 1);
	struct far_side far = {
		.burst = RTE_MIN(shape->burst, shape->ring / shape->descs),
	};
	struct relay_bed *plain[RELAY_BEDS];
	struct bench_samples samples;
	unsigned int n_plain = 0, disturbed = 0, i;
	pthread_t thread;
	int ret;

	if (bench_other_core() < 0)
		return 0;
	/* QEMU's comes first, as in the table of variants. */
	for (i = 0; i < n; i++) {
		if (!beds[i].variant.log && !beds[i].variant.notify)
			plain[n_plain++] = &beds[i];
	}
	ret = bench_samples_alloc(&samples, n_plain, rounds);
	if (ret < 0)
		return ret;
	ret = bench_thread_create(&thread, run_far_side, &far);
	if (ret == 0) {
		pthread_getcpuclockid(thread, &far.clock);
		disturbed = measure(&far, plain, n_plain, rounds, &samples);
		atomic_store(&far.stop, true);
		pthread_join(thread, NULL);
		for (i = 0; i < n_plain; i++) {
			if (plain[i]->driver.wrong || plain[i]->device.wrong)
				ret = -EINVAL;
		}
	}
	if (ret == 0)
		report(plain, n_plain, shape, &samples, disturbed, json);
	else
		fprintf(stderr, "svq-bench: relay on two cores: %s\n", strerror(-ret));
	bench_samples_free(&samples);
	return ret;
}
