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
 * There the lanes are in the order that costs least, svq_numbers(), which is not that of memory.
 * Fewer than eight are told by their number; what is not theirs is neither read nor written.
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
#include <string.h>

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

/** Memory that others write has been read: what is done with it is done with this copy. */
SVQ_VECTOR __m512i
svq_read_once(__m512i v)
{
	__asm__ volatile("" : "+v"(v));
	return v;
}

/** The same in all lanes. */
SVQ_VECTOR __m512i
svq_all(uint64_t v)
{
	return _mm512_set1_epi64((long long)v);
}

/** Eight bytes for each lane, @p at bytes behind @p base. One by one: AMD's CPUs do not gather
 * faster, and many of Intel's do so slowly since they must not leak what was gathered before. */
SVQ_VECTOR __m512i
svq_load_each(const void *base, __m512i at)
{
	uint64_t word[SVQ_LANES], where[SVQ_LANES];
	unsigned int i;

	_mm512_storeu_si512(where, at);
	for (i = 0; i < SVQ_LANES; i++)
		memcpy(&word[i], (const char *)base + where[i], sizeof(word[i]));
	return _mm512_set_epi64((long long)word[7], (long long)word[6], (long long)word[5],
		(long long)word[4], (long long)word[3], (long long)word[2], (long long)word[1],
		(long long)word[0]);
}

/** Number of the descriptor in each lane. */
SVQ_VECTOR __m512i
svq_numbers(void)
{
	return _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
}

/** The same, in the upper 32 bits. */
SVQ_VECTOR __m512i
svq_numbers_high(void)
{
	return _mm512_slli_epi64(svq_numbers(), 32);
}

/** Lanes that are in both, of comparisons side by side: see svq_gpa_both(). */
SVQ_VECTOR __mmask8
svq_lanes_both(__mmask8 a, __mmask8 b)
{
	return _kand_mask8(a, b);
}

/** The lanes of the first @p n descriptors. */
SVQ_VECTOR __mmask8
svq_lanes(unsigned int n)
{
	static const uint8_t lanes[] = {0x00, 0x01, 0x05, 0x15, 0x55, 0x57, 0x5f, 0x7f, 0xff};

	return n == SVQ_LANES ? 0xff : lanes[n];
}

/** Whether all lanes are set. */
SVQ_VECTOR bool
svq_lanes_all(__mmask8 set)
{
	return _kortestc_mask8_u8(set, set);
}

/** Of how many descriptors, the first @p n at most, the lanes are set without a gap. */
SVQ_VECTOR unsigned int
svq_lanes_count(__mmask8 set, unsigned int n)
{
	unsigned int k;

	if (likely((set & svq_lanes(n)) == svq_lanes(n)))
		return n;
	for (k = 0; (set & svq_lanes(k + 1)) == svq_lanes(k + 1); k++)
		;
	return k;
}

/** Entries of an available ring, eight that follow one another. */
SVQ_VECTOR __m128i
svq_heads(uint32_t first)
{
	return _mm_add_epi16(_mm_set1_epi16((short)first), _mm_set_epi16(7, 6, 5, 4, 3, 2, 1, 0));
}

/** And the next eight. */
SVQ_VECTOR __m128i
svq_heads_step(__m128i heads)
{
	return _mm_add_epi16(heads, _mm_set1_epi16(SVQ_LANES));
}

/** A register that has the descriptors in turn, as memory has them, in the order of lanes. */
SVQ_VECTOR __m512i
svq_from_turn(__m512i v)
{
	return _mm512_permutexvar_epi64(svq_numbers(), v);
}

/** And back. */
SVQ_VECTOR __m512i
svq_in_turn(__m512i v)
{
	return _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), v);
}

/** Of what is in memory's order, the first @p n. */
SVQ_VECTOR __mmask8
svq_turns(unsigned int n)
{
	return (__mmask8)((1u << n) - 1);
}

/** Read @p n halves. */
SVQ_VECTOR __m512i
svq_load(const void *p, unsigned int n)
{
	return n == SVQ_LANES ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi64(svq_turns(n), p);
}

/** Write @p n halves. */
SVQ_VECTOR void
svq_store(void *p, __m512i v, unsigned int n)
{
	if (n == SVQ_LANES)
		_mm512_storeu_si512(p, v);
	else
		_mm512_mask_storeu_epi64(p, svq_turns(n), v);
}

/** Write @p n times 32 bits. */
SVQ_VECTOR void
svq_store_quarters(void *p, __m256i v, unsigned int n)
{
	if (n == SVQ_LANES)
		_mm256_storeu_si256(p, v);
	else
		_mm256_mask_storeu_epi32(p, svq_turns(n), v);
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
	return _mm512_unpacklo_epi64(v.low, v.high);
}

SVQ_VECTOR __m512i
svq_seconds(struct svq_eight v)
{
	return _mm512_unpackhi_epi64(v.low, v.high);
}

/** Back from a register of each half. */
SVQ_VECTOR struct svq_eight
svq_eight(__m512i firsts, __m512i seconds)
{
	return (struct svq_eight){
		_mm512_unpacklo_epi64(firsts, seconds), _mm512_unpackhi_epi64(firsts, seconds)};
}

/** The first halves of one, the others from a register. */
SVQ_VECTOR struct svq_eight
svq_with_seconds(struct svq_eight v, __m512i seconds)
{
	/* Of each pair of halves, the first one of v, the second one of seconds. */
	return (struct svq_eight){
		_mm512_unpacklo_epi64(v.low, seconds),
		_mm512_castpd_si512(_mm512_shuffle_pd(
			_mm512_castsi512_pd(v.high), _mm512_castsi512_pd(seconds), 0xaa)),
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
