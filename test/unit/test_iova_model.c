/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include <svq_iova.h>

#include "autotest.h"
#include "random.h"

/*
 * The allocator against a plain array with one entry for each page. The array answers by looking at
 * every gap, so it shows that no allocation fails while a gap holds it, that the best gap is
 * taken, and that the largest possible page decides the congruence.
 */

#define PAGE	UINT64_C(4096)
#define BIG	512 /* pages in 2 MiB */
#define N_PAGES 8192
#define N_LIVE	256
#define OPS	100000
#define NO_GAP	N_PAGES

struct live {
	unsigned int first;
	unsigned int n;
};

struct model {
	uint64_t base;	       /* IOVA of page 0 */
	uint8_t busy[N_PAGES]; /* allocated, or outside the apertures */
	struct live live[N_LIVE];
	unsigned int n_live;
};

static struct model model;

static void
set_busy(unsigned int first, unsigned int n, bool busy)
{
	memset(&model.busy[first], busy, n);
}

/* First page in the gap where the pages fit congruently, or NO_GAP. */
static unsigned int
fit(unsigned int gap, unsigned int gap_n, unsigned int n, uint64_t hva_page, unsigned int align)
{
	unsigned int at;

	for (at = gap; at + n <= gap + gap_n; at++) {
		if ((model.base / PAGE + at - hva_page) % align == 0)
			return at;
	}
	return NO_GAP;
}

static unsigned int
gap_at(unsigned int at)
{
	unsigned int n = 0;

	while (at + n < N_PAGES && !model.busy[at + n])
		n++;
	return n;
}

static unsigned int
best_fit(unsigned int n, uint64_t hva_page, unsigned int align)
{
	unsigned int at, gap_n, best = NO_GAP, best_n = UINT32_MAX;

	for (at = 0; at < N_PAGES; at += gap_n + 1) {
		gap_n = gap_at(at);
		if (gap_n >= n && gap_n < best_n) {
			unsigned int where = fit(at, gap_n, n, hva_page, align);

			if (where != NO_GAP) {
				best = where;
				best_n = gap_n;
			}
		}
	}
	return best;
}

/* At @p after, if all of it is free and congruent; NO_GAP: nowhere in particular. */
static unsigned int
where(unsigned int after, unsigned int n, uint64_t hva_page, unsigned int align)
{
	if (after < N_PAGES && gap_at(after) >= n &&
		(model.base / PAGE + after - hva_page) % align == 0)
		return after;
	return best_fit(n, hva_page, align);
}

static bool
get_agrees(struct svq_iova_alloc *alloc, unsigned int after, unsigned int n, uint64_t hva_page,
	uint64_t max_page)
{
	unsigned int want = NO_GAP;
	uint64_t iova;
	int ret;

	if (n >= BIG && max_page >= BIG * PAGE)
		want = where(after, n, hva_page, BIG);
	if (want == NO_GAP)
		want = where(after, n, hva_page, 1);
	ret = svq_iova_alloc_get_after(alloc, after != NO_GAP ? model.base + after * PAGE : 0,
		n * PAGE, hva_page * PAGE, max_page, &iova);
	if (want == NO_GAP)
		return ret == -ENOSPC;
	if (ret != 0 || iova != model.base + want * PAGE)
		return false;
	set_busy(want, n, true);
	model.live[model.n_live++] = (struct live){.first = want, .n = n};
	return true;
}

static bool
put_agrees(struct svq_iova_alloc *alloc, unsigned int i)
{
	struct live gone = model.live[i];
	uint64_t iova = model.base + gone.first * PAGE;

	if (svq_iova_alloc_put(alloc, iova, (gone.n + 1) * PAGE) != -ERANGE)
		return false;
	if (svq_iova_alloc_put(alloc, iova, gone.n * PAGE) != 0)
		return false;
	set_busy(gone.first, gone.n, false);
	model.live[i] = model.live[--model.n_live];
	return true;
}

static bool
info_agrees(const struct svq_iova_alloc *alloc)
{
	struct svq_iova_alloc_info info;
	uint64_t free_pages = 0, largest = 0;
	unsigned int at, gap_n;

	for (at = 0; at < N_PAGES; at += gap_n + 1) {
		gap_n = gap_at(at);
		free_pages += gap_n;
		largest = RTE_MAX(largest, gap_n);
	}
	svq_iova_alloc_info(alloc, &info);
	return info.free_bytes == free_pages * PAGE && info.largest_gap == largest * PAGE &&
		info.n_used == model.n_live;
}

