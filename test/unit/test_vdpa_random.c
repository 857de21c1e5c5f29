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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "autotest.h"
#include "vdpa_rig.h"

#define QUEUES 4
#define STEPS  30000

static struct rig r;
static uint64_t state;

static unsigned int
pick(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

/* A driver that starts anew forgets its rings. */
static void
guest_restart(void)
{
	memset(r.avail, 0, sizeof(r.avail));
	memset(rig_ptr(&r, 0x10000), 0, QUEUES * 0x4000);
}

static void
give(void)
{
	uint16_t qid = pick(QUEUES), used = rig_used(&r, qid);
	uint64_t gpa = 0x100000 + 2048 * pick(256);

	if ((uint16_t)(r.avail[qid] - used) == RIG_RING)
		return;
	if (r.n_regions > 1 && pick(4) == 0)
		gpa = 0x100000000 + 2048 * pick(256);
	rig_give(&r, qid, gpa, 64 + pick(1500));
}

static void
device_works(void)
{
	uint16_t qid = pick(QUEUES);
	int head;

	if (!mock.started || r.d->vrings[qid].queue == NULL)
		return;
	head = mock_take(qid);
	if (head >= 0)
		mock_return(qid, head, qid % 2 == 0 ? 10 : 0);
}

static void
mem_table(void)
{
	r.region[1] = (struct rig_region){0x100000000, 2 << 20, 4 << 20, 0};
	r.region[2] = (struct rig_region){0x200000000, 1 << 20, 0, 1};
	r.n_regions = 1 + pick(3);
	rig_mem_table(&r);
}

static void
set_log(void)
{
	struct svq_vhost_log log = {.size = 4096 << pick(4)};
	int fd = memfd_create("log", 0);

	CU_ASSERT_EQUAL(ftruncate(fd, log.size), 0);
	rig_send_fd(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), fd);
}

static void
invariants(void)
{
	const struct svq_guest_row *rows;
	unsigned int n = svq_guest_rows(r.d->guest, &rows);
	uint16_t i;

	CU_ASSERT_EQUAL(rig_guest_maps(&r), n);
	CU_ASSERT_EQUAL(
		mock.started, r.d->state == SVQ_VDPA_RUNNING || r.d->state == SVQ_VDPA_PAUSED);
	for (i = 0; i < QUEUES; i++) {
		const struct svq_vdpa_vring *vr = &r.d->vrings[i];
		uint16_t open = r.avail[i] - rig_used(&r, i);

		/* Used entries answer buffers that the guest gave. */
		CU_ASSERT(open <= RIG_RING);
		if (!vr->started)
			continue;
		CU_ASSERT(mock.started);
		CU_ASSERT(svq_queue_inflight(vr->queue) <= open);
		CU_ASSERT_EQUAL(svq_queue_base(vr->queue), rig_used(&r, i));
	}
	for (i = 0; i < QUEUES / 2; i++)
		CU_ASSERT(r.d->state == SVQ_VDPA_RUNNING || r.d->pairs[i].lcore == -1);
	if (r.d->state == SVQ_VDPA_IDLE)
		CU_ASSERT_EQUAL(mock.m.n_maps, 0);
}

static void
step(void)
{
	static const uint64_t no_mq = RIG_FEATURES & ~(1ULL << VIRTIO_NET_F_MQ);
	uint16_t qid = pick(QUEUES), i;

	mock.fail = pick(12) == 0 ? pick(MOCK_OPS) : MOCK_NONE;
	mock.fail_after = 0;
	mock.m.fail_map = pick(20) == 0 ? 1 + pick(8) : 0;
	mock.completes = pick(2);
	switch (pick(24)) {
	case 0:
		stub_disconnect(r.vid);
		guest_restart();
		break;
	case 1:
		if (pick(4) != 0)
			break;
		CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_RESET_OWNER, 0), STUB_OK);
		guest_restart();
		break;
	case 2:
		rig_u64(&r, SVQ_VHOST_SET_FEATURES, pick(8) ? RIG_FEATURES : no_mq);
		break;
	case 3:
		rig_u64(&r, SVQ_VHOST_SET_FEATURES, RIG_FEATURES | 1ULL << VHOST_F_LOG_ALL);
		break;
	case 4:
	case 5:
		mem_table();
		break;
	case 6:
		set_log();
		break;
	case 7:
		rig_vring_call(&r, qid);
		break;
	case 8:
	case 9:
		rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, qid, pick(3) != 0);
		break;
	case 10:
		/* All are stopped, as a driver's reset does; it goes on from there. */
		for (i = 0; i < QUEUES; i++) {
			uint16_t base = rig_stop_vring(&r, i);

			/* Used rings of a vring that was never ready say nothing. */
			if (base != 0)
				CU_ASSERT_EQUAL(base, rig_used(&r, i));
		}
		break;
	case 11:
	case 12:
		if (r.vid >= 0 && stub_conn(r.vid)->open)
			break;
		CU_ASSERT(rig_connect(&r));
		/* fallthrough */
	case 13:
		rig_u64(&r, SVQ_VHOST_SET_FEATURES, RIG_FEATURES);
		mem_table();
		for (i = 0; i < QUEUES; i++) {
			rig_state(&r, SVQ_VHOST_SET_VRING_NUM, i, RIG_RING);
			rig_state(&r, SVQ_VHOST_SET_VRING_BASE, i, rig_used(&r, i));
			rig_vring_addr(&r, i);
			rig_vring_call(&r, i);
			rig_u64(&r, SVQ_VHOST_SET_VRING_KICK, i | SVQ_VHOST_VRING_NOFD);
			rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, i, 1);
		}
		break;
	case 14:
		rig_vring_addr(&r, qid);
		break;
	case 15:
	case 16:
	case 17:
	case 18:
		give();
		break;
	case 19:
	case 20:
		rig_poll(&r, qid / 2);
		break;
	default:
		device_works();
		break;
	}
}

static void
test_random(void)
{
	unsigned int i;

	state = autotest_seed() | 1;
	rig_open(&r, "device=mock,queues=2,queue_size=64");
	CU_ASSERT(rig_connect(&r));
	for (i = 0; i < STEPS; i++) {
		if (!stub_conn(r.vid)->open)
			CU_ASSERT(rig_connect(&r));
		step();
		invariants();
	}
	printf("%" PRIu64 " starts, %" PRIu64 " failed, %" PRIu64 " memory changes, %" PRIu64
	       " recalled, %" PRIu64 " bad rings\n",
		r.d->stats.starts, r.d->stats.start_failures, r.d->stats.mem_changes,
		r.d->stats.recalled, r.d->stats.bad_rings);
	CU_ASSERT(r.d->stats.starts > 100);
	CU_ASSERT(r.d->stats.recalled > 100);
	rig_close(&r);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_random", NULL, NULL);

	autotest_add(s, "random messages", test_random);
}
REGISTER_AUTOTEST(vdpa_random_autotest, fill)
