/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Messages in any order with values that are right, nearly right or wrong, to a device whose rings
 * the guest fills all the while. Nothing is expected of this port but that it takes a front-end
 * afterwards.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "fe_attack.h"
#include "fe_session.h"

#define MESSAGES 3000

struct fuzz {
	struct fe_dev dev;
	struct fe_log log;
	uint64_t random;
};

static uint32_t
pick(struct fuzz *f, uint32_t n)
{
	return fe_random_in(&f->random, 0, n - 1);
}

/* Mostly a vring that exists. */
static uint32_t
any_vring(struct fuzz *f)
{
	static const uint32_t odd[] = {4, 7, 8, 100, 255};

	return pick(f, 16) != 0 ? pick(f, fe_dev_n_rings(&f->dev)) : odd[pick(f, 5)];
}

static uint32_t
any_number(struct fuzz *f)
{
	static const uint32_t numbers[] = {
		0, 1, 2, 3, 16, 255, 256, 1024, 32768, 65535, 65536, UINT32_MAX};

	return pick(f, 4) != 0 ? f->dev.conf.ring_size
			       : numbers[pick(f, sizeof(numbers) / sizeof(numbers[0]))];
}

static uint64_t
any_address(struct fuzz *f, uint64_t gpa)
{
	uint64_t user = fe_mem_user(&f->dev.mem, gpa);

	switch (pick(f, 12)) {
	case 0:
		return user + 16 * pick(f, 100000);
	case 1:
		return user + pick(f, 64);
	case 2:
		return fe_random(&f->random);
	default:
		return user;
	}
}

static int
send_addr(struct fuzz *f)
{
	uint32_t q = any_vring(f);
	const struct fe_ring *ring = &f->dev.rings[q % fe_dev_n_rings(&f->dev)];
	struct fe_vring_addr addr = {
		.index = q,
		.flags = pick(f, 2),
		.desc = any_address(f, ring->desc_gpa),
		.avail = any_address(f, ring->avail_gpa),
		.used = any_address(f, ring->used_gpa),
		.log = pick(f, 4) != 0 ? ring->used_gpa : fe_random(&f->random),
	};

	return fe_set_vring_addr(&f->dev.conn, &addr);
}

