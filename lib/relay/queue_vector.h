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

#include "queue_priv.h"
#include "shadow.h"
#include "vector.h"

/** Second halves: what is not the length. */
#define SVQ_HALF_LEN UINT64_C(0xffffffff)

/** The guest's side of a ring format, beside struct svq_guest_ops. */
struct svq_guest_vector {
	/** What the chain at run->at looks like. @return false: nothing can be expected of it. */
	bool (*expect)(const struct svq_queue *q, struct svq_run *run);
	/** Copy the descriptors of @p n chains. @return those that are as expected. */
	__mmask8 (*load)(const struct svq_queue *q, const struct svq_run *run, unsigned int n,
		struct svq_eight *desc, __m512i *len);
	/** Write used entries for @p n chains: the guest's ids from run->id on. @p flight: our
	 * records of them. */
	void (*store)(struct svq_queue *q, const struct svq_run *run, struct svq_eight flight,
		__m512i len, unsigned int n);
};

/** The device's side of a ring format, beside struct svq_shadow_ops. */
struct svq_shadow_vector {
	/**
	 * Write descriptors for @p n chains: their slots from run->id on.
	 *
	 * @param desc
	 *   As from the guest's load().
	 * @param flight
	 *   Our records of them.
	 * @param id
	 *   The guest's first id.
	 */
	void (*store)(struct svq_queue *q, const struct svq_run *run, struct svq_eight desc,
		struct svq_eight flight, uint32_t id, __m512i delta, unsigned int n);
	/** Which chain the entry at run->at returns. */
	uint32_t (*expect)(const struct svq_queue *q, const struct svq_run *run);
	/** Copy lengths of @p n entries. @return those that are as expected. */
	__mmask8 (*load)(
		const struct svq_queue *q, const struct svq_run *run, unsigned int n, __m512i *len);
};

/** A pairing: the formats' operations, and those in vector registers. */
struct svq_vector_pair {
	const struct svq_guest_ops *g;
	const struct svq_shadow_ops *s;
	const struct svq_guest_vector *gv;
	const struct svq_shadow_vector *sv;
};

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

/* Which of the chains can be claimed. */
SVQ_VECTOR __mmask8
svq_vector_free(const struct svq_queue *q, uint32_t id, uint32_t slot, unsigned int n,
	enum svq_slots_mode mode)
{
	struct svq_bits b;
	__m512i known;

	if (mode == SVQ_SLOTS_KEPT) {
		known = svq_seconds(svq_load_eight(&q->shadow.flight[slot], n));
		return _mm512_testn_epi64_mask(known, known);
	}
	b = svq_bits(q->guest.ids, id, n);
	return (*b.low & b.in_low) == 0 && (*b.high & b.in_high) == 0 ? svq_lanes(n) : 0;
}

/* Claim, record and write @p n chains. */
SVQ_VECTOR void
svq_vector_give(struct svq_queue *q, const struct svq_shadow_vector *sv, const struct svq_run *from,
	const struct svq_run *to, struct svq_eight desc, __m512i delta, uint32_t seq,
	unsigned int n, enum svq_slots_mode mode)
{
	struct svq_eight flight =
		svq_with_lengths(svq_count_seconds(svq_vector_word(from->id, from->writes)), desc);

	if (mode != SVQ_SLOTS_KEPT) {
		struct svq_bits b = svq_bits(q->guest.ids, from->id, n);

		*b.low |= b.in_low;
		*b.high |= b.in_high;
	}
	sv->store(q, to, desc, flight, from->id, delta, n);
	svq_store_eight(&q->shadow.flight[to->id], flight, n);
	svq_store(&q->shadow.order[to->id],
		_mm512_add_epi64(svq_all(seq), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0)), n);
}

