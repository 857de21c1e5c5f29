/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Well-formed messages with values that cannot be served: vrings, descriptors, and a front-end that
 * goes away. Vring cases spoil the second pair and expect the first to work.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fe_attack.h"
#include "fe_session.h"

/* The vring that is spoiled: the second pair's receive queue. */
#define VICTIM 2u

enum {
	SIZE,
	DESC_OUTSIDE,
	AVAIL_OUTSIDE,
	USED_OUTSIDE,
	RING_END,
	RING_WRAP,
	RING_UNALIGNED,
	GROWN,
	BASE_AHEAD,
};

/* A refusal is fine; that the back-end hangs up or says nothing is not. */
static int
tolerate(int rc)
{
	return rc == -EREMOTEIO ? 0 : rc;
}

static int
send_addr(struct fe_dev *dev, int kind)
{
	const struct fe_ring *ring = &dev->rings[VICTIM];
	const struct fe_region *last = &dev->mem.regions[dev->mem.n_regions - 1];
	uint64_t outside = last->user + last->size + (1ull << 30);
	struct fe_vring_addr addr = {
		.index = VICTIM,
		.desc = fe_mem_user(&dev->mem, ring->desc_gpa),
		.avail = fe_mem_user(&dev->mem, ring->avail_gpa),
		.used = fe_mem_user(&dev->mem, ring->used_gpa),
		.log = ring->used_gpa,
	};

	switch (kind) {
	case DESC_OUTSIDE:
		addr.desc = outside;
		break;
	case AVAIL_OUTSIDE:
		addr.avail = outside;
		break;
	case USED_OUTSIDE:
		addr.used = outside;
		break;
	case RING_END:
	case GROWN:
		/* Room for two descriptors only. */
		addr.desc = last->user + last->size - 32;
		break;
	case RING_WRAP:
		addr.used = UINT64_MAX - 63;
		break;
	case RING_UNALIGNED:
		addr.desc += 8;
		break;
	}
	return fe_set_vring_addr(&dev->conn, &addr);
}

/* Set up the victim with one thing wrong. */
static int
spoil(struct fe_dev *dev, int kind, uint32_t size)
{
	struct fe_ring *ring = &dev->rings[VICTIM];
	uint32_t base = fe_ring_base(ring) + (kind == BASE_AHEAD ? 1000 : 0);
	int rc;

	if (kind == GROWN)
		size = 2;
	rc = tolerate(fe_set_vring(&dev->conn, FE_SET_VRING_NUM, VICTIM, size));
	if (rc == 0)
		rc = tolerate(fe_set_vring(&dev->conn, FE_SET_VRING_BASE, VICTIM, base));
	if (rc == 0)
		rc = tolerate(send_addr(dev, kind));
	if (rc == 0 && kind == GROWN)
		rc = tolerate(fe_set_vring(&dev->conn, FE_SET_VRING_NUM, VICTIM, 32768));
	if (rc == 0)
		rc = tolerate(fe_set_vring_fd(&dev->conn, FE_SET_VRING_KICK, VICTIM, ring->kickfd));
	if (rc == 0)
		rc = tolerate(fe_set_vring_fd(&dev->conn, FE_SET_VRING_CALL, VICTIM, ring->callfd));
	if (rc == 0)
		rc = tolerate(fe_set_vring(&dev->conn, FE_SET_VRING_ENABLE, VICTIM, 1));
	return rc;
}

/* All steps of a start, with the victim spoiled. */
static int
start_spoiled(struct fe_dev *dev, int kind, uint32_t size)
{
	unsigned int i;
	int rc = fe_dev_negotiate(dev);

	if (rc == 0)
		rc = fe_mem_send(&dev->mem, &dev->conn);
	for (i = 0; i < fe_dev_n_rings(dev) && rc == 0; i++) {
		if (i != VICTIM)
			rc = fe_dev_ring_start(dev, i);
	}
	if (rc == 0)
		rc = fe_dev_pair_enable(dev, 0, true);
	if (rc == 0)
		rc = fe_dev_set_status(dev, 0x0f);
	if (rc == 0)
		rc = spoil(dev, kind, size);
	return rc;
}

