/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GUEST_PACKED_H
#define GUEST_PACKED_H

/**
 * @file
 * The guest's side, packed ring: we are the device (virtio 1.2, 2.8).
 */

#include "gather.h"
#include "packed.h"
#include "queue_priv.h"

static __rte_always_inline enum svq_queue_error
guest_packed_available(const struct svq_queue *q, unsigned int *n)
{
	const volatile uint16_t *flags = &q->guest.packed_desc[q->last_avail].flags;

	*n = svq_packed_is_avail(*flags, q->guest.avail_wrap) ? SVQ_BURST : 0;
	return SVQ_QUEUE_OK;
}

static __rte_always_inline bool
guest_packed_more(const struct svq_queue *q, unsigned int ahead)
{
	const struct svq_guest_ring *r = &q->guest;
	bool wrap = r->avail_wrap;
	uint16_t pos = svq_packed_step(q->last_avail, ahead, r->size, &wrap);

	return svq_packed_is_avail(*(const volatile uint16_t *)&r->packed_desc[pos].flags, wrap);
}

/* It may have no more descriptors outstanding than the ring has. */
static __rte_always_inline unsigned int
guest_packed_limit(const struct svq_queue *q, unsigned int ahead, unsigned int n)
{
	const unsigned int room = q->guest.size - q->guest.outstanding - ahead;

	return RTE_MIN(n, room);
}

static __rte_always_inline void
guest_packed_from(const struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	run->wrap = q->guest.avail_wrap;
	run->at = svq_packed_step(q->last_avail, ahead, q->guest.size, &run->wrap);
}

static __rte_always_inline bool
guest_packed_expect(const struct svq_queue *q, struct svq_run *run)
{
	const struct svq_guest_ring *r = &q->guest;
	uint64_t half = ((const volatile uint64_t *)&r->packed_desc[run->at])[1];

	run->id = (uint16_t)(half >> 32);
	/* VRING_DESC_F_WRITE is bit 1 of the flags. */
	run->writes = half >> (48 + 1) & 1;
	return run->id < r->size;
}

static __rte_always_inline struct svq_piece
guest_packed_reads(const struct svq_queue *q, const struct svq_run *run)
{
	uint64_t flags = svq_packed_avail_flags(run->wrap) | run->writes * VRING_DESC_F_WRITE;

	return (struct svq_piece){
		.entry = &q->guest.packed_desc[run->at],
		.expected = flags << 48,
		.size = q->guest.size,
	};
}

static __rte_always_inline bool
guest_packed_read(const struct svq_piece *p, size_t i, uint64_t *gpa, uint64_t *half)
{
	const volatile uint64_t *desc = (const volatile uint64_t *)p->entry + 2 * i;

	/* Without the flags that it is to have: any other is left. */
	*half = desc[1] ^ p->expected;
	/* Pairs with the driver's write barrier before it makes the descriptor available. */
	atomic_thread_fence(memory_order_acquire);
	*gpa = desc[0];
	return likely(*half >> 32 < p->size);
}

/* An indirect table: its descriptors follow one another, and only address, length and WRITE count.
 */
static inline enum svq_queue_error
guest_packed_table(struct svq_queue *q, const struct svq_gpa_map *map,
	const struct vring_packed_desc *d, struct svq_chain *chain, uint64_t *detail)
{
	uint32_t n = d->len / sizeof(struct vring_packed_desc), i;
	/*
	 * DPDK's net_virtio (up to 26.07 at least) marks the header in such a table as writable
	 * when it transmits. Nothing that a guest sends is for the device to write, so the mark is
	 * not heeded.
	 */
	const bool sent = q->net_header != 0 && q->qid % 2 != 0;
	enum svq_queue_error error = SVQ_QUEUE_OK;

	*detail = d->len;
	/* Behind a direct descriptor there is none (virtio 1.2, 2.8.8). */
	if (!q->guest.indirect_ok || chain->n != 0 || (d->flags & VRING_DESC_F_NEXT) ||
		d->len % sizeof(struct vring_packed_desc) != 0 || n == 0 || n > q->guest.size)
		return SVQ_QUEUE_E_INDIRECT;
	chain->indirect = true;
	chain->table_gpa = d->addr;
	chain->table_len = d->len;
	for (i = 0; i < n && error == SVQ_QUEUE_OK; i++) {
		struct vring_packed_desc e;

		*detail = d->addr;
		if (svq_gpa_read(map, d->addr + (uint64_t)i * sizeof(e), &e, sizeof(e)) != 0)
			return SVQ_QUEUE_E_ADDRESS;
		if (e.flags & VRING_DESC_F_INDIRECT)
			return SVQ_QUEUE_E_INDIRECT;
		error = svq_gather_append(&q->gather, chain, e.addr, e.len,
			!sent && (e.flags & VRING_DESC_F_WRITE), detail);
	}
	return error;
}