/* As svq_vector_avail(), the next up to eight. */
SVQ_VECTOR unsigned int
svq_vector_avail_eight(struct svq_queue *q, const struct svq_vector_pair *p,
	const struct svq_gpa_map *map, const struct svq_run *from, const struct svq_run *to,
	uint32_t seq, unsigned int n, enum svq_slots_mode mode, __m512i *bytes)
{
	const uint32_t least = RTE_MAX(q->net_header, 1u);
	__m512i len, more, delta;
	struct svq_eight desc;
	unsigned int k;
	__mmask8 ok;

	ok = p->gv->load(q, from, n, &desc, &len);
	more = _mm512_sub_epi64(len, svq_all(1));
	/* Length 0 has become 2^64-1. */
	ok = _mm512_mask_cmpge_epu64_mask(ok, more, svq_all(least - 1));
	ok = svq_gpa_translate_eight(map, ok, svq_firsts(desc), more, from->writes, &delta);
	ok &= svq_vector_free(q, from->id, to->id, n, mode);
	k = svq_lanes_count(ok, n);
	if (likely(k == SVQ_LANES))
		svq_vector_give(q, p->sv, from, to, desc, delta, seq, SVQ_LANES, mode);
	else if (k != 0)
		svq_vector_give(q, p->sv, from, to, desc, delta, seq, k, mode);
	if (!from->writes)
		*bytes = _mm512_mask_add_epi64(*bytes, svq_lanes(k), *bytes, len);
	return k;
}

/**
 * Relay up to @p n plain chains to the device, the next ones available. @return how many; the first
 * one that is not as expected is left, and all behind it.
 */
SVQ_VECTOR unsigned int
svq_vector_avail(struct svq_queue *q, const struct svq_vector_pair *p,
	const struct svq_gpa_map *map, unsigned int n, enum svq_slots_mode mode, uint64_t *bytes)
{
	const uint32_t guest_size = q->guest.size, size = q->size;
	__m512i sum = _mm512_setzero_si512();
	struct svq_run from, to;
	unsigned int i, end, k;

	n = p->g->limit(q, 0, n);
	if (mode == SVQ_SLOTS_RING)
		n = RTE_MIN(n, q->shadow.n_free);
	p->g->from(q, 0, &from);
	if (unlikely(n == 0 || !p->gv->expect(q, &from)) ||
		unlikely(q->net_header != 0 && from.writes == (q->qid % 2 != 0)))
		return 0;
	p->s->to(q, 0, &to);
	to.writes = from.writes;
	to.id = mode == SVQ_SLOTS_KEPT ? from.id : q->shadow.free[q->shadow.n_free - 1];
	for (i = 0; i < n; i += k) {
		/* Ids go on from 0 behind the last one. */
		if (unlikely(from.id == guest_size)) {
			from.id = 0;
			to.id = mode == SVQ_SLOTS_KEPT ? 0 : to.id;
		}
		if (mode == SVQ_SLOTS_RING)
			to.id &= q->shadow.mask;
		end = RTE_MIN(n - i, svq_run_room(&from, guest_size));
		end = RTE_MIN(end, svq_run_room(&to, size));
		end = RTE_MIN(end, guest_size - from.id);
		if (mode == SVQ_SLOTS_RING)
			end = RTE_MIN(end, size - to.id);
		for (end += i; likely(i + SVQ_LANES <= end); i += SVQ_LANES) {
			k = svq_vector_avail_eight(
				q, p, map, &from, &to, q->seq + i, SVQ_LANES, mode, &sum);
			svq_run_step(&from, k);
			svq_run_step(&to, k);
			if (unlikely(k < SVQ_LANES)) {
				i += k;
				goto out;
			}
		}
		k = 0;
		if (likely(i == end))
			continue;
		k = svq_vector_avail_eight(q, p, map, &from, &to, q->seq + i, end - i, mode, &sum);
		svq_run_step(&from, k);
		svq_run_step(&to, k);
		if (unlikely(i + k < end)) {
			i += k;
			break;
		}
	}
out:
	if (i != 0)
		p->s->stored(q, &to, i);
	if (mode == SVQ_SLOTS_RING)
		q->shadow.n_free -= i;
	if (!from.writes)
		*bytes += svq_sum(sum);
	return i;
}

