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
 * The three tables together, at random, against arrays of pages: what each guest page shows, and
 * what lies behind each page of IOVA space. Guest regions show a few host pages over and over, so
 * nearly all are aliases of others; host-only memory comes and goes between. After every change
 * and for every buffer: no two IOVA ranges overlap, each translation ends at the very host page
 * with the permission that the guest's map has, and never at host-only memory.
 */

#define PAGE	   UINT64_C(4096)
#define GPA_PAGES  64
#define HOST_PAGES 24 /* what guests can show */
#define IOVA_PAGES 256
#define N_LIVE	   48
#define OPS	   600000
#define LOOKUPS	   4
#define HVA	   UINT64_C(0x7f0000000000)
#define HOST_HVA   UINT64_C(0x7fff00000000) /* host-only memory */
#define NOBODY	   0
#define HOLE	   255 /* of the apertures */

enum kind { GUEST, HOST };

struct live {
	enum kind kind;
	struct svq_gpa_row row; /* of host-only memory: without the GPA */
};

struct model {
	uint64_t base;		    /* GPA of guest page 0 */
	uint8_t guest[GPA_PAGES];   /* index + 1 into live of who shows there, or NOBODY */
	uint8_t device[IOVA_PAGES]; /* the same, of who has that page of IOVA space */
	struct live live[N_LIVE];
	unsigned int n_live;
};

static struct model model;
static struct svq_iova_alloc *alloc;
static struct svq_gpa_table *table;
static struct svq_hva_tree *tree;

/* Pages first.. of an array become somebody's, if all were @p from. */
static bool
take(uint8_t *array, unsigned int first, unsigned int n, uint8_t from, uint8_t to)
{
	unsigned int i;

	for (i = first; i < first + n; i++) {
		if (array[i] != from)
			return false;
		array[i] = to;
	}
	return true;
}

static bool
take_iova(const struct svq_gpa_row *row, uint8_t from, uint8_t to)
{
	uint64_t first = row->iova / PAGE, n = row->size / PAGE;

	return row->iova % PAGE == 0 && first > 0 && first + n <= IOVA_PAGES &&
		take(model.device, first, n, from, to);
}

static unsigned int
free_slot(void)
{
	unsigned int i;

	for (i = 0; model.live[i].row.size != 0; i++)
		;
	return i;
}

static bool
add_guest(uint64_t *seed)
{
	unsigned int page = random_below(seed, GPA_PAGES), slot = free_slot(), i;
	unsigned int n = 1 + random_below(seed, RTE_MIN(8u, GPA_PAGES - page));
	struct svq_gpa_row row = {
		.gpa = model.base + page * PAGE,
		.size = n * PAGE,
		.hva = HVA + random_below(seed, HOST_PAGES - n + 1) * PAGE,
		.perm = random_below(seed, 3) == 0 ? 1 + random_below(seed, 2) : SVQ_PERM_RW,
	};
	int want = 0, ret;

	for (i = page; i < page + n; i++)
		want = model.guest[i] != NOBODY ? -EEXIST : want;
	ret = svq_iova_alloc_get(alloc, row.size, row.hva, PAGE, &row.iova);
	if (ret < 0)
		return ret == -ENOSPC;
	if (svq_gpa_table_add(table, &row) != want)
		return false;
	if (want != 0)
		return svq_iova_alloc_put(alloc, row.iova, row.size) == 0;
	model.live[slot] = (struct live){.kind = GUEST, .row = row};
	model.n_live++;
	return take_iova(&row, NOBODY, slot + 1) && take(model.guest, page, n, NOBODY, slot + 1);
}

static bool
add_host(uint64_t *seed)
{
	unsigned int slot = free_slot(), n = 1 + random_below(seed, 4);
	struct svq_gpa_row row = {.size = n * PAGE,
		/* A place of its own for each slot. */
		.hva = HOST_HVA + slot * 16 * PAGE,
		.perm = SVQ_PERM_RW};
	struct svq_hva_row host = {.hva = row.hva, .size = row.size, .perm = row.perm}, found;
	int ret = svq_iova_alloc_get(alloc, row.size, row.hva, PAGE, &row.iova);

	if (ret < 0)
		return ret == -ENOSPC;
	host.iova = row.iova;
	model.live[slot] = (struct live){.kind = HOST, .row = row};
	model.n_live++;
	return svq_hva_tree_add(tree, &host) == 0 && take_iova(&row, NOBODY, slot + 1) &&
		svq_hva_tree_by_hva(tree, row.hva + row.size - 1, 1, &found) == 0 &&
		found.iova == row.iova;
}

