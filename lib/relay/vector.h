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
 * Descriptors, and our records of them (struct svq_flight), have 16 bytes: two halves. Eight of
 * them lie in a pair of registers as they do in memory (struct svq_eight), and are written as they
 * were read; only what has to be looked at is sorted out, into a register with one half of each.
 * Fewer than eight are told by a mask of lanes, of which the lowest come first; what is not theirs
 * is neither read nor written.
 *
 * An aligned half is read and written by a single access: no CPU that has these instructions tears
 * an aligned 8 bytes of a vector.
 *
 * Where all eight are there, which is the rule, a branch says so: what comes next then waits for no
 * mask, and where it lies is known before anything of it was read.
 */

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#define SVQ_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define SVQ_VECTOR static __rte_always_inline SVQ_AVX512

/** Lanes of a register of halves. */
#define SVQ_LANES 8

/** Eight times two halves, as in memory. */
struct svq_eight {
	__m512i low;  /**< the first four */
	__m512i high; /**< the last four */
};

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

/** 0 to 7, in the upper 32 bits. */
SVQ_VECTOR __m512i
svq_iota_high(void)
{
	return _mm512_slli_epi64(svq_iota(), 32);
}

/** The lowest @p n lanes. */
SVQ_VECTOR __mmask8
svq_lanes(unsigned int n)
{
	return (__mmask8)((1u << n) - 1);
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

/** Read @p n halves. */
SVQ_VECTOR __m512i
svq_load(const void *p, unsigned int n)
{
	return n == SVQ_LANES ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi64(svq_lanes(n), p);
}

/** Write @p n halves. */
SVQ_VECTOR void
svq_store(void *p, __m512i v, unsigned int n)
{
	if (n == SVQ_LANES)
		_mm512_storeu_si512(p, v);
	else
		_mm512_mask_storeu_epi64(p, svq_lanes(n), v);
}

/** Read @p n times two halves. */
SVQ_VECTOR struct svq_eight
svq_load_eight(const void *p, unsigned int n)
{
	const uint32_t halves = (1u << 2 * n) - 1;

	if (n == SVQ_LANES)
		return (struct svq_eight){
			_mm512_loadu_si512(p), _mm512_loadu_si512(RTE_PTR_ADD(p, 64))};
	return (struct svq_eight){_mm512_maskz_loadu_epi64((__mmask8)halves, p),
		_mm512_maskz_loadu_epi64((__mmask8)(halves >> 8), RTE_PTR_ADD(p, 64))};
}

/** Write @p n times two halves. */
SVQ_VECTOR void
svq_store_eight(void *p, struct svq_eight v, unsigned int n)
{
	const uint32_t halves = (1u << 2 * n) - 1;

	if (n == SVQ_LANES) {
		_mm512_storeu_si512(p, v.low);
		_mm512_storeu_si512(RTE_PTR_ADD(p, 64), v.high);
		return;
	}
	_mm512_mask_storeu_epi64(p, (__mmask8)halves, v.low);
	_mm512_mask_storeu_epi64(RTE_PTR_ADD(p, 64), (__mmask8)(halves >> 8), v.high);
}

SVQ_VECTOR __m512i
svq_firsts(struct svq_eight v)
{
	return _mm512_permutex2var_epi64(
		v.low, _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), v.high);
}

SVQ_VECTOR __m512i
svq_seconds(struct svq_eight v)
{
	return _mm512_permutex2var_epi64(
		v.low, _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1), v.high);
}

/** Back from a register of each half. */
SVQ_VECTOR struct svq_eight
svq_eight(__m512i firsts, __m512i seconds)
{
	return (struct svq_eight){
		_mm512_permutex2var_epi64(
			firsts, _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0), seconds),
		_mm512_permutex2var_epi64(
			firsts, _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4), seconds),
	};
}

/** The first halves of one, the others from a register. */
SVQ_VECTOR struct svq_eight
svq_with_seconds(struct svq_eight v, __m512i seconds)
{
	return (struct svq_eight){
		_mm512_permutex2var_epi64(
			v.low, _mm512_set_epi64(11, 6, 10, 4, 9, 2, 8, 0), seconds),
		_mm512_permutex2var_epi64(
			v.high, _mm512_set_epi64(15, 6, 14, 4, 13, 2, 12, 0), seconds),
	};
}

/** 0, @p v, 0, @p v + 1 in the upper 32 bits, 0, @p v + 2 likewise, and so on. */
SVQ_VECTOR struct svq_eight
svq_count_seconds(uint64_t v)
{
	const __m512i seconds = _mm512_maskz_set1_epi64(0xaa, (long long)v);
	const uint64_t one = UINT64_C(1) << 32;

	return (struct svq_eight){
		_mm512_add_epi64(seconds, _mm512_set_epi64(3 * one, 0, 2 * one, 0, one, 0, 0, 0)),
		_mm512_add_epi64(
			seconds, _mm512_set_epi64(7 * one, 0, 6 * one, 0, 5 * one, 0, 4 * one, 0)),
	};
}

/** @p words, and of @p v the first halves and the lower 32 bits of the others. */
SVQ_VECTOR struct svq_eight
svq_with_lengths(struct svq_eight words, struct svq_eight v)
{
	const __m512i mask =
		_mm512_set_epi64(UINT32_MAX, -1, UINT32_MAX, -1, UINT32_MAX, -1, UINT32_MAX, -1);

	/* a | (b & c) */
	return (struct svq_eight){
		_mm512_ternarylogic_epi64(words.low, v.low, mask, 0xf8),
		_mm512_ternarylogic_epi64(words.high, v.high, mask, 0xf8),
	};
}

SVQ_VECTOR struct svq_eight
svq_add(struct svq_eight a, struct svq_eight b)
{
	return (struct svq_eight){_mm512_add_epi64(a.low, b.low), _mm512_add_epi64(a.high, b.high)};
}

/** Sum of the lanes. */
SVQ_VECTOR uint64_t
svq_sum(__m512i v)
{
	return (uint64_t)_mm512_reduce_add_epi64(v);
}

#endif /* VECTOR_H */
