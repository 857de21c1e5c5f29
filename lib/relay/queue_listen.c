/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Notifications outside of bursts. Those towards us are asked for only while whoever serves the
 * queue sleeps.
 */

#include "packed.h"
#include "queue_priv.h"
#include "split.h"

void
svq_queue_want_interrupts(struct svq_queue *q, bool on)
{
	struct svq_shadow_ring *r = &q->shadow;

	if (r->packed && on)
		svq_packed_want_event(r->driver_event, r->event_idx, r->used_idx, r->used_wrap);
	else if (r->packed)
		svq_packed_store_event(r->driver_event, VRING_PACKED_EVENT_FLAG_DISABLE);
	else if (r->event_idx)
		/* Just behind, the device passes it only one lap of the 16 bits later. */
		svq_store16(svq_used_event(r->avail, q->size), r->used_idx - !on);
	else
		svq_store16(&r->avail->flags, on ? 0 : VRING_AVAIL_F_NO_INTERRUPT);
}

void
svq_queue_listen(struct svq_queue *q, bool on)
{
	if (!q->attached || q->error != SVQ_QUEUE_OK)
		return;
	q->guest.control->want_kicks(q, on);
	svq_queue_want_interrupts(q, on);
}

void
svq_queue_kick(struct svq_queue *q)
{
	const struct svq_shadow_ring *r = &q->shadow;
	uint32_t data = q->qid;

	if (q->notify_position)
		data |= (uint32_t)(r->packed ? svq_packed_base(r->avail_idx, r->avail_wrap)
					     : r->avail_idx)
			<< 16;
	q->dev->ops->notify(q->dev, q->qid, data);
	q->stats.kicks++;
}

int
svq_queue_kickfd(const struct svq_queue *q)
{
	return q->attached ? q->guest.kickfd : -1;
}

int
svq_queue_irqfd(const struct svq_queue *q)
{
	return q->irqfd;
}
