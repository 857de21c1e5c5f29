/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_VECTOR_H
#define SHADOW_VECTOR_H

/**
 * @file
 * What shadow.h does for one plain chain, for up to eight: at once where ids are kept and follow
 * one another, as those of a driver do that takes its descriptors in turn; else one by one.
 */

#include "shadow.h"
#include "vector.h"

SVQ_VECTOR unsigned int
svq_shadow_claim_one_by_one(const struct svq_shadow_plain *p, unsigned int i, unsigned int n,
	uint16_t slot[SVQ_LANES], bool kept)
{
	unsigned int k;

	for (k = 0; k < n && svq_shadow_claim_plain(p, i + k, &slot[k], kept); k++)
		;
	return k;
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
	uint16_t slot[SVQ_LANES], bool kept)
{
	const __m512i ids = svq_load_ids(&p->id[i]);
	const __mmask8 writable = (__mmask8)(p->writable >> i);
	__m512i known, len, gpa;
	__mmask8 free;
	uint16_t id;

	if (!kept || unlikely(!svq_consecutive(ids, svq_lanes(n))))
		return svq_shadow_claim_one_by_one(p, i, n, slot, kept);
	id = p->id[i];
	known = svq_load_seconds(&p->flight[id], n);
	free = _mm512_testn_epi64_mask(known, svq_all(UINT64_C(0xffffffff) << 32));
	if (unlikely((free & svq_lanes(n)) != svq_lanes(n)))
		return svq_shadow_claim_one_by_one(p, i, n, slot, kept);
	gpa = _mm512_loadu_si512(&p->gpa[i]);
	len = svq_load_lens(&p->len[i]);
	svq_store_halves(&p->slot[id], gpa,
		_mm512_mask_or_epi64(len, writable, len, svq_all(SVQ_SLOT_WRITABLE)), n,
		SVQ_BOTH_HALVES);
	known = _mm512_slli_epi64(_mm512_or_epi64(ids, svq_all(SVQ_FLIGHT_PLAIN)), 32);
	svq_store_halves(&p->flight[id], _mm512_add_epi64(svq_all(p->seq + i), svq_iota()),
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

/**
 * A device returns @p ids and @p lens, up to @p n: as svq_shadow_take_plain() for entries @p i and
 * on. @return how many it held for.
 */
SVQ_VECTOR unsigned int
svq_shadow_take_eight(struct svq_shadow_taking *t, unsigned int i, __m512i ids, __m512i lens,
	unsigned int n, __m512i *bytes)
{
	__m512i known;
	const uint32_t id = (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(ids));
	__mmask8 good;

	_mm_storeu_si128((void *)&t->id[i], _mm512_cvtepi64_epi16(ids));
	_mm256_storeu_si256((void *)&t->len[i], _mm512_cvtepi64_epi32(lens));
	if (t->mode != SVQ_SLOTS_KEPT ||
		unlikely(id >= t->size || id + n > t->size || !svq_consecutive(ids, svq_lanes(n))))
		return svq_shadow_take_one_by_one(t, i, ids, n);
	known = svq_load_seconds(&t->flight[id], n);
	good = _mm512_cmpeq_epi64_mask(
		_mm512_srli_epi64(known, 32), _mm512_or_epi64(ids, svq_all(SVQ_FLIGHT_PLAIN)));
	good = _mm512_mask_cmple_epu64_mask(
		good, lens, _mm512_and_epi64(known, svq_all(UINT32_MAX)));
	if (unlikely((good & svq_lanes(n)) != svq_lanes(n)))
		return svq_shadow_take_one_by_one(t, i, ids, n);
	svq_store_halves(&t->flight[id], known, _mm512_setzero_si512(), n, SVQ_SECOND_HALVES);
	if (t->log)
		_mm512_storeu_si512(&t->gpa[i], svq_load_firsts(&t->slot[id], n));
	*bytes = _mm512_mask_add_epi64(*bytes, svq_lanes(n), *bytes, lens);
	return n;
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
