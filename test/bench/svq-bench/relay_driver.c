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

/* What is sent begins with a header. */
static void
touch(const struct relay_buffers *b, uint64_t gpa)
{
	if (b->memory != NULL && !b->writable)
		memset(b->memory + gpa, 0, RELAY_HEADER);
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

/* As a driver in a hurry writes descriptors: by halves, and with its own state in registers. */
static void
post_split(struct relay_driver *d, unsigned int n)
{
	const struct relay_ring *r = &d->ring;
	const struct relay_buffers *b = &d->buffers;
	const unsigned int chain_mask = d->chains - 1, mask = r->size - 1, descs = d->descs;
	unsigned int next = d->next, posted = d->posted, i, k;
	uint16_t pos = d->avail_pos;

	for (i = 0; i < n; i++) {
		unsigned int at = ((posted + i) & chain_mask) * descs;

		for (k = 0; k < descs; k++) {
			uint64_t gpa = b->gpa[next++ & (b->n - 1)];
			uint64_t half[] = {gpa,
				b->len | (uint64_t)desc_flags(d, k) << 32 |
					(uint64_t)(at + k + 1) << 48};

			touch(b, gpa);
			memcpy(&r->desc[at + k], half, sizeof(half));
		}
		r->avail->ring[pos++ & mask] = at;
	}
	d->next = next;
	d->avail_pos = pos;
	/* Pairs with the relay's read barrier behind avail->idx. */
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&r->avail->idx = pos;
}

static void
post_packed(struct relay_driver *d, unsigned int n)
{
	const struct relay_ring *r = &d->ring;
	const struct relay_buffers *b = &d->buffers;
	const unsigned int chain_mask = d->chains - 1, descs = d->descs;
	struct vring_packed_desc *first = &r->packed_desc[d->avail_pos];
	uint16_t first_flags = desc_flags(d, 0) | (d->avail_wrap ? PACKED_AVAIL : PACKED_USED);
	unsigned int next = d->next, posted = d->posted, i, k;
	uint16_t pos = d->avail_pos;
	bool wrap = d->avail_wrap;

	for (i = 0; i < n; i++) {
		const uint64_t id = (posted + i) & chain_mask;

		for (k = 0; k < descs; k++) {
			struct vring_packed_desc *desc = &r->packed_desc[pos];
			uint64_t gpa = b->gpa[next++ & (b->n - 1)], half[2] = {gpa};
			uint16_t flags = desc_flags(d, k) | (wrap ? PACKED_AVAIL : PACKED_USED);

			touch(b, gpa);
			/* The first one's flags come last: turned, it is not available yet. */
			if (desc == first)
				flags ^= PACKED_AVAIL | PACKED_USED;
			half[1] = b->len | id << 32 | (uint64_t)flags << 48;
			memcpy(desc, half, sizeof(half));
			if (++pos == r->size) {
				pos = 0;
				wrap = !wrap;
			}
		}
	}
	d->next = next;
	d->avail_pos = pos;
	d->avail_wrap = wrap;
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
	const struct relay_ring *r = &d->ring;
	const unsigned int chain_mask = d->chains - 1, mask = r->size - 1, reaped = d->reaped;
	uint16_t pos = d->used_pos, ready = *(volatile uint16_t *)&r->used->idx - pos;
	bool wrong = false;
	unsigned int i;

	n = RTE_MIN(n, ready);
	/* Pairs with the relay's write barrier before used->idx. */
	atomic_thread_fence(memory_order_acquire);
	for (i = 0; i < n; i++) {
		const struct vring_used_elem *elem = &r->used->ring[pos++ & mask];

		wrong |= elem->id != ((reaped + i) & chain_mask) * d->descs ||
			elem->len != d->buffers.used_len;
		look(d, reaped + i);
	}
	d->used_pos = pos;
	d->wrong |= wrong;
	return n;
}

static unsigned int
reap_packed(struct relay_driver *d, unsigned int n)
{
	const struct relay_ring *r = &d->ring;
	const unsigned int chain_mask = d->chains - 1, reaped = d->reaped;
	bool wrap = d->used_wrap, wrong = false;
	unsigned int pos = d->used_pos, i;

	for (i = 0; i < n; i++) {
		const struct vring_packed_desc *desc = &r->packed_desc[pos];
		uint16_t flags = *(const volatile uint16_t *)&desc->flags;
		uint32_t len;

		if (!!(flags & PACKED_AVAIL) != wrap || !!(flags & PACKED_USED) != wrap)
			break;
		/* Pairs with the relay's write barrier before the flags. */
		atomic_thread_fence(memory_order_acquire);
		/* Without the flag, the length means nothing (virtio 1.2, 2.8.6). */
		len = flags & VRING_DESC_F_WRITE ? desc->len : 0;
		wrong |= desc->id != ((reaped + i) & chain_mask) || len != d->buffers.used_len;
		look(d, reaped + i);
		pos += d->descs;
		if (pos >= r->size) {
			pos -= r->size;
			wrap = !wrap;
		}
	}
	d->used_pos = pos;
	d->used_wrap = wrap;
	d->wrong |= wrong;
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
