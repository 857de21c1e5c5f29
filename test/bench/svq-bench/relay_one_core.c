/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "clock.h"
#include "relay.h"

/* A sample is short beside a time slice; what is timed of it is about half of it. */
#define SAMPLE_NS 30000
#define ROUNDS	  1000

enum { AVAIL, USED, BOTH, N_SIDES };

static uint64_t
timed(unsigned int (*move)(void *relay), void *relay, unsigned int n)
{
	uint64_t begin = bench_clock();

	while (n != 0)
		n -= move(relay);
	return bench_clock() - begin;
}

/*
 * Relay so many bursts, and time only the relay.
 *
 * @return ns of either side, all bursts.
 */
static void
relay_bursts(
	struct relay_bed *b, const struct relay_shape *shape, unsigned int bursts, double ns[2])
{
	const double tick_ns = 1e9 / rte_get_tsc_hz(), clock = bench_clock_ticks();
	uint64_t ticks[2] = {0};
	unsigned int i, n;

	for (i = 0; i < bursts; i++) {
		n = relay_driver_post(&b->driver, shape->burst);
		ticks[AVAIL] += timed(b->avail, b->relay, n);
		relay_device_run(&b->device, n);
		ticks[USED] += timed(b->used, b->relay, n);
		relay_driver_reap(&b->driver, n);
	}
	for (i = 0; i < 2; i++)
		ns[i] = RTE_MAX(ticks[i] - bursts * clock, 0.0) * tick_ns;
}

static unsigned int
calibrate(struct relay_bed *b, const struct relay_shape *shape)
{
	double ns[2], best = 1e12;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		relay_bursts(b, shape, 1, ns);
		best = RTE_MIN(best, ns[AVAIL] + ns[USED]);
	}
	best = SAMPLE_NS / RTE_MAX(best, 1.0);
	return RTE_MAX(best, 1.0);
}

static int
measure(struct relay_bed *beds, unsigned int n, const struct relay_shape *shape,
	unsigned int rounds, struct bench_samples samples[N_SIDES])
{
	/* Once round the ring, and all of the relay's memory is in the caches again. */
	const unsigned int warm = RTE_MAX(shape->ring / shape->burst / shape->descs, 1u);
	const unsigned int chains = RTE_MIN(shape->burst, shape->ring / shape->descs);
	unsigned int bursts[RELAY_BEDS], order[RELAY_BEDS], round, i, k;
	int ret = 0;

	for (i = 0; i < N_SIDES; i++) {
		samples[i].ns = NULL;
		if (ret == 0)
			ret = bench_samples_alloc(&samples[i], n, rounds);
	}
	for (i = 0; i < n; i++) {
		bursts[i] = calibrate(&beds[i], shape);
		order[i] = i;
	}
	for (round = 0; round < rounds && ret == 0; round++) {
		bench_shuffle(order, n);
		for (i = 0; i < n; i++) {
			struct relay_bed *b = &beds[order[i]];
			size_t at = (size_t)order[i] * rounds + round;
			double ns[2];

			relay_bursts(b, shape, warm, ns);
			relay_bursts(b, shape, bursts[order[i]], ns);
			for (k = 0; k < 2; k++)
				samples[k].ns[at] = ns[k] / bursts[order[i]] / chains;
			samples[BOTH].ns[at] = samples[AVAIL].ns[at] + samples[USED].ns[at];
		}
	}
	for (i = 0; i < n; i++) {
		/* A time is worth nothing if chains are lost. */
		if (beds[i].driver.wrong || beds[i].device.wrong)
			ret = -EINVAL;
	}
	return ret;
}

/* The bed that is like another but for one thing. */
static unsigned int
find(const struct relay_bed *beds, unsigned int n, bool qemu, const struct relay_variant *like,
	bool log, bool notify)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct relay_variant *v = &beds[i].variant;

		if (v->qemu == qemu && v->log == log && v->notify == notify &&
			(qemu ||
				(v->guest_packed == like->guest_packed &&
					v->device_packed == like->device_packed &&
					v->scalar == like->scalar)))
			return i;
	}
	return 0;
}

static void
report(const struct relay_bed *beds, unsigned int n, const struct relay_shape *shape,
	const char *what, const struct bench_samples samples[N_SIDES], struct bench_json *json)
{
	const struct bench_samples *both = &samples[BOTH];
	unsigned int i;

	printf("\n%u descriptor%s a chain, %u regions (%s)\n", shape->descs,
		shape->descs > 1 ? "s" : "", shape->regions, what);
	printf("  %-24s %8s %8s %8s %8s %10s %10s\n", "guest's-device's ring", "avail", "used",
		"both", "min", "QEMU /", "/ no log");
	for (i = 0; i < n; i++) {
		const struct relay_variant *v = &beds[i].variant;
		unsigned int peer = find(beds, n, true, v, false, v->notify);
		unsigned int plain = find(beds, n, v->qemu, v, false, v->notify);
		double ratio = bench_ratio(both, peer, i), log = bench_ratio(both, i, plain);
		char name[64];

		printf("  %-24s %8.2f %8.2f %8.2f %8.2f %9.2fx", v->name,
			bench_median(&samples[AVAIL], i), bench_median(&samples[USED], i),
			bench_median(both, i), bench_min(both, i), ratio);
		printf(v->log ? " %9.2fx\n" : "\n", log);
		bench_json_row(json,
			"\"name\": \"%s\", \"qemu\": %s, \"descs\": %u, \"regions\": %u, "
			"\"log\": %s, \"notify\": %s, \"avail_ns\": %.3f, \"used_ns\": %.3f, "
			"\"ns\": %.3f, \"min_ns\": %.3f, \"ratio\": %.3f, \"log_ratio\": %.3f",
			v->name, v->qemu ? "true" : "false", shape->descs, shape->regions,
			v->log ? "true" : "false", v->notify ? "true" : "false",
			bench_median(&samples[AVAIL], i), bench_median(&samples[USED], i),
			bench_median(both, i), bench_min(both, i), ratio, log);
		snprintf(name, sizeof(name), "%s, %u regions", v->name, shape->regions);
		if (shape->descs == 1 && !v->log)
			relay_reached(name, "QEMU", ratio);
		if (shape->descs == 1 && v->log)
			relay_reached(name, "no log", log);
	}
}

int
relay_one_core(struct relay_bed *beds, unsigned int n, const struct relay_shape *shape,
	const char *what, const struct bench_opts *opts, struct bench_json *json)
{
	struct bench_samples samples[N_SIDES];
	unsigned int i;
	int ret;

	ret = measure(beds, n, shape, ROUNDS / (opts->quick ? 5 : 1), samples);
	if (ret == 0)
		report(beds, n, shape, what, samples, json);
	else
		fprintf(stderr, "svq-bench: relay: %s\n", strerror(-ret));
	for (i = 0; i < N_SIDES; i++)
		bench_samples_free(&samples[i]);
	return ret;
}
