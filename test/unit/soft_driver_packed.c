/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "autotest.h"
#include "soft_driver_packed.h"

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)

/* What a device must not take for an id. */
#define NO_ID 0xffff

static void
step(const struct drv_ring *ring, uint16_t *place, bool *wrap)
{
	if (++*place == ring->size) {
		*place = 0;
		*wrap = !*wrap;
	}
}

static void
write_desc(struct vring_packed_desc *desc, uint64_t addr, uint32_t len, uint16_t id)
{
	desc->addr = addr;
	desc->len = len;
	desc->id = id;
}

/* The slot's table; returns its bytes. Only WRITE counts in it, so the other flags are noise. */
static uint32_t
write_table(struct drv_slot *slot, uint16_t dir)
{
	uint16_t noise = AVAIL | USED | VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT;
	unsigned int i;

	for (i = 0; i < slot->n; i++) {
		write_desc(
			&slot->packed_table[i], slot->pieces[i].iova, slot->pieces[i].len, NO_ID);
		slot->packed_table[i].flags = dir | (i % 3 == 0 ? noise : 0);
	}
	return slot->n * (uint32_t)sizeof(slot->packed_table[0]);
}

/* Whether the device asks for a kick behind the last @p n descriptors, which end at avail_idx:
 * virtio 1.2, 2.8.10. */
static bool
wants_kick(const struct drv_ring *ring, unsigned int n)
{
	uint16_t event = ring->device_event->off_wrap & 0x7fff;
	bool wrap = ring->device_event->off_wrap >> 15;
	int behind;

	if (ring->device_event->flags != VRING_PACKED_EVENT_FLAG_DESC)
		return ring->device_event->flags == VRING_PACKED_EVENT_FLAG_ENABLE;
	CU_ASSERT(ring->event_idx);
	/* How far the event's place is behind the next one to be written. */
	behind = ring->avail_idx - event + (wrap != ring->avail_wrap ? ring->size : 0);
	return behind > 0 && behind <= (int)n;
}

uint16_t
drv_packed_post(struct drv_ring *ring, struct drv_slot *slot, bool indirect)
{
	uint16_t dir = ring->rx ? VRING_DESC_F_WRITE : 0, first_flags = 0;
	uint16_t id = ring->free_ids[--ring->n_ids];
	unsigned int i;

	for (i = 0; i < slot->n_ring; i++) {
		uint16_t place = ring->avail_idx, flags = ring->avail_wrap ? AVAIL : USED;
		struct vring_packed_desc *desc = &ring->packed_desc[place];

		slot->ring_desc[i] = place;
		if (i + 1 < slot->n_ring)
			flags |= VRING_DESC_F_NEXT;
		if (indirect) {
			write_desc(desc, slot->table_iova, write_table(slot, dir), id);
			flags |= VRING_DESC_F_INDIRECT;
		} else {
			write_desc(desc, slot->pieces[i].iova, slot->pieces[i].len,
				i + 1 < slot->n_ring ? NO_ID : id);
			flags |= dir;
		}
		/* The first one's flags give the device the chain, so they come last. */
		if (i == 0)
			first_flags = flags;
		else
			desc->flags = flags;
		step(ring, &ring->avail_idx, &ring->avail_wrap);
	}
	ring->n_free -= slot->n_ring;
	slot->id = id;
	ring->by_head[id] = slot;
	__atomic_store_n(
		&ring->packed_desc[slot->ring_desc[0]].flags, first_flags, __ATOMIC_RELEASE);
	ring->kicks += wants_kick(ring, slot->n_ring);
	return slot->ring_desc[0];
}

bool
drv_packed_used(const struct drv_ring *ring)
{
	uint16_t flags =
		__atomic_load_n(&ring->packed_desc[ring->used_idx].flags, __ATOMIC_ACQUIRE);

	return !!(flags & AVAIL) == ring->used_wrap && !!(flags & USED) == ring->used_wrap;
}

uint16_t
drv_packed_read_used(const struct drv_ring *ring, uint32_t *len)
{
	const struct vring_packed_desc *desc = &ring->packed_desc[ring->used_idx];

	CU_ASSERT_FATAL(desc->id < ring->size);
	CU_ASSERT_EQUAL((desc->flags & VRING_DESC_F_WRITE) != 0, desc->len != 0);
	CU_ASSERT_EQUAL(desc->flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT), 0);
	*len = desc->len;
	return desc->id;
}

void
drv_packed_put(struct drv_ring *ring, const struct drv_slot *slot)
{
	unsigned int i;

	/* This device uses chains in order. */
	CU_ASSERT_EQUAL(slot->ring_desc[0], ring->used_idx);
	ring->free_ids[ring->n_ids++] = slot->id;
	ring->n_free += slot->n_ring;
	for (i = 0; i < slot->n_ring; i++)
		step(ring, &ring->used_idx, &ring->used_wrap);
}
