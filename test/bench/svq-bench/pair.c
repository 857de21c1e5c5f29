/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "clock.h"
#include "pair.h"

#define ROUNDS	  400
#define SAMPLE_NS 100000
#define BURST	  32

enum { OURS, VHOST, N_BEDS };
enum { ALL = PAIR_STAGES, N_COLUMNS };

enum { OPT_RING = 256, OPT_JOB, OPT_BYTES };

static const struct option longopts[] = {
	{"ring", required_argument, NULL, OPT_RING},
	{"job", required_argument, NULL, OPT_JOB},
	{"bytes", required_argument, NULL, OPT_BYTES},
	{0},
};

static struct pair_bed beds[N_BEDS];
/* What is asked for; NULL and 0: both. */
static const char *ring, *job;
static unsigned int bytes;

static unsigned int
near_side(void *arg, bool *busy)
{
	struct pair_bed *b = arg;

	return b->poll(b->ctx, busy);
}

static void
far_side(void *arg)
{
	struct pair_bed *b = arg;

	pair_guest_run(&b->guest);
}

/* One core plays both sides in turn; only the back-end is timed. @return packets. */
static unsigned int
step(struct pair_bed *b, uint64_t ticks[N_COLUMNS], unsigned int *clocks)
{
	uint64_t begin;
	unsigned int i, n = 0;
	bool busy;

	pair_guest_run(&b->guest);
	if (b->stages[0] == NULL) {
		begin = bench_clock();
		n = b->poll(b->ctx, &busy);
		ticks[ALL] += bench_clock() - begin;
		(*clocks)++;
		return n;
	}
	for (i = 0; i < PAIR_STAGES; i++) {
		begin = bench_clock();
		n = b->stages[i](b->ctx);
		ticks[i] += bench_clock() - begin;
	}
	(*clocks)++;
	return n;
}

static void
sample(struct pair_bed *b, double ns[N_COLUMNS])
{
	const double tick_ns = 1e9 / rte_get_tsc_hz(), clock = bench_clock_ticks();
	const uint64_t end = bench_clock() + (uint64_t)(SAMPLE_NS / tick_ns);
	uint64_t ticks[N_COLUMNS] = {0}, packets = 0;
	unsigned int clocks = 0, i;

	while (bench_clock() < end)
		packets += step(b, ticks, &clocks);
	packets = RTE_MAX(packets, UINT64_C(1));
	for (i = 0; i < N_COLUMNS; i++)
		ns[i] = RTE_MAX(ticks[i] - clocks * clock, 0.0) * tick_ns / packets;
	if (b->stages[0] != NULL)
		ns[ALL] = ns[PAIR_AVAIL] + ns[PAIR_DEVICE] + ns[PAIR_USED];
}

static int
one_core(unsigned int rounds, struct bench_samples columns[N_COLUMNS])
{
	unsigned int round, i, k, first;
	int ret = 0;

	for (k = 0; k < N_COLUMNS; k++) {
		columns[k].ns = NULL;
		if (ret == 0)
			ret = bench_samples_alloc(&columns[k], N_BEDS, rounds);
	}
	for (round = 0; round < rounds && ret == 0; round++) {
		first = bench_random_below(N_BEDS);
		for (i = 0; i < N_BEDS; i++) {
			unsigned int at = (first + i) % N_BEDS;
			double ns[N_COLUMNS];

			sample(&beds[at], ns); /* warms up */
			sample(&beds[at], ns);
			for (k = 0; k < N_COLUMNS; k++)
				columns[k].ns[at * rounds + round] = ns[k];
		}
	}
	return ret;
}

static int
check(void)
{
	unsigned int i, k;

	for (i = 0; i < N_BEDS; i++) {
		struct pair_guest *g = &beds[i].guest;
		bool busy;

		for (k = 0; k < 1000; k++) {
			pair_guest_run(g);
			beds[i].poll(beds[i].ctx, &busy);
		}
		if (g->sent < 1000 || g->rx.wrong || g->tx.wrong ||
			(g->conf->loopback ? g->received > g->sent || g->received < 1000
					   : g->received != 0)) {
			fprintf(stderr,
				"svq-bench: pair: %s: packets go astray: sent %lu, received %lu\n",
				beds[i].name, g->sent, g->received);
			return -EINVAL;
		}
	}
	return 0;
}

static void
report(const struct pair_case *c, const struct bench_samples columns[N_COLUMNS],
	const struct bench_samples *two, const struct bench_samples *busy, struct bench_json *json)
{
	double ratio = bench_ratio(&columns[ALL], VHOST, OURS);
	char name[64];
	unsigned int i;

	snprintf(name, sizeof(name), "%s %s %u", c->packed ? "packed" : "split",
		c->loopback ? "loopback" : "null", c->bytes);
	printf("  %-20s", name);
	for (i = 0; i < N_COLUMNS; i++)
		printf(" %7.1f", bench_median(&columns[i], OURS));
	printf(" %7.1f %6.2fx", bench_median(&columns[ALL], VHOST), ratio);
	bench_json_row(json,
		"\"name\": \"%s\", \"avail_ns\": %.3f, \"device_ns\": %.3f, \"used_ns\": %.3f, "
		"\"ns\": %.3f, \"vhost_ns\": %.3f, \"ratio\": %.3f",
		name, bench_median(&columns[PAIR_AVAIL], OURS),
		bench_median(&columns[PAIR_DEVICE], OURS), bench_median(&columns[PAIR_USED], OURS),
		bench_median(&columns[ALL], OURS), bench_median(&columns[ALL], VHOST), ratio);
	if (two->ns == NULL) {
		putchar('\n');
		return;
	}
	printf(" | %7.2f %7.2f %6.2fx %7.1f %7.1f %6.2fx\n", 1e3 / bench_median(two, OURS),
		1e3 / bench_median(two, VHOST), bench_ratio(two, VHOST, OURS),
		bench_median(busy, OURS), bench_median(busy, VHOST),
		bench_ratio(busy, VHOST, OURS));
	bench_json_row(json,
		"\"name\": \"%s\", \"cores\": 2, \"mpps\": %.3f, \"vhost_mpps\": %.3f, "
		"\"ratio\": %.3f, \"busy_ns\": %.3f, \"vhost_busy_ns\": %.3f, "
		"\"busy_ratio\": %.3f",
		name, 1e3 / bench_median(two, OURS), 1e3 / bench_median(two, VHOST),
		bench_ratio(two, VHOST, OURS), bench_median(busy, OURS), bench_median(busy, VHOST),
		bench_ratio(busy, VHOST, OURS));
}

