/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>

#include <rte_common.h>
#include <rte_vhost.h>

#include "iova.h"
#include "tree.h"

/* ---- librte_vhost: a scan, with its own function ---- */

static void *
vhost_create(const struct iova_layout *layout)
{
	struct rte_vhost_memory *mem =
		calloc(1, sizeof(*mem) + layout->n * sizeof(mem->regions[0]));
	unsigned int i;

	if (mem == NULL)
		return NULL;
	mem->nregions = layout->n;
	for (i = 0; i < layout->n; i++) {
		mem->regions[i].guest_phys_addr = layout->rows[i].gpa;
		mem->regions[i].size = layout->rows[i].size;
		mem->regions[i].host_user_addr = layout->rows[i].iova;
	}
	return mem;
}

static uint64_t
vhost_burst(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint64_t room = len[i];

		iova[i] = rte_vhost_va_from_guest_pa(ctx, gpa[i], &room);
		done |= (uint64_t)(room == len[i] && len[i] > 0) << i;
	}
	return done;
}

const struct iova_method iova_vhost_scan = {"librte_vhost (scan)", vhost_create, free, vhost_burst};

/* ---- A red-black tree ---- */

struct node {
	struct svq_gpa_row row;
	RB_ENTRY(node) entry;
};

RB_HEAD(peer_tree, node);

static int
compare(const struct node *a, const struct node *b)
{
	return (a->row.gpa > b->row.gpa) - (a->row.gpa < b->row.gpa);
}

TREE_GENERATE(peer_tree, node, entry, compare)

struct rb {
	struct peer_tree tree;
	struct node nodes[IOVA_ROWS_MAX];
};

static void *
rb_create(const struct iova_layout *layout)
{
	struct rb *rb = calloc(1, sizeof(*rb));
	unsigned int i;

	if (rb == NULL)
		return NULL;
	RB_INIT(&rb->tree);
	for (i = 0; i < layout->n; i++) {
		rb->nodes[i].row = layout->rows[i];
		RB_INSERT(peer_tree, &rb->tree, &rb->nodes[i]);
	}
	return rb;
}

static const struct node *
rb_find(const struct rb *rb, uint64_t gpa)
{
	const struct node *node = RB_ROOT(&rb->tree);

	while (node != NULL) {
		if (gpa < node->row.gpa)
			node = RB_LEFT(node, entry);
		else if (gpa - node->row.gpa >= node->row.size)
			node = RB_RIGHT(node, entry);
		else
			return node;
	}
	return NULL;
}

static uint64_t
rb_burst(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct node *node = rb_find(ctx, gpa[i]);

		if (node == NULL || node->row.size - (gpa[i] - node->row.gpa) < len[i])
			continue;
		iova[i] = node->row.iova + (gpa[i] - node->row.gpa);
		done |= UINT64_C(1) << i;
	}
	return done;
}

const struct iova_method iova_rb_tree = {"RB tree", rb_create, free, rb_burst};

/* ---- No lookup ---- */

typedef uint64_t vec __attribute__((vector_size(64), aligned(8), may_alias));

static void *
floor_create(const struct iova_layout *layout)
{
	uint64_t *delta = malloc(sizeof(*delta));

	if (delta != NULL)
		*delta = layout->rows[0].iova - layout->rows[0].gpa;
	return delta;
}

static __rte_always_inline uint64_t
floor_add(const uint64_t *delta, const uint64_t *gpa, uint64_t *iova, unsigned int n)
{
	unsigned int i;

	for (i = 0; i + 8 <= n; i += 8)
		*(vec *)&iova[i] = *(const vec *)&gpa[i] + *delta;
	for (; i < n; i++)
		iova[i] = gpa[i] + *delta;
	return 0;
}

static uint64_t
floor_plain(const uint64_t *delta, const uint64_t *gpa, uint64_t *iova, unsigned int n)
{
	return floor_add(delta, gpa, iova, n);
}

#ifdef RTE_ARCH_X86_64
__attribute__((target("avx512f"))) static uint64_t
floor_avx512(const uint64_t *delta, const uint64_t *gpa, uint64_t *iova, unsigned int n)
{
	return floor_add(delta, gpa, iova, n);
}
#endif

static uint64_t
floor_burst(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	RTE_SET_USED(len);
#ifdef RTE_ARCH_X86_64
	if (__builtin_cpu_supports("avx512f"))
		return floor_avx512(ctx, gpa, iova, n);
#endif
	return floor_plain(ctx, gpa, iova, n);
}

const struct iova_method iova_floor = {"floor (one add)", floor_create, free, floor_burst};
