/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * What a guest may write into its rings. Each case spoils the transmit queue of the first pair,
 * then, with a device of its own, the receive queue; the second pair must go on.
 */

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
	HEAD_TWICE,
	LOOP_RING,
	LAP,
	LAP_CHAIN,
	TABLE_BEHIND,
};

/* A ring to spoil, and memory for buffers. */
struct victim {
	struct fe_dev *dev;
	struct fe_ring *ring;
	uint16_t flags; /* of a buffer on this queue */
	uint64_t buf;
	uint64_t end; /* where memory ends */
};

/* A chain of @p n descriptors, all in the queue's direction. */
static uint16_t
put(const struct victim *v, struct fe_raw *raw, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		raw[i].flags |= v->flags;
	return fe_ring_raw(v->ring, raw, n);
}

static void
put_one(const struct victim *v, uint64_t addr, uint32_t len)
{
	struct fe_raw raw = {.addr = addr, .len = len};

	put(v, &raw, 1);
}

static void
put_two(const struct victim *v, uint32_t len_a, uint32_t len_b)
{
	struct fe_raw raw[] = {
		{.addr = v->buf, .len = len_a, .flags = FE_DESC_NEXT},
		{.addr = v->buf, .len = len_b},
	};

	put(v, raw, 2);
}

/* Split: descriptor @p i's next is descriptor @p next of those that are free. */
static void
link_to(const struct victim *v, unsigned int i, unsigned int next)
{
	fe_ring_desc(v->ring, fe_ring_place(v->ring, i), v->buf, 16, FE_DESC_NEXT | v->flags,
		fe_ring_place(v->ring, next));
}

/* Good chains until the ring is full, and @p n descriptors of one more, packed. */
static void
overfill(const struct victim *v, unsigned int n)
{
	struct fe_seg seg = {.gpa = v->buf, .len = 64, .write = v->flags & FE_DESC_WRITE};
	struct fe_raw raw = {.addr = v->buf, .len = 64, .flags = v->flags};
	uint16_t id = v->ring->free[v->ring->free_first];

	if (n == 1) {
		while (fe_ring_add(v->ring, &seg, 1, 1, 0, v->dev) >= 0)
			;
	}
	for (; n > 0; n--) {
		raw.flags = (uint16_t)(v->flags | (n > 1 ? FE_DESC_NEXT : 0));
		fe_ring_packed(v->ring, &raw, id);
	}
}

static void
spoil_desc(const struct victim *v, int kind)
{
	struct fe_raw raw[2] = {{.addr = v->buf, .len = 100}, {.addr = v->buf, .len = 100}};

	switch (kind) {
	case DESC_OUTSIDE:
		put_one(v, v->end + (1ull << 20), 100);
		break;
	case DESC_END:
		put_one(v, v->end - 64, 100);
		break;
	case DESC_WRAP:
		put_one(v, UINT64_MAX - 15, 100);
		break;
	case DESC_HUGE:
		put_one(v, v->buf, UINT32_MAX);
		break;
	case ZERO_LEN:
		put_one(v, v->buf, 0);
		break;
	case ZERO_LEN_MIDDLE:
		put_two(v, 100, 0);
		break;
	case ORDER:
		raw[0].flags = FE_DESC_NEXT | FE_DESC_WRITE;
		fe_ring_raw(v->ring, raw, 2);
		break;
	case TOTAL:
		put_two(v, 0x80000000u, 0x80000000u);
		break;
	case SHORT:
		put_one(v, v->buf, 4);
		break;
	case WRONG_WAY:
		raw[0].flags = v->flags ^ FE_DESC_WRITE;
		fe_ring_raw(v->ring, raw, 1);
		break;
	}
}

