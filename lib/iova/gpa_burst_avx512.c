/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_burst.h"

#ifdef RTE_ARCH_X86_64

#include <immintrin.h>

#include <rte_cpuflags.h>

#define AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))

/*
 * Eight addresses a register, compared with each row in turn: off = gpa - first, and the address
 * lies in the row if off is below the size, which no guest can make wrap. @p all_rw is constant:
 * without read-only rows no permission is looked at.
 */
static __rte_always_inline AVX512 uint64_t
translate8(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len, __mmask8 lanes,
	__mmask8 writable, uint64_t *iova, bool all_rw)
{
	__m512i g = _mm512_maskz_loadu_epi64(lanes, gpa);
	/* Length 0 becomes 2^64-1, which no room holds. */
	__m512i last = _mm512_sub_epi64(
		_mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(lanes, len)), _mm512_set1_epi64(1));
	__m512i delta = _mm512_setzero_si512(), room = _mm512_setzero_si512();
	__mmask8 permitted = 0;
	unsigned int r;

	for (r = 0; r < map->n; r++) {
		__m512i size = _mm512_set1_epi64((long long)map->size[r]);
		__m512i off = _mm512_sub_epi64(g, _mm512_set1_epi64((long long)map->first[r]));
		__mmask8 in = _mm512_cmplt_epu64_mask(off, size);

		delta = _mm512_mask_mov_epi64(
			delta, in, _mm512_set1_epi64((long long)map->iova_delta[r]));
		room = _mm512_mask_sub_epi64(room, in, size, off);
		if (!all_rw) {
			__mmask8 may = (map->perm[r] & SVQ_PERM_W) ? writable : 0;

			may |= (map->perm[r] & SVQ_PERM_R) ? (__mmask8)~writable : 0;
			permitted |= in & may;
		}
	}
	_mm512_mask_storeu_epi64(iova, lanes, _mm512_add_epi64(g, delta));
	lanes = _mm512_mask_cmplt_epu64_mask(lanes, last, room);
	return all_rw ? lanes : lanes & permitted;
}

static __rte_always_inline AVX512 uint64_t
translate(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n, bool all_rw)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i + 8 <= n; i += 8)
		done |= translate8(map, &gpa[i], &len[i], 0xff, (__mmask8)(writable >> i), &iova[i],
				all_rw)
			<< i;
	if (i < n)
		done |= translate8(map, &gpa[i], &len[i], (__mmask8)((1u << (n - i)) - 1),
				(__mmask8)(writable >> i), &iova[i], all_rw)
			<< i;
	return done;
}

AVX512 uint64_t
svq_gpa_burst_avx512(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	if (likely(map->all_rw))
		return translate(map, gpa, len, writable, iova, n, true);
	return translate(map, gpa, len, writable, iova, n, false);
}

bool
svq_gpa_avx512_usable(const struct svq_gpa_map *map)
{
	RTE_SET_USED(map);
	return rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512F) > 0 &&
		rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512DQ) > 0 &&
		rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512BW) > 0 &&
		rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512VL) > 0;
}

#endif /* RTE_ARCH_X86_64 */
