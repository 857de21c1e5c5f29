/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef QUEUE_PLAIN_H
#define QUEUE_PLAIN_H

/**
 * @file
 * Plain chains, which nearly all are: one direct descriptor each, in one mapping, nothing at fault.
 *
 * Concepts
 *
 * To the device: copy and check them, translate the burst in one call, record and write them. Back:
 * each is checked, logged and returned before the next one is looked at. The first one tells what
 * to expect of all, whether the device writes them or reads them among it. Whatever is not plain,
 * or otherwise, ends the run, and is left to queue_burst.h and queue_ordered.h.
 */

#include "queue_priv.h"
#include "shadow.h"

/* Gather up to @p n plain chains from @p from on, all like the first one. @return how many. */
static __rte_always_inline unsigned int
svq_plain_gather(
	struct svq_queue *q, const struct svq_guest_ops *g, struct svq_run *from, unsigned int n)
{
	const uint32_t size = q->guest.size, least = q->net_header;
	size_t i, end, k;

	for (i = 0; i < n; i += end) {
		uint64_t *gpa = &q->gather.gpa[i], *half = &q->gather.half[i];
		uint32_t *len = &q->gather.len[i];
		struct svq_piece piece;

		end = RTE_MIN(n - i, svq_run_room(from, size));
		piece = g->reads(q, from);
		for (k = 0; k < end; k++) {
			uint64_t h;

			if (unlikely(!g->read(&piece, k, &gpa[k], &h) || (uint32_t)h < least))
				return i + k;
			half[k] = h;
			len[k] = (uint32_t)h;
		}
		svq_run_step(from, end);
	}
	return i;
}

/* Claim a slot for the chain of this id. @return false: one of its id is in flight. */
static __rte_always_inline bool
svq_plain_claim(struct svq_queue *q, uint32_t id, enum svq_slots_mode mode, uint32_t *slot)
{
	struct svq_shadow_ring *r = &q->shadow;
	uint64_t *ids, bit;

	if (mode == SVQ_SLOTS_KEPT) {
		*slot = id;
		return likely(r->flight[id].word == 0);
	}
	ids = &q->guest.ids[id / 64];
	bit = UINT64_C(1) << (id % 64);
	if (unlikely(*ids & bit))
		return false;
	*ids |= bit;
	*slot = r->free[--r->n_free];
	return true;
}

/* Claim, record and write up to @p n gathered chains from @p to on. @return how many. */
static __rte_always_inline unsigned int
svq_plain_put(struct svq_queue *q, const struct svq_shadow_ops *s, struct svq_run *to, uint32_t seq,
	unsigned int n, enum svq_slots_mode mode)
{
	const uint64_t marks = (uint64_t)svq_flight_plain(0, to->writes) << 32;
	struct svq_flight *flight = q->shadow.flight;
	uint32_t *seqs = q->shadow.seq, slot;
	size_t i, end, k;

	for (i = 0; i < n; i += k) {
		const uint64_t *gpa = &q->gather.gpa[i], *iova = &q->gather.iova[i];
		const uint64_t *half = &q->gather.half[i];
		struct svq_piece piece;

		end = RTE_MIN(n - i, svq_run_room(to, q->size));
		piece = s->writes(q, to);
		for (k = 0; k < end; k++) {
			const uint64_t h = half[k];

			if (unlikely(!svq_plain_claim(q, h >> 32, mode, &slot)))
				break;
			flight[slot].half[0] = gpa[k];
			flight[slot].half[1] = h | marks;
			seqs[slot] = seq + i + k;
			s->write(&piece, k, iova[k],
				mode == SVQ_SLOTS_KEPT ? h : (uint32_t)h | slot * SVQ_HALF_ONE);
		}
		svq_run_step(to, k);
		if (unlikely(k < end)) {
			i += k;
			break;
		}
	}
	return i;
}

static __rte_always_inline uint64_t
svq_plain_bytes(const struct svq_queue *q, unsigned int n)
{
	const uint32_t *len = q->gather.len;
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		sum += len[i];
	return sum;
}

/**
 * Relay up to @p n plain chains to the device, behind @p ahead others of the burst; count the bytes
 * that the device reads. @return how many.
 */
