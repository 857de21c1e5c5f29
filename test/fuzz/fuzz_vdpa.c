/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The vDPA driver against a stub of librte_vhost: operations, messages of any value, memory tables,
 * faults of the device, in the order that the input says. What must hold: vdpa_play.c and
 * vdpa_rig.c, whose assertions end the run.
 */

#include <inttypes.h>

#include <linux/virtio_config.h>

#include <CUnit/CUnit.h>
#include <rte_cycles.h>

#include "fuzz.h"
#include "vdpa_play.h"

static struct vdpa_play play;
static uint64_t steps;

/* In place of CUnit's: there is no run whose failures could be counted. */
CU_BOOL
CU_assertImplementation(CU_BOOL value, unsigned int line, const char *condition, const char *file,
	const char *function, CU_BOOL fatal)
{
	RTE_SET_USED(function);
	RTE_SET_USED(fatal);
	if (!value) {
		fprintf(stderr, "FIND: %s:%u: %s\n", file, line, condition);
		abort();
	}
	return value;
}

/* The driver gives a device milliseconds to complete what it has; here it does not get better. */
uint64_t __wrap_rte_get_tsc_hz(void);

uint64_t
__wrap_rte_get_tsc_hz(void)
{
	return 1000000;
}

static unsigned int
pick(unsigned int n)
{
	return fuzz_take(n <= 256 ? 1 : 2) % n;
}

static void
report(FILE *f)
{
	const struct svq_vdpa_port_stats *stats = &play.r.d->stats;

	fprintf(f,
		"did: %" PRIu64 " steps, %.0f a second; %" PRIu64 " starts, %" PRIu64
		" that failed, %" PRIu64 " memory changes, %" PRIu64 " chains taken, %" PRIu64
		" recalled, %" PRIu64 " bad rings; %" PRIu64 " inputs\n",
		steps, (double)steps / fuzz_seconds(), stats->starts, stats->start_failures,
		stats->mem_changes, play.taken, stats->recalled, stats->bad_rings, fuzz_inputs());
	rig_close(&play.r);
}

static void
init(void)
{
	play.r.vid = -1;
	rig_open(&play.r, "device=mock,queues=2,queue_size=64");
}

static void
input(void)
{
	uint64_t reset = 1ULL << VIRTIO_F_RING_RESET;
	unsigned int shape;

	shape = pick(4);
	mock.m.dev.info.features &= ~reset;
	if (shape & 1)
		mock.m.dev.info.features |= reset;
	vdpa_play_begin(&play, pick, shape & 2);
	while (fuzz_more()) {
		vdpa_play_step(&play);
		vdpa_play_check(&play);
		steps++;
	}
	vdpa_play_end(&play);
}

const struct fuzz_target fuzz_target = {
	.name = "fuzz_vdpa",
	.init = init,
	.input = input,
	.report = report,
};
