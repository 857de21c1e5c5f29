/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The relay on one core; driver and device, which poll as it does, on another.
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "relay.h"

#define ROUNDS 500

static void
far_side(void *arg)
{
	struct relay_bed *b = arg;
	struct relay_driver *d = &b->driver;

	if (d->chains - (d->posted - d->reaped) >= b->burst)
		relay_driver_post(d, b->burst);
	relay_device_run(&b->device, b->burst);
	relay_driver_reap(d, b->burst);
}

static unsigned int
near_side(void *arg, bool *busy)
{
	struct relay_bed *b = arg;
	unsigned int given = b->avail(b->relay), back = b->used(b->relay);

	*busy = given + back != 0;
	return back;
}

static void
report(const struct bench_sides *pairs, unsigned int n, const struct relay_shape *shape,
	const struct bench_samples *samples, const struct bench_samples *busy,
	const struct bench_flaws *flaws, struct bench_json *json)
{
	unsigned int i;

	bench_flaws_report(flaws, samples);
	printf("  %-24s %8s %8s %10s %9s\n", "two cores", "Mpps", "best", "/ QEMU", "busy ns");
	for (i = 0; i < n; i++) {
		const struct relay_bed *b = pairs[i].arg;
		const struct relay_variant *v = &b->variant;
		double ratio = bench_ratio(samples, 0, i);
		char name[64];

		printf("  %-24s %8.2f %8.2f %9.2fx %9.2f\n", v->name,
			1e3 / bench_median(samples, i), 1e3 / bench_min(samples, i), ratio,
			bench_median(busy, i));
		bench_json_row(json,
			"\"name\": \"%s\", \"cores\": 2, \"qemu\": %s, \"descs\": %u, "
			"\"regions\": %u, \"mpps\": %.3f, \"best_mpps\": %.3f, \"ratio\": %.3f, "
			"\"busy_ns\": %.3f",
			v->name, v->qemu ? "true" : "false", shape->descs, shape->regions,
			1e3 / bench_median(samples, i), 1e3 / bench_min(samples, i), ratio,
			bench_median(busy, i));
		snprintf(name, sizeof(name), "two cores, %s, %u regions", v->name, shape->regions);
		if (shape->descs == 1)
			relay_reached(name, "QEMU", ratio);
	}
}

int
relay_two_cores(struct relay_bed *beds, unsigned int n, const struct relay_shape *shape,
	const struct bench_opts *opts, struct bench_json *json)
{
	struct bench_samples samples, busy;
	struct bench_sides pairs[RELAY_BEDS];
	unsigned int n_pairs = 0, i;
	struct bench_flaws flaws;
	int ret;

	if (bench_other_core() < 0)
		return 0;
	/* QEMU's comes first, as in the table of variants. */
	for (i = 0; i < n; i++) {
		if (!beds[i].variant.log && !beds[i].variant.notify)
			pairs[n_pairs++] = (struct bench_sides){near_side, far_side, &beds[i]};
	}
	ret = bench_measure_two_cores(
		pairs, n_pairs, ROUNDS / (opts->quick ? 5 : 1), &samples, &busy, &flaws);
	if (ret < 0) {
		fprintf(stderr, "svq-bench: relay on two cores: %s\n", strerror(-ret));
		return ret;
	}
	for (i = 0; i < n; i++) {
		if (beds[i].driver.wrong || beds[i].device.wrong)
			ret = -EINVAL;
	}
	if (ret == 0)
		report(pairs, n_pairs, shape, &samples, &busy, &flaws, json);
	else
		fprintf(stderr, "svq-bench: relay on two cores: chains were lost\n");
	bench_samples_free(&samples);
	bench_samples_free(&busy);
	return ret;
}
