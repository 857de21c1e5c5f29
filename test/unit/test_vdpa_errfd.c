/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <sys/eventfd.h>
#include <unistd.h>

#include "autotest.h"
#include "vdpa_rig.h"

/* SET_VRING_ERR: whom it tells, whose descriptor it is, and when it is forgotten. */

static struct rig r;

/* @return our end; the driver has its own. */
static int
set_err(uint16_t qid)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t u64 = qid;

	CU_ASSERT_EQUAL(
		rig_send_fd(&r, SVQ_VHOST_SET_VRING_ERR, &u64, sizeof(u64), dup(fd)), STUB_OK);
	return fd;
}

static unsigned int
signals(int fd)
{
	eventfd_t n = 0;

	return eventfd_read(fd, &n) == 0 ? (unsigned int)n : 0;
}

static void
break_queue(uint16_t qid)
{
	rig_give(&r, qid, 0x7fff00000000, 60);
	rig_poll(&r, qid / 2);
	CU_ASSERT_EQUAL(svq_queue_error(r.d->vrings[qid].queue), SVQ_QUEUE_E_ADDRESS);
}

static void
test_running(void)
{
	int rx, tx, again, before;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	before = rig_fds();
	rx = set_err(0);
	tx = set_err(1);
	/* Ours and the driver's; librte_vhost closes the one that came. */
	CU_ASSERT_EQUAL(rig_fds(), before + 4);
	CU_ASSERT(r.d->served[0]);
	again = set_err(1);
	CU_ASSERT_EQUAL(rig_fds(), before + 5);
	break_queue(1);
	CU_ASSERT_EQUAL(signals(again), 1);
	CU_ASSERT_EQUAL(signals(rx) + signals(tx), 0);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_VRING_ERR, 0 | SVQ_VHOST_VRING_NOFD), STUB_OK);
	CU_ASSERT_EQUAL(rig_fds(), before + 4);
	break_queue(0);
	CU_ASSERT_EQUAL(signals(rx), 0);
	/* A front-end that is gone is told nothing. */
	stub_disconnect(r.vid);
	CU_ASSERT_EQUAL(r.d->vrings[1].errfd, -1);
	close(rx);
	close(tx);
	close(again);
	rig_close(&r);
}

/* Before the vrings exist, as front-ends do it; and it holds over a stop. */
static void
test_before_start(void)
{
	int rx, tx;

	rig_open(&r, RIG_ARGS);
	CU_ASSERT(rig_connect(&r));
	rx = set_err(0);
	tx = set_err(1);
	rig_start(&r, RIG_FEATURES, 2);
	break_queue(1);
	CU_ASSERT_EQUAL(signals(tx), 1);
	CU_ASSERT_EQUAL(signals(rx), 0);
	rig_stop_vring(&r, 0);
	rig_stop_vring(&r, 1);
	r.avail[0] = r.avail[1] = 0;
	rig_vring(&r, 0, true);
	rig_vring(&r, 1, true);
	CU_ASSERT_EQUAL_FATAL(rig_port_state(), SVQ_VDPA_RUNNING);
	break_queue(0);
	CU_ASSERT_EQUAL(signals(rx), 1);
	close(rx);
	close(tx);
	rig_close(&r);
}

/* The device's fault is told for all of its queues. */
static void
test_device(void)
{
	int rx, tx;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	rx = set_err(0);
	tx = set_err(1);
	mock.status = SVQ_DEVICE_S_NEEDS_RESET;
	svq_queue_break(r.d->vrings[1].queue, SVQ_QUEUE_E_NEEDS_RESET);
	rig_alarms();
	CU_ASSERT_EQUAL(signals(rx), 1);
	CU_ASSERT_EQUAL(signals(tx), 1);
	close(rx);
	close(tx);
	rig_close(&r);
}

static void
test_no_eventfd(void)
{
	uint64_t u64 = 0;
	int before;

	rig_open(&r, RIG_ARGS);
	rig_start(&r, RIG_FEATURES, 2);
	before = rig_fds();
	CU_ASSERT_EQUAL(
		rig_send_fd(&r, SVQ_VHOST_SET_VRING_ERR, &u64, sizeof(u64), dup(0)), STUB_NACK);
	CU_ASSERT_EQUAL(r.d->vrings[0].errfd, -1);
	CU_ASSERT_EQUAL(rig_fds(), before);
	rig_close(&r);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_errfd", NULL, NULL);

	autotest_add(s, "while it runs", test_running);
	autotest_add(s, "before it starts", test_before_start);
	autotest_add(s, "the device breaks", test_device);
	autotest_add(s, "no eventfd", test_no_eventfd);
}

REGISTER_AUTOTEST(vdpa_errfd_autotest, fill)
