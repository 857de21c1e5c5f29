/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <rte_common.h>

#include "soft_ring_formats.h"

/* A descriptor in shared memory: an indirect table may lie at any address, and each field is
 * read once, whatever the driver does meanwhile. */
struct shared_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
} __rte_packed;

/* What a chain's buffers are read for. */
struct request {
	struct soft_access *access;
	uint32_t perm;
	uint32_t want;
	struct soft_buf *bufs;
};

int
soft_packed_resolve(struct soft_ring *ring, struct soft_access *access)
{
	struct soft_packed *packed = &ring->packed;
	uint32_t hint = 0;

	packed->desc = soft_access_get(access, &hint, ring->conf.desc_iova,
		sizeof(packed->desc[0]) * ring->size, SVQ_PERM_RW);
	if (packed->desc == NULL)
		return -EFAULT;
	packed->driver_event = soft_access_get(
		access, &hint, ring->conf.avail_iova, sizeof(*packed->driver_event), SVQ_PERM_R);
	if (packed->driver_event == NULL)
		return -EFAULT;
	packed->device_event = soft_access_get(
		access, &hint, ring->conf.used_iova, sizeof(*packed->device_event), SVQ_PERM_W);
	return packed->device_event == NULL ? -EFAULT : 0;
}

void
soft_packed_suppress_kicks(struct soft_ring *ring)
{
	/* No barrier: a kick too many is ignored. */
	__atomic_store_n(&ring->packed.device_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE,
		__ATOMIC_RELAXED);
}

uint16_t
soft_packed_end(const struct soft_ring *ring)
{
	uint16_t at = ring->next;
	unsigned int i;

	for (i = 0; i < ring->size && soft_packed_ready(ring, at); i++)
		at = soft_packed_advance(ring, at, 1);
	return at;
}

bool
soft_packed_sleep(struct soft_ring *ring)
{
	struct vring_packed_desc_event event = {
		.off_wrap = soft_packed_end(ring),
		.flags = ring->event_idx ? VRING_PACKED_EVENT_FLAG_DESC
					 : VRING_PACKED_EVENT_FLAG_ENABLE,
	};
	uint32_t both;

	memcpy(&both, &event, sizeof(both));
	__atomic_store_n((uint32_t *)ring->packed.device_event, both, __ATOMIC_RELAXED);
	/* Orders what is asked for before the look at the flags; pairs with the driver's full
	 * barrier between publishing and reading what the device asks for. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return soft_packed_ready(ring, event.off_wrap);
}

/* Translate one buffer and put it behind the others. */
static int
add_buf(struct soft_ring *ring, const struct request *req, const struct shared_desc *desc,
	struct soft_chain *chain)
{
	uint16_t direction = req->perm == SVQ_PERM_W ? VRING_DESC_F_WRITE : 0;
	struct soft_buf *buf = &req->bufs[chain->n_bufs];

	if (unlikely(chain->n_bufs == ring->size))
		return soft_ring_malformed(ring, "chain longer than the ring");
	if (unlikely(desc->len == 0))
		return soft_ring_malformed(ring, "buffer of length 0");
	if (unlikely((desc->flags & VRING_DESC_F_WRITE) != direction))
		return soft_ring_malformed(ring, "buffer of the wrong direction");
	buf->addr = soft_access_get(req->access, &ring->buf_hint, desc->addr, desc->len, req->perm);
	if (unlikely(buf->addr == NULL))
		return -EFAULT;
	buf->len = RTE_MIN(desc->len, req->want - chain->len);
	chain->len += buf->len;
	chain->n_bufs++;
	return 0;
}

/* The buffers of an indirect table: virtio 1.2, 2.8.7. Of the flags only WRITE counts there. */
static int
read_table(struct soft_ring *ring, const struct request *req, const struct shared_desc *desc,
	struct soft_chain *chain)
{
	const volatile struct shared_desc *table;
	uint32_t i;
	int ret;

	if (desc->len == 0 || desc->len % sizeof(*desc) != 0)
		return soft_ring_malformed(ring, "indirect table is not whole descriptors");
	table = soft_access_get(req->access, &ring->table_hint, desc->addr, desc->len, SVQ_PERM_R);
	if (table == NULL)
		return -EFAULT;
	for (i = 0; i < desc->len / sizeof(*desc) && chain->len < req->want; i++) {
		struct shared_desc entry = {
			.addr = table[i].addr,
			.len = table[i].len,
			.flags = table[i].flags,
		};

		ret = add_buf(ring, req, &entry, chain);
		if (unlikely(ret < 0))
			return ret;
	}
	return 0;
}

/* Whether a ring descriptor that names a table may do so. */
static int
check_indirect(struct soft_ring *ring, unsigned int slots, uint16_t flags)
{
	if (!ring->indirect)
		return soft_ring_malformed(ring, "indirect descriptor, not negotiated");
	/* virtio 1.2, 2.8.19: not in a list that NEXT links. */
	if (slots != 0 || (flags & VRING_DESC_F_NEXT))
		return soft_ring_malformed(ring, "indirect descriptor in a chain of several");
	return 0;
}

/* Read a chain to its end, which holds its id; its buffers only as far as they are wanted. */
static int
read_chain(
	struct soft_ring *ring, const struct request *req, uint16_t *at, struct soft_chain *chain)
{
	const volatile struct shared_desc *descs = (const void *)ring->packed.desc;
	struct shared_desc desc;
	unsigned int slots = 0;
	uint16_t pos = *at;
	int ret = 0;

	chain->n_bufs = 0;
	chain->len = 0;
	do {
		const volatile struct shared_desc *shared = &descs[pos & ~SOFT_PACKED_WRAP];

		if (unlikely(slots == ring->size))
			return soft_ring_malformed(ring, "chain longer than the ring");
		desc.addr = shared->addr;
		desc.len = shared->len;
		desc.id = shared->id;
		desc.flags = shared->flags;
		if (unlikely(!soft_packed_avail(desc.flags, pos)))
			return soft_ring_malformed(
				ring, "chain goes on in a descriptor that is not available");
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			ret = check_indirect(ring, slots, desc.flags);
			if (ret == 0 && chain->len < req->want)
				ret = read_table(ring, req, &desc, chain);
		} else if (chain->len < req->want) {
			ret = add_buf(ring, req, &desc, chain);
		}
		if (unlikely(ret < 0))
			return ret;
		slots++;
		pos = soft_packed_advance(ring, pos, 1);
	} while (desc.flags & VRING_DESC_F_NEXT);
	if (unlikely(desc.id >= ring->size))
		return soft_ring_malformed(ring, "buffer id beyond the ring");
	chain->head.id = desc.id;
	chain->head.slots = (uint16_t)slots;
	*at = pos;
	return 0;
}

