/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_burst.h"
#include "gpa_dir.h"

/* The directory of a guest of almost 4 TiB; beyond it a search costs less than the memory. */
#define BYTES_MAX (UINT64_C(4) << 20)
/* Rows that a lookup may have to try in one frame. */
#define FRAME_ROWS_MAX 8

/* The GiBs that the rows span, and how many of them hold a row: what memory it takes. */
struct extent {
	uint64_t base;
	uint64_t n_top;
	uint64_t n_leaves;
	uint64_t bytes;
};

static uint64_t
row_last(const struct svq_gpa_map *map, unsigned int i)
{
	return map->first[i] + (map->size[i] - 1);
}

static struct extent
measure(const struct svq_gpa_map *map)
{
	struct extent e = {.base = map->first[0] >> SVQ_GPA_DIR_LEAF_SHIFT};
	uint64_t next = e.base;
	unsigned int i;

	for (i = 0; i < map->n; i++) {
		uint64_t from = map->first[i] >> SVQ_GPA_DIR_LEAF_SHIFT;
		uint64_t to = row_last(map, i) >> SVQ_GPA_DIR_LEAF_SHIFT;

		from = RTE_MAX(from, next);
		if (to >= from) {
			e.n_leaves += to - from + 1;
			next = to + 1;
		}
	}
	e.n_top = next - e.base;
	e.bytes = sizeof(struct svq_gpa_dir) + (e.n_top + 1) * sizeof(uint32_t) +
		(e.n_leaves + 1) * SVQ_GPA_DIR_LEAF_FRAMES * sizeof(uint16_t) +
		map->n * sizeof(struct svq_gpa_dir_row) + 2 * RTE_CACHE_LINE_SIZE;
	return e;
}

/* Whether a lookup may have to try more rows than is bearable. */
static bool
crowded(const struct svq_gpa_map *map)
{
	unsigned int i;

	for (i = FRAME_ROWS_MAX; i < map->n; i++) {
		if (map->first[i] >> SVQ_GPA_DIR_FRAME_SHIFT ==
			row_last(map, i - FRAME_ROWS_MAX) >> SVQ_GPA_DIR_FRAME_SHIFT)
			return true;
	}
	return false;
}

static struct svq_gpa_dir *
dir_alloc(const struct svq_gpa_map *map, const struct extent *e)
{
	struct svq_gpa_dir *dir =
		aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_ROUNDUP(e->bytes));

	if (dir == NULL)
		return NULL;
	memset(dir, 0, e->bytes);
	dir->base = e->base;
	dir->n_top = e->n_top;
	dir->bytes = e->bytes;
	dir->row = RTE_PTR_ADD(dir, RTE_CACHE_LINE_ROUNDUP(sizeof(*dir)));
	dir->top = (uint32_t *)&dir->row[map->n];
	dir->leaf = (uint16_t *)&dir->top[e->n_top + 1];
	return dir;
}

/* Enter a row into every frame that it touches and that no lower row has. */
static void
enter(struct svq_gpa_dir *dir, const struct svq_gpa_map *map, unsigned int i, uint64_t *next_frame,
	uint32_t *n_leaves)
{
	uint64_t frame = map->first[i] >> SVQ_GPA_DIR_FRAME_SHIFT;
	uint64_t last = row_last(map, i) >> SVQ_GPA_DIR_FRAME_SHIFT;

	for (frame = RTE_MAX(frame, *next_frame); frame <= last; frame++) {
		uint64_t top = (frame / SVQ_GPA_DIR_LEAF_FRAMES) - dir->base;

		if (dir->top[top] == 0)
			dir->top[top] = ++*n_leaves;
		dir->leaf[(uint64_t)dir->top[top] * SVQ_GPA_DIR_LEAF_FRAMES +
			frame % SVQ_GPA_DIR_LEAF_FRAMES] = (uint16_t)i;
		*next_frame = frame + 1;
	}
}

int
svq_gpa_dir_build(struct svq_gpa_map *map)
{
	uint64_t next_frame = 0;
	uint32_t n_leaves = 0;
	struct svq_gpa_dir *dir;
	struct extent e;
	unsigned int i;

	if (map->n == 0 || map->n > UINT16_MAX || crowded(map))
		return 0;
	e = measure(map);
	if (e.n_top > BYTES_MAX || e.bytes > BYTES_MAX)
		return 0;
	dir = dir_alloc(map, &e);
	if (dir == NULL)
		return -ENOMEM;
	for (i = 0; i < map->n; i++) {
		dir->row[i] = (struct svq_gpa_dir_row){
			.first = map->first[i],
			.size = map->size[i],
			.iova_delta = map->iova_delta[i],
			.perm = map->perm[i],
		};
		enter(dir, map, i, &next_frame, &n_leaves);
	}
	map->dir = dir;
	return 0;
}

uint64_t
svq_gpa_burst_dir(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	const struct svq_gpa_dir *dir = map->dir;
	const struct svq_gpa_dir_row *end = dir->row + map->n;
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint64_t top = (gpa[i] >> SVQ_GPA_DIR_LEAF_SHIFT) - dir->base;
		uint64_t frame = (gpa[i] >> SVQ_GPA_DIR_FRAME_SHIFT) % SVQ_GPA_DIR_LEAF_FRAMES;
		uint64_t need = writable >> i & 1 ? SVQ_PERM_W : SVQ_PERM_R;
		const struct svq_gpa_dir_row *row;
		uint64_t off;

		top = RTE_MIN(top, dir->n_top);
		row = &dir->row[dir->leaf[(uint64_t)dir->top[top] * SVQ_GPA_DIR_LEAF_FRAMES +
			frame]];
		off = gpa[i] - row->first;
		/* Behind the row that the frame names: another one of the frame, if any. */
		while (unlikely(off >= row->size && row + 1 < end && row[1].first <= gpa[i])) {
			row++;
			off = gpa[i] - row->first;
		}
		iova[i] = gpa[i] + row->iova_delta;
		done |= (uint64_t)((off < row->size) & ((uint64_t)len[i] - 1 < row->size - off) &
				((row->perm & need) != 0))
			<< i;
	}
	return done;
}
