/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * How QEMU's shadow virtqueue finds an IOVA: a balanced tree of mappings, ordered by IOVA, that is
 * walked from its lowest mapping on until one overlaps the address (iova_tree_find_iova()). Beside
 * it what a tree of the same kind does if it is ordered by what is looked up.
 */

#include <glib.h>

#include "iova.h"

static gint
compare_iova(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct svq_gpa_row *x = a, *y = b;

	(void)data;
	if (x->iova + (x->size - 1) < y->iova)
		return -1;
	return x->iova > y->iova + (y->size - 1);
}

static gint
compare_gpa(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct svq_gpa_row *x = a, *y = b;

	(void)data;
	if (x->gpa + (x->size - 1) < y->gpa)
		return -1;
	return x->gpa > y->gpa + (y->size - 1);
}

static void *
create(const struct iova_layout *layout, GCompareDataFunc compare)
{
	GTree *tree = g_tree_new_full(compare, NULL, NULL, g_free);
	unsigned int i;

	for (i = 0; i < layout->n; i++) {
		struct svq_gpa_row *row = g_new(struct svq_gpa_row, 1);

		*row = layout->rows[i];
		g_tree_insert(tree, row, row);
	}
	return tree;
}

static void *
create_by_iova(const struct iova_layout *layout)
{
	return create(layout, compare_iova);
}

static void *
create_by_gpa(const struct iova_layout *layout)
{
	return create(layout, compare_gpa);
}

static void
destroy(void *ctx)
{
	g_tree_destroy(ctx);
}

struct find {
	const struct svq_gpa_row *needle;
	const struct svq_gpa_row *found;
};

static gboolean
visit(gpointer key, gpointer value, gpointer data)
{
	const struct svq_gpa_row *row = key;
	struct find *find = data;

	(void)value;
	if (row->gpa + (row->size - 1) < find->needle->gpa ||
		find->needle->gpa + (find->needle->size - 1) < row->gpa)
		return FALSE;
	find->found = row;
	return TRUE;
}

static const struct svq_gpa_row *
find_foreach(GTree *tree, const struct svq_gpa_row *needle)
{
	struct find find = {.needle = needle};

	g_tree_foreach(tree, visit, &find);
	return find.found;
}

static const struct svq_gpa_row *
find_lookup(GTree *tree, const struct svq_gpa_row *needle)
{
	return g_tree_lookup(tree, needle);
}

static inline __attribute__((always_inline)) uint64_t
burst(GTree *tree, const struct svq_gpa_row *(*find)(GTree *, const struct svq_gpa_row *),
	const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct svq_gpa_row needle = {.gpa = gpa[i], .size = 1};
		const struct svq_gpa_row *row = find(tree, &needle);

		if (row == NULL || row->size - (gpa[i] - row->gpa) < len[i])
			continue;
		iova[i] = row->iova + (gpa[i] - row->gpa);
		done |= UINT64_C(1) << i;
	}
	return done;
}

static uint64_t
burst_foreach(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	return burst(ctx, find_foreach, gpa, len, iova, n);
}

static uint64_t
burst_lookup(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	return burst(ctx, find_lookup, gpa, len, iova, n);
}

const struct iova_method iova_qemu_foreach = {
	"QEMU (GTree foreach)", create_by_iova, destroy, burst_foreach};
const struct iova_method iova_qemu_lookup = {"GTree lookup", create_by_gpa, destroy, burst_lookup};
