/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_rcu_qsbr.h>

#include "gpa_map.h"
#include "tree.h"

struct node {
	struct svq_gpa_row row;
	RB_ENTRY(node) entry;
	struct node *spare; /* next in the list of spares */
};

RB_HEAD(gpa_tree, node);

struct svq_gpa_table {
	struct gpa_tree tree;
	unsigned int n;
	bool dirty; /* the tree differs from the snapshot */
	/* Nodes removed since the last publish: whoever must undo a change needs no memory. */
	struct node *spares;
	struct rte_rcu_qsbr *qsbr;
	_Atomic(struct svq_gpa_map *) map;
};

static int
compare(const struct node *a, const struct node *b)
{
	return (a->row.gpa > b->row.gpa) - (a->row.gpa < b->row.gpa);
}

TREE_GENERATE(gpa_tree, node, entry, compare)

int
svq_gpa_table_create(struct rte_rcu_qsbr *qsbr, struct svq_gpa_table **table)
{
	struct svq_gpa_table *t = calloc(1, sizeof(*t));
	struct svq_gpa_map *map = svq_gpa_map_new(0);

	if (t == NULL || map == NULL || svq_gpa_map_seal(map) < 0) {
		svq_gpa_map_free(map);
		free(t);
		return -ENOMEM;
	}
	RB_INIT(&t->tree);
	t->qsbr = qsbr;
	atomic_init(&t->map, map);
	*table = t;
	return 0;
}

static void
free_spares(struct svq_gpa_table *table)
{
	while (table->spares != NULL) {
		struct node *node = table->spares;

		table->spares = node->spare;
		free(node);
	}
}

void
svq_gpa_table_destroy(struct svq_gpa_table *table)
{
	struct node *node, *next;

	if (table == NULL)
		return;
	RB_FOREACH_SAFE (node, gpa_tree, &table->tree, next) {
		RB_REMOVE(gpa_tree, &table->tree, node);
		free(node);
	}
	free_spares(table);
	svq_gpa_map_free(atomic_load_explicit(&table->map, memory_order_relaxed));
	free(table);
}

static bool
wraps(uint64_t first, uint64_t size)
{
	return size - 1 > UINT64_MAX - first;
}

static bool
overlaps(const struct svq_gpa_row *a, const struct svq_gpa_row *b)
{
	return a->gpa - b->gpa < b->size || b->gpa - a->gpa < a->size;
}

static struct node *
take_node(struct svq_gpa_table *table)
{
	struct node *node = table->spares;

	if (node == NULL)
		return malloc(sizeof(*node));
	table->spares = node->spare;
	return node;
}

int
svq_gpa_table_add(struct svq_gpa_table *table, const struct svq_gpa_row *row)
{
	struct node key = {.row = *row};
	struct node *next, *prev, *node;

	if (row->size == 0 || row->perm == 0 || (row->perm & ~(uint32_t)SVQ_PERM_RW) != 0)
		return -EINVAL;
	if (wraps(row->gpa, row->size) || wraps(row->iova, row->size) || wraps(row->hva, row->size))
		return -EOVERFLOW;
	next = RB_NFIND(gpa_tree, &table->tree, &key);
	prev = next != NULL ? RB_PREV(gpa_tree, &table->tree, next)
			    : RB_MAX(gpa_tree, &table->tree);
	if ((next != NULL && overlaps(&next->row, row)) ||
		(prev != NULL && overlaps(&prev->row, row)))
		return -EEXIST;
	node = take_node(table);
	if (node == NULL)
		return -ENOMEM;
	node->row = *row;
	RB_INSERT(gpa_tree, &table->tree, node);
	table->n++;
	table->dirty = true;
	return 0;
}

int
svq_gpa_table_del(struct svq_gpa_table *table, uint64_t gpa, uint64_t size, struct svq_gpa_row *row)
{
	struct node key = {.row = {.gpa = gpa}};
	struct node *node = RB_FIND(gpa_tree, &table->tree, &key);

	if (node == NULL)
		return -ENOENT;
	if (node->row.size != size)
		return -ERANGE;
	if (row != NULL)
		*row = node->row;
	RB_REMOVE(gpa_tree, &table->tree, node);
	node->spare = table->spares;
	table->spares = node;
	table->n--;
	table->dirty = true;
	return 0;
}

int
svq_gpa_table_publish(struct svq_gpa_table *table)
{
	struct svq_gpa_map *old, *map;
	struct node *node;
	int ret;

	if (!table->dirty)
		return 0;
	map = svq_gpa_map_new(table->n);
	if (map == NULL)
		return -ENOMEM;
	RB_FOREACH (node, gpa_tree, &table->tree)
		svq_gpa_map_append(map, &node->row);
	ret = svq_gpa_map_seal(map);
	if (ret < 0) {
		svq_gpa_map_free(map);
		return ret;
	}
	old = atomic_load_explicit(&table->map, memory_order_relaxed);
	/* Pairs with the acquire in svq_gpa_table_map(), or of svq_gpa_table_map_at(): who sees the
	 * snapshot sees its rows. */
	atomic_store_explicit(&table->map, map, memory_order_release);
	if (table->qsbr != NULL) {
		/* rte_rcu_qsbr_synchronize() from outside the readers, spelt out: these two are
		 * inline, so a thread sanitizer sees the order that they make. */
		uint64_t token = rte_rcu_qsbr_start(table->qsbr);

		rte_rcu_qsbr_check(table->qsbr, token, true);
	}
	svq_gpa_map_free(old);
	free_spares(table);
	table->dirty = false;
	return 0;
}

void
svq_gpa_table_walk(const struct svq_gpa_table *table,
	void (*cb)(const struct svq_gpa_row *row, void *arg), void *arg)
{
	struct gpa_tree *tree = (struct gpa_tree *)(uintptr_t)&table->tree;
	struct node *node;

	RB_FOREACH (node, gpa_tree, tree)
		cb(&node->row, arg);
}

const struct svq_gpa_map *
svq_gpa_table_map(const struct svq_gpa_table *table)
{
	/* Pairs with the release in svq_gpa_table_publish(). */
	return atomic_load_explicit(&table->map, memory_order_acquire);
}

const struct svq_gpa_map *const *
svq_gpa_table_map_at(const struct svq_gpa_table *table)
{
	RTE_BUILD_BUG_ON(sizeof(table->map) != sizeof(const struct svq_gpa_map *));
	return (const struct svq_gpa_map *const *)&table->map;
}
