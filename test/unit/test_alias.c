/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include <rte_common.h>

#include <svq_iova.h>

#include "autotest.h"
#include "random.h"

/*
 * Aliases in all their forms: the allocator and the GPA table together, and the apertures of real
 * devices. test_alias_model.c does it at random.
 */

#define PAGE UINT64_C(0x1000)
#define MIB  UINT64_C(0x100000)
#define GIB  UINT64_C(0x40000000)
#define TIB  UINT64_C(0x10000000000)

/* Two regions: how the second one's memory lies to the first one's. */
static const struct form {
	const char *name;
	uint64_t off;  /* of the second one's memory, from the first one's */
	uint64_t size; /* of the second one; the first one has 16 pages */
	uint32_t perm;
} forms[] = {
	{"equal", 0, 16 * PAGE, SVQ_PERM_RW},
	{"nested", 4 * PAGE, 4 * PAGE, SVQ_PERM_RW},
	{"nested at the start", 0, 4 * PAGE, SVQ_PERM_RW},
	{"nested at the end", 12 * PAGE, 4 * PAGE, SVQ_PERM_RW},
	{"around", -4 * PAGE, 24 * PAGE, SVQ_PERM_RW},
	{"over the start", -4 * PAGE, 8 * PAGE, SVQ_PERM_RW},
	{"over the end", 12 * PAGE, 8 * PAGE, SVQ_PERM_RW},
	{"equal, read only", 0, 16 * PAGE, SVQ_PERM_R},
	{"nested, read only", 4 * PAGE, 4 * PAGE, SVQ_PERM_R},
	{"nested, write only", 4 * PAGE, 4 * PAGE, SVQ_PERM_W},
	{"apart", 64 * PAGE, 16 * PAGE, SVQ_PERM_RW},
};

static struct svq_iova_alloc *alloc;
static struct svq_gpa_table *table;

static void
begin(const struct svq_iova_range *apertures, unsigned int n)
{
	CU_ASSERT_EQUAL_FATAL(svq_iova_alloc_create(apertures, n, PAGE, &alloc), 0);
	CU_ASSERT_EQUAL_FATAL(svq_gpa_table_create(NULL, &table), 0);
}

static void
end(void)
{
	svq_gpa_table_destroy(table);
	svq_iova_alloc_destroy(alloc);
}

static int
map(struct svq_gpa_row *row, uint64_t max_page)
{
	int ret = svq_iova_alloc_get(alloc, row->size, row->hva, max_page, &row->iova);

	if (ret == 0)
		ret = svq_gpa_table_add(table, row);
	return ret == 0 ? svq_gpa_table_publish(table) : ret;
}

static int
unmap(const struct svq_gpa_row *row)
{
	int ret = svq_gpa_table_del(table, row->gpa, row->size, NULL);

	if (ret == 0)
		ret = svq_gpa_table_publish(table);
	return ret == 0 ? svq_iova_alloc_put(alloc, row->iova, row->size) : ret;
}

/* One byte, both ways in. */
static void
expect(uint64_t gpa, uint32_t perm, int64_t want)
{
	const struct svq_gpa_map *m = svq_gpa_table_map(table);
	const uint32_t len = 1;
	struct svq_gpa_seg seg = {0};
	uint64_t iova = 0, good;
	int ret = svq_gpa_translate(m, gpa, len, perm, &seg, 1);

	good = svq_gpa_translate_burst(m, &gpa, &len, perm == SVQ_PERM_W, &iova, 1);
	if (want < 0) {
		CU_ASSERT_EQUAL(ret, want);
		CU_ASSERT_EQUAL(good, 0);
		return;
	}
	CU_ASSERT_EQUAL(ret, 1);
	CU_ASSERT_EQUAL(good, 1);
	CU_ASSERT_EQUAL((int64_t)seg.iova, want);
	CU_ASSERT_EQUAL((int64_t)iova, want);
}

/* Every page of a row, for reading and for writing. */
static void
expect_row(const struct svq_gpa_row *row, bool live)
{
	static const uint32_t perms[] = {SVQ_PERM_R, SVQ_PERM_W};
	uint64_t off;
	unsigned int p;

	for (off = 0; off < row->size; off += PAGE) {
		for (p = 0; p < RTE_DIM(perms); p++) {
			int64_t want = (int64_t)(row->iova + off);

			if (!live)
				want = -EFAULT;
			else if ((row->perm & perms[p]) == 0)
				want = -EACCES;
			expect(row->gpa + off, perms[p], want);
		}
	}
	if (live)
		CU_ASSERT_PTR_EQUAL(svq_gpa_hva(svq_gpa_table_map(table), row->gpa, row->size,
					    row->perm & SVQ_PERM_R ? SVQ_PERM_R : SVQ_PERM_W),
			(void *)(uintptr_t)row->hva);
}

