/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_burst.h"
#include "gpa_dir.h"

#ifdef RTE_ARCH_X86_64

#include <cpuid.h>

#include "gpa_vector.h"

#define AVX512 SVQ_GPA_AVX512
#define INLINE __rte_always_inline AVX512

/*
 * Eight addresses a register. How the row is found is a parameter, as is @p all_rw (no row lacks a
 * permission): both are constant where translate() is inlined.
 */
struct hit {
	struct svq_gpa_hit row;
	__m512i perm; /* unless all_rw */
};

typedef struct hit (*find_fn)(const struct svq_gpa_map *map, __m512i gpa, bool all_rw);

static INLINE uint64_t
translate8(const struct svq_gpa_map *map, find_fn find, const uint64_t *gpa, const uint32_t *len,
	__mmask8 lanes, __mmask8 writable, uint64_t *restrict iova, bool all_rw)
{
	__m512i g = _mm512_maskz_loadu_epi64(lanes, gpa);
	/* Length 0 becomes 2^64-1, which no row holds. */
	__m512i more = _mm512_sub_epi64(
		_mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(lanes, len)), _mm512_set1_epi64(1));
	struct hit hit = find(map, g, all_rw);
	__mmask8 ok = svq_gpa_inside(hit.row, lanes, g, more);

	if (!all_rw)
		ok = _mm512_mask_test_epi64_mask(ok, hit.perm,
			_mm512_mask_mov_epi64(_mm512_set1_epi64(SVQ_PERM_R), writable,
				_mm512_set1_epi64(SVQ_PERM_W)));
	_mm512_mask_storeu_epi64(iova, lanes, _mm512_add_epi64(g, hit.row.delta));
	return ok;
}

static INLINE uint64_t
translate(const struct svq_gpa_map *map, find_fn find, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *restrict iova, unsigned int n, bool all_rw)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i + 8 <= n; i += 8)
		done |= translate8(map, find, &gpa[i], &len[i], 0xff, (__mmask8)(writable >> i),
				&iova[i], all_rw)
			<< i;
	if (i < n)
		done |= translate8(map, find, &gpa[i], &len[i], (__mmask8)((1u << (n - i)) - 1),
				(__mmask8)(writable >> i), &iova[i], all_rw)
			<< i;
	return done;
}

#define BURST(find)                                                                    \
	(likely(map->all_rw) ? translate(map, find, gpa, len, writable, iova, n, true) \
			     : translate(map, find, gpa, len, writable, iova, n, false))

/* ---- Compare with each row ---- */

static INLINE struct hit
scan(const struct svq_gpa_map *map, __m512i gpa, bool all_rw)
{
	struct hit hit = {.perm = svq_gpa_all(map->perm[0])};
	struct svq_gpa_view v;
	unsigned int r;

	svq_gpa_look(&v, map, SVQ_GPA_SCAN);
	hit.row = svq_gpa_scan(&v, gpa);
	for (r = 1; !all_rw && r < map->n; r++)
		hit.perm = _mm512_mask_mov_epi64(hit.perm,
			_mm512_cmpge_epu64_mask(gpa, svq_gpa_all(map->first[r])),
			svq_gpa_all(map->perm[r]));
	return hit;
}

AVX512 uint64_t
svq_gpa_burst_avx512_scan(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	return BURST(scan);
}

/* ---- Up to 16 rows: binary search in registers ---- */

/* Entry r of a table of 8 or 16, in each lane. */
static INLINE __m512i
table8(const uint64_t *table, __m512i r)
{
	return _mm512_permutexvar_epi64(r, _mm512_loadu_si512(table));
}

static INLINE __m512i
table16(const uint64_t *table, __m512i r)
{
	return _mm512_permutex2var_epi64(
		_mm512_loadu_si512(table), r, _mm512_loadu_si512(table + 8));
}