static int
run_ring(struct fe_session *s, int kind, uint32_t size)
{
	struct fe_raw raw = {.len = 64, .flags = FE_DESC_WRITE};
	int rc = fe_must(fe_dev_init(&s->dev, &s->dev_conf), "memory");

	if (rc == 0)
		rc = fe_must(start_spoiled(&s->dev, kind, size), "start");
	if (rc == 0)
		rc = fe_must(fe_net_init(&s->net, &s->dev, &s->net_conf), "buffers");
	if (rc < 0)
		return rc;
	/* Something to read in the victim, if it were read; that it comes back says so. */
	fe_net_pair_off(&s->net, 1);
	raw.addr = s->dev.mem.data[0].gpa;
	fe_ring_raw(&s->dev.rings[VICTIM], &raw, 1);
	fe_ring_publish(&s->dev.rings[VICTIM]);
	rc = fe_session_pass(s, 500);
	if (rc == 0 && fe_ring_has_used(&s->dev.rings[VICTIM]))
		rc = fe_wrong("the spoiled queue is served");
	return rc;
}

static int
run_ring_case(
	int kind, uint32_t size, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s = {.dev_conf = *conf, .net_conf = *net};
	int rc;

	s.dev_conf.pairs = 2;
	s.dev_conf.data_bytes = fe_net_bytes(net, &s.dev_conf);
	rc = run_ring(&s, kind, size);
	fe_session_close(&s);
	return rc;
}

static int
run_size(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	return run_ring_case(SIZE, (uint32_t)a->arg, conf, net);
}

static int
run_addr(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	return run_ring_case(a->arg, conf->ring_size, conf, net);
}

/* Messages that name vring @p index, one of each kind. */
static int
name_vring(struct fe_dev *dev, uint32_t index)
{
	static const uint32_t requests[] = {
		FE_SET_VRING_NUM, FE_SET_VRING_BASE, FE_SET_VRING_ENABLE};
	static const uint32_t fd_requests[] = {
		FE_SET_VRING_KICK, FE_SET_VRING_CALL, FE_SET_VRING_ERR};
	struct fe_vring_addr addr = {.index = index};
	unsigned int i;
	int rc = 0;

	for (i = 0; i < 3 && rc == 0; i++)
		rc = tolerate(fe_set_vring(&dev->conn, requests[i], index, 1));
	/* These name their vring in eight bits. */
	for (i = 0; i < 3 && rc == 0 && index < 256; i++)
		rc = tolerate(
			fe_set_vring_fd(&dev->conn, fd_requests[i], index, dev->rings[0].callfd));
	return rc == 0 ? tolerate(fe_set_vring_addr(&dev->conn, &addr)) : rc;
}

/* Vring numbers that the device lacks are refused while traffic runs; those that no device can have
 * may end the connection. */
static int
run_index(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	static const uint32_t beyond[] = {256, 0x80000000u, UINT32_MAX};
	struct fe_session s;
	unsigned int i;
	int rc = fe_session_open(&s, conf, net), got;

	(void)a;
	if (rc == 0)
		rc = fe_must(fe_net_thread_start(&s.net), "thread");
	if (rc == 0)
		rc = fe_must(name_vring(&s.dev, 100), "vring 100");
	if (rc == 0)
		rc = fe_must(name_vring(&s.dev, 255), "vring 255");
	if (rc == 0)
		rc = fe_must(fe_net_thread_await(&s.net, 100, FE_IDLE_MS), "traffic");
	fe_net_thread_stop(&s.net);
	if (rc == 0)
		rc = fe_session_pass(&s, 100);
	for (i = 0; i < 3 && rc == 0; i++) {
		fe_dev_disconnect(&s.dev);
		rc = fe_must(fe_dev_negotiate(&s.dev), "negotiation");
		got = rc == 0 ? name_vring(&s.dev, beyond[i]) : 0;
		if (got < 0 && got != -ECONNRESET)
			rc = fe_must(got, "vring beyond all");
	}
	fe_session_close(&s);
	return rc;
}

