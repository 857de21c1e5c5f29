/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * What a guest may write into its rings. Each case spoils the transmit queue of the first pair,
 * then, with a device of its own, the receive queue; the second pair must go on.
 */

#include <inttypes.h>
#include <unistd.h>

#include "fe_attack.h"
#include "fe_session.h"

enum {
	DESC_OUTSIDE,
	DESC_END,
	DESC_WRAP,
	DESC_HUGE,
	LOOP_SELF,
	LOOP_TWO,
	LOOP_TABLE,
	TABLE_LONG,
	TABLE_SIZE,
	TABLE_EMPTY,
	TABLE_NESTED,
	TABLE_OUTSIDE,
	TABLE_CHAINED,
	TABLE_NEXT,
	TABLE_DESC_OUTSIDE,
	TABLE_UNASKED,
	IDX_JUMP,
	IDX_BACK,
	HEAD_RANGE,
	HEAD_MAX,
	NEXT_RANGE,
	ZERO_LEN,
	ZERO_LEN_MIDDLE,
	ORDER,
	TOTAL,
	SHORT,
	WRONG_WAY,
};

/* A ring to spoil: two descriptors of it that are free, and memory for buffers. */
struct victim {
	struct fe_dev *dev;
	struct fe_ring *ring;
	uint16_t a, b;
	uint16_t flags; /* of a buffer on this queue */
	uint64_t buf;
	uint64_t end; /* where memory ends */
};

static void
put(const struct victim *v, uint16_t id, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	fe_ring_desc(v->ring, id, addr, len, flags | v->flags, next);
}

/* Descriptor @p i of an indirect table at v->buf. */
static void
put_table(const struct victim *v, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
	uint16_t next)
{
	struct fe_desc d = {
		.addr = addr,
		.len = len,
		.flags = flags | v->flags,
		.next = next,
	};

	fe_mem_write(&v->dev->mem, v->buf + i * sizeof(d), &d, sizeof(d));
}

/* A head whose table is at @p addr. */
static void
put_indirect(const struct victim *v, uint64_t addr, uint32_t len, uint16_t flags)
{
	fe_ring_desc(v->ring, v->a, addr, len, FE_DESC_INDIRECT | flags, v->b);
}

static void
spoil_desc(const struct victim *v, int kind)
{
	switch (kind) {
	case DESC_OUTSIDE:
		put(v, v->a, v->end + (1ull << 20), 100, 0, 0);
		break;
	case DESC_END:
		put(v, v->a, v->end - 64, 100, 0, 0);
		break;
	case DESC_WRAP:
		put(v, v->a, UINT64_MAX - 15, 100, 0, 0);
		break;
	case DESC_HUGE:
		put(v, v->a, v->buf, UINT32_MAX, 0, 0);
		break;
	case LOOP_SELF:
		put(v, v->a, v->buf, 16, FE_DESC_NEXT, v->a);
		break;
	case LOOP_TWO:
		put(v, v->a, v->buf, 16, FE_DESC_NEXT, v->b);
		put(v, v->b, v->buf, 16, FE_DESC_NEXT, v->a);
		break;
	case NEXT_RANGE:
		put(v, v->a, v->buf, 16, FE_DESC_NEXT, (uint16_t)v->ring->size);
		break;
	case ZERO_LEN:
		put(v, v->a, v->buf, 0, 0, 0);
		break;
	case ZERO_LEN_MIDDLE:
		put(v, v->a, v->buf, 100, FE_DESC_NEXT, v->b);
		put(v, v->b, v->buf, 0, 0, 0);
		break;
	case ORDER:
		fe_ring_desc(v->ring, v->a, v->buf, 100, FE_DESC_NEXT | FE_DESC_WRITE, v->b);
		fe_ring_desc(v->ring, v->b, v->buf + 4096, 100, 0, 0);
		break;
	case TOTAL:
		put(v, v->a, v->buf, 0x80000000u, FE_DESC_NEXT, v->b);
		put(v, v->b, v->buf, 0x80000000u, 0, 0);
		break;
	case SHORT:
		put(v, v->a, v->buf, 4, 0, 0);
		break;
	case WRONG_WAY:
		fe_ring_desc(v->ring, v->a, v->buf, 100, v->flags ^ FE_DESC_WRITE, 0);
		break;
	}
}

