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
 * other. Rows that follow one another for guest and device alike are compared as one run; a few
 * runs are registers, for as long as the caller likes. Of more rows the directory's arrays are
 * gathered, where that pays (gpa_dir.h). A map that admits neither is asked as
 * svq_gpa_translate_burst() does.
 */

#include <immintrin.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_dir.h"
#include "gpa_map.h"

#define SVQ_GPA_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define SVQ_GPA_VECTOR static __rte_always_inline SVQ_GPA_AVX512

/** The row, or the run, that may hold an address, in each lane. */
struct svq_gpa_hit {
	__m512i last;  /**< GPA of its last byte */
	__m512i delta; /**< IOVA - GPA */
	__mmask8 in;   /**< not below it */
};

SVQ_GPA_VECTOR __m512i
svq_gpa_all(uint64_t v)
{
	return _mm512_set1_epi64((long long)v);
}

/** Lanes that are in both. Of comparisons made side by side: one that awaits the other's outcome,
 * as compilers make them of a mere &, costs its time more. */
SVQ_GPA_VECTOR __mmask8
svq_gpa_both(__mmask8 a, __mmask8 b)
{
	return _kand_mask8(a, b);
}

/** A row, in all lanes. */
struct svq_gpa_lanes {
	__m512i first;
	__m512i last; /**< of an odd row: last - first */
	__m512i delta;
};

/**
 * What a translation asks of a map each time, so that it can be held in registers: whoever
 * translates writes to memory in between, and for all that a compiler knows to the map. What is set
 * depends on how the map is to be asked.
 */
struct svq_gpa_view {
	struct svq_gpa_lanes few[SVQ_GPA_FEW_MAX]; /**< few: the runs */
	__m512i in_frame;			   /**< few, gather: bytes of a frame but one */
	const uint64_t *last;  /**< scan: of rows; gather: from frame 0 on, of frames */
	const uint64_t *delta; /**< likewise */
	const uint64_t *first; /**< scan: of rows */
	unsigned int n;	       /**< scan: rows */

	/* Gather. */
	struct svq_gpa_lanes odd[SVQ_GPA_DIR_ODD_MAX]; /**< with SVQ_GPA_DIR_WHOLE */
	unsigned int n_odd;
	__m512i begin; /**< of the first row */
	__m512i span;  /**< from there to the last row's end */
	__m128i shift;
};

/** Where an array's entry for frame 0 would be; only lanes inside the directory are read. */
static inline const void *
svq_gpa_frame0(const struct svq_gpa_dir *dir, const void *array, size_t entry)
{
	return (const void *)((uintptr_t)array - (uintptr_t)dir->base * entry);
}

SVQ_GPA_VECTOR struct svq_gpa_lanes
svq_gpa_lanes(const struct svq_gpa_run *run)
{
	return (struct svq_gpa_lanes){
		.first = svq_gpa_all(run->first),
		.last = svq_gpa_all(run->last),
		.delta = svq_gpa_all(run->iova_delta),
	};
}

SVQ_GPA_VECTOR struct svq_gpa_lanes
svq_gpa_odd(const struct svq_gpa_dir_odd *odd)
{
	RTE_BUILD_BUG_ON(SVQ_GPA_DIR_ODD_MAX != 2);
	return (struct svq_gpa_lanes){
		.first = svq_gpa_all(odd->first),
		.last = svq_gpa_all(odd->span),
		.delta = svq_gpa_all(odd->delta | SVQ_GPA_DIR_WHOLE),
	};
}

/** Look at a map, which outlives the view and is to be asked as @p eight says. */
SVQ_GPA_VECTOR void
svq_gpa_look(struct svq_gpa_view *v, const struct svq_gpa_map *map, enum svq_gpa_eight eight)
{
	if (eight == SVQ_GPA_FEW) {
		RTE_BUILD_BUG_ON(SVQ_GPA_FEW_MAX != 3);
		v->few[0] = svq_gpa_lanes(&map->few[0]);
		v->few[1] = svq_gpa_lanes(&map->few[1]);
		v->few[2] = svq_gpa_lanes(&map->few[2]);
		v->in_frame = svq_gpa_all(map->in_frame);
	} else if (eight == SVQ_GPA_SCAN) {
		v->last = map->last;
		v->delta = map->iova_delta;
		v->first = map->first;
		v->n = map->n;
	} else if (eight == SVQ_GPA_GATHER) {
		v->odd[0] = svq_gpa_odd(&map->dir->odd[0]);
		v->odd[1] = svq_gpa_odd(&map->dir->odd[1]);
		v->n_odd = map->dir->n_odd;
		v->begin = svq_gpa_all(map->dir->first);
		v->span = svq_gpa_all(map->dir->span);
		v->in_frame = svq_gpa_all((UINT64_C(1) << map->dir->shift) - 1);
		v->shift = _mm_cvtsi32_si128((int)map->dir->shift);
		v->last = svq_gpa_frame0(map->dir, map->dir->last, sizeof(*v->last));
		v->delta = svq_gpa_frame0(map->dir, map->dir->delta, sizeof(*v->delta));
	}
}

