/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <rte_bitops.h>

#include <linux/virtio_config.h>

#include "soft_ring.h"
#include "soft_ring_formats.h"

void
soft_ring_reset(struct soft_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->irqfd = -1;
}

/* Translate the areas from the present snapshot. */
static int
resolve(struct soft_ring *ring, struct soft_access *access)
{
	int ret;

	ring->generation = 0;
	ring->buf_hint = 0;
	ring->table_hint = 0;
	ret = ring->is_packed ? soft_packed_resolve(ring, access)
			      : soft_split_resolve(ring, access);
	if (ret == 0)
		ring->generation = access->map->generation;
	return ret;
}

int
soft_ring_start(struct soft_ring *ring, struct soft_access *access, uint64_t features, bool kicks)
{
	struct svq_device_queue conf = ring->conf;
	int irqfd = ring->irqfd;
	int ret;

	soft_ring_reset(ring);
	ring->conf = conf;
	ring->irqfd = irqfd;
	ring->size = conf.size;
	ring->is_packed = (features & RTE_BIT64(VIRTIO_F_RING_PACKED)) != 0;
	/* virtio 1.2, 2.8.1: both wrap counters start at 1. */
	ring->next = ring->is_packed ? SOFT_PACKED_WRAP : 0;
	ring->indirect = (features & RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC)) != 0;
	ring->event_idx = (features & RTE_BIT64(VIRTIO_RING_F_EVENT_IDX)) != 0;
	ring->in_order = (features & RTE_BIT64(VIRTIO_F_IN_ORDER)) != 0;
	ring->kicks = kicks;
	ret = resolve(ring, access);
	if (ret < 0)
		return ret;
	if (ring->is_packed)
		ring->packed.shown = ring->next;
	if (kicks)
		soft_ring_sleep(ring);
	else if (ring->is_packed)
		soft_packed_suppress_kicks(ring);
	else
		soft_split_suppress_kicks(ring);
	ring->live = true;
	return 0;
}

int
soft_ring_begin(struct soft_ring *ring, struct soft_access *access)
{
	if (unlikely(ring->generation != access->map->generation)) {
		int ret = resolve(ring, access);

		if (ret < 0)
			return ret;
	}
	return ring->is_packed ? 0 : soft_split_begin(ring);
}

int
soft_ring_read(struct soft_ring *ring, struct soft_access *access, uint16_t *at, uint32_t perm,
	uint32_t want, struct soft_buf *bufs, struct soft_chain *chain)
{
	if (ring->is_packed)
		return soft_packed_read(ring, access, at, perm, want, bufs, chain);
	return soft_split_read(ring, access, at, perm, want, bufs, chain);
}

int
soft_ring_head(struct soft_ring *ring, struct soft_head *head)
{
	return ring->is_packed ? soft_packed_head(ring, head) : soft_split_head(ring, head);
}

uint16_t
soft_ring_count(const struct soft_ring *ring, uint16_t max)
{
	return ring->is_packed ? soft_packed_count(ring, max) : soft_split_count(ring, max);
}

bool
soft_ring_sleep(struct soft_ring *ring)
{
	return ring->is_packed ? soft_packed_sleep(ring) : soft_split_sleep(ring);
}

int
soft_ring_notified(struct soft_ring *ring, uint16_t next)
{
	uint16_t end = ring->is_packed ? soft_packed_end(ring) : ring->split.end;

	return next == end
		? 0
		: soft_ring_malformed(ring, "notification data does not tell where the ring ends");
}

void
soft_ring_publish(struct soft_ring *ring)
{
	soft_ring_close_batch(ring);
	if (ring->is_packed)
		soft_packed_publish(ring);
	else
		soft_split_publish(ring);
}
