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
relay_driver_init(struct relay_driver *d, const struct relay_ring *ring,
	const struct relay_buffers *buffers, unsigned int descs, bool calls)
{
	*d = (struct relay_driver){
		.ring = *ring,
		.buffers = *buffers,
		.descs = descs,
		.chains = ring->size / descs,
		.avail_wrap = true,
		.used_wrap = true,
	};
	if (ring->packed)
		ring->driver_event->flags =
			calls ? VRING_PACKED_EVENT_FLAG_ENABLE : VRING_PACKED_EVENT_FLAG_DISABLE;
	else
		ring->avail->flags = calls ? 0 : VRING_AVAIL_F_NO_INTERRUPT;
}

static uint64_t
next_buffer(struct relay_driver *d)
{
	const struct relay_buffers *b = &d->buffers;
	uint64_t gpa = b->gpa[d->next++ & (b->n - 1)];

	if (b->memory != NULL && !b->writable)
		memset(b->memory + gpa, 0, RELAY_HEADER);
	return gpa;
}

/* What was received is looked at, as far as its header goes. */
static void
look(const struct relay_driver *d, unsigned int chain)
{
	const struct relay_buffers *b = &d->buffers;

	if (b->memory != NULL && b->writable)
		(void)*(volatile uint8_t *)&b->memory[b->gpa[chain * d->descs & (b->n - 1)]];
}

static uint16_t
desc_flags(const struct relay_driver *d, unsigned int k)
{
	return (d->buffers.writable ? VRING_DESC_F_WRITE : 0) |
		(k + 1 < d->descs ? VRING_DESC_F_NEXT : 0);
}

static void
post_split(struct relay_driver *d, unsigned int n)
{
	struct relay_ring *r = &d->ring;
	unsigned int i, k;

	for (i = 0; i < n; i++) {
		unsigned int at = (d->posted + i) % d->chains * d->descs;

		for (k = 0; k < d->descs; k++)
			r->desc[at + k] = (struct vring_desc){
				.addr = next_buffer(d),
				.len = d->buffers.len,
				.flags = desc_flags(d, k),
				.next = at + k + 1,
			};
		r->avail->ring[(d->avail_pos + i) % r->size] = at;
	}
	d->avail_pos += n;
	/* Pairs with the relay's read barrier behind avail->idx. */
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&r->avail->idx = d->avail_pos;
}

static void
post_packed(struct relay_driver *d, unsigned int n)
{
	struct relay_ring *r = &d->ring;
	struct vring_packed_desc *first = &r->packed_desc[d->avail_pos];
	uint16_t first_flags = 0;
	unsigned int i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < d->descs; k++) {
			struct vring_packed_desc *desc = &r->packed_desc[d->avail_pos];
			uint16_t flags =
				desc_flags(d, k) | (d->avail_wrap ? PACKED_AVAIL : PACKED_USED);

			desc->addr = next_buffer(d);
			desc->len = d->buffers.len;
			desc->id = (d->posted + i) % d->chains;
			if (desc == first)
				first_flags = flags;
			else
				desc->flags = flags;
			if (++d->avail_pos == r->size) {
				d->avail_pos = 0;
				d->avail_wrap = !d->avail_wrap;
			}
		}
	}
	/* Pairs with the relay's read barrier behind the flags. */
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&first->flags = first_flags;
}

unsigned int
relay_driver_post(struct relay_driver *d, unsigned int n)
{
	n = RTE_MIN(n, d->chains - (d->posted - d->reaped));
	if (n == 0)
		return 0;
	if (d->ring.packed)
		post_packed(d, n);
	else
		post_split(d, n);
	d->posted += n;
	return n;
}

/* Chains come back in the order in which they were made available, and full. */
static unsigned int
reap_split(struct relay_driver *d, unsigned int n)
{
	struct relay_ring *r = &d->ring;
	uint16_t ready = *(volatile uint16_t *)&r->used->idx - d->used_pos;
	unsigned int i;

	n = RTE_MIN(n, ready);
	/* Pairs with the relay's write barrier before used->idx. */
	atomic_thread_fence(memory_order_acquire);
	for (i = 0; i < n; i++) {
		const struct vring_used_elem *elem = &r->used->ring[d->used_pos++ % r->size];

		d->wrong |= elem->id != (d->reaped + i) % d->chains * d->descs ||
			elem->len != d->buffers.used_len;
		look(d, d->reaped + i);
	}
	return n;
}

static unsigned int
reap_packed(struct relay_driver *d, unsigned int n)
{
	struct relay_ring *r = &d->ring;
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct vring_packed_desc *desc = &r->packed_desc[d->used_pos];
		uint16_t flags = *(const volatile uint16_t *)&desc->flags;
		uint32_t len;

		if (!!(flags & PACKED_AVAIL) != d->used_wrap ||
			!!(flags & PACKED_USED) != d->used_wrap)
			break;
		/* Pairs with the relay's write barrier before the flags. */
		atomic_thread_fence(memory_order_acquire);
		/* Without the flag, the length means nothing (virtio 1.2, 2.8.6). */
		len = flags & VRING_DESC_F_WRITE ? desc->len : 0;
		d->wrong |= desc->id != (d->reaped + i) % d->chains || len != d->buffers.used_len;
		look(d, d->reaped + i);
		d->used_pos += d->descs;
		if (d->used_pos >= r->size) {
			d->used_pos -= r->size;
			d->used_wrap = !d->used_wrap;
		}
	}
	return i;
}

unsigned int
relay_driver_reap(struct relay_driver *d, unsigned int n)
{
	n = RTE_MIN(n, d->posted - d->reaped);
	if (n == 0)
		return 0;
	n = d->ring.packed ? reap_packed(d, n) : reap_split(d, n);
	d->reaped += n;
	return n;
}
