/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_common.h>

#include "relay.h"

/*
 * What the project wants of its relay, one descriptor a chain: how many times as much QEMU's
 * algorithm takes without notifications, and at most how many times as much a dirty log makes it.
 */
static struct bench_target targets[] = {
	{"split-split, 3 regions", "QEMU", false, 22},
	{"packed-packed, 3 regions", "QEMU", false, 30},
	{"packed-packed scalar, 3 regions", "QEMU", false, 12},
	{"split-packed, 3 regions", "QEMU", false, 12},
	{"packed-split, 3 regions", "QEMU", false, 12},
	{"split-split, 64 regions", "QEMU", false, 70},
	{"packed-packed, 64 regions", "QEMU", false, 70},
	{"split-split log, 3 regions", "no log", true, 1.3},
	{"split-packed log, 3 regions", "no log", true, 1.3},
	{"packed-split log, 3 regions", "no log", true, 1.3},
	{"packed-packed log, 3 regions", "no log", true, 1.3},
	{"two cores, split-split, 3 regions", "QEMU", false, 14},
	{"two cores, packed-packed, 3 regions", "QEMU", false, 14},
};

void
relay_reached(const char *name, const char *peer, double value)
{
	bench_reached(targets, RTE_DIM(targets), name, peer, value);
}

void
relay_bench_targets(struct bench_json *json)
{
	bench_targets(targets, RTE_DIM(targets), json);
}
