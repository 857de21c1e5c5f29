/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Messages of a hostile front-end: what librte_vhost must not see, and that nothing but the
 * offender suffers.
 */

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "autotest.h"
#include "vdpa_rig.h"

#define ARGS "device=mock,queues=2"

static struct rig r;

static void
setup(void)
{
	rig_open(&r, ARGS);
	rig_start(&r, RIG_FEATURES, 2);
}

/* The vring of queue 1 still works. */
static bool
alive(void)
{
	uint16_t used = rig_used(&r, 1);
	int head;

	rig_give(&r, 1, 0x100000, 60);
	rig_poll(&r, 0);
	head = mock_take(1);
	if (head < 0)
		return false;
	mock_return(1, head, 0);
	rig_poll(&r, 0);
	return (uint16_t)(rig_used(&r, 1) - used) == 1;
}

#define REFUSED(send)                                                 \
	do {                                                          \
		uint64_t before = r.d->stats.bad_messages;            \
		int open_fds = rig_fds();                             \
                                                                      \
		CU_ASSERT_EQUAL((send), STUB_NACK);                   \
		CU_ASSERT_EQUAL(r.d->stats.bad_messages, before + 1); \
		CU_ASSERT(rig_fds() <= open_fds);                     \
		CU_ASSERT(alive());                                   \
	} while (0)

static void
test_envelope(void)
{
	uint8_t junk[64] = {0xff, 0xff, 0xff, 0xff, 0xff};
	uint32_t request;

	setup();
	REFUSED(rig_send(&r, 0, junk, 0));
	REFUSED(rig_send(&r, 23, junk, 8));
	REFUSED(rig_send(&r, 41, junk, 8));
	REFUSED(rig_send(&r, UINT32_MAX, junk, 8));
	/* Features that are not offered: post-copy, in-flight, IOTLB, configuration space. */
	for (request = 22; request <= 32; request++)
		REFUSED(rig_send_fd(&r, request, junk, 64, eventfd(0, 0)));
	/* Shorter than what librte_vhost would read. */
	REFUSED(rig_send(&r, SVQ_VHOST_SET_FEATURES, junk, 4));
	REFUSED(rig_send(&r, SVQ_VHOST_SET_VRING_NUM, junk, 4));
	REFUSED(rig_send(&r, SVQ_VHOST_SET_VRING_ADDR, junk, 32));
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_VRING_KICK, junk, 0, eventfd(0, 0)));
	/* Queues that the device does not have. */
	REFUSED(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 4, 1));
	REFUSED(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, 255, 256));
	REFUSED(rig_state(&r, SVQ_VHOST_GET_VRING_BASE, UINT32_MAX, 0));
	REFUSED(rig_u64(&r, SVQ_VHOST_SET_VRING_CALL, 4 | SVQ_VHOST_VRING_NOFD));
	/* With a descriptor that it cannot carry. */
	REFUSED(rig_send_fd(&r, SVQ_VHOST_RESET_OWNER, junk, 0, eventfd(0, 0)));
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_VRING_NUM, junk, 8, eventfd(0, 0)));
	/* Another version of the protocol. */
	memset(&rig_msg, 0, sizeof(rig_msg));
	rig_msg.request = SVQ_VHOST_SET_OWNER;
	rig_msg.flags = 2 | SVQ_VHOST_NEED_REPLY;
	REFUSED(stub_send(r.vid, &rig_msg));
	rig_close(&r);
}

/* A connection that ends by a RESET_OWNER which librte_vhost would refuse gives the port back. */
static void
test_refused_reset_owner(void)
{
	setup();
	memset(&rig_msg, 0, sizeof(rig_msg));
	rig_msg.request = SVQ_VHOST_RESET_OWNER;
	rig_msg.fds[0] = eventfd(0, 0);
	rig_msg.fd_num = 1;
	CU_ASSERT_EQUAL(stub_send(r.vid, &rig_msg), STUB_DROPPED);
	CU_ASSERT_EQUAL(r.d->state, SVQ_VDPA_IDLE);
	CU_ASSERT_EQUAL(r.d->vid, -1);
	rig_close(&r);
}

