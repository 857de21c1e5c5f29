/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include "bench.h"

void
bench_reached(struct bench_target *targets, unsigned int n, const char *name, const char *peer,
	double value)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (strcmp(targets[i].name, name) == 0 && strcmp(targets[i].peer, peer) == 0) {
			targets[i].reached = value;
			targets[i].measured = true;
		}
	}
}

void
bench_targets(const struct bench_target *targets, unsigned int n, struct bench_json *json)
{
	unsigned int i;

	puts("\n== what is to be reached (with AVX-512)");
	bench_json_array(json, "targets");
	for (i = 0; i < n; i++) {
		const struct bench_target *t = &targets[i];
		bool ok = t->at_most ? t->reached <= t->want : t->reached >= t->want;

		if (!t->measured)
			continue;
		printf("  %-4s %-26s %-22s %s %12.2f %12.2f\n", ok ? "ok" : "MISS", t->name,
			t->peer, t->at_most ? "<=" : ">=", t->want, t->reached);
		bench_json_row(json,
			"\"name\": \"%s\", \"peer\": \"%s\", \"at_most\": %s, \"want\": %.2f, "
			"\"reached\": %.2f",
			t->name, t->peer, t->at_most ? "true" : "false", t->want, t->reached);
	}
}
