/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * What a front-end may rightly do while traffic runs. Each case does it many times; in the end no
 * frame is lost, altered, doubled or out of order, whatever happened in between.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "fe_attack.h"
#include "fe_session.h"
#include "fe_shape.h"

#define ROUNDS 20
/* Frames that must pass on each pair between two disturbances. */
#define FRAMES 50

/* What a case does once, while the traffic thread runs. @return 0 or -1 after a line. */
typedef int (*disturb_t)(struct fe_session *s, unsigned int round);

static int
await(struct fe_session *s)
{
	return fe_must(fe_net_thread_await(&s->net, FRAMES, FE_IDLE_MS), "traffic");
}

static void
give_up(struct fe_session *s)
{
	fe_net_thread_pause(&s->net);
	fe_net_give_up(&s->net);
	fe_net_thread_resume(&s->net);
}

/* Start, disturb again and again, and count. */
static int
run_disturbed(disturb_t disturb, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	unsigned int i;
	int rc = fe_session_open(&s, conf, net);

	if (rc == 0)
		rc = fe_must(fe_net_thread_start(&s.net), "thread");
	for (i = 0; i < ROUNDS && rc == 0; i++) {
		rc = await(&s);
		if (rc == 0)
			rc = disturb(&s, i);
		if (net->lossy)
			give_up(&s);
	}
	if (rc == 0)
		rc = await(&s);
	fe_net_thread_stop(&s.net);
	if (net->lossy)
		printf("frames %" PRIu64 ", given up %" PRIu64 "\n", s.net.stats.received,
			s.net.stats.given_up);
	if (rc == 0)
		rc = fe_session_pass(&s, 100);
	else
		fe_session_clean(&s);
	fe_session_close(&s);
	return rc;
}

/* ---- Messages that change nothing, or little ---- */

static int
same_table(struct fe_session *s, unsigned int round)
{
	(void)round;
	return fe_must(fe_mem_send(&s->dev.mem, &s->dev.conn), "SET_MEM_TABLE");
}

static int
swap_fd(struct fe_session *s, uint32_t request, unsigned int q, int *fd)
{
	int next = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), rc;

	if (next < 0)
		return fe_must(-errno, "eventfd");
	rc = fe_must(fe_set_vring_fd(&s->dev.conn, request, q, next), "new descriptor");
	fe_net_thread_pause(&s->net);
	close(*fd);
	*fd = next;
	/* What was signalled before the swap went to the old one. */
	if (request == FE_SET_VRING_KICK)
		fe_ring_kick(&s->dev.rings[q]);
	fe_net_thread_resume(&s->net);
	return rc;
}

/* The new descriptors must be used: with nothing else to wake it, the thread polls in vain. */
static int
new_call(struct fe_session *s, unsigned int round)
{
	unsigned int q = round % fe_dev_n_rings(&s->dev);

	return swap_fd(s, FE_SET_VRING_CALL, q, &s->dev.rings[q].callfd);
}

static int
new_kick(struct fe_session *s, unsigned int round)
{
	unsigned int q = round % fe_dev_n_rings(&s->dev);

	return swap_fd(s, FE_SET_VRING_KICK, q, &s->dev.rings[q].kickfd);
}

static int
toggle_pair(struct fe_session *s, unsigned int round)
{
	unsigned int pair = round % s->dev.conf.pairs;
	int rc = fe_must(fe_dev_pair_enable(&s->dev, pair, false), "disable");

	if (rc == 0)
		usleep(10000);
	return rc < 0 ? rc : fe_must(fe_dev_pair_enable(&s->dev, pair, true), "enable");
}

static int
send_rarp(struct fe_session *s, unsigned int round)
{
	return fe_must(
		fe_set_u64(&s->dev.conn, FE_SEND_RARP, 0x020000000000ull + round), "SEND_RARP");
}

/* ---- Memory that comes and goes ---- */

#define PLUG_GPA (1ull << 42)

/* Let a transmit buffer of each pair lie in the region that came. */
static void
use_plugged(struct fe_session *s, uint64_t *saved, bool into)
{
	unsigned int pair, n = s->net.n_tx + s->net.n_rx;

	for (pair = 0; pair < s->dev.conf.pairs; pair++) {
		struct fe_buf *buf = &s->net.bufs[pair * n];

		if (into) {
			saved[pair] = buf->gpa;
			buf->gpa = PLUG_GPA + pair * 0x20000;
		} else {
			buf->gpa = saved[pair];
		}
	}
}

/* With nothing sent out, transmit buffers are at rest and may move. */
static int
move_buffers(struct fe_session *s, uint64_t *saved, bool into)
{
	int rc;

	fe_net_thread_pause(&s->net);
	rc = fe_must(fe_net_drain(&s->net, FE_IDLE_MS), "drain");
	use_plugged(s, saved, into);
	fe_net_thread_resume(&s->net);
	return rc;
}

