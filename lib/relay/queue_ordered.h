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
 * A guest with IN_ORDER is given its chains in order. What a device without it completes early is
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
		.len = r->flight[r->oldest].writable,
		.flight = r->flight[r->oldest],
	};
}

static __rte_always_inline void
svq_ordered_return(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_burst_back *b,
	const struct svq_used *u)
{
	svq_burst_back_put(q, g, b, u, u->flight.id);
	svq_shadow_release_oldest(q, u);
}

/* Return up to @p n plain chains before @p last, written throughout. @return how many. */
static __rte_always_inline unsigned int
svq_ordered_skip_plain(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_burst_back *b,
	uint16_t last, unsigned int n, bool log)
{
	struct svq_shadow_taking t = svq_shadow_taking(q, SVQ_SLOTS_RING, log);
	unsigned int i, k;

	n = RTE_MIN(n, (unsigned int)SVQ_BURST);
	for (i = 0; i < n && t.next != last; i++) {
		if (!svq_shadow_take_plain(&t, i, t.next, (uint32_t)t.flight[t.next].half[1]))
			break;
	}
	if (i == 0)
		return 0;
	for (k = 0; log && k < i; k++)
		svq_dirty_log_mark(&q->log, q->gather.gpa[k], q->gather.len[k]);
	svq_shadow_free_oldest(q, i);
	g->put_used_plain(q, b->done, i);
	b->done += i;
	b->bytes += t.bytes;
	return i;
}

/*
 * The chains before the one that the device's entry names. @return false: there are more than the
 * device has published.
 */
static __rte_always_inline bool
svq_ordered_skip(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	struct svq_burst_back *b, const struct svq_used *last, unsigned int n)
{
	while (q->shadow.oldest != last->head) {
		unsigned int left = n - b->taken - 1, plain;
		struct svq_used u;

		if (unlikely(left == 0)) {
			b->fault = SVQ_QUEUE_E_USED_ID;
			b->detail = last->head;
			return false;
		}
		plain = q->log.base != NULL
			? svq_ordered_skip_plain(q, g, b, last->head, left, true)
			: svq_ordered_skip_plain(q, g, b, last->head, left, false);
		b->taken += plain;
		s->skip(q, plain);
		if (likely(plain != 0))
			continue;
		u = svq_ordered_oldest(q);
		if (unlikely(q->log.base != NULL))
			svq_burst_log(q, &u);
		s->skip(q, u.flight.slots);
		svq_ordered_return(q, g, b, &u);
		b->taken++;
	}
	return true;
}

/* Return the oldest chains that are held back. */
static __rte_always_inline void
svq_ordered_let_go(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_burst_back *b)
{
	struct svq_shadow_ring *r = &q->shadow;

	while (svq_bit(r->held, r->oldest)) {
		struct svq_used oldest = svq_ordered_oldest(q);

		r->held[oldest.head / 64] &= ~(UINT64_C(1) << (oldest.head % 64));
		q->held--;
		svq_ordered_return(q, g, b, &oldest);
	}
}

/* Hold the chain back, unless it is the oldest. @return false: it was already. */
static __rte_always_inline bool
svq_ordered_hold(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_burst_back *b,
	const struct svq_used *u)
{
	struct svq_shadow_ring *r = &q->shadow;

	if (unlikely(svq_bit(r->held, u->head))) {
		b->fault = SVQ_QUEUE_E_USED_ID;
		b->detail = u->head;
		return false;
	}
	r->held[u->head / 64] |= UINT64_C(1) << (u->head % 64);
	r->flight[u->head].writable = u->len;
	q->held++;
	b->taken++;
	svq_ordered_let_go(q, g, b);
	return true;
}

static __rte_always_inline unsigned int
svq_burst_used_ordered(
	struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s)
{
	struct svq_burst_back b;
	struct svq_used u;
	unsigned int n;

	if (likely(!svq_burst_back_begin(q, s, &b, &n)))
		return 0;
	svq_burst_back_begin_plain(q, g, s, &b, n, SVQ_SLOTS_RING);
	svq_ordered_let_go(q, g, &b);
	while (b.taken < n && svq_burst_back_take(q, s, &b, &u)) {
		if (!q->shadow.in_order) {
			if (unlikely(!svq_ordered_hold(q, g, &b, &u)))
				break;
			continue;
		}
		if (unlikely(!svq_ordered_skip(q, g, s, &b, &u, n)))
			break;
		svq_ordered_return(q, g, &b, &u);
		b.taken++;
	}
	svq_burst_back_end(q, g, s, &b);
	return b.taken;
}

#endif /* QUEUE_ORDERED_H */
