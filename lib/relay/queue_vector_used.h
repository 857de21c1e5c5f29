/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef QUEUE_VECTOR_USED_H
#define QUEUE_VECTOR_USED_H

/**
 * @file
 * Plain chains in vector registers, back to the guest: see queue_vector.h.
 */

#include <svq_dirty_log.h>

#include "shadow.h"
#include "vector_side.h"

/* The dirty log, in registers. */
struct svq_vector_log {
	const void *base;
	__m512i last; /* where the last eight bytes are that may be read */
};

SVQ_VECTOR struct svq_vector_log
svq_vector_log(const struct svq_dirty_log *log)
{
	/* In place of a bitmap smaller than that: no page is marked. */
	static const uint64_t none;
	const bool large = log->size >= sizeof(uint64_t);

	RTE_BUILD_BUG_ON(SVQ_DIRTY_LOG_PAGE != 1 << 12);
	return (struct svq_vector_log){
		.base = large ? (const void *)log->base : &none,
		.last = svq_all(large ? log->size - sizeof(uint64_t) : 0),
	};
}

/* Log what was written of @p n plain chains: eight buffers are asked at once whether their pages
 * are marked, as in svq_dirty_log_is_marked(). One of length 0 may come out either way, and marks
 * nothing. */
SVQ_VECTOR void
svq_vector_mark(const struct svq_queue *q, const struct svq_vector_log *log, __m512i gpa,
	__m512i len, unsigned int n)
{
	const __m512i page = _mm512_srli_epi64(gpa, 12), at = _mm512_srli_epi64(gpa, 15);
	__m512i more = _mm512_add_epi64(gpa, _mm512_sub_epi64(len, svq_all(1))), want, word;
	uint64_t gpas[SVQ_LANES], lens[SVQ_LANES];
	__mmask8 marked, missed;

	more = _mm512_sub_epi64(_mm512_srli_epi64(more, 12), page);
	/* Behind the end, anything will do: it does not count. */
	marked = _mm512_cmple_epu64_mask(at, log->last);
	word = svq_load_each(log->base, _mm512_min_epu64(at, log->last));
	word = _mm512_srlv_epi64(word, _mm512_and_epi64(page, svq_all(7)));
	/* One bit a page; of more pages than a word has bits, all. */
	want = _mm512_sub_epi64(_mm512_sllv_epi64(svq_all(2), more), svq_all(1));
	/* want & ~(word & INT64_MAX): all bits are never there, see above. */
	word = _mm512_ternarylogic_epi64(want, word, svq_all(INT64_MAX), 0x70);
	marked = svq_lanes_both(marked, _mm512_testn_epi64_mask(word, word));
	if (likely(svq_lanes_all(marked | ~svq_lanes(n))))
		return;
	_mm512_storeu_si512(gpas, gpa);
	_mm512_storeu_si512(lens, len);
	for (missed = ~marked & svq_lanes(n); missed != 0; missed &= missed - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(missed);

		svq_dirty_log_mark(&q->log, gpas[i], lens[i]);
	}
}

/** A pass back. */
struct svq_vector_back {
	struct svq_side from;
	struct svq_side to;
	struct svq_records records;
	struct svq_vector_log log;
	bool writes;   /**< the device writes all their buffers, or reads them all */
	__m512i bytes; /**< so far */
};

/* Chains from slot @p slot on. @p to: as the guest is to get them. */
SVQ_VECTOR void
svq_vector_back_begin(struct svq_queue *q, const struct svq_guest_vector *gv,
	const struct svq_run *to, uint32_t slot, unsigned int n, bool log,
	struct svq_vector_back *b)
{
	const uint64_t word = svq_vector_word(to->id, to->writes);

	b->records = (struct svq_records){
		.flight = &q->shadow.flight[slot],
		.expected = _mm512_add_epi64(svq_all(word), svq_numbers_high()),
		.may = svq_all(to->writes ? SVQ_HALF_LEN : 0),
	};
	if (gv != NULL)
		b->to = gv->to(q, to, n);
	b->writes = to->writes;
	if (log)
		b->log = svq_vector_log(&q->log);
}

/* Take @p n chains, of which the device wrote @p len bytes, or all if @p all. Those whose lanes in
 * @p other are 0 are taken, as far as nothing else is at fault; if @p whole, all eight or none. @p
 * id: the first one's at the guest. @return how many. */