/* Log what was written of @p n plain chains: eight buffers are asked at once whether their pages
 * are marked, as in svq_dirty_log_is_marked(). */
SVQ_VECTOR void
svq_vector_log(const struct svq_queue *q, __m512i gpa, __m512i len, unsigned int n)
{
	const struct svq_dirty_log *log = &q->log;
	const __m512i page = _mm512_srli_epi64(gpa, 12), at = _mm512_srli_epi64(page, 3);
	const __mmask8 written = _mm512_mask_test_epi64_mask(svq_lanes(n), len, len);
	__m512i more = _mm512_add_epi64(gpa, _mm512_sub_epi64(len, svq_all(1)));
	uint64_t gpas[SVQ_LANES], lens[SVQ_LANES];
	__mmask8 marked = 0, missed;
	__m512i want, word;

	RTE_BUILD_BUG_ON(SVQ_DIRTY_LOG_PAGE != 1 << 12);
	if (likely(log->size >= sizeof(uint64_t))) {
		more = _mm512_sub_epi64(_mm512_srli_epi64(more, 12), page);
		marked = _mm512_mask_cmplt_epu64_mask(written, more, svq_all(56));
		marked = _mm512_mask_cmple_epu64_mask(
			marked, at, svq_all(log->size - sizeof(uint64_t)));
		word = _mm512_mask_i64gather_epi64(
			_mm512_setzero_si512(), marked, at, log->base, 1);
		want = _mm512_sub_epi64(_mm512_sllv_epi64(svq_all(2), more), svq_all(1));
		want = _mm512_sllv_epi64(want, _mm512_and_epi64(page, svq_all(7)));
		marked = _mm512_mask_cmpeq_epi64_mask(marked, _mm512_and_epi64(word, want), want);
	}
	missed = written & ~marked;
	if (likely(missed == 0))
		return;
	_mm512_storeu_si512(gpas, gpa);
	_mm512_storeu_si512(lens, len);
	for (; missed != 0; missed &= missed - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(missed);

		svq_dirty_log_mark(log, gpas[i], lens[i]);
	}
}

/* Take @p n chains from slot @p slot on, of which the device wrote @p len bytes, or all if @p all.
 * Those of the lanes @p ok are taken, as far as nothing else is at fault. @p to: as the guest is to
 * get them. @return how many. */
SVQ_VECTOR unsigned int
svq_vector_take(struct svq_queue *q, const struct svq_guest_vector *gv, const struct svq_run *to,
	uint32_t slot, bool all, __m512i len, __mmask8 ok, unsigned int n, enum svq_slots_mode mode,
	bool log, __m512i *bytes)
{
	const struct svq_eight zero = {_mm512_setzero_si512(), _mm512_setzero_si512()};
	struct svq_flight *flight = &q->shadow.flight[slot];
	struct svq_eight known = svq_load_eight(flight, n);
	__m512i half = svq_seconds(known), may;
	unsigned int k;

	may = _mm512_and_epi64(half, svq_all(to->writes ? SVQ_HALF_LEN : 0));
	if (all)
		len = may;
	ok = _mm512_mask_cmpeq_epi64_mask(ok, _mm512_andnot_epi64(svq_all(SVQ_HALF_LEN), half),
		_mm512_add_epi64(svq_all(svq_vector_word(to->id, to->writes)), svq_numbers_high()));
	ok = _mm512_mask_cmple_epu64_mask(ok, len, may);
	k = svq_lanes_count(ok, n);
	if (unlikely(k == 0))
		return 0;
	if (log)
		svq_vector_log(q, svq_firsts(known), len, k);
	if (mode == SVQ_SLOTS_RING) {
		struct svq_bits bits = svq_bits(q->guest.ids, to->id, k);

		*bits.low &= ~bits.in_low;
		*bits.high &= ~bits.in_high;
	}
	if (likely(k == SVQ_LANES)) {
		*bytes = _mm512_add_epi64(*bytes, len);
		svq_store_eight(flight, zero, SVQ_LANES);
		if (gv != NULL)
			gv->store(q, to, known, len, SVQ_LANES);
	} else {
		*bytes = _mm512_mask_add_epi64(*bytes, svq_lanes(k), *bytes, len);
		svq_store_eight(flight, zero, k);
		if (gv != NULL)
			gv->store(q, to, known, len, k);
	}
	return k;
}

