/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_SPLIT_H
#define SHADOW_SPLIT_H

/**
 * @file
 * The device's side, split ring: we are the driver (virtio 1.2, 2.7).
 */

#include "barrier.h"
#include "queue_priv.h"
#include "shadow.h"
#include "split.h"
#include "table.h"

static __rte_always_inline void
shadow_split_write(struct svq_queue *q, uint16_t slot, uint16_t head, uint64_t iova, uint32_t len,
	uint16_t flags)
{
	RTE_SET_USED(head);
	q->shadow.desc[slot] = (struct vring_desc){
		.addr = iova,
		.len = len,
		.flags = flags,
		.next = q->shadow.slot[slot].next,
	};
}

static inline void
shadow_split_entry(void *table, unsigned int i, uint64_t iova, uint32_t len, uint16_t flags)
{
	((struct vring_desc *)table)[i] = (struct vring_desc){
		.addr = iova,
		.len = len,
		.flags = flags,
		.next = flags & VRING_DESC_F_NEXT ? i + 1 : 0,
	};
}

static __rte_always_inline uint16_t
shadow_split_put_any(struct svq_queue *q, const struct svq_gpa_map *map,
	const struct svq_chain *chain, bool kept)
{
	if (likely(chain->slots == chain->pieces))
		return svq_shadow_put(q, shadow_split_write, map, chain, kept);
	return svq_table_put(q, shadow_split_write, shadow_split_entry, map, chain, kept);
}

static __rte_always_inline void
shadow_split_put(struct svq_queue *q, const struct svq_gpa_map *map, const struct svq_chain *chain,
	unsigned int ahead, bool kept)
{
	struct svq_shadow_ring *r = &q->shadow;

	r->avail->ring[(uint16_t)(r->avail_idx + ahead) & r->mask] =
		shadow_split_put_any(q, map, chain, kept);
}

static __rte_always_inline void
shadow_split_to(const struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	run->at = (uint16_t)(q->shadow.avail_idx + ahead) & q->shadow.mask;
	run->wrap = false;
}

static __rte_always_inline struct svq_piece
shadow_split_writes(struct svq_queue *q, const struct svq_run *run)
{
	return (struct svq_piece){
		.entry = &q->shadow.avail->ring[run->at],
		.desc = q->shadow.desc,
		.expected = run->writes ? VRING_DESC_F_WRITE * SVQ_HALF_ONE : 0,
	};
}

static __rte_always_inline void
shadow_split_write_plain(struct svq_piece *p, size_t i, uint64_t iova, uint64_t half)
{
	const uint16_t slot = half >> 32;

	svq_store_desc_halves(
		(struct vring_desc *)p->desc + slot, iova, (uint32_t)half | p->expected);
	((uint16_t *)p->entry)[i] = slot;
}

static __rte_always_inline void
shadow_split_stored(struct svq_queue *q, const struct svq_run *run, unsigned int n)
{
	RTE_SET_USED(q);
	RTE_SET_USED(run);
	RTE_SET_USED(n);
}

static __rte_always_inline bool
shadow_split_publish(struct svq_queue *q, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	const struct vring_used *used = r->used;
	const bool event_idx = r->event_idx;
	const uint16_t old = r->avail_idx, new = old + n;

	r->avail_idx = new;
	/* Pairs with the device's read barrier between avail->idx and the ring entries. */
	svq_device_wmb();
	svq_store16(&r->avail->idx, new);
	/*
	 * Orders avail->idx before the read of what the device asked for; pairs with the device's
	 * full barrier between asking for kicks and reading avail->idx.
	 */
	svq_device_mb(r->order_platform);
	if (event_idx)
		return vring_need_event(svq_load16(svq_avail_event(r->used, q->size)), new, old);
	return !(svq_load16(&used->flags) & VRING_USED_F_NO_NOTIFY);
}

static __rte_always_inline uint16_t
shadow_split_position(const struct svq_queue *q)
{
	return q->shadow.avail_idx;
}

static __rte_always_inline enum svq_queue_error
shadow_split_used(const struct svq_queue *q, unsigned int *n)
{
	uint16_t idx = svq_load16(&q->shadow.used->idx);
	uint16_t ahead = idx - q->shadow.used_idx;

	/* Pairs with the device's write barrier between the used entry and used->idx. */
	svq_device_rmb();
	if (unlikely(ahead > q->inflight - q->held)) {
		*n = idx;
		return SVQ_QUEUE_E_USED_IDX;
	}
	*n = ahead;
	return SVQ_QUEUE_OK;
}

/* used() told all there are. */
static __rte_always_inline bool
shadow_split_more_used(const struct svq_queue *q, unsigned int ahead)
{
	RTE_SET_USED(q);
	RTE_SET_USED(ahead);
	return true;
}

static __rte_always_inline void
shadow_split_from(const struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	run->at = (uint16_t)(q->shadow.used_idx + ahead) & q->shadow.mask;
	run->wrap = false;
}

static __rte_always_inline struct svq_piece
shadow_split_takes(const struct svq_queue *q, const struct svq_run *run)
{
	return (struct svq_piece){.entry = &q->shadow.used->ring[run->at]};
}

static __rte_always_inline bool
shadow_split_take(const struct svq_piece *p, size_t i, uint32_t *id, uint32_t *len)
{
	struct vring_used_elem elem =
		svq_load_used_elem((const struct vring_used_elem *)p->entry + i);

	*id = elem.id;
	*len = elem.len;
	return true;
}

static __rte_always_inline void
shadow_split_passed(struct svq_queue *q, const struct svq_run *run)
{
	RTE_SET_USED(q);
	RTE_SET_USED(run);
}

static __rte_always_inline enum svq_queue_error
shadow_split_get_used(struct svq_queue *q, unsigned int ahead, struct svq_used *used, bool *none)
{
	const struct svq_shadow_ring *r = &q->shadow;
	struct vring_used_elem elem =
		svq_load_used_elem(&r->used->ring[(uint16_t)(r->used_idx + ahead) & r->mask]);

	*none = false;
	return svq_shadow_check_used(q, elem.id, elem.len, used);
}

/* A used entry stands where that of its first chain would. */
static __rte_always_inline void
shadow_split_skip(struct svq_queue *q, unsigned int slots)
{
	RTE_SET_USED(q);
	RTE_SET_USED(slots);
}

static __rte_always_inline void
shadow_split_taken(struct svq_queue *q, unsigned int n)
{
	q->shadow.used_idx += n;
}

static const struct svq_shadow_ops svq_shadow_split = {
	.to = shadow_split_to,
	.writes = shadow_split_writes,
	.write = shadow_split_write_plain,
	.stored = shadow_split_stored,
	.put = shadow_split_put,
	.publish = shadow_split_publish,
	.position = shadow_split_position,
	.used = shadow_split_used,
	.more_used = shadow_split_more_used,
	.from = shadow_split_from,
	.takes = shadow_split_takes,
	.take = shadow_split_take,
	.passed = shadow_split_passed,
	.get_used = shadow_split_get_used,
	.skip = shadow_split_skip,
	.taken = shadow_split_taken,
};

#endif /* SHADOW_SPLIT_H */
