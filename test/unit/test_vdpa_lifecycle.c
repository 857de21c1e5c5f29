/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The life cycle, operation by operation: what librte_vhost calls for each kind of message, and
 * what must be true afterwards.
 */

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "autotest.h"
#include "vdpa_rig.h"

#define BUF 0x100000

static struct rig r;

static void
test_connect(void)
{
	int old, vid[SVQ_VDPA_MAX_CONNS], i;

	rig_open(&r, RIG_ARGS);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
	CU_ASSERT(rig_connect(&r));
	CU_ASSERT_PTR_NOT_NULL(stub_conn(r.vid)->handlers.pre_msg_handle);
	/* The first to say something has the device. */
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_GET_FEATURES, 0), STUB_REPLIED);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_CONNECTED);
	CU_ASSERT_EQUAL(r.d->vid, r.vid);
	stub_disconnect(r.vid);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
	CU_ASSERT(rig_connect(&r));
	rig_start(&r, RIG_FEATURES, 2);
	CU_ASSERT_EQUAL(rig_port_stats().connections, 2);
	CU_ASSERT_EQUAL(rig_port_stats().disconnections, 1);

	/* Another one is turned away when it speaks, and disturbs nothing. */
	old = r.vid;
	CU_ASSERT(rig_connect(&r));
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_FEATURES, 0), STUB_NACK);
	rig_msg.flags = 0;
	CU_ASSERT_EQUAL(stub_send(r.vid, &rig_msg), STUB_DROPPED);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT_EQUAL(r.d->vid, old);
	/* Unless the old one's end just had not been noticed when it came. */
	CU_ASSERT(rig_connect(&r));
	stub_disconnect(old);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
	rig_start(&r, RIG_FEATURES, 2);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);

	/* There is room for so many that say nothing. */
	for (i = 0; i < SVQ_VDPA_MAX_CONNS; i++)
		vid[i] = stub_connect(rig_path(), NULL);
	CU_ASSERT_EQUAL(vid[SVQ_VDPA_MAX_CONNS - 1], -1);
	CU_ASSERT(vid[SVQ_VDPA_MAX_CONNS - 2] >= 0);
	stub_disconnect(vid[0]);
	vid[0] = stub_connect(rig_path(), NULL);
	CU_ASSERT(vid[0] >= 0);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_RESET_OWNER, 0), STUB_OK);
	CU_ASSERT_EQUAL(stub_connect(rig_path(), NULL), -1);
	rig_close(&r);
}

static void
test_own_socket(void)
{
	int vid;

	/* Without new_connection(), SET_FEATURES is the first sign of a front-end. */
	rig_open(&r, RIG_ARGS);
	vid = stub_connect(NULL, r.d->vdpa);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
	r.vid = vid;
	rig_start(&r, RIG_FEATURES, 2);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	stub_disconnect(vid);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
	rig_close(&r);
}

static bool
has(uint64_t features, unsigned int bit)
{
	return features & 1ULL << bit;
}

static void
test_features(void)
{
	uint64_t offered;

	rig_open(&r, RIG_ARGS);
	CU_ASSERT(rig_connect(&r));
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_GET_FEATURES, 0), STUB_REPLIED);
	offered = rig_msg.payload.u64;
	CU_ASSERT(has(offered, VIRTIO_F_VERSION_1));
	CU_ASSERT(has(offered, VIRTIO_NET_F_MQ));
	CU_ASSERT(has(offered, VIRTIO_NET_F_CSUM));
	CU_ASSERT(has(offered, VIRTIO_RING_F_INDIRECT_DESC));
	CU_ASSERT(has(offered, VIRTIO_RING_F_EVENT_IDX));
	CU_ASSERT(has(offered, VHOST_F_LOG_ALL));
	CU_ASSERT(has(offered, VHOST_USER_F_PROTOCOL_FEATURES));
	CU_ASSERT_FALSE(has(offered, VIRTIO_F_ACCESS_PLATFORM));
	CU_ASSERT(has(offered, VIRTIO_F_RING_PACKED));
	CU_ASSERT_FALSE(has(offered, VIRTIO_NET_F_HOST_TSO4));

	/* What vhost has of its own stays here; ring features are between us and the device. */
	rig_start(&r, RIG_FEATURES | 1ULL << VHOST_F_LOG_ALL | 1ULL << VIRTIO_RING_F_INDIRECT_DESC,
		2);
	CU_ASSERT_EQUAL(mock.features,
		1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_NET_F_MRG_RXBUF |
			1ULL << VIRTIO_F_ACCESS_PLATFORM | 1ULL << VIRTIO_RING_F_EVENT_IDX);
	stub_disconnect(r.vid);
	rig_start(&r, 1ULL << VHOST_USER_F_PROTOCOL_FEATURES, 2);
	CU_ASSERT_EQUAL(
		mock.features, 1ULL << VIRTIO_F_ACCESS_PLATFORM | 1ULL << VIRTIO_RING_F_EVENT_IDX);
	rig_close(&r);
}

