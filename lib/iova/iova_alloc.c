/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include <svq_iova.h>

#include "tree.h"

/*
 * The apertures are tiled by ranges, each free or used, in one tree by address; so a range that
 * comes back finds what it merges with beside it. The free ones stand in a second tree, by size:
 * its successor search is best fit, and its maximum is the largest gap, so an allocation fails only
 * when no gap holds it. A used range turns into a free one in place, so giving back needs no
 * memory.
 */
struct range {
	uint64_t first;
	uint64_t last;
	bool used;
	RB_ENTRY(range) by_addr;
	RB_ENTRY(range) by_size; /* free ranges only */
};

RB_HEAD(addr_tree, range);
RB_HEAD(size_tree, range);

struct svq_iova_alloc {
	struct addr_tree by_addr;
	struct size_tree by_size;
	uint64_t granule;
	uint64_t free_bytes;
	uint64_t used_bytes;
	unsigned int n_used;
	unsigned int n_apertures;
	struct svq_iova_range apertures[];
};

/* Cannot overflow: IOVA 0 belongs to no range. */
static uint64_t
range_size(const struct range *r)
{
	return r->last - r->first + 1;
}

static int
compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_addr(const struct range *a, const struct range *b)
{
	return compare(a->first, b->first);
}

/* Among gaps of one size the lowest comes first. */
static int
compare_size(const struct range *a, const struct range *b)
{
	int c = compare(range_size(a), range_size(b));

	return c != 0 ? c : compare(a->first, b->first);
}

TREE_GENERATE(addr_tree, range, by_addr, compare_addr)
TREE_GENERATE(size_tree, range, by_size, compare_size)

static int
compare_aperture(const void *a, const void *b)
{
	const struct svq_iova_range *x = a, *y = b;

	return compare(x->first, y->first);
}

/* Shrink to whole granules without IOVA 0. Returns false if nothing is left. */
static bool
round_inwards(struct svq_iova_range *ap, uint64_t granule)
{
	uint64_t mask = granule - 1;

	if (ap->first == 0)
		ap->first = 1;
	if (ap->first & mask) {
		if (ap->first > UINT64_MAX - mask)
			return false;
		ap->first = (ap->first + mask) & ~mask;
	}
	if ((ap->last & mask) != mask) {
		if (ap->last < mask)
			return false;
		ap->last = (ap->last & ~mask) - 1;
	}
	return ap->first <= ap->last;
}

/* Sort, merge those that touch, round. Merging comes first: a border inside a granule costs
 * nothing. Returns the number left. */
static int
tidy_apertures(struct svq_iova_range *ap, unsigned int n, uint64_t granule)
{
	unsigned int i, merged = 0, kept = 0;

	qsort(ap, n, sizeof(*ap), compare_aperture);
	for (i = 0; i < n; i++) {
		if (ap[i].last < ap[i].first)
			return -EINVAL;
		if (merged > 0 && ap[i].first <= ap[merged - 1].last)
			return -EINVAL;
		if (merged > 0 && ap[i].first == ap[merged - 1].last + 1)
			ap[merged - 1].last = ap[i].last;
		else
			ap[merged++] = ap[i];
	}
	for (i = 0; i < merged; i++) {
		if (round_inwards(&ap[i], granule))
			ap[kept++] = ap[i];
	}
	return kept > 0 ? (int)kept : -EINVAL;
}

static struct range *
insert(struct svq_iova_alloc *alloc, struct range *r, uint64_t first, uint64_t last)
{
	*r = (struct range){.first = first, .last = last};
	RB_INSERT(addr_tree, &alloc->by_addr, r);
	RB_INSERT(size_tree, &alloc->by_size, r);
	return r;
}

int
svq_iova_alloc_create(const struct svq_iova_range *apertures, unsigned int n, uint64_t granule,
	struct svq_iova_alloc **alloc)
{
	struct svq_iova_alloc *a;
	unsigned int i;
	int kept;

