/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "gpa_burst.h"
#include "gpa_dir.h"

/* A directory that the first-level cache holds, and one of 1 MiB that it does not. */
#define FRAMES_NEAR 1024
#define FRAMES_MAX  (UINT64_C(1) << 19)
/* Steps up to which the one, and the other, is better than what comes next. */
#define STEPS_NEAR 2
#define STEPS_MAX  8

struct shape {
	uint64_t n_frames;
	unsigned int shift;
	unsigned int steps;
};

/* Most rows that start inside one frame, but not on its first byte. */
static unsigned int
steps_at(const struct svq_gpa_map *map, unsigned int shift)
{
	unsigned int i, n = 0, most = 0;

	for (i = 1; i < map->n; i++) {
		if (map->first[i] >> shift != map->first[i - 1] >> shift)
			n = 0;
		if (map->first[i] & ((UINT64_C(1) << shift) - 1))
			n++;
		most = RTE_MAX(most, n);
	}
	return most;
}

/* The fewest steps that so many frames allow; then, where steps are needed at all, the smallest
 * frames, so that few addresses need them. */
static struct shape
choose(const struct svq_gpa_map *map, uint64_t frames_max)
{
	struct shape best = {.steps = UINT32_MAX};
	unsigned int shift = 64;

	while (shift-- > 0 && best.steps > 0) {
		uint64_t n = (map->last[map->n - 1] >> shift) - (map->first[0] >> shift) + 1;
		unsigned int steps;

		/* n is 0 where there are 2^64 frames. */
		if (n == 0 || n > frames_max)
			break;
		/* So few frames that one has more rows than a lookup may try. */
		if (n < map->n / (STEPS_MAX + 1))
			continue;
		steps = steps_at(map, shift);
		if (steps <= best.steps)
			best = (struct shape){.n_frames = n, .shift = shift, .steps = steps};
	}
	return best;
}

/* No mapping of whole pages lies otherwise. */
static bool
even(const struct svq_gpa_map *map)
{
	uint64_t odd = 0;
	unsigned int i;

	for (i = 0; i < map->n; i++)
		odd |= map->iova_delta[i] & SVQ_GPA_DIR_WHOLE;
	return odd == 0;
}

static struct svq_gpa_dir *
dir_alloc(const struct svq_gpa_map *map, const struct shape *shape)
{
	bool near = shape->n_frames <= FRAMES_NEAR && even(map);
	size_t head = RTE_CACHE_LINE_ROUNDUP(sizeof(struct svq_gpa_dir));
	size_t rows = near ? 2 * shape->n_frames * sizeof(uint64_t) : 0;
	size_t bytes = head + rows + (shape->n_frames + 1) * sizeof(uint16_t);
	struct svq_gpa_dir *dir = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_ROUNDUP(bytes));

	if (dir == NULL)
		return NULL;
	*dir = (struct svq_gpa_dir){
		.first = map->first[0],
		.span = map->last[map->n - 1] - map->first[0],
		.base = map->first[0] >> shape->shift,
		.bytes = bytes,
		.shift = shape->shift,
		.steps = shape->steps,
		.last = near ? RTE_PTR_ADD(dir, head) : NULL,
		.delta = near ? RTE_PTR_ADD(dir, head + rows / 2) : NULL,
		.frame = RTE_PTR_ADD(dir, head + rows),
	};
	return dir;
}

static void
enter_rows(struct svq_gpa_dir *dir, const struct svq_gpa_map *map, uint64_t n_frames)
{
	unsigned int next = 1;
	uint64_t f;

	for (f = 0; f < n_frames; f++) {
		uint64_t first = (dir->base + f) << dir->shift;
		uint64_t last = first + ((UINT64_C(1) << dir->shift) - 1);

		while (next < map->n && map->first[next] <= first)
			next++;
		dir->frame[f] = (uint16_t)((next - 1) << 1);
		if (next < map->n && map->first[next] <= last)
			dir->frame[f] |= SVQ_GPA_DIR_MORE;
		if (dir->last != NULL) {
			dir->last[f] = map->last[next - 1];
			dir->delta[f] = map->iova_delta[next - 1];
			/* The first row may begin later: nothing before it is asked for. */
			if (map->last[next - 1] >= last)
				dir->delta[f] |= SVQ_GPA_DIR_WHOLE;
		}
	}
	/* The gathered version reads one entry more than it uses. */
	dir->frame[n_frames] = 0;
}

