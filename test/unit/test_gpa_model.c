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
 * The GPA table against a plain array with one entry for each guest page: which row owns it. Rows
 * come and go at random; their HVAs overlap freely, as aliases do (equal, nested, shifted), which
 * must not matter. Buffers start and end at any byte, beside every border.
 */

#define PAGE	UINT64_C(4096)
#define N_PAGES 96
#define OPS	300000
#define NO_ROW	0

struct model {
	uint64_t base;		/* GPA of page 0 */
	uint8_t owner[N_PAGES]; /* index into rows, NO_ROW for none */
	struct svq_gpa_row rows[N_PAGES + 1];
	unsigned int n;
};

/* What translation must say of [gpa, gpa+len). */
struct answer {
	int ret;
	struct svq_gpa_seg segs[N_PAGES];
};

static struct model model;

static const struct svq_gpa_row *
owner_of(uint64_t gpa)
{
	uint64_t page = (gpa - model.base) / PAGE;

	if (gpa < model.base || page >= N_PAGES || model.owner[page] == NO_ROW)
		return NULL;
	return &model.rows[model.owner[page]];
}

static void
ask_model(uint64_t gpa, uint64_t len, uint32_t perm, unsigned int max, struct answer *answer)
{
	const struct svq_gpa_row *before = NULL;
	uint64_t last = gpa + (len - 1);

	answer->ret = len == 0 ? -EINVAL : last < gpa ? -EOVERFLOW : 0;
	if (answer->ret < 0)
		return;
	for (;;) {
		const struct svq_gpa_row *row = owner_of(gpa);
		uint64_t piece = RTE_MIN(PAGE - gpa % PAGE - 1, last - gpa);

		if (row == NULL || (row->perm & perm) == 0) {
			answer->ret = row == NULL ? -EFAULT : -EACCES;
			return;
		}
		if (row != before) {
			if ((unsigned int)answer->ret == max) {
				answer->ret = -ENOSPC;
				return;
			}
			answer->segs[answer->ret++] = (struct svq_gpa_seg){
				.iova = row->iova + (gpa - row->gpa), .gpa = gpa};
		}
		answer->segs[answer->ret - 1].len += piece + 1;
		before = row;
		if (gpa + piece == last)
			return;
		gpa += piece + 1;
	}
}

static bool
translate_agrees(
	const struct svq_gpa_map *map, uint64_t gpa, uint64_t len, uint32_t perm, unsigned int max)
{
	struct svq_gpa_seg segs[N_PAGES];
	struct answer want;
	int ret, i;

	ask_model(gpa, len, perm, max, &want);
	ret = svq_gpa_translate(map, gpa, len, perm, segs, max);
	if (ret != want.ret)
		return false;
	for (i = 0; i < ret; i++) {
		if (segs[i].iova != want.segs[i].iova || segs[i].gpa != want.segs[i].gpa ||
			segs[i].len != want.segs[i].len)
			return false;
	}
	return true;
}

static bool
hva_agrees(const struct svq_gpa_map *map, uint64_t gpa, uint64_t len, uint32_t perm)
{
	const struct svq_gpa_row *row = owner_of(gpa);
	struct answer want;
	uint64_t hva = row != NULL ? row->hva + (gpa - row->gpa) : 0;
	int i;

	ask_model(gpa, len, perm, N_PAGES, &want);
	for (i = 1; i < want.ret; i++) {
		row = owner_of(want.segs[i].gpa);
		if (row->hva - hva != want.segs[i].gpa - gpa)
			want.ret = 0;
	}
	if (want.ret <= 0)
		hva = 0;
	return svq_gpa_hva(map, gpa, len, perm) == (void *)(uintptr_t)hva;
}

static uint64_t
random_gpa(uint64_t *seed)
{
	uint64_t gpa = model.base + random_below(seed, N_PAGES + 2) * PAGE;

	switch (random_below(seed, 4)) {
	case 0:
		return gpa;
	case 1:
		return gpa - 1 - random_below(seed, 4);
	case 2:
		return random_u64(seed);
	default:
		return gpa + random_below(seed, PAGE);
	}
}

static uint32_t
random_len(uint64_t *seed)
{
	switch (random_below(seed, 8)) {
	case 0:
		return random_below(seed, 2) ? UINT32_MAX : 0;
	case 1:
		return (uint32_t)random_u64(seed);
	case 2:
		return PAGE * random_below(seed, 8);
	default:
		return random_below(seed, PAGE + 2);
	}
}

static bool
lookups_agree(const struct svq_gpa_map *map, uint64_t *seed)
{
	uint64_t gpa[SVQ_GPA_BURST_MAX] = {0}, iova[SVQ_GPA_BURST_MAX];
	uint64_t writable = random_u64(seed), done;
	uint32_t len[SVQ_GPA_BURST_MAX] = {0};
	unsigned int i, n = random_below(seed, 9);

	for (i = 0; i < n; i++) {
		gpa[i] = random_gpa(seed);
		len[i] = random_len(seed);
	}
	done = svq_gpa_translate_burst(map, gpa, len, writable, iova, n);
	if (n < 64 && done >> n != 0)
		return false;
	for (i = 0; i < n; i++) {
		uint32_t perm = writable >> i & 1 ? SVQ_PERM_W : SVQ_PERM_R;
		struct answer want;

		ask_model(gpa[i], len[i], perm, N_PAGES, &want);
		if ((done >> i & 1) != (want.ret == 1))
			return false;
		if (want.ret == 1 && iova[i] != want.segs[0].iova)
			return false;
		if (!translate_agrees(map, gpa[i], len[i], perm, random_below(seed, 8)) ||
			!hva_agrees(map, gpa[i], len[i], perm))
			return false;
	}
	return true;
}

