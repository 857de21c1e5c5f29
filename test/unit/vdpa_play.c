/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "autotest.h"
#include "vdpa_play.h"

#define QUEUES VDPA_PLAY_QUEUES

/* ---- the guest ---- */

/* A driver that starts anew forgets its rings. */
static void
guest_restart(struct vdpa_play *p)
{
	memset(p->r.avail, 0, sizeof(p->r.avail));
	memset(p->r.mem[0] + 0x10000, 0, QUEUES * 0x4000);
	p->lied = false;
}

static void
give(struct vdpa_play *p, uint16_t qid)
{
	uint16_t used = rig_used(&p->r, qid);
	uint64_t gpa = 0x100000 + 2048 * p->pick(256);

	if ((uint16_t)(p->r.avail[qid] - used) >= RIG_RING)
		return;
	if (p->r.n_regions > 1 && p->pick(4) == 0)
		gpa = 0x100000000 + 2048 * p->pick(256);
	rig_give(&p->r, qid, gpa, 64 + p->pick(1500));
}

/* ---- the device ---- */

/* What the device knows of a ring is of the ring that it was given last. */
static bool
device_has(struct vdpa_play *p, uint16_t qid)
{
	if (!mock.started || p->r.d->vrings[qid].queue == NULL || mock.is_reset[qid] ||
		mock.queue[qid].size == 0)
		return false;
	if (p->queue[qid].era != mock.era[qid]) {
		p->queue[qid].era = mock.era[qid];
		p->queue[qid].n_held = 0;
		p->queue[qid].blind = false;
	}
	return true;
}

static void
device_takes(struct vdpa_play *p, uint16_t qid)
{
	int head;

	if (p->queue[qid].blind || p->queue[qid].n_held == RIG_RING)
		return;
	head = mock_take(qid);
	if (head < 0)
		return;
	p->queue[qid].held[p->queue[qid].n_held++] = head;
	p->taken++;
}

static void
device_returns(struct vdpa_play *p, uint16_t qid)
{
	unsigned int n = p->queue[qid].n_held, at;

	if (p->queue[qid].blind || n == 0)
		return;
	at = p->pick(n);
	mock_return(qid, p->queue[qid].held[at], qid % 2 == 0 ? 10 : 0);
	p->queue[qid].held[at] = p->queue[qid].held[n - 1];
	p->queue[qid].n_held--;
}

static void
device_works(struct vdpa_play *p)
{
	uint16_t qid = p->pick(QUEUES);

	if (!device_has(p, qid))
		return;
	switch (p->pick(p->liars ? 8 : 4)) {
	case 0:
		device_takes(p, qid);
		break;
	case 1:
		device_returns(p, qid);
		break;
	case 4:
		mock_return(qid, p->pick(2) ? p->pick(64) : p->pick(65536), p->pick(2000));
		p->queue[qid].blind = true;
		p->lied = true;
		break;
	case 5:
		mock.status = SVQ_DEVICE_S_NEEDS_RESET;
		break;
	default:
		device_takes(p, qid);
		device_returns(p, qid);
		break;
	}
}

/* There, and most of it back. */
static void
traffic(struct vdpa_play *p, uint16_t qid, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		give(p, qid);
	rig_poll(&p->r, qid / 2);
	if (!device_has(p, qid))
		return;
	for (i = 0; i < n; i++)
		device_takes(p, qid);
	for (i = p->pick(n + 1); i != 0; i--)
		device_returns(p, qid);
	rig_poll(&p->r, qid / 2);
}

/* ---- the front-end ---- */

static void
mem_table(struct vdpa_play *p)
{
	p->r.region[1] = (struct rig_region){0x100000000, 2 << 20, 4 << 20, 0};
	p->r.region[2] = (struct rig_region){0x200000000, 1 << 20, 0, 1};
	p->r.n_regions = 1 + p->pick(3);
	rig_mem_table(&p->r);
}

static void
set_log(struct vdpa_play *p)
{
	struct svq_vhost_log log = {.size = 4096ull << p->pick(4)};
	int fd = memfd_create("log", 0);

	CU_ASSERT_EQUAL(ftruncate(fd, log.size), 0);
	rig_send_fd(&p->r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), fd);
}

static void
configure(struct vdpa_play *p)
{
	uint16_t i;

	rig_u64(&p->r, SVQ_VHOST_SET_FEATURES, RIG_FEATURES);
	mem_table(p);
	for (i = 0; i < QUEUES; i++) {
		rig_state(&p->r, SVQ_VHOST_SET_VRING_NUM, i, RIG_RING);
		rig_state(&p->r, SVQ_VHOST_SET_VRING_BASE, i, rig_used(&p->r, i));
		rig_vring_addr(&p->r, i);
		rig_vring_call(&p->r, i);
		rig_u64(&p->r, SVQ_VHOST_SET_VRING_KICK, i | SVQ_VHOST_VRING_NOFD);
		rig_state(&p->r, SVQ_VHOST_SET_VRING_ENABLE, i, 1);
	}
}

static void
stop_all(struct vdpa_play *p)
{
	uint16_t i;

	/* As a driver's reset does; it goes on from there. */
	for (i = 0; i < QUEUES; i++) {
		uint16_t base = rig_stop_vring(&p->r, i);

		/* Used rings of a vring that was never ready say nothing. */
		if (base != 0 && !p->lied)
			CU_ASSERT_EQUAL(base, rig_used(&p->r, i));
	}
}

/* Values that a front-end has no business to send, and some that it has. */
static uint64_t
value(struct vdpa_play *p)
{
	static const uint64_t odd[] = {0, 1, 2, 63, 64, 128, 255, 256, 0x8000, 0xffff, 0x10000,
		1ULL << 32, UINT64_C(0x600000010000), UINT64_C(0x600000011000),
		UINT64_C(0x6000001ff000), 1ULL << 63, UINT64_MAX - 4095, UINT64_MAX};

	return p->pick(3) != 0 ? odd[p->pick(RTE_DIM(odd))] : p->pick(65536);
}

