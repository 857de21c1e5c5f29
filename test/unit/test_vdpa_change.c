/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The guest's memory and its dirty log change while the device runs.
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "autotest.h"
#include "vdpa_rig.h"

#define BUF 0x100000

static struct rig r;

static void
test_same_mem_table(void)
{
	unsigned int maps;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	maps = mock.maps;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT_EQUAL(mock.maps, maps);
	CU_ASSERT_EQUAL(mock.unmaps, 0);
	CU_ASSERT_EQUAL(stub_conn(r.vid)->closes, 0);
	CU_ASSERT(r.d->lib_mem);
	rig_close(&r);
}

/* Hotplug of memory with buffers at the device: it keeps them, and only the difference is mapped.
 */
static void
test_mem_grows_and_shrinks(void)
{
	unsigned int maps, unmaps;
	int head;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 4);
	rig_give(&r, 1, BUF, 60);
	rig_give(&r, 1, 0x100000000, 60);
	rig_poll(&r, 0);
	maps = mock.maps;
	unmaps = mock.unmaps;

	r.region[2] = (struct rig_region){0x200000000, 1 << 20, 0, 1};
	r.n_regions = 3;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT_EQUAL(mock.maps, maps + 1);
	CU_ASSERT_EQUAL(mock.unmaps, unmaps);
	CU_ASSERT_EQUAL(mock.starts, 1);
	CU_ASSERT_EQUAL(mock.stops, 0);
	CU_ASSERT_EQUAL(rig_port_stats().mem_restarts, 0);
	CU_ASSERT(rig_port_stats().mem_pause_us > 0);
	CU_ASSERT_EQUAL(rig_port_stats().mem_pause_max_us, rig_port_stats().mem_pause_us);
	CU_ASSERT_EQUAL(svq_queue_inflight(r.d->vrings[1].queue), 2);
	CU_ASSERT_EQUAL(rig_port_stats().mem_added, 3);
	CU_ASSERT_EQUAL(rig_port_stats().mem_kept, 2);

	/* The new memory works, the old buffers come back. */
	CU_ASSERT_EQUAL(svq_vdpa_stats_clear("vdpa_svq0"), 0);
	CU_ASSERT_EQUAL(rig_port_stats().mem_pause_us, 0);
	CU_ASSERT_EQUAL(rig_port_stats().mem_pause_max_us, 0);
	rig_give(&r, 1, 0x200000000, 60);
	rig_poll(&r, 0);
	mock.completes = true;
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 3);
	CU_ASSERT(rig_calls(&r, 1) > 0);

	/* And out again, with a buffer at the device that lies elsewhere. */
	mock.completes = false;
	rig_give(&r, 1, BUF, 60);
	rig_poll(&r, 0);
	head = mock_take(1);
	r.n_regions = 2;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(mock.maps, maps + 1);
	CU_ASSERT_EQUAL(mock.unmaps, unmaps + 1);
	CU_ASSERT_EQUAL(mock.starts, 1);
	mock_return(1, head, 0);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 4);
	rig_close(&r);
}

/* A buffer in memory that goes: waited for, and if that is in vain the device is restarted. */
static void
test_mem_in_flight_goes(void)
{
	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 1, 0x100000000, 60);
	rig_poll(&r, 0);
	mock.completes = true;
	r.n_regions = 1;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(mock.starts, 1);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 1);
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 1);
	CU_ASSERT_EQUAL(rig_port_stats().mem_restarts, 0);

	r.n_regions = 2;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	rig_give(&r, 0, 0x100000000, 1500);
	rig_give(&r, 0, BUF, 1500);
	rig_poll(&r, 0);
	r.n_regions = 1;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(mock.starts, 2);
	CU_ASSERT_EQUAL(rig_port_stats().recalled, 2);
	CU_ASSERT_EQUAL(rig_port_stats().mem_restarts, 1);
	/* What the device was given to complete it. */
	CU_ASSERT(rig_port_stats().mem_pause_max_us >= 50000);
	CU_ASSERT(rig_port_stats().mem_pause_us > rig_port_stats().mem_pause_max_us);
	/* Both buffers are available again. */
	CU_ASSERT_EQUAL(svq_queue_base(r.d->vrings[0].queue), 0);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 1);
	/* The first buffer points nowhere now: its queue breaks, alone. */
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(svq_queue_error(r.d->vrings[0].queue), SVQ_QUEUE_E_ADDRESS);
	CU_ASSERT_EQUAL(mock_take(0), -1);
	rig_give(&r, 1, BUF, 60);
	rig_poll(&r, 0);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 2);
	rig_close(&r);
}