struct walked {
	uint64_t next; /* lowest address that the next range may have */
	unsigned int n;
	unsigned int bad;
};

static void
see_range(const struct svq_iova_range *range, void *arg)
{
	struct walked *walked = arg;
	uint64_t page = (range->first - model.base) / PAGE;

	walked->bad += range->first < walked->next || range->last < range->first ||
		page >= N_PAGES || !model.busy[page];
	walked->next = range->last + 1;
	walked->n++;
}

static bool
walk_agrees(const struct svq_iova_alloc *alloc)
{
	struct walked walked = {.next = model.base};

	svq_iova_alloc_walk(alloc, see_range, &walked);
	return walked.bad == 0 && walked.n == model.n_live;
}

static unsigned int
random_pages(uint64_t *seed)
{
	switch (random_below(seed, 8)) {
	case 0:
		return 1 + random_below(seed, 3 * BIG);
	case 1:
		return BIG * (1 + random_below(seed, 2));
	default:
		return 1 + random_below(seed, 32);
	}
}

/* Behind a live range, now and then. */
static unsigned int
random_after(uint64_t *seed)
{
	const struct live *l = &model.live[random_below(seed, N_LIVE)];

	return random_below(seed, 2) == 0 && l < &model.live[model.n_live] ? l->first + l->n
									   : NO_GAP;
}

static unsigned int
run(struct svq_iova_alloc *alloc, uint64_t *seed)
{
	static const uint64_t max_pages[] = {PAGE, BIG * PAGE, UINT64_C(1) << 30};
	unsigned int op;

	for (op = 0; op < OPS; op++) {
		/* Swing between nearly empty and nearly full. */
		bool grow = random_below(seed, 100) < (op / 1000 % 2 ? 70 : 35);
		bool agree;

		if (grow && model.n_live < N_LIVE)
			agree = get_agrees(alloc, random_after(seed), random_pages(seed),
				random_below(seed, UINT64_C(1) << 30),
				max_pages[random_below(seed, 3)]);
		else if (model.n_live > 0)
			agree = put_agrees(alloc, random_below(seed, model.n_live));
		else
			agree = true;
		if (op % 64 == 0)
			agree = agree && info_agrees(alloc) && walk_agrees(alloc);
		if (!agree) {
			printf("operation %u disagrees\n", op);
			return 1;
		}
	}
	return 0;
}

static void
test_at(uint64_t base, uint64_t *seed)
{
	/* Two holes; page 0 is in none, as IOVA 0 may lie there. */
	static const struct live holes[] = {{0, 1}, {1000, 3}, {5000, 512}};
	struct svq_iova_range apertures[RTE_DIM(holes)];
	struct svq_iova_alloc *alloc = NULL;
	unsigned int i;

	memset(&model, 0, sizeof(model));
	model.base = base;
	for (i = 0; i < RTE_DIM(holes); i++) {
		unsigned int end = i + 1 < RTE_DIM(holes) ? holes[i + 1].first : N_PAGES;

		set_busy(holes[i].first, holes[i].n, true);
		apertures[i].first = base + (holes[i].first + holes[i].n) * PAGE;
		apertures[i].last = base + (end * PAGE - 1);
	}
	CU_ASSERT_EQUAL_FATAL(
		svq_iova_alloc_create(apertures, RTE_DIM(apertures), PAGE, &alloc), 0);
	CU_ASSERT_EQUAL(run(alloc, seed), 0);
	svq_iova_alloc_destroy(alloc);
}

static void
test_against_model(void)
{
	uint64_t seed = autotest_seed();

	test_at(0, &seed);
	test_at(UINT64_C(0x7fff0000000), &seed);
	test_at(UINT64_MAX - (N_PAGES * PAGE - 1), &seed);
}

static void
fill(void)
{
	autotest_add(autotest_suite("IOVA allocator, model", NULL, NULL), "against an array",
		test_against_model);
}

REGISTER_AUTOTEST(iova_model_autotest, fill)
