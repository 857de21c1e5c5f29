/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <svq_virtio.h>

#include "relay_events.h"

/* One side's wishes, wherever they lie. */
struct wishes {
	bool packed, event_idx;
	uint32_t size;
	uint16_t *flags; /* split */
	void *event;	 /* split: the index; packed: the area */
};

static struct wishes
device_wishes(const struct bed *b)
{
	return (struct wishes){
		.packed = b->dev_packed,
		.event_idx = b->device_features >> VIRTIO_RING_F_EVENT_IDX & 1,
		.size = b->device_size,
		.flags = &b->sused->flags,
		.event = b->dev_packed ? (void *)b->sused : &b->sused->ring[b->device_size],
	};
}

static struct wishes
guest_wishes(const struct bed *b)
{
	return (struct wishes){
		.packed = b->packed,
		.event_idx = b->features >> VIRTIO_RING_F_EVENT_IDX & 1,
		.size = b->guest_size,
		.flags = &b->avail->flags,
		.event = b->packed ? (void *)b->avail : &b->avail->ring[b->guest_size],
	};
}

/* Near @p pos, so that it is often among what comes next. */
static void
ask(const struct wishes *w, uint16_t pos)
{
	uint16_t near = pos + rand() % 6 - 1;

	if (w->packed) {
		struct vring_packed_desc_event event = {
			.off_wrap = near % w->size | (rand() % 2 ? 0x8000 : 0),
			.flags = rand() % (w->event_idx ? 3 : 2),
		};

		memcpy(w->event, &event, sizeof(event));
	} else if (w->event_idx) {
		memcpy(w->event, &near, sizeof(near));
		/* Not to be looked at. */
		*w->flags = rand() % 2;
	} else {
		*w->flags = rand() % 2;
	}
}

void
relay_events_device_ask(struct bed *b)
{
	struct wishes w = device_wishes(b);

	ask(&w, relay_events_avail(b).pos);
}

void
relay_events_guest_ask(struct bed *b)
{
	struct wishes w = guest_wishes(b);

	ask(&w, b->packed ? rand() % b->guest_size : b->used->idx);
}

struct relay_progress
relay_events_avail(const struct bed *b)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)b->sdesc;
	struct relay_progress at = {.pos = b->dev_avail, .wrap = b->dev_avail_wrap};

	if (!b->dev_packed) {
		at.pos = b->savail->idx;
		at.n = (uint16_t)(at.pos - b->dev_avail);
		return at;
	}
	while (at.n < b->device_size) {
		uint16_t flags = d[at.pos].flags;

		if (!!(flags & 1 << VRING_PACKED_DESC_F_AVAIL) != at.wrap ||
			!!(flags & 1 << VRING_PACKED_DESC_F_USED) == at.wrap)
			break;
		at.n++;
		if (++at.pos == b->device_size) {
			at.pos = 0;
			at.wrap = !at.wrap;
		}
	}
	return at;
}

static bool
wanted(const struct wishes *w, const struct relay_progress *from, const struct relay_progress *to)
{
	struct vring_packed_desc_event event;
	struct relay_progress at = *from;
	uint16_t idx;

	if (!w->packed && !w->event_idx)
		return *w->flags == 0;
	memcpy(&event, w->event, w->packed ? sizeof(event) : 0);
	memcpy(&idx, w->event, sizeof(idx));
	if (w->packed && event.flags != VRING_PACKED_EVENT_FLAG_DESC)
		return event.flags == VRING_PACKED_EVENT_FLAG_ENABLE;
	for (; at.n != to->n; at.n++) {
		if (w->packed ? (at.pos | at.wrap << 15) == event.off_wrap : at.pos == idx)
			return true;
		at.pos++;
		if (w->packed && at.pos == w->size) {
			at.pos = 0;
			at.wrap = !at.wrap;
		}
	}
	return false;
}

bool
relay_events_kick(
	const struct bed *b, const struct relay_progress *from, const struct relay_progress *to)
{
	struct wishes w = device_wishes(b);

	return wanted(&w, from, to);
}

bool
relay_events_call(
	const struct bed *b, const struct relay_progress *from, const struct relay_progress *to)
{
	struct wishes w = guest_wishes(b);

	return wanted(&w, from, to);
}
