/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_SPLIT_H
#define SHADOW_SPLIT_H

/**
 * @file
 * The device's side, split ring: we are the driver (virtio 1.2, 2.7).
 */

#include "queue_priv.h"
#include "split.h"

static __rte_always_inline void
shadow_split_write(struct svq_shadow_ring *r, uint16_t i, uint64_t iova, uint64_t gpa, uint32_t len,
	bool writable, bool joined)
{
	struct svq_slot *slot = &r->slot[i];

	r->desc[i] = (struct vring_desc){
		.addr = iova,
		.len = len,
		.flags = VRING_DESC_F_NEXT | (writable ? VRING_DESC_F_WRITE : 0),
		.next = slot->next,
	};
	slot->gpa = gpa;
	slot->len = len;
	slot->writable = writable;
	slot->joined = joined;
}

/* Write a buffer that spans mappings. @return the last slot written; @p i is the next free one. */
static inline uint16_t
shadow_split_write_spanning(struct svq_queue *q, const struct svq_gpa_map *map, uint32_t entry,
	bool writable, uint16_t *i)
{
	struct svq_gpa_seg segs[SVQ_GUEST_MAX_REGIONS];
	struct svq_shadow_ring *r = &q->shadow;
	uint16_t last = *i;
	int k, n;

	/* The snapshot is the one that svq_chain_slots() asked, so the answer is the same. */
	n = svq_gpa_translate(map, q->gather.gpa[entry], q->gather.len[entry],
		writable ? SVQ_PERM_W : SVQ_PERM_R, segs, RTE_DIM(segs));
	for (k = 0; k < n; k++) {
		shadow_split_write(r, *i, segs[k].iova, segs[k].gpa, segs[k].len, writable, k > 0);
		last = *i;
		*i = r->slot[last].next;
	}
	q->stats.splits++;
	return last;
}

static __rte_always_inline void
shadow_split_put(struct svq_queue *q, const struct svq_gpa_map *map, const struct svq_chain *chain,
	unsigned int ahead)
{
	struct svq_shadow_ring *r = &q->shadow;
	const struct svq_gather *ga = &q->gather;
	uint16_t head = r->free_head, i = head, last = head;
	uint32_t k;

	for (k = chain->first; k < chain->first + chain->n; k++) {
		bool writable = svq_bit(ga->writable, k);

		if (likely(svq_bit(ga->translated, k))) {
			shadow_split_write(
				r, i, ga->iova[k], ga->gpa[k], ga->len[k], writable, false);
			last = i;
			i = r->slot[i].next;
		} else {
			last = shadow_split_write_spanning(q, map, k, writable, &i);
		}
	}
	r->desc[last].flags &= ~VRING_DESC_F_NEXT;
	r->free_head = i;
	r->n_free -= chain->slots;
	r->flight[head] = (struct svq_flight){
		.seq = q->seq + ahead,
		.writable = chain->writable,
		.id = chain->id,
		.head = head,
		.slots = chain->slots,
		.place = chain->place,
		.places = chain->places,
		.table_len = chain->table_len,
		.table_gpa = chain->table_gpa,
	};
	r->avail->ring[(uint16_t)(r->avail_idx + ahead) & r->mask] = head;
}

static __rte_always_inline bool
shadow_split_publish(struct svq_queue *q, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	uint16_t old = r->avail_idx;

	r->avail_idx = old + n;
	/* Pairs with the device's read barrier between avail->idx and the ring entries. */
	svq_store16_release(&r->avail->idx, r->avail_idx);
	/*
	 * Orders avail->idx before the read of what the device asked for; pairs with the device's
	 * full barrier between asking for kicks and reading avail->idx.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	if (r->event_idx)
		return vring_need_event(
			svq_load16(svq_avail_event(r->used, q->size)), r->avail_idx, old);
	return !(svq_load16(&r->used->flags) & VRING_USED_F_NO_NOTIFY);
}

static __rte_always_inline enum svq_queue_error
shadow_split_used(const struct svq_queue *q, unsigned int *n)
{
	/* Pairs with the device's write barrier between the used entry and used->idx. */
	uint16_t idx = svq_load16_acquire(&q->shadow.used->idx);
	uint16_t ahead = idx - q->shadow.used_idx;

	if (unlikely(ahead > q->inflight)) {
		*n = idx;
		return SVQ_QUEUE_E_USED_IDX;
	}
	*n = ahead;
	return SVQ_QUEUE_OK;
}

static __rte_always_inline enum svq_queue_error
shadow_split_get_used(struct svq_queue *q, unsigned int ahead, uint16_t *head, uint32_t *len)
{
	const struct svq_shadow_ring *r = &q->shadow;
	struct vring_used_elem elem =
		svq_load_used_elem(&r->used->ring[(uint16_t)(r->used_idx + ahead) & r->mask]);

	*head = (uint16_t)elem.id;
	*len = elem.len;
	if (unlikely(elem.id >= q->size || r->flight[elem.id].slots == 0))
		return SVQ_QUEUE_E_USED_ID;
	if (unlikely(elem.len > r->flight[elem.id].writable))
		return SVQ_QUEUE_E_USED_LEN;
	return SVQ_QUEUE_OK;
}

static __rte_always_inline void
shadow_split_taken(struct svq_queue *q, unsigned int n)
{
	q->shadow.used_idx += n;
}

static const struct svq_shadow_ops svq_shadow_split = {
	.put = shadow_split_put,
	.publish = shadow_split_publish,
	.used = shadow_split_used,
	.get_used = shadow_split_get_used,
	.taken = shadow_split_taken,
};

#endif /* SHADOW_SPLIT_H */
