/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Memory tables and dirty logs that cannot be mapped. Each is sent to a fresh connection, then to
 * one whose traffic runs and must go on with what it had.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "fe_attack.h"
#include "fe_session.h"

enum {
	OVERLAP,
	TOO_MANY,
	COUNT_LIE,
	NO_REGIONS,
	NO_FDS,
	BEYOND_FILE,
	UNALIGNED,
	EMPTY,
	GPA_WRAP,
	OFFSET_WRAP,
	NO_FILE,
	LOG_BEYOND,
	LOG_OFFSET,
	LOG_HUGE,
	LOG_NO_FILE,
	LOG_NO_FD,
};

static void
spoil_table(struct fe_wire_table *t, int *fds, int kind)
{
	struct fe_wire_region *r = &t->regions[t->n - 1];
	unsigned int i;

	switch (kind) {
	case OVERLAP:
		t->regions[t->n] = *r;
		t->regions[t->n].gpa += FE_PAGE;
		t->regions[t->n].user += 1ull << 40;
		fds[t->n] = fds[t->n - 1];
		t->n++;
		break;
	case TOO_MANY:
		for (i = t->n; i < 40; i++) {
			t->regions[i] = *r;
			t->regions[i].size = FE_PAGE;
			t->regions[i].gpa = (1ull << 44) + i * FE_PAGE;
			t->regions[i].user = (1ull << 44) + i * FE_PAGE;
			fds[i] = fds[0];
		}
		/* More descriptors would not get through anyway. */
		t->n = 8;
		break;
	case BEYOND_FILE:
		r->size += 1ull << 30;
		break;
	case UNALIGNED:
		r->gpa += 8;
		break;
	case EMPTY:
		r->size = 0;
		break;
	case GPA_WRAP:
		r->gpa = -(uint64_t)FE_PAGE;
		break;
	case OFFSET_WRAP:
		r->offset = -(uint64_t)FE_PAGE;
		break;
	}
}

static int
send_table(struct fe_dev *dev, int kind)
{
	struct fe_wire_table t;
	int fds[FE_MAX_FDS], odd = -1, rc;
	uint32_t size;
	unsigned int n;

	fe_mem_table(&dev->mem, &t, fds);
	spoil_table(&t, fds, kind);
	if (kind == NO_FILE) {
		odd = eventfd(0, EFD_CLOEXEC);
		fds[t.n - 1] = odd;
	}
	n = kind == NO_FDS ? 0 : t.n;
	if (kind == COUNT_LIE)
		t.n = 0x10000001;
	if (kind == NO_REGIONS)
		t.n = 0;
	if (kind == TOO_MANY)
		t.n = 40;
	size = (uint32_t)offsetof(struct fe_wire_table, regions) +
		(n == 0 ? 1 : n) * (uint32_t)sizeof(t.regions[0]);
	rc = fe_call(&dev->conn, FE_SET_MEM_TABLE, &t, size, fds, n);
	if (odd >= 0)
		close(odd);
	return rc;
}

static int
send_log(struct fe_dev *dev, int kind)
{
	struct fe_wire_log wire = {.size = FE_PAGE};
	struct fe_log log;
	struct fe_msg msg;
	int rc, fd;

	if (fe_log_init(&log, fe_mem_end(&dev->mem)) < 0)
		return -ENOMEM;
	wire.size = log.size;
	fd = log.fd;
	if (kind == LOG_BEYOND)
		wire.offset = log.size;
	else if (kind == LOG_OFFSET)
		wire.offset = 24;
	else if (kind == LOG_HUGE)
		wire.size = UINT64_MAX - FE_PAGE;
	else if (kind == LOG_NO_FILE)
		fd = eventfd(0, EFD_CLOEXEC);
	/* The answer is a plain one or, as the message is refused, an acknowledgement. */
	rc = fe_call(
		&dev->conn, FE_SET_LOG_BASE, &wire, sizeof(wire), &fd, kind == LOG_NO_FD ? 0 : 1);
	if (rc == -EPROTO)
		rc = fe_recv(&dev->conn, &msg) == 0 ? 0 : -EPROTO;
	if (fd != log.fd)
		close(fd);
	fe_log_free(&log);
	return rc;
}

static int
send_bad(struct fe_dev *dev, int kind)
{
	return kind >= LOG_BEYOND ? send_log(dev, kind) : send_table(dev, kind);
}

