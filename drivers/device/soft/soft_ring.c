/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include <linux/virtio_config.h>

#include "soft_ring.h"

/* How far avail_event may fall behind. The driver kicks when its index passes it; it has passed
 * already, and 16 bits tell that as long as lag + ring size stay below 65536. */
#define EVENT_LAG 16384

/* A descriptor in shared memory: an indirect table may lie at any address, and each field is
 * read once, whatever the driver does meanwhile. */
struct shared_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
} __rte_packed;

void
soft_ring_reset(struct soft_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
}

/* Translate the three areas. */
static int
resolve(struct soft_ring *ring, struct soft_access *access)
{
	uint64_t event = ring->event_idx ? sizeof(uint16_t) : 0;
	uint32_t hint = 0;

	ring->generation = 0;
	ring->buf_hint = 0;
	ring->table_hint = 0;
	ring->desc = soft_access_get(access, &hint, ring->conf.desc_iova,
		sizeof(ring->desc[0]) * ring->size, SVQ_PERM_R);
	if (ring->desc == NULL)
		return -EFAULT;
	ring->avail = soft_access_get(access, &hint, ring->conf.avail_iova,
		sizeof(*ring->avail) + sizeof(ring->avail->ring[0]) * ring->size + event,
		SVQ_PERM_R);
	if (ring->avail == NULL)
		return -EFAULT;
	ring->used = soft_access_get(access, &hint, ring->conf.used_iova,
		sizeof(*ring->used) + sizeof(ring->used->ring[0]) * ring->size + event, SVQ_PERM_W);
	if (ring->used == NULL)
		return -EFAULT;
	ring->generation = access->map->generation;
	return 0;
}

/* Keep avail_event behind the driver: it never kicks. */
static void
suppress_kicks(struct soft_ring *ring)
{
	uint16_t *event = (uint16_t *)&ring->used->ring[ring->size];

	ring->event = (uint16_t)(ring->next - 1);
	/* No barrier: a kick too many is ignored, and one too few is what is wanted. */
	__atomic_store_n(event, ring->event, __ATOMIC_RELAXED);
}

int
soft_ring_start(struct soft_ring *ring, struct soft_access *access, uint64_t features)
{
	struct svq_device_queue conf = ring->conf;
	int ret;

	soft_ring_reset(ring);
	ring->conf = conf;
	ring->size = conf.size;
	ring->indirect = (features & RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC)) != 0;
	ring->event_idx = (features & RTE_BIT64(VIRTIO_RING_F_EVENT_IDX)) != 0;
	ret = resolve(ring, access);
	if (ret < 0)
		return ret;
	if (ring->event_idx)
		suppress_kicks(ring);
	else
		__atomic_store_n(&ring->used->flags, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
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
	/* Pairs with the driver's release of avail->idx: descriptors and ring entries below it are
	 * complete. */
	ring->end = __atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE);
	if (unlikely(soft_ring_count(ring) > ring->size)) {
		ring->reason = "available index is more than the ring ahead";
		return -EPROTO;
	}
	return 0;
}

/* Note why the ring is malformed. */
static int
malformed(struct soft_ring *ring, const char *reason)
{
	ring->reason = reason;
	return -EPROTO;
}

static int
read_head(struct soft_ring *ring, uint16_t at, uint16_t *id)
{
	*id = __atomic_load_n(&ring->avail->ring[at & (ring->size - 1)], __ATOMIC_RELAXED);
	if (unlikely(*id >= ring->size))
		return malformed(ring, "head beyond the descriptor table");
	return 0;
}

int
soft_ring_head(struct soft_ring *ring, uint16_t *id)
{
	return read_head(ring, ring->next, id);
}

/* Translate the table that an indirect descriptor names. */
static int
enter_indirect(struct soft_ring *ring, struct soft_access *access, const struct shared_desc *desc,
	const volatile struct shared_desc **table)
{
	if (!ring->indirect)
		return malformed(ring, "indirect descriptor, not negotiated");
	if (desc->flags & VRING_DESC_F_NEXT)
		return malformed(ring, "indirect descriptor with a next one");
	if (desc->len == 0 || desc->len % sizeof(*desc) != 0)
		return malformed(ring, "indirect table is not whole descriptors");
	*table = soft_access_get(access, &ring->table_hint, desc->addr, desc->len, SVQ_PERM_R);
	return *table == NULL ? -EFAULT : 0;
}

int
soft_ring_read(struct soft_ring *ring, struct soft_access *access, uint16_t at, uint32_t perm,
	uint32_t want, struct soft_buf *bufs, struct soft_chain *chain)
{
	const volatile struct shared_desc *table = (const void *)ring->desc;
	uint16_t direction = perm == SVQ_PERM_W ? VRING_DESC_F_WRITE : 0;
	uint32_t table_size = ring->size;
	bool in_indirect = false;
	unsigned int n = 0, slots = 0;
	uint32_t len = 0;
	uint16_t i;
	int ret;

	ret = read_head(ring, at, &i);
	if (unlikely(ret < 0))
		return ret;
	chain->id = i;
	for (;;) {
		struct shared_desc desc;
		void *addr;

		if (unlikely(i >= table_size))
			return malformed(ring, "next descriptor beyond the table");
		desc.addr = table[i].addr;
		desc.len = table[i].len;
		desc.flags = table[i].flags;
		desc.next = table[i].next;
		slots += !in_indirect;
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			if (unlikely(in_indirect))
				return malformed(ring, "indirect table inside an indirect table");
			ret = enter_indirect(ring, access, &desc, &table);
			if (unlikely(ret < 0))
				return ret;
			in_indirect = true;
			table_size = desc.len / sizeof(desc);
			i = 0;
			continue;
		}
		/* Ends every loop, too. */
		if (unlikely(n == ring->size))
			return malformed(ring, "chain longer than the ring");
		if (unlikely(desc.len == 0))
			return malformed(ring, "buffer of length 0");
		if (unlikely((desc.flags & VRING_DESC_F_WRITE) != direction))
			return malformed(ring, "buffer of the wrong direction");
		addr = soft_access_get(access, &ring->buf_hint, desc.addr, desc.len, perm);
		if (unlikely(addr == NULL))
			return -EFAULT;
		bufs[n].addr = addr;
		bufs[n].len = RTE_MIN(desc.len, want - len);
		len += bufs[n++].len;
		if (len == want || !(desc.flags & VRING_DESC_F_NEXT))
			break;
		i = desc.next;
	}
	chain->slots = (uint16_t)slots;
	chain->n_bufs = n;
	chain->len = len;
	return 0;
}

void
soft_ring_publish(struct soft_ring *ring)
{
	if (ring->used_next == ring->used_shown)
		return;
	ring->used_shown = ring->used_next;
	/* Pairs with the driver's acquire of used->idx: buffers and used entries below it are
	 * written. */
	__atomic_store_n(&ring->used->idx, ring->used_shown, __ATOMIC_RELEASE);
	if (ring->event_idx && (uint16_t)(ring->next - ring->event) >= EVENT_LAG)
		suppress_kicks(ring);
}
