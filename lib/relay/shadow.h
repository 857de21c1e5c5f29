/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_H
#define SHADOW_H

/**
 * @file
 * A translated chain on its way into the shadow ring and back, whatever the ring's format: slots
 * keep our copy; the format writes the descriptors.
 */

#include "queue_priv.h"

/**
 * Write one descriptor.
 *
 * @param slot
 *   The slot that keeps our copy; the chain's first one is its id for the device.
 * @param head
 *   The chain's first slot.
 * @param flags
 *   VRING_DESC_F_NEXT and VRING_DESC_F_WRITE.
 */
typedef void (*svq_shadow_write)(struct svq_queue *q, uint16_t slot, uint16_t head, uint64_t iova,
	uint32_t len, uint16_t flags);

/* A chain that is being written. */
struct svq_shadow_cursor {
	uint16_t head;
	uint16_t slot; /* the one to write */
	uint32_t left; /* slots that the chain still takes */
};

static __rte_always_inline void
svq_shadow_add(struct svq_queue *q, svq_shadow_write write, struct svq_shadow_cursor *c,
	uint64_t iova, uint64_t gpa, uint32_t len, bool writable, bool joined)
{
	struct svq_shadow_ring *r = &q->shadow;
	struct svq_slot *slot = &r->slot[c->slot];

	slot->next = c->left > 1 ? r->free[--r->n_free] : 0;
	write(q, c->slot, c->head, iova, len,
		(--c->left != 0 ? VRING_DESC_F_NEXT : 0) | (writable ? VRING_DESC_F_WRITE : 0));
	slot->gpa = gpa;
	slot->len = len;
	slot->writable = writable;
	slot->joined = joined;
	c->slot = slot->next;
}

/* A buffer that spans mappings. */
static inline void
svq_shadow_add_spanning(struct svq_queue *q, svq_shadow_write write, struct svq_shadow_cursor *c,
	const struct svq_gpa_map *map, uint32_t entry, bool writable)
{
	struct svq_gpa_seg segs[SVQ_GUEST_MAX_REGIONS];
	int k, n;

	/* The snapshot is the one that svq_chain_slots() asked, so the answer is the same. */
	n = svq_gpa_translate(map, q->gather.gpa[entry], q->gather.len[entry],
		writable ? SVQ_PERM_W : SVQ_PERM_R, segs, RTE_DIM(segs));
	for (k = 0; k < n; k++)
		svq_shadow_add(
			q, write, c, segs[k].iova, segs[k].gpa, segs[k].len, writable, k > 0);
	q->stats.splits++;
}

/** Write a chain into free slots, of which there are enough. @return its first slot. */
static __rte_always_inline uint16_t
svq_shadow_put(struct svq_queue *q, svq_shadow_write write, const struct svq_gpa_map *map,
	const struct svq_chain *chain)
{
	struct svq_shadow_ring *r = &q->shadow;
	const struct svq_gather *ga = &q->gather;
	uint16_t head = r->free[--r->n_free];
	struct svq_shadow_cursor c = {.head = head, .slot = head, .left = chain->slots};
	uint32_t k;

	for (k = chain->first; k < chain->first + chain->n; k++) {
		bool writable = svq_bit(ga->writable, k);

		if (likely(svq_bit(ga->translated, k)))
			svq_shadow_add(
				q, write, &c, ga->iova[k], ga->gpa[k], ga->len[k], writable, false);
		else
			svq_shadow_add_spanning(q, write, &c, map, k, writable);
	}
	r->flight[head] = (struct svq_flight){
		.seq = chain->seq,
		.writable = chain->writable,
		.id = chain->id,
		.origin = chain->slots > 1 || chain->indirect,
		.slots = chain->slots,
	};
	if (chain->slots > 1 || chain->indirect)
		r->origin[head] = (struct svq_origin){
			.table_gpa = chain->table_gpa,
			.table_len = chain->table_len,
			.places = chain->places,
		};
	q->guest.ids[chain->id / 64] |= UINT64_C(1) << (chain->id % 64);
	return head;
}

/** The chain is in flight no more. */
static __rte_always_inline void
svq_shadow_release(struct svq_queue *q, uint16_t head)
{
	struct svq_shadow_ring *r = &q->shadow;
	struct svq_flight *flight = &r->flight[head];
	uint16_t slot = head;
	unsigned int i;

	r->free[r->n_free++] = head;
	for (i = flight->slots; unlikely(i > 1); i--) {
		slot = r->slot[slot].next;
		r->free[r->n_free++] = slot;
	}
	flight->slots = 0;
	q->guest.ids[flight->id / 64] &= ~(UINT64_C(1) << (flight->id % 64));
}

/** Whether a device may return this id and length. */
static __rte_always_inline enum svq_queue_error
svq_shadow_check_used(const struct svq_queue *q, uint32_t id, uint32_t len)
{
	if (unlikely(id >= q->size || q->shadow.flight[id].slots == 0))
		return SVQ_QUEUE_E_USED_ID;
	if (unlikely(len > q->shadow.flight[id].writable))
		return SVQ_QUEUE_E_USED_LEN;
	return SVQ_QUEUE_OK;
}

#endif /* SHADOW_H */
