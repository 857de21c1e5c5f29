/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <rte_common.h>

#include "iova.h"

/*
 * What the project wants of its tables, with AVX-512: how many times as much a peer takes, and at
 * most what memory. That a pattern is no dearer than another allows for what repeated measurements
 * differ by.
 */
static struct target {
	const char *name; /* as handed to iova_reached() */
	const char *peer;
	bool at_most;
	double want;
	double reached;
} targets[] = {
	{"random 3", "QEMU (GTree foreach)", false, 25},
	{"random 8", "QEMU (GTree foreach)", false, 35},
	{"random 512", "QEMU (GTree foreach)", false, 500},
	{"random 3", "librte_vhost (scan)", false, 8},
	{"random 8", "librte_vhost (scan)", false, 8},
	{"random 2", "rte_hash", false, 12},
	{"random 3", "rte_hash", false, 12},
	{"random 8", "rte_hash", false, 12},
	{"random 64", "rte_hash", false, 12},
	{"random 512", "rte_hash", false, 12},
	{"random 3 scalar", "QEMU (GTree foreach)", false, 5},
	{"random 8 scalar", "QEMU (GTree foreach)", false, 5},
	{"ours 2", "alternating", true, 1.05},
	{"ours 3", "alternating", true, 1.05},
	{"ours 8", "alternating", true, 1.05},
	{"ours 64", "alternating", true, 1.05},
	{"ours 512", "alternating", true, 1.05},
	{"memory", "8", true, 64 * 1024},
	{"memory", "512", true, 4 * 1024 * 1024},
};

void
iova_reached(const char *name, const char *peer, double value)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(targets); i++) {
		if (strcmp(targets[i].name, name) == 0 && strcmp(targets[i].peer, peer) == 0)
			targets[i].reached = value;
	}
}

void
iova_bench_targets(struct bench_json *json)
{
	unsigned int i;

	puts("\n== what is to be reached (with AVX-512)");
	bench_json_array(json, "targets");
	for (i = 0; i < RTE_DIM(targets); i++) {
		const struct target *t = &targets[i];
		bool ok = t->at_most ? t->reached <= t->want : t->reached >= t->want;

		printf("  %-4s %-18s %-22s %s %12.2f %12.2f\n", ok ? "ok" : "MISS", t->name,
			t->peer, t->at_most ? "<=" : ">=", t->want, t->reached);
		bench_json_row(json,
			"\"name\": \"%s\", \"peer\": \"%s\", \"at_most\": %s, \"want\": %.2f, "
			"\"reached\": %.2f",
			t->name, t->peer, t->at_most ? "true" : "false", t->want, t->reached);
	}
}
