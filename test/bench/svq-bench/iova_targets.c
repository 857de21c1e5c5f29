/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_common.h>

#include "iova.h"

/*
 * What the project wants of its tables, with AVX-512: how many times as much a peer takes, and at
 * most what memory. That a pattern is no dearer than another allows for what repeated measurements
 * differ by.
 */
static struct bench_target targets[] = {
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
	bench_reached(targets, RTE_DIM(targets), name, peer, value);
}

void
iova_bench_targets(struct bench_json *json)
{
	bench_targets(targets, RTE_DIM(targets), json);
}