/* What only a split ring has. */
static void
spoil_split(const struct victim *v, int kind)
{
	struct fe_ring *ring = v->ring;

	switch (kind) {
	case LOOP_SELF:
		link_to(v, 0, 0);
		fe_ring_avail(ring, fe_ring_place(ring, 0));
		break;
	case LOOP_TWO:
		link_to(v, 0, 1);
		link_to(v, 1, 0);
		fe_ring_avail(ring, fe_ring_place(ring, 0));
		break;
	case NEXT_RANGE:
		fe_ring_desc(ring, fe_ring_place(ring, 0), v->buf, 16, FE_DESC_NEXT | v->flags,
			(uint16_t)ring->size);
		fe_ring_avail(ring, fe_ring_place(ring, 0));
		break;
	case HEAD_RANGE:
		fe_ring_avail(ring, (uint16_t)ring->size);
		break;
	case HEAD_MAX:
		fe_ring_avail(ring, UINT16_MAX);
		break;
	case HEAD_TWICE:
		put_one(v, v->buf, 100);
		fe_ring_avail(ring, fe_ring_place(ring, 0));
		break;
	case IDX_JUMP:
		fe_ring_set_idx(ring, (uint16_t)(ring->avail_idx + ring->size + 1));
		break;
	case IDX_BACK:
		/* Behind what came back: the device has seen that, but perhaps not yet what was
		 * made available last. */
		fe_ring_set_idx(ring, (uint16_t)(ring->used->idx - 1));
		break;
	}
}

/* What only a packed ring has, or has in another way. */
static void
spoil_packed(const struct victim *v, int kind)
{
	struct fe_raw raw = {.addr = v->buf, .len = 100, .flags = v->flags};
	struct fe_ring *ring = v->ring;
	unsigned int i;

	switch (kind) {
	case LOOP_RING:
		raw.flags |= FE_DESC_NEXT;
		for (i = 0; i < ring->size; i++)
			fe_ring_packed(ring, &raw, 0);
		break;
	case HEAD_RANGE:
		fe_ring_packed(ring, &raw, (uint16_t)ring->size);
		break;
	case HEAD_MAX:
		fe_ring_packed(ring, &raw, UINT16_MAX);
		break;
	case HEAD_TWICE:
		fe_ring_raw(ring, &raw, 1);
		fe_ring_raw(ring, &raw, 1);
		break;
	case LAP:
		overfill(v, 1);
		break;
	case LAP_CHAIN:
		overfill(v, ring->n_free + 1);
		break;
	}
}

/* A descriptor of an indirect table at v->buf. */
static void
put_table(const struct victim *v, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags)
{
	struct fe_raw raw = {.addr = addr, .len = len, .flags = flags | v->flags};

	fe_ring_table(v->ring, v->buf, i, &raw);
}

/* A chain that is a table of @p len bytes at @p addr. */
static void
put_indirect(const struct victim *v, uint64_t addr, uint32_t len)
{
	struct fe_raw raw = {.addr = addr, .len = len, .flags = FE_DESC_INDIRECT};

	fe_ring_raw(v->ring, &raw, 1);
}

