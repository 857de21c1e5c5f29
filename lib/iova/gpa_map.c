/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "gpa_burst.h"
#include "gpa_dir.h"

/* Longest piece of a range that is too long for one segment: whole pages. */
#define SEG_MAX UINT32_C(0xfffff000)

struct svq_gpa_map *
svq_gpa_map_new(unsigned int n)
{
	size_t cap = RTE_ALIGN_CEIL(n, 8u) + SVQ_GPA_MAP_PAD;
	size_t head = RTE_CACHE_LINE_ROUNDUP(sizeof(struct svq_gpa_map));
	size_t size = RTE_CACHE_LINE_ROUNDUP(head + 6 * cap * sizeof(uint64_t));
	struct svq_gpa_map *map = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
	uint64_t *rows;

	if (map == NULL)
		return NULL;
	memset(map, 0, size);
	rows = RTE_PTR_ADD(map, head);
	map->cap = cap;
	map->first = rows;
	map->size = rows + cap;
	map->last = rows + 2 * cap;
	map->iova_delta = rows + 3 * cap;
	map->hva_delta = rows + 4 * cap;
	map->perm = rows + 5 * cap;
	return map;
}

void
svq_gpa_map_append(struct svq_gpa_map *map, const struct svq_gpa_row *row)
{
	unsigned int i = map->n++;

	map->first[i] = row->gpa;
	map->size[i] = row->size;
	map->last[i] = row->gpa + (row->size - 1);
	map->iova_delta[i] = row->iova - row->gpa;
	map->hva_delta[i] = row->hva - row->gpa;
	map->perm[i] = row->perm;
	map->all_rw = (i == 0 || map->all_rw) && row->perm == SVQ_PERM_RW;
}

/* An address behind the last row finds the last row: then it is told by that row's end. */
static void
pad(struct svq_gpa_map *map)
{
	unsigned int i;

	for (i = map->n; i < map->cap && map->n > 0; i++) {
		map->first[i] = map->first[map->n - 1];
		map->size[i] = map->size[map->n - 1];
		map->last[i] = map->last[map->n - 1];
		map->iova_delta[i] = map->iova_delta[map->n - 1];
		map->hva_delta[i] = map->hva_delta[map->n - 1];
		map->perm[i] = map->perm[map->n - 1];
	}
}

/* Smallest frame. The larger, the fewer the buffers that leave theirs and must be asked about. */
#define FRAME_MIN (UINT64_C(1) << 21)

/* Whether a row goes on where the run ends, for the guest and for the device. */
static bool
goes_on(const struct svq_gpa_run *run, const struct svq_gpa_map *map, unsigned int row)
{
	return map->first[row] == run->last + 1 && map->first[row] % FRAME_MIN == 0 &&
		map->iova_delta[row] == run->iova_delta;
}

/* Whether the rows, which lack no permission, are few runs. */
static bool
find_runs(struct svq_gpa_map *map)
{
	uint64_t borders = 0;
	unsigned int n = 0, i;

	for (i = 0; i < map->n; i++) {
		if (n > 0 && goes_on(&map->few[n - 1], map, i)) {
			map->few[n - 1].last = map->last[i];
			borders |= map->first[i];
			continue;
		}
		if (n == SVQ_GPA_FEW_MAX)
			return false;
		map->few[n++] = (struct svq_gpa_run){
			.first = map->first[i],
			.last = map->last[i],
			.iova_delta = map->iova_delta[i],
		};
	}
	for (; n < SVQ_GPA_FEW_MAX; n++)
		map->few[n] = map->few[n - 1];
	map->in_frame = (borders & -borders) - 1;
	return true;
}

static void
choose_eight(struct svq_gpa_map *map)
{
	if (!map->all_rw || map->n == 0)
		map->eight = SVQ_GPA_OTHER;
	else if (find_runs(map))
		map->eight = SVQ_GPA_FEW;
	else if (map->n <= 8)
		map->eight = SVQ_GPA_SCAN;
	else
		map->eight = map->burst->gathers && map->dir->last != NULL ? SVQ_GPA_GATHER
									   : SVQ_GPA_OTHER;
}

int
svq_gpa_map_seal(struct svq_gpa_map *map)
{
	unsigned int i;
	int ret;

	pad(map);
	/* Where vectors do not pay, a directory may; only then is its memory spent. */
	for (i = 0; i < svq_gpa_n_bursts; i++) {
		const struct svq_gpa_burst *burst = &svq_gpa_bursts[i];

		if (map->n > burst->best_up_to)
			continue;
		if (burst->needs_dir && map->dir == NULL) {
			ret = svq_gpa_dir_build(map);
			if (ret < 0)
				return ret;
		}
		if (burst->usable(map)) {
			map->burst = burst;
			choose_eight(map);
			return 0;
		}
	}
	return -EINVAL;
}

