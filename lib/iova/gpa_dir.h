/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GPA_DIR_H
#define GPA_DIR_H

/**
 * @file
 * A directory of equal frames of guest-physical memory.
 *
 * Concepts
 *
 * An entry names the last row that starts at or below its frame, and says whether more rows start
 * inside. Then as many steps as any frame needs find the row, and the row's last byte decides: the
 * check is exact wherever borders lie. How large a frame is follows from the rows, not from their
 * memory: guests lay their regions on round addresses, so that most directories have an entry or
 * two a row, need no step, and stay in the first-level cache whatever the size of the guest.
 *
 * A directory of few frames also repeats, frame by frame, what a lookup needs of the row that the
 * entry names. Whoever looks there first saves a step in between, and finds all addresses but those
 * in rows that start inside a frame. Where there are but one or two such odd rows, as the alias of
 * open SMRAM, they are named: to compare with them costs less than a branch that nobody foresees.
 * Most frames lie wholly inside one row, and say so where they say how far its IOVAs are: that is
 * all to know of a buffer that stays in such a frame.
 */

#include <stdint.h>

#include "gpa_map.h"

/* In an entry: more rows start inside the frame. The row's number is in the bits above. */
#define SVQ_GPA_DIR_MORE     1
#define SVQ_GPA_DIR_ROWS_MAX (UINT16_MAX >> 1)

#define SVQ_GPA_DIR_ODD_MAX 2

/* In what a frame repeats of its row's IOVA - GPA, which is even: the row has the whole frame, to
 * the last byte, so that nobody needs to look where it ends. */
#define SVQ_GPA_DIR_WHOLE 1

/* What a lookup needs of a row that starts inside a frame. */
struct svq_gpa_dir_odd {
	uint64_t first;
	uint64_t span;	/* last - first */
	uint64_t delta; /* IOVA - GPA */
};

struct svq_gpa_dir {
	uint64_t first;	    /* GPA of the first row */
	uint64_t span;	    /* the last row ends at first + span */
	uint64_t base;	    /* number of the first frame, that is its GPA >> shift */
	uint64_t bytes;	    /* of the directory, all told */
	unsigned int shift; /* frames are of 2^shift bytes */
	unsigned int steps; /* most rows that start inside a frame */
	unsigned int n_odd; /* rows that start inside any frame; 0 also if they are too many */
	struct svq_gpa_dir_odd odd[SVQ_GPA_DIR_ODD_MAX];
	uint64_t
		*last; /* of each frame's row, as in the map; NULL: too many frames, or odd bytes */
	uint64_t *delta; /* IOVA - GPA of each frame's row, and SVQ_GPA_DIR_WHOLE */
	uint16_t *frame;
};

/**
 * Build the directory of a map. Leaves map->dir NULL where the rows lie too far apart, or too many
 * share a frame, for it to pay. @return 0; -ENOMEM.
 */
int svq_gpa_dir_build(struct svq_gpa_map *map);

#endif /* GPA_DIR_H */