static __rte_always_inline unsigned int
svq_plain_avail(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	const struct svq_gpa_map *map, unsigned int ahead, unsigned int n, enum svq_slots_mode mode)
{
	const struct svq_gather *ga = &q->gather;
	struct svq_run from, to = {0};
	uint64_t bad;
	bool writes;

	n = g->limit(q, ahead, n);
	g->from(q, ahead, &from);
	if (unlikely(n == 0 || !g->expect(q, &from)) ||
		unlikely(q->net_header != 0 && from.writes == (q->qid % 2 != 0)))
		return 0;
	writes = from.writes;
	n = svq_plain_gather(q, g, &from, n);
	if (n == 0)
		return 0;
	bad = ~svq_gpa_translate_burst(map, ga->gpa, ga->len, writes ? UINT64_MAX : 0, ga->iova, n);
	bad &= UINT64_MAX >> (64 - n);
	if (unlikely(bad != 0))
		n = (unsigned int)__builtin_ctzll(bad);
	n = RTE_MIN(n, q->shadow.n_free);
	s->to(q, ahead, &to);
	to.writes = writes;
	n = svq_plain_put(q, s, &to, q->seq + ahead, n, mode);
	s->stored(q, &to, ahead + n);
	if (!writes)
		q->stats.bytes += svq_plain_bytes(q, n);
	return n;
}

/* What plain chains in flight look like, by the first one, and where to log what is written. */
struct svq_plain_like {
	uint32_t marks; /* svq_flight.word, but for the id */
	uint32_t may;	/* which part of the length the device may write */
	struct svq_dirty_log log;
};

/* @return false: the chain in @p slot is not plain, or there is none. */
static __rte_always_inline bool
svq_plain_like(const struct svq_queue *q, uint32_t slot, struct svq_plain_like *like)
{
	like->marks = q->shadow.flight[slot].word & ~SVQ_FLIGHT_ID;
	like->may = like->marks & SVQ_FLIGHT_WRITES ? UINT32_MAX : 0;
	like->log = q->log;
	return likely((like->marks & ~SVQ_FLIGHT_WRITES) == SVQ_FLIGHT_PLAIN);
}

/*
 * The chain of slot @p slot, of which the device wrote @p len bytes, is in flight no more. @return
 * false: it is otherwise than expected, or not in flight, or that is too much. One that the device
 * only reads is returned without a length.
 */
static __rte_always_inline bool
svq_plain_take(struct svq_queue *q, const struct svq_plain_like *like, uint32_t slot, uint32_t len,
	enum svq_slots_mode mode, bool log, uint16_t *guest_id)
{
	struct svq_shadow_ring *r = &q->shadow;
	struct svq_flight *flight = &r->flight[slot];
	const uint64_t known = flight->half[1];
	const uint32_t id = known >> 32 ^ like->marks;

	/* Other marks leave more than an id. */
	if (unlikely(id > SVQ_FLIGHT_ID || len > ((uint32_t)known & like->may)))
		return false;
	flight->half[1] = 0;
	if (log) {
		svq_dirty_log_seen();
		svq_dirty_log_mark(&like->log, flight->half[0], len);
	}
	*guest_id = id;
	if (mode == SVQ_SLOTS_KEPT)
		return true;
	q->guest.ids[id / 64] &= ~(UINT64_C(1) << (id % 64));
	if (mode == SVQ_SLOTS_STACK)
		r->free[r->n_free++] = slot;
	return true;
}

/**
 * Return plain chains to the guest, all like the first one: as svq_vector_ops.used. @return how
 * many.
 */
