/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_RING_H
#define SOFT_RING_H

/**
 * @file
 * The device side of a virtqueue, split (virtio 1.2, 2.7) or packed (2.8), reached only through
 * the IOMMU.
 *
 * Concepts
 *
 * One poll is: soft_ring_begin() looks how far the driver got; soft_ring_read() reads a chain
 * without taking it, so that a caller can look ahead and leave it; soft_ring_take() takes it and
 * notes it as used; soft_ring_publish() shows the driver all used entries of the poll at once.
 *
 * A position is where a chain stands: the free-running available index of a split ring; the place
 * of the chain's first descriptor in a packed ring, with the wrap counter in bit 15. Callers pass
 * positions along and look at them only through these functions.
 *
 * With VIRTIO_F_IN_ORDER one used entry stands for a batch of chains: the last one's, written
 * where the first one's would be (virtio 1.2, 2.7.9 and 2.8.12). The driver takes the others as
 * used to their ends, so a chain that is not written to its end closes its batch.
 *
 * The three areas are translated when the ring starts and again when the IOMMU's snapshot has
 * changed; their addresses are valid for one poll, like every other.
 *
 * The device polls and asks the driver not to kick, unless it is told to sleep between kicks. It
 * interrupts if it was given a descriptor for that and the driver asks for it.
 *
 * Functions that can fail return -EFAULT for an access that the IOMMU refused (noted in the
 * access) and -EPROTO for a ring that breaks the specification (soft_ring.reason). The ring is
 * little-endian, as is every host this builds for.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include <svq_device.h>

#include "soft_iommu.h"

#if RTE_BYTE_ORDER != RTE_LITTLE_ENDIAN
#error "the rings are read without swapping bytes"
#endif

/** The wrap counter in a position of a packed ring. */
#define SOFT_PACKED_WRAP 0x8000

/** Flags of a packed descriptor. */
#define SOFT_PACKED_AVAIL (1 << VRING_PACKED_DESC_F_AVAIL)
#define SOFT_PACKED_USED  (1 << VRING_PACKED_DESC_F_USED)

/** A buffer in this process. */
struct soft_buf {
	uint8_t *addr;
	uint32_t len;
};

/** What it takes to give a chain back. */
struct soft_head {
	uint16_t id;	/**< what the driver is told */
	uint16_t slots; /**< descriptors of the ring itself that were read */
};

/** A chain as far as it was read; its buffers are in the caller's array. */
struct soft_chain {
	struct soft_head head;
	unsigned int n_bufs; /**< buffers */
	uint32_t len;	     /**< bytes in them */
};

/** What only a split ring has. */
struct soft_split {
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
	uint16_t end;	     /**< available index that the driver had reached */
	uint16_t used_next;  /**< used index to write next */
	uint16_t used_shown; /**< used index that the driver sees */
	uint16_t event;	     /**< avail_event that the driver sees */
};

/** What only a packed ring has. */
struct soft_packed {
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *device_event;
	const struct vring_packed_desc_event *driver_event;
	uint16_t shown;			 /**< position up to which the driver sees used ones */
	struct vring_packed_desc *first; /**< first used one since the last publish; NULL: none */
	uint16_t first_flags;		 /**< its flags, which the driver does not see yet */
};

/** Chains that are used and have no used entry yet. */
struct soft_batch {
	uint16_t n;	       /**< chains */
	uint16_t at;	       /**< position of the first */
	struct soft_head last; /**< the last one */
	uint32_t len;	       /**< bytes written to it */
};

struct soft_ring {
	struct svq_device_queue conf; /**< from the driver; size 0: not set up */
	const char *reason;	      /**< why the ring is malformed */
	bool live;		      /**< started, and not reset since */
	bool is_packed;		      /**< VIRTIO_F_RING_PACKED: which of the two below is used */
	bool indirect;		      /**< VIRTIO_RING_F_INDIRECT_DESC */
	bool event_idx;		      /**< VIRTIO_RING_F_EVENT_IDX */
	int irqfd;		      /**< eventfd that interrupts the driver, or -1 */
	bool in_order;		      /**< VIRTIO_F_IN_ORDER */
	bool kicks;		      /**< asks the driver to kick */
	uint16_t size;		      /**< descriptors */
	uint16_t next;		      /**< position to take next */
	uint32_t buf_hint;	      /**< for soft_access_get(): buffers */
	uint32_t table_hint;	      /**< for soft_access_get(): indirect tables */
	uint64_t generation;	      /**< of the snapshot behind the addresses; 0: none */
	struct soft_batch batch;      /**< in_order */
	union {
		struct soft_split split;
		struct soft_packed packed;
	};
};