	if (n == 0 || granule == 0 || !rte_is_power_of_2(granule))
		return -EINVAL;
	a = calloc(1, sizeof(*a) + n * sizeof(a->apertures[0]));
	if (a == NULL)
		return -ENOMEM;
	RB_INIT(&a->by_addr);
	RB_INIT(&a->by_size);
	a->granule = granule;
	memcpy(a->apertures, apertures, n * sizeof(a->apertures[0]));
	kept = tidy_apertures(a->apertures, n, granule);
	if (kept < 0) {
		free(a);
		return kept;
	}
	a->n_apertures = kept;
	for (i = 0; i < a->n_apertures; i++) {
		struct range *r = malloc(sizeof(*r));

		if (r == NULL) {
			svq_iova_alloc_destroy(a);
			return -ENOMEM;
		}
		insert(a, r, a->apertures[i].first, a->apertures[i].last);
		a->free_bytes += range_size(r);
	}
	*alloc = a;
	return 0;
}

void
svq_iova_alloc_destroy(struct svq_iova_alloc *alloc)
{
	struct range *r, *next;

	if (alloc == NULL)
		return;
	RB_FOREACH_SAFE (r, addr_tree, &alloc->by_addr, next) {
		RB_REMOVE(addr_tree, &alloc->by_addr, r);
		free(r);
	}
	free(alloc);
}

/* Lowest address in the gap that is congruent to hva modulo page and leaves room for size. */
static bool
place(const struct range *gap, uint64_t size, uint64_t hva, uint64_t page, uint64_t *iova)
{
	uint64_t skip = (hva - gap->first) & (page - 1);
	uint64_t span = gap->last - gap->first;

	if (skip > span || size - 1 > span - skip)
		return false;
	*iova = gap->first + skip;
	return true;
}

/* Gaps that are looked at, at a large page, of those that may lie wrongly. */
#define TRIES 16

/*
 * Smallest gap that holds the range at that congruence. At the granule the first candidate does. At
 * a larger page, gaps that are large enough but by less than a page may lie wrongly; there may be
 * any number of them, so the smallest few are tried, and then the smallest gap that does wherever
 * it lies.
 */
static struct range *
best_fit(struct svq_iova_alloc *alloc, uint64_t size, uint64_t hva, uint64_t page, uint64_t *iova)
{
	struct range key = {.first = 0, .last = size - 1};
	uint64_t slack = page - alloc->granule;
	struct range *gap;
	unsigned int i = 0;

	for (gap = RB_NFIND(size_tree, &alloc->by_size, &key); gap != NULL && i < TRIES;
		gap = RB_NEXT(size_tree, &alloc->by_size, gap), i++) {
		if (place(gap, size, hva, page, iova))
			return gap;
	}
	if (gap == NULL || slack > UINT64_MAX - key.last)
		return NULL;
	key.last += slack;
	gap = RB_NFIND(size_tree, &alloc->by_size, &key);
	return gap != NULL && place(gap, size, hva, page, iova) ? gap : NULL;
}

/* The gap that begins at an address, if the range can begin there, too. */
static struct range *
gap_at(struct svq_iova_alloc *alloc, uint64_t first, uint64_t size, uint64_t hva, uint64_t page)
{
	struct range key = {.first = first};
	struct range *gap = first != 0 ? RB_FIND(addr_tree, &alloc->by_addr, &key) : NULL;
	uint64_t iova;

	if (gap == NULL || gap->used || !place(gap, size, hva, page, &iova))
		return NULL;
	return iova == first ? gap : NULL;
}

/* Turn [iova, iova+size) of a gap into a used range; what is left of the gap stays free. */
static int
carve(struct svq_iova_alloc *alloc, struct range *gap, uint64_t iova, uint64_t size)
{
	uint64_t first = gap->first, last = gap->last, end = iova + (size - 1);
	struct range *front = NULL, *back = NULL;

	if (iova != first) {
		front = malloc(sizeof(*front));
		if (front == NULL)
			return -ENOMEM;
	}
	if (end != last) {
		back = malloc(sizeof(*back));
		if (back == NULL) {
			free(front);
			return -ENOMEM;
		}
	}
	RB_REMOVE(size_tree, &alloc->by_size, gap);
	/* Shrinking a range leaves its place in the tree by address. */
	gap->first = iova;
	gap->last = end;
	gap->used = true;
	if (front != NULL)
		insert(alloc, front, first, iova - 1);
	if (back != NULL)
		insert(alloc, back, end + 1, last);
	alloc->free_bytes -= size;
	alloc->used_bytes += size;
	alloc->n_used++;
	return 0;
}

