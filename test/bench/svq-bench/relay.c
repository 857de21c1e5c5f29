/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "relay.h"

enum { OPT_RING = 256, OPT_BURST, OPT_DESCS, OPT_REGIONS, OPT_PAIRING };

static const struct option longopts[] = {
	{"ring", required_argument, NULL, OPT_RING},
	{"burst", required_argument, NULL, OPT_BURST},
	{"descs", required_argument, NULL, OPT_DESCS},
	{"regions", required_argument, NULL, OPT_REGIONS},
	{"pairing", required_argument, NULL, OPT_PAIRING},
	{0},
};

/* QEMU's come first: all others are compared with them. */
const struct relay_variant relay_variants[] = {
	{"QEMU", true, false, false, false, false},
	{"QEMU log", true, false, false, true, false},
	{"QEMU notify", true, false, false, false, true},
	{"split-split", false, false, false, false, false},
	{"split-packed", false, false, true, false, false},
	{"packed-split", false, true, false, false, false},
	{"packed-packed", false, true, true, false, false},
	{"split-split log", false, false, false, true, false},
	{"split-packed log", false, false, true, true, false},
	{"packed-split log", false, true, false, true, false},
	{"packed-packed log", false, true, true, true, false},
	{"packed-packed scalar", false, true, true, false, false, true},
	{"packed-packed scalar log", false, true, true, true, false, true},
	{"split-split notify", false, false, false, false, true},
	{"split-packed notify", false, false, true, false, true},
	{"packed-split notify", false, true, false, false, true},
	{"packed-packed notify", false, true, true, false, true},
};
const unsigned int relay_n_variants = RTE_DIM(relay_variants);

/* 0: all that the benchmark knows of. */
static struct relay_shape asked = {.ring = 256, .burst = 32};
static const char *pairing;

static int
number(const char *what, const char *arg, unsigned int min, unsigned int max, unsigned int *value)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 0);

	if (*arg == '\0' || *end != '\0' || n < min || n > max) {
		fprintf(stderr, "svq-bench: --%s is a number from %u to %u, not '%s'\n", what, min,
			max, arg);
		return -EINVAL;
	}
	*value = n;
	return 0;
}

static int
power(const char *what, const char *arg, unsigned int min, unsigned int max, unsigned int *value)
{
	int ret = number(what, arg, min, max, value);

	if (ret == 0 && !rte_is_power_of_2(*value)) {
		fprintf(stderr, "svq-bench: --%s is a power of two, not %u\n", what, *value);
		ret = -EINVAL;
	}
	return ret;
}

static int
option_pairing(const char *arg)
{
	unsigned int i;

	for (i = 0; i < relay_n_variants; i++) {
		if (strcmp(relay_variants[i].name, arg) == 0 && !relay_variants[i].qemu) {
			pairing = arg;
			return 0;
		}
	}
	fprintf(stderr,
		"svq-bench: --pairing is the guest's and the device's format, "
		"as split-packed, not '%s'\n",
		arg);
	return -EINVAL;
}

static int
option(int val, const char *arg)
{
	switch (val) {
	case OPT_RING:
		return power("ring", arg, 32, RELAY_RING_MAX, &asked.ring);
	case OPT_BURST:
		return number("burst", arg, 1, RELAY_RING_MAX, &asked.burst);
	case OPT_DESCS:
		return power("descs", arg, 1, 32, &asked.descs);
	case OPT_REGIONS:
		return number("regions", arg, 2, IOVA_ROWS_MAX, &asked.regions);
	default:
		return option_pairing(arg);
	}
}

/* Whether a variant is of the pairing asked for. QEMU's are always there to compare with. */
static bool
wanted(const struct relay_variant *v)
{
	size_t n = pairing != NULL ? strlen(pairing) : 0;

	return v->qemu ||
		(strncmp(v->name, pairing != NULL ? pairing : "", n) == 0 &&
			(n == 0 || v->name[n] == '\0' || v->name[n] == ' '));
}

static int
bench_shape(const struct relay_shape *shape, const struct bench_opts *opts, struct bench_json *json)
{
	static struct relay_memory memory;
	static struct relay_bed beds[RELAY_BEDS];
	unsigned int n = 0, i;
	int ret;

	RTE_BUILD_BUG_ON(RTE_DIM(relay_variants) > RELAY_BEDS);
	ret = relay_memory_open(&memory, shape->regions);
	if (ret < 0)
		return ret;
	for (i = 0; i < relay_n_variants && ret == 0; i++) {
		if (!wanted(&relay_variants[i]))
			continue;
		ret = relay_bed_open(&beds[n], &relay_variants[i], shape, &memory, n);
		n += ret == 0;
	}
	if (ret == 0)
		ret = relay_check(beds, n, shape);
	if (ret == 0 && !opts->check)
		ret = relay_one_core(beds, n, shape, memory.layout.what, opts, json);
	if (ret == 0 && !opts->check)
		ret = relay_two_cores(beds, n, shape, opts, json);
	while (n > 0)
		relay_bed_close(&beds[--n]);
	relay_memory_close(&memory);
	return ret;
}

static int
run(const struct bench_opts *opts)
{
	static const unsigned int descs[] = {1, 2, 8}, regions[] = {3, 8, 64};
	struct bench_json *json;
	unsigned int d, r;
	int ret = bench_eal_init(!opts->check);

	if (ret < 0)
		return ret;
	json = bench_json_open(opts->json, "relay");
	if (opts->json != NULL && json == NULL)
		return -1;
	if (!opts->check)
		printf("== ns a chain on one core, Mpps with driver and device on another; "
		       "in bursts of %u, rings of %u; %u core%s\n",
			asked.burst, asked.ring, bench_n_cores(), bench_n_cores() > 1 ? "s" : "");
	bench_json_array(json, "cases");
	for (r = 0; r < RTE_DIM(regions) && ret == 0; r++) {
		for (d = 0; d < RTE_DIM(descs) && ret == 0; d++) {
			struct relay_shape shape = asked;

			if (shape.descs == 0)
				shape.descs = descs[d];
			else if (d != 0)
				continue;
			if (shape.regions == 0)
				shape.regions = regions[r];
			else if (r != 0)
				continue;
			ret = bench_shape(&shape, opts, json);
		}
	}
	if (ret == 0 && !opts->check)
		relay_bench_targets(json);
	if (bench_json_close(json) < 0)
		ret = -1;
	return ret;
}

const struct bench_command bench_relay = {
	.name = "relay",
	.help = "shadow virtqueues beside QEMU's algorithm",
	.options = "  --ring N     descriptors of either ring (256)\n"
		   "  --burst N    chains that driver and device publish at once (32)\n"
		   "  --descs N    descriptors a chain (1, 2 and 8)\n"
		   "  --regions N  of guest memory: 2, 3, 8, 64 or 512 (3, 8 and 64)\n"
		   "  --pairing P  guest's and device's format, as split-packed (all)\n",
	.longopts = longopts,
	.option = option,
	.run = run,
};