/* r + step where the row of that number starts at or below the address. */
static INLINE __m512i
descend(__m512i r, __m512i first, unsigned int step, __m512i gpa)
{
	return _mm512_mask_add_epi64(r, _mm512_cmpge_epu64_mask(gpa, first), r, svq_gpa_all(step));
}

static INLINE struct hit
permute8(const struct svq_gpa_map *map, __m512i gpa, bool all_rw)
{
	__m512i r = descend(_mm512_setzero_si512(), svq_gpa_all(map->first[4]), 4, gpa);

	r = descend(r, table8(&map->first[2], r), 2, gpa);
	r = descend(r, table8(&map->first[1], r), 1, gpa);
	return (struct hit){
		.row.last = table8(map->last, r),
		.row.delta = table8(map->iova_delta, r),
		.row.in = _mm512_cmpge_epu64_mask(gpa, svq_gpa_all(map->first[0])),
		.perm = all_rw ? _mm512_setzero_si512() : table8(map->perm, r),
	};
}

static INLINE struct hit
permute16(const struct svq_gpa_map *map, __m512i gpa, bool all_rw)
{
	__m512i r = descend(_mm512_setzero_si512(), svq_gpa_all(map->first[8]), 8, gpa);

	r = descend(r, table16(&map->first[4], r), 4, gpa);
	r = descend(r, table16(&map->first[2], r), 2, gpa);
	r = descend(r, table16(&map->first[1], r), 1, gpa);
	return (struct hit){
		.row.last = table16(map->last, r),
		.row.delta = table16(map->iova_delta, r),
		.row.in = _mm512_cmpge_epu64_mask(gpa, svq_gpa_all(map->first[0])),
		.perm = all_rw ? _mm512_setzero_si512() : table16(map->perm, r),
	};
}

AVX512 uint64_t
svq_gpa_burst_avx512_permute(const struct svq_gpa_map *map, const uint64_t *gpa,
	const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n)
{
	return map->n <= 8 ? BURST(permute8) : BURST(permute16);
}

/* ---- Many rows: the directory, in eight lanes ---- */

static INLINE struct hit
gather(const struct svq_gpa_map *map, __m512i gpa, bool all_rw)
{
	const struct svq_gpa_dir *dir = map->dir;
	__m512i frame = _mm512_srl_epi64(gpa, _mm_cvtsi32_si128((int)dir->shift));
	struct hit hit = {
		.perm = _mm512_setzero_si512(),
		.row.in = svq_gpa_between(dir->first, dir->span, gpa),
	};
	__m512i at;
	__mmask8 more;
	unsigned int i;

	/* An entry has two bytes, of the four that are read. */
	at = _mm512_cvtepu32_epi64(_mm512_mask_i64gather_epi32(_mm256_setzero_si256(), hit.row.in,
		frame, svq_gpa_frame0(dir, dir->frame, sizeof(uint16_t)), sizeof(uint16_t)));
	at = _mm512_and_si512(at, _mm512_set1_epi64(UINT16_MAX));
	more = _mm512_test_epi64_mask(at, _mm512_set1_epi64(SVQ_GPA_DIR_MORE));
	at = _mm512_srli_epi64(at, 1);
	for (i = 0; i < dir->steps && more != 0; i++)
		at = _mm512_mask_add_epi64(at,
			_mm512_mask_cmpge_epu64_mask(
				more, gpa, _mm512_i64gather_epi64(at, &map->first[1], 8)),
			at, _mm512_set1_epi64(1));
	hit.row.last = _mm512_i64gather_epi64(at, map->last, 8);
	hit.row.delta = _mm512_i64gather_epi64(at, map->iova_delta, 8);
	if (!all_rw)
		hit.perm = _mm512_i64gather_epi64(at, map->perm, 8);
	return hit;
}