/* The same with a device that can reset one queue: the others keep what they have. */
static void
test_mem_queue_reset(void)
{
	int head, tx;

	rig_open(&r, RIG_ARGS);
	mock.m.dev.info.features |= 1ULL << VIRTIO_F_RING_RESET;
	rig_start(&r, RIG_FEATURES, 4);
	rig_give(&r, 0, BUF, 1500);
	rig_give(&r, 0, 0x100000000, 1500);
	rig_give(&r, 0, BUF + 4096, 1500);
	rig_give(&r, 1, BUF, 60);
	rig_give(&r, 2, BUF, 1500);
	rig_poll(&r, 0);
	rig_poll(&r, 1);
	/* Out of order: the third buffer is complete, and the used entry not yet taken back. */
	mock_take(0);
	mock_take(0);
	head = mock_take(0);
	tx = mock_take(1);
	mock_return(0, head, 100);
	r.n_regions = 1;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT_EQUAL(mock.starts, 1);
	CU_ASSERT_EQUAL(mock.stops, 0);
	CU_ASSERT_EQUAL(mock.queue_resets, 1);
	CU_ASSERT_FALSE(mock.is_reset[0]);
	CU_ASSERT_EQUAL(rig_port_stats().mem_restarts, 0);
	CU_ASSERT_EQUAL(rig_port_stats().mem_queue_resets, 1);
	CU_ASSERT_EQUAL(rig_port_stats().recalled, 2);
	CU_ASSERT_EQUAL(rig_used(&r, 0), 1);
	CU_ASSERT_EQUAL(svq_queue_base(r.d->vrings[0].queue), 1);
	CU_ASSERT_EQUAL(svq_queue_inflight(r.d->vrings[1].queue), 1);
	CU_ASSERT_EQUAL(svq_queue_inflight(r.d->vrings[2].queue), 1);
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 1);
	/* The first buffer reaches the device again; the second points nowhere. */
	rig_poll(&r, 0);
	CU_ASSERT(mock_take(0) >= 0);
	CU_ASSERT_EQUAL(mock_take(0), -1);
	CU_ASSERT_EQUAL(svq_queue_error(r.d->vrings[0].queue), SVQ_QUEUE_E_ADDRESS);
	mock_return(1, tx, 0);
	rig_poll(&r, 0);
	CU_ASSERT_EQUAL(rig_used(&r, 1), 1);
	rig_close(&r);
}

/*
 * A queue that does not come back takes the device with it. What the device still completes before
 * that does not come from the queue that it was made to forget.
 */
static void
test_mem_queue_reset_fails(void)
{
	static const struct {
		enum mock_op op;
		bool starts; /* the device, nevertheless */
	} faults[] = {
		{MOCK_QUEUE_RESET, true},
		{MOCK_QUEUE_SETUP, false},
		{MOCK_QUEUE_RESTART, true},
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(faults); i++) {
		rig_open(&r, RIG_ARGS);
		mock.m.dev.info.features |= 1ULL << VIRTIO_F_RING_RESET;
		rig_start(&r, RIG_FEATURES, 4);
		rig_give(&r, 0, BUF, 1500);
		rig_give(&r, 1, 0x100000000, 60);
		rig_give(&r, 3, BUF, 60);
		rig_poll(&r, 0);
		rig_poll(&r, 1);
		/* The device has both, and will complete neither. */
		mock_take(1);
		mock_take(3);
		mock.completes = true;
		mock.fail = faults[i].op;
		r.n_regions = 1;
		CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
		CU_ASSERT_EQUAL(rig_port_stats().mem_restarts, 1);
		CU_ASSERT_EQUAL(rig_port_stats().mem_queue_resets, 0);
		CU_ASSERT_EQUAL(rig_port_stats().recalled, 3);
		CU_ASSERT_EQUAL(rig_port_stats().start_failures, !faults[i].starts);
		mock.fail = MOCK_NONE;
		mock.completes = false;
		if (!faults[i].starts)
			CU_ASSERT_EQUAL(r.d->vdpa->ops->dev_conf(r.vid), 0);
		CU_ASSERT_EQUAL(mock.starts, 2);
		CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
		rig_poll(&r, 0);
		rig_poll(&r, 1);
		CU_ASSERT(mock_take(0) >= 0);
		CU_ASSERT(mock_take(3) >= 0);
		rig_close(&r);
	}
}

/* The memory of the rings themselves goes. */
static void
test_mem_of_rings_goes(void)
{
	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 0, 0x100000000, 1500);
	rig_poll(&r, 0);
	r.region[0] = r.region[1];
	r.n_regions = 1;
	CU_ASSERT_EQUAL(rig_mem_table(&r), STUB_OK);
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 1);
	CU_ASSERT_FALSE(r.d->vrings[0].started);
	CU_ASSERT_FALSE(r.d->vrings[1].started);
	CU_ASSERT_EQUAL(r.d->pairs[0].lcore, -1);
	stub_disconnect(r.vid);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
	rig_close(&r);
}

