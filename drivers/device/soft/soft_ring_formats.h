/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_RING_FORMATS_H
#define SOFT_RING_FORMATS_H

/**
 * @file
 * What each ring format does for soft_ring.c; see soft_ring.h for what the functions mean.
 */

#include <errno.h>
#include <stdatomic.h>

#include <sys/eventfd.h>

#include "soft_ring.h"

/** Note why the ring is malformed. */
static inline int
soft_ring_malformed(struct soft_ring *ring, const char *reason)
{
	ring->reason = reason;
	return -EPROTO;
}

/** Interrupt the driver, which asked for it. */
static inline void
soft_ring_interrupt(const struct soft_ring *ring)
{
	/* It can only fail because the counter is full: then the driver has not looked yet. */
	(void)eventfd_write(ring->irqfd, 1);
}

/** Translate the three areas. @return 0; -EFAULT. */
int soft_split_resolve(struct soft_ring *ring, struct soft_access *access);

/** Ask the driver not to kick. */
void soft_split_suppress_kicks(struct soft_ring *ring);

/** soft_ring_sleep(). */
bool soft_split_sleep(struct soft_ring *ring);
bool soft_packed_sleep(struct soft_ring *ring);

/** Position behind the last descriptor that the driver made available. */
uint16_t soft_packed_end(const struct soft_ring *ring);

int soft_split_begin(struct soft_ring *ring);
int soft_split_read(struct soft_ring *ring, struct soft_access *access, uint16_t *at, uint32_t perm,
	uint32_t want, struct soft_buf *bufs, struct soft_chain *chain);
uint16_t soft_split_count(const struct soft_ring *ring, uint16_t max);
int soft_split_head(struct soft_ring *ring, struct soft_head *head);
void soft_split_publish(struct soft_ring *ring);

int soft_packed_resolve(struct soft_ring *ring, struct soft_access *access);
void soft_packed_suppress_kicks(struct soft_ring *ring);
int soft_packed_read(struct soft_ring *ring, struct soft_access *access, uint16_t *at,
	uint32_t perm, uint32_t want, struct soft_buf *bufs, struct soft_chain *chain);
uint16_t soft_packed_count(const struct soft_ring *ring, uint16_t max);
int soft_packed_head(struct soft_ring *ring, struct soft_head *head);
void soft_packed_publish(struct soft_ring *ring);

#endif /* SOFT_RING_FORMATS_H */