/* It must be refused; that the back-end hangs up is fine where nothing runs. */
static int
run_fresh(const struct fe_attack *a, const struct fe_dev_conf *conf)
{
	struct fe_dev dev;
	int rc = fe_must(fe_dev_init(&dev, conf), "memory");

	if (rc == 0)
		rc = fe_must(fe_dev_negotiate(&dev), "negotiation");
	if (rc == 0 && send_bad(&dev, a->arg) == 0)
		rc = fe_wrong("a fresh back-end takes it");
	fe_dev_free(&dev);
	return rc;
}

static int
run_running(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	int rc = fe_session_open(&s, conf, net), got;

	if (rc == 0)
		rc = fe_must(fe_net_thread_start(&s.net), "thread");
	if (rc == 0) {
		got = send_bad(&s.dev, a->arg);
		if (got != -EREMOTEIO)
			rc = fe_wrong("a running back-end does not refuse it: %s", strerror(-got));
	}
	if (rc == 0)
		rc = fe_must(fe_net_thread_await(&s.net, 200, FE_IDLE_MS), "traffic");
	fe_net_thread_stop(&s.net);
	if (rc == 0)
		rc = fe_session_pass(&s, 200);
	fe_session_close(&s);
	return rc;
}

static int
run_bad(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	int rc = run_fresh(a, conf);

	return rc == 0 ? run_running(a, conf, net) : rc;
}

/* Wait until the back-end has told of every ring that it is broken. */
static int
await_errors(const struct fe_dev *dev)
{
	unsigned int i;

	for (i = 0; i < fe_dev_n_rings(dev); i++) {
		struct pollfd pfd = {.fd = dev->rings[i].errfd, .events = POLLIN};

		if (poll(&pfd, 1, dev->conf.timeout_ms) <= 0)
			return fe_wrong("memory is gone, and ring %u goes on", i);
	}
	return 0;
}

/* The guest's memory, or its log, shrinks while the back-end writes to it. */
static int
run_truncate(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	struct fe_log log = {.fd = -1};
	int rc = fe_session_open(&s, conf, net);
	unsigned int i;

	if (rc == 0 && a->arg)
		rc = fe_must(fe_log_init(&log, fe_mem_end(&s.dev.mem)), "log");
	if (rc == 0 && a->arg)
		rc = fe_must(fe_dev_log_start(&s.dev, &log), "log");
	if (rc < 0)
		goto out;
	for (i = 0; i < fe_dev_n_rings(&s.dev); i++)
		fe_ring_disarm(&s.dev.rings[i]);
	/* Frames are on their way while the memory goes; we must not touch it either, from then. */
	s.net.limit = s.net.stats.sent + 20;
	fe_net_poll(&s.net);
	if (a->arg) {
		rc = ftruncate(log.fd, 0);
		for (i = 0; i < 100 && rc == 0; i++)
			fe_net_poll(&s.net);
		usleep(200000);
	} else {
		rc = ftruncate(s.dev.mem.files[0].fd, 0);
		if (rc == 0)
			rc = await_errors(&s.dev);
	}
out:
	fe_session_close(&s);
	fe_log_free(&log);
	return rc;
}

const struct fe_attack fe_attacks_mem[] = {
	{"mem-overlap", "two regions at one guest address", run_bad, OVERLAP},
	{"mem-too-many", "40 regions announced, 8 sent", run_bad, TOO_MANY},
	{"mem-count", "a number of regions that overflows", run_bad, COUNT_LIE},
	{"mem-none", "a table of no region", run_bad, NO_REGIONS},
	{"mem-no-fds", "a table without descriptors", run_bad, NO_FDS},
	{"mem-beyond-file", "a region that ends beyond its file", run_bad, BEYOND_FILE},
	{"mem-unaligned", "a region that begins inside a page", run_bad, UNALIGNED},
	{"mem-empty", "a region of 0 bytes", run_bad, EMPTY},
	{"mem-gpa-wrap", "a region that wraps past 2^64", run_bad, GPA_WRAP},
	{"mem-offset-wrap", "a file offset that wraps past 2^64", run_bad, OFFSET_WRAP},
	{"mem-no-file", "an eventfd as memory", run_bad, NO_FILE},
	{"log-beyond", "a dirty log beyond its file", run_bad, LOG_BEYOND},
	{"log-offset", "a dirty log at an odd offset", run_bad, LOG_OFFSET},
	{"log-huge", "a dirty log of 2^64 bytes", run_bad, LOG_HUGE},
	{"log-no-file", "an eventfd as dirty log", run_bad, LOG_NO_FILE},
	{"log-no-fd", "a dirty log without a descriptor", run_bad, LOG_NO_FD},
	{"mem-truncated", "guest memory shrinks under traffic", run_truncate, 0},
	{"log-truncated", "the dirty log shrinks under traffic", run_truncate, 1},
	{0},
};