int
soft_packed_read(struct soft_ring *ring, struct soft_access *access, uint16_t *at, uint32_t perm,
	uint32_t want, struct soft_buf *bufs, struct soft_chain *chain)
{
	const struct request req = {.access = access, .perm = perm, .want = want, .bufs = bufs};

	return read_chain(ring, &req, at, chain);
}

int
soft_packed_head(struct soft_ring *ring, struct soft_head *head)
{
	const struct request nothing = {.want = 0};
	uint16_t at = ring->next;
	struct soft_chain chain;
	int ret;

	ret = read_chain(ring, &nothing, &at, &chain);
	if (ret == 0)
		*head = chain.head;
	return ret;
}

uint16_t
soft_packed_count(const struct soft_ring *ring, uint16_t max)
{
	uint16_t at = ring->next, n = 0;
	unsigned int slots;
	bool head = true;

	for (slots = 0; slots < ring->size; slots++) {
		uint16_t flags = __atomic_load_n(
			&ring->packed.desc[at & ~SOFT_PACKED_WRAP].flags, __ATOMIC_RELAXED);

		if (!soft_packed_avail(flags, at) || (head && n == max))
			break;
		n += head;
		head = !(flags & VRING_DESC_F_NEXT);
		at = soft_packed_advance(ring, at, 1);
	}
	return n;
}

/* Whether the driver asks for an interrupt behind the descriptors from the position @p old on,
 * which were used: virtio 1.2, 2.8.10. */
static bool
wants_interrupt(const struct soft_ring *ring, uint16_t old)
{
	uint16_t now = ring->next & ~SOFT_PACKED_WRAP, n;
	struct vring_packed_desc_event event;
	uint32_t both;

	/* Orders the flags before the read of what the driver asked for; pairs with the driver's
	 * full barrier between asking for interrupts and reading the flags. */
	atomic_thread_fence(memory_order_seq_cst);
	both = __atomic_load_n((const uint32_t *)ring->packed.driver_event, __ATOMIC_RELAXED);
	memcpy(&event, &both, sizeof(event));
	if (event.flags != VRING_PACKED_EVENT_FLAG_DESC || !ring->event_idx)
		return event.flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	n = (uint16_t)(now - (old & ~SOFT_PACKED_WRAP));
	if ((ring->next ^ old) & SOFT_PACKED_WRAP)
		n += ring->size;
	/* Places of the lap before count downwards from 0. */
	if ((event.off_wrap ^ ring->next) & SOFT_PACKED_WRAP)
		return vring_need_event(
			(event.off_wrap & ~SOFT_PACKED_WRAP) - ring->size, now, now - n);
	return vring_need_event(event.off_wrap & ~SOFT_PACKED_WRAP, now, now - n);
}

void
soft_packed_publish(struct soft_ring *ring)
{
	struct soft_packed *packed = &ring->packed;
	uint16_t old = packed->shown;

	if (packed->first == NULL)
		return;
	/* Pairs with the driver's acquire of the flags: the used descriptors of the poll and their
	 * buffers are written. */
	__atomic_store_n(&packed->first->flags, packed->first_flags, __ATOMIC_RELEASE);
	packed->first = NULL;
	packed->shown = ring->next;
	if (ring->irqfd >= 0 && wants_interrupt(ring, old))
		soft_ring_interrupt(ring);
}
