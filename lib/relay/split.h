/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SPLIT_H
#define SPLIT_H

/**
 * @file
 * Split virtqueues as shared memory (virtio 1.2, 2.7): single reads and writes, with their order.
 *
 * Concepts
 *
 * The other side may change any of this at any time. So each field is read exactly once, through a
 * volatile access that the compiler can neither repeat nor tear, into a copy that is then used.
 */

#include <stdatomic.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <rte_common.h>

static inline uint16_t
svq_load16(const uint16_t *p)
{
	return *(const volatile uint16_t *)p;
}

static inline void
svq_store16(uint16_t *p, uint16_t v)
{
	*(volatile uint16_t *)p = v;
}

/** Read an index that the other side publishes; what it published before is visible afterwards. */
static inline uint16_t
svq_load16_acquire(const uint16_t *p)
{
	uint16_t v = svq_load16(p);

	/* Pairs with the other side's write barrier before it stores the index. */
	atomic_thread_fence(memory_order_acquire);
	return v;
}

/** Publish an index; what was written before is visible to whoever reads it. */
static inline void
svq_store16_release(uint16_t *p, uint16_t v)
{
	/* Pairs with the other side's read barrier after it loads the index. */
	atomic_thread_fence(memory_order_release);
	svq_store16(p, v);
}

/** Copy a descriptor, each half read once. */
static inline void
svq_load_desc_halves(const struct vring_desc *p, uint64_t half[2])
{
	const volatile uint64_t *from = (const volatile uint64_t *)p;

	RTE_BUILD_BUG_ON(sizeof(*p) != 16);
	half[0] = from[0];
	half[1] = from[1];
}

/** Write a descriptor into a table of ours, halves as above. */
static inline void
svq_store_desc_halves(struct vring_desc *p, uint64_t first, uint64_t second)
{
	uint64_t __attribute__((may_alias)) *to = (void *)p;

	to[0] = first;
	to[1] = second;
}

/** Copy a descriptor. Its fields come out of registers, not out of a copy in memory. */
static inline struct vring_desc
svq_load_desc(const struct vring_desc *p)
{
	uint64_t half[2];

	svq_load_desc_halves(p, half);
	return (struct vring_desc){
		.addr = half[0],
		.len = (uint32_t)half[1],
		.flags = (uint16_t)(half[1] >> 32),
		.next = (uint16_t)(half[1] >> 48),
	};
}

/** Copy a used element, read once; it is 4-byte aligned only. */
static inline struct vring_used_elem
svq_load_used_elem(const struct vring_used_elem *p)
{
	const volatile uint32_t *from = (const volatile uint32_t *)p;
	struct vring_used_elem copy;

	copy.id = from[0];
	copy.len = from[1];
	return copy;
}

/** Where the driver puts used_event, and the device avail_event (virtio 1.2, 2.7.7 and 2.7.10). */
static inline uint16_t *
svq_used_event(struct vring_avail *avail, uint32_t size)
{
	return &avail->ring[size];
}

static inline uint16_t *
svq_avail_event(struct vring_used *used, uint32_t size)
{
	return (uint16_t *)&used->ring[size];
}

#endif /* SPLIT_H */
