/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include "queue_priv.h"
#include "table.h"

/*
 * Which slots of the shadow ring a chain takes.
 *
 * Ids kept: the slot's number is the guest's, that of its descriptor or buffer. Nothing is to be
 * allocated, nor to be looked up when the device returns it, and room is never short. It takes a
 * shadow ring no smaller than the guest's, and chains of which each slot has a number: single
 * descriptors, and direct chains of a split ring.
 *
 * A queue that meets another chain leaves that mode: free slots are then a stack, and a bitmap
 * tells which of the guest's ids are in flight. It does not wait for the chains in flight, for a
 * device that receives never returns them all; they keep their slots, and what is in flight by then
 * can be told from a slot's flight in both modes. When all slots are free anyway (the ring is
 * attached, or its chains are recalled) the queue starts with ids kept again.
 *
 * With IN_ORDER on either side the slots are a ring: chains take them one after the other, as a
 * driver with IN_ORDER has to use its descriptors (virtio 1.2, 2.7.5), and give them back in the
 * order in which they took them. For those who take slots that is a stack, too: its memory holds
 * all slots twice, descending, and the stack's lower end moves through it as slots become free, so
 * that the next one to use always follows the last one that was.
 */

/* By the guest's and the device's format, 1: packed. */
static const struct svq_instance *const instances[2][2] = {
	{svq_split_split, svq_split_packed},
	{svq_packed_split, svq_packed_packed},
};

/* The one to use with this CPU. */
static const struct svq_instance *
pairing(const struct svq_queue *q)
{
#ifdef RTE_ARCH_X86_64
	static const struct svq_instance *const vector[2][2] = {
		{svq_split_split_vector, svq_split_packed_vector},
		{svq_packed_split_vector, svq_packed_packed_vector},
	};
	/* Not rte_cpu_get_flag_enabled(): it runs CPUID anew, which a hypervisor traps. */
	if (!q->scalar && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		return vector[q->guest.packed][q->shadow.packed];
#endif
	return instances[q->guest.packed][q->shadow.packed];
}

static void
set_mode(struct svq_queue *q, enum svq_slots_mode mode)
{
	const struct svq_instance *i = &pairing(q)[mode];

	q->mode = mode;
	q->avail_burst = i->avail;
	q->used_burst = i->used;
}

/* The bitmap, from what is in flight. */
static void
mark_ids(struct svq_queue *q)
{
	uint32_t i;

	if (q->guest.ids != NULL)
		memset(q->guest.ids, 0, svq_ids_bytes(q->guest.size));
	for (i = 0; i < q->size; i++) {
		const struct svq_flight *flight = &q->shadow.flight[i];

		if (svq_flight_slots(flight) != 0)
			q->guest.ids[flight->id / 64] |= UINT64_C(1) << (flight->id % 64);
	}
}

/* The stack, likewise. */
static void
stack_free(struct svq_queue *q)
{
	struct svq_shadow_ring *r = &q->shadow;
	uint32_t i;

	r->free = r->free_mem;
	r->n_free = 0;
	for (i = q->size; i-- != 0;) {
		if (r->flight[i].word == 0)
			r->free[r->n_free++] = (uint16_t)i;
	}
}

/* A ring of which all is free. */
static void
ring_free(struct svq_queue *q)
{
	struct svq_shadow_ring *r = &q->shadow;
	uint32_t i;

	for (i = 0; i < 2 * q->size; i++)
		r->free_mem[i] = (2 * q->size - 1 - i) & r->mask;
	r->free = r->free_mem;
	r->n_free = q->size;
	r->oldest = 0;
	memset(r->held, 0, svq_ids_bytes(q->size));
	q->held = 0;
}

/* To nobody's buffer that a guest sends is written, so none of their lengths is lost. */
static void
set_batch(struct svq_queue *q)
{
	q->batch = q->guest.in_order && q->net_header != 0 && q->qid % 2 != 0;
}

void
svq_slots_reset(struct svq_queue *q)
{
	bool ordered = q->guest.in_order || q->shadow.in_order;
	uint32_t i;

	for (i = 0; i < q->size; i++)
		q->shadow.flight[i].half[1] = 0;
	svq_tables_reset(q);
	mark_ids(q);
	ring_free(q);
	if (!ordered)
		stack_free(q);
	set_batch(q);
	set_mode(q,
		ordered				   ? SVQ_SLOTS_RING
			: q->guest.size <= q->size ? SVQ_SLOTS_KEPT
						   : SVQ_SLOTS_STACK);
}

void
svq_slots_resume(struct svq_queue *q)
{
	mark_ids(q);
	set_batch(q);
	set_mode(q, q->mode);
}

void
svq_slots_leave_kept(struct svq_queue *q)
{
	mark_ids(q);
	stack_free(q);
	set_mode(q, SVQ_SLOTS_STACK);
	RELAY_LOG(INFO, "%s queue %u: a chain needs slots of its own, ids are no longer kept",
		q->name, q->qid);
}
