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

static __rte_always_inline unsigned int
shadow_split_put_plain(
	struct svq_queue *q, unsigned int ahead, unsigned int n, enum svq_slots_mode mode)
{
	const struct svq_shadow_plain p = svq_shadow_plain(q, ahead);
	struct vring_desc *desc = q->shadow.desc;
	uint16_t *ring = q->shadow.avail->ring;
	uint16_t idx = q->shadow.avail_idx + ahead, mask = q->shadow.mask, slot;
	unsigned int i;

	for (i = 0; i < n && svq_shadow_claim_plain(&p, i, &slot, mode); i++) {
		/* VRING_DESC_F_WRITE is bit 1 of the flags, which are behind the length. */
		svq_store_desc_halves(
			&desc[slot], p.iova[i], p.len[i] | (p.writable >> i & 1) << (32 + 1));
		ring[(uint16_t)(idx + i) & mask] = slot;
	}
	return i;
}

static __rte_always_inline bool
shadow_split_publish(struct svq_queue *q, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	uint16_t old = r->avail_idx;

	r->avail_idx = old + n;
	/* Pairs with the device's read barrier between avail->idx and the ring entries. */
	svq_device_wmb();
	svq_store16(&r->avail->idx, r->avail_idx);
	/*
	 * Orders avail->idx before the read of what the device asked for; pairs with the device's
	 * full barrier between asking for kicks and reading avail->idx.
	 */
	svq_device_mb(r->order_platform);
	if (r->event_idx)
		return vring_need_event(
			svq_load16(svq_avail_event(r->used, q->size)), r->avail_idx, old);
	return !(svq_load16(&r->used->flags) & VRING_USED_F_NO_NOTIFY);
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

static __rte_always_inline unsigned int
shadow_split_take_plain(struct svq_queue *q, unsigned int ahead, unsigned int n,
	enum svq_slots_mode mode, bool log, uint64_t *bytes)
{
	struct svq_shadow_taking t = svq_shadow_taking(q, mode, log);
	const struct vring_used_elem *ring = q->shadow.used->ring;
	uint16_t idx = q->shadow.used_idx + ahead, mask = q->shadow.mask;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_used_elem elem = svq_load_used_elem(&ring[(uint16_t)(idx + i) & mask]);

		if (!svq_shadow_take_plain(&t, i, elem.id, elem.len))
			break;
	}
	svq_shadow_free_plain(q, mode, i);
	*bytes += t.bytes;
	return i;
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

/* What vectors make no difference to. */
#define SHADOW_SPLIT_OPS                                                        \
	.put = shadow_split_put, .publish = shadow_split_publish,               \
	.position = shadow_split_position, .used = shadow_split_used,           \
	.more_used = shadow_split_more_used, .get_used = shadow_split_get_used, \
	.skip = shadow_split_skip, .taken = shadow_split_taken

static const struct svq_shadow_ops svq_shadow_split = {
	SHADOW_SPLIT_OPS,
	.put_plain = shadow_split_put_plain,
	.take_plain = shadow_split_take_plain,
};

#endif /* SHADOW_SPLIT_H */