static void
test_start(void)
{
	struct svq_vdpa_queue_info q[RIG_QUEUES];
	uint16_t i;

	/* DRIVER_OK last, so that the rings are ready before dev_conf. */
	rig_open(&r, RIG_ARGS);
	CU_ASSERT(rig_connect(&r));
	CU_ASSERT_EQUAL(
		rig_u64(&r, SVQ_VHOST_SET_PROTOCOL_FEATURES, 1ULL << VHOST_USER_PROTOCOL_F_STATUS),
		STUB_OK);
	rig_start(&r, RIG_FEATURES, 4);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_CONNECTED);
	CU_ASSERT_EQUAL(mock.starts, 0);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_STATUS, 0xf), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT_EQUAL(mock.starts, 1);
	/* All pairs have rings before DRIVER_OK. */
	CU_ASSERT_EQUAL(mock.setups, 4);
	CU_ASSERT(mock.on[0] && mock.on[1]);
	CU_ASSERT_EQUAL(mock.queue[0].size, 128);
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 2);
	CU_ASSERT_EQUAL(svq_vdpa_queues_get("vdpa_svq0", q, RIG_QUEUES), 4);
	for (i = 0; i < 4; i++) {
		CU_ASSERT(q[i].ready && q[i].attached);
		CU_ASSERT_EQUAL(q[i].guest_size, RIG_RING);
		CU_ASSERT_EQUAL(q[i].lcore, 1);
	}
	rig_close(&r);
}

static void
test_later_pairs(void)
{
	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT(mock.on[0]);
	CU_ASSERT_FALSE(mock.on[1]);
	rig_vring(&r, 2, true);
	CU_ASSERT_PTR_NOT_NULL(r.d->pairs[1].rx);
	CU_ASSERT_PTR_NULL(r.d->pairs[1].tx);
	CU_ASSERT(mock.on[1]);
	rig_vring(&r, 3, false);
	CU_ASSERT_PTR_NULL(r.d->pairs[1].tx);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 3, 1), STUB_OK);
	CU_ASSERT_PTR_NOT_NULL(r.d->pairs[1].tx);
	CU_ASSERT_EQUAL(stub_conn(r.vid)->confs, 1);

	/* Pair 1 off again: nothing of it is relayed, pair 0 goes on. */
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 2, 0), STUB_OK);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 3, 0), STUB_OK);
	CU_ASSERT_FALSE(mock.on[1]);
	CU_ASSERT_EQUAL(r.d->pairs[1].lcore, -1);
	rig_give(&r, 3, BUF, 64);
	rig_poll(&r, 1);
	CU_ASSERT_EQUAL(mock_take(3), -1);
	rig_give(&r, 1, BUF, 64);
	rig_poll(&r, 0);
	CU_ASSERT(mock_take(1) >= 0);
	rig_close(&r);
}

