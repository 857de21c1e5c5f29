/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef QUEUE_VECTOR_AVAIL_H
#define QUEUE_VECTOR_AVAIL_H

/**
 * @file
 * Plain chains in vector registers, to the device: see queue_vector.h.
 */

#include <gpa_vector.h>

#include "vector_side.h"

/** A pass to the device. */
struct svq_vector_there {
	struct svq_side from;
	struct svq_side to;
	struct svq_records records;
	__m512i least; /**< bytes of a chain but one */
	__m512i bytes; /**< so far */
};

SVQ_VECTOR void
svq_vector_there_begin(struct svq_queue *q, const struct svq_vector_pair *p,
	const struct svq_run *from, const struct svq_run *to, uint32_t seq, unsigned int n,
	struct svq_vector_there *t)
{
	t->from = p->gv->from(q, from);
	t->to = p->sv->to(q, to, from->id, n);
	t->records = (struct svq_records){
		.flight = &q->shadow.flight[to->id],
		.seqs = &q->shadow.seq[to->id],
		.words = svq_count_seconds(svq_vector_word(from->id, from->writes)),
		.seq = _mm256_add_epi32(
			_mm256_set1_epi32((int)seq), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0)),
	};
}

/* In lanes: 0 if the chain can be claimed. */
SVQ_VECTOR __m512i
svq_vector_taken(const struct svq_queue *q, const struct svq_records *r, uint32_t id,
	unsigned int n, enum svq_slots_mode mode)
{
	struct svq_bits b;

	if (mode == SVQ_SLOTS_KEPT)
		return svq_seconds(svq_load_eight(r->flight, n));
	b = svq_bits(q->guest.ids, id, n);
	return svq_all((*b.low & b.in_low) | (*b.high & b.in_high));
}

/* Claim, record and write @p n chains. */
SVQ_VECTOR void
svq_vector_give(struct svq_queue *q, const struct svq_vector_pair *p, struct svq_vector_there *t,
	struct svq_eight desc, __m512i delta, uint32_t id, unsigned int n, enum svq_slots_mode mode)
{
	struct svq_records *r = &t->records;
	struct svq_eight flight = svq_with_lengths(r->words, desc);

	if (mode != SVQ_SLOTS_KEPT) {
		struct svq_bits b = svq_bits(q->guest.ids, id, n);

		*b.low |= b.in_low;
		*b.high |= b.in_high;
	}
	p->sv->store(&t->to, desc, flight, delta, n);
	svq_store_eight(r->flight, flight, n);
	svq_store_quarters(r->seqs, r->seq, n);
	r->flight += SVQ_LANES;
	r->seqs += SVQ_LANES;
	r->words = svq_add(r->words, svq_eight(svq_all(0), svq_all(SVQ_LANES * SVQ_HALF_ONE)));
	r->seq = _mm256_add_epi32(r->seq, _mm256_set1_epi32(SVQ_LANES));
}

/* Which of @p n chains are sound, but for their translation. */
SVQ_VECTOR __mmask8
svq_vector_sound(struct svq_queue *q, const struct svq_vector_pair *p, struct svq_vector_there *t,
	uint32_t id, unsigned int n, enum svq_slots_mode mode, struct svq_eight *desc, __m512i *len)
{
	__m512i other = p->gv->load(&t->from, n, desc);
	__mmask8 ok;

	*len = _mm512_and_epi64(svq_seconds(*desc), svq_all(SVQ_HALF_LEN));
	other = _mm512_or_epi64(other, svq_vector_taken(q, &t->records, id, n, mode));
	ok = _mm512_testn_epi64_mask(other, other);
	/* Length 0 becomes 2^64-1. */
	return svq_lanes_both(
		ok, _mm512_cmpge_epu64_mask(_mm512_sub_epi64(*len, svq_all(1)), t->least));
}

/* Whole eights of @p n chains, as long as nothing is amiss with one. @return how many chains. */
SVQ_VECTOR unsigned int
svq_vector_there_eights(struct svq_queue *q, const struct svq_vector_pair *p,
	const struct svq_gpa_map *map, struct svq_vector_there *t, uint32_t id, unsigned int n,
	enum svq_slots_mode mode, enum svq_gpa_eight eight)
{
	struct svq_gpa_view view;
	unsigned int i;

	svq_gpa_look(&view, map, eight);
	for (i = 0; likely(i + SVQ_LANES <= n); i += SVQ_LANES) {
		struct svq_eight desc;
		__m512i len, delta;
		__mmask8 ok;

		ok = svq_vector_sound(q, p, t, id + i, SVQ_LANES, mode, &desc, &len);
		ok = svq_gpa_try_eight(&view, eight, ok, svq_firsts(desc),
			_mm512_sub_epi64(len, svq_all(1)), &delta);
		if (unlikely(!svq_lanes_all(ok)))
			break;
		svq_vector_give(q, p, t, desc, delta, id + i, SVQ_LANES, mode);
		t->bytes = _mm512_add_epi64(t->bytes, len);
	}
	return i;
}

SVQ_VECTOR void
svq_vector_least(const struct svq_queue *q, struct svq_vector_there *t)
{
	const uint32_t least = q->net_header;

	t->least = svq_all(least != 0 ? least - 1 : 0);
	t->bytes = _mm512_setzero_si512();
}

/* What to expect of the chains behind @p ahead ones, and where they go. @return how many, @p n at
 * most, lie in one piece: before the end of a ring, or of the ids. */
SVQ_VECTOR unsigned int
svq_vector_there_look(const struct svq_queue *q, const struct svq_vector_pair *p,
	unsigned int ahead, unsigned int n, enum svq_slots_mode mode, struct svq_run *from,
	struct svq_run *to)
{
	const uint32_t guest_size = q->guest.size;

