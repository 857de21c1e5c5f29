/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * A guest that is well-formed and a nuisance: it notifies without end, takes nothing of what is
 * used, or makes its interrupts impossible to deliver. All by the first pair; the second must go
 * on.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "fe_attack.h"
#include "fe_session.h"

#define STORM_MS 700

static int
open_two(struct fe_session *s, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev_conf two = *conf;
	struct fe_net_conf few = *net;
	int rc;

	two.pairs = 2;
	few.window = 16;
	rc = fe_session_open(s, &two, &few);
	if (rc == 0)
		fe_net_poll_used(&s->net);
	return rc;
}

/* ---- Kicks without end ---- */

struct storm {
	pthread_t thread;
	int fds[2];
	atomic_bool over;
	uint64_t kicks;
};

static void *
storm_thread(void *arg)
{
	struct storm *storm = arg;

	while (!atomic_load_explicit(&storm->over, memory_order_relaxed)) {
		if (eventfd_write(storm->fds[storm->kicks % 2], 1) != 0)
			break;
		storm->kicks++;
	}
	return NULL;
}

/* Frames pass on every pair that is on while another thread kicks. */
static int
storm_pass(struct fe_session *s, struct storm *storm)
{
	uint64_t begin = fe_now_ms(), took;
	int rc;

	if (pthread_create(&storm->thread, NULL, storm_thread, storm) != 0)
		return fe_wrong("no thread");
	do {
		rc = fe_session_pass(s, 100);
		took = fe_now_ms() - begin;
	} while (rc == 0 && took < STORM_MS);
	atomic_store(&storm->over, true);
	pthread_join(storm->thread, NULL);
	printf("kicks %" PRIu64 " in %" PRIu64 " ms\n", storm->kicks, took);
	return rc;
}

/* Both queues of an idle pair are kicked; with an argument, nobody is, which costs this machine as
 * much and the back-end nothing. */
static int
run_storm(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct storm storm = {.fds = {-1, -1}};
	struct fe_session s;
	unsigned int q;
	int rc = open_two(&s, conf, net);

	for (q = 0; q < 2 && rc == 0; q++)
		storm.fds[q] = a->arg ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
				      : dup(s.dev.rings[q].kickfd);
	if (rc == 0) {
		s.net.pairs[0].off = true;
		rc = storm_pass(&s, &storm);
		s.net.pairs[0].off = false;
	}
	if (rc == 0)
		rc = fe_session_pass(&s, 200);
	close(storm.fds[0]);
	close(storm.fds[1]);
	fe_session_close(&s);
	return rc;
}

/* ---- Used entries that nobody takes ---- */

/* Fill a ring to the brim. */
static void
fill_ring(struct fe_session *s, unsigned int q)
{
	struct fe_seg seg = {.gpa = s->scratch, .len = 100, .write = q % 2 == 0};

	while (fe_ring_add(&s->dev.rings[q], &seg, 1, 1, 0, s) >= 0)
		;
	fe_ring_publish(&s->dev.rings[q]);
}

/* Used entries of a ring, each of which must be of a chain that is out. */
static int
count_used(struct fe_ring *ring)
{
	void *cookie;
	uint32_t len;
	int n = 0, rc;

	while ((rc = fe_ring_get(ring, &cookie, &len)) == 1)
		n++;
	return rc < 0 ? rc : n;
}

/*
 * Both rings are full and stay so: the device has used all receive buffers and waits for more with
 * the rest of what was sent. What it used it has used once.
 */
static int
run_never_take(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	int rc = open_two(&s, conf, net), received, sent, posted;

	(void)a;
	if (rc < 0)
		goto out;
	fe_net_pair_off(&s.net, 0);
	fill_ring(&s, 0);
	fill_ring(&s, 1);
	posted = (int)s.dev.rings[0].outstanding;
	rc = fe_session_pass(&s, 32ull * s.dev.rings[0].size);
	if (rc == 0)
		rc = fe_session_told(&s, -1);
	if (rc == 0)
		rc = fe_must(fe_barrier(&s.dev.conn), "connection");
	received = count_used(&s.dev.rings[0]);
	sent = count_used(&s.dev.rings[1]);
	if (rc == 0 && (received != posted || sent != received))
		rc = fe_wrong(
			"%d buffers received into and %d sent, of %d", received, sent, posted);
	printf("posted %d, received into %d, sent %d\n", posted, received, sent);
out:
	fe_session_close(&s);
	return rc;
}

/* ---- Interrupts that cannot be delivered ---- */

/* Fill the counter of a call descriptor, and have writes to it wait. */
static int
fill_call(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	eventfd_t count;

	if (eventfd_read(fd, &count) != 0 && errno != EAGAIN)
		return -errno;
	if (eventfd_write(fd, UINT64_MAX - 1) != 0)
		return -errno;
	return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0 ? -errno : 0;
}

static int
run_call_full(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_session s;
	struct fe_seg seg = {.len = 100};
	int rc = open_two(&s, conf, net);

	(void)a;
	if (rc == 0)
		rc = fe_must(fill_call(s.dev.rings[1].callfd), "call descriptor");
	if (rc == 0) {
		fe_net_pair_off(&s.net, 0);
		seg.gpa = s.scratch;
		fe_ring_arm(&s.dev.rings[1]);
		fe_ring_add(&s.dev.rings[1], &seg, 1, 1, 0, &s);
		fe_ring_publish(&s.dev.rings[1]);
		rc = fe_session_pass(&s, 300);
	}
	if (rc == 0)
		rc = fe_session_told(&s, 1);
	fe_session_close(&s);
	return rc;
}

const struct fe_attack fe_attacks_storm[] = {
	{"kick-storm", "notifications without end", run_storm, 0},
	{"kick-storm-elsewhere", "the same, but nobody is notified", run_storm, 1},
	{"never-take", "used entries are never taken", run_never_take, 0},
	{"call-full", "a call descriptor that is full, and waits", run_call_full, 0},
	{0},
};