/* The message that follows the pause fails in librte_vhost. */
static void
test_mem_table_lost(void)
{
	struct stub_conn *c;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rig_give(&r, 1, BUF, 60);
	rig_poll(&r, 0);
	c = stub_conn(r.vid);
	r.d->request = SVQ_VHOST_SET_MEM_TABLE;
	r.d->lib_mem = false;
	r.d->vdpa->ops->dev_close(r.vid);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_PAUSED);
	CU_ASSERT(mock.started);
	CU_ASSERT_EQUAL(r.d->pairs[0].lcore, -1);
	/* librte_vhost asks again and again; there is no table to ask it for. */
	CU_ASSERT(r.d->vdpa->ops->dev_conf(r.vid) < 0);
	CU_ASSERT(r.d->vdpa->ops->dev_conf(r.vid) < 0);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_PAUSED);
	CU_ASSERT_EQUAL(r.d->vdpa->ops->set_vring_state(r.vid, 1, 0), 0);
	CU_ASSERT_EQUAL(r.d->vdpa->ops->set_vring_state(r.vid, 1, 1), 0);
	c->configured = false;
	stub_disconnect(r.vid);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_IDLE);
	CU_ASSERT_EQUAL(c->vring[1].base, 0);
	CU_ASSERT_FALSE(mock.started);
	rig_close(&r);
}

static int
new_log(uint64_t size)
{
	int fd = memfd_create("log", 0);

	CU_ASSERT_EQUAL(ftruncate(fd, size), 0);
	return fd;
}

static enum stub_result
set_log(int fd, uint64_t size)
{
	struct svq_vhost_log log = {.size = size};

	return rig_send_fd(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), dup(fd));
}

static bool
dirty(int fd, uint64_t gpa)
{
	uint8_t byte = 0;

	CU_ASSERT_EQUAL(pread(fd, &byte, 1, gpa / 4096 / 8), 1);
	return byte & 1 << gpa / 4096 % 8;
}

/* As QEMU migrates: log, feature, a larger log, and back. */
static void
test_dirty_log(void)
{
	int one = new_log(4096), two = new_log(1 << 20);

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	CU_ASSERT_EQUAL(set_log(one, 4096), STUB_REPLIED);
	rig_receive(&r, BUF);
	CU_ASSERT_FALSE(dirty(one, BUF));
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_FEATURES, RIG_FEATURES | 1ULL << VHOST_F_LOG_ALL),
		STUB_OK);
	CU_ASSERT_EQUAL(rig_vring_addr(&r, 0), STUB_OK);
	CU_ASSERT_EQUAL(rig_vring_addr(&r, 1), STUB_OK);
	rig_receive(&r, BUF);
	CU_ASSERT(dirty(one, BUF));
	CU_ASSERT(dirty(one, 0x12000)); /* the used ring of queue 0 */
	CU_ASSERT_FALSE(dirty(one, BUF + 4096));

	CU_ASSERT_EQUAL(set_log(two, 1 << 20), STUB_REPLIED);
	rig_receive(&r, BUF + 4096);
	CU_ASSERT_FALSE(dirty(one, BUF + 4096));
	CU_ASSERT(dirty(two, BUF + 4096));

	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_FEATURES, RIG_FEATURES), STUB_OK);
	rig_receive(&r, BUF + 8192);
	CU_ASSERT_FALSE(dirty(two, BUF + 8192));
	CU_ASSERT_EQUAL(mock.starts, 1);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SEND_RARP, 0), STUB_OK);

	/* A device that starts while logging is on logs from the start. */
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_RESET_OWNER, 0), STUB_OK);
	CU_ASSERT_PTR_NULL(r.d->log.base);
	CU_ASSERT_EQUAL(set_log(two, 1 << 20), STUB_REPLIED);
	rig_start(&r, RIG_FEATURES | 1ULL << VHOST_F_LOG_ALL, 2);
	rig_receive(&r, BUF + 8192);
	CU_ASSERT(dirty(two, BUF + 8192));
	rig_close(&r);
	close(one);
	close(two);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_change", NULL, NULL);

	autotest_add(s, "same memory table", test_same_mem_table);
	autotest_add(s, "memory added and removed", test_mem_grows_and_shrinks);
	autotest_add(s, "memory removed under a buffer", test_mem_in_flight_goes);
	autotest_add(s, "only the queue of such a buffer is reset", test_mem_queue_reset);
	autotest_add(s, "such a reset fails", test_mem_queue_reset_fails);
	autotest_add(s, "memory removed under the rings", test_mem_of_rings_goes);
	autotest_add(s, "memory table lost", test_mem_table_lost);
	autotest_add(s, "dirty log", test_dirty_log);
}
REGISTER_AUTOTEST(vdpa_change_autotest, fill)
