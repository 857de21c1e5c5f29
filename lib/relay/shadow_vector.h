/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_VECTOR_H
#define SHADOW_VECTOR_H

/**
 * @file
 * What shadow.h does for one plain chain, for up to eight: at once where the guest's ids follow one
 * another, as those of a driver do that takes its descriptors in turn, and slots are the ids or a
 * ring; else one by one.
 */

#include "shadow.h"
#include "vector.h"

SVQ_VECTOR unsigned int
svq_shadow_claim_one_by_one(const struct svq_shadow_plain *p, unsigned int i, unsigned int n,
	uint16_t slot[SVQ_LANES], enum svq_slots_mode mode)
{
	unsigned int k;

	for (k = 0; k < n && svq_shadow_claim_plain(p, i + k, &slot[k], mode); k++)
		;
	return k;
}

/* Of a bitmap, the @p n bits from @p first on: they may lie in two words. */
struct svq_shadow_bits {
	uint64_t *low, *high; /* the same word if there is but one */
	uint64_t in_low, in_high;
};

static __rte_always_inline struct svq_shadow_bits
svq_shadow_bits(uint64_t *words, uint16_t first, unsigned int n)
{
	const uint64_t bits = (UINT64_C(1) << n) - 1;
	const unsigned int at = first % 64;
	uint64_t *low = &words[first / 64];
	bool two = at + n > 64;

	return (struct svq_shadow_bits){
		.low = low,
		.high = low + two,
		.in_low = bits << at,
		.in_high = two ? bits >> (64 - at) : 0,
	};
}

/*
 * Slots are a ring: claim @p n that follow one another, for @p ids that do so, too. @return false:
 * one of them is in flight, or the slots end before.
 */
SVQ_VECTOR bool
svq_shadow_claim_ring(const struct svq_shadow_plain *p, uint16_t head, uint16_t id, unsigned int n,
	uint16_t slot[SVQ_LANES])
{
	struct svq_shadow_bits b = svq_shadow_bits(p->ids, id, n);

	if (unlikely(head + n > p->size || (*b.low & b.in_low) != 0 || (*b.high & b.in_high) != 0))
		return false;
	*b.low |= b.in_low;
	*b.high |= b.in_high;
	_mm_storeu_si128((void *)slot,
		_mm_add_epi16(_mm_set1_epi16((short)head), _mm_set_epi16(7, 6, 5, 4, 3, 2, 1, 0)));
	return true;
}

/**
 * Claim slots for plain chains @p i to @p i + @p n - 1, and fill them.
 *
 * @param slot
 *   Where the numbers of eight slots go; left alone if ids are kept: they are the ids.
 * @return how many, as svq_shadow_claim_plain().
 */
SVQ_VECTOR unsigned int
svq_shadow_claim_eight(const struct svq_shadow_plain *p, unsigned int i, unsigned int n,
	uint16_t slot[SVQ_LANES], enum svq_slots_mode mode)
{
	const __m512i ids = svq_load_ids(&p->id[i]);
	const __mmask8 writable = (__mmask8)(p->writable >> i);
	const uint16_t id = p->id[i];
	__m512i known, len, gpa;
	__mmask8 free;
	uint16_t head;

	if (mode == SVQ_SLOTS_STACK || unlikely(!svq_consecutive(ids, svq_lanes(n))))
		return svq_shadow_claim_one_by_one(p, i, n, slot, mode);
	if (mode == SVQ_SLOTS_KEPT) {
		head = id;
		known = svq_load_seconds(&p->flight[head], n);
		free = _mm512_testn_epi64_mask(known, svq_all(UINT64_C(0xffffffff) << 32));
		if (unlikely((free & svq_lanes(n)) != svq_lanes(n)))
			return svq_shadow_claim_one_by_one(p, i, n, slot, mode);
	} else {
		head = p->free[-1 - (int)i];
		if (unlikely(!svq_shadow_claim_ring(p, head, id, n, slot)))
			return svq_shadow_claim_one_by_one(p, i, n, slot, mode);
	}
	gpa = _mm512_loadu_si512(&p->gpa[i]);
	len = svq_load_lens(&p->len[i]);
	svq_store_halves(&p->slot[head], gpa,
		_mm512_mask_or_epi64(len, writable, len, svq_all(SVQ_SLOT_WRITABLE)), n,
		SVQ_BOTH_HALVES);
	known = _mm512_slli_epi64(_mm512_or_epi64(ids, svq_all(SVQ_FLIGHT_PLAIN)), 32);
	svq_store_halves(&p->flight[head], _mm512_add_epi64(svq_all(p->seq + i), svq_iota()),
		_mm512_mask_or_epi64(known, writable, known, len), n, SVQ_BOTH_HALVES);
	return n;
}