static void
spoil_table(const struct victim *v, int kind)
{
	uint32_t n = v->ring->size + 1, i;

	switch (kind) {
	case LOOP_TABLE:
		put_table(v, 0, v->buf, 16, FE_DESC_NEXT, 1);
		put_table(v, 1, v->buf, 16, FE_DESC_NEXT, 0);
		put_indirect(v, v->buf, 32, 0);
		break;
	case TABLE_LONG:
		for (i = 0; i < n; i++)
			put_table(v, i, v->buf, 1, i + 1 < n ? FE_DESC_NEXT : 0, (uint16_t)(i + 1));
		put_indirect(v, v->buf, 16 * n, 0);
		break;
	case TABLE_SIZE:
		put_table(v, 0, v->buf, 100, 0, 0);
		put_indirect(v, v->buf, 24, 0);
		break;
	case TABLE_EMPTY:
		put_indirect(v, v->buf, 0, 0);
		break;
	case TABLE_NESTED:
		put_table(v, 0, v->buf, 32, FE_DESC_INDIRECT, 0);
		put_indirect(v, v->buf, 32, 0);
		break;
	case TABLE_OUTSIDE:
		put_indirect(v, v->end + (1ull << 20), 32, 0);
		break;
	case TABLE_CHAINED:
		put_table(v, 0, v->buf + 4096, 100, 0, 0);
		put(v, v->b, v->buf + 8192, 100, 0, 0);
		put_indirect(v, v->buf, 16, FE_DESC_NEXT);
		break;
	case TABLE_NEXT:
		put_table(v, 0, v->buf + 4096, 16, FE_DESC_NEXT, 2);
		put_table(v, 1, v->buf + 4096, 16, 0, 0);
		put_indirect(v, v->buf, 32, 0);
		break;
	case TABLE_DESC_OUTSIDE:
		put_table(v, 0, v->buf + 4096, 100, FE_DESC_NEXT, 1);
		put_table(v, 1, v->end + (1ull << 20), 100, 0, 0);
		put_indirect(v, v->buf, 32, 0);
		break;
	case TABLE_UNASKED:
		put_table(v, 0, v->buf + 4096, 100, 0, 0);
		put_indirect(v, v->buf, 16, 0);
		break;
	}
}

/* Spoil the ring and show it to the device. */
static void
spoil(const struct victim *v, int kind)
{
	spoil_desc(v, kind);
	spoil_table(v, kind);
	switch (kind) {
	case IDX_JUMP:
		fe_ring_set_idx(v->ring, (uint16_t)(v->ring->avail_idx + v->ring->size + 1));
		return;
	case IDX_BACK:
		/* Behind what came back: the device has seen that, but perhaps not yet what was
		 * made available last. */
		fe_ring_set_idx(v->ring, (uint16_t)(v->ring->used->idx - 1));
		return;
	case HEAD_RANGE:
		fe_ring_avail(v->ring, (uint16_t)v->ring->size);
		break;
	case HEAD_MAX:
		fe_ring_avail(v->ring, UINT16_MAX);
		break;
	default:
		fe_ring_avail(v->ring, v->a);
		break;
	}
	fe_ring_publish(v->ring);
}

/* The back-end signals the error descriptor of the queue that broke, once, and no other's. */
static int
check_told(const struct fe_dev *dev, unsigned int q)
{
	unsigned int i;

	for (i = 0; i < fe_dev_n_rings(dev); i++) {
		uint64_t told = 0;

		if (read(dev->rings[i].errfd, &told, sizeof(told)) < 0)
			told = 0;
		if (told != (i == q))
			return fe_wrong("queue %u broke, and queue %u was told so %" PRIu64
					" times",
				q, i, told);
	}
	return 0;
}

/* Spoil queue @p q of a running device and see the second pair go on. */
static int
run_queue(unsigned int q, int kind, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev_conf two = *conf;
	struct fe_net_conf few = *net;
	struct fe_session s;
	struct victim v;
	uint16_t used;
	int rc;

	two.pairs = 2;
	/* Leave descriptors free to spoil. */
	few.window = 16;
	if (kind == TABLE_UNASKED) {
		two.features &= ~FE_F_INDIRECT;
		few.indirect = false;
		few.direct = true;
	}
	rc = fe_session_open(&s, &two, &few);
	if (rc < 0)
		goto out;
	v.dev = &s.dev;
	v.ring = &s.dev.rings[q];
	v.a = v.ring->free[v.ring->free_first];
	v.b = v.ring->free[(v.ring->free_first + 1) % v.ring->size];
	v.flags = q % 2 == 0 ? FE_DESC_WRITE : 0;
	/* Where the traffic of the first pair puts nothing while it is off. */
	v.end = fe_mem_end(&s.dev.mem);
	v.buf = s.scratch;
	fe_net_pair_off(&s.net, 0);
	used = v.ring->used->idx;
	spoil(&v, kind);
	rc = fe_session_pass(&s, 300);
	if (rc == 0 && kind != SHORT && kind != WRONG_WAY && v.ring->used->idx != used)
		rc = fe_wrong("queue %u returned a malformed chain", q);
	if (rc == 0)
		rc = check_told(&s.dev, q);
	if (rc == 0)
		rc = fe_must(fe_barrier(&s.dev.conn), "connection");
out:
	fe_session_close(&s);
	return rc;
}