static __rte_always_inline unsigned int
svq_plain_used(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	bool put, unsigned int ahead, unsigned int done, unsigned int n, enum svq_slots_mode mode,
	bool log, uint16_t *last)
{
	const uint32_t size = q->size, guest_size = q->guest.size, mask = q->shadow.mask;
	uint32_t next = q->shadow.oldest, id, len;
	struct svq_piece takes, gives = {0};
	struct svq_run from, to = {0};
	struct svq_plain_like like;
	size_t i = 0, end, k;
	uint16_t guest_id = 0;
	uint64_t sum = 0;

	s->from(q, ahead, &from);
	if (put)
		g->to(q, done, &to);
	takes = s->takes(q, &from);
	if (n == 0 || !s->take(&takes, 0, &id, &len) || unlikely(id >= size) ||
		unlikely(!svq_plain_like(q, id, &like)))
		return 0;
	while (i < n) {
		end = RTE_MIN(n - i, svq_run_room(&from, size));
		if (put)
			end = RTE_MIN(end, svq_run_room(&to, guest_size));
		takes = s->takes(q, &from);
		if (put)
			gives = g->gives(q, &to);
		for (k = 0; k < end; k++) {
			if (!s->take(&takes, k, &id, &len) ||
				unlikely(mode == SVQ_SLOTS_RING ? id != next : id >= size) ||
				unlikely(!svq_plain_take(q, &like, id, len, mode, log, &guest_id)))
				break;
			if (put)
				g->give(q, &gives, k, guest_id, len);
			sum += len;
			next = (next + 1) & mask;
		}
		i += k;
		svq_run_step(&from, k);
		svq_run_step(&to, k);
		if (k < end)
			break;
	}
	if (i == 0)
		return 0;
	s->passed(q, &from);
	if (put)
		g->stored(q, i);
	if (mode == SVQ_SLOTS_RING)
		svq_shadow_free_oldest(q, i);
	*last = guest_id;
	q->stats.bytes += sum;
	return i;
}

/**
 * Slots are a ring: return up to @p n plain chains to the guest, from the oldest one on, those
 * before slot @p end, as if a device had returned each written throughout. No entry is read. The
 * rest as svq_plain_used().
 */
static __rte_always_inline unsigned int
svq_plain_skip(struct svq_queue *q, const struct svq_guest_ops *g, bool put, uint16_t end,
	unsigned int done, unsigned int n, bool log, uint16_t *last)
{
	uint32_t slot = q->shadow.oldest;
	struct svq_plain_like like;
	struct svq_piece gives;
	struct svq_run to = {0};
	uint16_t guest_id = 0;
	uint64_t sum = 0;
	unsigned int i;

	if (n == 0 || slot == end || !svq_plain_like(q, slot, &like))
		return 0;
	if (put)
		g->to(q, done, &to);
	for (i = 0; i < n && slot != end; i++) {
		uint32_t len = svq_flight_writable(&q->shadow.flight[slot]);

		if (!svq_plain_take(q, &like, slot, len, SVQ_SLOTS_RING, log, &guest_id))
			break;
		if (put) {
			svq_run_room(&to, q->guest.size);
			gives = g->gives(q, &to);
			g->give(q, &gives, 0, guest_id, len);
			svq_run_step(&to, 1);
		}
		sum += len;
		slot = (slot + 1) & q->shadow.mask;
	}
	if (i == 0)
		return 0;
	if (put)
		g->stored(q, i);
	svq_shadow_free_oldest(q, i);
	*last = guest_id;
	q->stats.bytes += sum;
	return i;
}

/**
 * Return up to @p n plain chains to the guest, in vector registers as far as that goes, then one by
 * one: where ids follow no order, as those of a guest may that takes the last one freed first,
 * vectors would take hardly more than one at a time. As svq_vector_ops.used.
 *
 * @param ended
 *   The first one cannot be in vector registers.
 */
static __rte_always_inline unsigned int
svq_plain_back(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	const struct svq_vector_ops *v, bool ended, bool put, unsigned int ahead, unsigned int done,
	unsigned int n, enum svq_slots_mode mode, bool log, uint16_t *last)
{
	struct svq_vector_moved m = {.ended = ended};

	if (v != NULL) {
		if (!ended)
			m = v->used(q, put, ahead, done, n, mode, log, last);
		if (likely(!m.ended || m.n == n) || (m.n != 0 && !s->more_used(q, ahead + m.n)))
			return m.n;
		n = RTE_MIN(n, m.n + SVQ_BURST);
	}
	return m.n +
		svq_plain_used(q, g, s, put, ahead + m.n, done + m.n, n - m.n, mode, log, last);
}

#endif /* QUEUE_PLAIN_H */
