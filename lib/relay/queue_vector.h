/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef QUEUE_VECTOR_H
#define QUEUE_VECTOR_H

/**
 * @file
 * The relay's algorithm for plain chains in AVX-512 registers, eight at a time: checked,
 * translated, recorded and written in one pass, and back.
 *
 * Concepts
 *
 * It is for what is nearly always so: the guest's ids follow one another, as those of a driver do
 * that takes its descriptors in turn; slots are the ids, or a ring; all chains are for the device
 * to write, or all to read. The first descriptor tells what to expect of those behind it, and our
 * copy of all of them is then compared with that. Whatever is otherwise, faults among them, is left
 * to the scalar operations (queue_plain.h), from the first such chain on.
 *
 * As there, a ring format implements a side, and an instance inlines both.
 */

#include <gpa_vector.h>
#include <svq_prefetch.h>

#include "queue_priv.h"
#include "shadow.h"
#include "vector.h"

/**
 * One side of a pass, from here on: where its entries stand, and what is in them, or is to be. All
 * of it is in registers, and is stepped on by eight. A compiler that had to look it up in the queue
 * would do so for each eight anew, since what is written meanwhile could be the queue, too.
 */
struct svq_side {
	void *entry;	  /**< packed: descriptors; split: entries of the available or used ring */
	void *desc;	  /**< split: descriptors */
	__m512i expected; /**< in lanes: what is to be there of what is not the length, or added */
	__m128i heads;	  /**< split: entries of the available ring */
	/** Packed, what turns the burst's first descriptor, the one that publishes the burst: until
	 * its flags are written once more, it is as it was. */
	__m512i veil;
	bool first; /**< the burst begins here */
};

/** The guest's side of a ring format, beside struct svq_guest_ops. */
struct svq_guest_vector {
	/** Where to read chains that look like the one at run->at. */
	struct svq_side (*from)(const struct svq_queue *q, const struct svq_run *run);
	/** Copy the descriptors of @p n chains. @return in lanes: 0 if it is as expected. */
	__m512i (*load)(struct svq_side *from, unsigned int n, struct svq_eight *desc);
	/** Where to write up to @p n used entries: the guest's ids from run->id on. */
	struct svq_side (*to)(const struct svq_queue *q, const struct svq_run *run, unsigned int n);
	/** Write @p n of them. @p flight: our records of the chains. */
	void (*store)(struct svq_queue *q, struct svq_side *to, struct svq_eight flight,
		__m512i len, unsigned int n);
};

/** The device's side of a ring format, beside struct svq_shadow_ops. */
struct svq_shadow_vector {
	/** Where to write up to @p n descriptors: slots from run->id on, for the guest's ids from
	 * @p id on. */
	struct svq_side (*to)(
		struct svq_queue *q, const struct svq_run *run, uint32_t id, unsigned int n);
	/** Write @p n of them. @p desc: as from the guest's load(); @p flight: our records. */
	void (*store)(struct svq_side *to, struct svq_eight desc, struct svq_eight flight,
		__m512i delta, unsigned int n);
	/** Which chain the entry at run->at returns. */
	uint32_t (*expect)(const struct svq_queue *q, const struct svq_run *run);
	/** Where to read entries that return chains from run->id on. */
	struct svq_side (*from)(const struct svq_queue *q, const struct svq_run *run);
	/** Copy lengths of @p n entries. @return in lanes: 0 if it is as expected. */
	__m512i (*load)(struct svq_side *from, unsigned int n, __m512i *len);
};

/** A pairing: the formats' operations, and those in vector registers. */
struct svq_vector_pair {
	const struct svq_guest_ops *g;
	const struct svq_shadow_ops *s;
	const struct svq_guest_vector *gv;
	const struct svq_shadow_vector *sv;
	/* svq_vector_avail_part(), svq_vector_used_part(): not inlined. What they need registers
	 * for is not to be in the way of whole eights. */
	unsigned int (*avail_part)(struct svq_queue *q, const struct svq_gpa_map *map,
		const struct svq_run *from, const struct svq_run *to, uint32_t seq, unsigned int n,
		enum svq_slots_mode mode);
	unsigned int (*used_part)(struct svq_queue *q, bool put, const struct svq_run *from,
		const struct svq_run *to, unsigned int n, enum svq_slots_mode mode, bool log);
};

/** Our records, from a slot on. */
struct svq_records {
	struct svq_flight *flight;
	uint32_t *seqs;
	struct svq_eight words; /**< of those to write, but for addresses and lengths */
	__m256i seq;
	__m512i expected; /**< of those to take: second halves without the lengths, in lanes */
	__m512i may;	  /**< which part of a second half is what the device may write */
};

/* Ask for memory that is to be written. The other side has read of it what was there before; of a
 * packed ring it may be reading it still, and then the line would go to and fro. */
static __rte_always_inline void
svq_ask_for(const void *p, uint32_t bytes)
{
	uint32_t at;

	for (at = 0; at < bytes; at += RTE_CACHE_LINE_SIZE)
		svq_prefetch_write(RTE_PTR_ADD(p, at));
}

