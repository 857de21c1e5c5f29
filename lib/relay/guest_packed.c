/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "packed.h"
#include "queue_priv.h"

static bool
base_ok(uint32_t size, uint16_t base)
{
	return (base & 0x7fff) < size;
}

static void
set_base(struct svq_queue *q, uint16_t base)
{
	struct svq_guest_ring *r = &q->guest;

	q->last_avail = q->used_idx = base & 0x7fff;
	r->avail_wrap = r->used_wrap = base >> 15;
	r->outstanding = 0;
}

static uint16_t
get_base(const struct svq_queue *q)
{
	return svq_packed_base(q->used_idx, q->guest.used_wrap);
}

static void
want_kicks(struct svq_queue *q, bool on)
{
	struct svq_guest_ring *r = &q->guest;

	if (on)
		svq_packed_want_event(r->device_event, r->event_idx, q->last_avail, r->avail_wrap);
	else
		svq_packed_store_event(r->device_event, VRING_PACKED_EVENT_FLAG_DISABLE);
	if (q->log.base == NULL)
		return;
	svq_dirty_log_begin();
	svq_dirty_log_mark(&q->log, r->used_gpa, sizeof(*r->device_event));
}

static void
write_desc(struct svq_queue *q, uint16_t pos, const struct vring_packed_desc *desc)
{
	struct svq_guest_ring *r = &q->guest;

	r->packed_desc[pos] = *desc;
	if (q->log.base == NULL)
		return;
	svq_dirty_log_begin();
	svq_dirty_log_mark(&q->log, r->desc_gpa + (uint64_t)pos * sizeof(*desc), sizeof(*desc));
}

/*
 * Write a chain anew at @p pos from our copy: entries that the device completed before it, out of
 * order, have been written over it. Buffers that were split at a region border become one again.
 */
static void
rewrite(struct svq_queue *q, uint16_t head, uint16_t pos, bool wrap)
{
	const struct svq_flight *flight = &q->shadow.flight[head];
	struct svq_origin origin =
		flight->origin ? q->shadow.origin[head] : (struct svq_origin){.places = 1};
	unsigned int i, place;
	struct svq_slot plain;
	const struct svq_slot *slot = svq_flight_pieces(&q->shadow, head, &i, &plain);

	for (place = 0; place < origin.places; place++) {
		struct vring_packed_desc d = {.addr = origin.table_gpa,
			.len = origin.table_len,
			.id = flight->id,
			.flags = VRING_DESC_F_INDIRECT};

		if (origin.table_len == 0) {
			d.addr = slot->gpa;
			d.len = 0;
			d.flags = slot->writable ? VRING_DESC_F_WRITE : 0;
			do {
				d.len += slot->len;
				slot = &q->shadow.slot[slot->next];
			} while (--i != 0 && slot->joined);
		}
		if (place + 1 < origin.places)
			d.flags |= VRING_DESC_F_NEXT;
		d.flags |= svq_packed_avail_flags(wrap);
		write_desc(q, pos, &d);
		pos = svq_packed_step(pos, 1, q->guest.size, &wrap);
	}
}

static void
requeue(struct svq_queue *q, const uint16_t *heads, uint32_t n)
{
	bool wrap = q->guest.used_wrap;
	uint32_t seq = q->seq - q->guest.outstanding;
	uint16_t pos = q->used_idx;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint16_t places = svq_flight_places(q, heads[i]);

		/* A chain that lies where it is to be, in this lap, has been written over by
		 * nobody. */
		if (q->shadow.seq[heads[i]] != seq)
			rewrite(q, heads[i], pos, wrap);
		seq += places;
		pos = svq_packed_step(pos, places, q->guest.size, &wrap);
	}
}

const struct svq_guest_control svq_guest_packed_control = {
	.base_ok = base_ok,
	.set_base = set_base,
	.base = get_base,
	.want_kicks = want_kicks,
	.requeue = requeue,
};
