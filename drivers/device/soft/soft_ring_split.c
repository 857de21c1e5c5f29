/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_common.h>

#include "soft_ring_formats.h"

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

int
soft_split_resolve(struct soft_ring *ring, struct soft_access *access)
{
	struct soft_split *split = &ring->split;
	uint64_t event = ring->event_idx ? sizeof(uint16_t) : 0;
	uint32_t hint = 0;

	split->desc = soft_access_get(access, &hint, ring->conf.desc_iova,
		sizeof(split->desc[0]) * ring->size, SVQ_PERM_R);
	if (split->desc == NULL)
		return -EFAULT;
	split->avail = soft_access_get(access, &hint, ring->conf.avail_iova,
		sizeof(*split->avail) + sizeof(split->avail->ring[0]) * ring->size + event,
		SVQ_PERM_R);
	if (split->avail == NULL)
		return -EFAULT;
	split->used = soft_access_get(access, &hint, ring->conf.used_iova,
		sizeof(*split->used) + sizeof(split->used->ring[0]) * ring->size + event,
		SVQ_PERM_W);
	return split->used == NULL ? -EFAULT : 0;
}

/* Keep avail_event behind the driver: it never kicks. */
static void
hide_event(struct soft_ring *ring)
{
	struct soft_split *split = &ring->split;
	uint16_t *event = (uint16_t *)&split->used->ring[ring->size];

	split->event = (uint16_t)(ring->next - 1);
	/* No barrier: a kick too many is ignored, and one too few is what is wanted. */
	__atomic_store_n(event, split->event, __ATOMIC_RELAXED);
}

void
soft_split_suppress_kicks(struct soft_ring *ring)
{
	if (ring->event_idx)
		hide_event(ring);
	else
		__atomic_store_n(
			&ring->split.used->flags, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
}

bool
soft_split_sleep(struct soft_ring *ring)
{
	struct soft_split *split = &ring->split;
	uint16_t *event = (uint16_t *)&split->used->ring[ring->size];

	if (ring->event_idx)
		__atomic_store_n(event, split->end, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&split->used->flags, 0, __ATOMIC_RELAXED);
	/* Orders what is asked for before the look at avail->idx; pairs with the driver's full
	 * barrier between publishing and reading what the device asks for. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&split->avail->idx, __ATOMIC_RELAXED) != split->end;
}

int
soft_split_begin(struct soft_ring *ring)
{
	struct soft_split *split = &ring->split;

	/* Pairs with the driver's release of avail->idx: descriptors and ring entries below it are
	 * complete. */
	split->end = __atomic_load_n(&split->avail->idx, __ATOMIC_ACQUIRE);
	if (unlikely((uint16_t)(split->end - ring->next) > ring->size))
		return soft_ring_malformed(ring, "available index is more than the ring ahead");
	return 0;
}

static int
read_head(struct soft_ring *ring, uint16_t at, uint16_t *id)
{
	*id = __atomic_load_n(&ring->split.avail->ring[at & (ring->size - 1)], __ATOMIC_RELAXED);
	if (unlikely(*id >= ring->size))
		return soft_ring_malformed(ring, "head beyond the descriptor table");
	return 0;
}

uint16_t
soft_split_count(const struct soft_ring *ring, uint16_t max)
{
	uint16_t n = (uint16_t)(ring->split.end - ring->next);

	return RTE_MIN(n, max);
}

int
soft_split_head(struct soft_ring *ring, struct soft_head *head)
{
	head->slots = 1;
	return read_head(ring, ring->next, &head->id);
}

/* Translate the table that an indirect descriptor names. */
static int
enter_indirect(struct soft_ring *ring, struct soft_access *access, const struct shared_desc *desc,
	const volatile struct shared_desc **table)
{
	if (!ring->indirect)
		return soft_ring_malformed(ring, "indirect descriptor, not negotiated");
	if (desc->flags & VRING_DESC_F_NEXT)
		return soft_ring_malformed(ring, "indirect descriptor with a next one");
	if (desc->len == 0 || desc->len % sizeof(*desc) != 0)
		return soft_ring_malformed(ring, "indirect table is not whole descriptors");
	*table = soft_access_get(access, &ring->table_hint, desc->addr, desc->len, SVQ_PERM_R);
	return *table == NULL ? -EFAULT : 0;
}

int
soft_split_read(struct soft_ring *ring, struct soft_access *access, uint16_t *at, uint32_t perm,
	uint32_t want, struct soft_buf *bufs, struct soft_chain *chain)
{
	const volatile struct shared_desc *table = (const void *)ring->split.desc;
	uint16_t direction = perm == SVQ_PERM_W ? VRING_DESC_F_WRITE : 0;
	uint32_t table_size = ring->size;
	bool in_indirect = false;
	unsigned int n = 0, slots = 0;
	uint32_t len = 0;
	uint16_t i;
	int ret;

	ret = read_head(ring, *at, &i);
	if (unlikely(ret < 0))
		return ret;
	chain->head.id = i;
	for (;;) {
		struct shared_desc desc;
		void *addr;

		if (unlikely(i >= table_size))
			return soft_ring_malformed(ring, "next descriptor beyond the table");
		desc.addr = table[i].addr;
		desc.len = table[i].len;
		desc.flags = table[i].flags;
		desc.next = table[i].next;
		slots += !in_indirect;
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			if (unlikely(in_indirect))
				return soft_ring_malformed(
					ring, "indirect table inside an indirect table");
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
			return soft_ring_malformed(ring, "chain longer than the ring");
		if (unlikely(desc.len == 0))
			return soft_ring_malformed(ring, "buffer of length 0");
		if (unlikely((desc.flags & VRING_DESC_F_WRITE) != direction))
			return soft_ring_malformed(ring, "buffer of the wrong direction");
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
	(*at)++;
	chain->head.slots = (uint16_t)slots;
	chain->n_bufs = n;
	chain->len = len;
	return 0;
}

/* Whether the driver asks for an interrupt behind the used entries from @p old on. */
static bool
wants_interrupt(const struct soft_ring *ring, uint16_t old)
{
	const struct vring_avail *avail = ring->split.avail;

	/* Orders used->idx before the read of what the driver asked for; pairs with the driver's
	 * full barrier between asking for interrupts and reading used->idx. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!ring->event_idx)
		return !(__atomic_load_n(&avail->flags, __ATOMIC_RELAXED) &
			VRING_AVAIL_F_NO_INTERRUPT);
	return vring_need_event(__atomic_load_n(&avail->ring[ring->size], __ATOMIC_RELAXED),
		ring->split.used_shown, old);
}

void
soft_split_publish(struct soft_ring *ring)
{
	struct soft_split *split = &ring->split;
	uint16_t old = split->used_shown;

	if (split->used_next == split->used_shown)
		return;
	split->used_shown = split->used_next;
	/* Pairs with the driver's acquire of used->idx: buffers and used entries below it are
	 * written. */
	__atomic_store_n(&split->used->idx, split->used_shown, __ATOMIC_RELEASE);
	if (ring->irqfd >= 0 && wants_interrupt(ring, old))
		soft_ring_interrupt(ring);
	if (ring->event_idx && !ring->kicks && (uint16_t)(ring->next - split->event) >= EVENT_LAG)
		hide_event(ring);
}
