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
 * each is checked, logged and returned before the next one is looked at. Whatever is not plain ends
 * the run, and is left to queue_burst.h and queue_ordered.h.
 */

#include "queue_priv.h"
#include "shadow.h"

/* Gather plain chains behind @p ahead others. @return how many. */
static __rte_always_inline unsigned int
svq_plain_gather(
	struct svq_queue *q, const struct svq_guest_ops *g, unsigned int ahead, unsigned int n)
{
	const uint32_t size = q->guest.size, least = q->net_header;
	struct svq_gather *ga = &q->gather;
	uint64_t *gpa = ga->gpa, writable = 0;
	uint32_t *len = ga->len;
	struct svq_run from;
	unsigned int i = 0, end;

	n = g->limit(q, ahead, n);
	g->from(q, ahead, &from);
	while (i < n) {
		end = i + RTE_MIN(n - i, svq_run_room(&from, size));
		for (; i < end; i++) {
			struct svq_plain chain;

			if (unlikely(!g->load(q, &from, &chain) || chain.len < least))
				goto out;
			gpa[i] = chain.gpa;
			len[i] = chain.len;
			ga->id[i] = chain.id;
			writable |= (uint64_t)chain.writes << i;
			svq_run_step(&from, 1);
		}
	}
out:
	ga->writable[0] = writable;
	return i;
}

/* Claim a slot for the @p i -th chain of the scratch, and record it. @return false: its id is in
 * flight. */
static __rte_always_inline bool
svq_plain_claim(struct svq_queue *q, unsigned int i, bool writes, uint32_t seq,
	enum svq_slots_mode mode, uint16_t *slot)
{
	const struct svq_gather *ga = &q->gather;
	struct svq_shadow_ring *r = &q->shadow;
	const uint16_t id = ga->id[i];

	if (mode == SVQ_SLOTS_KEPT) {
		*slot = id;
		if (unlikely(r->flight[id].word != 0))
			return false;
	} else {
		uint64_t *ids = &q->guest.ids[id / 64], bit = UINT64_C(1) << (id % 64);

		if (unlikely(*ids & bit))
			return false;
		*ids |= bit;
		*slot = r->free[--r->n_free];
	}
	r->flight[*slot].half[0] = ga->gpa[i];
	r->flight[*slot].half[1] = ga->len[i] | (uint64_t)svq_flight_plain(id, writes) << 32;
	r->seq[*slot] = seq;
	return true;
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
	const uint32_t seq = q->seq + ahead;
	uint64_t writable, bad, sum = 0;
	struct svq_run to = {0};
	unsigned int i = 0, end;
	uint16_t slot;

	n = svq_plain_gather(q, g, ahead, n);
	if (n == 0)
		return 0;
	writable = ga->writable[0];
	bad = ~svq_gpa_translate_burst(map, ga->gpa, ga->len, writable, ga->iova, n);
	if (q->net_header != 0)
		bad |= q->qid % 2 != 0 ? writable : ~writable;
	bad &= UINT64_MAX >> (64 - n);
	if (unlikely(bad != 0))
		n = (unsigned int)__builtin_ctzll(bad);
	n = RTE_MIN(n, q->shadow.n_free);
	s->to(q, ahead, &to);
	while (i < n) {
		end = i + RTE_MIN(n - i, svq_run_room(&to, q->size));
		for (; i < end; i++) {
			bool writes = writable >> i & 1;

			if (unlikely(!svq_plain_claim(q, i, writes, seq + i, mode, &slot)))
				goto out;
			s->store(q, &to, slot, ga->iova[i], ga->len[i], writes);
			sum += writes ? 0 : ga->len[i];
			svq_run_step(&to, 1);
		}
	}
out:
	s->stored(q, &to, ahead + i);
	q->stats.bytes += sum;
	return i;
}

/* The chain of slot @p id, of which the device wrote @p len bytes, is in flight no more. @return
 * false: it is not plain, or not in flight, or that is too much. */