/* Of a bitmap, the @p n bits from @p first on: they may lie in two words. */
struct svq_bits {
	uint64_t *low, *high; /* the same word if there is but one */
	uint64_t in_low, in_high;
};

static __rte_always_inline struct svq_bits
svq_bits(uint64_t *words, uint32_t first, unsigned int n)
{
	const uint64_t bits = (UINT64_C(1) << n) - 1;
	const unsigned int at = first % 64;
	uint64_t *low = &words[first / 64];
	bool two = at + n > 64;

	return (struct svq_bits){
		.low = low,
		.high = low + two,
		.in_low = bits << at,
		.in_high = two ? bits >> (64 - at) : 0,
	};
}

/* Second half of our record of a plain chain, but for its length. */
static __rte_always_inline uint64_t
svq_vector_word(uint32_t id, bool writes)
{
	return (uint64_t)svq_flight_plain(id, writes) << 32;
}

/* ---- To the device ---- */

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
	return _mm512_mask_cmpge_epu64_mask(ok, _mm512_sub_epi64(*len, svq_all(1)), t->least);
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
	__mmask8 ok;

	if (likely(map->eight == SVQ_GPA_FEW || map->eight == SVQ_GPA_SCAN)) {
		svq_gpa_look(&view, map, SVQ_GPA_SCAN);
		return svq_gpa_try_eight(&view, SVQ_GPA_SCAN, lanes, gpa, more, delta);
	}
	if (map->eight == SVQ_GPA_GATHER) {
		svq_gpa_look(&view, map, SVQ_GPA_GATHER);
		ok = svq_gpa_try_eight(&view, SVQ_GPA_GATHER, lanes, gpa, more, delta);
		/* Others lie in no single row, or in one of too many odd ones. */
		if (likely(ok == lanes))
			return ok;
	}
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

/* ---- And back ---- */

/* The dirty log, in registers. */
struct svq_vector_log {
	const void *base;
	__m512i last;	/* from where on eight bytes may be read */
	__mmask8 lanes; /* none of the bitmap is smaller than that */
};