static bool
apart(const struct svq_gpa_row *a, const struct svq_gpa_row *b)
{
	return a->iova - b->iova >= b->size && b->iova - a->iova >= a->size;
}

static void
test_form(const struct form *form, bool second_first)
{
	static const struct svq_iova_range aperture = {0x1000, 0xffffffff};
	struct svq_gpa_row rows[2] = {
		{.gpa = 0, .size = 16 * PAGE, .hva = 0x7f0000100000, .perm = SVQ_PERM_RW},
		{.gpa = 0xfeda0000, .size = form->size, .perm = form->perm},
	};
	struct svq_gpa_row *gone = &rows[second_first], *stays = &rows[!second_first];
	uint64_t before;

	rows[1].hva = rows[0].hva + form->off;
	begin(&aperture, 1);
	CU_ASSERT_EQUAL(map(&rows[0], PAGE), 0);
	CU_ASSERT_EQUAL(map(&rows[1], PAGE), 0);
	CU_ASSERT(apart(&rows[0], &rows[1]));
	expect_row(&rows[0], true);
	expect_row(&rows[1], true);

	/* What goes takes nothing with it, and what stays does not move. */
	before = stays->iova;
	CU_ASSERT_EQUAL(unmap(gone), 0);
	expect_row(gone, false);
	expect_row(stays, true);
	CU_ASSERT_EQUAL(stays->iova, before);

	/* It comes back somewhere else in this process. */
	gone->hva += 512 * PAGE;
	CU_ASSERT_EQUAL(map(gone, PAGE), 0);
	CU_ASSERT(apart(&rows[0], &rows[1]));
	expect_row(gone, true);
	expect_row(stays, true);

	CU_ASSERT_EQUAL(unmap(stays), 0);
	CU_ASSERT_EQUAL(unmap(gone), 0);
	expect_row(stays, false);
	expect_row(gone, false);
	end();
}

static void
test_forms(void)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(forms); i++) {
		unsigned int before = CU_get_number_of_failures();

		test_form(&forms[i], false);
		test_form(&forms[i], true);
		if (CU_get_number_of_failures() != before)
			printf("failed: %s\n", forms[i].name);
	}
}

/* The example of doc/iova.md, allocator and table together. */
static void
test_example(void)
{
	static const struct svq_iova_range aperture = {0x1000, (UINT64_C(1) << 48) - 1};
	static const uint64_t iova[] = {0x1000, 0x80001000, 0x2000001000};
	struct svq_gpa_row rows[] = {
		{.gpa = 0, .size = 0x80000000, .hva = 0x7f7903e00000, .perm = SVQ_PERM_RW},
		{.gpa = 0x100000000,
			.size = 0x1f80000000,
			.hva = 0x7f7983e00000,
			.perm = SVQ_PERM_RW},
		{.gpa = 0xfeda0000, .size = 0x20000, .hva = 0x7f7903ea0000, .perm = SVQ_PERM_RW},
	};
	unsigned int i;

	begin(&aperture, 1);
	for (i = 0; i < RTE_DIM(rows); i++) {
		CU_ASSERT_EQUAL(map(&rows[i], PAGE), 0);
		CU_ASSERT_EQUAL(rows[i].iova, iova[i]);
	}
	/* One host byte, 0x7f7903eb0000, two answers: the GPA decides. */
	expect(0xb0000, SVQ_PERM_W, 0xb1000);
	expect(0xfedb0000, SVQ_PERM_W, 0x2000011000);
	CU_ASSERT_EQUAL(unmap(&rows[2]), 0);
	expect(0xfedb0000, SVQ_PERM_W, -EFAULT);
	expect(0xb0000, SVQ_PERM_W, 0xb1000);
	expect(0x207fffffff, SVQ_PERM_W, 0x2000000fff);
	end();
}

/* ---- Apertures of real devices ---- */

static bool
inside(const struct svq_gpa_row *row, const struct svq_iova_range *apertures, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (row->iova >= apertures[i].first && row->iova <= apertures[i].last &&
			row->size - 1 <= apertures[i].last - row->iova)
			return row->iova != 0;
	}
	return false;
}