static int
run_both(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	int rc = run_queue(1, a->arg, conf, net);

	return rc == 0 ? run_queue(0, a->arg, conf, net) : rc;
}

/* A descriptor changes between good and bad while the device may be reading it. */
static int
run_rewrite(
	const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	uint64_t end = fe_now_ms() + 300, bad;
	struct fe_dev_conf two = *conf;
	struct fe_session s;
	struct fe_ring *ring;
	struct fe_desc good;
	void *cookie;
	uint32_t len;
	uint16_t id;
	int rc;

	(void)a;
	two.pairs = 2;
	rc = fe_session_open(&s, &two, net);
	if (rc < 0)
		goto out;
	fe_net_pair_off(&s.net, 0);
	ring = &s.dev.rings[1];
	bad = fe_mem_end(&s.dev.mem) + (1ull << 20);
	while (fe_now_ms() < end) {
		struct fe_seg seg = {.gpa = s.scratch, .len = 100};
		unsigned int i;

		while (fe_ring_get(ring, &cookie, &len) > 0)
			;
		if (fe_ring_add(ring, &seg, 1, 1, 0, &s) < 0)
			break;
		id = ring->avail[2 + (uint16_t)(ring->avail_idx - 1) % ring->size];
		good = ring->desc[id];
		fe_ring_publish(ring);
		for (i = 0; i < 50; i++) {
			__atomic_store_n(&ring->desc[id].addr, bad, __ATOMIC_RELAXED);
			__atomic_store_n(&ring->desc[id].addr, good.addr, __ATOMIC_RELAXED);
		}
	}
	rc = fe_session_pass(&s, 300);
out:
	fe_session_close(&s);
	return rc;
}

const struct fe_attack fe_attacks_ring[] = {
	{"desc-outside", "a descriptor outside memory", run_both, DESC_OUTSIDE},
	{"desc-end", "a descriptor that runs out of memory", run_both, DESC_END},
	{"desc-wrap", "a descriptor that wraps past 2^64", run_both, DESC_WRAP},
	{"desc-huge", "a descriptor of 4 GiB", run_both, DESC_HUGE},
	{"loop-self", "a descriptor whose next is itself", run_both, LOOP_SELF},
	{"loop-two", "two descriptors that name each other", run_both, LOOP_TWO},
	{"loop-table", "a loop in an indirect table", run_both, LOOP_TABLE},
	{"table-long", "an indirect table longer than the ring", run_both, TABLE_LONG},
	{"table-size", "an indirect table of 24 bytes", run_both, TABLE_SIZE},
	{"table-empty", "an indirect table of 0 bytes", run_both, TABLE_EMPTY},
	{"table-nested", "an indirect table in an indirect table", run_both, TABLE_NESTED},
	{"table-outside", "an indirect table outside memory", run_both, TABLE_OUTSIDE},
	{"table-chained", "an indirect descriptor with a next", run_both, TABLE_CHAINED},
	{"table-next", "a next beyond the indirect table", run_both, TABLE_NEXT},
	{"table-desc-outside", "an indirect descriptor outside memory", run_both,
		TABLE_DESC_OUTSIDE},
	{"table-unasked", "an indirect table that was not negotiated", run_both, TABLE_UNASKED},
	{"idx-jump", "avail->idx more than a ring ahead", run_both, IDX_JUMP},
	{"idx-back", "avail->idx goes back", run_both, IDX_BACK},
	{"head-range", "a head just beyond the table", run_both, HEAD_RANGE},
	{"head-max", "head 65535", run_both, HEAD_MAX},
	{"next-range", "a next just beyond the table", run_both, NEXT_RANGE},
	{"zero-len", "a descriptor of length 0", run_both, ZERO_LEN},
	{"zero-len-middle", "a second descriptor of length 0", run_both, ZERO_LEN_MIDDLE},
	{"order", "a readable descriptor after a writable one", run_both, ORDER},
	{"total", "a chain of 4 GiB", run_both, TOTAL},
	{"short", "a chain shorter than the header", run_both, SHORT},
	{"wrong-way", "a chain with nothing for the device", run_both, WRONG_WAY},
	{"rewrite", "a descriptor that changes while it is read", run_rewrite, 0},
	{0},
};
