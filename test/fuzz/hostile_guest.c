/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include "fuzz_bed.h"

/*
 * Most of what this guest does is sound, in great numbers: a fault stops its queue, and what is
 * behind a fault is never looked at.
 */

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)

#define LONGEST 8

static struct {
	uint16_t next_desc; /* split */
	uint64_t posted;    /* split: chains since the queue was made */
	uint32_t pending;   /* split: descriptors that may not have been read */
	uint16_t pos;	    /* packed: where it adds */
	bool wrap;
} g;

static struct svq_queue_stats
stats_of(const struct bed *b)
{
	struct svq_queue_stats stats;

	svq_queue_stats(b->q, &stats);
	return stats;
}

void
hostile_guest_begin(struct bed *b)
{
	memset(&g, 0, sizeof(g));
	g.wrap = true;
	g.posted = stats_of(b).chains;
}

/* Addresses worth trying: in every region, at borders, in the rings, nowhere. */
static uint64_t
address(const struct bed *b)
{
	const uint64_t base[] = {BED_LOW, BED_HIGH, BED_ALIAS, BED_HOLE, BED_HIGH - 0x100,
		BED_HIGH + BED_REGION - 0x100, BED_ALIAS + BED_REGION - 0x100, UINT64_MAX - 0xff,
		b->desc_gpa, b->used_gpa, FUZZ_TABLES};
	uint8_t kind = fuzz_take(1);

	return kind < 220 ? base[kind % RTE_DIM(base)] + fuzz_take(2) : fuzz_take(8);
}

static void
write_any(struct bed *b, struct vring_desc *d)
{
	d->addr = address(b);
	d->len = fuzz_take(1) < 200 ? fuzz_take(1) : fuzz_take(4);
	d->flags = fuzz_take(2);
	d->next = fuzz_take(2) % (b->guest_size + 1);
}

/* ---- many chains, sound but for the spoilt ones ---- */

struct buffer {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags; /* WRITE or none */
};

static uint64_t
sound_address(struct bed *b)
{
	switch (fuzz_below(16)) {
	case 0:
		return (fuzz_bed_has(b, BED_WITH_ALIAS) ? BED_ALIAS : 0) + fuzz_below(0x10000);
	case 1:
		return (fuzz_bed_has(b, BED_WITH_HIGH) ? BED_HIGH : 0) + fuzz_below(0x10000);
	case 2:
		/* Across the border. */
		return BED_HIGH - (fuzz_bed_has(b, BED_WITH_HIGH) ? 0 : 0x2000) - 1 -
			fuzz_below(32);
	default:
		return 0x20000 + fuzz_below(0x40000);
	}
}

/* @p rate of 256 buffers have something wrong. */
static void
spoil(struct buffer *p, unsigned int rate)
{
	static const uint64_t gpa[] = {BED_HOLE, BED_HIGH + BED_REGION - 4, UINT64_MAX - 3,
		UINT64_MAX, BED_ALIAS - 1, BED_ALIAS + BED_REGION};
	static const uint32_t len[] = {0, UINT32_MAX, 0x80000000, 0x400000, 0x800001};

	if (fuzz_below(256) >= rate)
		return;
	switch (fuzz_below(4)) {
	case 0:
		p->gpa = gpa[fuzz_below(RTE_DIM(gpa))];
		break;
	case 1:
		p->len = len[fuzz_below(RTE_DIM(len))];
		break;
	case 2:
		p->flags = (uint16_t)fuzz_below(0x10000);
		break;
	default:
		p->flags ^= VRING_DESC_F_WRITE;
		break;
	}
}

static void
make_buffers(struct bed *b, struct buffer *p, unsigned int n, unsigned int rate)
{
	/* A receive queue's are all writable, a transmit queue's none; others have some of each. */
	unsigned int n_in = b->net_header != 0 ? (b->qid % 2 == 0 ? n : 0) : fuzz_below(n + 1), i;

	for (i = 0; i < n; i++) {
		p[i].gpa = sound_address(b);
		p[i].len = 12 + fuzz_below(fuzz_below(8) ? 64 : 4096);
		p[i].flags = i >= n - n_in ? VRING_DESC_F_WRITE : 0;
		spoil(&p[i], rate);
	}
}

static uint64_t
table_address(struct bed *b)
{
	uint64_t gpa = FUZZ_TABLES +
		(fuzz_bed_has(b, BED_WITH_ALIAS) ? fuzz_below(2) * BED_ALIAS : 0) +
		64 * fuzz_below(FUZZ_TABLES_SIZE / 64 - 64);

	/* Unaligned ones are read in another way. */
	return gpa + (fuzz_below(8) == 0 ? fuzz_below(16) : 0);
}

static void
write_guest(struct bed *b, uint64_t gpa, const void *from, size_t n)
{
	/* What the alias shows is in LOW. */
	memcpy(bed_ptr(b, gpa >= BED_ALIAS ? gpa - BED_ALIAS : gpa), from, n);
}

/* In a table of either format: it differs in the last 4 bytes only. */
static void
write_table(struct bed *b, uint64_t gpa, const struct buffer *p, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_desc d = {.addr = p[i].gpa, .len = p[i].len};
		uint16_t flags = p[i].flags | (i + 1 < n && !b->packed ? VRING_DESC_F_NEXT : 0);

		d.flags = b->packed ? 0 : flags;
		d.next = b->packed ? flags : i + 1;
		write_guest(b, gpa + 16ull * i, &d, sizeof(d));
	}
}