static void
test_vring_num(void)
{
	static const uint32_t bad[] = {0, 1, 3, 255, 32769, 65536, UINT32_MAX};
	unsigned int i;

	setup();
	for (i = 0; i < RTE_DIM(bad); i++) {
		uint64_t rings = r.d->stats.bad_rings;

		REFUSED(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, 2, bad[i]));
		CU_ASSERT_EQUAL(r.d->stats.bad_rings, rings + 1);
	}
	/* Another size on a running vring. */
	REFUSED(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, 1, 2 * RIG_RING));
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, 1, RIG_RING), STUB_OK);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, 2, 32768), STUB_OK);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, 2, 2), STUB_OK);
	rig_close(&r);
}

static enum stub_result
send_addr(uint32_t qid, uint64_t desc, uint64_t avail, uint64_t used)
{
	struct vhost_vring_addr addr = {.index = qid,
		.desc_user_addr = desc,
		.avail_user_addr = avail,
		.used_user_addr = used};

	return rig_send(&r, SVQ_VHOST_SET_VRING_ADDR, &addr, sizeof(addr));
}

static void
test_vring_addr(void)
{
	const uint64_t qva = UINT64_C(0x600000000000), end = qva + (2 << 20);
	uint64_t good = qva + 0x40000;

	setup();
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, 2, 64), STUB_OK);
	REFUSED(send_addr(2, 0, 0, 0));
	REFUSED(send_addr(2, UINT64_MAX - 15, good, good));
	REFUSED(send_addr(2, end - 1008, good, good));
	REFUSED(send_addr(2, good, end - 132, good));
	REFUSED(send_addr(2, good, good, end - 516));
	REFUSED(send_addr(2, good + 8, good, good));
	REFUSED(send_addr(2, good, good + 1, good));
	REFUSED(send_addr(2, good, good, good + 2));
	CU_ASSERT_EQUAL(send_addr(2, end - 1024, good, good), STUB_OK);
	CU_ASSERT_EQUAL(send_addr(2, good, end - 134, good), STUB_OK);
	CU_ASSERT_EQUAL(send_addr(2, good, good, end - 520), STUB_OK);
	/* A running vring may get its address again, as when migration starts, but no other. */
	CU_ASSERT_EQUAL(rig_vring_addr(&r, 1), STUB_OK);
	REFUSED(send_addr(1, good, good + 0x1000, good + 0x2000));
	rig_close(&r);
}

/* Without a reply that says so, the connection goes on and just this vring never gets ready. */
static void
test_bad_ring_in_silence(void)
{
	struct vhost_vring_addr addr = {.index = 2};

	setup();
	memset(&rig_msg, 0, sizeof(rig_msg));
	rig_msg.request = SVQ_VHOST_SET_VRING_ADDR;
	rig_msg.size = sizeof(addr);
	memcpy(&rig_msg.payload, &addr, sizeof(addr));
	CU_ASSERT_EQUAL(stub_send(r.vid, &rig_msg), STUB_OK);
	rig_vring_call(&r, 2);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_VRING_KICK, 2 | SVQ_VHOST_VRING_NOFD), STUB_OK);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 2, 1), STUB_OK);
	CU_ASSERT_FALSE(r.d->vrings[2].ready);
	CU_ASSERT(alive());

	/* Other nonsense ends it. */
	memset(&rig_msg, 0, sizeof(rig_msg));
	rig_msg.request = 99;
	CU_ASSERT_EQUAL(stub_send(r.vid, &rig_msg), STUB_DROPPED);
	CU_ASSERT_EQUAL(r.d->state, SVQ_VDPA_IDLE);
	CU_ASSERT_EQUAL(mock.m.n_maps, 0);
	rig_close(&r);
}

/* The vring passes for librte_vhost, whose used ring is two bytes shorter than ours. */
static void
test_ring_too_short_at_attach(void)
{
	struct stub_vring *v;

	setup();
	v = &stub_conn(r.vid)->vring[2];
	rig_vring(&r, 2, false);
	v->used = (uint8_t *)v->used + (2 << 20) - 0x1a000 - 516;
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 2, 1), STUB_OK);
	CU_ASSERT_EQUAL(r.d->stats.bad_rings, 1);
	CU_ASSERT_FALSE(r.d->vrings[2].started);
	CU_ASSERT(alive());
	rig_close(&r);
}

