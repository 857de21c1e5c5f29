/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_RING_H
#define FE_RING_H

/**
 * @file
 * The driver's side of a split virtqueue (virtio 1.2, 2.7).
 *
 * Concepts
 *
 * fe_ring_add() lays out a chain, direct or indirect, from descriptors that are free; the free ones
 * are handed out in the order in which they came back, so chains scatter over the table. For
 * malformed rings, fe_ring_desc() and fe_ring_avail() write any descriptor and any available entry
 * by hand. fe_ring_publish() shows new entries to the device and kicks it if it asks for that.
 * fe_ring_get() takes a used entry and checks that its id is outstanding: each chain comes back
 * exactly once.
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

/** A descriptor as the device sees it. */
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

/** One buffer of a chain. */
struct fe_seg {
	uint64_t gpa;
	uint32_t len;
	bool write; /**< the device writes it */
};

struct fe_ring {
	struct fe_mem *mem;
	uint32_t size;
	uint64_t desc_gpa, avail_gpa, used_gpa;
	struct fe_desc *desc;
	uint16_t *avail; /**< flags, idx, ring[size], used_event */
	struct fe_used *used;
	bool event_idx;

	uint16_t avail_idx; /**< next available entry to fill */
	uint16_t shown;	    /**< available index that the device was shown */
	uint16_t used_idx;  /**< next used entry to read */

	uint16_t *free; /**< circular list of free descriptors */
	uint32_t free_first, n_free;
	uint16_t *next;	   /**< our own copy of the links */
	uint16_t *n_descs; /**< descriptors of the chain with this head; 0: not outstanding */
	void **cookie;
	uint32_t outstanding; /**< chains at the device */

	int kickfd, callfd, errfd;
	uint64_t kicks, kicks_suppressed;
};

/** Allocate a ring in @p mem's ring spans and its eventfds. @return 0; -ENOSPC; -ENOMEM. */
int fe_ring_init(struct fe_ring *ring, struct fe_mem *mem, uint32_t size, bool event_idx);

/** Bytes of guest memory that fe_ring_init() takes at most. */
uint64_t fe_ring_bytes(uint32_t size);

/** Close the eventfds, free our own memory. */
void fe_ring_free(struct fe_ring *ring);

/** Make everything free again and both indices @p base, as after a reset of the device. */
void fe_ring_reset(struct fe_ring *ring, uint16_t base);

/**
 * Lay out a chain and put its head into the available ring, not yet published.
 *
 * @param n_direct
 *   Buffers that get a descriptor in the ring; the other ones follow in an indirect table.
 * @param table_gpa
 *   Where that table goes, 16 bytes a buffer.
 * @param cookie
 *   What fe_ring_get() gives back; not NULL.
 * @return the head; -ENOSPC: too few free descriptors.
 */
int fe_ring_add(struct fe_ring *ring, const struct fe_seg *segs, unsigned int n,
	unsigned int n_direct, uint64_t table_gpa, void *cookie);

/** Write one descriptor by hand. */
void fe_ring_desc(struct fe_ring *ring, uint16_t id, uint64_t addr, uint32_t len, uint16_t flags,
	uint16_t next);

/** Put any head into the available ring by hand, not yet published. */
void fe_ring_avail(struct fe_ring *ring, uint16_t head);

/** Show the device what was added and kick it if it asks for that. */
void fe_ring_publish(struct fe_ring *ring);

/** Kick whatever the device asks for. */
void fe_ring_kick(struct fe_ring *ring);

/** Write any value into avail->idx, and kick. */
void fe_ring_set_idx(struct fe_ring *ring, uint16_t idx);

/**
 * Take one used entry.
 *
 * @param[out] cookie, len
 *   Of the chain.
 * @return 1; 0: there is none; -EPROTO: the id is not outstanding.
 */
int fe_ring_get(struct fe_ring *ring, void **cookie, uint32_t *len);

/** Ask for an interrupt. @return whether there are used entries already. */
bool fe_ring_arm(struct fe_ring *ring);

/** Ask for no interrupt (a hint only). */
void fe_ring_disarm(struct fe_ring *ring);

/** Forget interrupts that came. */
void fe_ring_ack_call(struct fe_ring *ring);

/** Wait for an interrupt. @return 0; -ETIMEDOUT. */
int fe_ring_wait(struct fe_ring *ring, int timeout_ms);

/**
 * Whether a base that the back-end handed back loses or repeats nothing: it must be the used index,
 * and the available entries from there on must name just the chains that are outstanding.
 *
 * Used entries must have been taken before.
 *
 * @return 0; -EPROTO, with a line on stderr.
 */
int fe_ring_check_base(const struct fe_ring *ring, uint32_t base);

#endif /* FE_RING_H */