static bool
del(unsigned int slot)
{
	struct live *live = &model.live[slot];
	struct svq_gpa_row row = live->row;

	live->row.size = 0;
	model.n_live--;
	if (live->kind == HOST) {
		if (svq_hva_tree_del(tree, row.iova, row.size, NULL) != 0)
			return false;
	} else {
		if (svq_gpa_table_del(table, row.gpa, row.size, NULL) != 0 ||
			!take(model.guest, (row.gpa - model.base) / PAGE, row.size / PAGE, slot + 1,
				NOBODY))
			return false;
	}
	return take_iova(&row, slot + 1, NOBODY) &&
		svq_iova_alloc_put(alloc, row.iova, row.size) == 0;
}

/* The same guest pages show other memory, in one step for readers. */
static bool
move_guest(unsigned int slot, uint64_t *seed)
{
	struct live *live = &model.live[slot];
	struct svq_gpa_row row = live->row;

	if (live->kind == HOST)
		return true;
	row.hva = HVA + random_below(seed, HOST_PAGES - row.size / PAGE + 1) * PAGE;
	if (svq_gpa_table_del(table, row.gpa, row.size, NULL) != 0 ||
		svq_iova_alloc_put(alloc, row.iova, row.size) != 0 ||
		!take_iova(&row, slot + 1, NOBODY) ||
		svq_iova_alloc_get(alloc, row.size, row.hva, PAGE, &row.iova) != 0)
		return false;
	live->row = row;
	return take_iova(&row, NOBODY, slot + 1) && svq_gpa_table_add(table, &row) == 0;
}

static bool
change(uint64_t *seed)
{
	unsigned int slot = random_below(seed, N_LIVE);
	bool live = model.live[slot].row.size != 0, ok;

	switch (random_below(seed, 8)) {
	case 0:
		ok = model.n_live == N_LIVE || add_host(seed);
		break;
	case 1:
	case 2:
	case 3:
		ok = model.n_live == N_LIVE || add_guest(seed);
		break;
	case 4:
		ok = !live || move_guest(slot, seed);
		break;
	default:
		ok = !live || del(slot);
	}
	return ok && svq_gpa_table_publish(table) == 0;
}

/* Where the device ends up: the owner of the IOVA, if it may. Guest and device must agree. */
static bool
reaches(uint64_t gpa, uint64_t iova, uint64_t len, uint32_t perm)
{
	uint64_t at;

	for (at = 0; at < len; at = (at + PAGE) & ~(PAGE - 1)) {
		uint64_t page = (gpa + at - model.base) / PAGE;
		uint8_t shown = page < GPA_PAGES ? model.guest[page] : NOBODY;
		uint8_t owner =
			(iova + at) / PAGE < IOVA_PAGES ? model.device[(iova + at) / PAGE] : NOBODY;
		const struct svq_gpa_row *row;

		if (shown == NOBODY || owner != shown || model.live[owner - 1].kind != GUEST)
			return false;
		row = &model.live[owner - 1].row;
		if ((row->perm & perm) == 0 || gpa + at - row->gpa != iova + at - row->iova)
			return false;
	}
	return true;
}

/* What the guest's map says of a buffer: pieces, or the error. */
static int
ask_model(uint64_t gpa, uint64_t len, uint32_t perm)
{
	uint8_t before = NOBODY;
	uint64_t last = gpa + (len - 1);
	int pieces = 0;

	if (len == 0)
		return -EINVAL;
	if (last < gpa)
		return -EOVERFLOW;
	for (;;) {
		uint64_t page = (gpa - model.base) / PAGE;
		uint8_t shown = page < GPA_PAGES ? model.guest[page] : NOBODY;

		if (shown == NOBODY)
			return -EFAULT;
		if ((model.live[shown - 1].row.perm & perm) == 0)
			return -EACCES;
		pieces += shown != before;
		before = shown;
		if ((last | (PAGE - 1)) == (gpa | (PAGE - 1)))
			return pieces;
		gpa = (gpa | (PAGE - 1)) + 1;
	}
}

