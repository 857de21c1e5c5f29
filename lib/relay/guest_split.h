/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GUEST_SPLIT_H
#define GUEST_SPLIT_H

/**
 * @file
 * The guest's side, split ring: we are the device (virtio 1.2, 2.7).
 */

#include "gather.h"
#include "queue_priv.h"
#include "split.h"

static __rte_always_inline enum svq_queue_error
guest_split_available(const struct svq_queue *q, unsigned int *n)
{
	/* Pairs with the driver's write barrier between the ring entry and avail->idx. */
	uint16_t idx = svq_load16_acquire(&q->guest.avail->idx);
	uint16_t ahead = idx - q->last_avail;

	/*
	 * The driver may have no more chains outstanding than the ring has entries: those that it
	 * adds now and those that are in flight.
	 */
	if (unlikely(ahead + q->inflight > q->guest.size)) {
		*n = idx;
		return SVQ_QUEUE_E_AVAIL_IDX;
	}
	*n = RTE_MIN(ahead, (unsigned int)SVQ_BURST);
	return SVQ_QUEUE_OK;
}

/* available() told all there are. */
static __rte_always_inline bool
guest_split_more(const struct svq_queue *q, unsigned int ahead)
{
	RTE_SET_USED(q);
	RTE_SET_USED(ahead);
	return true;
}

static __rte_always_inline unsigned int
guest_split_limit(const struct svq_queue *q, unsigned int ahead, unsigned int n)
{
	RTE_SET_USED(q);
	RTE_SET_USED(ahead);
	return n;
}

static __rte_always_inline void
guest_split_from(const struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	run->at = (uint16_t)(q->last_avail + ahead) & q->guest.mask;
	run->wrap = false;
}

static __rte_always_inline bool
guest_split_expect(const struct svq_queue *q, struct svq_run *run)
{
	const struct svq_guest_ring *r = &q->guest;

	run->id = svq_load16(&r->avail->ring[run->at]);
	if (unlikely(run->id > r->mask))
		return false;
	run->writes = svq_load16(&r->desc[run->id].flags) & VRING_DESC_F_WRITE;
	return true;
}

static __rte_always_inline struct svq_piece
guest_split_reads(const struct svq_queue *q, const struct svq_run *run)
{
	return (struct svq_piece){
		.entry = &q->guest.avail->ring[run->at],
		.desc = q->guest.desc,
		.expected = run->writes ? VRING_DESC_F_WRITE * SVQ_HALF_ONE : 0,
		.size = q->guest.size,
	};
}

static __rte_always_inline bool
guest_split_read(const struct svq_piece *p, size_t i, uint64_t *gpa, uint64_t *half)
{
	const uint64_t flags = UINT16_MAX * SVQ_HALF_ONE;
	uint16_t head = svq_load16((const uint16_t *)p->entry + i);
	uint64_t desc[2];

	if (unlikely(head >= p->size))
		return false;
	svq_load_desc_halves((const struct vring_desc *)p->desc + head, desc);
	*gpa = desc[0];
	*half = (uint32_t)desc[1] | head * SVQ_HALF_ONE;
	return likely((desc[1] & flags) == p->expected);
}

/* A descriptor table that is being walked: the ring's own or an indirect one. */
struct guest_split_table {
	const struct vring_desc *desc; /* NULL: not contiguous here, read it by gpa */
	uint64_t gpa;
	uint32_t size;
};

/* Start on the indirect table that @p d names. */
static inline enum svq_queue_error
guest_split_indirect(const struct svq_queue *q, const struct svq_gpa_map *map,
	const struct vring_desc *d, struct guest_split_table *table, uint64_t *detail)
{
	*detail = d->len;
	if (!q->guest.indirect_ok || (d->flags & VRING_DESC_F_NEXT) ||
		d->len % sizeof(struct vring_desc) != 0 || d->len == 0 ||
		d->len / sizeof(struct vring_desc) > q->guest.size)
		return SVQ_QUEUE_E_INDIRECT;
	table->desc = svq_gpa_hva(map, d->addr, d->len, SVQ_PERM_R);
	if (((uintptr_t)table->desc & 7) != 0)
		table->desc = NULL;
	table->gpa = d->addr;
	table->size = d->len / sizeof(struct vring_desc);
	return SVQ_QUEUE_OK;
}

static inline enum svq_queue_error
guest_split_fetch(const struct svq_gpa_map *map, const struct guest_split_table *table, uint16_t i,
	struct vring_desc *d, uint64_t *detail)
{
	if (likely(table->desc != NULL)) {
		*d = svq_load_desc(&table->desc[i]);
		return SVQ_QUEUE_OK;
	}
	*detail = table->gpa;
	if (svq_gpa_read(map, table->gpa + (uint64_t)i * sizeof(*d), d, sizeof(*d)) != 0)
		return SVQ_QUEUE_E_ADDRESS;
	return SVQ_QUEUE_OK;
}

static __rte_always_inline enum svq_queue_error
guest_split_gather(struct svq_queue *q, const struct svq_gpa_map *map, unsigned int ahead,
	struct svq_chain *chain, bool *full, uint64_t *detail)
{
	const struct svq_guest_ring *r = &q->guest;
	struct guest_split_table table = {.desc = r->desc, .size = r->size};
	uint16_t i = svq_load16(&r->avail->ring[(uint16_t)(q->last_avail + ahead) & r->mask]);
	struct svq_gather *ga = &q->gather;
	enum svq_queue_error error;