/* DRIVER_OK and kicks without any memory. */
static int
run_no_memory(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev dev;
	unsigned int i;
	int rc = fe_must(fe_dev_init(&dev, conf), "memory");

	(void)a;
	(void)net;
	if (rc == 0)
		rc = fe_must(fe_dev_negotiate(&dev), "negotiation");
	/* One step after the negotiation is the memory table. */
	for (i = fe_dev_n_negotiation_steps() + 1; rc == 0 && i < fe_dev_n_steps(&dev); i++)
		rc = fe_must(tolerate(fe_dev_step(&dev, i)), fe_dev_step_name(&dev, i));
	for (i = 0; rc == 0 && i < fe_dev_n_rings(&dev); i++)
		fe_ring_kick(&dev.rings[i]);
	usleep(50000);
	if (rc == 0)
		rc = fe_must(fe_barrier(&dev.conn), "connection");
	fe_dev_free(&dev);
	return rc;
}

/* Interrupts into a pipe that nobody reads, then into one that nobody can read. */
static int
run_call_pipe(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	int fds[2] = {-1, -1}, rc;
	struct fe_session s;

	(void)a;
	rc = fe_session_open(&s, conf, net);
	if (rc == 0)
		rc = pipe(fds) < 0 ? -1 : 0;
	if (rc == 0)
		rc = fe_must(tolerate(fe_set_vring_fd(&s.dev.conn, FE_SET_VRING_CALL, 0, fds[1])),
			"SET_VRING_CALL with a pipe");
	if (rc == 0)
		rc = fe_session_pass(&s, 500);
	close(fds[0]);
	if (rc == 0)
		rc = fe_session_pass(&s, 500);
	close(fds[1]);
	fe_session_close(&s);
	return rc;
}

/* Go away after each step of a start, and once more in the middle of the next message. */
static int
run_disconnect(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_header head = {.request = FE_SET_VRING_ADDR, .flags = FE_F_VERSION, .size = 40};
	struct fe_dev dev;
	unsigned int i, k, half;
	int rc = fe_must(fe_dev_init(&dev, conf), "memory");

	(void)net;
	half = a->arg;
	for (i = 0; rc == 0 && i < fe_dev_n_steps(&dev); i++) {
		rc = fe_must(fe_dev_connect(&dev), "connect");
		for (k = 0; k <= i && rc == 0; k++)
			rc = fe_must(fe_dev_step(&dev, k), fe_dev_step_name(&dev, k));
		if (half)
			fe_send_raw(&dev.conn, &head, sizeof(head), NULL, 0);
		fe_dev_disconnect(&dev);
	}
	fe_dev_free(&dev);
	return rc;
}

const struct fe_attack fe_attacks_setup[] = {
	{"size-0", "a ring of 0 descriptors", run_size, 0},
	{"size-3", "a ring of 3 descriptors", run_size, 3},
	{"size-255", "a ring of 255 descriptors", run_size, 255},
	{"size-65536", "a ring of 65536 descriptors", run_size, 65536},
	{"desc-table-outside", "a descriptor table outside memory", run_addr, DESC_OUTSIDE},
	{"avail-outside", "an available ring outside memory", run_addr, AVAIL_OUTSIDE},
	{"used-outside", "a used ring outside memory", run_addr, USED_OUTSIDE},
	{"ring-end", "a descriptor table that runs out of memory", run_addr, RING_END},
	{"ring-wrap", "a used ring that wraps past 2^64", run_addr, RING_WRAP},
	{"ring-unaligned", "a descriptor table at an odd address", run_addr, RING_UNALIGNED},
	{"ring-grown", "a ring that is made larger after it was placed", run_addr, GROWN},
	{"base-ahead", "a base ahead of the available index", run_addr, BASE_AHEAD},
	{"vring-index", "vring numbers out of range", run_index, 0},
	{"no-memory", "no memory table", run_no_memory, 0},
	{"call-pipe", "interrupts into a pipe that nobody reads", run_call_pipe, 0},
	{"disconnect", "gone after each step of the start", run_disconnect, 0},
	{"disconnect-half", "gone in the middle of each step", run_disconnect, 1},
	{0},
};
