/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <limits.h>

#include <rte_common.h>

#include "gpa_burst.h"

/*
 * A guest may write any address and length, so no test may wrap: an address lies in the last row
 * that starts at or below it, if in any, and then not behind that row's last byte. No branch on
 * the result: which row a descriptor lies in cannot be predicted.
 */
uint64_t
svq_gpa_burst_search(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	uint64_t done = 0;
	unsigned int i;

	if (map->n == 0)
		return 0;
	for (i = 0; i < n; i++) {
		unsigned int r = svq_gpa_map_search(map, gpa[i]);
		uint64_t need = writable >> i & 1 ? SVQ_PERM_W : SVQ_PERM_R;
		uint64_t ok = (gpa[i] >= map->first[r]) & (gpa[i] <= map->last[r]);

		/* Length 0 becomes 2^64-1 here, which no row holds. */
		ok &= (uint64_t)len[i] - 1 <= map->last[r] - gpa[i];
		ok &= (map->perm[r] & need) != 0;
		iova[i] = gpa[i] + map->iova_delta[r];
		done |= ok << i;
	}
	return done;
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

/* The borders were measured with svq-bench iova. */
const struct svq_gpa_burst svq_gpa_bursts[] = {
#ifdef RTE_ARCH_X86_64
	{"avx512-scan", true, false, false, svq_gpa_burst_avx512_scan, svq_gpa_avx512_scan_usable,
		4},
	{"avx512-permute", true, false, false, svq_gpa_burst_avx512_permute,
		svq_gpa_avx512_permute_usable, 16},
	{"avx512-gather", true, true, true, svq_gpa_burst_avx512_gather,
		svq_gpa_avx512_gather_usable, UINT_MAX},
	{"avx2", true, false, false, svq_gpa_burst_avx2, svq_gpa_avx2_usable, 8},
#endif
	{"dir", false, true, false, svq_gpa_burst_dir, has_dir, UINT_MAX},
	{"search", false, false, false, svq_gpa_burst_search, always, UINT_MAX},
};
const unsigned int svq_gpa_n_bursts = RTE_DIM(svq_gpa_bursts);
