/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_common.h>

#include <svq_iova.h>

#include "autotest.h"
#include "random.h"

static struct svq_hva_tree *
create(void)
{
	struct svq_hva_tree *tree = NULL;

	CU_ASSERT_EQUAL_FATAL(svq_hva_tree_create(&tree), 0);
	return tree;
}

static void
test_find(void)
{
	static const struct svq_hva_row row = {0x1000, 0x70000, 0x2000, SVQ_PERM_R};
	struct svq_hva_tree *tree = create();
	struct svq_hva_row out = {0};

	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, 0x1000, 1, NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_hva_tree_add(tree, &row), 0);
	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, 0x1000, 0x2000, &out), 0);
	CU_ASSERT(out.iova == row.iova && out.hva == row.hva && out.size == row.size &&
		out.perm == row.perm);
	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, 0x2fff, 1, NULL), 0);
	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, 0x2fff, 2, NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, 0xfff, 2, NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, 0x1000, 0, NULL), -EINVAL);
	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, 0x1000, UINT64_MAX, NULL), -EOVERFLOW);
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, 0x71fff, 1, &out), 0);
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, 0x72000, 1, NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, 0x6ffff, 1, NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, 0x70000, 0, NULL), -EINVAL);
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, UINT64_MAX, 2, NULL), -EOVERFLOW);
	/* An IOVA is not an HVA. */
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, 0x1000, 1, NULL), -ENOENT);
	svq_hva_tree_destroy(tree);
	svq_hva_tree_destroy(NULL);
}

static void
test_refuse(void)
{
	static const struct svq_hva_row row = {0x4000, 0x70000, 0x2000, SVQ_PERM_RW};
	static const struct {
		struct svq_hva_row row;
		int err;
	} bad[] = {
		{{0x8000, 0x80000, 0, SVQ_PERM_R}, -EINVAL},
		{{0x8000, 0x80000, 1, 0}, -EINVAL},
		{{0x8000, 0x80000, 1, 8}, -EINVAL},
		{{UINT64_MAX, 0x80000, 2, SVQ_PERM_R}, -EOVERFLOW},
		{{0x8000, UINT64_MAX, 2, SVQ_PERM_R}, -EOVERFLOW},
		{{0x5fff, 0x80000, 2, SVQ_PERM_R}, -EEXIST},
		{{0x3fff, 0x80000, 2, SVQ_PERM_R}, -EEXIST},
		{{0x3000, 0x80000, 0x8000, SVQ_PERM_R}, -EEXIST},
		{{0x8000, 0x71fff, 2, SVQ_PERM_R}, -EEXIST},
		{{0x8000, 0x6f000, 0x8000, SVQ_PERM_R}, -EEXIST},
	};
	struct svq_hva_tree *tree = create();
	struct svq_hva_row out;
	unsigned int i;

	CU_ASSERT_EQUAL(svq_hva_tree_add(tree, &row), 0);
	for (i = 0; i < RTE_DIM(bad); i++)
		CU_ASSERT_EQUAL(svq_hva_tree_add(tree, &bad[i].row), bad[i].err);
	CU_ASSERT_EQUAL(svq_hva_tree_del(tree, 0x4001, 0x2000, NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_hva_tree_del(tree, 0x4000, 0x1000, NULL), -ERANGE);
	CU_ASSERT_EQUAL(svq_hva_tree_del(tree, 0x4000, 0x2000, &out), 0);
	CU_ASSERT_EQUAL(out.hva, 0x70000);
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, 0x70000, 1, NULL), -ENOENT);
	svq_hva_tree_destroy(tree);
}

static void
test_ends(void)
{
	static const struct svq_hva_row rows[] = {
		{UINT64_MAX - 0xfff, 0, 0x1000, SVQ_PERM_RW},
		{0, UINT64_MAX - 0xfff, 0x1000, SVQ_PERM_RW},
	};
	struct svq_hva_tree *tree = create();

	CU_ASSERT_EQUAL(svq_hva_tree_add(tree, &rows[0]), 0);
	CU_ASSERT_EQUAL(svq_hva_tree_add(tree, &rows[1]), 0);
	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, UINT64_MAX, 1, NULL), 0);
	CU_ASSERT_EQUAL(svq_hva_tree_by_iova(tree, 0, 1, NULL), 0);
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, UINT64_MAX, 1, NULL), 0);
	CU_ASSERT_EQUAL(svq_hva_tree_by_hva(tree, UINT64_MAX, 2, NULL), -EOVERFLOW);
	svq_hva_tree_destroy(tree);
}