/* The entries have the lengths already; their ids are written while @p ids are read. */
SVQ_VECTOR unsigned int
svq_shadow_take_one_by_one(struct svq_shadow_taking *t, unsigned int i, __m512i ids, unsigned int n)
{
	uint32_t id[SVQ_LANES];
	unsigned int k;

	_mm256_storeu_si256((void *)id, _mm512_cvtepi64_epi32(ids));
	for (k = 0; k < n && svq_shadow_take_plain(t, i + k, id[k], t->len[i + k]); k++)
		;
	return k;
}

/* Slots are a ring, and their chains the guest's @p ids: as many slots and ids are free. */
SVQ_VECTOR void
svq_shadow_take_ring(struct svq_shadow_taking *t, unsigned int i, __m512i ids, unsigned int n)
{
	const uint16_t id = (uint16_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(ids));
	unsigned int k;

	_mm_storeu_si128((void *)&t->id[i], _mm512_cvtepi64_epi16(ids));
	t->next = (t->next + n) & (t->size - 1);
	if (likely(svq_consecutive(ids, svq_lanes(n)))) {
		struct svq_shadow_bits b = svq_shadow_bits(t->ids, id, n);

		*b.low &= ~b.in_low;
		*b.high &= ~b.in_high;
		return;
	}
	for (k = i; k < i + n; k++)
		t->ids[t->id[k] / 64] &= ~(UINT64_C(1) << (t->id[k] % 64));
}

/**
 * A device returns @p ids and @p lens, up to @p n: as svq_shadow_take_plain() for entries @p i and
 * on. @return how many it held for.
 */
SVQ_VECTOR unsigned int
svq_shadow_take_eight(struct svq_shadow_taking *t, unsigned int i, __m512i ids, __m512i lens,
	unsigned int n, __m512i *bytes)
{
	const uint32_t id = (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(ids));
	const bool ring = t->mode == SVQ_SLOTS_RING;
	__m512i known, word, want = svq_all(SVQ_FLIGHT_PLAIN);
	__mmask8 good;

	if (t->mode == SVQ_SLOTS_KEPT)
		_mm_storeu_si128((void *)&t->id[i], _mm512_cvtepi64_epi16(ids));
	_mm256_storeu_si256((void *)&t->len[i], _mm512_cvtepi64_epi32(lens));
	if (t->mode == SVQ_SLOTS_STACK || unlikely(ring && id != t->next) ||
		unlikely(id >= t->size || id + n > t->size || !svq_consecutive(ids, svq_lanes(n))))
		return svq_shadow_take_one_by_one(t, i, ids, n);
	known = svq_load_seconds(&t->flight[id], n);
	word = _mm512_srli_epi64(known, 32);
	if (ring)
		good = _mm512_cmpeq_epi64_mask(
			_mm512_andnot_epi64(svq_all(SVQ_FLIGHT_ID), word), want);
	else
		good = _mm512_cmpeq_epi64_mask(word, _mm512_or_epi64(ids, want));
	good = _mm512_mask_cmple_epu64_mask(
		good, lens, _mm512_and_epi64(known, svq_all(UINT32_MAX)));
	if (unlikely((good & svq_lanes(n)) != svq_lanes(n)))
		return svq_shadow_take_one_by_one(t, i, ids, n);
	svq_store_halves(&t->flight[id], known, _mm512_setzero_si512(), n, SVQ_SECOND_HALVES);
	if (t->log)
		_mm512_storeu_si512(&t->gpa[i], svq_load_firsts(&t->slot[id], n));
	if (ring)
		svq_shadow_take_ring(t, i, _mm512_and_epi64(word, svq_all(SVQ_FLIGHT_ID)), n);
	*bytes = _mm512_mask_add_epi64(*bytes, svq_lanes(n), *bytes, lens);
	return n;
}