SVQ_VECTOR unsigned int
svq_vector_take(struct svq_queue *q, const struct svq_guest_vector *gv, struct svq_vector_back *b,
	uint32_t id, bool all, __m512i len, __m512i other, unsigned int n, bool whole,
	enum svq_slots_mode mode, bool log)
{
	const struct svq_eight zero = {_mm512_setzero_si512(), _mm512_setzero_si512()};
	struct svq_records *r = &b->records;
	struct svq_eight known = svq_load_eight(r->flight, n);
	__m512i half = svq_seconds(known), may = _mm512_and_epi64(half, r->may);
	unsigned int k;
	__mmask8 ok;

	if (all)
		len = may;
	half = _mm512_andnot_epi64(svq_all(SVQ_HALF_LEN), half);
	other = _mm512_or_epi64(other, _mm512_xor_epi64(half, r->expected));
	ok = svq_lanes_both(
		_mm512_testn_epi64_mask(other, other), _mm512_cmple_epu64_mask(len, may));
	k = whole ? (likely(svq_lanes_all(ok)) ? SVQ_LANES : 0) : svq_lanes_count(ok, n);
	if (unlikely(k == 0))
		return 0;
	if (whole)
		k = SVQ_LANES;
	else
		len = _mm512_maskz_mov_epi64(svq_lanes(k), len);
	if (log && b->writes) {
		svq_dirty_log_seen();
		svq_vector_mark(q, &b->log, svq_firsts(known), len, k);
	}
	if (mode == SVQ_SLOTS_RING) {
		struct svq_bits bits = svq_bits(q->guest.ids, id, k);

		*bits.low &= ~bits.in_low;
		*bits.high &= ~bits.in_high;
	}
	b->bytes = _mm512_add_epi64(b->bytes, len);
	svq_store_eight(r->flight, zero, k);
	if (gv != NULL)
		gv->store(q, &b->to, known, len, k);
	r->flight += SVQ_LANES;
	r->expected = _mm512_add_epi64(r->expected, svq_all(SVQ_LANES * SVQ_HALF_ONE));
	return k;
}

/* What the guest is to get, from the record of the chain in @p slot. @return how many, @p n at
 * most, lie in one piece: before the end of a ring, or of the ids or slots; 0: nothing can be
 * expected. */
static __rte_always_inline unsigned int
svq_vector_back_expect(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_run *to,
	uint32_t slot, unsigned int done, unsigned int n)
{
	const struct svq_flight *flight = &q->shadow.flight[slot];
	const uint32_t guest_size = q->guest.size, word = flight->word;

	to->at = 0;
	to->wrap = false;
	to->first = false;
	if (g != NULL)
		g->to(q, done, to);
	to->writes = word & SVQ_FLIGHT_WRITES;
	to->id = word & SVQ_FLIGHT_ID;
	if (unlikely(to->id >= guest_size))
		return 0;
	n = RTE_MIN(n, q->size - slot);
	n = RTE_MIN(n, guest_size - to->id);
	return RTE_MIN(n, guest_size - to->at);
}

/* The same, and which entries are to tell of it. */
SVQ_VECTOR unsigned int
svq_vector_back_look(struct svq_queue *q, const struct svq_vector_pair *p,
	const struct svq_guest_ops *g, unsigned int ahead, unsigned int done, unsigned int n,
	enum svq_slots_mode mode, struct svq_run *from, struct svq_run *to)
{
	p->s->from(q, ahead, from);
	from->id = p->sv->expect(q, from);
	if (unlikely(mode == SVQ_SLOTS_RING ? from->id != q->shadow.oldest : from->id >= q->size))
		return 0;
	n = svq_vector_back_expect(q, g, to, from->id, done, n);
	return RTE_MIN(n, q->size - from->at);
}

/* @p n chains have been returned, the first one of which the guest knows by @p id. */
SVQ_VECTOR void
svq_vector_back_end(struct svq_queue *q, const struct svq_guest_ops *g, uint32_t id, unsigned int n,
	enum svq_slots_mode mode, uint16_t *last)
{
	*last = id + n - 1;
	if (g != NULL)
		g->stored(q, n);
	if (mode == SVQ_SLOTS_RING)
		svq_shadow_free_oldest(q, n);
}

