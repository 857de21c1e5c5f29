/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_PACKED_H
#define SHADOW_PACKED_H

/**
 * @file
 * The device's side, packed ring: we are the driver (virtio 1.2, 2.8).
 *
 * Concepts
 *
 * Slots and places are two things: a slot keeps our copy of a descriptor and its number is an id; a
 * place is where the descriptor stands in the ring, which only ever moves on. There are as many of
 * the one as of the other, so room for a chain's slots is room for its places.
 */

#include "barrier.h"
#include "packed.h"
#include "queue_priv.h"
#include "shadow.h"
#include "table.h"

static __rte_always_inline void
shadow_packed_write(struct svq_queue *q, uint16_t slot, uint16_t head, uint64_t iova, uint32_t len,
	uint16_t flags)
{
	struct svq_shadow_ring *r = &q->shadow;
	struct vring_packed_desc *d = &r->packed_desc[r->put_pos];

	RTE_SET_USED(slot);
	flags |= svq_packed_avail_flags(r->put_wrap);
	d->addr = iova;
	d->len = len;
	d->id = head;
	/* The first one's flags publish the burst; before it the device looks at no other. */
	if (r->put_places++ == 0)
		r->put_flags = flags;
	else
		*(volatile uint16_t *)&d->flags = flags;
	r->put_pos = svq_packed_step(r->put_pos, 1, q->size, &r->put_wrap);
}

/* They follow one another, and only WRITE counts. */
static inline void
shadow_packed_entry(void *table, unsigned int i, uint64_t iova, uint32_t len, uint16_t flags)
{
	((struct vring_packed_desc *)table)[i] = (struct vring_packed_desc){
		.addr = iova,
		.len = len,
		.flags = flags & VRING_DESC_F_WRITE,
	};
}

static __rte_always_inline uint16_t
shadow_packed_put_any(struct svq_queue *q, const struct svq_gpa_map *map,
	const struct svq_chain *chain, bool kept)
{
	if (likely(chain->slots == chain->pieces))
		return svq_shadow_put(q, shadow_packed_write, map, chain, kept);
	return svq_table_put(q, shadow_packed_write, shadow_packed_entry, map, chain, kept);
}

static __rte_always_inline void
shadow_packed_put(struct svq_queue *q, const struct svq_gpa_map *map, const struct svq_chain *chain,
	unsigned int ahead, bool kept)
{
	struct svq_shadow_ring *r = &q->shadow;

	if (ahead == 0) {
		r->put_pos = r->avail_idx;
		r->put_wrap = r->avail_wrap;
		r->put_places = 0;
	}
	shadow_packed_put_any(q, map, chain, kept);
}

static __rte_always_inline void
shadow_packed_to(const struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	const struct svq_shadow_ring *r = &q->shadow;

	run->at = ahead == 0 ? r->avail_idx : r->put_pos;
	run->wrap = ahead == 0 ? r->avail_wrap : r->put_wrap;
	run->first = ahead == 0;
}

static __rte_always_inline struct svq_piece
shadow_packed_writes(struct svq_queue *q, const struct svq_run *run)
{
	struct svq_shadow_ring *r = &q->shadow;
	uint16_t flags = svq_packed_avail_flags(run->wrap) | run->writes * VRING_DESC_F_WRITE;

	/* The first one's flags publish the burst; before it the device looks at no other. */
	if (run->first)
		r->put_flags = flags;
	return (struct svq_piece){
		.entry = &r->packed_desc[run->at],
		.expected = (uint64_t)flags << 48,
		/* With this one turned it is as the device gave it back. */
		.veil = run->first ? (uint64_t)SVQ_PACKED_AVAIL << 48 : 0,
	};
}

static __rte_always_inline void
shadow_packed_write_plain(struct svq_piece *p, size_t i, uint64_t iova, uint64_t half)
{
	volatile uint64_t *desc = (volatile uint64_t *)p->entry + 2 * i;

	desc[0] = iova;
	desc[1] = (half | p->expected) ^ p->veil;
	p->veil = 0;
}

static __rte_always_inline void
shadow_packed_stored(struct svq_queue *q, const struct svq_run *run, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;

	r->put_wrap = run->wrap;
	r->put_pos = svq_packed_step(run->at, 0, q->size, &r->put_wrap);
	r->put_places = n;
}

static __rte_always_inline bool
shadow_packed_publish(struct svq_queue *q, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	volatile uint16_t *flags = &r->packed_desc[r->avail_idx].flags;
	/* Nothing but what the device asked for is to be waited for behind the barrier. */
	const struct vring_packed_desc_event *event = r->device_event;
	const bool event_idx = r->event_idx, wrap = r->put_wrap;
	const uint32_t size = q->size, places = r->put_places;
	const uint16_t at = r->put_pos;

	RTE_SET_USED(n);
	/* Pairs with the device's read barrier between the flags and the rest of the descriptor. */
	svq_device_wmb();
	*flags = r->put_flags;
	r->avail_idx = at;
	r->avail_wrap = wrap;
	/*
	 * Orders the flags before the read of what the device asked for; pairs with the device's
	 * full barrier between asking for kicks and reading the flags.
	 */
	svq_device_mb(r->order_platform);
	return svq_packed_need_event(
		svq_packed_load_event(event), event_idx, at, wrap, (uint16_t)places, size);
}

static __rte_always_inline uint16_t
shadow_packed_position(const struct svq_queue *q)
{
	return svq_packed_base(q->shadow.avail_idx, q->shadow.avail_wrap);
}

/* How many there are is only known when they have been read; there can be no more than are in
 * flight. */
