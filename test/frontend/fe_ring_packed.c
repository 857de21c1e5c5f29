/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Packed rings. A chain takes as many consecutive places as it has descriptors, and one buffer id.
 * What is added is written at once but for the flags of its very first descriptor, which publish
 * all of it.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fe_ring_priv.h"

/* Flags of an event area. */
#define EVENT_ENABLE  0u
#define EVENT_DISABLE 1u
#define EVENT_AT      2u

#define BASE_WRAP 0x8000u

static uint64_t
event_bytes(uint32_t size)
{
	(void)size;
	return sizeof(struct fe_event);
}

static uint16_t
step(const struct fe_ring *ring, uint16_t pos, unsigned int n)
{
	return (uint16_t)((pos + n) % (2 * ring->size));
}

/* From one position to another. */
static uint32_t
distance(const struct fe_ring *ring, uint16_t from, uint16_t to)
{
	return (to + 2 * ring->size - from) % (2 * ring->size);
}

static uint16_t
place_of(const struct fe_ring *ring, uint16_t pos)
{
	return (uint16_t)(pos % ring->size);
}

static bool
wrap_of(const struct fe_ring *ring, uint16_t pos)
{
	return pos < ring->size;
}

/* A position as base and event areas name it, and back. */
static uint16_t
encode(const struct fe_ring *ring, uint16_t pos)
{
	return (uint16_t)(place_of(ring, pos) | (wrap_of(ring, pos) ? BASE_WRAP : 0));
}

static uint16_t
decode(const struct fe_ring *ring, uint16_t code)
{
	uint16_t place = (uint16_t)(code & ~BASE_WRAP);

	return code & BASE_WRAP ? place : step(ring, place, ring->size);
}

static uint16_t
load_flags(const struct fe_ring *ring, uint16_t pos)
{
	/* Pairs with the device's releasing write of a used descriptor's flags. */
	return __atomic_load_n(&ring->ring[place_of(ring, pos)].flags, __ATOMIC_ACQUIRE);
}

static void
packed_reset(struct fe_ring *ring)
{
	memset(ring->ring, 0, ring->size * sizeof(*ring->ring));
	*ring->driver = (struct fe_event){.at = BASE_WRAP, .flags = EVENT_ENABLE};
	*ring->device = (struct fe_event){.at = BASE_WRAP, .flags = EVENT_ENABLE};
}

/* The next descriptor. */
static void
put(struct fe_ring *ring, const struct fe_raw *raw, uint16_t id)
{
	struct fe_packed *d = &ring->ring[place_of(ring, ring->avail_idx)];
	uint16_t flags = raw->flags;

	flags ^= wrap_of(ring, ring->avail_idx) ? FE_DESC_AVAIL : FE_DESC_USED;
	d->addr = raw->addr;
	d->len = raw->len;
	d->id = id;
	if (ring->avail_idx == ring->shown)
		ring->held = flags;
	else
		d->flags = flags;
	ring->avail_idx = step(ring, ring->avail_idx, 1);
}

void
fe_ring_packed(struct fe_ring *ring, const struct fe_raw *raw, uint16_t id)
{
	put(ring, raw, id);
}

static int
packed_add(struct fe_ring *ring, const struct fe_seg *segs, unsigned int n, unsigned int n_direct,
	uint64_t table_gpa, void *cookie)
{
	uint16_t place = place_of(ring, ring->avail_idx), id;
	unsigned int i;

	if (n_direct != 0 && n_direct != n)
		return -EINVAL;
	id = fe_ring_id(ring);
	for (i = 0; i < n_direct; i++) {
		struct fe_raw raw = {
			.addr = segs[i].gpa,
			.len = segs[i].len,
			.flags = fe_seg_flags(&segs[i], i + 1 < n),
		};

		/* virtio 1.2, 2.8.6: only the last one's id counts. */
		put(ring, &raw, i + 1 < n ? (uint16_t)~id : id);
	}
	if (n_direct == 0) {
		struct fe_raw raw = {
			.addr = table_gpa,
			.len = n * FE_DESC_SIZE,
			/* 2.8.7: whether the table is writable says nothing. */
			.flags = FE_DESC_INDIRECT | (id % 2 ? FE_DESC_WRITE : 0),
		};

		put(ring, &raw, id);
	}
	fe_ring_out(ring, id, n_direct == 0 ? 1 : n, cookie);
	return place;
}

static uint16_t
packed_place(const struct fe_ring *ring, unsigned int i)
{
	return place_of(ring, step(ring, ring->avail_idx, i));
}

static uint16_t
packed_raw(struct fe_ring *ring, const struct fe_raw *raw, unsigned int n)
{
	uint16_t place = packed_place(ring, 0), id = ring->free[ring->free_first];
	unsigned int i;

	for (i = 0; i < n; i++)
		put(ring, &raw[i], id);
	return place;
}

