/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GPA_DIR_H
#define GPA_DIR_H

/**
 * @file
 * A two-level directory of 2 MiB frames for maps of many rows.
 *
 * Concepts
 *
 * The upper level has an entry for each GiB of guest-physical memory between the first and the last
 * row; it names a leaf of 512 frames, each of which names the row to try. GiBs without a row share
 * one leaf. A frame may hold the border of rows, so the row is checked exactly and, if the address
 * lies behind it, the next ones are tried: a lookup costs the same wherever it falls, however many
 * rows there are.
 */

#include <stdint.h>

#include "gpa_map.h"

#define SVQ_GPA_DIR_FRAME_SHIFT 21
#define SVQ_GPA_DIR_LEAF_SHIFT	30
#define SVQ_GPA_DIR_LEAF_FRAMES (1u << (SVQ_GPA_DIR_LEAF_SHIFT - SVQ_GPA_DIR_FRAME_SHIFT))

/* What a lookup reads of a row, together. */
struct svq_gpa_dir_row {
	uint64_t first;
	uint64_t size;
	uint64_t iova_delta;
	uint64_t perm;
};

struct svq_gpa_dir {
	uint64_t base;	/* first GiB */
	uint64_t n_top; /* GiBs; entry n_top of top stands for all others */
	uint64_t bytes; /* of the directory, all told */
	struct svq_gpa_dir_row *row;
	uint32_t *top;	/* leaf of each GiB */
	uint16_t *leaf; /* row to try first, for each frame of each leaf */
};

/**
 * Build the directory of a map. Leaves map->dir NULL where the rows lie too far apart, or too many
 * share a frame, for it to pay. @return 0; -ENOMEM.
 */
int svq_gpa_dir_build(struct svq_gpa_map *map);

#endif /* GPA_DIR_H */
