/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_PLAIN_H
#define SOFT_PLAIN_H

/**
 * @file
 * Chains of one direct descriptor, which most packets are: read in line, without the general walk,
 * and taken several at once.
 *
 * Concepts
 *
 * What is unusual about a chain, faults included, is left to soft_ring_read(), which reads it
 * again. So reading only ever says "plain" or "look closer", and counts and notes nothing.
 */

#include "soft_ring.h"

/** Half of a descriptor. */
typedef uint64_t __rte_may_alias soft_plain_half;

/** A chain of one buffer. */
struct soft_plain {
	uint8_t *addr;
	uint32_t len;
	struct soft_head head;
};

/** A descriptor's halves, each read once, whatever the driver does meanwhile. */
static inline void
soft_plain_load(const void *shared, uint64_t half[2])
{
	const volatile soft_plain_half *from = shared;

	half[0] = from[0];
	half[1] = from[1];
}

/** The descriptor of a split ring's chain. @return whether it exists. */
static inline bool
soft_plain_split(
	const struct soft_ring *ring, uint16_t at, uint64_t half[2], struct soft_head *head)
{
	const struct soft_split *split = &ring->split;

	if (at == split->end)
		return false;
	head->id = __atomic_load_n(&split->avail->ring[at & (ring->size - 1)], __ATOMIC_RELAXED);
	if (unlikely(head->id >= ring->size))
		return false;
	soft_plain_load(&split->desc[head->id], half);
	return true;
}

/**
 * Read the chain at a position without taking it, if there is one and it is plain.
 *
 * @param packed
 *   ring->is_packed, known when it is compiled.
 * @param[in,out] at
 *   Position; on success, of the chain behind.
 * @param perm
 *   SVQ_PERM_R or SVQ_PERM_W: what the device does with the buffer.
 * @return false: there is none, or soft_ring_read() has to tell what it is.
 */
static __rte_always_inline bool
soft_plain_read(struct soft_ring *ring, const bool packed, struct soft_access *access, uint16_t *at,
	uint32_t perm, struct soft_plain *plain)
{
	uint16_t flags = perm == SVQ_PERM_W ? VRING_DESC_F_WRITE : 0;
	uint64_t half[2];

	if (packed) {
		if (!soft_packed_ready(ring, *at))
			return false;
		soft_plain_load(&ring->packed.desc[*at & ~SOFT_PACKED_WRAP], half);
		plain->head.id = (uint16_t)(half[1] >> 32);
		if (unlikely(plain->head.id >= ring->size))
			return false;
		flags |= *at & SOFT_PACKED_WRAP ? SOFT_PACKED_AVAIL : SOFT_PACKED_USED;
	} else {
		if (!soft_plain_split(ring, *at, half, &plain->head))
			return false;
		/* What stands behind the flags is no id, and without NEXT means nothing. */
		half[1] = (half[1] & UINT64_C(0xffffffff)) | (half[1] >> 32 & 0xffff) << 48;
	}
	plain->head.slots = 1;
	plain->len = (uint32_t)half[1];
	if (unlikely((uint16_t)(half[1] >> 48) != flags || plain->len == 0))
		return false;
	plain->addr = soft_access_get(access, &ring->buf_hint, half[0], plain->len, perm);
	if (unlikely(plain->addr == NULL))
		return false;
	*at = packed ? soft_packed_advance(ring, *at, 1) : *at + 1;
	return true;
}

/** Write used descriptors to a packed ring, as soft_packed_used(), for what lies at @p at and
 * behind it. */
static __rte_always_inline void
soft_plain_packed_used(
	struct soft_ring *ring, uint16_t at, const struct soft_plain *plain, unsigned int n)
{
	unsigned int i;

	soft_packed_used(ring, at, plain[0].head.id, plain[0].len);
	for (i = 1; i < n; i++) {
		uint64_t used = plain[i].len | (uint64_t)plain[i].head.id << 32;
		struct vring_packed_desc *desc;

		at = soft_packed_advance(ring, at, 1);
		desc = &ring->packed.desc[at & ~SOFT_PACKED_WRAP];
		if (at & SOFT_PACKED_WRAP)
			used |= (uint64_t)(SOFT_PACKED_AVAIL | SOFT_PACKED_USED) << 48;
		if (plain[i].len != 0)
			used |= (uint64_t)VRING_DESC_F_WRITE << 48;
		/* Length, id and flags; the driver looks here only when it has seen the first. */
		__atomic_store_n((soft_plain_half *)&desc->len, used, __ATOMIC_RELAXED);
	}
}

/** Write used entries to a split ring. */
static __rte_always_inline void
soft_plain_split_used(struct soft_ring *ring, const struct soft_plain *plain, unsigned int n)
{
	struct vring_used_elem *used = ring->split.used->ring;
	const uint16_t first = ring->split.used_next, mask = ring->size - 1;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_used_elem elem = {.id = plain[i].head.id, .len = plain[i].len};

		used[(uint16_t)(first + i) & mask] = elem;
	}
	ring->split.used_next = first + n;
}

/**
 * Take the next @p n chains at once, which are plain; no more than the ring has.
 *
 * @param packed
 *   ring->is_packed, known when it is compiled.
 * @param whole
 *   As of soft_ring_take(), for each of them.
 * @param[in] plain
 *   In each, len are the bytes that were written to it.
 */
static __rte_always_inline void
soft_plain_take(struct soft_ring *ring, const bool packed, const struct soft_plain *plain,
	unsigned int n, bool whole)
{
	const uint16_t at = ring->next;
	struct soft_batch *batch = &ring->batch;

	if (n == 0)
		return;
	ring->next = packed ? soft_packed_advance(ring, at, n) : at + n;
	if (ring->in_order && whole) {
		if (batch->n == 0)
			batch->at = at;
		batch->n += n;
		batch->last = plain[n - 1].head;
		batch->len = plain[n - 1].len;
		return;
	}
	soft_ring_close_batch(ring);
	if (packed)
		soft_plain_packed_used(ring, at, plain, n);
	else
		soft_plain_split_used(ring, plain, n);
}

#endif /* SOFT_PLAIN_H */
