/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_H
#define SHADOW_H

/**
 * @file
 * A translated chain on its way into the shadow ring and back, whatever the ring's format: slots
 * keep our copy; the format writes the descriptors. Which slots a chain takes: slots.c.
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
	uint16_t slot;	    /* the one to write */
	uint32_t left;	    /* slots that the chain still takes */
	const uint16_t *at; /* ids kept: of the one to write */
};

static __rte_always_inline void
svq_shadow_add(struct svq_queue *q, svq_shadow_write write, struct svq_shadow_cursor *c,
	uint64_t iova, uint64_t gpa, uint32_t len, bool writable, bool joined, bool kept)
{
	struct svq_shadow_ring *r = &q->shadow;
	struct svq_slot *slot = &r->slot[c->slot];

	slot->next = c->left == 1 ? 0 : kept ? *++c->at : r->free[--r->n_free];
	write(q, c->slot, c->head, iova, len,
		(--c->left != 0 ? VRING_DESC_F_NEXT : 0) | (writable ? VRING_DESC_F_WRITE : 0));
	slot->gpa = gpa;
	slot->len = len;
	slot->writable = writable;
	slot->joined = joined;
	c->slot = slot->next;
}

/* A buffer that spans mappings: its pieces have no ids to keep. */
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
		svq_shadow_add(q, write, c, segs[k].iova, segs[k].gpa, segs[k].len, writable, k > 0,
			false);
	q->stats.splits++;
}

/** Whether the chain takes just the slots of its ids, so that they can be kept. */
static __rte_always_inline bool
svq_shadow_fits_kept(const struct svq_queue *q, const struct svq_chain *chain)
{
	return chain->slots == 1 ||
		(!q->guest.packed && !chain->indirect && chain->slots == chain->n);
}

/**
 * Claim what is the chain's only: its id, and the slots that go with it if ids are kept. Otherwise
 * there are enough free ones.
 *
 * @return false: another chain in flight has it.
 */
static inline bool
svq_shadow_claim(struct svq_queue *q, const struct svq_chain *chain, bool kept)
{
	struct svq_flight *flight = q->shadow.flight;
	const uint16_t *at = &q->gather.at[chain->first];
	uint64_t *ids = &q->guest.ids[chain->id / 64], bit = UINT64_C(1) << (chain->id % 64);
	uint32_t k;

	if (!kept) {
		if (unlikely(*ids & bit))
			return false;
		*ids |= bit;
		return true;
	}
	for (k = 0; k < chain->slots; k++) {
		uint32_t *word = &flight[k == 0 ? chain->id : at[k]].word;

		if (unlikely(*word != 0))
			break;
		*word = SVQ_FLIGHT_INNER;
	}
	if (likely(k == chain->slots))
		return true;
	while (k-- != 0)
		flight[k == 0 ? chain->id : at[k]].word = 0;
	return false;
}

/** The chain is in flight from now on. */
static __rte_always_inline void
svq_shadow_record(struct svq_queue *q, const struct svq_chain *chain, uint16_t head)
{
	struct svq_shadow_ring *r = &q->shadow;
	struct svq_flight *flight = &r->flight[head];

	r->seq[head] = chain->seq;
	if (chain->pieces == 1 && !chain->indirect) {
		flight->gpa = r->slot[head].gpa;
		flight->len = r->slot[head].len;
		flight->word = svq_flight_plain(chain->id, chain->writable != 0);
		return;
	}
	*flight = (struct svq_flight){
		.len = chain->writable,
		.id = chain->id,
		.origin = 1,
		.slots = chain->slots,
	};
	r->origin[head] = (struct svq_origin){
		.table_gpa = chain->table_gpa,
		.table_len = chain->table_len,
		.places = chain->places,
		.pieces = chain->slots < chain->pieces ? chain->pieces : 0,
	};
}

/** Write a chain that was claimed. @return its first slot. */
static __rte_always_inline uint16_t
svq_shadow_put(struct svq_queue *q, svq_shadow_write write, const struct svq_gpa_map *map,
	const struct svq_chain *chain, bool kept)
{
	struct svq_shadow_ring *r = &q->shadow;
	const struct svq_gather *ga = &q->gather;
	uint16_t head = kept ? chain->id : r->free[--r->n_free];
	struct svq_shadow_cursor c = {
		.head = head, .slot = head, .left = chain->slots, .at = &ga->at[chain->first]};
	uint32_t k;

	for (k = chain->first; k < chain->first + chain->n; k++) {
		bool writable = svq_bit(ga->writable, k);

		if (likely(svq_bit(ga->translated, k)))
			svq_shadow_add(q, write, &c, ga->iova[k], ga->gpa[k], ga->len[k], writable,
				false, kept);
		else
			svq_shadow_add_spanning(q, write, &c, map, k, writable);
	}
	svq_shadow_record(q, chain, head);
	return head;
}

/** The chain is in flight no more. */
static __rte_always_inline void
svq_shadow_release(struct svq_queue *q, const struct svq_used *used, bool kept)
{
	struct svq_shadow_ring *r = &q->shadow;
	uint16_t slot = used->head;
	unsigned int i;

	r->flight[slot].half[1] = 0;
	if (unlikely(used->flight.origin && r->origin[slot].pieces != 0))
		svq_table_release(q, slot);
	if (!kept) {
		r->free[r->n_free++] = slot;
		q->guest.ids[used->flight.id / 64] &= ~(UINT64_C(1) << (used->flight.id % 64));
	}
	for (i = svq_flight_slots(&used->flight); unlikely(i > 1); i--) {
		slot = r->slot[slot].next;
		r->flight[slot].half[1] = 0;
		if (!kept)
			r->free[r->n_free++] = slot;
	}
}

/** Slots are a ring (slots.c): the oldest @p n ones are free. They are behind the free ones
 * already. */
static __rte_always_inline void
svq_shadow_free_oldest(struct svq_queue *q, uint32_t n)
{
	struct svq_shadow_ring *r = &q->shadow;

	r->oldest = (r->oldest + n) & r->mask;
	r->n_free += n;
	r->free -= n;
	if (r->free < r->free_mem)
		r->free += q->size;
}

/**
 * The oldest chain in flight is so no more, in a queue whose slots are a ring.
 */
static __rte_always_inline void
svq_shadow_release_oldest(struct svq_queue *q, const struct svq_used *used)
{
	struct svq_shadow_ring *r = &q->shadow;

	r->flight[used->head].half[1] = 0;
	if (unlikely(used->flight.origin && r->origin[used->head].pieces != 0))
		svq_table_release(q, used->head);
	q->guest.ids[used->flight.id / 64] &= ~(UINT64_C(1) << (used->flight.id % 64));
	svq_shadow_free_oldest(q, svq_flight_slots(&used->flight));
}

/** Whether a device may return this id and length. */
static __rte_always_inline enum svq_queue_error
svq_shadow_check_used(const struct svq_queue *q, uint32_t id, uint32_t len, struct svq_used *used)
{
	used->head = (uint16_t)id;
	used->len = len;
	if (unlikely(id >= q->size))
		return SVQ_QUEUE_E_USED_ID;
	used->flight = q->shadow.flight[id];
	if (unlikely(svq_flight_slots(&used->flight) == 0))
		return SVQ_QUEUE_E_USED_ID;
	if (unlikely(len > svq_flight_writable(&used->flight)))
		return SVQ_QUEUE_E_USED_LEN;
	return SVQ_QUEUE_OK;
}

#endif /* SHADOW_H */