/** Forget everything; the driver has to set the ring up anew. */
void soft_ring_reset(struct soft_ring *ring);

/** Begin anew; ask the driver to kick, or not to. conf and irqfd are set. @return 0: live; -EFAULT.
 */
int
soft_ring_start(struct soft_ring *ring, struct soft_access *access, uint64_t features, bool kicks);

/** See what the driver made available. @return 0; -EFAULT; -EPROTO. */
int soft_ring_begin(struct soft_ring *ring, struct soft_access *access);

/**
 * Read the chain at a position where soft_ring_ready(), without taking it.
 *
 * Reading stops when @p want bytes are found: the buffers that follow are not looked at, and the
 * last one is cut short. Every descriptor that is read must fit its direction.
 *
 * @param[in,out] at
 *   Position; on success, of the chain behind.
 * @param perm
 *   SVQ_PERM_R or SVQ_PERM_W: what the device does with the buffers.
 * @param want
 *   Bytes, > 0.
 * @param[out] bufs
 *   Room for the smaller of @p want and the ring's size.
 * @return 0; -EFAULT; -EPROTO.
 */
int soft_ring_read(struct soft_ring *ring, struct soft_access *access, uint16_t *at, uint32_t perm,
	uint32_t want, struct soft_buf *bufs, struct soft_chain *chain);

/** Read the next chain without its buffers. @return 0; -EPROTO. */
int soft_ring_head(struct soft_ring *ring, struct soft_head *head);

/** Chains that are available and not taken, counted up to @p max. */
uint16_t soft_ring_count(const struct soft_ring *ring, uint16_t max);

/** Show the driver what was taken since the last call, and interrupt it if it asks for that. */
void soft_ring_publish(struct soft_ring *ring);

/**
 * Nothing is left to do: ask for a kick behind what was seen.
 *
 * @return whether the driver made more available meanwhile, so that no kick may come.
 */
bool soft_ring_sleep(struct soft_ring *ring);

/**
 * Check what came with a kick, after soft_ring_begin().
 *
 * @param next
 *   The upper half of the notification data: where the driver will make the next chain available
 *   (virtio 1.2, 2.9).
 * @return 0; -EPROTO: the ring says otherwise.
 */
int soft_ring_notified(struct soft_ring *ring, uint16_t next);

/** Place of the next chain, for a log. */
static inline unsigned int
soft_ring_index(const struct soft_ring *ring)
{
	return ring->is_packed ? ring->next & ~SOFT_PACKED_WRAP : ring->next;
}

/** Whether the driver has made a descriptor of a packed ring available. */
static inline bool
soft_packed_avail(uint16_t flags, uint16_t at)
{
	/* virtio 1.2, 2.8.1: AVAIL equals the wrap counter, USED does not. */
	bool wrap = (at & SOFT_PACKED_WRAP) != 0;

	return ((flags & SOFT_PACKED_AVAIL) != 0) == wrap &&
		((flags & SOFT_PACKED_USED) != 0) != wrap;
}

/** soft_ring_ready() of a packed ring. */
static inline bool
soft_packed_ready(const struct soft_ring *ring, uint16_t at)
{
	/* Pairs with the driver's release of these flags: the whole chain is written. */
	uint16_t flags =
		__atomic_load_n(&ring->packed.desc[at & ~SOFT_PACKED_WRAP].flags, __ATOMIC_ACQUIRE);

	return soft_packed_avail(flags, at);
}