static __rte_always_inline enum svq_queue_error
shadow_packed_used(const struct svq_queue *q, unsigned int *n)
{
	const struct svq_shadow_ring *r = &q->shadow;
	uint16_t flags = *(const volatile uint16_t *)&r->packed_desc[r->used_idx].flags;

	*n = 0;
	if (likely(!svq_packed_is_used(flags, r->used_wrap))) {
		/* A chain at the device stands here as we made it available. */
		if (likely(q->inflight == q->held || svq_packed_is_avail(flags, r->used_wrap)))
			return SVQ_QUEUE_OK;
		*n = r->used_idx;
		return SVQ_QUEUE_E_USED_WRAP;
	}
	*n = q->inflight - q->held;
	return *n != 0 ? SVQ_QUEUE_OK : SVQ_QUEUE_E_USED_IDX;
}

/*
 * Without VRING_DESC_F_WRITE the length means nothing (virtio 1.2, 2.8.6), but QEMU's devices never
 * set the flag. So a length that is possible is believed, as Linux and DPDK do.
 */
static __rte_always_inline uint32_t
shadow_packed_length(const struct svq_queue *q, const struct vring_packed_desc *d)
{
	if (likely(d->flags & VRING_DESC_F_WRITE))
		return d->len;
	return d->id < q->size && d->len <= svq_flight_writable(&q->shadow.flight[d->id]) ? d->len
											  : 0;
}

/* Behind entries of plain chains, or before all. */
static __rte_always_inline bool
shadow_packed_more_used(const struct svq_queue *q, unsigned int ahead)
{
	const struct svq_shadow_ring *r = &q->shadow;
	uint16_t pos = ahead == 0 ? r->used_idx : r->take_pos;

	return svq_packed_is_used(*(const volatile uint16_t *)&r->packed_desc[pos].flags,
		ahead == 0 ? r->used_wrap : r->take_wrap);
}

static __rte_always_inline void
shadow_packed_from(const struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	const struct svq_shadow_ring *r = &q->shadow;

	run->at = ahead == 0 ? r->used_idx : r->take_pos;
	run->wrap = ahead == 0 ? r->used_wrap : r->take_wrap;
}

static __rte_always_inline struct svq_piece
shadow_packed_takes(const struct svq_queue *q, const struct svq_run *run)
{
	return (struct svq_piece){
		.entry = &q->shadow.packed_desc[run->at],
		.expected = (uint32_t)svq_packed_used_flags(run->wrap) << 16,
	};
}

/* One with a length that is not possible is left to shadow_packed_get_used(). */
static __rte_always_inline bool
shadow_packed_take(const struct svq_piece *p, size_t i, uint32_t *id, uint32_t *len)
{
	const uint32_t flags = (uint32_t)(SVQ_PACKED_AVAIL | SVQ_PACKED_USED) << 16;
	uint64_t half = ((const volatile uint64_t *)p->entry)[2 * i + 1];
	uint32_t upper = half >> 32;

	*id = (uint16_t)upper;
	*len = (uint32_t)half;
	return (upper & flags) == p->expected;
}

/* Each took one place. */
static __rte_always_inline void
shadow_packed_passed(struct svq_queue *q, const struct svq_run *run)
{
	struct svq_shadow_ring *r = &q->shadow;

	r->take_wrap = run->wrap;
	r->take_pos = svq_packed_step(run->at, 0, q->size, &r->take_wrap);
}

static __rte_always_inline enum svq_queue_error
shadow_packed_get_used(struct svq_queue *q, unsigned int ahead, struct svq_used *used, bool *none)
{
	struct svq_shadow_ring *r = &q->shadow;
	enum svq_queue_error error;
	struct vring_packed_desc d;

	if (ahead == 0) {
		r->take_pos = r->used_idx;
		r->take_wrap = r->used_wrap;
	}
	d = svq_packed_load_used(&r->packed_desc[r->take_pos]);
	*none = !svq_packed_is_used(d.flags, r->take_wrap);
	if (*none)
		return SVQ_QUEUE_OK;
	error = svq_shadow_check_used(q, d.id, shadow_packed_length(q, &d), used);
	if (likely(error == SVQ_QUEUE_OK))
		r->take_pos = svq_packed_step(
			r->take_pos, svq_flight_slots(&used->flight), q->size, &r->take_wrap);
	return error;
}

static __rte_always_inline void
shadow_packed_skip(struct svq_queue *q, unsigned int slots)
{
	struct svq_shadow_ring *r = &q->shadow;

	r->take_pos = svq_packed_step(r->take_pos, slots, q->size, &r->take_wrap);
}

static __rte_always_inline void
shadow_packed_taken(struct svq_queue *q, unsigned int n)
{
	RTE_SET_USED(n);
	q->shadow.used_idx = q->shadow.take_pos;
	q->shadow.used_wrap = q->shadow.take_wrap;
}

static const struct svq_shadow_ops svq_shadow_packed = {
	.to = shadow_packed_to,
	.writes = shadow_packed_writes,
	.write = shadow_packed_write_plain,
	.stored = shadow_packed_stored,
	.put = shadow_packed_put,
	.publish = shadow_packed_publish,
	.position = shadow_packed_position,
	.used = shadow_packed_used,
	.more_used = shadow_packed_more_used,
	.from = shadow_packed_from,
	.takes = shadow_packed_takes,
	.take = shadow_packed_take,
	.passed = shadow_packed_passed,
	.get_used = shadow_packed_get_used,
	.skip = shadow_packed_skip,
	.taken = shadow_packed_taken,
};

#endif /* SHADOW_PACKED_H */