static __rte_always_inline bool
svq_plain_take(struct svq_queue *q, uint32_t id, uint32_t len, enum svq_slots_mode mode, bool log,
	uint16_t *guest_id)
{
	struct svq_shadow_ring *r = &q->shadow;
	const uint64_t known = r->flight[id].half[1];
	const uint32_t word = known >> 32, kind = word & ~SVQ_FLIGHT_ID;

	/* One that it only reads is returned without a length. */
	if (unlikely(kind == (SVQ_FLIGHT_PLAIN | SVQ_FLIGHT_WRITES)
			    ? len > (uint32_t)known
			    : kind != SVQ_FLIGHT_PLAIN || len != 0))
		return false;
	r->flight[id].half[1] = 0;
	if (log)
		svq_dirty_log_mark(&q->log, r->flight[id].half[0], len);
	*guest_id = word & SVQ_FLIGHT_ID;
	if (mode == SVQ_SLOTS_KEPT)
		return true;
	q->guest.ids[*guest_id / 64] &= ~(UINT64_C(1) << (*guest_id % 64));
	if (mode == SVQ_SLOTS_STACK)
		r->free[r->n_free++] = (uint16_t)id;
	return true;
}

/**
 * Return plain chains to the guest: as svq_vector_ops.used.
 */
static __rte_always_inline unsigned int
svq_plain_used(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	bool put, unsigned int ahead, unsigned int done, unsigned int n, enum svq_slots_mode mode,
	bool log, uint16_t *last)
{
	const uint32_t size = q->size, guest_size = q->guest.size;
	uint32_t next = q->shadow.oldest, id, len;
	struct svq_run from, to = {0};
	unsigned int i = 0, end;
	uint64_t sum = 0;
	uint16_t guest_id = 0;

	s->from(q, ahead, &from);
	if (put)
		g->to(q, done, &to);
	while (i < n) {
		end = RTE_MIN(n - i, svq_run_room(&from, size));
		if (put)
			end = RTE_MIN(end, svq_run_room(&to, guest_size));
		for (end += i; i < end; i++) {
			if (!s->load(q, &from, &id, &len) ||
				unlikely(mode == SVQ_SLOTS_RING ? id != next : id >= size) ||
				unlikely(!svq_plain_take(q, id, len, mode, log, &guest_id)))
				goto out;
			if (put) {
				g->store(q, &to, guest_id, len);
				svq_run_step(&to, 1);
			}
			sum += len;
			next = (next + 1) & q->shadow.mask;
			svq_run_step(&from, 1);
		}
	}
out:
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
	uint16_t guest_id = 0;
	struct svq_run to = {0};
	uint64_t sum = 0;
	unsigned int i;

	if (put)
		g->to(q, done, &to);
	for (i = 0; i < n && slot != end; i++) {
		uint32_t len = svq_flight_writable(&q->shadow.flight[slot]);

		if (!svq_plain_take(q, slot, len, SVQ_SLOTS_RING, log, &guest_id))
			break;
		if (put) {
			svq_run_room(&to, q->guest.size);
			g->store(q, &to, guest_id, len);
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
 */
static __rte_always_inline unsigned int
svq_plain_back(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	const struct svq_vector_ops *v, bool put, unsigned int ahead, unsigned int done,
	unsigned int n, enum svq_slots_mode mode, bool log, uint16_t *last)
{
	unsigned int i = 0;

	if (v != NULL) {
		struct svq_vector_moved m = v->used(q, put, ahead, done, n, mode, log, last);

		i = m.n;
		if (likely(!m.ended || i == n) || (i != 0 && !s->more_used(q, ahead + i)))
			return i;
		n = RTE_MIN(n, i + SVQ_BURST);
	}
	return i + svq_plain_used(q, g, s, put, ahead + i, done + i, n - i, mode, log, last);
}

#endif /* QUEUE_PLAIN_H */