SVQ_GPA_VECTOR struct svq_gpa_hit
svq_gpa_first_row(struct svq_gpa_lanes row, __m512i gpa)
{
	return (struct svq_gpa_hit){
		.last = row.last,
		.delta = row.delta,
		.in = _mm512_cmpge_epu64_mask(gpa, row.first),
	};
}

/** Rows ascend, so the last one that starts at or below the address prevails. */
SVQ_GPA_VECTOR struct svq_gpa_hit
svq_gpa_next_row(struct svq_gpa_hit hit, struct svq_gpa_lanes row, __m512i gpa)
{
	__mmask8 m = _mm512_cmpge_epu64_mask(gpa, row.first);

	hit.last = _mm512_mask_mov_epi64(hit.last, m, row.last);
	hit.delta = _mm512_mask_mov_epi64(hit.delta, m, row.delta);
	return hit;
}

/** Compare with a few runs. */
SVQ_GPA_VECTOR struct svq_gpa_hit
svq_gpa_few(const struct svq_gpa_view *v, __m512i gpa)
{
	struct svq_gpa_hit hit = svq_gpa_first_row(v->few[0], gpa);

	hit = svq_gpa_next_row(hit, v->few[1], gpa);
	return svq_gpa_next_row(hit, v->few[2], gpa);
}

/** Compare with each row. The map has a row. */
SVQ_GPA_VECTOR struct svq_gpa_hit
svq_gpa_scan(const struct svq_gpa_view *v, __m512i gpa)
{
	struct svq_gpa_hit hit = svq_gpa_first_row(
		(struct svq_gpa_lanes){
			.first = svq_gpa_all(v->first[0]),
			.last = svq_gpa_all(v->last[0]),
			.delta = svq_gpa_all(v->delta[0]),
		},
		gpa);
	unsigned int r;

	for (r = 1; r < v->n; r++) {
		struct svq_gpa_lanes row = {
			.first = svq_gpa_all(v->first[r]),
			.last = svq_gpa_all(v->last[r]),
			.delta = svq_gpa_all(v->delta[r]),
		};

		hit = svq_gpa_next_row(hit, row, gpa);
	}
	return hit;
}

/** Which addresses lie between the first row's beginning and the last one's end. */
SVQ_GPA_VECTOR __mmask8
svq_gpa_between(uint64_t begin, uint64_t span, __m512i gpa)
{
	return _mm512_cmple_epu64_mask(
		_mm512_sub_epi64(gpa, svq_gpa_all(begin)), svq_gpa_all(span));
}

/** Which of the buffers lie wholly inside their row, or their run, which says nothing of its rows.
 * @p more: length - 1; of length 0 it is 2^64-1, which no row holds. */
SVQ_GPA_VECTOR __mmask8
svq_gpa_inside(struct svq_gpa_hit hit, __mmask8 lanes, __m512i gpa, __m512i more)
{
	const __mmask8 begin = _mm512_cmple_epu64_mask(gpa, hit.last);
	const __mmask8 end = _mm512_cmple_epu64_mask(more, _mm512_sub_epi64(hit.last, gpa));

	return svq_gpa_both(svq_gpa_both(lanes, hit.in), svq_gpa_both(begin, end));
}

/** Which of them do not leave the frame in which they begin: if they lie in a run, they then lie in
 * one of its rows. */
SVQ_GPA_VECTOR __mmask8
svq_gpa_in_frame(const struct svq_gpa_view *v, __mmask8 lanes, __m512i gpa, __m512i more)
{
	return svq_gpa_both(
		lanes, _mm512_cmple_epu64_mask(more, _mm512_andnot_epi64(gpa, v->in_frame)));
}