static void
test_no_memory_table(void)
{
	setup();
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_RESET_OWNER, 0), STUB_OK);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_NUM, 0, RIG_RING), STUB_OK);
	CU_ASSERT_EQUAL(rig_vring_addr(&r, 0), STUB_NACK);
	CU_ASSERT_EQUAL(r.d->stats.bad_rings, 1);
	rig_vring_call(&r, 0);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_VRING_KICK, SVQ_VHOST_VRING_NOFD), STUB_OK);
	CU_ASSERT_EQUAL(rig_state(&r, SVQ_VHOST_SET_VRING_ENABLE, 0, 1), STUB_OK);
	CU_ASSERT_EQUAL(r.d->state, SVQ_VDPA_CONNECTED);
	rig_close(&r);
}

static enum stub_result
table(const struct svq_vhost_mem_region *regions, unsigned int n, unsigned int n_fds)
{
	struct svq_vhost_mem_table t = {.n = n};
	unsigned int i;

	memset(&rig_msg, 0, sizeof(rig_msg));
	for (i = 0; i < SVQ_VHOST_MAX_REGIONS; i++) {
		if (regions != NULL && i < n)
			t.regions[i] = regions[i];
		rig_msg.fds[i] = i < n_fds ? dup(r.memfd[0]) : -1;
	}
	rig_msg.request = SVQ_VHOST_SET_MEM_TABLE;
	rig_msg.flags = SVQ_VHOST_NEED_REPLY;
	rig_msg.size = 8 + RTE_MIN(n, 8u) * sizeof(t.regions[0]);
	rig_msg.fd_num = n_fds;
	memcpy(&rig_msg.payload, &t, sizeof(t));
	return stub_send(r.vid, &rig_msg);
}

static void
test_mem_table(void)
{
	const uint64_t mib = 1 << 20, top = UINT64_MAX - 4095;
	const struct {
		const char *what;
		unsigned int n;
		struct svq_vhost_mem_region r[2];
	} bad[] = {
		{"size 0", 1, {{0, 0, 0, 0}}},
		{"size of half a page", 1, {{0, 2048, 0, 0}}},
		{"GPA not aligned", 1, {{100, mib, 0, 0}}},
		{"offset not aligned", 1, {{0, mib, 0, 512}}},
		{"GPA wraps", 1, {{top, 2 * 4096, 0, 0}}},
		{"front-end address wraps", 1, {{0, 2 * 4096, top, 0}}},
		{"offset wraps", 1, {{0, 2 * 4096, 0, top}}},
		{"beyond the file", 1, {{0, 9 * mib, 0, 0}}},
		{"offset beyond the file", 1, {{0, mib, 0, 8 * mib}}},
		{"GPAs overlap", 2, {{0, mib, 0, 0}, {mib - 4096, mib, mib, mib}}},
		{"GPAs equal", 2, {{0, mib, 0, 0}, {0, mib, mib, mib}}},
		{"one address, two memories", 2, {{0, mib, 0, 0}, {mib, mib, 4096, mib}}},
	};
	/* The same piece of the file twice, at one front-end address: aliases. */
	const struct svq_vhost_mem_region alias[] = {
		{0, 2 * mib, UINT64_C(0x600000000000), 0},
		{4096 * mib, mib, UINT64_C(0x600000000000) + mib, mib},
	};
	unsigned int i;
	int fd;

	setup();
	for (i = 0; i < RTE_DIM(bad); i++)
		REFUSED(table(bad[i].r, bad[i].n, bad[i].n));
	REFUSED(table(NULL, 0, 0));
	REFUSED(table(NULL, 9, 8));
	REFUSED(table(NULL, UINT32_MAX, 8));
	REFUSED(table(alias, 2, 1));
	REFUSED(table(alias, 2, 0));
	/* A descriptor that is no file. */
	fd = r.memfd[0];
	r.memfd[0] = eventfd(0, 0);
	REFUSED(table(alias, 1, 1));
	close(r.memfd[0]);
	r.memfd[0] = fd;
	CU_ASSERT_EQUAL(table(alias, 2, 2), STUB_OK);
	CU_ASSERT_EQUAL(r.d->state, SVQ_VDPA_RUNNING);
	CU_ASSERT(alive());
	CU_ASSERT_EQUAL(rig_guest_maps(&r), 2);
	rig_close(&r);
}

