/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Split rings. */

#include <errno.h>
#include <stdio.h>

#include "fe_ring_priv.h"

#define AVAIL_FLAGS	   0
#define AVAIL_IDX	   1
#define AVAIL_RING	   2
#define AVAIL_NO_INTERRUPT 1u
#define USED_NO_NOTIFY	   1u

static uint64_t
avail_bytes(uint32_t size)
{
	return 6 + 2 * (uint64_t)size;
}

static uint64_t
used_bytes(uint32_t size)
{
	return 6 + 8 * (uint64_t)size;
}

static uint16_t *
used_event(const struct fe_ring *ring)
{
	return &ring->avail[AVAIL_RING + ring->size];
}

static uint16_t
avail_event(const struct fe_ring *ring)
{
	return __atomic_load_n((uint16_t *)&ring->used->ring[ring->size], __ATOMIC_RELAXED);
}

static void
split_reset(struct fe_ring *ring)
{
	ring->avail[AVAIL_FLAGS] = 0;
	ring->avail[AVAIL_IDX] = 0;
	*used_event(ring) = 0;
	ring->used->flags = 0;
	ring->used->idx = 0;
}

void
fe_ring_desc(struct fe_ring *ring, uint16_t id, uint64_t addr, uint32_t len, uint16_t flags,
	uint16_t next)
{
	ring->desc[id] = (struct fe_desc){.addr = addr, .len = len, .flags = flags, .next = next};
}

void
fe_ring_avail(struct fe_ring *ring, uint16_t head)
{
	ring->avail[AVAIL_RING + (ring->avail_idx & (ring->size - 1))] = head;
	ring->avail_idx++;
}

void
fe_ring_set_idx(struct fe_ring *ring, uint16_t idx)
{
	ring->avail_idx = ring->shown = idx;
	__atomic_store_n(&ring->avail[AVAIL_IDX], idx, __ATOMIC_RELEASE);
	fe_ring_kick(ring);
}

static int
split_add(struct fe_ring *ring, const struct fe_seg *segs, unsigned int n, unsigned int n_direct,
	uint64_t table_gpa, void *cookie)
{
	unsigned int need = n_direct < n ? n_direct + 1 : n_direct, i;
	uint16_t id, next, head, write;

	head = id = fe_ring_id(ring);
	for (i = 0; i < need; i++, id = next) {
		next = i + 1 < need ? fe_ring_id(ring) : 0;
		ring->next[id] = next;
		if (i < n_direct) {
			fe_ring_desc(ring, id, segs[i].gpa, segs[i].len,
				fe_seg_flags(&segs[i], i + 1 < need), next);
			continue;
		}
		/* virtio 1.2, 2.7.5.3.2: the device ignores whether the table is writable. */
		write = id % 2 ? FE_DESC_WRITE : 0;
		fe_ring_desc(ring, id, table_gpa, (n - n_direct) * FE_DESC_SIZE,
			FE_DESC_INDIRECT | write, 0);
	}
	fe_ring_out(ring, head, need, cookie);
	fe_ring_avail(ring, head);
	return head;
}

static uint16_t
split_place(const struct fe_ring *ring, unsigned int i)
{
	return ring->free[(ring->free_first + i) % ring->size];
}

static uint16_t
split_raw(struct fe_ring *ring, const struct fe_raw *raw, unsigned int n)
{
	uint16_t head = split_place(ring, 0);
	unsigned int i;

	for (i = 0; i < n; i++)
		fe_ring_desc(ring, split_place(ring, i), raw[i].addr, raw[i].len, raw[i].flags,
			split_place(ring, i + 1));
	fe_ring_avail(ring, head);
	return head;
}

static void
split_table(union fe_any_desc *d, unsigned int i, const struct fe_raw *raw)
{
	d->split = (struct fe_desc){
		.addr = raw->addr,
		.len = raw->len,
		.flags = raw->flags,
		.next = (uint16_t)(i + 1),
	};
}

static void
split_show(struct fe_ring *ring)
{
	/* Pairs with the device's acquiring read of avail->idx. */
	__atomic_store_n(&ring->avail[AVAIL_IDX], ring->avail_idx, __ATOMIC_RELEASE);
}

static bool
split_wants_kick(const struct fe_ring *ring, uint16_t old)
{
	uint16_t now = ring->avail_idx;

	if (ring->event_idx)
		return (uint16_t)(now - avail_event(ring) - 1) < (uint16_t)(now - old);
	return !(__atomic_load_n(&ring->used->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY);
}

static bool
split_has_used(const struct fe_ring *ring)
{
	/* Pairs with the device's releasing write of used->idx. */
	return __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE) != ring->used_idx;
}

static struct fe_used_elem
split_read_used(const struct fe_ring *ring)
{
	return ring->used->ring[ring->used_idx & (ring->size - 1)];
}

static void
split_release(struct fe_ring *ring, uint16_t head)
{
	uint16_t n = ring->n_descs[head], id = head, next;

	for (; n > 0; n--, id = next) {
		next = ring->next[id];
		fe_ring_id_back(ring, id);
	}
	ring->used_idx++;
}

static unsigned int
split_written(const struct fe_ring *ring, uint16_t got, struct fe_range ranges[2])
{
	ranges[0] = (struct fe_range){ring->used_gpa + 4 + 8ull * (got & (ring->size - 1)), 8};
	ranges[1] = (struct fe_range){ring->used_gpa + 2, 2};
	return 2;
}

static void
split_arm(struct fe_ring *ring)
{
	if (ring->event_idx)
		__atomic_store_n(used_event(ring), ring->used_idx, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&ring->avail[AVAIL_FLAGS], 0, __ATOMIC_RELAXED);
}

static void
split_disarm(struct fe_ring *ring)
{
	if (!ring->event_idx)
		__atomic_store_n(&ring->avail[AVAIL_FLAGS], AVAIL_NO_INTERRUPT, __ATOMIC_RELAXED);
}

static uint16_t
split_base(const struct fe_ring *ring)
{
	return ring->used->idx;
}

static int
split_walk(const struct fe_ring *ring, uint32_t base, uint8_t *seen)
{
	uint16_t left = (uint16_t)(ring->shown - base), i, at;

	if (left > ring->size) {
		fprintf(stderr, "base %u, available index %u\n", base, ring->shown);
		return -EPROTO;
	}
	for (i = 0; i < left; i++) {
		at = (uint16_t)(base + i);
		if (!fe_ring_see(ring, at, ring->avail[AVAIL_RING + (at & (ring->size - 1))], seen))
			return -EPROTO;
	}
	return left;
}

const struct fe_ring_ops fe_ring_split_ops = {
	.avail_bytes = avail_bytes,
	.used_bytes = used_bytes,
	.avail_align = 2,
	.used_align = 4,
	.reset = split_reset,
	.add = split_add,
	.raw = split_raw,
	.table = split_table,
	.place = split_place,
	.show = split_show,
	.wants_kick = split_wants_kick,
	.has_used = split_has_used,
	.read_used = split_read_used,
	.release = split_release,
	.written = split_written,
	.arm = split_arm,
	.disarm = split_disarm,
	.base = split_base,
	.walk = split_walk,
};
