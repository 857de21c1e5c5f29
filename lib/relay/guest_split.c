/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "queue_priv.h"
#include "split.h"

static bool
base_ok(uint32_t size, uint16_t base)
{
	RTE_SET_USED(size);
	RTE_SET_USED(base);
	return true;
}

static void
set_base(struct svq_queue *q, uint16_t base)
{
	q->last_avail = base;
	q->used_idx = base;
}

static uint16_t
get_base(const struct svq_queue *q)
{
	return q->used_idx;
}

static void
want_kicks(struct svq_queue *q, bool on)
{
	struct svq_guest_ring *r = &q->guest;
	uint64_t event = sizeof(struct vring_used) + r->size * sizeof(struct vring_used_elem);

	/* With EVENT_IDX the guest kicks as its index passes the event: at the next chain, or not
	 * for one lap of the 16 bits. */
	if (r->event_idx)
		svq_store16(svq_avail_event(r->used, r->size), q->last_avail - !on);
	else
		svq_store16(&r->used->flags, on ? 0 : VRING_USED_F_NO_NOTIFY);
	if (q->log.base == NULL)
		return;
	svq_dirty_log_begin();
	svq_dirty_log_mark(&q->log, r->used_gpa + (r->event_idx ? event : 0), sizeof(uint16_t));
}

static void
requeue(struct svq_queue *q, const uint16_t *heads, uint32_t n)
{
	struct svq_guest_ring *r = &q->guest;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint16_t at = (uint16_t)(q->used_idx + i) & r->mask;
		uint16_t id = q->shadow.flight[heads[i]].id;

		if (svq_load16(&r->avail->ring[at]) == id)
			continue;
		svq_store16(&r->avail->ring[at], id);
		if (q->log.base == NULL)
			continue;
		svq_dirty_log_begin();
		svq_dirty_log_mark(
			&q->log, r->avail_gpa + offsetof(struct vring_avail, ring) + at * 2, 2);
	}
}

const struct svq_guest_control svq_guest_split_control = {
	.base_ok = base_ok,
	.set_base = set_base,
	.base = get_base,
	.want_kicks = want_kicks,
	.requeue = requeue,
};
