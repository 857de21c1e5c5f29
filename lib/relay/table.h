/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef TABLE_H
#define TABLE_H

/**
 * @file
 * Chains before the device as indirect tables of ours (virtio 1.2, 2.7.5.3 and 2.8.8).
 *
 * Concepts
 *
 * A chain that came as a table, or that grew because its buffers cross regions, or that finds too
 * few free slots, takes one slot of the shadow ring and a table from a pool; the pool was made with
 * the queue, of host-only memory that the device may only read. There are many short tables and a
 * few long ones. Our copy of a table's descriptors
 * is kept in slots behind those of the ring, so whoever follows a chain need not know of tables. A
 * chain that finds none free of its length takes slots of the ring as if there were no tables.
 */

#include "queue_priv.h"
#include "shadow.h"

/** Descriptors of a short table: more than network drivers give for 64 KiB. */
#define SVQ_TABLE_SHORT 32u
/** Short tables of a queue at most; otherwise as many as its ring has descriptors. */
#define SVQ_TABLES_SHORT 512u
/** Long tables, for as many descriptors as the ring has; fewer with a ring of more than 8192. */
#define SVQ_TABLES_LONG 4u

/** Write the @p i -th descriptor of a table. @p flags: VRING_DESC_F_NEXT and VRING_DESC_F_WRITE. */
typedef void (*svq_table_write)(
	void *table, unsigned int i, uint64_t iova, uint32_t len, uint16_t flags);

/** The pool of a queue. @return 0; -ENOMEM; -ENOSPC. svq_tables_free() undoes a part. */
int svq_tables_alloc(struct svq_queue *q, int numa_node);
void svq_tables_free(struct svq_queue *q);
/** All tables are free from now on. */
void svq_tables_reset(struct svq_queue *q);
/** Descriptors of all of them. */
uint32_t svq_tables_descs(const struct svq_queue *q);

/** The tables that a chain of @p pieces descriptors fits. */
static inline struct svq_table_class *
svq_table_class(struct svq_tables *t, uint32_t pieces)
{
	return &t->class[pieces > t->class[0].descs];
}

/** Whether a chain of @p pieces descriptors is to have a table; in the ring it has that many. */
static __rte_always_inline bool
svq_table_suits(struct svq_queue *q, const struct svq_chain *chain, bool kept)
{
	if (likely(chain->pieces == 1))
		return false;
	if (!chain->indirect &&
		(kept ? chain->pieces == chain->n : chain->pieces <= q->shadow.n_free))
		return false;
	return svq_table_class(&q->shadow.tables, chain->pieces)->n_free != 0;
}

/* A table that is being written. */
struct svq_table_cursor {
	void *table;
	uint16_t slot; /* of the ring's and the tables' slots, that keeps the copy */
	unsigned int i, n;
};

static inline void
svq_table_add(struct svq_queue *q, svq_table_write entry, struct svq_table_cursor *c, uint64_t iova,
	uint64_t gpa, uint32_t len, bool writable, bool joined)
{
	entry(c->table, c->i, iova, len,
		(c->i + 1 < c->n ? VRING_DESC_F_NEXT : 0) | (writable ? VRING_DESC_F_WRITE : 0));
	q->shadow.slot[c->slot + c->i] = (struct svq_slot){
		.gpa = gpa,
		.len = len,
		.next = c->slot + c->i + 1,
		.writable = writable,
		.joined = joined,
	};
	c->i++;
}

/** Write a chain that was claimed, and that a table suits. @return its slot. */
static inline uint16_t
svq_table_put(struct svq_queue *q, svq_shadow_write write, svq_table_write entry,
	const struct svq_gpa_map *map, const struct svq_chain *chain, bool kept)
{
	struct svq_shadow_ring *r = &q->shadow;
	const struct svq_gather *ga = &q->gather;
	uint16_t head = kept ? chain->id : r->free[--r->n_free];
	struct svq_table_class *class = svq_table_class(&r->tables, chain->pieces);
	uint32_t at = class->free[--class->n_free];
	struct svq_table_cursor c = {.table = r->tables.mem + at * sizeof(struct vring_desc),
		.slot = q->size + at,
		.n = chain->pieces};
	struct svq_gpa_seg segs[SVQ_GUEST_MAX_REGIONS];
	uint32_t k;
	int i, n;

	for (k = chain->first; k < chain->first + chain->n; k++) {
		bool writable = svq_bit(ga->writable, k);

		if (likely(svq_bit(ga->translated, k))) {
			svq_table_add(
				q, entry, &c, ga->iova[k], ga->gpa[k], ga->len[k], writable, false);
			continue;
		}
		n = svq_gpa_translate(map, ga->gpa[k], ga->len[k],
			writable ? SVQ_PERM_W : SVQ_PERM_R, segs, RTE_DIM(segs));
		for (i = 0; i < n; i++)
			svq_table_add(q, entry, &c, segs[i].iova, segs[i].gpa, segs[i].len,
				writable, i > 0);
		q->stats.splits++;
	}
	r->slot[head].next = q->size + at;
	write(q, head, head, r->tables.iova + at * sizeof(struct vring_desc),
		chain->pieces * sizeof(struct vring_desc), VRING_DESC_F_INDIRECT);
	svq_shadow_record(q, chain, head);
	q->stats.shadow_indirect++;
	return head;
}

#endif /* TABLE_H */
