/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_burst.h"

#ifdef RTE_ARCH_X86_64

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* AVX2 compares signed numbers only: flip the top bit. */
static __rte_always_inline AVX2 __m256i
above(__m256i a, __m256i b)
{
	const __m256i top = _mm256_set1_epi64x(INT64_MIN);

	return _mm256_cmpgt_epi64(_mm256_xor_si256(a, top), _mm256_xor_si256(b, top));
}

/* Four addresses, compared with each row in turn, as the AVX-512 version does with eight. */
static __rte_always_inline AVX2 uint64_t
translate4(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, bool all_rw)
{
	__m256i g = _mm256_loadu_si256((const __m256i *)gpa);
	/* Length 0 becomes 2^64-1, which no row holds. */
	__m256i more =
		_mm256_sub_epi64(_mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)len)),
			_mm256_set1_epi64x(1));
	__m256i last = _mm256_set1_epi64x((long long)map->last[0]);
	__m256i delta = _mm256_set1_epi64x((long long)map->iova_delta[0]);
	__m256i bad = above(_mm256_set1_epi64x((long long)map->first[0]), g);
	uint64_t permitted = map->perm[0] & SVQ_PERM_W ? writable : 0;
	unsigned int r;

	permitted |= map->perm[0] & SVQ_PERM_R ? ~writable : 0;
	for (r = 1; r < map->n; r++) {
		__m256i below = above(_mm256_set1_epi64x((long long)map->first[r]), g);

		last = _mm256_blendv_epi8(_mm256_set1_epi64x((long long)map->last[r]), last, below);
		delta = _mm256_blendv_epi8(
			_mm256_set1_epi64x((long long)map->iova_delta[r]), delta, below);
		if (!all_rw) {
			uint64_t keep = (uint64_t)_mm256_movemask_pd(_mm256_castsi256_pd(below));
			uint64_t may = map->perm[r] & SVQ_PERM_W ? writable : 0;

			may |= map->perm[r] & SVQ_PERM_R ? ~writable : 0;
			permitted = (permitted & keep) | (may & ~keep);
		}
	}
	_mm256_storeu_si256((__m256i *)iova, _mm256_add_epi64(g, delta));
	bad = _mm256_or_si256(bad, above(g, last));
	bad = _mm256_or_si256(bad, above(more, _mm256_sub_epi64(last, g)));
	permitted = all_rw ? 0xf : permitted & 0xf;
	return permitted & ~(uint64_t)_mm256_movemask_pd(_mm256_castsi256_pd(bad));
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
	/* Not rte_cpu_get_flag_enabled(): it runs CPUID anew, which a hypervisor traps. */
	return map->n > 0 && __builtin_cpu_supports("avx2");
}

#endif /* RTE_ARCH_X86_64 */