static int
measure(const struct pair_case *c, const struct bench_opts *opts, struct bench_json *json)
{
	const unsigned int rounds = ROUNDS / (opts->quick ? 4 : 1);
	struct bench_samples columns[N_COLUMNS], two = {0}, busy = {0};
	struct bench_sides pairs[N_BEDS];
	struct bench_flaws flaws;
	unsigned int i;
	int ret;

	ret = one_core(rounds, columns);
	for (i = 0; i < N_BEDS; i++)
		pairs[i] = (struct bench_sides){near_side, far_side, &beds[i]};
	if (ret == 0 && bench_other_core() >= 0)
		ret = bench_measure_two_cores(pairs, N_BEDS, rounds, &two, &busy, &flaws);
	if (ret == 0)
		report(c, columns, &two, &busy, json);
	if (ret == 0 && two.ns != NULL)
		bench_flaws_report(&flaws, &two);
	for (i = 0; i < N_COLUMNS; i++)
		bench_samples_free(&columns[i]);
	bench_samples_free(&two);
	bench_samples_free(&busy);
	return ret;
}

static int
bench_case(const struct pair_case *c, const struct bench_opts *opts, struct bench_json *json)
{
	int (*const open[N_BEDS])(struct pair_bed *) = {pair_ours_open, pair_vhost_open};
	static const char *const names[N_BEDS] = {"ours", "net_vhost"};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < N_BEDS; i++) {
		beds[i] = (struct pair_bed){.name = names[i], .guest.fd = -1};
		if (ret == 0)
			ret = pair_guest_open(&beds[i].guest, c);
		if (ret == 0)
			ret = open[i](&beds[i]);
	}
	if (ret == 0)
		ret = check();
	if (ret == 0 && !opts->check)
		ret = measure(c, opts, json);
	for (i = 0; i < N_BEDS; i++) {
		if (beds[i].close != NULL)
			beds[i].close(beds[i].ctx);
		pair_guest_close(&beds[i].guest);
	}
	if (ret < 0)
		fprintf(stderr, "svq-bench: pair: %s\n", strerror(-ret));
	return ret;
}

static int
one_of(const char *name, const char *arg, const char *a, const char *b, const char **value)
{
	*value = arg;
	if (strcmp(arg, a) == 0 || strcmp(arg, b) == 0)
		return 0;
	fprintf(stderr, "svq-bench: --%s is %s or %s, not '%s'\n", name, a, b, arg);
	return -EINVAL;
}

static int
option(int val, const char *arg)
{
	if (val == OPT_RING)
		return one_of("ring", arg, "split", "packed", &ring);
	if (val == OPT_JOB)
		return one_of("job", arg, "null", "loopback", &job);
	bytes = strtoul(arg, NULL, 0);
	if (bytes >= 64 && bytes <= 1500)
		return 0;
	fprintf(stderr, "svq-bench: --bytes is a number from 64 to 1500, not '%s'\n", arg);
	return -EINVAL;
}

static int
run(const struct bench_opts *opts)
{
	struct bench_json *json;
	unsigned int i;
	int ret = bench_eal_init(!opts->check);

	if (ret < 0)
		return ret;
	json = bench_json_open(opts->json, "pair");
	if (opts->json != NULL && json == NULL)
		return -1;
	if (!opts->check) {
		printf("== a pair's back-end, ours beside net_vhost; %u cores\n", bench_n_cores());
		puts("   one core: ns a packet; two, the guest on the other: Mpps, and ns in "
		     "rounds "
		     "that moved something\n");
		printf("  %-20s %7s %7s %7s %7s %7s %7s | %7s %7s %7s %7s %7s %7s\n", "", "avail",
			"device", "used", "ours", "vhost", "ratio", "ours", "vhost", "ratio",
			"ours ns", "vhost", "ratio");
	}
	bench_json_array(json, "cases");
	for (i = 0; i < 8 && ret == 0; i++) {
		struct pair_case c = {i & 4, i & 2, i & 1 ? 1500 : 64};

		if (bytes != 0 && i & 1)
			continue;
		if (bytes != 0)
			c.bytes = bytes;
		if ((ring == NULL || (strcmp(ring, "packed") == 0) == c.packed) &&
			(job == NULL || (strcmp(job, "loopback") == 0) == c.loopback))
			ret = bench_case(&c, opts, json);
	}
	if (bench_json_close(json) < 0)
		ret = -1;
	return ret;
}

const struct bench_command bench_pair = {
	.name = "pair",
	.help = "a pair's whole back-end, relay and software device, beside DPDK's net_vhost",
	.options = "  --ring, --job, --bytes  as of e2e\n",
	.longopts = longopts,
	.option = option,
	.run = run,
};