static void
test_no_mq(void)
{
	/* Without MQ there is one pair; a third vring that gets ready all the same is not ours. */
	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES & ~(1ULL << VIRTIO_NET_F_MQ), 2);
	CU_ASSERT_EQUAL(mock.setups, 2);
	rig_vring(&r, 2, true);
	CU_ASSERT_PTR_NULL(r.d->vrings[2].queue);
	CU_ASSERT_EQUAL(
		rig_u64(&r, SVQ_VHOST_SET_FEATURES,
			(RIG_FEATURES & ~(1ULL << VIRTIO_NET_F_MQ)) | 1ULL << VHOST_F_LOG_ALL),
		STUB_OK);
	CU_ASSERT_FALSE(r.d->vrings[2].ready);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	rig_close(&r);
}

/* Traffic both ways; the buffers in flight are returned once each. */
static void
test_traffic(void)
{
	int head;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 0, BUF, 1500);
	rig_give(&r, 1, 0x100000000, 60);
	rig_poll(&r, 0);
	head = mock_take(1);
	CU_ASSERT(head >= 0);
	mock_return(1, head, 0);
	head = mock_take(0);
	CU_ASSERT(head >= 0);
	mock_return(0, head, 100);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 0), 1);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 1);
	CU_ASSERT_EQUAL(rig_calls(&r, 0), 1);
	CU_ASSERT_EQUAL(rig_calls(&r, 1), 1);
	rig_close(&r);
}

/* A new call descriptor on a running vring: what is in flight stays, the new one is used. */
static void
test_new_callfd(void)
{
	int head;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 1, BUF, 60);
	rig_poll(&r, 0);
	head = mock_take(1);
	rig_vring_call(&r, 1);
	CU_ASSERT_EQUAL(svq_queue_inflight(r.d->vrings[1].queue), 1);
	CU_ASSERT_EQUAL(mock.starts, 1);
	mock_return(1, head, 0);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 1);
	CU_ASSERT_EQUAL(rig_calls(&r, 1), 1);
	rig_close(&r);
}

/* Disabled with a buffer at the device: it is neither lost nor returned twice. */
static void
test_disable_in_flight(void)
{
	int head;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 1, BUF, 60);
	rig_give(&r, 1, BUF + 64, 60);
	rig_poll(&r, 0);
	head = mock_take(1);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 1, 0), STUB_OK);
	mock_return(1, head, 0);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 0);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 1, 1), STUB_OK);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 1);
	/* Disabled again, and stopped so: the base counts what came back. */
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 1, 0), STUB_OK);
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 0), 0);
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 1), 1);
	CU_ASSERT_EQUAL(rig_port_stats().recalled, 1);
	rig_close(&r);
}

static void
test_get_vring_base(void)
{
	const struct stub_conn *c;
	int i, head;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 4);
	c = stub_conn(r.vid);
	for (i = 0; i < 5; i++)
		rig_give(&r, 0, BUF + 2048 * i, 2048);
	for (i = 0; i < 3; i++)
		rig_give(&r, 1, BUF + 2048 * i, 60);
	rig_poll(&r, 0);
	/* Two of five come back before the stop, in another order. */
	CU_ASSERT(mock_take(0) >= 0);
	head = mock_take(0);
	mock_return(0, head, 10);
	head = mock_take(0);
	mock_return(0, head, 10);
	/* The first stops the device, the second answers from what was handed back. */
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 0), 2);
	CU_ASSERT_EQUAL(c->closes, 1);
	CU_ASSERT_FALSE(mock.started);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_CONNECTED);
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 1), 0);
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 2), 0);
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 3), 0);
	CU_ASSERT_EQUAL(rig_port_stats().recalled, 6);
	CU_ASSERT_EQUAL(c->closes, 1);
	/* And closed again it stays as it is. */
	CU_ASSERT_EQUAL(r.d->vdpa->ops->dev_close(r.vid), 0);
	CU_ASSERT_EQUAL(r.d->vdpa->ops->dev_close(r.vid), 0);
	CU_ASSERT_EQUAL(rig_port_stats().recalled, 6);

	/* Started again from there, each buffer is seen again, once. */
	for (i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, i, RIG_RING), STUB_OK);
		CU_ASSERT_EQUAL(rig_vring_addr(&r, i), STUB_OK);
		rig_vring_call(&r, i);
		CU_ASSERT_EQUAL(
			rig_u64(&r, SVQ_VHOST_SET_VRING_KICK, (uint64_t)i | SVQ_VHOST_VRING_NOFD),
			STUB_OK);
	}
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	rig_poll(&r, 0);
	for (i = 0; i < 3; i++)
		CU_ASSERT(mock_take(0) >= 0);
	CU_ASSERT_EQUAL(mock_take(0), -1);
	for (i = 0; i < 3; i++)
		CU_ASSERT(mock_take(1) >= 0);
	CU_ASSERT_EQUAL(mock_take(1), -1);
	rig_close(&r);
}

