/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GPA_BURST_H
#define GPA_BURST_H

/**
 * @file
 * The versions of svq_gpa_translate_burst().
 *
 * Concepts
 *
 * All versions answer alike; they differ in cost. Few rows are compared with every address, in
 * vector registers where the CPU has them; up to 16 are searched there, with permutations in place
 * of loads; many are found through a directory of frames (gpa_dir.h); a binary search serves what
 * no directory does. The choice is made once, when a snapshot is sealed, from the CPU's flags and
 * the rows.
 */

#include <stdbool.h>
#include <stdint.h>

#include "gpa_map.h"

/** As svq_gpa_translate_burst(). */
typedef uint64_t (*svq_gpa_burst_fn)(const struct svq_gpa_map *map, const uint64_t *gpa,
	const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n);

struct svq_gpa_burst {
	const char *name;
	bool vector;	/**< needs vector instructions */
	bool needs_dir; /**< reads map->dir */
	bool gathers;	/**< does so with vector instructions */
	svq_gpa_burst_fn fn;
	/** Whether this CPU and this map admit it. */
	bool (*usable)(const struct svq_gpa_map *map);
	/** Most rows for which it is the best choice, where usable. */
	unsigned int best_up_to;
};

/** All versions, best first among those that admit a map; the last one admits every map. */
extern const struct svq_gpa_burst svq_gpa_bursts[];
extern const unsigned int svq_gpa_n_bursts;

uint64_t svq_gpa_burst_dir(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n);
uint64_t svq_gpa_burst_search(const struct svq_gpa_map *map, const uint64_t *gpa,
	const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n);
uint64_t svq_gpa_burst_avx512_scan(const struct svq_gpa_map *map, const uint64_t *gpa,
	const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n);
uint64_t svq_gpa_burst_avx512_permute(const struct svq_gpa_map *map, const uint64_t *gpa,
	const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n);
uint64_t svq_gpa_burst_avx512_gather(const struct svq_gpa_map *map, const uint64_t *gpa,
	const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n);
uint64_t svq_gpa_burst_avx2(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n);
bool svq_gpa_avx512_scan_usable(const struct svq_gpa_map *map);
bool svq_gpa_avx512_permute_usable(const struct svq_gpa_map *map);
bool svq_gpa_avx512_gather_usable(const struct svq_gpa_map *map);
bool svq_gpa_avx2_usable(const struct svq_gpa_map *map);

#endif /* GPA_BURST_H */