	n = p->g->limit(q, ahead, n);
	if (mode == SVQ_SLOTS_RING)
		n = RTE_MIN(n, q->shadow.n_free);
	p->g->from(q, ahead, from);
	if (unlikely(n == 0 || !p->g->expect(q, from)) ||
		unlikely(q->net_header != 0 && from->writes == (q->qid % 2 != 0)))
		return 0;
	p->s->to(q, ahead, to);
	to->writes = from->writes;
	to->id = mode == SVQ_SLOTS_KEPT ? from->id : q->shadow.free[q->shadow.n_free - 1];
	n = RTE_MIN(n, guest_size - from->at);
	n = RTE_MIN(n, guest_size - from->id);
	n = RTE_MIN(n, q->size - to->at);
	return mode == SVQ_SLOTS_RING ? RTE_MIN(n, q->size - to->id) : n;
}

/* As svq_gpa_translate_eight(). */
SVQ_VECTOR __mmask8
svq_vector_translate(const struct svq_gpa_map *map, __mmask8 lanes, __m512i gpa, __m512i more,
	bool writable, __m512i *delta)
{
	struct svq_gpa_view view;
	__m512i other;
	__mmask8 ok = 0;

	*delta = _mm512_setzero_si512();
	if (likely(map->eight == SVQ_GPA_FEW)) {
		svq_gpa_look(&view, map, SVQ_GPA_FEW);
		ok = svq_gpa_try_eight(&view, SVQ_GPA_FEW, lanes, gpa, more, delta);
	} else if (map->eight == SVQ_GPA_SCAN) {
		svq_gpa_look(&view, map, SVQ_GPA_SCAN);
		return svq_gpa_try_eight(&view, SVQ_GPA_SCAN, lanes, gpa, more, delta);
	} else if (map->eight == SVQ_GPA_GATHER) {
		svq_gpa_look(&view, map, SVQ_GPA_GATHER);
		ok = svq_gpa_try_eight(&view, SVQ_GPA_GATHER, lanes, gpa, more, delta);
	}
	if (likely(ok == lanes))
		return ok;
	/* Others leave their frame, lie in no single row, or in one of too many odd ones. */
	ok = svq_gpa_translate_eight(map, lanes, gpa, more, writable, &other);
	*delta = other;
	return ok;
}

/* Up to eight, the last ones or among which one is not as expected. @return how many. */
SVQ_VECTOR unsigned int
svq_vector_avail_part(struct svq_queue *q, const struct svq_vector_pair *p,
	const struct svq_gpa_map *map, const struct svq_run *from, const struct svq_run *to,
	uint32_t seq, unsigned int n, enum svq_slots_mode mode)
{
	struct svq_vector_there t;
	struct svq_eight desc;
	__m512i len, delta;
	unsigned int k;
	__mmask8 ok;

	svq_vector_least(q, &t);
	svq_vector_there_begin(q, p, from, to, seq, n, &t);
	ok = svq_vector_sound(q, p, &t, from->id, n, mode, &desc, &len);
	ok = svq_vector_translate(
		map, ok, svq_firsts(desc), _mm512_sub_epi64(len, svq_all(1)), from->writes, &delta);
	k = svq_lanes_count(ok, n);
	if (unlikely(k == 0))
		return 0;
	svq_vector_give(q, p, &t, desc, delta, from->id, k, mode);
	if (!from->writes)
		q->stats.bytes += svq_sum(_mm512_maskz_mov_epi64(svq_lanes(k), len));
	return k;
}

/** As svq_vector_ops.avail. */
SVQ_VECTOR struct svq_vector_moved
svq_vector_avail(struct svq_queue *q, const struct svq_vector_pair *p,
	const struct svq_gpa_map *map, unsigned int ahead, unsigned int n, enum svq_slots_mode mode)
{
	const uint32_t seq = q->seq + ahead;
	struct svq_vector_there t;
	unsigned int end, k, i = 0;
	struct svq_run from, to;
	bool ended = false;

	end = svq_vector_there_look(q, p, ahead, n, mode, &from, &to);
	if (unlikely(end == 0))
		return (struct svq_vector_moved){.ended = true};
	svq_vector_least(q, &t);
	svq_vector_there_begin(q, p, &from, &to, seq, end, &t);
	if (likely(map->eight == SVQ_GPA_FEW))
		i = svq_vector_there_eights(q, p, map, &t, from.id, end, mode, SVQ_GPA_FEW);
	else if (map->eight == SVQ_GPA_SCAN)
		i = svq_vector_there_eights(q, p, map, &t, from.id, end, mode, SVQ_GPA_SCAN);
	else if (map->eight == SVQ_GPA_GATHER)
		i = svq_vector_there_eights(q, p, map, &t, from.id, end, mode, SVQ_GPA_GATHER);
	if (!from.writes)
		q->stats.bytes += svq_sum(t.bytes);

	n = RTE_MIN(end - i, (unsigned int)SVQ_LANES);
	if (n != 0 && (i == 0 || p->g->more(q, ahead + i))) {
		struct svq_run from_here = from, to_here = to;

		svq_run_step(&from_here, i);
		svq_run_step(&to_here, i);
		k = p->avail_part(q, map, &from_here, &to_here, seq + i, n, mode);
		ended = k < n;
		i += k;
	}
	if (unlikely(i == 0))
		return (struct svq_vector_moved){.ended = true};
	svq_run_step(&to, i);
	p->s->stored(q, &to, ahead + i);
	if (mode == SVQ_SLOTS_RING)
		q->shadow.n_free -= i;
	return (struct svq_vector_moved){i, ended};
}

#endif /* QUEUE_VECTOR_AVAIL_H */