/* Chains that lie without a gap from slot @p slot on, at most @p n. */
static __rte_always_inline unsigned int
svq_vector_back_room(
	const struct svq_queue *q, struct svq_run *to, uint32_t slot, bool put, unsigned int n)
{
	if (unlikely(to->id == q->guest.size))
		to->id = 0;
	if (put)
		n = RTE_MIN(n, svq_run_room(to, q->guest.size));
	n = RTE_MIN(n, q->size - slot);
	return RTE_MIN(n, q->guest.size - to->id);
}

/* What the guest is to get, from the record of the chain in @p slot. @return false: nothing can be
 * expected of it. */
static __rte_always_inline bool
svq_vector_back_begin(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_run *to,
	uint32_t slot, unsigned int done)
{
	const struct svq_flight *flight = &q->shadow.flight[slot];

	to->at = 0;
	to->wrap = false;
	to->first = false;
	if (g != NULL)
		g->to(q, done, to);
	to->writes = flight->word & SVQ_FLIGHT_WRITES;
	to->id = flight->word & SVQ_FLIGHT_ID;
	return to->id < q->guest.size;
}

SVQ_VECTOR void
svq_vector_back_end(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_run *to,
	unsigned int n, enum svq_slots_mode mode, uint16_t *last)
{
	/* The next one's may have begun from 0 again. */
	*last = (to->id != 0 ? to->id : q->guest.size) - 1;
	if (g != NULL)
		g->stored(q, n);
	if (mode == SVQ_SLOTS_RING)
		svq_shadow_free_oldest(q, n);
}

/** As svq_vector_ops.used. */
SVQ_VECTOR unsigned int
svq_vector_used(struct svq_queue *q, const struct svq_vector_pair *p, bool put, unsigned int ahead,
	unsigned int done, unsigned int n, enum svq_slots_mode mode, bool log, uint64_t *bytes,
	uint16_t *last)
{
	const struct svq_guest_vector *gv = put ? p->gv : NULL;
	const struct svq_guest_ops *g = put ? p->g : NULL;
	__m512i sum = _mm512_setzero_si512(), len;
	struct svq_run from, to;
	unsigned int i, end, k;
	__mmask8 ok;

	p->s->from(q, ahead, &from);
	from.id = p->sv->expect(q, &from);
	if (unlikely(mode == SVQ_SLOTS_RING ? from.id != q->shadow.oldest : from.id >= q->size) ||
		unlikely(!svq_vector_back_begin(q, g, &to, from.id, done)))
		return 0;
	for (i = 0; i < n; i += k) {
		if (unlikely(from.id == (mode == SVQ_SLOTS_KEPT ? q->guest.size : q->size)))
			from.id = 0;
		end = RTE_MIN(n - i, svq_run_room(&from, q->size));
		end = i + svq_vector_back_room(q, &to, from.id, g != NULL, end);
		for (; likely(i + SVQ_LANES <= end); i += SVQ_LANES) {
			ok = p->sv->load(q, &from, SVQ_LANES, &len);
			k = svq_vector_take(
				q, gv, &to, from.id, false, len, ok, SVQ_LANES, mode, log, &sum);
			svq_run_step(&from, k);
			svq_run_step(&to, k);
			if (unlikely(k < SVQ_LANES)) {
				i += k;
				goto out;
			}
		}
		k = 0;
		if (likely(i == end))
			continue;
		ok = p->sv->load(q, &from, end - i, &len);
		k = svq_vector_take(q, gv, &to, from.id, false, len, ok, end - i, mode, log, &sum);
		svq_run_step(&from, k);
		svq_run_step(&to, k);
		if (unlikely(i + k < end)) {
			i += k;
			break;
		}
	}
out:
	if (unlikely(i == 0))
		return 0;
	p->s->passed(q, &from);
	svq_vector_back_end(q, g, &to, i, mode, last);
	*bytes += svq_sum(sum);
	return i;
}