/* ---- Against a naive list ---- */

#define N_ROWS 32
#define SPACE  64 /* addresses of each kind */

struct model {
	struct svq_hva_row rows[N_ROWS];
	unsigned int n;
};

static bool
overlap(uint64_t a, uint64_t b, uint64_t a_size, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static int
model_add(struct model *m, const struct svq_hva_row *row)
{
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		const struct svq_hva_row *r = &m->rows[i];

		if (overlap(r->iova, row->iova, r->size, row->size) ||
			overlap(r->hva, row->hva, r->size, row->size))
			return -EEXIST;
	}
	m->rows[m->n++] = *row;
	return 0;
}

static int
model_del(struct model *m, uint64_t iova, uint64_t size)
{
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		if (m->rows[i].iova != iova)
			continue;
		if (m->rows[i].size != size)
			return -ERANGE;
		m->rows[i] = m->rows[--m->n];
		return 0;
	}
	return -ENOENT;
}

static const struct svq_hva_row *
model_find(const struct model *m, uint64_t addr, uint64_t len, bool by_iova)
{
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		uint64_t first = by_iova ? m->rows[i].iova : m->rows[i].hva;

		if (addr >= first && addr + len <= first + m->rows[i].size)
			return &m->rows[i];
	}
	return NULL;
}

/* Returns the number of disagreements. */
static unsigned int
compare(const struct svq_hva_tree *tree, const struct model *m, uint64_t addr, uint64_t len)
{
	unsigned int by_iova, bad = 0;

	for (by_iova = 0; by_iova < 2; by_iova++) {
		const struct svq_hva_row *want = model_find(m, addr, len, by_iova);
		struct svq_hva_row row;
		int ret = by_iova ? svq_hva_tree_by_iova(tree, addr, len, &row)
				  : svq_hva_tree_by_hva(tree, addr, len, &row);

		if (want == NULL)
			bad += ret != -ENOENT;
		else
			bad += ret != 0 || row.iova != want->iova || row.hva != want->hva;
	}
	return bad;
}

static void
test_against_model(void)
{
	struct svq_hva_tree *tree = create();
	static struct model model;
	uint64_t seed = autotest_seed();
	unsigned int i, bad = 0;

	model.n = 0;
	for (i = 0; i < 300000; i++) {
		struct svq_hva_row row = {
			.iova = random_below(&seed, SPACE),
			.hva = random_below(&seed, SPACE),
			.size = 1 + random_below(&seed, 6),
			.perm = SVQ_PERM_RW,
		};
		uint64_t iova = row.iova, size = row.size;

		if (random_below(&seed, 2) == 0 && model.n < N_ROWS) {
			bad += svq_hva_tree_add(tree, &row) != model_add(&model, &row);
		} else {
			if (model.n > 0 && random_below(&seed, 2) == 0) {
				const struct svq_hva_row *r =
					&model.rows[random_below(&seed, model.n)];

				iova = r->iova;
				size = r->size;
			}
			bad += svq_hva_tree_del(tree, iova, size, NULL) !=
				model_del(&model, iova, size);
		}
		bad += compare(
			tree, &model, random_below(&seed, SPACE + 8), 1 + random_below(&seed, 6));
	}
	CU_ASSERT_EQUAL(bad, 0);
	svq_hva_tree_destroy(tree);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("HVA tree", NULL, NULL);

	autotest_add(suite, "find", test_find);
	autotest_add(suite, "add and del refuse", test_refuse);
	autotest_add(suite, "ends of the address space", test_ends);
	autotest_add(suite, "against a model", test_against_model);
}

REGISTER_AUTOTEST(hva_autotest, fill)