/* Place a guest with memory below 2 GiB, above 4 GiB and at 1 TiB, and its SMRAM alias. */
static void
test_guest_in(const struct svq_iova_range *apertures, unsigned int n, uint64_t max_page)
{
	struct svq_gpa_row rows[] = {
		{.gpa = 0, .size = 2 * GIB, .hva = 0x7f0000000000, .perm = SVQ_PERM_RW},
		{.gpa = 0xfeda0000, .size = 0x20000, .hva = 0x7f00000a0000, .perm = SVQ_PERM_RW},
		{.gpa = 4 * GIB, .size = 62 * GIB, .hva = 0x7f0080000000, .perm = SVQ_PERM_RW},
		{.gpa = TIB, .size = 64 * GIB, .hva = 0x7f2000000000, .perm = SVQ_PERM_RW},
	};
	unsigned int i, k;

	begin(apertures, n);
	for (i = 0; i < RTE_DIM(rows); i++) {
		CU_ASSERT_EQUAL(map(&rows[i], max_page), 0);
		CU_ASSERT(inside(&rows[i], apertures, n));
		if (rows[i].size >= 2 * MIB)
			CU_ASSERT_EQUAL(
				(rows[i].iova - rows[i].hva) % RTE_MIN(max_page, 2 * MIB), 0);
		for (k = 0; k < i; k++)
			CU_ASSERT(apart(&rows[i], &rows[k]));
	}
	for (i = 0; i < RTE_DIM(rows); i++) {
		expect(rows[i].gpa, SVQ_PERM_W, (int64_t)rows[i].iova);
		expect(rows[i].gpa + (rows[i].size - 1), SVQ_PERM_R,
			(int64_t)(rows[i].iova + (rows[i].size - 1)));
	}
	end();
}

static const struct svq_iova_range x86[] = {{0, 0xfedfffff}, {0xfef00000, (UINT64_C(1) << 48) - 1}};
static const struct svq_iova_range amd[] = {
	{0, 0xfedfffff}, {0xfef00000, 0xfcffffffff}, {TIB, (UINT64_C(1) << 48) - 1}};
static const struct svq_iova_range narrow[] = {
	{0, 0xfedfffff}, {0xfef00000, (UINT64_C(1) << 39) - 1}};

static void
test_apertures(void)
{
	static const uint64_t max_pages[] = {PAGE, 2 * MIB, GIB};
	unsigned int i;

	for (i = 0; i < RTE_DIM(max_pages); i++) {
		test_guest_in(x86, RTE_DIM(x86), max_pages[i]);
		test_guest_in(amd, RTE_DIM(amd), max_pages[i]);
		test_guest_in(narrow, RTE_DIM(narrow), max_pages[i]);
	}
}

/* Filled piece by piece, the space yields every byte outside the holes and no other. */
static void
test_fill(const struct svq_iova_range *apertures, unsigned int n, uint64_t size)
{
	struct svq_iova_alloc_info info;
	struct svq_gpa_row row = {.size = size, .hva = 0x7f0000000000};
	unsigned int bad = 0;
	int ret;

	CU_ASSERT_EQUAL_FATAL(svq_iova_alloc_create(apertures, n, PAGE, &alloc), 0);
	while ((ret = svq_iova_alloc_get(alloc, size, row.hva, PAGE, &row.iova)) == 0)
		bad += !inside(&row, apertures, n);
	CU_ASSERT_EQUAL(ret, -ENOSPC);
	CU_ASSERT_EQUAL(bad, 0);
	svq_iova_alloc_info(alloc, &info);
	CU_ASSERT(info.largest_gap < size);
	svq_iova_alloc_destroy(alloc);
}

static void
test_no_hole_is_used(void)
{
	test_fill(x86, RTE_DIM(x86), 64 * GIB);
	test_fill(amd, RTE_DIM(amd), 64 * GIB);
	test_fill(narrow, RTE_DIM(narrow), 2 * MIB);
	test_fill(narrow, 1, 16 * PAGE);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("aliases", NULL, NULL);

	autotest_add(suite, "every form, either one first", test_forms);
	autotest_add(suite, "example table", test_example);
	autotest_add(suite, "apertures of real devices", test_apertures);
	autotest_add(suite, "no hole is used", test_no_hole_is_used);
}

REGISTER_AUTOTEST(alias_autotest, fill)