/* Of maps whose rows lack no permission. */
static INLINE uint64_t
gather_near8(const struct svq_gpa_view *v, const uint64_t *gpa, const uint32_t *len, __mmask8 lanes,
	uint64_t *restrict iova)
{
	__m512i g = _mm512_maskz_loadu_epi64(lanes, gpa), delta;
	__m512i more = _mm512_sub_epi64(
		_mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(lanes, len)), _mm512_set1_epi64(1));
	__mmask8 ok = svq_gpa_gather(v, lanes, g, more, &delta);

	_mm512_mask_storeu_epi64(iova, lanes, _mm512_add_epi64(g, delta));
	return ok;
}

static INLINE uint64_t
gather_near(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t *restrict iova, unsigned int n)
{
	struct svq_gpa_view v;
	uint64_t done = 0;
	unsigned int i;

	svq_gpa_look(&v, map, SVQ_GPA_GATHER);
	for (i = 0; i + 8 <= n; i += 8)
		done |= gather_near8(&v, &gpa[i], &len[i], 0xff, &iova[i]) << i;
	if (i < n)
		done |= gather_near8(
				&v, &gpa[i], &len[i], (__mmask8)((1u << (n - i)) - 1), &iova[i])
			<< i;
	return done;
}

AVX512 uint64_t
svq_gpa_burst_avx512_gather(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	uint64_t done, missed;

	if (unlikely(!map->all_rw))
		return translate(map, gather, gpa, len, writable, iova, n, false);
	if (unlikely(map->dir->last == NULL))
		return translate(map, gather, gpa, len, writable, iova, n, true);
	done = gather_near(map, gpa, len, iova, n);
	missed = n > 0 ? ~done << (64 - n) >> (64 - n) : 0;
	/* They lie in no single row, or in one of too many odd ones. */
	while (unlikely(missed != 0)) {
		unsigned int i = (unsigned int)__builtin_ctzll(missed) & ~7u;
		__mmask8 lanes = (__mmask8)(missed >> i);

		done |= translate8(map, gather, &gpa[i], &len[i], lanes, 0, &iova[i], true) << i;
		missed &= ~(UINT64_C(0xff) << i);
	}
	return done;
}

/* ---- Addresses that are in a register already ---- */

AVX512 __mmask8
svq_gpa_translate_eight(const struct svq_gpa_map *map, __mmask8 lanes, __m512i gpa, __m512i more,
	bool writable, __m512i *delta)
{
	uint64_t from[8], to[8] = {0}, done;
	uint32_t len[8];

	_mm512_storeu_si512(from, gpa);
	/* 2^64-1 becomes length 0. */
	_mm256_storeu_si256(
		(void *)len, _mm512_cvtepi64_epi32(_mm512_add_epi64(more, svq_gpa_all(1))));
	done = svq_gpa_translate_burst(map, from, len, writable ? 0xff : 0, to, 8);
	*delta = _mm512_sub_epi64(_mm512_loadu_si512(to), gpa);
	return lanes & (__mmask8)done;
}

/* ---- Where they can be used ---- */

static bool
has_avx512(void)
{
	/* Not rte_cpu_get_flag_enabled(): it runs CPUID anew, which a hypervisor traps. */
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

bool
svq_gpa_avx512_scan_usable(const struct svq_gpa_map *map)
{
	return has_avx512() && map->n > 0;
}

bool
svq_gpa_avx512_permute_usable(const struct svq_gpa_map *map)
{
	return has_avx512() && map->n > 0 && map->n <= 16;
}

/*
 * Gathering pays on Intel's CPUs since Sapphire Rapids, told by AVX512-FP16; those before have it
 * slowed down against data sampling. AMD's do it piece by piece, but all that have AVX-512 are
 * still 2.5 times as fast as the scalar directory (svq-bench iova, Zen 4).
 */
static bool fast_gather;

RTE_INIT(find_fast_gather)
{
	unsigned int a, b, c, d = 0;

	__builtin_cpu_init();
	fast_gather = __builtin_cpu_is("amd") ||
		(__get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 23 & 1));
}

bool
svq_gpa_avx512_gather_usable(const struct svq_gpa_map *map)
{
	return has_avx512() && fast_gather && map->dir != NULL;
}

#endif /* RTE_ARCH_X86_64 */
