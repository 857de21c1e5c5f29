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

static __rte_always_inline unsigned int
shadow_packed_put_plain(
	struct svq_queue *q, unsigned int ahead, unsigned int n, enum svq_slots_mode mode)
{
	const struct svq_shadow_plain p = svq_shadow_plain(q, ahead);
	struct svq_shadow_ring *r = &q->shadow;
	struct vring_packed_desc *desc = r->packed_desc;
	uint16_t pos = ahead == 0 ? r->avail_idx : r->put_pos, slot;
	bool wrap = ahead == 0 ? r->avail_wrap : r->put_wrap;
	const uint32_t size = q->size;
	unsigned int i;

	for (i = 0; i < n && svq_shadow_claim_plain(&p, i, &slot, mode); i++) {
		/* VRING_DESC_F_WRITE is bit 1. */
		uint16_t flags = svq_packed_avail_flags(wrap) | (p.writable >> i & 1) << 1;

		/* The first one's flags publish the burst; before it the device looks at no other.
		 */
		if (ahead + i == 0) {
			r->put_flags = flags;
			flags = svq_packed_used_flags(!wrap);
		}
		svq_packed_store(&desc[pos], p.iova[i], p.len[i], slot, flags);
		pos = svq_packed_step(pos, 1, size, &wrap);
	}
	r->put_pos = pos;
	r->put_wrap = wrap;
	r->put_places = ahead + i;
	return i;
}

static __rte_always_inline bool
shadow_packed_publish(struct svq_queue *q, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	volatile uint16_t *flags = &r->packed_desc[r->avail_idx].flags;

	RTE_SET_USED(n);
	/* Pairs with the device's read barrier between the flags and the rest of the descriptor. */
	svq_device_wmb();
	*flags = r->put_flags;
	r->avail_idx = r->put_pos;
	r->avail_wrap = r->put_wrap;
	/*
	 * Orders the flags before the read of what the device asked for; pairs with the device's
	 * full barrier between asking for kicks and reading the flags.
	 */
	svq_device_mb(r->order_platform);
	return svq_packed_need_event(svq_packed_load_event(r->device_event), r->event_idx,
		r->avail_idx, r->avail_wrap, (uint16_t)r->put_places, q->size);
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

/* Each takes one place: where the next one stands need not be read first. One with a length that is
 * not possible is left to shadow_packed_get_used(). */
static __rte_always_inline unsigned int
shadow_packed_take_plain(struct svq_queue *q, unsigned int ahead, unsigned int n,
	enum svq_slots_mode mode, bool log, uint64_t *bytes)
{
	struct svq_shadow_taking t = svq_shadow_taking(q, mode, log);
	struct svq_shadow_ring *r = &q->shadow;
	const struct vring_packed_desc *desc = r->packed_desc;
	uint16_t pos = ahead == 0 ? r->used_idx : r->take_pos;
	bool wrap = ahead == 0 ? r->used_wrap : r->take_wrap;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_packed_desc d = svq_packed_load_used(&desc[pos]);

		if (!svq_packed_is_used(d.flags, wrap) ||
			!svq_shadow_take_plain(&t, i, d.id, d.len))
			break;
		pos = svq_packed_step(pos, 1, t.size, &wrap);
	}
	r->take_pos = pos;
	r->take_wrap = wrap;
	svq_shadow_free_plain(q, mode, i);
	*bytes += t.bytes;
	return i;
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

/* What vectors make no difference to. */
#define SHADOW_PACKED_OPS                                                         \
	.put = shadow_packed_put, .publish = shadow_packed_publish,               \
	.position = shadow_packed_position, .used = shadow_packed_used,           \
	.more_used = shadow_packed_more_used, .get_used = shadow_packed_get_used, \
	.skip = shadow_packed_skip, .taken = shadow_packed_taken

static const struct svq_shadow_ops svq_shadow_packed = {
	SHADOW_PACKED_OPS,
	.put_plain = shadow_packed_put_plain,
	.take_plain = shadow_packed_take_plain,
};

#endif /* SHADOW_PACKED_H */