static int
plug(struct fe_session *s, unsigned int round)
{
	struct fe_region r = {.gpa = PLUG_GPA, .size = 1 << 20, .user = 1ull << 45};
	uint64_t saved[FE_MAX_PAIRS];
	int rc;

	/* A file of its own that stays open, at another offset each time. */
	if (round == 0 && fe_must(fe_mem_file(&s->dev.mem, 32 << 20), "file") < 0)
		return -1;
	r.file = s->dev.mem.n_files - 1;
	r.offset = round * FE_PAGE;
	/* The thread reads the table of regions, too. */
	fe_net_thread_pause(&s->net);
	fe_mem_region(&s->dev.mem, &r);
	fe_net_thread_resume(&s->net);
	rc = same_table(s, round);
	if (rc == 0)
		rc = move_buffers(s, saved, true);
	if (rc == 0)
		rc = await(s);
	if (rc == 0)
		rc = move_buffers(s, saved, false);
	fe_net_thread_pause(&s->net);
	fe_mem_region_del(&s->dev.mem, PLUG_GPA);
	fe_net_thread_resume(&s->net);
	return rc < 0 ? rc : same_table(s, round);
}

/* ---- Stops and starts ---- */

/* Check the bases of all rings; the thread is paused, the back-end stopped. */
static int
check_bases(struct fe_session *s, const uint32_t *bases)
{
	unsigned int i;

	fe_net_poll_used(&s->net);
	for (i = 0; i < fe_dev_n_rings(&s->dev); i++) {
		if (fe_ring_check_base(&s->dev.rings[i], bases[i]) < 0)
			return fe_wrong("ring %u cannot go on at base %u", i, bases[i]);
	}
	return 0;
}

static int
stop_and_check(struct fe_session *s)
{
	uint32_t bases[2 * FE_MAX_PAIRS];

	if (fe_dev_stop(&s->dev, bases) < 0)
		return -1;
	return check_bases(s, bases);
}

static int
restart(struct fe_session *s, unsigned int round)
{
	int rc;

	(void)round;
	fe_net_thread_pause(&s->net);
	rc = stop_and_check(s);
	if (rc == 0)
		rc = fe_must(fe_dev_restart(&s->dev), "restart");
	fe_net_thread_resume(&s->net);
	return rc;
}

/* As QEMU 7.2 does it: the status goes to 0 before the vrings are stopped. */
static int
restart_status(struct fe_session *s, unsigned int round)
{
	int rc;

	(void)round;
	fe_net_thread_pause(&s->net);
	rc = fe_must(fe_dev_set_status(&s->dev, 0), "SET_STATUS 0");
	if (rc == 0)
		rc = stop_and_check(s);
	if (rc == 0)
		rc = fe_must(fe_dev_restart(&s->dev), "restart");
	fe_net_thread_resume(&s->net);
	return rc;
}

/* The socket closes under traffic; what the back-end had not completed is available again. */
static int
reconnect(struct fe_session *s, unsigned int round)
{
	int rc;

	(void)round;
	fe_dev_disconnect(&s->dev);
	fe_net_thread_pause(&s->net);
	/* A new connection is taken once the back-end has noticed that the old one is gone. */
	usleep(50000);
	fe_net_poll_used(&s->net);
	rc = fe_must(fe_dev_start(&s->dev), "reconnection");
	fe_net_thread_resume(&s->net);
	return rc;
}

static int
reset_owner(struct fe_session *s, unsigned int round)
{
	unsigned int i;
	int rc;

	(void)round;
	fe_net_thread_pause(&s->net);
	rc = fe_must(fe_call(&s->dev.conn, FE_RESET_OWNER, NULL, 0, NULL, 0), "RESET_OWNER");
	/* It forgets that acknowledgements were agreed on. */
	s->dev.conn.ack = false;
	if (rc == 0)
		rc = fe_must(fe_barrier(&s->dev.conn), "RESET_OWNER");
	fe_net_poll_used(&s->net);
	for (i = 0; rc == 0 && i < fe_dev_n_steps(&s->dev); i++)
		rc = fe_must(fe_dev_step(&s->dev, i), fe_dev_step_name(&s->dev, i));
	fe_net_thread_resume(&s->net);
	return rc;
}

/* ---- Other orders ---- */

/* The second pair comes up while the first is at work. */
static int
run_later(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s = {.dev_conf = *conf, .net_conf = *net};
	unsigned int i;
	int rc;

	(void)a;
	s.dev_conf.pairs = 2;
	s.dev_conf.data_bytes = fe_net_bytes(net, &s.dev_conf);
	rc = fe_must(fe_dev_init(&s.dev, &s.dev_conf), "memory");
	if (rc == 0)
		rc = fe_must(fe_dev_negotiate(&s.dev), "negotiation");
	if (rc == 0)
		rc = fe_must(fe_mem_send(&s.dev.mem, &s.dev.conn), "SET_MEM_TABLE");
	for (i = 0; i < 2 && rc == 0; i++)
		rc = fe_must(fe_dev_ring_start(&s.dev, i), "ring of the first pair");
	if (rc == 0)
		rc = fe_must(fe_dev_pair_enable(&s.dev, 0, true), "enable");
	if (rc == 0)
		rc = fe_must(fe_dev_set_status(&s.dev, 0x0f), "DRIVER_OK");
	if (rc == 0)
		rc = fe_must(fe_net_init(&s.net, &s.dev, net), "buffers");
	if (rc < 0)
		goto out;
	fe_net_pair_off(&s.net, 1);
	rc = fe_must(fe_net_thread_start(&s.net), "thread");
	if (rc == 0)
		rc = await(&s);
	for (i = 2; i < 4 && rc == 0; i++)
		rc = fe_must(fe_dev_ring_start(&s.dev, i), "ring of the second pair");
	if (rc == 0)
		rc = fe_must(fe_dev_pair_enable(&s.dev, 1, true), "enable");
	fe_net_thread_pause(&s.net);
	s.net.pairs[1].off = false;
	fe_net_thread_resume(&s.net);
	if (rc == 0)
		rc = await(&s);
	fe_net_thread_stop(&s.net);
	if (rc == 0)
		rc = fe_session_pass(&s, 200);
out:
	fe_session_close(&s);
	return rc;
}