static void
name_odd_rows(struct svq_gpa_dir *dir, const struct svq_gpa_map *map)
{
	unsigned int i;

	for (i = 1; i < map->n; i++) {
		if ((map->first[i] & ((UINT64_C(1) << dir->shift) - 1)) == 0)
			continue;
		if (dir->n_odd == SVQ_GPA_DIR_ODD_MAX) {
			dir->n_odd = 0;
			return;
		}
		dir->odd[dir->n_odd++] = (struct svq_gpa_dir_odd){
			.first = map->first[i],
			.span = map->last[i] - map->first[i],
			.delta = map->iova_delta[i],
		};
	}
}

int
svq_gpa_dir_build(struct svq_gpa_map *map)
{
	struct svq_gpa_dir *dir;
	struct shape shape;

	if (map->n == 0 || map->n > SVQ_GPA_DIR_ROWS_MAX)
		return 0;
	shape = choose(map, FRAMES_NEAR);
	if (shape.steps > STEPS_NEAR)
		shape = choose(map, FRAMES_MAX);
	if (shape.steps > STEPS_MAX)
		return 0;
	dir = dir_alloc(map, &shape);
	if (dir == NULL)
		return -ENOMEM;
	enter_rows(dir, map, shape.n_frames);
	name_odd_rows(dir, map);
	map->dir = dir;
	return 0;
}

static __rte_always_inline uint64_t
burst(const struct svq_gpa_map *map, const uint64_t *restrict gpa, const uint32_t *restrict len,
	uint64_t writable, uint64_t *restrict iova, unsigned int n, unsigned int steps, bool all_rw)
{
	const struct svq_gpa_dir *dir = map->dir;
	const uint64_t *row_first = map->first, *row_last = map->last, *delta = map->iova_delta;
	const uint64_t first = dir->first, span = dir->span;
	/* Where the entry of frame 0 would be. */
	const uintptr_t frame0 = (uintptr_t)dir->frame - (uintptr_t)dir->base * sizeof(uint16_t);
	const unsigned int shift = dir->shift;
	uint64_t done = 0;
	unsigned int i, k;

	for (i = 0; i < n; i++) {
		uint64_t ok = gpa[i] - first <= span;
		/* An address outside looks at the first frame, and fails that test. */
		uint64_t frame = (ok ? gpa[i] : first) >> shift;
		unsigned int r = ((const uint16_t *)frame0)[frame] >> 1;

		for (k = 0; k < steps; k++)
			r += row_first[r + 1] <= gpa[i];
		ok &= gpa[i] <= row_last[r];
		/* Length 0 becomes 2^64-1 here, which no row holds. */
		ok &= (uint64_t)len[i] - 1 <= row_last[r] - gpa[i];
		if (!all_rw)
			ok &= (map->perm[r] & (writable >> i & 1 ? SVQ_PERM_W : SVQ_PERM_R)) != 0;
		iova[i] = gpa[i] + delta[r];
		/* Cheaper than a shift by i. */
		done = done >> 1 | ok << 63;
	}
	return n > 0 ? done >> (64 - n) : 0;
}

/* Steps are taken whether a frame needs them or not: which address does cannot be predicted. */
uint64_t
svq_gpa_burst_dir(const struct svq_gpa_map *map, const uint64_t *gpa, const uint32_t *len,
	uint64_t writable, uint64_t *iova, unsigned int n)
{
	unsigned int steps = map->dir->steps;

	if (unlikely(!map->all_rw))
		return burst(map, gpa, len, writable, iova, n, steps, false);
	if (steps == 0)
		return burst(map, gpa, len, writable, iova, n, 0, true);
	if (steps == 1)
		return burst(map, gpa, len, writable, iova, n, 1, true);
	return burst(map, gpa, len, writable, iova, n, steps, true);
}
