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
 * other. Of more rows the directory's arrays are gathered, where that pays (gpa_dir.h). A map that
 * admits neither is asked as svq_gpa_translate_burst() does.
 */

#include <immintrin.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_dir.h"
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

/** Where an array's entry for frame 0 would be; only lanes inside the directory are read. */
static inline const void *
svq_gpa_frame0(const struct svq_gpa_dir *dir, const void *array, size_t entry)
{
	return (const void *)((uintptr_t)array - (uintptr_t)dir->base * entry);
}

SVQ_GPA_VECTOR __mmask8
svq_gpa_in_dir(const struct svq_gpa_dir *dir, __m512i gpa)
{
	return _mm512_cmple_epu64_mask(
		_mm512_sub_epi64(gpa, svq_gpa_all(dir->first)), svq_gpa_all(dir->span));
}

/** Only the odd rows and the one that the frame's entry names; of maps whose rows lack no
 * permission, and whose directory repeats them. */
SVQ_GPA_VECTOR struct svq_gpa_hit
svq_gpa_gather(const struct svq_gpa_map *map, __m512i gpa)
{
	const struct svq_gpa_dir *dir = map->dir;
	const __m512i frame = _mm512_srl_epi64(gpa, _mm_cvtsi32_si128((int)dir->shift));
	const __m512i zero = _mm512_setzero_si512();
	struct svq_gpa_hit hit = {.in = svq_gpa_in_dir(dir, gpa)};
	unsigned int i;

	hit.last = _mm512_mask_i64gather_epi64(
		zero, hit.in, frame, svq_gpa_frame0(dir, dir->last, sizeof(uint64_t)), 8);
	hit.delta = _mm512_mask_i64gather_epi64(
		zero, hit.in, frame, svq_gpa_frame0(dir, dir->delta, sizeof(uint64_t)), 8);
	for (i = 0; i < dir->n_odd; i++) {
		const struct svq_gpa_dir_odd *odd = &dir->odd[i];
		__mmask8 m = _mm512_cmple_epu64_mask(
			_mm512_sub_epi64(gpa, svq_gpa_all(odd->first)), svq_gpa_all(odd->span));

		hit.last = _mm512_mask_mov_epi64(hit.last, m, svq_gpa_all(odd->last));
		hit.delta = _mm512_mask_mov_epi64(hit.delta, m, svq_gpa_all(odd->delta));
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
SVQ_GPA_AVX512 __mmask8 svq_gpa_translate_eight_any(const struct svq_gpa_map *map, __mmask8 lanes,
	__m512i gpa, __m512i more, bool writable, __m512i *delta);

/**
 * Translate up to eight buffers.
 *
 * @param lanes
 *   Those that count.
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
svq_gpa_translate_eight(const struct svq_gpa_map *map, __mmask8 lanes, __m512i gpa, __m512i more,
	bool writable, __m512i *delta)
{
	struct svq_gpa_hit hit;
	__m512i other;
	__mmask8 ok;

	if (likely(map->eight == SVQ_GPA_SCAN)) {
		hit = svq_gpa_scan(map, gpa);
		*delta = hit.delta;
		return svq_gpa_inside(hit, lanes, gpa, more);
	}
	if (map->eight == SVQ_GPA_GATHER) {
		hit = svq_gpa_gather(map, gpa);
		*delta = hit.delta;
		ok = svq_gpa_inside(hit, lanes, gpa, more);
		/* Others lie in no single row, or in one of too many odd ones. */
		if (likely(ok == lanes))
			return ok;
	}
	ok = svq_gpa_translate_eight_any(map, lanes, gpa, more, writable, &other);
	*delta = other;
	return ok;
}

#endif /* GPA_VECTOR_H */