/** As svq_vector_ops.skip. */
SVQ_VECTOR unsigned int
svq_vector_skip(struct svq_queue *q, const struct svq_vector_pair *p, bool put, uint16_t end,
	unsigned int done, unsigned int n, bool log, uint64_t *bytes, uint16_t *last)
{
	const struct svq_guest_vector *gv = put ? p->gv : NULL;
	const struct svq_guest_ops *g = put ? p->g : NULL;
	__m512i sum = _mm512_setzero_si512();
	uint32_t slot = q->shadow.oldest;
	unsigned int i, m, k;
	struct svq_run to;

	n = RTE_MIN(n, (unsigned int)(end - slot) & q->shadow.mask);
	if (unlikely(!svq_vector_back_begin(q, g, &to, slot, done)))
		return 0;
	for (i = 0; i < n; i += k) {
		m = svq_vector_back_room(q, &to, slot, g != NULL, n - i);
		m = RTE_MIN(m, (unsigned int)SVQ_LANES);
		k = svq_vector_take(
			q, gv, &to, slot, true, sum, svq_lanes(m), m, SVQ_SLOTS_RING, log, &sum);
		slot = (slot + k) & q->shadow.mask;
		svq_run_step(&to, k);
		if (unlikely(k < m)) {
			i += k;
			break;
		}
	}
	if (unlikely(i == 0))
		return 0;
	svq_vector_back_end(q, g, &to, i, SVQ_SLOTS_RING, last);
	*bytes += svq_sum(sum);
	return i;
}

/** Define the operations of a pairing. */
#define SVQ_VECTOR_OPS(name, guest, shadow, guest_vector, shadow_vector)                         \
	static const struct svq_vector_pair name##_pair = {                                      \
		.g = guest, .s = shadow, .gv = guest_vector, .sv = shadow_vector};               \
	SVQ_VECTOR unsigned int name##_avail(struct svq_queue *q, const struct svq_gpa_map *map, \
		unsigned int n, enum svq_slots_mode mode, uint64_t *bytes)                       \
	{                                                                                        \
		return svq_vector_avail(q, &name##_pair, map, n, mode, bytes);                   \
	}                                                                                        \
	SVQ_VECTOR unsigned int name##_used(struct svq_queue *q, bool put, unsigned int ahead,   \
		unsigned int done, unsigned int n, enum svq_slots_mode mode, bool log,           \
		uint64_t *bytes, uint16_t *last)                                                 \
	{                                                                                        \
		if (put)                                                                         \
			return svq_vector_used(                                                  \
				q, &name##_pair, true, ahead, done, n, mode, log, bytes, last);  \
		return svq_vector_used(                                                          \
			q, &name##_pair, false, ahead, done, n, mode, log, bytes, last);         \
	}                                                                                        \
	SVQ_VECTOR unsigned int name##_skip(struct svq_queue *q, bool put, uint16_t end,         \
		unsigned int done, unsigned int n, bool log, uint64_t *bytes, uint16_t *last)    \
	{                                                                                        \
		return svq_vector_skip(q, &name##_pair, put, end, done, n, log, bytes, last);    \
	}                                                                                        \
	static const struct svq_vector_ops name = {                                              \
		.avail = name##_avail, .used = name##_used, .skip = name##_skip}

#endif /* QUEUE_VECTOR_H */
