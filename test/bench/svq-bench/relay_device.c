/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdatomic.h>
#include <string.h>

#include <rte_common.h>

#include "relay.h"

#define PACKED_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED  (1u << VRING_PACKED_DESC_F_USED)

void
relay_device_init(struct relay_device *d, const struct relay_memory *m,
	const struct relay_ring *ring, bool kicks)
{
	*d = (struct relay_device){.ring = *ring, .memory = m, .wrap = true};
	if (ring->packed)
		ring->device_event->flags =
			kicks ? VRING_PACKED_EVENT_FLAG_ENABLE : VRING_PACKED_EVENT_FLAG_DISABLE;
	else
		ring->used->flags = kicks ? 0 : VRING_USED_F_NO_NOTIFY;
}

/* One buffer: it is filled, if only on paper. @return bytes. */
static uint32_t
fill(struct relay_device *d, uint64_t addr, uint32_t len, uint16_t flags)
{
	if (d->check)
		d->wrong |= addr != d->memory->iova[d->next++ % RELAY_POOL] || len != RELAY_LEN ||
			!(flags & VRING_DESC_F_WRITE);
	return len;
}

static unsigned int
run_split(struct relay_device *d, unsigned int n)
{
	const struct relay_ring *r = &d->ring;
	const unsigned int mask = r->size - 1;
	uint16_t pos = d->pos, ready = *(volatile uint16_t *)&r->avail->idx - pos;
	unsigned int i;

	n = RTE_MIN(n, ready);
	if (n == 0)
		return 0;
	/* Pairs with the relay's write barrier before avail->idx. */
	atomic_thread_fence(memory_order_acquire);
	for (i = 0; i < n; i++) {
		unsigned int at = pos++ & mask;
		uint16_t head = r->avail->ring[at], next = head;
		const struct vring_desc *desc;
		uint32_t len = 0;

		do {
			desc = &r->desc[next];
			len += fill(d, desc->addr, desc->len, desc->flags);
			next = desc->next;
		} while (desc->flags & VRING_DESC_F_NEXT);
		r->used->ring[at] = (struct vring_used_elem){.id = head, .len = len};
	}
	d->pos = pos;
	/* Pairs with the relay's read barrier behind used->idx. */
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&r->used->idx = pos;
	return n;
}

/* A chain's used descriptor takes the place of its first one. */
static unsigned int
run_packed(struct relay_device *d, unsigned int n)
{
	const struct relay_ring *r = &d->ring;
	struct vring_packed_desc *first = &r->packed_desc[d->pos];
	const bool first_wrap = d->wrap;
	bool wrap = d->wrap;
	unsigned int pos = d->pos, i;

	for (i = 0; i < n; i++) {
		struct vring_packed_desc *head = &r->packed_desc[pos];
		const bool head_wrap = wrap;
		uint16_t flags = *(volatile uint16_t *)&head->flags, id;
		uint32_t len = 0;
		uint64_t half;

		if (!!(flags & PACKED_AVAIL) != wrap || !!(flags & PACKED_USED) == wrap)
			break;
		/* Pairs with the relay's write barrier before the first descriptor's flags. */
		atomic_thread_fence(memory_order_acquire);
		do {
			const struct vring_packed_desc *desc = &r->packed_desc[pos];

			flags = desc->flags;
			len += fill(d, desc->addr, desc->len, flags);
			id = desc->id;
			if (++pos == r->size) {
				pos = 0;
				wrap = !wrap;
			}
		} while (flags & VRING_DESC_F_NEXT);
		/* The first one's flags come last: until then it is available, not used. */
		flags = VRING_DESC_F_WRITE | (head_wrap ? PACKED_AVAIL | PACKED_USED : 0);
		if (head == first)
			flags ^= PACKED_USED;
		half = len | (uint64_t)id << 32 | (uint64_t)flags << 48;
		memcpy(&head->len, &half, sizeof(half));
	}
	if (i == 0)
		return 0;
	d->pos = pos;
	d->wrap = wrap;
	/* Pairs with the relay's read barrier behind the flags. */
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&first->flags =
		VRING_DESC_F_WRITE | (first_wrap ? PACKED_AVAIL | PACKED_USED : 0);
	return i;
}

unsigned int
relay_device_run(struct relay_device *d, unsigned int n)
{
	return d->ring.packed ? run_packed(d, n) : run_split(d, n);
}
