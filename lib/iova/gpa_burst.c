/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <limits.h>

#include <rte_common.h>

#include "gpa_burst.h"

/* What a lookup finds: all zero where no row holds the address. */
struct hit {
	uint64_t iova_delta;
	uint64_t perm;
	uint64_t room; /* bytes from the address to its row's end */
};

/*
 * A guest may write any address and length, so a test must not wrap: an address lies in a row if
 * its distance from the row's start is below the size. Masks instead of branches: which row a
 * descriptor lies in cannot be predicted.
 */
static inline struct hit
scan(const struct svq_gpa_map *map, uint64_t gpa)
{
	struct hit hit = {0};
	unsigned int i;

	for (i = 0; i < map->n; i++) {
		uint64_t off = gpa - map->first[i];
		uint64_t mask = -(uint64_t)(off < map->size[i]);

		hit.iova_delta |= map->iova_delta[i] & mask;
		hit.perm |= map->perm[i] & mask;
		hit.room |= (map->size[i] - off) & mask;
	}
	return hit;
}

static inline struct hit
search(const struct svq_gpa_map *map, uint64_t gpa)
{
	unsigned int i = svq_gpa_map_search(map, gpa);
	uint64_t off = gpa - map->first[i];
	uint64_t mask = -(uint64_t)(off < map->size[i]);

	return (struct hit){
		.iova_delta = map->iova_delta[i] & mask,
		.perm = map->perm[i] & mask,
		.room = (map->size[i] - off) & mask,
	};
}

static __rte_always_inline uint64_t
burst(const struct svq_gpa_map *map, struct hit (*find)(const struct svq_gpa_map *, uint64_t),
	const uint64_t *gpa, const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct hit hit = find(map, gpa[i]);
		uint64_t need = writable >> i & 1 ? SVQ_PERM_W : SVQ_PERM_R;
		/* Length 0 becomes 2^64-1 here, which no room holds. */
		uint64_t ok = ((uint64_t)len[i] - 1 < hit.room) & ((hit.perm & need) != 0);

		iova[i] = gpa[i] + hit.iova_delta;
		done |= ok << i;
	}
	return done;
}

static uint64_t
burst_scan(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	return burst(map, scan, gpa, len, writable, iova, n);
}

static uint64_t
burst_search(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	return burst(map, search, gpa, len, writable, iova, n);
}

static bool
always(const struct svq_gpa_map *map)
{
	RTE_SET_USED(map);
	return true;
}

static bool
has_dir(const struct svq_gpa_map *map)
{
	return map->dir != NULL;
}

/* The borders were measured with svq-bench iova. An empty map keeps to the first: nothing to
 * search. */
const struct svq_gpa_burst svq_gpa_bursts[] = {
#ifdef RTE_ARCH_X86_64
	{"avx512", svq_gpa_burst_avx512, svq_gpa_avx512_usable, 12},
	{"avx2", svq_gpa_burst_avx2, svq_gpa_avx2_usable, 8},
#endif
	{"scan", burst_scan, always, 8},
	{"dir", svq_gpa_burst_dir, has_dir, UINT_MAX},
	{"search", burst_search, always, UINT_MAX},
};
const unsigned int svq_gpa_n_bursts = RTE_DIM(svq_gpa_bursts);