/* What the device completes during the stop is returned, not recalled. */
static void
test_drain(void)
{
	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 1, BUF, 60);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 0);
	mock.completes = true;
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 1), 1);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 1);
	CU_ASSERT_EQUAL(rig_port_stats().recalled, 0);
	rig_close(&r);
}

static void
test_reset_owner(void)
{
	int vid;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 4);
	vid = r.vid;
	rig_give(&r, 1, BUF, 60);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_RESET_OWNER, 0), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_CONNECTED);
	CU_ASSERT_EQUAL(r.d->vid, vid);
	CU_ASSERT_EQUAL(mock.m.n_maps, 0);
	CU_ASSERT_FALSE(r.d->lib_mem);
	CU_ASSERT_EQUAL(rig_port_stats().disconnections, 0);
	/* The connection goes on: it may configure anew. */
	r.avail[0] = r.avail[1] = r.avail[2] = r.avail[3] = 0;
	memset(rig_ptr(&r, 0x10000), 0, 0x10000);
	rig_start(&r, RIG_FEATURES, 2);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	rig_close(&r);
}

static void
test_disconnect_in_every_state(void)
{
	int i;

	rig_open(&r, RIG_ARGS);
	for (i = 0; i < 5; i++) {
		CU_ASSERT(rig_connect(&r));
		CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_GET_FEATURES, 0), STUB_REPLIED);
		if (i >= 1) {
			CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_FEATURES, RIG_FEATURES), STUB_OK);
			CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
		}
		if (i >= 2)
			rig_vring(&r, 0, true);
		if (i >= 3) {
			rig_vring(&r, 1, true);
			CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
			rig_give(&r, 0, BUF, 1500);
			rig_poll(&r, 0);
		}
		if (i >= 4)
			rig_stop_vring(&r, 0);
		stub_disconnect(r.vid);
		CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
		CU_ASSERT_EQUAL(mock.m.n_maps, 0);
		CU_ASSERT_FALSE(mock.started);
	}
	/* Calls about a connection that is gone. */
	CU_ASSERT(r.d->vdpa->ops->dev_close(r.vid) < 0);
	CU_ASSERT(r.d->vdpa->ops->dev_cleanup(r.vid) < 0);
	CU_ASSERT(r.d->vdpa->ops->dev_conf(99) < 0);
	CU_ASSERT_EQUAL(rig_port_stats().connections, 5);
	CU_ASSERT_EQUAL(rig_port_stats().disconnections, 5);
	rig_close(&r);
}

/* Each step that can fail does; nothing is left and a later try succeeds. */
static void
test_failing_device(void)
{
	enum mock_op op;

	rig_open(&r, RIG_ARGS);
	for (op = MOCK_SET_FEATURES; op <= MOCK_PAIR_ENABLE; op++) {
		mock.fail = op;
		rig_start(&r, RIG_FEATURES, 4);
		CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_CONNECTED);
		CU_ASSERT(stub_conn(r.vid)->conf_result < 0);
		CU_ASSERT_FALSE(mock.started);
		CU_ASSERT_EQUAL(mock.m.n_maps, 2);
		CU_ASSERT_PTR_NULL(r.d->vrings[0].queue);
		CU_ASSERT_EQUAL(r.d->pairs[0].lcore, -1);
		mock.fail = MOCK_NONE;
		/* librte_vhost asks again at any message. */
		CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SEND_RARP, 0), STUB_OK);
		CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
		stub_disconnect(r.vid);
		CU_ASSERT_EQUAL(mock.m.n_maps, 0);
	}
	CU_ASSERT(rig_port_stats().start_failures >= 4);
	CU_ASSERT_EQUAL(rig_port_stats().starts, 4);
	rig_close(&r);
}