/** The position @p slots descriptors behind @p at; slots <= size. */
static inline uint16_t
soft_packed_advance(const struct soft_ring *ring, uint16_t at, uint16_t slots)
{
	uint32_t place = (uint32_t)(at & ~SOFT_PACKED_WRAP) + slots;
	uint16_t wrap = at & SOFT_PACKED_WRAP;

	if (place >= ring->size) {
		place -= ring->size;
		wrap ^= SOFT_PACKED_WRAP;
	}
	return (uint16_t)(place | wrap);
}

/** Write a used descriptor to a packed ring. Chains are used in order, so it takes the place of the
 * chain's first (virtio 1.2, 2.8.6). */
static inline void
soft_packed_used(struct soft_ring *ring, uint16_t at, uint16_t id, uint32_t len)
{
	struct soft_packed *packed = &ring->packed;
	struct vring_packed_desc *desc = &packed->desc[at & ~SOFT_PACKED_WRAP];
	uint16_t flags = at & SOFT_PACKED_WRAP ? SOFT_PACKED_AVAIL | SOFT_PACKED_USED : 0;

	if (len != 0)
		flags |= VRING_DESC_F_WRITE;
	desc->id = id;
	desc->len = len;
	if (packed->first != NULL) {
		/* The driver looks here only when it has seen the first one's flags. */
		__atomic_store_n(&desc->flags, flags, __ATOMIC_RELAXED);
	} else {
		packed->first = desc;
		packed->first_flags = flags;
	}
}

/** Write a used entry to a split ring, for @p n chains. */
static inline void
soft_split_used(struct soft_ring *ring, uint16_t id, uint32_t len, uint16_t n)
{
	struct soft_split *split = &ring->split;
	struct vring_used_elem *elem = &split->used->ring[split->used_next & (ring->size - 1)];

	elem->id = id;
	elem->len = len;
	split->used_next += n;
}

/** Write the used entry of the present batch, if there is one. */
static inline void
soft_ring_close_batch(struct soft_ring *ring)
{
	struct soft_batch *batch = &ring->batch;

	if (batch->n == 0)
		return;
	if (ring->is_packed)
		soft_packed_used(ring, batch->at, batch->last.id, batch->len);
	else
		soft_split_used(ring, batch->last.id, batch->len, batch->n);
	batch->n = 0;
}

/** Whether the driver has made a chain available at a position. */
static inline bool
soft_ring_ready(const struct soft_ring *ring, uint16_t at)
{
	return ring->is_packed ? soft_packed_ready(ring, at) : at != ring->split.end;
}

/** soft_ring_take(), where the format is known when it is compiled. */
static __rte_always_inline void
soft_ring_take_as(struct soft_ring *ring, const bool packed, const struct soft_head *head,
	uint32_t len, bool whole)
{
	uint16_t at = ring->next;

	ring->next = packed ? soft_packed_advance(ring, at, head->slots) : at + 1;
	if (ring->in_order) {
		if (ring->batch.n++ == 0)
			ring->batch.at = at;
		ring->batch.last = *head;
		ring->batch.len = len;
		if (!whole)
			soft_ring_close_batch(ring);
	} else if (packed) {
		soft_packed_used(ring, at, head->id, len);
	} else {
		soft_split_used(ring, head->id, len, 1);
	}
}

/**
 * Take the next chain.
 *
 * @param len
 *   Bytes that were written to it.
 * @param whole
 *   They fill it: it need not be told from the chain behind.
 */
static inline void
soft_ring_take(struct soft_ring *ring, const struct soft_head *head, uint32_t len, bool whole)
{
	soft_ring_take_as(ring, ring->is_packed, head, len, whole);
}

/** soft_ring_head() of a chain that is ready, where it is told from one place. */
static __rte_always_inline bool
soft_ring_head_as(const struct soft_ring *ring, const bool packed, struct soft_head *head)
{
	head->slots = 1;
	if (packed) {
		const volatile struct vring_packed_desc *desc =
			&ring->packed.desc[ring->next & ~SOFT_PACKED_WRAP];

		head->id = desc->id;
		return !(desc->flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT)) &&
			head->id < ring->size;
	}
	head->id = __atomic_load_n(
		&ring->split.avail->ring[ring->next & (ring->size - 1)], __ATOMIC_RELAXED);
	return head->id < ring->size;
}

#endif /* SOFT_RING_H */
