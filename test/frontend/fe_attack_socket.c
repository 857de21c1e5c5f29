/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* What anybody who can open the socket may write into it. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fe_attack.h"
#include "fe_session.h"

enum {
	RANDOM_BYTES,
	HALF_HEADER,
	HALF_PAYLOAD,
	HUGE_SIZE,
	UNKNOWN_REQUEST,
	BAD_VERSION,
	SHORT_PAYLOAD,
	FDS_UNASKED,
	FDS_RESET,
	FDS_MANY,
	UNREAD,
};

/* How long a back-end may take to hang up on nonsense. */
#define HANG_UP_MS 2000

static int
send_random(struct fe_conn *conn, uint64_t seed)
{
	uint64_t state = seed, words[512];
	unsigned int i;

	for (i = 0; i < 512; i++)
		words[i] = fe_random(&state);
	return fe_send_raw(conn, words, sizeof(words), NULL, 0);
}

static int
send_fds(struct fe_conn *conn, uint32_t request, unsigned int n)
{
	int fds[FE_MAX_FDS], fd = open("/dev/null", O_RDWR | O_CLOEXEC), rc;
	unsigned int i;

	if (fd < 0)
		return -1;
	for (i = 0; i < n; i++)
		fds[i] = fd;
	rc = fe_send(conn, request, NULL, 0, fds, n);
	close(fd);
	return rc;
}

/* At once: a back-end waits for the rest of a message for a short time only. */
static int
send_parts(struct fe_conn *conn, const struct fe_header *head, const void *payload, size_t n)
{
	uint8_t buf[sizeof(*head) + 8];

	memcpy(buf, head, sizeof(*head));
	memcpy(buf + sizeof(*head), payload, n);
	return fe_send_raw(conn, buf, sizeof(*head) + n, NULL, 0);
}

static int
send_nonsense(struct fe_conn *conn, int kind)
{
	struct fe_header head = {.request = FE_SET_FEATURES, .flags = FE_F_VERSION, .size = 8};
	uint64_t value = 0;

	switch (kind) {
	case HALF_HEADER:
		return fe_send_raw(conn, &head, 5, NULL, 0);
	case HALF_PAYLOAD:
		/* The rest does not come, because we hang up. */
		return send_parts(conn, &head, &value, 3);
	case HUGE_SIZE:
		head.size = UINT32_MAX;
		return send_parts(conn, &head, &value, sizeof(value));
	case UNKNOWN_REQUEST:
		return fe_send(conn, 4711, &value, sizeof(value), NULL, 0);
	case BAD_VERSION:
		head.flags = 2;
		return send_parts(conn, &head, &value, sizeof(value));
	case SHORT_PAYLOAD:
		return fe_send(conn, FE_SET_VRING_ADDR, &value, sizeof(value), NULL, 0);
	case FDS_UNASKED:
		return send_fds(conn, FE_GET_FEATURES, 8);
	case FDS_RESET:
		return send_fds(conn, FE_RESET_OWNER, 1);
	case FDS_MANY:
		return send_fds(conn, FE_SET_MEM_TABLE, FE_MAX_FDS);
	default:
		return -1;
	}
}

/* The back-end may hang up before all is sent. */
static int
tolerate(int rc)
{
	return rc == -ECONNRESET ? 0 : rc;
}

/* Say nonsense to a fresh connection, and again to one that is negotiated. */
static int
run_nonsense(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev dev;
	int rc;

	(void)net;
	rc = fe_must(fe_dev_init(&dev, conf), "memory");
	if (rc == 0)
		rc = fe_must(fe_dev_connect(&dev), "connect");
	if (rc == 0)
		rc = fe_must(tolerate(send_nonsense(&dev.conn, a->arg)), "send");
	usleep(20000);
	fe_dev_disconnect(&dev);

	if (rc == 0)
		rc = fe_must(fe_dev_negotiate(&dev), "negotiation after nonsense");
	if (rc == 0)
		rc = fe_must(tolerate(send_nonsense(&dev.conn, a->arg)), "send");
	usleep(20000);
	fe_dev_free(&dev);
	return rc;
}

static int
run_random(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev dev;
	unsigned int i;
	int rc = 0;

	(void)a;
	for (i = 0; i < 8 && rc == 0; i++) {
		rc = fe_must(fe_dev_init(&dev, conf), "memory");
		if (rc == 0)
			rc = fe_must(fe_dev_connect(&dev), "connect");
		if (rc == 0)
			send_random(&dev.conn, net->seed + i + 1);
		if (rc == 0 && fe_conn_wait_close(&dev.conn, HANG_UP_MS) < 0)
			rc = fe_wrong("random bytes, and the back-end does not hang up");
		fe_dev_free(&dev);
	}
	return rc;
}