/* Whether an address lies in an odd row: then its offset, and the bytes behind it. */
SVQ_GPA_VECTOR void
svq_gpa_look_odd(struct svq_gpa_lanes row, __m512i gpa, __m512i *delta, __m512i *behind)
{
	const __m512i at = _mm512_sub_epi64(gpa, row.first);
	const __mmask8 m = _mm512_cmple_epu64_mask(at, row.last);

	*delta = _mm512_mask_mov_epi64(*delta, m, row.delta);
	*behind = _mm512_mask_sub_epi64(*behind, m, row.last, at);
}

/**
 * Translate eight buffers by the frames in which they begin, and by the odd rows; of maps whose
 * rows lack no permission, and whose directory repeats them. As svq_gpa_try_eight().
 */
SVQ_GPA_VECTOR __mmask8
svq_gpa_gather(
	const struct svq_gpa_view *v, __mmask8 lanes, __m512i gpa, __m512i more, __m512i *delta)
{
	const __m512i frame = _mm512_srl_epi64(gpa, v->shift),
		      whole = svq_gpa_all(SVQ_GPA_DIR_WHOLE);
	const __mmask8 in = _mm512_cmple_epu64_mask(_mm512_sub_epi64(gpa, v->begin), v->span);
	__mmask8 ok, known;
	__m512i d, behind, last;

	d = _mm512_mask_i64gather_epi64(
		_mm512_setzero_si512(), in, frame, v->delta, sizeof(uint64_t));
	behind = _mm512_andnot_epi64(gpa, v->in_frame);
	if (v->n_odd > 0)
		svq_gpa_look_odd(v->odd[0], gpa, &d, &behind);
	if (v->n_odd > 1)
		svq_gpa_look_odd(v->odd[1], gpa, &d, &behind);
	known = svq_gpa_both(lanes, _mm512_test_epi64_mask(d, whole));
	ok = svq_gpa_both(known, _mm512_cmple_epu64_mask(more, behind));
	*delta = _mm512_andnot_epi64(whole, d);
	if (likely(ok == lanes))
		return ok;
	/* Some begin in a frame that their row has but a part of, or go on behind it. What an odd
	 * row has lies behind the frame's. */
	last = _mm512_mask_i64gather_epi64(
		_mm512_setzero_si512(), in, frame, v->last, sizeof(uint64_t));
	known = _mm512_mask_cmple_epu64_mask(lanes & in, gpa, last);
	return ok | _mm512_mask_cmple_epu64_mask(known, more, _mm512_sub_epi64(last, gpa));
}

/**
 * Translate eight buffers, if that can be done without a call.
 *
 * @param eight
 *   As for svq_gpa_look(): a constant.
 * @param lanes
 *   Those that count.
 * @param more
 *   Bytes of each but one, no more than UINT32_MAX - 1 of them; 2^64-1: it has none.
 * @param[out] delta
 *   IOVA - GPA, where the result has the lane.
 * @return
 *   Those that lie wholly in one mapping, with the permission. Others may, too.
 */
SVQ_GPA_VECTOR __mmask8
svq_gpa_try_eight(const struct svq_gpa_view *v, enum svq_gpa_eight eight, __mmask8 lanes,
	__m512i gpa, __m512i more, __m512i *delta)
{
	struct svq_gpa_hit hit;

	if (eight == SVQ_GPA_FEW) {
		hit = svq_gpa_few(v, gpa);
		lanes = svq_gpa_in_frame(v, lanes, gpa, more);
	} else if (eight == SVQ_GPA_SCAN) {
		hit = svq_gpa_scan(v, gpa);
	} else {
		return svq_gpa_gather(v, lanes, gpa, more, delta);
	}
	*delta = hit.delta;
	return svq_gpa_inside(hit, lanes, gpa, more);
}

/** As svq_gpa_try_eight(), of any map; @p writable: the device writes them all, or reads them all.
 * @return all those that do. */
SVQ_GPA_AVX512 __mmask8 svq_gpa_translate_eight(const struct svq_gpa_map *map, __mmask8 lanes,
	__m512i gpa, __m512i more, bool writable, __m512i *delta);

#endif /* GPA_VECTOR_H */
