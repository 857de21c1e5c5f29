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
 * Each array holds one field of all rows, by ascending GPA, and starts a cache line. A sealed map's
 * arrays go on for at least SVQ_GPA_MAP_PAD rows that repeat the last one, so that a lookup may
 * load whole vectors and step past the last row. Deltas are modulo 2^64: iova = gpa + iova_delta.
 */

#include <stdbool.h>
#include <stdint.h>

#include <svq_iova.h>

#define SVQ_GPA_MAP_PAD 16

struct svq_gpa_burst;
struct svq_gpa_dir;

/* See gpa_vector.h. */
enum svq_gpa_eight { SVQ_GPA_OTHER, SVQ_GPA_FEW, SVQ_GPA_SCAN, SVQ_GPA_GATHER };

/* Runs that are few: a PC's guest with open SMRAM has three. */
#define SVQ_GPA_FEW_MAX 3

/*
 * Rows that touch and whose IOVAs do, too, as those of memory modules: one offset for all. Where
 * they meet is at a multiple of a frame, so that a buffer that stays in its frame lies in one row.
 */
struct svq_gpa_run {
	uint64_t first;
	uint64_t last; /* GPA of the last byte */
	uint64_t iova_delta;
};

struct svq_gpa_map {
	unsigned int n;			   /* rows */
	unsigned int cap;		   /* rows with padding */
	bool all_rw;			   /* no row lacks a permission */
	const struct svq_gpa_burst *burst; /* how bursts are translated, chosen for these rows */
	struct svq_gpa_dir *dir;	   /* NULL: these rows need or admit none */
	enum svq_gpa_eight eight;	   /* how those are that are in registers already */
	struct svq_gpa_run few[SVQ_GPA_FEW_MAX]; /* SVQ_GPA_FEW: the runs, the last one repeated */
	uint64_t
		in_frame; /* likewise: bytes of a frame but one; all ones: there is but one frame */
	uint64_t *first;
	uint64_t *size;
	uint64_t *last; /* GPA of the last byte */
	uint64_t *iova_delta;
	uint64_t *hva_delta;
	uint64_t *perm;
};

/*
 * An empty map with room for n rows; NULL for want of memory. Rows are appended in order, then the
 * map is sealed: it chooses how to translate. -ENOMEM.
 */
struct svq_gpa_map *svq_gpa_map_new(unsigned int n);
void svq_gpa_map_append(struct svq_gpa_map *map, const struct svq_gpa_row *row);
int svq_gpa_map_seal(struct svq_gpa_map *map);
void svq_gpa_map_free(struct svq_gpa_map *map);

/* Index of the last row that starts at or below gpa, else 0. The map has a row. */
static inline unsigned int
svq_gpa_map_search(const struct svq_gpa_map *map, uint64_t gpa)
{
	unsigned int at = 0, n = map->n;

	while (n > 1) {
		unsigned int half = n / 2;

		at += half & -(unsigned int)(map->first[at + half] <= gpa);
		n -= half;
	}
	return at;
}

#endif /* GPA_MAP_H */