/* Any message with any payload; descriptors come with it or do not. */
static void
lie(struct vdpa_play *p)
{
	uint32_t request = p->pick(48);
	uint64_t payload[8];
	unsigned int i;
	int fd = -1;

	for (i = 0; i < RTE_DIM(payload); i++)
		payload[i] = value(p);
	/* Of a vring, mostly: two numbers of 32 bits. */
	if (p->pick(2) != 0)
		payload[0] = p->pick(QUEUES + 2) | value(p) << 32;
	if (p->pick(4) == 0)
		fd = memfd_create("lie", 0);
	rig_send_fd(&p->r, request, payload, 8 * p->pick(9), fd);
	p->lied = true;
}

/* ---- all of them ---- */

static void
reconnect(struct vdpa_play *p)
{
	if (p->r.vid < 0 || !stub_conn(p->r.vid)->open)
		CU_ASSERT_FATAL(rig_connect(&p->r));
}

void
vdpa_play_begin(struct vdpa_play *p, vdpa_pick pick, bool liars)
{
	p->pick = pick;
	p->liars = liars;
	mock.fail = MOCK_NONE;
	mock.m.fail_map = 0;
	guest_restart(p);
	reconnect(p);
}

void
vdpa_play_step(struct vdpa_play *p)
{
	static const uint64_t no_mq = RIG_FEATURES & ~(1ULL << VIRTIO_NET_F_MQ);
	struct rig *r = &p->r;
	uint16_t qid = p->pick(QUEUES);

	mock.fail = p->pick(16) == 15 ? p->pick(MOCK_OPS) : MOCK_NONE;
	mock.fail_after = 0;
	mock.m.fail_map = p->pick(20) == 19 ? 1 + p->pick(8) : 0;
	mock.completes = p->pick(4) == 3;
	if (mock.completes)
		p->queue[qid].blind |= qid % 2 != 0;
	/* A broken device is found out soon, not at once. */
	if (p->pick(4) != 0)
		rig_alarms();
	reconnect(p);
	switch (p->pick(p->liars ? 32 : 28)) {
	case 0:
	case 11:
	case 12:
		configure(p);
		break;
	case 13:
		stub_disconnect(r->vid);
		guest_restart(p);
		break;
	case 1:
		if (p->pick(4) != 0)
			break;
		CU_ASSERT_EQUAL(rig_u64(r, SVQ_VHOST_RESET_OWNER, 0), STUB_OK);
		guest_restart(p);
		break;
	case 2:
		rig_u64(r, SVQ_VHOST_SET_FEATURES, p->pick(8) ? RIG_FEATURES : no_mq);
		break;
	case 3:
		rig_u64(r, SVQ_VHOST_SET_FEATURES, RIG_FEATURES | 1ULL << VHOST_F_LOG_ALL);
		break;
	case 4:
	case 5:
		mem_table(p);
		break;
	case 6:
		set_log(p);
		break;
	case 7:
		rig_vring_call(r, qid);
		break;
	case 8:
	case 9:
		rig_state(r, SVQ_VHOST_SET_VRING_ENABLE, qid, p->pick(3) != 0);
		break;
	case 10:
		stop_all(p);
		break;
	case 14:
		rig_vring_addr(r, qid);
		break;
	case 15:
	case 16:
	case 17:
	case 18:
		give(p, qid);
		break;
	case 19:
	case 20:
		rig_poll(r, qid / 2);
		break;
	case 21:
	case 22:
	case 23:
	case 24:
		traffic(p, qid, 1 + p->pick(8));
		break;
	case 28:
	case 29:
		lie(p);
		break;
	default:
		device_works(p);
		break;
	}
}

void
vdpa_play_check(struct vdpa_play *p)
{
	struct svq_vdpa *d = p->r.d;
	const struct svq_guest_row *rows;
	unsigned int n = svq_guest_rows(d->guest, &rows);
	uint16_t i;

	CU_ASSERT_EQUAL(rig_guest_maps(&p->r), n);
	CU_ASSERT_EQUAL(mock.started,
		(d->state == SVQ_VDPA_RUNNING || d->state == SVQ_VDPA_PAUSED) && !d->quarantined);
	for (i = 0; i < QUEUES; i++) {
		const struct svq_vdpa_vring *vr = &d->vrings[i];
		uint16_t open = p->r.avail[i] - rig_used(&p->r, i);

		if (vr->started)
			CU_ASSERT(mock.started || d->quarantined);
		if (p->lied)
			continue;
		/* Used entries answer buffers that the guest gave. */
		CU_ASSERT(open <= RIG_RING);
		if (!vr->started)
			continue;
		CU_ASSERT(svq_queue_inflight(vr->queue) <= open);
		CU_ASSERT_EQUAL(svq_queue_base(vr->queue), rig_used(&p->r, i));
	}
	for (i = 0; i < QUEUES / 2; i++)
		CU_ASSERT(d->state == SVQ_VDPA_RUNNING || d->pairs[i].lcore == -1);
	if (d->state == SVQ_VDPA_IDLE)
		CU_ASSERT_EQUAL(mock.m.n_maps, 0);
}

void
vdpa_play_end(struct vdpa_play *p)
{
	mock.fail = MOCK_NONE;
	mock.m.fail_map = 0;
	rig_alarms();
	if (p->r.vid >= 0)
		stub_disconnect(p->r.vid);
	CU_ASSERT_EQUAL(mock.m.n_maps, 0);
	CU_ASSERT_FALSE(mock.started);
}
