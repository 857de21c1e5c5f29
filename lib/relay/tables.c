/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>

#include <rte_malloc.h>

#include "table.h"

int
svq_tables_alloc(struct svq_queue *q, int numa_node)
{
	struct svq_tables *t = &q->shadow.tables;

	/* No longer than the ring (virtio 1.2, 2.7.5.3.1). */
	t->descs = RTE_MIN(q->size, SVQ_TABLE_DESCS);
	t->n = RTE_MIN(q->size, SVQ_TABLES_MAX);
	t->mem = svq_dma_host_alloc(q->dma, (uint64_t)t->n * t->descs * sizeof(struct vring_desc),
		numa_node, SVQ_PERM_R, &t->iova);
	if (t->mem == NULL)
		return -errno;
	t->free = rte_malloc_socket("svq_tables", t->n * sizeof(*t->free), RTE_CACHE_LINE_SIZE,
		numa_node < 0 ? SOCKET_ID_ANY : numa_node);
	return t->free == NULL ? -ENOMEM : 0;
}

void
svq_tables_free(struct svq_queue *q)
{
	svq_dma_host_free(q->dma, q->shadow.tables.mem);
	rte_free(q->shadow.tables.free);
}

void
svq_tables_reset(struct svq_queue *q)
{
	struct svq_tables *t = &q->shadow.tables;

	for (t->n_free = 0; t->n_free < t->n; t->n_free++)
		t->free[t->n_free] = (t->n - 1 - t->n_free) * t->descs;
}