static void
test_log_base(void)
{
	struct svq_vhost_log log = {.size = 4096, .offset = 4096};
	int fd = memfd_create("log", 0);

	setup();
	CU_ASSERT_EQUAL(ftruncate(fd, 8192), 0);
	REFUSED(rig_send(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log)));
	/* With an offset it is mapped there, once. */
	CU_ASSERT_EQUAL(
		rig_send_fd(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), dup(fd)), STUB_REPLIED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r.d->log.base);
	r.d->log.base[0] = 0xa5;
	CU_ASSERT_EQUAL(pread(fd, &log, 1, 4096), 1);
	CU_ASSERT_EQUAL(*(uint8_t *)&log, 0xa5);
	log = (struct svq_vhost_log){.size = 0};
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), dup(fd)));
	log = (struct svq_vhost_log){.size = 12288};
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), dup(fd)));
	log = (struct svq_vhost_log){.size = 4096, .offset = 100};
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), dup(fd)));
	log = (struct svq_vhost_log){.size = 8192, .offset = UINT64_MAX - 4095};
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), dup(fd)));
	log = (struct svq_vhost_log){.size = 4096};
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_LOG_BASE, &log, sizeof(log), eventfd(0, 0)));
	close(fd);
	rig_close(&r);
}

/* A worker writes to it: nothing but an eventfd may come. */
static void
test_vring_call(void)
{
	uint64_t index = 1;
	int p[2];

	setup();
	CU_ASSERT_EQUAL(pipe(p), 0);
	close(p[0]);
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_VRING_CALL, &index, 8, p[1]));
	REFUSED(rig_send_fd(&r, SVQ_VHOST_SET_VRING_CALL, &index, 8, memfd_create("x", 0)));
	/* A guest that polls has none. */
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_VRING_CALL, 1 | SVQ_VHOST_VRING_NOFD), STUB_OK);
	CU_ASSERT(alive());
	rig_close(&r);
}

static void
test_random_bytes(void)
{
	uint64_t seed = autotest_seed(), x = seed | 1;
	unsigned int i, k;

	setup();
	for (i = 0; i < 20000; i++) {
		uint8_t payload[64];

		for (k = 0; k < sizeof(payload); k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			/* Mostly small numbers: those find a queue. */
			payload[k] = x >> 60 < 12 ? 0 : (uint8_t)(x >> 32) % (x >> 61 ? 8 : 255);
		}
		rig_send_fd(&r, x % 48, payload, (x >> 8) % 65, (x >> 20) % 4 == 0 ? dup(0) : -1);
		if (!stub_conn(r.vid)->open)
			CU_ASSERT(rig_connect(&r));
	}
	stub_disconnect(r.vid);
	CU_ASSERT_EQUAL(mock.m.n_maps, 0);
	rig_close(&r);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_msg", NULL, NULL);

	autotest_add(s, "envelope", test_envelope);
	autotest_add(s, "RESET_OWNER with a descriptor", test_refused_reset_owner);
	autotest_add(s, "SET_VRING_NUM", test_vring_num);
	autotest_add(s, "SET_VRING_ADDR", test_vring_addr);
	autotest_add(s, "bad ring without a reply", test_bad_ring_in_silence);
	autotest_add(s, "ring found short when attached", test_ring_too_short_at_attach);
	autotest_add(s, "no memory table", test_no_memory_table);
	autotest_add(s, "SET_MEM_TABLE", test_mem_table);
	autotest_add(s, "SET_LOG_BASE", test_log_base);
	autotest_add(s, "SET_VRING_CALL", test_vring_call);
	autotest_add(s, "random bytes", test_random_bytes);
}
REGISTER_AUTOTEST(vdpa_msg_autotest, fill)
