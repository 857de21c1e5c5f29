/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GPA_MAP_H
#define GPA_MAP_H

/**
 * @file
 * The snapshot of a GPA table, shared between its writer (gpa_table.c) and the lookups
 * (gpa_map.c).
 *
 * Each array holds one field of all rows, by ascending GPA, and starts a cache line. Arrays are
 * padded to a multiple of SVQ_GPA_MAP_PAD rows of size 0, which match no address, so that a lookup
 * may compare a whole vector at a time. Deltas are modulo 2^64: iova = gpa + iova_delta.
 */

#include <stdint.h>

#include <svq_iova.h>

#define SVQ_GPA_MAP_PAD 8

struct svq_gpa_map {
	unsigned int n;	  /* rows */
	unsigned int cap; /* rows with padding */
	uint64_t *first;
	uint64_t *size;
	uint64_t *iova_delta;
	uint64_t *hva_delta;
	uint64_t *perm;
};

/* An empty map with room for n rows; NULL for want of memory. Rows are appended in order. */
struct svq_gpa_map *svq_gpa_map_new(unsigned int n);
void svq_gpa_map_append(struct svq_gpa_map *map, const struct svq_gpa_row *row);
void svq_gpa_map_free(struct svq_gpa_map *map);

#endif /* GPA_MAP_H */