SVQ_VECTOR struct svq_vector_log
svq_vector_log(const struct svq_dirty_log *log)
{
	const bool large = log->size >= sizeof(uint64_t);

	RTE_BUILD_BUG_ON(SVQ_DIRTY_LOG_PAGE != 1 << 12);
	return (struct svq_vector_log){
		.base = log->base,
		.last = svq_all(large ? log->size - sizeof(uint64_t) : 0),
		.lanes = large ? 0xff : 0,
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
	marked = _mm512_mask_cmple_epu64_mask(log->lanes, at, log->last);
	word = _mm512_mask_i64gather_epi64(_mm512_setzero_si512(), marked, at, log->base, 1);
	word = _mm512_srlv_epi64(word, _mm512_and_epi64(page, svq_all(7)));
	/* One bit a page; of more pages than a word has bits, all. */
	want = _mm512_sub_epi64(_mm512_sllv_epi64(svq_all(2), more), svq_all(1));
	/* want & ~(word & INT64_MAX): all bits are never there, see above. */
	word = _mm512_ternarylogic_epi64(want, word, svq_all(INT64_MAX), 0x70);
	marked = _mm512_mask_testn_epi64_mask(marked, word, word);
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
	ok = _mm512_mask_cmple_epu64_mask(_mm512_testn_epi64_mask(other, other), len, may);
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

/*
 * Define the operations of a pairing. Functions of their own: each has the registers to itself, and
 * what is the rule is compiled for just that.
 */
#define SVQ_VECTOR_FN static __rte_noinline SVQ_AVX512
#define SVQ_VECTOR_OPS(name, guest, shadow, guest_vector, shadow_vector)                           \
	static const struct svq_vector_pair name##_pair;                                           \
	SVQ_VECTOR_FN unsigned int name##_avail_part(struct svq_queue *q,                          \
		const struct svq_gpa_map *map, const struct svq_run *from,                         \
		const struct svq_run *to, uint32_t seq, unsigned int n, enum svq_slots_mode mode)  \
	{                                                                                          \
		return svq_vector_avail_part(q, &name##_pair, map, from, to, seq, n, mode);        \
	}                                                                                          \
	SVQ_VECTOR_FN unsigned int name##_used_part(struct svq_queue *q, bool put,                 \
		const struct svq_run *from, const struct svq_run *to, unsigned int n,              \
		enum svq_slots_mode mode, bool log)                                                \
	{                                                                                          \
		return put ? svq_vector_used_part(q, &name##_pair, true, from, to, n, mode, log)   \
			   : svq_vector_used_part(q, &name##_pair, false, from, to, n, mode, log); \
	}                                                                                          \
	static const struct svq_vector_pair name##_pair = {.g = guest,                             \
		.s = shadow,                                                                       \
		.gv = guest_vector,                                                                \
		.sv = shadow_vector,                                                               \
		.avail_part = name##_avail_part,                                                   \
		.used_part = name##_used_part};                                                    \
	SVQ_VECTOR_FN struct svq_vector_moved name##_avail_kept(struct svq_queue *q,               \
		const struct svq_gpa_map *map, unsigned int ahead, unsigned int n)                 \
	{                                                                                          \
		return svq_vector_avail(q, &name##_pair, map, ahead, n, SVQ_SLOTS_KEPT);           \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_avail_ring(struct svq_queue *q,               \
		const struct svq_gpa_map *map, unsigned int ahead, unsigned int n)                 \
	{                                                                                          \
		return svq_vector_avail(q, &name##_pair, map, ahead, n, SVQ_SLOTS_RING);           \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_kept(                                    \
		struct svq_queue *q, unsigned int ahead, unsigned int n, uint16_t *last)           \
	{                                                                                          \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, ahead, ahead, n, SVQ_SLOTS_KEPT, false, last);      \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_kept_log(                                \
		struct svq_queue *q, unsigned int ahead, unsigned int n, uint16_t *last)           \
	{                                                                                          \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, ahead, ahead, n, SVQ_SLOTS_KEPT, true, last);       \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_first_log(                               \
		struct svq_queue *q, unsigned int n)                                               \
	{                                                                                          \
		uint16_t last;                                                                     \
                                                                                                   \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, 0, 0, n, SVQ_SLOTS_KEPT, true, &last);              \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_ring(struct svq_queue *q,                \
		unsigned int ahead, unsigned int done, unsigned int n, uint16_t *last)             \
	{                                                                                          \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, ahead, done, n, SVQ_SLOTS_RING, false, last);       \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_batch(struct svq_queue *q,               \
		unsigned int ahead, unsigned int done, unsigned int n, uint16_t *last)             \
	{                                                                                          \
		return svq_vector_used(                                                            \
			q, &name##_pair, false, ahead, done, n, SVQ_SLOTS_RING, false, last);      \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_ring_log(struct svq_queue *q, bool put,  \
		unsigned int ahead, unsigned int done, unsigned int n, uint16_t *last)             \
	{                                                                                          \
		return put ? svq_vector_used(q, &name##_pair, true, ahead, done, n,                \
				     SVQ_SLOTS_RING, true, last)                                   \
			   : svq_vector_used(q, &name##_pair, false, ahead, done, n,               \
				     SVQ_SLOTS_RING, true, last);                                  \
	}                                                                                          \
	SVQ_VECTOR struct svq_vector_moved name##_avail(struct svq_queue *q,                       \
		const struct svq_gpa_map *map, unsigned int ahead, unsigned int n,                 \
		enum svq_slots_mode mode)                                                          \
	{                                                                                          \
		return mode == SVQ_SLOTS_KEPT ? name##_avail_kept(q, map, ahead, n)                \
					      : name##_avail_ring(q, map, ahead, n);               \
	}                                                                                          \
	SVQ_VECTOR struct svq_vector_moved name##_used(struct svq_queue *q, bool put,              \
		unsigned int ahead, unsigned int done, unsigned int n, enum svq_slots_mode mode,   \
		bool log, uint16_t *last)                                                          \
	{                                                                                          \
		if (mode == SVQ_SLOTS_KEPT)                                                        \
			return log ? name##_used_kept_log(q, ahead, n, last)                       \
				   : name##_used_kept(q, ahead, n, last);                          \
		if (log)                                                                           \
			return name##_used_ring_log(q, put, ahead, done, n, last);                 \
		return put ? name##_used_ring(q, ahead, done, n, last)                             \
			   : name##_used_batch(q, ahead, done, n, last);                           \
	}                                                                                          \
	SVQ_VECTOR_FN unsigned int name##_skip(struct svq_queue *q, bool put, uint16_t end,        \
		unsigned int done, unsigned int n, bool log, uint16_t *last)                       \
	{                                                                                          \
		return put ? svq_vector_skip(q, &name##_pair, true, end, done, n, log, last)       \
			   : svq_vector_skip(q, &name##_pair, false, end, done, n, log, last);     \
	}                                                                                          \
	SVQ_VECTOR struct svq_vector_moved name##_avail_first(struct svq_queue *q,                 \
		const struct svq_gpa_map *map, unsigned int n, enum svq_slots_mode mode)           \
	{                                                                                          \
		return svq_vector_avail(q, &name##_pair, map, 0, n, mode);                         \
	}                                                                                          \
	SVQ_VECTOR struct svq_vector_moved name##_used_first(struct svq_queue *q, unsigned int n)  \
	{                                                                                          \
		uint16_t last;                                                                     \
                                                                                                   \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, 0, 0, n, SVQ_SLOTS_KEPT, false, &last);             \
	}                                                                                          \
	static const struct svq_vector_ops name = {.avail = name##_avail,                          \
		.used = name##_used,                                                               \
		.skip = name##_skip,                                                               \
		.avail_first = name##_avail_first,                                                 \
		.used_first = name##_used_first,                                                   \
		.used_first_log = name##_used_first_log}

#endif /* QUEUE_VECTOR_H */
