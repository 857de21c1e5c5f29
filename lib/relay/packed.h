/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef PACKED_H
#define PACKED_H

/**
 * @file
 * Packed virtqueues as shared memory (virtio 1.2, 2.8): single reads and writes, with their order.
 *
 * Concepts
 *
 * A descriptor belongs to the device when its AVAIL flag equals the driver's wrap counter and its
 * USED flag does not; it is given back when both equal the device's wrap counter. Length, id and
 * flags share 8 bytes, so one read tells consistently whether a descriptor is there and what it is.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <rte_common.h>

#define SVQ_PACKED_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define SVQ_PACKED_USED	 (1u << VRING_PACKED_DESC_F_USED)

/** Copy a descriptor, each half read once; the flags before the address. */
static inline struct vring_packed_desc
svq_packed_load(const struct vring_packed_desc *p)
{
	const volatile uint64_t *from = (const volatile uint64_t *)p;
	uint64_t half = from[1];

	RTE_BUILD_BUG_ON(sizeof(*p) != 16);
	/* Pairs with the driver's write barrier before it makes the descriptor available. */
	atomic_thread_fence(memory_order_acquire);
	/* The fields come out of registers, not out of a copy in memory. */
	return (struct vring_packed_desc){
		.addr = from[0],
		.len = (uint32_t)half,
		.id = (uint16_t)(half >> 32),
		.flags = (uint16_t)(half >> 48),
	};
}

/** Copy what a device returns of a descriptor, read once. */
static inline struct vring_packed_desc
svq_packed_load_used(const struct vring_packed_desc *p)
{
	uint64_t half = ((const volatile uint64_t *)p)[1];

	return (struct vring_packed_desc){
		.len = (uint32_t)half,
		.id = (uint16_t)(half >> 32),
		.flags = (uint16_t)(half >> 48),
	};
}

/** Return a descriptor, id, length and flags at once: what svq_packed_used() gives. */
static inline void
svq_packed_store_used(struct vring_packed_desc *p, uint64_t half)
{
	((volatile uint64_t *)p)[1] = half;
}

/** The flags by which a device returns a descriptor. */
static inline uint16_t
svq_packed_used_flags(bool wrap)
{
	/* Without a branch, likewise below. */
	return (SVQ_PACKED_AVAIL | SVQ_PACKED_USED) & -(unsigned int)wrap;
}

/** What a device returns of a descriptor. WRITE tells that the length counts. */
static inline uint64_t
svq_packed_used(uint16_t id, uint32_t len, bool wrap)
{
	uint16_t flags = svq_packed_used_flags(wrap) | (len != 0 ? VRING_DESC_F_WRITE : 0);

	return len | (uint64_t)id << 32 | (uint64_t)flags << 48;
}

/** The flags by which a driver makes a descriptor available. */
static inline uint16_t
svq_packed_avail_flags(bool wrap)
{
	return SVQ_PACKED_USED ^ ((SVQ_PACKED_USED ^ SVQ_PACKED_AVAIL) & -(unsigned int)wrap);
}

/** Whether flags say that a descriptor is the device's. */
static inline bool
svq_packed_is_avail(uint16_t flags, bool wrap)
{
	return (flags & (SVQ_PACKED_AVAIL | SVQ_PACKED_USED)) == svq_packed_avail_flags(wrap);
}

/** Whether flags say that the device gave it back. */
static inline bool
svq_packed_is_used(uint16_t flags, bool wrap)
{
	return (flags & (SVQ_PACKED_AVAIL | SVQ_PACKED_USED)) == svq_packed_used_flags(wrap);
}

/** A position @p n descriptors after another, n <= size; @p wrap is turned at the ring's end. */
static inline uint16_t
svq_packed_step(uint16_t pos, uint32_t n, uint32_t size, bool *wrap)
{
	uint32_t next = pos + n;

	if (next >= size) {
		next -= size;
		*wrap = !*wrap;
	}
	return (uint16_t)next;
}

/** Position and wrap counter in 16 bits, as vhost-user and kicks have them: bit 15 is the counter.
 */
static inline uint16_t
svq_packed_base(uint16_t pos, bool wrap)
{
	return pos | (uint16_t)(wrap << 15);
}

/**
 * Whether an event area asks for a notification (virtio 1.2, 2.8.10).
 *
 * @param area
 *   flags in the upper, offset and wrap counter in the lower half, as read once.
 * @param pos, wrap
 *   Position after the @p n descriptors that were just published.
 */
static inline bool
svq_packed_need_event(
	uint32_t area, bool event_idx, uint16_t pos, bool wrap, uint16_t n, uint32_t size)
{
	uint16_t flags = area >> 16, event = area & 0x7fff;

	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !event_idx)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	if ((area >> VRING_PACKED_EVENT_F_WRAP_CTR & 1) != wrap)
		event -= size;
	return vring_need_event(event, pos, pos - n);
}

/** Read an event area once. */
static inline uint32_t
svq_packed_load_event(const struct vring_packed_desc_event *p)
{
	return *(const volatile uint32_t *)p;
}

static inline void
svq_packed_store_event(struct vring_packed_desc_event *p, uint16_t flags)
{
	*(volatile uint16_t *)&p->flags = flags;
}

/** Ask for a notification when the descriptor at this position is given over. */
static inline void
svq_packed_want_event(struct vring_packed_desc_event *p, bool event_idx, uint16_t pos, bool wrap)
{
	if (!event_idx) {
		svq_packed_store_event(p, VRING_PACKED_EVENT_FLAG_ENABLE);
		return;
	}
	*(volatile uint16_t *)&p->off_wrap = svq_packed_base(pos, wrap);
	/* Pairs with the other side's read barrier between the flags and the position, where it
	 * reads them one by one. */
	atomic_thread_fence(memory_order_release);
	svq_packed_store_event(p, VRING_PACKED_EVENT_FLAG_DESC);
}

#endif /* PACKED_H */