void
svq_gpa_map_free(struct svq_gpa_map *map)
{
	if (map != NULL)
		free(map->dir);
	free(map);
}

uint64_t
svq_gpa_translate_burst(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	return map->burst->fn(map, gpa, len, writable, iova, n);
}

/* A walk over the rows that a guest range spans, in order. */
struct walk {
	const struct svq_gpa_map *map;
	uint64_t gpa; /* next byte */
	uint64_t len; /* bytes left */
	uint64_t perm;
	unsigned int row; /* where gpa lies, if it is mapped */
};

static int
walk_begin(
	struct walk *walk, const struct svq_gpa_map *map, uint64_t gpa, uint64_t len, uint32_t perm)
{
	if (len == 0)
		return -EINVAL;
	if (len - 1 > UINT64_MAX - gpa)
		return -EOVERFLOW;
	if (map->n == 0)
		return -EFAULT;
	*walk = (struct walk){.map = map,
		.gpa = gpa,
		.len = len,
		.perm = perm,
		.row = svq_gpa_map_search(map, gpa)};
	return 0;
}

/* Bytes of the range that its present row holds, >= 1. */
static int
walk_piece(const struct walk *walk, uint64_t *piece)
{
	const struct svq_gpa_map *map = walk->map;
	uint64_t off;

	if (walk->row >= map->n)
		return -EFAULT;
	off = walk->gpa - map->first[walk->row];
	if (off >= map->size[walk->row])
		return -EFAULT;
	if ((map->perm[walk->row] & walk->perm) != walk->perm)
		return -EACCES;
	*piece = RTE_MIN(walk->len, map->size[walk->row] - off);
	return 0;
}

/* Step over n bytes of the present row. Rows are adjacent by index if they are by address: the
 * next row fails the test in walk_piece() if a hole lies before it. */
static void
walk_step(struct walk *walk, uint64_t n)
{
	const struct svq_gpa_map *map = walk->map;

	walk->gpa += n;
	walk->len -= n;
	if (walk->gpa - map->first[walk->row] >= map->size[walk->row])
		walk->row++;
}

int
svq_gpa_translate(const struct svq_gpa_map *map, uint64_t gpa, uint64_t len, uint32_t perm,
	struct svq_gpa_seg *segs, unsigned int max)
{
	struct walk walk;
	unsigned int n = 0;
	int ret = walk_begin(&walk, map, gpa, len, perm);

	if (ret < 0)
		return ret;
	while (walk.len > 0) {
		uint64_t piece = 0;

		ret = walk_piece(&walk, &piece);
		if (ret < 0)
			return ret;
		if (n == max)
			return -ENOSPC;
		if (piece > UINT32_MAX)
			piece = SEG_MAX;
		segs[n++] = (struct svq_gpa_seg){
			.iova = walk.gpa + map->iova_delta[walk.row],
			.gpa = walk.gpa,
			.len = (uint32_t)piece,
		};
		walk_step(&walk, piece);
	}
	return (int)n;
}

void *
svq_gpa_hva(const struct svq_gpa_map *map, uint64_t gpa, uint64_t len, uint32_t perm)
{
	struct walk walk;
	uint64_t delta;

	if (walk_begin(&walk, map, gpa, len, perm) < 0)
		return NULL;
	delta = map->hva_delta[walk.row];
	while (walk.len > 0) {
		uint64_t piece;

		if (walk_piece(&walk, &piece) < 0 || map->hva_delta[walk.row] != delta)
			return NULL;
		walk_step(&walk, piece);
	}
	return (void *)(uintptr_t)(gpa + delta);
}

int
svq_gpa_read(const struct svq_gpa_map *map, uint64_t gpa, void *dst, uint64_t len)
{
	struct walk walk;
	int ret = walk_begin(&walk, map, gpa, len, SVQ_PERM_R);

	while (ret == 0 && walk.len > 0) {
		uint64_t piece;

		ret = walk_piece(&walk, &piece);
		if (ret == 0) {
			memcpy(dst, (void *)(uintptr_t)(walk.gpa + map->hva_delta[walk.row]),
				piece);
			dst = RTE_PTR_ADD(dst, piece);
			walk_step(&walk, piece);
		}
	}
	return ret;
}