static void
post_split(struct bed *b, const struct buffer *p, unsigned int n, uint64_t table)
{
	uint16_t head = g.next_desc, i;
	unsigned int places = table != 0 ? 1 : n;

	for (i = 0; i < places; i++) {
		uint16_t at = g.next_desc;

		g.next_desc = (at + 1) % b->guest_size;
		if (table != 0)
			bed_desc(b, at, table, 16 * n, VRING_DESC_F_INDIRECT, 0);
		else
			bed_desc(b, at, p[i].gpa, p[i].len,
				p[i].flags | (i + 1u < n ? VRING_DESC_F_NEXT : 0), g.next_desc);
	}
	bed_avail(b, head);
	g.posted++;
	g.pending += places;
}

static void
post_packed(struct bed *b, const struct buffer *p, unsigned int n, uint64_t table)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)b->desc;
	unsigned int places = table != 0 ? 1 : n, i;
	uint16_t id = g.pos, first = g.pos, first_flags = 0;

	for (i = 0; i < places; i++) {
		uint16_t flags = g.wrap ? AVAIL : USED;

		flags |= table != 0 ? VRING_DESC_F_INDIRECT
				    : p[i].flags | (i + 1 < places ? VRING_DESC_F_NEXT : 0);
		ring[g.pos].addr = table != 0 ? table : p[i].gpa;
		ring[g.pos].len = table != 0 ? 16 * n : p[i].len;
		ring[g.pos].id = id;
		if (i == 0)
			first_flags = flags;
		else
			ring[g.pos].flags = flags;
		if (++g.pos == b->guest_size) {
			g.pos = 0;
			g.wrap = !g.wrap;
		}
	}
	ring[first].flags = first_flags;
}

/* Descriptors that the guest may add. */
static uint32_t
room(const struct bed *b)
{
	uint16_t base = svq_queue_base(b->q);
	uint32_t out;

	if (!b->packed) {
		out = (uint16_t)(b->avail_idx - base);
		if (stats_of(b).chains == g.posted)
			g.pending = 0;
		out = RTE_MAX(out, g.pending);
		return out < b->guest_size ? b->guest_size - out : 0;
	}
	if ((base >> 15) == g.wrap)
		out = g.pos - (base & 0x7fff);
	else
		out = b->guest_size + g.pos - (base & 0x7fff);
	return out <= b->guest_size ? b->guest_size - out : 0;
}

/* Up to @p n chains of up to @p longest buffers. */
static void
post(struct bed *b, unsigned int n, unsigned int longest, unsigned int rate)
{
	struct buffer p[LONGEST];
	unsigned int i;

	if (svq_queue_error(b->q) != SVQ_QUEUE_OK) {
		fuzz_bed_restart(b);
		hostile_guest_begin(b);
	}
	for (i = 0; i < n; i++) {
		unsigned int k = 1 + fuzz_below(longest);
		bool indirect = b->features & UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC &&
			fuzz_below(4) == 0;
		uint64_t table = indirect ? table_address(b) : 0;

		/* Some can never fit. */
		if (k > b->device_size / 2u && fuzz_below(256) != 0)
			k = 1;
		if (room(b) < (indirect ? 1 : k))
			break;
		make_buffers(b, p, k, rate);
		if (table != 0)
			write_table(b, table, p, k);
		if (b->packed)
			post_packed(b, p, k, table);
		else
			post_split(b, p, k, table);
	}
}

void
hostile_guest_traffic(struct bed *b, void (*device)(struct bed *b, unsigned int n))
{
	unsigned int rounds = 1 + fuzz_take(1) % 16, n, longest, rate;
	uint8_t how = fuzz_take(1);

	n = 1 + fuzz_take(1) % 64;
	fuzz_seed(fuzz_take(2));
	/* Half of all traffic has nothing wrong. */
	rate = how & 0x80 ? 1 + (how & 7) : 0;
	longest = 1u << (how >> 3 & 3);
	for (; rounds != 0; rounds--) {
		post(b, n, longest, rate);
		if (how & 0x40)
			fuzz_change_random();
		while (svq_queue_avail(b->q) != 0)
			;
		device(b, n);
		svq_queue_used(b->q);
	}
}

/* ---- anything ---- */

void
hostile_guest_step(struct bed *b, uint8_t op)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)b->desc;

	switch (op % 16) {
	case 0:
		write_any(b, &b->desc[fuzz_take(1) % b->guest_size]);
		break;
	case 1:
		/* A table: of either format, as it turns out. */
		write_any(b, (struct vring_desc *)bed_ptr(b, FUZZ_TABLES + 16 * fuzz_take(1)));
		break;
	case 2:
		/* Packed: the driver's event area. */
		b->avail->idx = fuzz_take(2);
		b->avail->flags = fuzz_take(2);
		if (!b->packed)
			b->avail_idx = b->avail->idx;
		break;
	case 3:
		b->avail->ring[fuzz_take(1) % (b->guest_size + 1)] = fuzz_take(2);
		break;
	case 4:
		ring[fuzz_take(1) % b->guest_size].flags = fuzz_take(2);
		break;
	case 5:
		if (b->packed)
			ring[fuzz_take(1) % b->guest_size].id = fuzz_take(2);
		else
			b->used->idx = fuzz_take(2);
		break;
	case 6:
		fuzz_bed_restart(b);
		hostile_guest_begin(b);
		break;
	default:
		fuzz_seed(fuzz_take(2));
		post(b, 1 + op / 16 * 4, LONGEST, fuzz_take(1) & 31);
		break;
	}
}