static uint64_t
random_gpa(uint64_t *seed)
{
	uint64_t gpa = model.base + random_below(seed, GPA_PAGES + 1) * PAGE;

	switch (random_below(seed, 4)) {
	case 0:
		return gpa - 1 - random_below(seed, 3);
	case 1:
		return gpa;
	case 2:
		/* An address of another kind: an IOVA, or an HVA. */
		return random_below(seed, 2) ? random_below(seed, IOVA_PAGES) * PAGE
					     : HOST_HVA + random_below(seed, N_LIVE * 16) * PAGE;
	default:
		return gpa + random_below(seed, PAGE);
	}
}

static uint32_t
random_len(uint64_t *seed)
{
	static const uint32_t lens[] = {0, 1, 4096, 4097, 8192, UINT32_MAX};

	if (random_below(seed, 4) == 0)
		return lens[random_below(seed, RTE_DIM(lens))];
	return 1 + random_below(seed, 2 * PAGE);
}

static bool
lookup_agrees(uint64_t *seed)
{
	const struct svq_gpa_map *map = svq_gpa_table_map(table);
	uint32_t len = random_len(seed), perm = 1 + random_below(seed, 2);
	uint64_t gpa = random_gpa(seed), iova, good;
	int want = ask_model(gpa, len, perm), ret, i;
	struct svq_gpa_seg segs[GPA_PAGES];

	good = svq_gpa_translate_burst(map, &gpa, &len, perm == SVQ_PERM_W, &iova, 1);
	if (good != (want == 1) || (good && !reaches(gpa, iova, len, perm)))
		return false;
	ret = svq_gpa_translate(map, gpa, len, perm, segs, GPA_PAGES);
	if (ret != want)
		return false;
	for (i = 0; i < ret; i++) {
		if (segs[i].gpa != gpa || !reaches(gpa, segs[i].iova, segs[i].len, perm))
			return false;
		gpa += segs[i].len;
		len -= segs[i].len;
	}
	return ret < 0 || len == 0;
}

static bool
run(uint64_t *seed)
{
	unsigned int op, i;

	for (op = 0; op < OPS; op++) {
		bool ok = change(seed);

		for (i = 0; i < LOOKUPS; i++)
			ok = ok && lookup_agrees(seed);
		if (!ok) {
			printf("operation %u disagrees, %u live\n", op, model.n_live);
			return false;
		}
	}
	return true;
}

static void
test_at(uint64_t base, uint64_t *seed)
{
	/* Too small for everything: allocations fail now and then. A hole, and no page 0. */
	static const struct svq_iova_range apertures[] = {
		{0, 99 * PAGE - 1}, {101 * PAGE, IOVA_PAGES * PAGE - 1}};

	memset(&model, 0, sizeof(model));
	model.base = base;
	model.device[0] = model.device[99] = model.device[100] = HOLE;
	CU_ASSERT_EQUAL_FATAL(
		svq_iova_alloc_create(apertures, RTE_DIM(apertures), PAGE, &alloc), 0);
	CU_ASSERT_EQUAL_FATAL(svq_gpa_table_create(NULL, &table), 0);
	CU_ASSERT_EQUAL_FATAL(svq_hva_tree_create(&tree), 0);
	CU_ASSERT(run(seed));
	svq_hva_tree_destroy(tree);
	svq_gpa_table_destroy(table);
	svq_iova_alloc_destroy(alloc);
}

static void
test_against_model(void)
{
	uint64_t seed = autotest_seed();

	test_at(0, &seed);
	test_at(UINT64_C(0xfeda0000), &seed);
	test_at(UINT64_MAX - (GPA_PAGES * PAGE - 1), &seed);
}

static void
fill(void)
{
	autotest_add(autotest_suite("aliases, model", NULL, NULL), "against arrays of pages",
		test_against_model);
}

REGISTER_AUTOTEST(alias_model_autotest, fill)
