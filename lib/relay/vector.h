/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VECTOR_H
#define VECTOR_H

/**
 * @file
 * Eight descriptors at a time, in AVX-512 registers.
 *
 * Concepts
 *
 * Descriptors, and our records of them (struct svq_slot, struct svq_flight), have 16 bytes: two
 * halves. Eight lie in two registers, from which their first and second halves are sorted out into
 * a register each, and back. Fewer than eight are told by a mask of lanes, of which the lowest come
 * first; what is not theirs is neither read nor written.
 *
 * An aligned half is read and written by a single access: no CPU that has these instructions tears
 * an aligned 8 bytes of a vector.
 *
 * Where all eight are there, which is the rule, a branch says so: what comes next then waits for no
 * mask, and where it lies is known before anything of it was read.
 */

#include <immintrin.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#define SVQ_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define SVQ_VECTOR static __rte_always_inline SVQ_AVX512

#define SVQ_BOTH_HALVES	  0xffffu
#define SVQ_SECOND_HALVES 0xaaaau

/** Lanes of a register of halves. */
#define SVQ_LANES 8

/** The lowest @p n lanes. */
SVQ_VECTOR __mmask8
svq_lanes(unsigned int n)
{
	return (__mmask8)((1u << n) - 1);
}

/** Lanes for @p n descriptors, of which @p room stand before the ring's end. */
static inline unsigned int
svq_lanes_fit(unsigned int n, unsigned int room)
{
	n = RTE_MIN(n, room);
	return RTE_MIN(n, (unsigned int)SVQ_LANES);
}

/** How many of the lowest @p n lanes are set without a gap. */
SVQ_VECTOR unsigned int
svq_lanes_count(__mmask8 set, unsigned int n)
{
	const unsigned int all = (1u << n) - 1;

	if (likely((set & all) == all))
		return n;
	return (unsigned int)__builtin_ctz(~(unsigned int)set);
}

/* Halves of @p n descriptors, sorted by @p order. */
SVQ_VECTOR __m512i
svq_load_halves(const void *p, unsigned int n, __m512i order)
{
	const uint32_t halves = (1u << 2 * n) - 1;

	if (n == SVQ_LANES)
		return _mm512_permutex2var_epi64(
			_mm512_loadu_si512(p), order, _mm512_loadu_si512(RTE_PTR_ADD(p, 64)));
	return _mm512_permutex2var_epi64(_mm512_maskz_loadu_epi64((__mmask8)halves, p), order,
		_mm512_maskz_loadu_epi64((__mmask8)(halves >> 8), RTE_PTR_ADD(p, 64)));
}

/** Second halves of @p n descriptors. */
SVQ_VECTOR __m512i
svq_load_seconds(const void *p, unsigned int n)
{
	return svq_load_halves(p, n, _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1));
}

/** First halves of @p n descriptors. */
SVQ_VECTOR __m512i
svq_load_firsts(const void *p, unsigned int n)
{
	return svq_load_halves(p, n, _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0));
}

/** Write those halves of @p n descriptors that @p which has, of each a bit a half. */
SVQ_VECTOR void
svq_store_halves(void *p, __m512i firsts, __m512i seconds, unsigned int n, uint32_t which)
{
	const uint32_t halves = ((1u << 2 * n) - 1) & which;
	const __m512i low = _mm512_permutex2var_epi64(
		firsts, _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0), seconds);
	const __m512i high = _mm512_permutex2var_epi64(
		firsts, _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4), seconds);

	if (n == SVQ_LANES && which == SVQ_BOTH_HALVES) {
		_mm512_storeu_si512(p, low);
		_mm512_storeu_si512(RTE_PTR_ADD(p, 64), high);
		return;
	}
	_mm512_mask_storeu_epi64(p, (__mmask8)halves, low);
	_mm512_mask_storeu_epi64(RTE_PTR_ADD(p, 64), (__mmask8)(halves >> 8), high);
}

/** The same in all lanes. */
SVQ_VECTOR __m512i
svq_all(uint64_t v)
{
	return _mm512_set1_epi64((long long)v);
}

/** 0 to 7. */
SVQ_VECTOR __m512i
svq_iota(void)
{
	return _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
}

/** Sum of the lanes. */
SVQ_VECTOR uint64_t
svq_sum(__m512i v)
{
	return (uint64_t)_mm512_reduce_add_epi64(v);
}

/** Eight 16-bit ids, widened. */
SVQ_VECTOR __m512i
svq_load_ids(const uint16_t *id)
{
	return _mm512_cvtepu16_epi64(_mm_loadu_si128((const void *)id));
}

/** Eight lengths, widened. */
SVQ_VECTOR __m512i
svq_load_lens(const uint32_t *len)
{
	return _mm512_cvtepu32_epi64(_mm256_loadu_si256((const void *)len));
}

/** Whether the ids in these lanes follow one another. */
SVQ_VECTOR bool
svq_consecutive(__m512i ids, __mmask8 lanes)
{
	__m512i want =
		_mm512_add_epi64(_mm512_broadcastq_epi64(_mm512_castsi512_si128(ids)), svq_iota());

	return _mm512_mask_cmpneq_epi64_mask(lanes, ids, want) == 0;
}

#endif /* VECTOR_H */