static __rte_always_inline enum svq_queue_error
guest_packed_gather(struct svq_queue *q, const struct svq_gpa_map *map, unsigned int ahead,
	struct svq_chain *chain, bool *full, uint64_t *detail)
{
	struct svq_guest_ring *r = &q->guest;
	struct svq_gather *ga = &q->gather;
	bool wrap = r->avail_wrap;
	uint16_t pos = svq_packed_step(q->last_avail, ga->places, r->size, &wrap);
	uint32_t room = r->size - r->outstanding - ga->places;
	enum svq_queue_error error;
	struct vring_packed_desc d;

	RTE_SET_USED(ahead);
	*chain = (struct svq_chain){
		.first = ga->n_descs,
		.seq = q->seq + ga->places,
	};
	if (ga->n_descs >= SVQ_BURST_DESCS) {
		*full = true;
		return SVQ_QUEUE_OK;
	}
	do {
		d = svq_packed_load(&r->packed_desc[pos]);
		if (chain->places == 0 && !svq_packed_is_avail(d.flags, wrap)) {
			*full = true;
			return SVQ_QUEUE_OK;
		}
		/*
		 * The driver may have no more descriptors outstanding than the ring has: a chain
		 * that does not end before loops, and more chains were never the driver's to give.
		 */
		*detail = pos;
		if (unlikely(chain->places == room))
			return room == r->size ? SVQ_QUEUE_E_LOOP : SVQ_QUEUE_E_AVAIL_IDX;
		chain->places++;
		pos = svq_packed_step(pos, 1, r->size, &wrap);
		if (d.flags & VRING_DESC_F_INDIRECT)
			error = guest_packed_table(q, map, &d, chain, detail);
		else
			error = svq_gather_append(
				ga, chain, d.addr, d.len, d.flags & VRING_DESC_F_WRITE, detail);
		if (unlikely(error != SVQ_QUEUE_OK))
			return error;
	} while (d.flags & VRING_DESC_F_NEXT);

	/* The last descriptor has the buffer id. */
	chain->id = d.id;
	*detail = d.id;
	return likely(d.id < r->size) ? SVQ_QUEUE_OK : SVQ_QUEUE_E_HEAD;
}

static __rte_always_inline void
guest_packed_taken(struct svq_queue *q, unsigned int plain, unsigned int n)
{
	struct svq_guest_ring *r = &q->guest;
	const struct svq_gather *ga = &q->gather;
	uint32_t places = plain;
	unsigned int i;

	for (i = plain; i < n; i++)
		places += ga->chain[i - plain].places;
	q->last_avail = svq_packed_step(q->last_avail, places, r->size, &r->avail_wrap);
	r->outstanding += places;
	q->seq += places;
}

static __rte_always_inline void
guest_packed_put_used(
	struct svq_queue *q, unsigned int ahead, uint16_t id, uint16_t places, uint32_t len)
{
	struct svq_guest_ring *r = &q->guest;
	bool wrap = r->used_wrap;
	uint16_t pos =
		svq_packed_step(q->used_idx, ahead == 0 ? 0 : r->used_places, r->size, &wrap);
	uint64_t used = svq_packed_used(id, len, wrap);

	/* The first entry publishes the burst, the others may be seen early: not useful before it.
	 */
	if (ahead == 0) {
		r->used_first = used;
		r->used_places = 0;
	} else {
		svq_packed_store_used(&r->packed_desc[pos], used);
	}
	r->used_places += places;
}