int
svq_iova_alloc_get_after(struct svq_iova_alloc *alloc, uint64_t after, uint64_t size, uint64_t hva,
	uint64_t max_page, uint64_t *iova)
{
	const uint64_t pages[] = {UINT64_C(1) << 30, UINT64_C(1) << 21, alloc->granule};
	struct range *gap = NULL;
	uint64_t at = 0;
	unsigned int i;
	int ret;

	if (size == 0 || ((size | hva) & (alloc->granule - 1)) != 0)
		return -EINVAL;
	for (i = 0; i < RTE_DIM(pages) && gap == NULL; i++) {
		if (pages[i] != alloc->granule &&
			(pages[i] < alloc->granule || pages[i] > max_page || pages[i] > size))
			continue;
		at = after;
		gap = gap_at(alloc, after, size, hva, pages[i]);
		if (gap == NULL)
			gap = best_fit(alloc, size, hva, pages[i], &at);
	}
	if (gap == NULL)
		return -ENOSPC;
	ret = carve(alloc, gap, at, size);
	if (ret == 0)
		*iova = at;
	return ret;
}

int
svq_iova_alloc_get(struct svq_iova_alloc *alloc, uint64_t size, uint64_t hva, uint64_t max_page,
	uint64_t *iova)
{
	return svq_iova_alloc_get_after(alloc, 0, size, hva, max_page, iova);
}

/* Let a free range swallow its neighbour, if that is free too and touches it. */
static void
merge(struct svq_iova_alloc *alloc, struct range *r, struct range *neighbour)
{
	if (neighbour == NULL || neighbour->used ||
		(neighbour->last + 1 != r->first && r->last + 1 != neighbour->first))
		return;
	RB_REMOVE(addr_tree, &alloc->by_addr, neighbour);
	RB_REMOVE(size_tree, &alloc->by_size, neighbour);
	r->first = RTE_MIN(r->first, neighbour->first);
	r->last = RTE_MAX(r->last, neighbour->last);
	free(neighbour);
}

int
svq_iova_alloc_put(struct svq_iova_alloc *alloc, uint64_t iova, uint64_t size)
{
	struct range key = {.first = iova};
	struct range *r = RB_FIND(addr_tree, &alloc->by_addr, &key);

	if (r == NULL || !r->used)
		return -ENOENT;
	if (range_size(r) != size)
		return -ERANGE;
	r->used = false;
	merge(alloc, r, RB_PREV(addr_tree, &alloc->by_addr, r));
	merge(alloc, r, RB_NEXT(addr_tree, &alloc->by_addr, r));
	RB_INSERT(size_tree, &alloc->by_size, r);
	alloc->free_bytes += size;
	alloc->used_bytes -= size;
	alloc->n_used--;
	return 0;
}

void
svq_iova_alloc_info(const struct svq_iova_alloc *alloc, struct svq_iova_alloc_info *info)
{
	const struct range *largest =
		RB_MAX(size_tree, (struct size_tree *)(uintptr_t)&alloc->by_size);

	*info = (struct svq_iova_alloc_info){
		.free_bytes = alloc->free_bytes,
		.largest_gap = largest != NULL ? range_size(largest) : 0,
		.used_bytes = alloc->used_bytes,
		.n_used = alloc->n_used,
		.n_apertures = alloc->n_apertures,
	};
}

void
svq_iova_alloc_apertures(const struct svq_iova_alloc *alloc,
	void (*cb)(const struct svq_iova_range *range, void *arg), void *arg)
{
	unsigned int i;

	for (i = 0; i < alloc->n_apertures; i++)
		cb(&alloc->apertures[i], arg);
}

void
svq_iova_alloc_walk(const struct svq_iova_alloc *alloc,
	void (*cb)(const struct svq_iova_range *range, void *arg), void *arg)
{
	struct addr_tree *tree = (struct addr_tree *)(uintptr_t)&alloc->by_addr;
	struct range *r;

	RB_FOREACH (r, addr_tree, tree) {
		if (r->used)
			cb(&(struct svq_iova_range){.first = r->first, .last = r->last}, arg);
	}
}