/** Of struct svq_shadow_ops. */
SVQ_VECTOR unsigned int
svq_shadow_skip_plain_vector(
	struct svq_queue *q, uint16_t last, unsigned int n, bool log, uint64_t *bytes)
{
	struct svq_shadow_taking t = svq_shadow_taking(q, SVQ_SLOTS_RING, log);
	__m512i sum = _mm512_setzero_si512();
	unsigned int i, m, k;

	n = RTE_MIN(n, (unsigned int)(uint16_t)(last - t.next) & q->shadow.mask);
	for (i = 0; i < n; i += k) {
		__m512i ids = _mm512_add_epi64(svq_all(t.next), svq_iota()), lens;

		m = svq_lanes_fit(n - i, t.size - t.next);
		lens = _mm512_and_epi64(
			svq_load_seconds(&t.flight[t.next], m), svq_all(UINT32_MAX));
		k = svq_shadow_take_eight(&t, i, ids, lens, m, &sum);
		if (unlikely(k < m)) {
			i += k;
			break;
		}
	}
	svq_shadow_free_oldest(q, i);
	*bytes += t.bytes + svq_sum(sum);
	return i;
}

/** As svq_shadow_log_plain(): eight buffers are asked at once whether their pages are marked, as in
 * svq_dirty_log_is_marked(). */
SVQ_VECTOR void
svq_shadow_log_plain_vector(const struct svq_queue *q, unsigned int n)
{
	const struct svq_dirty_log *log = &q->log;
	unsigned int i, k;

	if (unlikely(log->size < sizeof(uint64_t))) {
		svq_shadow_log_plain(q, n);
		return;
	}
	for (i = 0; i < n; i += SVQ_LANES) {
		const __m512i gpa = _mm512_loadu_si512(&q->gather.gpa[i]);
		const __m512i len = svq_load_lens(&q->gather.len[i]);
		const __m512i page = _mm512_srli_epi64(gpa, 12), at = _mm512_srli_epi64(page, 3);
		const __mmask8 written = _mm512_mask_test_epi64_mask(
			svq_lanes(svq_lanes_fit(n - i, SVQ_LANES)), len, len);
		__m512i more = _mm512_add_epi64(gpa, _mm512_sub_epi64(len, svq_all(1)));
		__m512i want, word;
		__mmask8 marked, missed;

		RTE_BUILD_BUG_ON(SVQ_DIRTY_LOG_PAGE != 1 << 12);
		more = _mm512_sub_epi64(_mm512_srli_epi64(more, 12), page);
		marked = _mm512_mask_cmplt_epu64_mask(written, more, svq_all(56));
		marked = _mm512_mask_cmple_epu64_mask(
			marked, at, svq_all(log->size - sizeof(uint64_t)));
		word = _mm512_mask_i64gather_epi64(
			_mm512_setzero_si512(), marked, at, log->base, 1);
		want = _mm512_sub_epi64(_mm512_sllv_epi64(svq_all(2), more), svq_all(1));
		want = _mm512_sllv_epi64(want, _mm512_and_epi64(page, svq_all(7)));
		marked = _mm512_mask_cmpeq_epi64_mask(marked, _mm512_and_epi64(word, want), want);
		for (missed = written & ~marked; unlikely(missed != 0); missed &= missed - 1) {
			k = i + (unsigned int)__builtin_ctz(missed);
			svq_dirty_log_mark(log, q->gather.gpa[k], q->gather.len[k]);
		}
	}
}

#endif /* SHADOW_VECTOR_H */