static void
spoil_table(const struct victim *v, int kind)
{
	struct fe_raw raw[] = {
		{.addr = v->buf, .len = FE_DESC_SIZE, .flags = FE_DESC_INDIRECT},
		{.addr = v->buf + 8192, .len = 100, .flags = v->flags},
	};
	uint32_t n = v->ring->size + 1, i;
	struct fe_desc loop = {
		.addr = v->buf, .len = 16, .flags = FE_DESC_NEXT | v->flags, .next = 0};

	switch (kind) {
	case LOOP_TABLE:
		put_table(v, 0, v->buf, 16, FE_DESC_NEXT);
		fe_mem_write(&v->dev->mem, v->buf + FE_DESC_SIZE, &loop, sizeof(loop));
		put_indirect(v, v->buf, 2 * FE_DESC_SIZE);
		break;
	case TABLE_LONG:
		for (i = 0; i < n; i++)
			put_table(v, i, v->buf, 1, i + 1 < n ? FE_DESC_NEXT : 0);
		put_indirect(v, v->buf, FE_DESC_SIZE * n);
		break;
	case TABLE_SIZE:
		put_table(v, 0, v->buf, 100, 0);
		put_indirect(v, v->buf, 24);
		break;
	case TABLE_EMPTY:
		put_indirect(v, v->buf, 0);
		break;
	case TABLE_NESTED:
		put_table(v, 0, v->buf, 32, FE_DESC_INDIRECT);
		put_indirect(v, v->buf, 2 * FE_DESC_SIZE);
		break;
	case TABLE_OUTSIDE:
		put_indirect(v, v->end + (1ull << 20), 2 * FE_DESC_SIZE);
		break;
	case TABLE_CHAINED:
		put_table(v, 0, v->buf + 4096, 100, 0);
		raw[0].flags |= FE_DESC_NEXT;
		fe_ring_raw(v->ring, raw, 2);
		break;
	case TABLE_BEHIND:
		put_table(v, 0, v->buf + 4096, 100, 0);
		raw[0] = raw[1];
		raw[0].flags |= FE_DESC_NEXT;
		raw[1] = (struct fe_raw){v->buf, FE_DESC_SIZE, FE_DESC_INDIRECT};
		fe_ring_raw(v->ring, raw, 2);
		break;
	case TABLE_NEXT:
		loop.next = 2;
		fe_mem_write(&v->dev->mem, v->buf, &loop, sizeof(loop));
		put_table(v, 1, v->buf + 4096, 16, 0);
		put_indirect(v, v->buf, 2 * FE_DESC_SIZE);
		break;
	case TABLE_DESC_OUTSIDE:
		put_table(v, 0, v->buf + 4096, 100, FE_DESC_NEXT);
		put_table(v, 1, v->end + (1ull << 20), 100, 0);
		put_indirect(v, v->buf, 2 * FE_DESC_SIZE);
		break;
	case TABLE_UNASKED:
		put_table(v, 0, v->buf + 4096, 100, 0);
		put_indirect(v, v->buf, FE_DESC_SIZE);
		break;
	}
}

/* Spoil the ring and show it to the device. @return whether its format can be spoiled so. */
static bool
spoil(const struct victim *v, int kind)
{
	uint16_t before = v->ring->avail_idx;

	spoil_desc(v, kind);
	spoil_table(v, kind);
	if (v->ring->packed)
		spoil_packed(v, kind);
	else
		spoil_split(v, kind);
	fe_ring_publish(v->ring);
	return v->ring->avail_idx != before;
}

/* A chain that is sound in itself may come back. */
static bool
may_come_back(int kind)
{
	return kind == SHORT || kind == WRONG_WAY || kind == HEAD_TWICE;
}

/* Spoil queue @p q of a running device and see the second pair go on. */
static int
run_queue(unsigned int q, int kind, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_dev_conf two = *conf;
	struct fe_net_conf few = *net;
	struct fe_session s;
	struct victim v;
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
	v.flags = q % 2 == 0 ? FE_DESC_WRITE : 0;
	/* Where the traffic of the first pair puts nothing while it is off. */
	v.end = fe_mem_end(&s.dev.mem);
	v.buf = s.scratch;
	fe_net_poll_used(&s.net);
	fe_net_pair_off(&s.net, 0);
	if (!spoil(&v, kind)) {
		rc = fe_wrong("a %s ring has no such fault", v.ring->packed ? "packed" : "split");
		goto out;
	}
	rc = fe_session_pass(&s, 300);
	if (rc == 0 && !may_come_back(kind) && fe_ring_has_used(v.ring))
		rc = fe_wrong("queue %u returned a malformed chain", q);
	if (rc == 0)
		rc = fe_session_told(&s, (int)q);
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

/* What was sent has come back: the ring is empty. */
static int
run_tx(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	return run_queue(1, a->arg, conf, net);
}

/* Receive buffers are in flight while nothing happens. */
static int
run_rx(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	return run_queue(0, a->arg, conf, net);
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
	{"head-twice", "a head, or buffer id, that is in flight", run_both, HEAD_TWICE},
	{"wrong-way", "a chain with nothing for the device", run_both, WRONG_WAY},
	{"loop-ring", "packed: a chain of all descriptors without end", run_tx, LOOP_RING},
	{"lap", "packed: a descriptor of the next lap, the ring full", run_rx, LAP},
	{"lap-chain", "packed: a chain that runs into what is in flight", run_rx, LAP_CHAIN},
	{"table-behind", "packed: a table behind a direct descriptor", run_both, TABLE_BEHIND},
	{0},
};
