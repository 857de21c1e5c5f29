/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_RING_H
#define FE_RING_H

/**
 * @file
 * The driver's side of a virtqueue, split (virtio 1.2, 2.7) or packed (2.8).
 *
 * Concepts
 *
 * fe_ring_add() lays out a chain, direct or indirect. fe_ring_publish() shows what was added to the
 * device and kicks it if it asks for that. fe_ring_get() takes a used entry and checks that its id
 * is outstanding: each chain comes back exactly once. Ids are handed out in the order in which they
 * came back, so they scatter: over the descriptor table of a split ring, over the buffer ids of a
 * packed one.
 *
 * For malformed rings, fe_ring_raw() makes any descriptors available, and what only one format has
 * is written by hand: fe_ring_desc() and fe_ring_avail() of a split ring, fe_ring_packed() of a
 * packed one.
 *
 * Positions run on: of a split ring modulo 2^16; of a packed one they count descriptors modulo
 * twice its size, and a position in the first half of that has wrap counter 1.
 *
 * One thread at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fe_mem.h"

/* Descriptor flags. */
#define FE_DESC_NEXT	 1u
#define FE_DESC_WRITE	 2u
#define FE_DESC_INDIRECT 4u
#define FE_DESC_AVAIL	 (1u << 7)  /**< packed only */
#define FE_DESC_USED	 (1u << 15) /**< packed only */

/** Bytes of a descriptor, in a ring or a table of either format. */
#define FE_DESC_SIZE 16u

/** A descriptor of a split ring as the device sees it. */
struct fe_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct fe_used_elem {
	uint32_t id;
	uint32_t len;
};

struct fe_used {
	uint16_t flags;
	uint16_t idx;
	struct fe_used_elem ring[];
};

/** A descriptor of a packed ring, available or used. */
struct fe_packed {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};

/** Event suppression area of a packed ring. */
struct fe_event {
	uint16_t at; /**< place, and the wrap counter in bit 15 */
	uint16_t flags;
} __attribute__((aligned(4)));

/** One buffer of a chain. */
struct fe_seg {
	uint64_t gpa;
	uint32_t len;
	bool write; /**< the device writes it */
};

/** One descriptor to be written as it is. */
struct fe_raw {
	uint64_t addr;
	uint32_t len;
	uint16_t flags; /**< packed: less AVAIL and USED, which are flipped if set */
};

/** Bytes of guest memory. */
struct fe_range {
	uint64_t gpa;
	uint64_t len;
};

struct fe_ring_ops;

struct fe_ring {
	const struct fe_ring_ops *ops;
	struct fe_mem *mem;
	uint32_t size;
	/* Packed: the ring, the driver's event area, the device's. */
	uint64_t desc_gpa, avail_gpa, used_gpa;
	bool packed;
	bool event_idx;
	union {
		struct fe_desc *desc;
		struct fe_packed *ring;
	};
	union {
		uint16_t *avail; /**< flags, idx, ring[size], used_event */
		struct fe_event *driver;
	};
	union {
		struct fe_used *used;
		struct fe_event *device;
	};

	uint16_t avail_idx; /**< next available position to fill */
	uint16_t shown;	    /**< available position that the device was shown */
	uint16_t used_idx;  /**< next used position to read */
	uint16_t got;	    /**< used position that was read last */
	uint16_t held;	    /**< packed: flags of the descriptor at shown, not yet written */

	uint16_t *free; /**< circular list of free ids */
	uint32_t free_first, n_ids;
	uint32_t n_free;   /**< free descriptors of the ring */
	uint16_t *next;	   /**< split: our own copy of the links */
	uint16_t *n_descs; /**< descriptors of the chain with this id; 0: not outstanding */
	void **cookie;
	uint32_t outstanding; /**< chains at the device */

	int kickfd, callfd, errfd;
	uint64_t kicks, kicks_suppressed;
};

/** Allocate a ring in @p mem's ring spans and its eventfds. @return 0; -ENOSPC; -ENOMEM. */
int
fe_ring_init(struct fe_ring *ring, struct fe_mem *mem, uint32_t size, bool packed, bool event_idx);