/* The guest reboots: on one connection, memory and rings of all sizes and layouts. */
static int
run_reboot(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	static const uint32_t sizes[] = {256, 16, 1024, 4, 512};
	struct fe_session s;
	unsigned int i;
	int rc = fe_session_open(&s, conf, net);

	(void)a;
	for (i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]) && rc == 0; i++) {
		struct fe_dev_conf next = s.dev_conf;

		if (fe_dev_stop(&s.dev, NULL) < 0)
			rc = -1;
		fe_net_free(&s.net);
		next.layout = (enum fe_layout)(i % 4);
		next.ring_size = sizes[i % 5];
		next.data_bytes = fe_net_bytes(net, &next);
		if (rc == 0)
			rc = fe_must(fe_dev_reboot(&s.dev, &next), "reboot");
		if (rc == 0)
			rc = fe_must(fe_net_init(&s.net, &s.dev, net), "buffers");
		if (rc == 0)
			rc = fe_session_pass(&s, 200);
	}
	fe_session_close(&s);
	return rc;
}

/* Memory goes while buffers in it are out: the guest's own fault, and nobody else's trouble. */
static int
run_remove_used(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev_conf regions = *conf;
	struct fe_session s;
	int rc;

	(void)a;
	regions.layout = FE_LAYOUT_REGIONS;
	rc = fe_session_open(&s, &regions, net);
	if (rc == 0)
		rc = fe_must(fe_net_thread_start(&s.net), "thread");
	if (rc == 0)
		rc = await(&s);
	if (rc == 0) {
		fe_net_thread_pause(&s.net);
		s.dev.mem.n_regions--;
		rc = fe_must(fe_mem_send(&s.dev.mem, &s.dev.conn), "SET_MEM_TABLE");
		s.dev.mem.n_regions++;
		fe_net_thread_resume(&s.net);
	}
	usleep(200000);
	if (rc == 0)
		rc = fe_must(fe_barrier(&s.dev.conn), "connection");
	fe_net_thread_stop(&s.net);
	fe_session_close(&s);
	return rc;
}

enum {
	SAME_TABLE,
	NEW_CALL,
	NEW_KICK,
	TOGGLE,
	RARP,
	PLUG,
	RESTART,
	RESTART_STATUS,
	RECONNECT,
	RESET_OWNER,
	LOG,
};

static int
run(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	static const disturb_t disturbances[] = {
		[SAME_TABLE] = same_table,
		[NEW_CALL] = new_call,
		[NEW_KICK] = new_kick,
		[TOGGLE] = toggle_pair,
		[RARP] = send_rarp,
		[PLUG] = plug,
		[RESTART] = restart,
		[RESTART_STATUS] = restart_status,
		[RECONNECT] = reconnect,
		[RESET_OWNER] = reset_owner,
		[LOG] = fe_attack_log,
	};
	struct fe_dev_conf two = *conf;

	if (!conf->pairs_set)
		two.pairs = 2;
	return run_disturbed(disturbances[a->arg], &two, net);
}

const struct fe_attack fe_attacks_run[] = {
	{"mem-same", "the same memory table under traffic", run, SAME_TABLE},
	{"mem-change", "regions come and go under traffic", run, PLUG},
	{"mem-remove-used", "a region goes with buffers in it", run_remove_used, 0},
	{"enable", "pairs are disabled and enabled under traffic", run, TOGGLE},
	{"later", "the second pair comes up under traffic", run_later, 0},
	{"call-change", "SET_VRING_CALL under traffic", run, NEW_CALL},
	{"kick-change", "SET_VRING_KICK under traffic", run, NEW_KICK},
	{"rarp", "SEND_RARP under traffic", run, RARP},
	{"restart", "GET_VRING_BASE and on at that base", run, RESTART},
	{"restart-status", "status 0, GET_VRING_BASE, and on", run, RESTART_STATUS},
	{"reconnect", "the socket closes under traffic", run, RECONNECT},
	{"reset-owner", "RESET_OWNER under traffic", run, RESET_OWNER},
	{"reboot", "other memory and rings on one connection", run_reboot, 0},
	{"dirty-log", "a dirty log begins, changes and ends", run, LOG},
	{0},
};
