/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_burst.h"

#ifdef RTE_ARCH_X86_64

#include <immintrin.h>

#include <rte_cpuflags.h>

#define AVX2 __attribute__((target("avx2")))

/* Four addresses, as translate8() of the AVX-512 version; AVX2 compares signed only: flip the top
 * bit. */
static __rte_always_inline AVX2 uint64_t
translate4(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, bool all_rw)
{
	const __m256i top = _mm256_set1_epi64x(INT64_MIN);
	__m256i g = _mm256_loadu_si256((const __m256i *)gpa);
	/* Length 0 becomes 2^64-1, which no room holds. */
	__m256i last =
		_mm256_sub_epi64(_mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)len)),
			_mm256_set1_epi64x(1));
	__m256i delta = _mm256_setzero_si256(), room = _mm256_setzero_si256();
	uint64_t permitted = 0, fits;
	unsigned int r;

	for (r = 0; r < map->n; r++) {
		__m256i size = _mm256_set1_epi64x((long long)map->size[r]);
		__m256i off = _mm256_sub_epi64(g, _mm256_set1_epi64x((long long)map->first[r]));
		__m256i in =
			_mm256_cmpgt_epi64(_mm256_xor_si256(size, top), _mm256_xor_si256(off, top));

		delta = _mm256_or_si256(delta,
			_mm256_and_si256(in, _mm256_set1_epi64x((long long)map->iova_delta[r])));
		room = _mm256_or_si256(room, _mm256_and_si256(in, _mm256_sub_epi64(size, off)));
		if (!all_rw) {
			uint64_t may = (map->perm[r] & SVQ_PERM_W) ? writable : 0;

			may |= (map->perm[r] & SVQ_PERM_R) ? ~writable : 0;
			permitted |= (uint64_t)_mm256_movemask_pd(_mm256_castsi256_pd(in)) & may;
		}
	}
	_mm256_storeu_si256((__m256i *)iova, _mm256_add_epi64(g, delta));
	fits = (uint64_t)_mm256_movemask_pd(_mm256_castsi256_pd(
		_mm256_cmpgt_epi64(_mm256_xor_si256(room, top), _mm256_xor_si256(last, top))));
	return all_rw ? fits : fits & permitted;
}

static __rte_always_inline AVX2 uint64_t
translate(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n, bool all_rw)
{
	uint64_t done = 0;
	unsigned int i, k;

	for (i = 0; i + 4 <= n; i += 4)
		done |= translate4(map, &gpa[i], &len[i], writable >> i & 0xf, &iova[i], all_rw)
			<< i;
	if (i < n) {
		uint64_t rest_gpa[4] = {0}, rest_iova[4];
		uint32_t rest_len[4] = {0};

		for (k = 0; k < n - i; k++) {
			rest_gpa[k] = gpa[i + k];
			rest_len[k] = len[i + k];
		}
		done |= translate4(map, rest_gpa, rest_len, writable >> i & 0xf, rest_iova, all_rw)
			<< i;
		for (k = 0; k < n - i; k++)
			iova[i + k] = rest_iova[k];
	}
	return done;
}

AVX2 uint64_t
svq_gpa_burst_avx2(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	if (likely(map->all_rw))
		return translate(map, gpa, len, writable, iova, n, true);
	return translate(map, gpa, len, writable, iova, n, false);
}

bool
svq_gpa_avx2_usable(const struct svq_gpa_map *map)
{
	RTE_SET_USED(map);
	return rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) > 0;
}

#endif /* RTE_ARCH_X86_64 */