static int
send_fd(struct fuzz *f)
{
	static const uint32_t requests[] = {FE_SET_VRING_KICK, FE_SET_VRING_CALL, FE_SET_VRING_ERR};
	int fd = pick(f, 8) != 0 ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1, rc;

	rc = fe_set_vring_fd(&f->dev.conn, requests[pick(f, 3)], any_vring(f), fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The table, without a region, or with one that lies a little elsewhere. */
static int
send_table(struct fuzz *f)
{
	struct fe_wire_table t;
	int fds[FE_MAX_FDS];
	uint32_t i;

	fe_mem_table(&f->dev.mem, &t, fds);
	i = pick(f, t.n);
	switch (pick(f, 6)) {
	case 0:
		if (t.n > 1)
			t.n--;
		break;
	case 1:
		t.regions[i].gpa ^= (uint64_t)FE_PAGE << pick(f, 30);
		break;
	case 2:
		t.regions[i].size ^= (uint64_t)FE_PAGE << pick(f, 12);
		break;
	case 3:
		t.regions[i].user ^= (uint64_t)FE_PAGE << pick(f, 30);
		break;
	}
	return fe_set_mem_table(&f->dev.conn, &t, fds);
}

static int
send_log(struct fuzz *f)
{
	uint64_t size = pick(f, 3) != 0 ? f->log.size : FE_PAGE * pick(f, 8);
	struct fe_wire_log wire = {.size = size};
	struct fe_msg msg;
	int rc;

	rc = fe_call(&f->dev.conn, FE_SET_LOG_BASE, &wire, sizeof(wire), &f->log.fd, 1);
	/* The answer is a plain one; only a refusal is an acknowledgement. */
	if (rc == -ETIMEDOUT || (rc < 0 && !f->dev.conn.ack))
		rc = fe_recv(&f->dev.conn, &msg);
	return rc == -EPROTO ? 0 : rc;
}

static int
send_any(struct fuzz *f)
{
	struct fe_conn *conn = &f->dev.conn;
	uint32_t base;
	uint64_t value;

	switch (pick(f, 24)) {
	case 0:
		return fe_set_u64(conn, FE_SET_FEATURES,
			pick(f, 2) ? f->dev.features : f->dev.features & fe_random(&f->random));
	case 1:
		return fe_set_u64(conn, FE_SET_FEATURES, f->dev.features | FE_F_LOG_ALL);
	case 2:
		return fe_get_u64(conn, FE_GET_FEATURES, &value);
	case 3:
	case 4:
		return fe_get_vring_base(conn, any_vring(f), &base);
	case 5:
		return pick(f, 8) ? 0 : fe_call(conn, FE_RESET_OWNER, NULL, 0, NULL, 0);
	case 6:
		return fe_set_u64(conn, FE_SET_STATUS, pick(f, 2) ? 0x0f : pick(f, 256));
	case 7:
	case 8:
		return send_table(f);
	case 9:
		return send_log(f);
	case 10:
		return fe_set_u64(conn, FE_SEND_RARP, fe_random(&f->random));
	case 11:
	case 12:
		return fe_set_vring(conn, FE_SET_VRING_NUM, any_vring(f), any_number(f));
	case 13:
	case 14:
		return fe_set_vring(
			conn, FE_SET_VRING_BASE, any_vring(f), pick(f, 2) ? any_number(f) : 0);
	case 15:
	case 16:
		return send_addr(f);
	case 17:
	case 18:
	case 19:
		return send_fd(f);
	default:
		return fe_set_vring(conn, FE_SET_VRING_ENABLE, any_vring(f), pick(f, 2));
	}
}

/* The guest goes on filling its rings, in its own way. */
static void
fill_rings(struct fuzz *f)
{
	struct fe_ring *ring = &f->dev.rings[pick(f, fe_dev_n_rings(&f->dev))];
	unsigned int i, n = pick(f, 8);

	for (i = 0; i < n; i++) {
		uint16_t id = (uint16_t)pick(f, ring->size);
		struct fe_raw raw = {
			.addr = f->dev.mem.data[0].gpa + pick(f, 4096),
			.len = 64 + pick(f, 1400),
			.flags = (ring - f->dev.rings) % 2 == 0 ? FE_DESC_WRITE : 0,
		};

		if (ring->packed) {
			fe_ring_packed(ring, &raw, id);
			continue;
		}
		fe_ring_desc(ring, id, raw.addr, raw.len, raw.flags, 0);
		fe_ring_avail(ring, id);
	}
	fe_ring_publish(ring);
}

static void
fuzz_start(struct fuzz *f)
{
	unsigned int i;

	fe_dev_disconnect(&f->dev);
	for (i = 0; i < fe_dev_n_rings(&f->dev); i++)
		fe_ring_reset(&f->dev.rings[i]);
	fe_dev_start(&f->dev);
	/* Half of the sessions get no acknowledgements, so that the back-end hangs up. */
	if (pick(f, 2))
		f->dev.conn.ack = false;
}

static int
run_fuzz(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev_conf two = *conf;
	struct fuzz f = {.random = net->seed * 0x9e3779b97f4a7c15ull + 99};
	unsigned int i, sessions = 1;
	int rc;

	(void)a;
	two.pairs = 2;
	two.layout = FE_LAYOUT_REGIONS;
	rc = fe_must(fe_dev_init(&f.dev, &two), "memory");
	if (rc == 0)
		rc = fe_must(fe_log_init(&f.log, fe_mem_end(&f.dev.mem)), "log");
	if (rc < 0)
		goto out;
	fuzz_start(&f);
	for (i = 0; i < MESSAGES; i++) {
		fill_rings(&f);
		rc = send_any(&f);
		if (rc == -ETIMEDOUT) {
			rc = fe_wrong("message %u: no answer", i);
			goto out;
		}
		if (rc == -ECONNRESET || !fe_conn_alive(&f.dev.conn) || i % 100 == 99) {
			fuzz_start(&f);
			sessions++;
		}
	}
	rc = 0;
	printf("%u messages in %u sessions\n", MESSAGES, sessions);
out:
	fe_dev_free(&f.dev);
	fe_log_free(&f.log);
	return rc;
}

const struct fe_attack fe_attacks_fuzz[] = {
	{"random-messages", "messages in any order with any values", run_fuzz, 0},
	{0},
};
