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

	r->order[head].seq = chain->seq;
	if (chain->pieces == 1 && !chain->indirect) {
		flight->gpa = r->slot[head].gpa;
		flight->len = r->slot[head].len;
		flight->word = SVQ_FLIGHT_PLAIN | chain->id |
			(chain->writable != 0 ? SVQ_FLIGHT_WRITES : 0);
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

/** Where plain chains come from and go to: copied, for whatever is written may alias the queue. */
struct svq_shadow_plain {
	const uint16_t *id;
	const uint64_t *gpa;
	const uint64_t *iova;
	const uint32_t *len;
	uint64_t writable;
	struct svq_flight *flight;
	struct svq_order *order;
	const uint16_t *free; /* behind the next free slot */
	uint64_t *ids;
	uint32_t seq;
};

/** The same for the way back. */
struct svq_shadow_taking {
	uint32_t size;
	enum svq_slots_mode mode;
	bool log;
	uint16_t next; /* a ring: the only slot that may be taken */
	struct svq_flight *flight;
	uint16_t *free; /* where the next free slot goes */
	uint64_t *ids;
	uint16_t *id;
	uint32_t *len;
	uint64_t *gpa;
	uint64_t bytes;
};

static __rte_always_inline struct svq_shadow_taking
svq_shadow_taking(struct svq_queue *q, enum svq_slots_mode mode, bool log)
{
	const struct svq_shadow_ring *r = &q->shadow;
	struct svq_gather *ga = &q->gather;

	return (struct svq_shadow_taking){
		.size = q->size,
		.mode = mode,
		.log = log,
		.next = r->oldest,
		.flight = r->flight,
		.free = r->free + r->n_free,
		.ids = q->guest.ids,
		.id = ga->id,
		.len = ga->len,
		.gpa = ga->gpa,
	};
}

/* @p ahead: as in struct svq_shadow_ops. */
static __rte_always_inline struct svq_shadow_plain
svq_shadow_plain(const struct svq_queue *q, unsigned int ahead)
{
	const struct svq_shadow_ring *r = &q->shadow;
	const struct svq_gather *ga = &q->gather;

	return (struct svq_shadow_plain){
		.id = ga->id,
		.gpa = ga->gpa,
		.iova = ga->iova,
		.len = ga->len,
		.writable = ga->writable[0],
		.flight = r->flight,
		.order = r->order,
		.free = r->free + r->n_free,
		.ids = q->guest.ids,
		.seq = q->seq + ahead,
	};
}

/** Claim a slot for the @p i -th plain chain, and fill it. @return false: its id is in flight. */
static __rte_always_inline bool
svq_shadow_claim_plain(
	const struct svq_shadow_plain *p, unsigned int i, uint16_t *slot, enum svq_slots_mode mode)
{
	uint64_t writable = p->writable >> i & 1;
	uint16_t id = p->id[i];

	if (mode == SVQ_SLOTS_KEPT) {
		*slot = id;
		if (unlikely(p->flight[id].word != 0))
			return false;
	} else {
		uint64_t *ids = &p->ids[id / 64], bit = UINT64_C(1) << (id % 64);

		*slot = p->free[-1 - (int)i];
		if (unlikely(*ids & bit))
			return false;
		*ids |= bit;
	}
	p->flight[*slot].half[0] = p->gpa[i];
	p->flight[*slot].half[1] =
		p->len[i] | (SVQ_FLIGHT_PLAIN | id | writable * SVQ_FLIGHT_WRITES) << 32;
	p->order[*slot].seq = p->seq + i;
	return true;
}

/**
 * A device returns @p id and @p len. If that is a plain chain, and the length right, it is in
 * flight no more, and becomes the scratch's entry @p i.
 */
static __rte_always_inline bool
svq_shadow_take_plain(struct svq_shadow_taking *t, unsigned int i, uint32_t id, uint32_t len)
{
	uint32_t word, writable;
	uint64_t known;

	if (unlikely(t->mode == SVQ_SLOTS_RING ? id != t->next : id >= t->size))
		return false;
	known = t->flight[id].half[1];
	word = known >> 32;
	writable = (uint32_t)known & -(uint32_t)(word / SVQ_FLIGHT_WRITES & 1);
	if (unlikely((word & ~(SVQ_FLIGHT_ID | SVQ_FLIGHT_WRITES)) != SVQ_FLIGHT_PLAIN ||
		    len > writable))
		return false;
	t->flight[id].half[1] = 0;
	t->len[i] = len;
	t->bytes += len;
	if (t->log)
		t->gpa[i] = t->flight[id].half[0];
	if (t->mode == SVQ_SLOTS_KEPT) {
		t->id[i] = (uint16_t)id;
		return true;
	}
	word &= SVQ_FLIGHT_ID;
	t->id[i] = (uint16_t)word;
	if (t->mode == SVQ_SLOTS_RING)
		t->next = (t->next + 1) & (t->size - 1);
	else
		*t->free++ = (uint16_t)id;
	t->ids[word / 64] &= ~(UINT64_C(1) << (word % 64));
	return true;
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

static __rte_always_inline void
svq_shadow_log_plain(const struct svq_queue *q, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		svq_dirty_log_mark(&q->log, q->gather.gpa[i], q->gather.len[i]);
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

/** The plain chains that were taken have left @p n slots. */
static __rte_always_inline void
svq_shadow_free_plain(struct svq_queue *q, enum svq_slots_mode mode, uint32_t n)
{
	if (mode == SVQ_SLOTS_RING)
		svq_shadow_free_oldest(q, n);
	else if (mode == SVQ_SLOTS_STACK)
		q->shadow.n_free += n;
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

/**
 * Slots are a ring: take up to @p n plain chains from the oldest one on, those before slot @p last,
 * as if a device had returned each written throughout. No entry is read. The rest as take_plain()
 * of struct svq_shadow_ops.
 */
static __rte_always_inline unsigned int
svq_shadow_skip_plain(struct svq_queue *q, uint16_t last, unsigned int n, bool log, uint64_t *bytes)
{
	struct svq_shadow_taking t = svq_shadow_taking(q, SVQ_SLOTS_RING, log);
	unsigned int i;

	for (i = 0; i < n && t.next != last; i++) {
		if (!svq_shadow_take_plain(&t, i, t.next, svq_flight_writable(&t.flight[t.next])))
			break;
	}
	svq_shadow_free_oldest(q, i);
	*bytes += t.bytes;
	return i;
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