	*detail = i;
	if (unlikely(i >= r->size))
		return SVQ_QUEUE_E_HEAD;
	*chain = (struct svq_chain){.seq = q->seq + ahead, .id = i, .first = ga->n_descs};
	if (ga->n_descs >= SVQ_BURST_DESCS) {
		*full = true;
		return SVQ_QUEUE_OK;
	}
	for (;;) {
		struct vring_desc d;

		error = guest_split_fetch(map, &table, i, &d, detail);
		if (unlikely(error != SVQ_QUEUE_OK))
			return error;
		if (d.flags & VRING_DESC_F_INDIRECT) {
			*detail = d.addr;
			if (unlikely(chain->indirect))
				return SVQ_QUEUE_E_INDIRECT;
			error = guest_split_indirect(q, map, &d, &table, detail);
			if (unlikely(error != SVQ_QUEUE_OK))
				return error;
			chain->indirect = true;
			i = 0;
			continue;
		}
		ga->at[chain->first + chain->n] = i;
		error = svq_gather_append(
			ga, chain, d.addr, d.len, d.flags & VRING_DESC_F_WRITE, detail);
		if (unlikely(error != SVQ_QUEUE_OK))
			return error;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return SVQ_QUEUE_OK;
		/* A chain is no longer than the ring (virtio 1.2, 2.7.5.3.1), so a longer one
		 * loops. */
		*detail = chain->id;
		if (unlikely(chain->n >= r->size))
			return SVQ_QUEUE_E_LOOP;
		i = d.next;
		*detail = i;
		if (unlikely(i >= table.size))
			return SVQ_QUEUE_E_NEXT;
	}
}

static __rte_always_inline void
guest_split_taken(struct svq_queue *q, unsigned int plain, unsigned int n)
{
	RTE_SET_USED(plain);
	q->last_avail += n;
	q->seq += n;
}

static __rte_always_inline void
guest_split_put_used(
	struct svq_queue *q, unsigned int ahead, uint16_t id, uint16_t places, uint32_t len)
{
	struct svq_guest_ring *r = &q->guest;
	struct vring_used_elem *elem = &r->used->ring[(uint16_t)(q->used_idx + ahead) & r->mask];

	RTE_SET_USED(places);
	elem->id = id;
	elem->len = len;
}

static __rte_always_inline void
guest_split_to(struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	run->at = (uint16_t)(q->used_idx + ahead) & q->guest.mask;
	run->wrap = false;
}

static __rte_always_inline struct svq_piece
guest_split_gives(const struct svq_queue *q, const struct svq_run *run)
{
	return (struct svq_piece){.entry = &q->guest.used->ring[run->at]};
}

static __rte_always_inline void
guest_split_give(struct svq_queue *q, struct svq_piece *p, size_t i, uint16_t id, uint32_t len)
{
	RTE_SET_USED(q);
	((struct vring_used_elem *)p->entry)[i] = (struct vring_used_elem){.id = id, .len = len};
}

static __rte_always_inline void
guest_split_stored(struct svq_queue *q, unsigned int n)
{
	RTE_SET_USED(q);
	RTE_SET_USED(n);
}

static __rte_always_inline void
guest_split_put_used_batch(struct svq_queue *q, uint16_t id, uint32_t places)
{
	RTE_SET_USED(places);
	guest_split_put_used(q, 0, id, 1, 0);
}

static __rte_always_inline void
guest_split_publish_used(struct svq_queue *q, unsigned int n)
{
	/* Pairs with the driver's read barrier between used->idx and the used entries. */
	q->used_idx += n;
	svq_store16_release(&q->guest.used->idx, q->used_idx);
}

static inline void
guest_split_log_used(const struct svq_queue *q, unsigned int n)
{
	uint64_t gpa = q->guest.used_gpa;
	uint16_t first = (uint16_t)(q->used_idx - n) & q->guest.mask;
	unsigned int head = RTE_MIN(n, q->guest.size - first);

	svq_dirty_log_mark(&q->log,
		gpa + offsetof(struct vring_used, ring) +
			(uint64_t)first * sizeof(struct vring_used_elem),
		head * sizeof(struct vring_used_elem));
	svq_dirty_log_mark(&q->log, gpa + offsetof(struct vring_used, ring),
		(n - head) * sizeof(struct vring_used_elem));
	svq_dirty_log_mark(&q->log, gpa, offsetof(struct vring_used, ring));
}

static __rte_always_inline bool
guest_split_wants_call(const struct svq_queue *q, unsigned int n)
{
	const struct svq_guest_ring *r = &q->guest;

	if (r->event_idx)
		return vring_need_event(svq_load16(svq_used_event(r->avail, r->size)), q->used_idx,
			q->used_idx - n);
	return !(svq_load16(&r->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

static const struct svq_guest_ops svq_guest_split = {
	.available = guest_split_available,
	.more = guest_split_more,
	.limit = guest_split_limit,
	.from = guest_split_from,
	.expect = guest_split_expect,
	.reads = guest_split_reads,
	.read = guest_split_read,
	.gather = guest_split_gather,
	.taken = guest_split_taken,
	.put_used = guest_split_put_used,
	.to = guest_split_to,
	.gives = guest_split_gives,
	.give = guest_split_give,
	.stored = guest_split_stored,
	.put_used_batch = guest_split_put_used_batch,
	.publish_used = guest_split_publish_used,
	.log_used = guest_split_log_used,
	.wants_call = guest_split_wants_call,
};

#endif /* GUEST_SPLIT_H */
