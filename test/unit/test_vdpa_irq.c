/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <sys/eventfd.h>
#include <unistd.h>

#include "autotest.h"
#include "vdpa_rig.h"

/* A port with irq=on: whose descriptors are waited for, and that none stays open. */

static struct rig r;

static void
setup(uint32_t idle_us)
{
	rig_port_conf.idle_us = idle_us;
	rig_open(&r, RIG_ARGS);
	rig_port_conf.idle_us = 0;
	rig_start(&r, RIG_FEATURES, 2);
}

static struct svq_pair_sleep_info
sleep_info(void)
{
	struct svq_vdpa_queue_info q;

	CU_ASSERT_EQUAL(svq_vdpa_queues_get("vdpa_svq0", &q, 1), 1);
	return q.sleep;
}

static void
test_off(void)
{
	setup(0);
	CU_ASSERT_EQUAL(r.d->vrings[0].kickfd, -1);
	CU_ASSERT_EQUAL(r.d->pairs[0].idle_us, 0);
	CU_ASSERT_FALSE(sleep_info().irq);
	rig_close(&r);
}

static void
test_on(void)
{
	uint64_t u64 = 0;
	int before;

	setup(100);
	CU_ASSERT(r.d->vrings[0].kickfd >= 0);
	CU_ASSERT(r.d->vrings[1].kickfd >= 0);
	CU_ASSERT_EQUAL(r.d->pairs[0].idle_us, 100);
	CU_ASSERT(sleep_info().irq);
	CU_ASSERT_FALSE(sleep_info().timed);
	/* A polled device is given no interrupt: it could not tell what it does not do. */
	CU_ASSERT_EQUAL(r.d->vrings[0].irqfd, -1);
	CU_ASSERT_EQUAL(mock.irqfd[0], -1);
	/* Another kick descriptor takes the place of the one before. */
	before = rig_fds();
	CU_ASSERT_EQUAL(rig_send_fd(&r, SVQ_VHOST_SET_VRING_KICK, &u64, sizeof(u64), eventfd(0, 0)),
		STUB_OK);
	CU_ASSERT_EQUAL(rig_fds(), before);
	CU_ASSERT(r.d->vrings[0].kickfd >= 0);
	/* It stops, and only the front-end's stay. */
	rig_stop_vring(&r, 0);
	rig_stop_vring(&r, 1);
	CU_ASSERT_EQUAL(r.d->vrings[0].kickfd, -1);
	CU_ASSERT_EQUAL(r.d->vrings[1].kickfd, -1);
	rig_close(&r);
}

/* Nothing but an eventfd is waited for: a timer takes its place. */
static void
test_no_eventfd(void)
{
	uint64_t u64 = 0;
	int before;

	setup(100);
	before = rig_fds();
	CU_ASSERT_EQUAL(
		rig_send_fd(&r, SVQ_VHOST_SET_VRING_KICK, &u64, sizeof(u64), dup(0)), STUB_OK);
	CU_ASSERT_EQUAL(r.d->vrings[0].kickfd, -1);
	CU_ASSERT_EQUAL(rig_fds(), before - 1);
	CU_ASSERT(sleep_info().timed);
	CU_ASSERT(r.d->served[0]);
	/* None at all. */
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_VRING_KICK, 0 | SVQ_VHOST_VRING_NOFD), STUB_OK);
	CU_ASSERT(sleep_info().timed);
	/* And an eventfd again. */
	CU_ASSERT_EQUAL(rig_send_fd(&r, SVQ_VHOST_SET_VRING_KICK, &u64, sizeof(u64), eventfd(0, 0)),
		STUB_OK);
	CU_ASSERT_FALSE(sleep_info().timed);
	rig_close(&r);
}

/* A device that works by itself interrupts, until it is stopped. */
static void
test_interrupts(void)
{
	int before;

	mock_unpolled = true;
	setup(100);
	CU_ASSERT(r.d->vrings[0].irqfd >= 0);
	CU_ASSERT_EQUAL(mock.irqfd[0], r.d->vrings[0].irqfd);
	CU_ASSERT_EQUAL(mock.irqfd[1], r.d->vrings[1].irqfd);
	CU_ASSERT_EQUAL(svq_queue_irqfd(r.d->vrings[0].queue), r.d->vrings[0].irqfd);
	CU_ASSERT_FALSE(sleep_info().timed);
	before = rig_fds();
	rig_stop_vring(&r, 0);
	rig_stop_vring(&r, 1);
	CU_ASSERT_EQUAL(r.d->vrings[0].irqfd, -1);
	CU_ASSERT_EQUAL(mock.irqfd[0], -1);
	CU_ASSERT(rig_fds() < before);
	rig_close(&r);
	/* Not for a port that is polled. */
	setup(0);
	CU_ASSERT_EQUAL(r.d->vrings[0].irqfd, -1);
	CU_ASSERT_EQUAL(mock.irqfd[0], -1);
	rig_close(&r);
	mock_unpolled = false;
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_irq", NULL, NULL);

	autotest_add(s, "off", test_off);
	autotest_add(s, "on", test_on);
	autotest_add(s, "interrupts", test_interrupts);
	autotest_add(s, "kick descriptors that cannot be waited for", test_no_eventfd);
}

REGISTER_AUTOTEST(vdpa_irq_autotest, fill)
