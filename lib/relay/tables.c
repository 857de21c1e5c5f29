/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>

#include <rte_malloc.h>

#include "table.h"

/* Slots have 16 bits, and offsets are slots behind those of the ring. */
static unsigned int
long_tables(uint32_t size, uint32_t first)
{
	return size <= SVQ_TABLE_SHORT
		? 0
		: RTE_MIN((UINT16_MAX - size - first) / size, SVQ_TABLES_LONG);
}

uint32_t
svq_tables_descs(const struct svq_queue *q)
{
	const struct svq_table_class *c = &q->shadow.tables.class[1];

	return c->first + c->n * c->descs;
}

int
svq_tables_alloc(struct svq_queue *q, int numa_node)
{
	struct svq_tables *t = &q->shadow.tables;
	struct svq_table_class *s = &t->class[0], *l = &t->class[1];

	/* None is longer than the ring (virtio 1.2, 2.7.5.3.1). */
	s->descs = RTE_MIN(q->size, SVQ_TABLE_SHORT);
	s->n = RTE_MIN(q->size, SVQ_TABLES_SHORT);
	l->descs = q->size;
	l->first = s->n * s->descs;
	l->n = long_tables(q->size, l->first);
	t->mem = svq_dma_host_alloc(q->dma,
		(uint64_t)svq_tables_descs(q) * sizeof(struct vring_desc), numa_node, SVQ_PERM_R,
		&t->iova);
	if (t->mem == NULL)
		return -errno;
	s->free = rte_malloc_socket("svq_tables", (s->n + l->n) * sizeof(*s->free),
		RTE_CACHE_LINE_SIZE, numa_node < 0 ? SOCKET_ID_ANY : numa_node);
	if (s->free == NULL)
		return -ENOMEM;
	l->free = s->free + s->n;
	return 0;
}

void
svq_tables_free(struct svq_queue *q)
{
	svq_dma_host_free(q->dma, q->shadow.tables.mem);
	rte_free(q->shadow.tables.class[0].free);
}

void
svq_tables_reset(struct svq_queue *q)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(q->shadow.tables.class); i++) {
		struct svq_table_class *c = &q->shadow.tables.class[i];

		for (c->n_free = 0; c->n_free < c->n; c->n_free++)
			c->free[c->n_free] = c->first + (c->n - 1 - c->n_free) * c->descs;
	}
}
