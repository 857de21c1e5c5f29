/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * A region that shows memory of the first one at a second address comes and goes under traffic, as
 * the SMRAM of a q35 machine does. Buffers in that memory go to the device by either address.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fe_attack.h"
#include "fe_session.h"

#define ROUNDS 50
/* Frames that must pass on each pair between two changes. */
#define FRAMES 100

/* The traffic thread must not see the regions change. */
static int
set_window(struct fe_session *s, bool shown)
{
	struct fe_mem *mem = &s->dev.mem;
	int rc;

	fe_net_thread_pause(&s->net);
	rc = shown ? fe_mem_region(mem, &mem->window.alias)
		   : fe_mem_region_del(mem, mem->window.alias.gpa);
	fe_net_thread_resume(&s->net);
	if (rc < 0)
		return fe_must(rc, "window");
	return fe_must(fe_mem_send(mem, &s->dev.conn), "SET_MEM_TABLE");
}

static void
use_alias(struct fe_session *s, bool use)
{
	unsigned int i;

	fe_net_thread_pause(&s->net);
	for (i = 0; i < s->dev.conf.pairs; i++)
		s->net.pairs[i].use_alias = use;
	fe_net_thread_resume(&s->net);
}

static unsigned int
by_alias(struct fe_session *s)
{
	unsigned int i, n = 0;

	fe_net_thread_pause(&s->net);
	for (i = 0; i < s->dev.conf.pairs; i++)
		n += s->net.pairs[i].n_alias;
	fe_net_thread_resume(&s->net);
	return n;
}

/* Receive buffers come back with the frames that fill them. */
static int
await_no_alias(struct fe_session *s)
{
	uint64_t end = fe_now_ms() + FE_IDLE_MS;

	while (by_alias(s) > 0) {
		if (fe_now_ms() > end)
			return fe_wrong("%u buffers do not come back by their alias", by_alias(s));
		usleep(1000);
	}
	return 0;
}

static int
show_and_hide(struct fe_session *s)
{
	int rc = set_window(s, true);

	if (rc == 0) {
		use_alias(s, true);
		rc = fe_must(fe_net_thread_await(&s->net, FRAMES, FE_IDLE_MS), "window shown");
		use_alias(s, false);
	}
	if (rc == 0)
		rc = await_no_alias(s);
	if (rc == 0)
		rc = set_window(s, false);
	if (rc == 0)
		rc = fe_must(fe_net_thread_await(&s->net, FRAMES, FE_IDLE_MS), "window hidden");
	return rc;
}

static int
open_smram(struct fe_session *s, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev_conf smram = *conf;

	smram.layout = FE_LAYOUT_SMRAM;
	if (!conf->pairs_set)
		smram.pairs = 2;
	return fe_session_open(s, &smram, net);
}

static int
run_smram(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	unsigned int i;
	int rc = open_smram(&s, conf, net);

	(void)a;
	if (rc == 0)
		rc = fe_must(fe_net_thread_start(&s.net), "thread");
	for (i = 0; i < ROUNDS && rc == 0; i++)
		rc = show_and_hide(&s);
	fe_net_thread_stop(&s.net);
	if (rc == 0)
		rc = fe_session_pass(&s, 100);
	else
		fe_session_clean(&s);
	printf("frames %" PRIu64 " buffers by alias %" PRIu64 " longest pause %" PRIu64 " ms\n",
		s.net.stats.received, s.net.stats.aliased, s.net.stats.longest_ms);
	if (rc == 0 && s.net.stats.aliased < ROUNDS)
		rc = fe_wrong("hardly a buffer went by its alias");
	fe_session_close(&s);
	return rc;
}

/* ---- The window goes while the device holds buffers in it ---- */

/* Let pair 0 have receive buffers at the device by their alias, and no frame on its way. */
static int
post_by_alias(struct fe_session *s)
{
	int rc = set_window(s, true);

	if (rc == 0) {
		fe_net_thread_pause(&s->net);
		s->net.pairs[0].use_alias = true;
		fe_net_thread_resume(&s->net);
		rc = fe_must(fe_net_thread_await(&s->net, FRAMES, FE_IDLE_MS), "traffic");
	}
	fe_net_thread_pause(&s->net);
	if (rc == 0)
		rc = fe_must(fe_net_drain(&s->net, FE_IDLE_MS), "drain");
	if (rc == 0 && s->net.pairs[0].n_alias == 0)
		rc = fe_wrong("no buffer is at the device by its alias");
	fe_net_pair_off(&s->net, 0);
	fe_net_thread_resume(&s->net);
	return rc;
}

/* Every buffer of pair 0 is available again; none of pair 1's is lost either. */
static int
check_bases(struct fe_session *s)
{
	uint32_t bases[2 * FE_MAX_PAIRS];
	unsigned int i;

	if (fe_dev_stop(&s->dev, bases) < 0)
		return -1;
	fe_net_poll_used(&s->net);
	for (i = 0; i < fe_dev_n_rings(&s->dev); i++) {
		if (fe_ring_check_base(&s->dev.rings[i], bases[i]) < 0)
			return fe_wrong("ring %u cannot go on at base %u", i, bases[i]);
	}
	return 0;
}

/* Pair 0 holds receive buffers that nothing arrives for; pair 1 must hardly notice. */
static int
run_held(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	int rc = open_smram(&s, conf, net);

	(void)a;
	if (rc == 0)
		rc = fe_must(fe_net_thread_start(&s.net), "thread");
	if (rc == 0)
		rc = post_by_alias(&s);
	if (rc == 0)
		rc = fe_must(fe_net_thread_await(&s.net, FRAMES, FE_IDLE_MS), "the other pair");
	if (rc == 0)
		rc = set_window(&s, false);
	if (rc == 0)
		rc = fe_must(fe_net_thread_await(&s.net, FRAMES, FE_IDLE_MS), "the other pair");
	fe_net_thread_stop(&s.net);
	if (rc == 0)
		rc = fe_must(fe_net_drain(&s.net, FE_IDLE_MS), "drain");
	if (rc == 0)
		rc = fe_session_clean(&s);
	if (rc == 0)
		rc = check_bases(&s);
	fe_session_close(&s);
	return rc;
}

const struct fe_attack fe_attacks_alias[] = {
	{"smram", "an alias of the first region comes and goes under traffic", run_smram, 0},
	{"mem-remove-held", "a region goes, the device has receive buffers there", run_held, 0},
	{0},
};