static void
test_failing_dma(void)
{
	unsigned int k;

	/* The k-th mapping fails: of guest memory, then of shadow rings. */
	rig_open(&r, RIG_ARGS);
	for (k = 1; k <= 6; k++) {
		mock.m.fail_map = k;
		rig_start(&r, RIG_FEATURES, 2);
		CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_CONNECTED);
		CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SEND_RARP, 0), STUB_OK);
		CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
		stub_disconnect(r.vid);
		CU_ASSERT_EQUAL(mock.m.n_maps, 0);
	}
	/* While paused: the device stays as it was until it works. */
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 1, BUF, 60);
	rig_poll(&r, 0);
	r.region[2] = (struct rig_region){0x200000000, 1 << 20, 0, 1};
	r.n_regions = 3;
	mock.m.fail_map = 1;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_PAUSED);
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 2);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SEND_RARP, 0), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 3);
	CU_ASSERT_EQUAL(svq_queue_inflight(r.d->vrings[1].queue), 1);
	/* Paused for good: a stop still hands the base back. */
	r.n_regions = 2;
	r.region[1] = (struct rig_region){0x300000000, 2 << 20, 4 << 20, 0};
	mock.m.fail_map = 1;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_PAUSED);
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 1), 0);
	CU_ASSERT_EQUAL(rig_port_stats().recalled, 1);
	rig_close(&r);
}

/* Faults counted on a queue. */
static uint64_t
errors(uint16_t qid)
{
	struct svq_queue_stats stats;
	uint64_t n = 0;
	unsigned int e;

	svq_vdpa_stats_vring(&r.d->vrings[qid], &stats);
	for (e = 0; e < SVQ_QUEUE_E_MAX; e++)
		n += stats.errors[e];
	return n;
}

static void
test_broken_device(void)
{
	unsigned int stops;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 1, BUF, 60);
	rig_poll(&r, 0);
	mock.status = SVQ_DEVICE_S_NEEDS_RESET;
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_BROKEN);
	stops = mock.stops;
	svq_queue_break(r.d->vrings[1].queue, SVQ_QUEUE_E_NEEDS_RESET);
	rig_alarms();
	/* It is reset, nobody serves it, and one queue tells why. */
	CU_ASSERT_EQUAL(rig_port_stats().device_breaks, 1);
	CU_ASSERT_EQUAL(mock.stops, stops + 1);
	CU_ASSERT_FALSE(mock.started);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_BROKEN);
	CU_ASSERT_EQUAL(r.d->pairs[0].lcore, -1);
	CU_ASSERT_EQUAL(svq_queue_error(r.d->vrings[0].queue), SVQ_QUEUE_E_DEVICE);
	CU_ASSERT_EQUAL(svq_queue_error(r.d->vrings[1].queue), SVQ_QUEUE_E_NEEDS_RESET);
	CU_ASSERT_EQUAL(errors(0), 0);
	CU_ASSERT_EQUAL(errors(1), 1);
	/* No other event starts it, not even one that takes memory with a buffer in it. */
	rig_vring_call(&r, 1);
	r.region[0].size -= r.region[0].size / 2;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_BROKEN);
	r.region[0].size *= 2;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_BROKEN);
	CU_ASSERT_FALSE(mock.started);
	CU_ASSERT_EQUAL(r.d->pairs[0].lcore, -1);
	/* The front-end's stop and start mend it; the buffer is still there. */
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 0), 0);
	CU_ASSERT_EQUAL(rig_stop_vring(&r, 1), 0);
	r.avail[0] = r.avail[1] = 0;
	rig_vring(&r, 0, true);
	rig_vring(&r, 1, true);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	rig_poll(&r, 0);
	CU_ASSERT(mock_take(1) >= 0);
	rig_close(&r);
}

