/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Messages in any order, with a device that fails now and then, and a guest that keeps its buffers
 * counted: whatever happens, no buffer is completed twice or out of nothing, and nothing is left
 * behind.
 */

#include <inttypes.h>
#include <stdio.h>

#include <linux/virtio_config.h>

#include "autotest.h"
#include "vdpa_play.h"

#define STEPS 8000

static struct vdpa_play play;
static uint64_t state;

static unsigned int
pick(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

static void
run(bool liars)
{
	const struct svq_vdpa_port_stats *stats;
	unsigned int i;

	state = autotest_seed() | 1;
	rig_open(&play.r, "device=mock,queues=2,queue_size=64");
	/* What takes one queue away without the others, half of the time. */
	if (state & 2)
		mock.m.dev.info.features |= 1ULL << VIRTIO_F_RING_RESET;
	vdpa_play_begin(&play, pick, liars);
	for (i = 0; i < STEPS; i++) {
		vdpa_play_step(&play);
		vdpa_play_check(&play);
	}
	stats = &play.r.d->stats;
	printf("%" PRIu64 " starts, %" PRIu64 " failed, %" PRIu64 " memory changes, %" PRIu64
	       " recalled, %" PRIu64 " bad rings, %" PRIu64 " chains taken\n",
		stats->starts, stats->start_failures, stats->mem_changes, stats->recalled,
		stats->bad_rings, play.taken);
	CU_ASSERT(stats->starts > 50);
	CU_ASSERT(stats->recalled > 100);
	vdpa_play_end(&play);
	rig_close(&play.r);
}

static void
test_random(void)
{
	run(false);
}

static void
test_liars(void)
{
	run(true);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_random", NULL, NULL);

	autotest_add(s, "random messages", test_random);
	autotest_add(s, "random messages with any values, a device that lies", test_liars);
}
REGISTER_AUTOTEST(vdpa_random_autotest, fill)