/* Connections that say nothing, and one that comes and goes. */
static int
run_silent(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_conn conns[16];
	unsigned int i;
	int rc = 0;

	(void)a;
	(void)net;
	for (i = 0; i < 16; i++) {
		fe_conn_init(&conns[i], conf->timeout_ms);
		if (rc == 0)
			rc = fe_must(fe_conn_connect(&conns[i], conf->path), "connect");
	}
	usleep(100000);
	for (i = 0; i < 16; i++)
		fe_conn_close(&conns[i]);
	return rc;
}

/* A second front-end comes while one is served. */
static int
run_second(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	struct fe_conn conn;
	int rc;

	(void)a;
	fe_conn_init(&conn, conf->timeout_ms);
	rc = fe_session_open(&s, conf, net);
	if (rc == 0)
		rc = fe_must(fe_conn_connect(&conn, conf->path), "second connection");
	if (rc == 0)
		fe_send(&conn, FE_SET_OWNER, NULL, 0, NULL, 0);
	if (rc == 0)
		rc = fe_session_pass(&s, 200);
	if (rc == 0 && fe_conn_wait_close(&conn, HANG_UP_MS) < 0)
		rc = fe_wrong("a second front-end, and the back-end does not hang up on it");
	fe_conn_close(&conn);
	if (rc == 0)
		rc = fe_session_pass(&s, 200);
	fe_session_close(&s);
	return rc;
}

/* Leave the back-end waiting for the rest of a message, or for us to read its answers. Whoever
 * connects next must not wait with it. */
static int
run_stall(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_header head = {.request = FE_SET_FEATURES, .flags = FE_F_VERSION, .size = 8};
	struct fe_conn stalled, next;
	unsigned int i;
	int rc;

	(void)net;
	fe_conn_init(&stalled, 200);
	fe_conn_init(&next, conf->timeout_ms);
	rc = fe_must(fe_conn_connect(&stalled, conf->path), "connect");
	if (rc == 0 && a->arg == HALF_PAYLOAD)
		rc = fe_must(fe_send_raw(&stalled, &head, sizeof(head), NULL, 0), "send");
	for (i = 0; rc == 0 && a->arg == UNREAD && i < 400; i++) {
		if (fe_send(&stalled, FE_GET_FEATURES, NULL, 0, NULL, 0) < 0)
			break;
	}
	/* Let it begin to wait. */
	usleep(20000);
	if (rc == 0)
		rc = fe_must(fe_conn_connect(&next, conf->path), "second connection");
	if (rc == 0)
		rc = fe_must(fe_send(&next, FE_GET_FEATURES, NULL, 0, NULL, 0), "send");
	/* Refused as a second front-end, or answered: both show that the back-end is awake. */
	if (rc == 0 && fe_conn_wait_answer(&next, HANG_UP_MS) < 0)
		rc = fe_wrong("one front-end stalls, and the next one waits with it");
	fe_conn_close(&next);
	fe_conn_close(&stalled);
	return rc;
}

/* Nonsense from a connection whose traffic runs. */
static int
run_amid(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	int rc = fe_session_open(&s, conf, net);

	if (rc == 0)
		rc = fe_must(fe_net_thread_start(&s.net), "thread");
	if (rc == 0)
		rc = fe_must(fe_net_thread_await(&s.net, 100, FE_IDLE_MS), "traffic");
	if (rc == 0)
		send_nonsense(&s.dev.conn, a->arg);
	if (rc == 0 && fe_conn_wait_close(&s.dev.conn, HANG_UP_MS) < 0)
		rc = fe_wrong("nonsense, and the back-end does not hang up");
	fe_session_close(&s);
	return rc;
}

const struct fe_attack fe_attacks_socket[] = {
	{"random-bytes", "random bytes on the socket", run_random, RANDOM_BYTES},
	{"half-header", "5 bytes of a header, then gone", run_nonsense, HALF_HEADER},
	{"half-payload", "a header, a part of its payload, then gone", run_nonsense, HALF_PAYLOAD},
	{"huge-size", "a payload of 4 GiB announced", run_nonsense, HUGE_SIZE},
	{"unknown-request", "a request that does not exist", run_nonsense, UNKNOWN_REQUEST},
	{"bad-version", "a protocol version that does not exist", run_nonsense, BAD_VERSION},
	{"short-payload", "SET_VRING_ADDR with 8 bytes", run_nonsense, SHORT_PAYLOAD},
	{"fds-unasked", "descriptors with a message that takes none", run_nonsense, FDS_UNASKED},
	{"fds-reset", "RESET_OWNER with a descriptor", run_nonsense, FDS_RESET},
	{"fds-many", "64 descriptors with one message", run_nonsense, FDS_MANY},
	{"stall-payload", "a message whose payload does not come", run_stall, HALF_PAYLOAD},
	{"stall-answers", "requests whose answers are not read", run_stall, UNREAD},
	{"silent", "16 connections that say nothing", run_silent, 0},
	{"second", "a second front-end on a socket in use", run_second, 0},
	{"garbage-amid", "an unknown request while traffic runs", run_amid, UNKNOWN_REQUEST},
	{0},
};
