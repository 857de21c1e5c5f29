/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GPA_VECTOR_H
#define GPA_VECTOR_H

/**
 * @file
 * Translation of eight addresses in AVX-512 registers, for those who have them there already.
 *
 * Concepts
 *
 * An address lies in the last row that starts at or below it, if in any, and then not behind that
 * row's last byte; no test of a guest's numbers can wrap. Up to eight rows are compared here, which
 * takes no longer than to search them: an address waits for one comparison, not for one after the
 * other. A map that has more, or other permissions than to read and write, is asked as
 * svq_gpa_translate_burst() does.
 */

#include <immintrin.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_map.h"

#define SVQ_GPA_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define SVQ_GPA_VECTOR static __rte_always_inline SVQ_GPA_AVX512

/** The row that may hold an address, in each lane. */
struct svq_gpa_hit {
	__m512i last;  /**< GPA of the row's last byte */
	__m512i delta; /**< IOVA - GPA */
	__mmask8 in;   /**< not below the row */
};

SVQ_GPA_VECTOR __m512i
svq_gpa_all(uint64_t v)
{
	return _mm512_set1_epi64((long long)v);
}

/** Compare with each row: they ascend, so the last one that starts at or below the address
 * prevails. The map has a row. */
SVQ_GPA_VECTOR struct svq_gpa_hit
svq_gpa_scan(const struct svq_gpa_map *map, __m512i gpa)
{
	struct svq_gpa_hit hit = {
		.last = svq_gpa_all(map->last[0]),
		.delta = svq_gpa_all(map->iova_delta[0]),
		.in = _mm512_cmpge_epu64_mask(gpa, svq_gpa_all(map->first[0])),
	};
	unsigned int r;

	for (r = 1; r < map->n; r++) {
		__mmask8 m = _mm512_cmpge_epu64_mask(gpa, svq_gpa_all(map->first[r]));

		hit.last = _mm512_mask_mov_epi64(hit.last, m, svq_gpa_all(map->last[r]));
		hit.delta = _mm512_mask_mov_epi64(hit.delta, m, svq_gpa_all(map->iova_delta[r]));
	}
	return hit;
}

/** Which of the buffers lie wholly inside their row. @p more: length - 1; of length 0 it is 2^64-1,
 * which no row holds. */
SVQ_GPA_VECTOR __mmask8
svq_gpa_inside(struct svq_gpa_hit hit, __mmask8 lanes, __m512i gpa, __m512i more)
{
	__mmask8 ok = _mm512_mask_cmple_epu64_mask(lanes & hit.in, gpa, hit.last);

	return _mm512_mask_cmple_epu64_mask(ok, more, _mm512_sub_epi64(hit.last, gpa));
}

/** As svq_gpa_translate_eight(), of any map. */
__mmask8 svq_gpa_translate_eight_any(
	const struct svq_gpa_map *map, __m512i gpa, __m512i more, bool writable, __m512i *delta);

/**
 * Translate eight buffers.
 *
 * @param more
 *   Bytes of each but one, no more than UINT32_MAX - 1 of them; 2^64-1: it has none.
 * @param writable
 *   The device writes them all, or reads them all.
 * @param[out] delta
 *   IOVA - GPA, where the result has the lane.
 * @return
 *   As svq_gpa_translate_burst().
 */
SVQ_GPA_VECTOR __mmask8
svq_gpa_translate_eight(
	const struct svq_gpa_map *map, __m512i gpa, __m512i more, bool writable, __m512i *delta)
{
	struct svq_gpa_hit hit;

	if (unlikely(map->n > 8 || map->n == 0 || !map->all_rw)) {
		__m512i other;
		__mmask8 ok = svq_gpa_translate_eight_any(map, gpa, more, writable, &other);

		*delta = other;
		return ok;
	}
	hit = svq_gpa_scan(map, gpa);
	*delta = hit.delta;
	return svq_gpa_inside(hit, 0xff, gpa, more);
}

#endif /* GPA_VECTOR_H */