static __rte_always_inline void
guest_packed_to(struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	struct svq_guest_ring *r = &q->guest;

	if (ahead == 0)
		r->used_places = 0;
	run->wrap = r->used_wrap;
	run->at = svq_packed_step(q->used_idx, r->used_places, r->size, &run->wrap);
	run->first = ahead == 0;
}

static __rte_always_inline struct svq_piece
guest_packed_gives(const struct svq_queue *q, const struct svq_run *run)
{
	return (struct svq_piece){
		.entry = &q->guest.packed_desc[run->at],
		.expected = (uint64_t)svq_packed_used_flags(run->wrap) << 48,
		.first = run->first,
	};
}

static __rte_always_inline void
guest_packed_give(struct svq_queue *q, struct svq_piece *p, size_t i, uint16_t id, uint32_t len)
{
	const uint64_t written = len != 0 ? (uint64_t)VRING_DESC_F_WRITE << 48 : 0;
	uint64_t used = len | id * SVQ_HALF_ONE | p->expected | written;

	if (unlikely(p->first))
		q->guest.used_first = used;
	else
		svq_packed_store_used((struct vring_packed_desc *)p->entry + i, used);
	p->first = false;
}

static __rte_always_inline void
guest_packed_stored(struct svq_queue *q, unsigned int n)
{
	q->guest.used_places += n;
}

static __rte_always_inline void
guest_packed_put_used_batch(struct svq_queue *q, uint16_t id, uint32_t places)
{
	guest_packed_put_used(q, 0, id, places, 0);
}

static __rte_always_inline void
guest_packed_publish_used(struct svq_queue *q, unsigned int n)
{
	struct svq_guest_ring *r = &q->guest;

	RTE_SET_USED(n);
	/* Pairs with the driver's read barrier between the flags and the rest of the descriptor. */
	atomic_thread_fence(memory_order_release);
	svq_packed_store_used(&r->packed_desc[q->used_idx], r->used_first);
	q->used_idx = svq_packed_step(q->used_idx, r->used_places, r->size, &r->used_wrap);
	r->outstanding -= r->used_places;
}

/* The descriptors lie in the ring itself: log where. */
static inline void
guest_packed_log_used(const struct svq_queue *q, unsigned int n)
{
	const struct svq_guest_ring *r = &q->guest;
	uint32_t first = q->used_idx >= r->used_places ? q->used_idx - r->used_places
						       : q->used_idx + r->size - r->used_places;
	uint32_t head = RTE_MIN(r->used_places, r->size - first);

	RTE_SET_USED(n);
	svq_dirty_log_mark(&q->log,
		r->desc_gpa + (uint64_t)first * sizeof(struct vring_packed_desc),
		(uint64_t)head * sizeof(struct vring_packed_desc));
	svq_dirty_log_mark(&q->log, r->desc_gpa,
		(uint64_t)(r->used_places - head) * sizeof(struct vring_packed_desc));
}

static __rte_always_inline bool
guest_packed_wants_call(const struct svq_queue *q, unsigned int n)
{
	const struct svq_guest_ring *r = &q->guest;

	RTE_SET_USED(n);
	return svq_packed_need_event(svq_packed_load_event(r->driver_event), r->event_idx,
		q->used_idx, r->used_wrap, (uint16_t)r->used_places, r->size);
}

static const struct svq_guest_ops svq_guest_packed = {
	.available = guest_packed_available,
	.more = guest_packed_more,
	.limit = guest_packed_limit,
	.from = guest_packed_from,
	.expect = guest_packed_expect,
	.reads = guest_packed_reads,
	.read = guest_packed_read,
	.gather = guest_packed_gather,
	.taken = guest_packed_taken,
	.put_used = guest_packed_put_used,
	.to = guest_packed_to,
	.gives = guest_packed_gives,
	.give = guest_packed_give,
	.stored = guest_packed_stored,
	.put_used_batch = guest_packed_put_used_batch,
	.publish_used = guest_packed_publish_used,
	.log_used = guest_packed_log_used,
	.wants_call = guest_packed_wants_call,
};

#endif /* GUEST_PACKED_H */