/* Counters of a queue outlive its shadow queue; a clear starts them anew. */
static void
test_stats(void)
{
	struct svq_vdpa_queue_info q[RIG_QUEUES];
	struct rte_vdpa_stat_name names[64];
	struct rte_vdpa_stat values[64];
	int n;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_receive(&r, BUF);
	stub_disconnect(r.vid);
	memset(rig_ptr(&r, 0x10000), 0, 0x10000);
	r.avail[0] = 0;
	rig_start(&r, RIG_FEATURES, 2);
	rig_receive(&r, BUF);
	CU_ASSERT_EQUAL(svq_vdpa_queues_get("vdpa_svq0", q, 1), 1);
	CU_ASSERT_EQUAL(q[0].stats.chains, 2);
	CU_ASSERT_EQUAL(q[0].stats.bytes, 200);
	n = r.d->vdpa->ops->get_stats_names(r.d->vdpa, NULL, 0);
	CU_ASSERT(n > 15 && n < 64);
	CU_ASSERT_EQUAL(r.d->vdpa->ops->get_stats_names(r.d->vdpa, names, 64), n);
	CU_ASSERT_EQUAL(r.d->vdpa->ops->get_stats(r.d->vdpa, 0, values, 64), n);
	CU_ASSERT_STRING_EQUAL(names[2].name, "bytes");
	CU_ASSERT_EQUAL(values[2].value, 200);
	CU_ASSERT_STRING_EQUAL(names[n - 1].name, "errors_gone");
	CU_ASSERT(r.d->vdpa->ops->get_stats(r.d->vdpa, 4, values, 64) < 0);
	CU_ASSERT_EQUAL(r.d->vdpa->ops->reset_stats(r.d->vdpa, 0), 0);
	CU_ASSERT_EQUAL(r.d->vdpa->ops->get_stats(r.d->vdpa, 0, values, 64), n);
	CU_ASSERT_EQUAL(values[2].value, 0);
	rig_receive(&r, BUF);
	CU_ASSERT_EQUAL(svq_vdpa_stats_clear("vdpa_svq0"), 0);
	CU_ASSERT_EQUAL(rig_port_stats().connections, 0);
	CU_ASSERT_EQUAL(rig_port_stats().dma_maps, 0);
	stub_disconnect(r.vid);
	CU_ASSERT_EQUAL(svq_vdpa_queues_get("vdpa_svq0", q, 1), 1);
	CU_ASSERT_EQUAL(q[0].stats.chains, 0);
	CU_ASSERT_EQUAL(rig_port_stats().disconnections, 1);
	CU_ASSERT_EQUAL(svq_vdpa_queues_get("nobody", q, 1), -ENODEV);
	rig_close(&r);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_lifecycle", NULL, NULL);

	autotest_add(s, "connect", test_connect);
	autotest_add(s, "a socket of the application's own", test_own_socket);
	autotest_add(s, "features", test_features);
	autotest_add(s, "start at DRIVER_OK", test_start);
	autotest_add(s, "pairs enabled later", test_later_pairs);
	autotest_add(s, "one pair without MQ", test_no_mq);
	autotest_add(s, "traffic", test_traffic);
	autotest_add(s, "call descriptor replaced", test_new_callfd);
	autotest_add(s, "vring disabled with buffers in flight", test_disable_in_flight);
	autotest_add(s, "GET_VRING_BASE", test_get_vring_base);
	autotest_add(s, "drain at a stop", test_drain);
	autotest_add(s, "RESET_OWNER", test_reset_owner);
	autotest_add(s, "disconnect in every state", test_disconnect_in_every_state);
	autotest_add(s, "failing device", test_failing_device);
	autotest_add(s, "failing DMA", test_failing_dma);
	autotest_add(s, "broken device", test_broken_device);
	autotest_add(s, "counters", test_stats);
}
REGISTER_AUTOTEST(vdpa_lifecycle_autotest, fill)
