/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef QUEUE_ORDERED_H
#define QUEUE_ORDERED_H

/**
 * @file
 * The way back where the guest or the device has VIRTIO_F_IN_ORDER (virtio 1.2, 2.7.9 and 2.8.10).
 *
 * Concepts
 *
 * The slots of such a queue are a ring: chains take them in the order in which they came and leave
 * them in that order, so the chain behind another begins where that one's slots end.
 *
 * A device with IN_ORDER may write one used entry for several chains, for the last of them; those
 * before it are taken to be used completely.
 *
 * A guest with IN_ORDER is given its chains in order, and one used entry for a burst of what it
 * sent. What a device without it completes early is
 * held back, slots and all, until all before it are complete. Held back is not returned: a recall
 * makes it available again like any other chain.
 */

#include "queue_burst.h"

/* The oldest chain in flight. */
static __rte_always_inline struct svq_used
svq_ordered_oldest(const struct svq_queue *q)
{
	const struct svq_shadow_ring *r = &q->shadow;

	return (struct svq_used){
		.head = r->oldest,
		.len = svq_flight_writable(&r->flight[r->oldest]),
		.flight = r->flight[r->oldest],
	};
}

/* A burst on its way back in order. */
struct svq_ordered_back {
	struct svq_burst_back b;
	/* Of what has one used entry. */
	uint16_t last;	 /* the last chain's id */
	uint32_t places; /* as in struct svq_chain, of all */
};

static __rte_always_inline void
svq_ordered_return(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_ordered_back *o,
	const struct svq_used *u)
{
	if (q->batch) {
		o->last = u->flight.id;
		o->places += likely(!u->flight.origin) ? 1 : q->shadow.origin[u->head].places;
		o->b.done++;
	} else {
		svq_burst_back_put(q, g, &o->b, u, u->flight.id);
	}
	svq_shadow_release_oldest(q, u);
}

static __rte_always_inline void
svq_ordered_count_plain(struct svq_ordered_back *o, unsigned int n)
{
	o->places += n;
	o->b.done += n;
	o->b.taken += n;
}

/* Begin with the plain chains, as far as the device names each. Not while others are held back, for
 * it may name one of those again. */
static __rte_always_inline void
svq_ordered_begin_plain(struct svq_queue *q, const struct svq_guest_ops *g,
	const struct svq_shadow_ops *s, const struct svq_vector_ops *v, struct svq_ordered_back *o,
	unsigned int n, bool log)
{
	unsigned int took;

	while (q->held == 0 && o->b.taken < n && (o->b.taken == 0 || s->more_used(q, o->b.taken))) {
		took = svq_plain_back(q, g, s, v, false, !q->batch, o->b.taken, o->b.done,
			n - o->b.taken, SVQ_SLOTS_RING, log, &o->last);
		if (unlikely(took == 0))
			break;
		svq_ordered_count_plain(o, took);
	}
}

/* Return up to @p n plain chains before @p end, written throughout. @return how many. */
static __rte_always_inline unsigned int
svq_ordered_skip_plain(struct svq_queue *q, const struct svq_guest_ops *g,
	const struct svq_vector_ops *v, struct svq_ordered_back *o, uint16_t end, unsigned int n,
	bool log)
{
	unsigned int took;

	took = v != NULL ? v->skip(q, !q->batch, end, o->b.done, n, log, &o->last) : 0;
	if (v == NULL || unlikely(took == 0))
		took = svq_plain_skip(q, g, !q->batch, end, o->b.done, n, log, &o->last);
	svq_ordered_count_plain(o, took);
	return took;
}

/*
 * The chains before the one that the device's entry names. @return false: there are more than the
 * device has published.
 */
static __rte_always_inline bool
svq_ordered_skip(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	const struct svq_vector_ops *v, struct svq_ordered_back *o, const struct svq_used *last,
	unsigned int n)
{
	while (q->shadow.oldest != last->head) {
		unsigned int left = n - o->b.taken - 1, plain;
		struct svq_used u;

		if (unlikely(left == 0)) {
			o->b.fault = SVQ_QUEUE_E_USED_ID;
			o->b.detail = last->head;
			return false;
		}
		plain = q->log.base != NULL
			? svq_ordered_skip_plain(q, g, v, o, last->head, left, true)
			: svq_ordered_skip_plain(q, g, v, o, last->head, left, false);
		s->skip(q, plain);
		if (likely(plain != 0))
			continue;
		u = svq_ordered_oldest(q);
		if (unlikely(q->log.base != NULL))
			svq_burst_log(q, &u);
		s->skip(q, svq_flight_slots(&u.flight));
		svq_ordered_return(q, g, o, &u);
		o->b.taken++;
	}
	return true;
}

/* Return the oldest chains that are held back. */
static __rte_always_inline void
svq_ordered_let_go(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_ordered_back *o)
{
	struct svq_shadow_ring *r = &q->shadow;

	while (svq_bit(r->held, r->oldest)) {
		struct svq_used oldest = svq_ordered_oldest(q);

		oldest.len = r->written[oldest.head];
		r->held[oldest.head / 64] &= ~(UINT64_C(1) << (oldest.head % 64));
		q->held--;
		svq_ordered_return(q, g, o, &oldest);
	}
}

/* Hold the chain back, unless it is the oldest. @return false: it was already. */
static __rte_always_inline bool
svq_ordered_hold(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_ordered_back *o,
	const struct svq_used *u)
{
	struct svq_shadow_ring *r = &q->shadow;

	if (unlikely(svq_bit(r->held, u->head))) {
		o->b.fault = SVQ_QUEUE_E_USED_ID;
		o->b.detail = u->head;
		return false;
	}
	r->held[u->head / 64] |= UINT64_C(1) << (u->head % 64);
	r->written[u->head] = u->len;
	q->held++;
	q->stats.held_back += u->head != r->oldest;
	o->b.taken++;
	svq_ordered_let_go(q, g, o);
	return true;
}

static __rte_always_inline unsigned int
svq_burst_used_ordered(struct svq_queue *q, const struct svq_guest_ops *g,
	const struct svq_shadow_ops *s, const struct svq_vector_ops *v)
{
	struct svq_ordered_back o = {0};
	struct svq_used u;
	unsigned int n;

	if (likely(!svq_burst_back_begin(q, s, &o.b, &n)))
		return 0;
	if (unlikely(q->log.base != NULL))
		svq_ordered_begin_plain(q, g, s, v, &o, n, true);
	else
		svq_ordered_begin_plain(q, g, s, v, &o, n, false);
	while (o.b.taken < n && svq_burst_back_take(q, s, &o.b, &u)) {
		if (!q->shadow.in_order) {
			if (unlikely(!svq_ordered_hold(q, g, &o, &u)))
				break;
			continue;
		}
		if (unlikely(!svq_ordered_skip(q, g, s, v, &o, &u, n)))
			break;
		svq_ordered_return(q, g, &o, &u);
		o.b.taken++;
	}
	if (q->batch && o.b.done != 0)
		g->put_used_batch(q, o.last, o.places);
	svq_burst_back_end(q, g, s, &o.b);
	return o.b.taken;
}

#endif /* QUEUE_ORDERED_H */