/* Up to eight, the last ones or among which one is not as expected. @return how many. */
SVQ_VECTOR unsigned int
svq_vector_used_part(struct svq_queue *q, const struct svq_vector_pair *p, bool put,
	const struct svq_run *from, const struct svq_run *to, unsigned int n,
	enum svq_slots_mode mode, bool log)
{
	const struct svq_guest_vector *gv = put ? p->gv : NULL;
	struct svq_vector_back b = {.bytes = _mm512_setzero_si512()};
	__m512i len, other;
	unsigned int k;

	b.from = p->sv->from(q, from);
	svq_vector_back_begin(q, gv, to, from->id, n, log, &b);
	other = p->sv->load(&b.from, n, &len);
	k = svq_vector_take(q, gv, &b, to->id, false, len, other, n, false, mode, log);
	if (to->writes)
		q->stats.bytes += svq_sum(b.bytes);
	return k;
}

/** As svq_vector_ops.used. */
SVQ_VECTOR struct svq_vector_moved
svq_vector_used(struct svq_queue *q, const struct svq_vector_pair *p, bool put, unsigned int ahead,
	unsigned int done, unsigned int n, enum svq_slots_mode mode, bool log, uint16_t *last)
{
	const struct svq_guest_vector *gv = put ? p->gv : NULL;
	const struct svq_guest_ops *g = put ? p->g : NULL;
	struct svq_vector_back b = {.bytes = _mm512_setzero_si512()};
	unsigned int end, k, i = 0;
	struct svq_run from, to;
	bool ended = false;

	end = svq_vector_back_look(q, p, g, ahead, done, n, mode, &from, &to);
	if (unlikely(end == 0))
		return (struct svq_vector_moved){.ended = true};
	b.from = p->sv->from(q, &from);
	svq_vector_back_begin(q, gv, &to, from.id, end, log, &b);
	for (; likely(i + SVQ_LANES <= end); i += SVQ_LANES) {
		__m512i len, other = p->sv->load(&b.from, SVQ_LANES, &len);

		if (unlikely(svq_vector_take(q, gv, &b, to.id + i, false, len, other, SVQ_LANES,
				     true, mode, log) == 0))
			break;
	}
	if (to.writes)
		q->stats.bytes += svq_sum(b.bytes);
	if (likely(i != 0)) {
		svq_run_step(&from, i);
		p->s->passed(q, &from);
	}

	n = RTE_MIN(end - i, (unsigned int)SVQ_LANES);
	if (n != 0 && (i == 0 || p->s->more_used(q, ahead + i))) {
		struct svq_run from_here = from, to_here = to;

		svq_run_step(&to_here, i);
		k = p->used_part(q, put, &from_here, &to_here, n, mode, log);
		if (unlikely(i + k == 0))
			return (struct svq_vector_moved){.ended = true};
		ended = k < n;
		i += k;
		svq_run_step(&from, k);
		p->s->passed(q, &from);
	}
	svq_vector_back_end(q, g, to.id, i, mode, last);
	return (struct svq_vector_moved){i, ended};
}

/** As svq_vector_ops.skip. */
SVQ_VECTOR unsigned int
svq_vector_skip(struct svq_queue *q, const struct svq_vector_pair *p, bool put, uint16_t end,
	unsigned int done, unsigned int n, bool log, uint16_t *last)
{
	const struct svq_guest_vector *gv = put ? p->gv : NULL;
	const struct svq_guest_ops *g = put ? p->g : NULL;
	struct svq_vector_back b = {.bytes = _mm512_setzero_si512()};
	const __m512i zero = _mm512_setzero_si512();
	const uint32_t slot = q->shadow.oldest;
	unsigned int i = 0, k, m;
	struct svq_run to;

	n = RTE_MIN(n, (unsigned int)(end - slot) & q->shadow.mask);
	n = svq_vector_back_expect(q, g, &to, slot, done, n);
	if (unlikely(n == 0))
		return 0;
	svq_vector_back_begin(q, gv, &to, slot, n, log, &b);
	do {
		m = RTE_MIN(n - i, (unsigned int)SVQ_LANES);
		k = svq_vector_take(
			q, gv, &b, to.id + i, true, zero, zero, m, false, SVQ_SLOTS_RING, log);
		i += k;
	} while (i < n && k == m);
	if (unlikely(i == 0))
		return 0;
	svq_vector_back_end(q, g, to.id, i, SVQ_SLOTS_RING, last);
	q->stats.bytes += svq_sum(b.bytes);
	return i;
}

#endif /* QUEUE_VECTOR_USED_H */