static struct svq_gpa_row
random_row(struct svq_iova_alloc *alloc, uint64_t *seed)
{
	unsigned int page = random_below(seed, N_PAGES);
	struct svq_gpa_row row = {
		.gpa = model.base + page * PAGE,
		.size = PAGE * (1 + random_below(seed, RTE_MIN(8u, N_PAGES - page))),
		/* Few host pages for many rows: most rows are aliases. */
		.hva = 0x7f0000000000 + random_below(seed, 12) * PAGE,
		.perm = 1 + random_below(seed, SVQ_PERM_RW),
	};

	if (random_below(seed, 4) == 0 && page > 0 && model.owner[page - 1] != NO_ROW) {
		const struct svq_gpa_row *below = &model.rows[model.owner[page - 1]];

		/* Contiguous in this process too. */
		row.hva = below->hva + below->size;
	}
	CU_ASSERT_EQUAL_FATAL(svq_iova_alloc_get(alloc, row.size, row.hva, PAGE, &row.iova), 0);
	return row;
}

static bool
add_agrees(struct svq_gpa_table *table, struct svq_iova_alloc *alloc, uint64_t *seed)
{
	struct svq_gpa_row row = random_row(alloc, seed);
	unsigned int first = (row.gpa - model.base) / PAGE, n = row.size / PAGE, i, slot;
	int want = 0;

	for (i = first; i < first + n; i++)
		want = model.owner[i] != NO_ROW ? -EEXIST : want;
	if (svq_gpa_table_add(table, &row) != want)
		return false;
	if (want != 0)
		return svq_iova_alloc_put(alloc, row.iova, row.size) == 0;
	for (slot = 1; model.rows[slot].size != 0; slot++)
		;
	model.rows[slot] = row;
	memset(&model.owner[first], (int)slot, n);
	model.n++;
	return true;
}

static bool
del_agrees(struct svq_gpa_table *table, struct svq_iova_alloc *alloc, uint64_t *seed)
{
	unsigned int page = random_below(seed, N_PAGES), slot = model.owner[page], i;
	struct svq_gpa_row row = model.rows[slot], gone;

	if (slot == NO_ROW)
		return svq_gpa_table_del(table, model.base + page * PAGE, PAGE, NULL) == -ENOENT;
	if (svq_gpa_table_del(table, row.gpa, row.size + PAGE, NULL) != -ERANGE)
		return false;
	if (svq_gpa_table_del(table, row.gpa, row.size, &gone) != 0 || gone.iova != row.iova)
		return false;
	for (i = 0; i < N_PAGES; i++) {
		if (model.owner[i] == slot)
			model.owner[i] = NO_ROW;
	}
	model.rows[slot].size = 0;
	model.n--;
	return svq_iova_alloc_put(alloc, row.iova, row.size) == 0;
}

static unsigned int
run(struct svq_gpa_table *table, struct svq_iova_alloc *alloc, uint64_t *seed)
{
	unsigned int op;

	for (op = 0; op < OPS; op++) {
		/* Swing between a few rows, which are scanned, and many, which are searched. */
		bool grow = random_below(seed, 100) < (op / 500 % 2 ? 60 : 20);
		bool agree = true;

		if (random_below(seed, 2) == 0) {
			agree = grow ? add_agrees(table, alloc, seed)
				     : del_agrees(table, alloc, seed);
			agree = agree && svq_gpa_table_publish(table) == 0;
		}
		agree = agree && lookups_agree(svq_gpa_table_map(table), seed);
		if (!agree) {
			printf("operation %u disagrees, %u rows\n", op, model.n);
			return 1;
		}
	}
	return 0;
}

static void
test_at(uint64_t base, uint64_t *seed)
{
	static const struct svq_iova_range aperture = {0x1000, 0xffffffff};
	struct svq_iova_alloc *alloc = NULL;
	struct svq_gpa_table *table = NULL;

	memset(&model, 0, sizeof(model));
	model.base = base;
	CU_ASSERT_EQUAL_FATAL(svq_iova_alloc_create(&aperture, 1, PAGE, &alloc), 0);
	CU_ASSERT_EQUAL_FATAL(svq_gpa_table_create(NULL, &table), 0);
	CU_ASSERT_EQUAL(run(table, alloc, seed), 0);
	svq_gpa_table_destroy(table);
	svq_iova_alloc_destroy(alloc);
}

static void
test_against_model(void)
{
	uint64_t seed = autotest_seed();

	test_at(0, &seed);
	test_at(UINT64_C(0xfeda0000), &seed);
	test_at(UINT64_MAX - (N_PAGES * PAGE - 1), &seed);
}

static void
fill(void)
{
	autotest_add(autotest_suite("GPA table, model", NULL, NULL), "against an array",
		test_against_model);
}

REGISTER_AUTOTEST(gpa_model_autotest, fill)