/* virtio 1.2, 2.8.7: of the flags only WRITE counts, and the id is reserved. */
static void
packed_table(union fe_any_desc *d, unsigned int i, const struct fe_raw *raw)
{
	d->packed = (struct fe_packed){
		.addr = raw->addr,
		.len = raw->len,
		.id = (uint16_t)(i * 0x101),
		.flags = (uint16_t)(raw->flags & ~FE_DESC_NEXT),
	};
}

static void
packed_show(struct fe_ring *ring)
{
	/* Pairs with the device's acquiring read of an available descriptor's flags. */
	__atomic_store_n(
		&ring->ring[place_of(ring, ring->shown)].flags, ring->held, __ATOMIC_RELEASE);
}

static bool
packed_wants_kick(const struct fe_ring *ring, uint16_t old)
{
	struct fe_event e;

	__atomic_load(ring->device, &e, __ATOMIC_RELAXED);
	if (e.flags == EVENT_DISABLE)
		return false;
	if (e.flags != EVENT_AT || !ring->event_idx)
		return true;
	return distance(ring, old, decode(ring, e.at)) < distance(ring, old, ring->avail_idx);
}

static bool
packed_has_used(const struct fe_ring *ring)
{
	uint16_t both = FE_DESC_AVAIL | FE_DESC_USED, flags = load_flags(ring, ring->used_idx);

	return (flags & both) == (wrap_of(ring, ring->used_idx) ? both : 0);
}

static struct fe_used_elem
packed_read_used(const struct fe_ring *ring)
{
	const struct fe_packed *d = &ring->ring[place_of(ring, ring->used_idx)];

	return (struct fe_used_elem){.id = d->id, .len = d->len};
}

static void
packed_release(struct fe_ring *ring, uint16_t id)
{
	ring->used_idx = step(ring, ring->used_idx, ring->n_descs[id]);
	fe_ring_id_back(ring, id);
}

static unsigned int
packed_written(const struct fe_ring *ring, uint16_t got, struct fe_range ranges[2])
{
	uint64_t at = ring->desc_gpa + FE_DESC_SIZE * (uint64_t)place_of(ring, got);

	ranges[0] = (struct fe_range){at + 8, 8};
	return 1;
}

static void
packed_arm(struct fe_ring *ring)
{
	struct fe_event e = {.at = encode(ring, ring->used_idx), .flags = EVENT_ENABLE};

	if (ring->event_idx)
		e.flags = EVENT_AT;
	__atomic_store(ring->driver, &e, __ATOMIC_RELAXED);
}

static void
packed_disarm(struct fe_ring *ring)
{
	__atomic_store_n(&ring->driver->flags, EVENT_DISABLE, __ATOMIC_RELAXED);
}

static uint16_t
packed_base(const struct fe_ring *ring)
{
	return encode(ring, ring->used_idx);
}

/* Whether the chain at @p pos is available and whole. @return its length, 0 if it is not. */
static unsigned int
chain_at(const struct fe_ring *ring, uint16_t pos, uint16_t *id)
{
	unsigned int left = distance(ring, pos, ring->shown), n = 0;
	const struct fe_packed *d;
	uint16_t want, flags;

	do {
		want = wrap_of(ring, step(ring, pos, n)) ? FE_DESC_AVAIL : FE_DESC_USED;
		d = &ring->ring[place_of(ring, step(ring, pos, n))];
		flags = d->flags;
		*id = d->id;
		if ((flags & (FE_DESC_AVAIL | FE_DESC_USED)) != want || n++ == left)
			return 0;
	} while (flags & FE_DESC_NEXT);
	return *id < ring->size && ring->n_descs[*id] == n ? n : 0;
}

static int
packed_walk(const struct fe_ring *ring, uint32_t base, uint8_t *seen)
{
	uint16_t pos = decode(ring, (uint16_t)base), id;
	unsigned int n;
	int chains = 0;

	for (; pos != ring->shown; pos = step(ring, pos, n), chains++) {
		n = chain_at(ring, pos, &id);
		if (n == 0) {
			fprintf(stderr, "no chain of ours is available at position 0x%x\n",
				encode(ring, pos));
			return -EPROTO;
		}
		if (!fe_ring_see(ring, pos, id, seen))
			return -EPROTO;
	}
	return chains;
}

const struct fe_ring_ops fe_ring_packed_ops = {
	.avail_bytes = event_bytes,
	.used_bytes = event_bytes,
	.avail_align = 4,
	.used_align = 4,
	.reset = packed_reset,
	.add = packed_add,
	.raw = packed_raw,
	.table = packed_table,
	.place = packed_place,
	.show = packed_show,
	.wants_kick = packed_wants_kick,
	.has_used = packed_has_used,
	.read_used = packed_read_used,
	.release = packed_release,
	.written = packed_written,
	.arm = packed_arm,
	.disarm = packed_disarm,
	.base = packed_base,
	.walk = packed_walk,
};
