/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>

#include <svq_iova.h>

#include "tree.h"

/* Host-only mappings overlap in neither address, so one node stands in a tree for each. */
struct node {
	struct svq_hva_row row;
	RB_ENTRY(node) by_iova;
	RB_ENTRY(node) by_hva;
};

RB_HEAD(iova_tree, node);
RB_HEAD(hva_tree, node);

struct svq_hva_tree {
	struct iova_tree by_iova;
	struct hva_tree by_hva;
};

static int
compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_iova(const struct node *a, const struct node *b)
{
	return compare(a->row.iova, b->row.iova);
}

static int
compare_hva(const struct node *a, const struct node *b)
{
	return compare(a->row.hva, b->row.hva);
}

TREE_GENERATE(iova_tree, node, by_iova, compare_iova)
TREE_GENERATE(hva_tree, node, by_hva, compare_hva)

int
svq_hva_tree_create(struct svq_hva_tree **tree)
{
	struct svq_hva_tree *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	RB_INIT(&t->by_iova);
	RB_INIT(&t->by_hva);
	*tree = t;
	return 0;
}

void
svq_hva_tree_destroy(struct svq_hva_tree *tree)
{
	struct node *node, *next;

	if (tree == NULL)
		return;
	RB_FOREACH_SAFE (node, iova_tree, &tree->by_iova, next) {
		RB_REMOVE(iova_tree, &tree->by_iova, node);
		free(node);
	}
	free(tree);
}

static bool
wraps(uint64_t first, uint64_t size)
{
	return size - 1 > UINT64_MAX - first;
}

/* The last node that starts at or below the address; NULL if there is none. */
static struct node *
floor_iova(const struct svq_hva_tree *tree, uint64_t iova)
{
	struct iova_tree *t = (struct iova_tree *)(uintptr_t)&tree->by_iova;
	struct node key = {.row = {.iova = iova}};
	struct node *node = RB_NFIND(iova_tree, t, &key);

	if (node != NULL && node->row.iova == iova)
		return node;
	return node != NULL ? RB_PREV(iova_tree, t, node) : RB_MAX(iova_tree, t);
}

static struct node *
floor_hva(const struct svq_hva_tree *tree, uint64_t hva)
{
	struct hva_tree *t = (struct hva_tree *)(uintptr_t)&tree->by_hva;
	struct node key = {.row = {.hva = hva}};
	struct node *node = RB_NFIND(hva_tree, t, &key);

	if (node != NULL && node->row.hva == hva)
		return node;
	return node != NULL ? RB_PREV(hva_tree, t, node) : RB_MAX(hva_tree, t);
}

/* A range overlaps a mapping if the last mapping that starts at or below its last byte reaches its
 * first byte. */
static bool
taken(const struct svq_hva_tree *tree, const struct svq_hva_row *row)
{
	const struct node *node = floor_iova(tree, row->iova + (row->size - 1));

	if (node != NULL && node->row.iova + (node->row.size - 1) >= row->iova)
		return true;
	node = floor_hva(tree, row->hva + (row->size - 1));
	return node != NULL && node->row.hva + (node->row.size - 1) >= row->hva;
}

int
svq_hva_tree_add(struct svq_hva_tree *tree, const struct svq_hva_row *row)
{
	struct node *node;

	if (row->size == 0 || row->perm == 0 || (row->perm & ~(uint32_t)SVQ_PERM_RW) != 0)
		return -EINVAL;
	if (wraps(row->iova, row->size) || wraps(row->hva, row->size))
		return -EOVERFLOW;
	if (taken(tree, row))
		return -EEXIST;
	node = malloc(sizeof(*node));
	if (node == NULL)
		return -ENOMEM;
	node->row = *row;
	RB_INSERT(iova_tree, &tree->by_iova, node);
	RB_INSERT(hva_tree, &tree->by_hva, node);
	return 0;
}

int
svq_hva_tree_del(struct svq_hva_tree *tree, uint64_t iova, uint64_t size, struct svq_hva_row *row)
{
	struct node key = {.row = {.iova = iova}};
	struct node *node = RB_FIND(iova_tree, &tree->by_iova, &key);

	if (node == NULL)
		return -ENOENT;
	if (node->row.size != size)
		return -ERANGE;
	if (row != NULL)
		*row = node->row;
	RB_REMOVE(iova_tree, &tree->by_iova, node);
	RB_REMOVE(hva_tree, &tree->by_hva, node);
	free(node);
	return 0;
}

/* The mapping, if len bytes from off lie wholly inside it. */
static int
answer(const struct node *node, uint64_t off, uint64_t len, struct svq_hva_row *row)
{
	if (node == NULL || off >= node->row.size || len > node->row.size - off)
		return -ENOENT;
	if (row != NULL)
		*row = node->row;
	return 0;
}

int
svq_hva_tree_by_iova(
	const struct svq_hva_tree *tree, uint64_t iova, uint64_t len, struct svq_hva_row *row)
{
	const struct node *node;

	if (len == 0)
		return -EINVAL;
	if (wraps(iova, len))
		return -EOVERFLOW;
	node = floor_iova(tree, iova);
	return answer(node, node != NULL ? iova - node->row.iova : 0, len, row);
}

int
svq_hva_tree_by_hva(
	const struct svq_hva_tree *tree, uint64_t hva, uint64_t len, struct svq_hva_row *row)
{
	const struct node *node;

	if (len == 0)
		return -EINVAL;
	if (wraps(hva, len))
		return -EOVERFLOW;
	node = floor_hva(tree, hva);
	return answer(node, node != NULL ? hva - node->row.hva : 0, len, row);
}

void
svq_hva_tree_walk(const struct svq_hva_tree *tree,
	void (*cb)(const struct svq_hva_row *row, void *arg), void *arg)
{
	struct iova_tree *t = (struct iova_tree *)(uintptr_t)&tree->by_iova;
	struct node *node;

	RB_FOREACH (node, iova_tree, t)
		cb(&node->row, arg);
}