/** Bytes of guest memory that fe_ring_init() takes at most. */
uint64_t fe_ring_bytes(uint32_t size);

/** Close the eventfds, free our own memory. */
void fe_ring_free(struct fe_ring *ring);

/** Make everything free again and all positions the first, as after a reset of the device. */
void fe_ring_reset(struct fe_ring *ring);

/**
 * Lay out a chain and make it available, not yet published.
 *
 * @param n_direct
 *   Buffers that get a descriptor in the ring; the other ones follow in an indirect table. Packed:
 *   all or none.
 * @param table_gpa
 *   Where that table goes, FE_DESC_SIZE bytes a buffer.
 * @param cookie
 *   What fe_ring_get() gives back; not NULL.
 * @return place of its first descriptor in the ring; -ENOSPC: too few free descriptors.
 */
int fe_ring_add(struct fe_ring *ring, const struct fe_seg *segs, unsigned int n,
	unsigned int n_direct, uint64_t table_gpa, void *cookie);

/**
 * Make @p n descriptors available as they are, each naming the next one of them, not yet published.
 * They stay free for us: the ring is not fit for good chains afterwards.
 *
 * @return place of the first one in the ring.
 */
uint16_t fe_ring_raw(struct fe_ring *ring, const struct fe_raw *raw, unsigned int n);

/** Write descriptor @p i of an indirect table of the ring's format, naming the next one.
 * @return 0; -EFAULT. */
int fe_ring_table(struct fe_ring *ring, uint64_t table, unsigned int i, const struct fe_raw *raw);

/** Place of the @p i'th descriptor that fe_ring_raw() would use. */
uint16_t fe_ring_place(const struct fe_ring *ring, unsigned int i);

/** Split: write one descriptor by hand. */
void fe_ring_desc(struct fe_ring *ring, uint16_t id, uint64_t addr, uint32_t len, uint16_t flags,
	uint16_t next);

/** Split: put any head into the available ring by hand, not yet published. */
void fe_ring_avail(struct fe_ring *ring, uint16_t head);

/** Split: write any value into avail->idx, and kick. */
void fe_ring_set_idx(struct fe_ring *ring, uint16_t idx);

/** Packed: make a descriptor available under any buffer id, not yet published. */
void fe_ring_packed(struct fe_ring *ring, const struct fe_raw *raw, uint16_t id);

/** Show the device what was added and kick it if it asks for that. */
void fe_ring_publish(struct fe_ring *ring);

/** Kick whatever the device asks for. */
void fe_ring_kick(struct fe_ring *ring);

/**
 * Take one used entry.
 *
 * @param[out] cookie, len
 *   Of the chain.
 * @return 1; 0: there is none; -EPROTO: the id is not outstanding.
 */
int fe_ring_get(struct fe_ring *ring, void **cookie, uint32_t *len);

/** Whether there is a used entry to take. */
bool fe_ring_has_used(const struct fe_ring *ring);

/** What the device wrote for the used entry at position @p got. @return ranges, 1 or 2. */
unsigned int fe_ring_written(const struct fe_ring *ring, uint16_t got, struct fe_range ranges[2]);

/** Ask for an interrupt. @return whether there are used entries already. */
bool fe_ring_arm(struct fe_ring *ring);

/** Ask for no interrupt (a hint only). */
void fe_ring_disarm(struct fe_ring *ring);

/** Forget interrupts that came. */
void fe_ring_ack_call(struct fe_ring *ring);

/** Wait for an interrupt. @return 0; -ETIMEDOUT. */
int fe_ring_wait(struct fe_ring *ring, int timeout_ms);

/**
 * What SET_VRING_BASE gets: where the device goes on, if it has nothing of us.
 *
 * Packed: used entries must have been taken before.
 */
uint16_t fe_ring_base(const struct fe_ring *ring);

/**
 * Whether a base that the back-end handed back loses or repeats nothing: it must be the used
 * position, and what is available from there on must be just the chains that are outstanding.
 *
 * Used entries must have been taken before.
 *
 * @return 0; -EPROTO, with a line on stderr.
 */
int fe_ring_check_base(const struct fe_ring *ring, uint32_t base);

#endif /* FE_RING_H */
