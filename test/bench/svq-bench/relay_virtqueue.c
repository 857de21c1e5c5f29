/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdatomic.h>
#include <stdlib.h>

#include <rte_common.h>

#include "relay_virtqueue.h"

static uint16_t
load16(const uint16_t *p)
{
	return *(const volatile uint16_t *)p;
}

/* The last section found is tried first, then they are searched. */
static const struct svq_gpa_row *
find_row(struct virtqueue *vq, uint64_t gpa)
{
	const struct svq_gpa_row *row = vq->last_row;
	unsigned int low = 0, high = vq->n_rows;

	if (row != NULL && gpa - row->gpa < row->size)
		return row;
	while (high - low > 1) {
		unsigned int mid = (low + high) / 2;

		if (vq->rows[mid].gpa <= gpa)
			low = mid;
		else
			high = mid;
	}
	row = &vq->rows[low];
	if (gpa - row->gpa >= row->size)
		return NULL;
	vq->last_row = row;
	return row;
}

/* A buffer that spans sections becomes several vectors. */
static bool
map_desc(struct virtqueue *vq, unsigned int *n, uint64_t *addr, struct iovec *iov, uint64_t gpa,
	uint64_t len)
{
	if (len == 0)
		return false;
	while (len != 0) {
		const struct svq_gpa_row *row = find_row(vq, gpa);
		uint64_t part;

		if (row == NULL || *n == VIRTQUEUE_MAX)
			return false;
		part = RTE_MIN(len, row->size - (gpa - row->gpa));
		iov[*n].iov_base = (void *)(uintptr_t)(row->hva + (gpa - row->gpa));
		iov[*n].iov_len = part;
		addr[(*n)++] = gpa;
		gpa += part;
		len -= part;
	}
	return true;
}

static struct element *
alloc_element(unsigned int n_out, unsigned int n_in)
{
	size_t addr_at = RTE_ALIGN_CEIL(sizeof(struct element), sizeof(uint64_t));
	size_t sg_at = addr_at + (n_in + n_out) * sizeof(uint64_t);
	struct element *elem = malloc(sg_at + (n_in + n_out) * sizeof(struct iovec));

	if (elem == NULL)
		abort();
	elem->n_out = n_out;
	elem->n_in = n_in;
	elem->in_addr = RTE_PTR_ADD(elem, addr_at);
	elem->out_addr = elem->in_addr + n_in;
	elem->in_sg = RTE_PTR_ADD(elem, sg_at);
	elem->out_sg = elem->in_sg + n_in;
	return elem;
}

bool
virtqueue_empty(struct virtqueue *vq)
{
	if (vq->shadow_avail != vq->last_avail)
		return false;
	vq->shadow_avail = load16(&vq->ring.avail->idx);
	return vq->shadow_avail == vq->last_avail;
}

struct element *
virtqueue_pop(struct virtqueue *vq)
{
	struct relay_ring *r = &vq->ring;
	unsigned int n_out = 0, n_in = 0, entries = 0, i;
	uint64_t addr[VIRTQUEUE_MAX];
	struct iovec iov[VIRTQUEUE_MAX];
	struct element *elem;
	struct vring_desc desc;
	uint16_t head;

	if (virtqueue_empty(vq) || vq->inuse >= r->size)
		return NULL;
	/* Pairs with the driver's write barrier before avail->idx. */
	atomic_thread_fence(memory_order_acquire);
	head = load16(&r->avail->ring[vq->last_avail++ % r->size]);
	if (head >= r->size)
		return NULL;
	desc = r->desc[head];
	for (;;) {
		bool ok;

		if (desc.flags & VRING_DESC_F_WRITE)
			ok = map_desc(vq, &n_in, addr + n_out, iov + n_out, desc.addr, desc.len);
		else
			ok = n_in == 0 && map_desc(vq, &n_out, addr, iov, desc.addr, desc.len);
		if (!ok || ++entries > r->size)
			return NULL;
		if (!(desc.flags & VRING_DESC_F_NEXT))
			break;
		if (desc.next >= r->size)
			return NULL;
		desc = r->desc[desc.next];
	}
	elem = alloc_element(n_out, n_in);
	elem->index = head;
	for (i = 0; i < n_out; i++) {
		elem->out_addr[i] = addr[i];
		elem->out_sg[i] = iov[i];
	}
	for (i = 0; i < n_in; i++) {
		elem->in_addr[i] = addr[n_out + i];
		elem->in_sg[i] = iov[n_out + i];
	}
	vq->inuse++;
	return elem;
}

/* Unmapping tells the dirty bitmap; pages are marked without asking whether they are. */
static void
mark(const struct svq_dirty_log *log, uint64_t gpa, uint64_t len)
{
	uint64_t page;

	for (page = gpa / SVQ_DIRTY_LOG_PAGE; page <= (gpa + len - 1) / SVQ_DIRTY_LOG_PAGE; page++)
		atomic_fetch_or((_Atomic uint8_t *)&log->base[page / 8], 1u << (page % 8));
}

void
virtqueue_fill(struct virtqueue *vq, const struct element *elem, uint32_t len, unsigned int idx)
{
	struct vring_used_elem *used =
		&vq->ring.used->ring[(uint16_t)(vq->used_idx + idx) % vq->ring.size];
	uint64_t offset = 0;
	unsigned int i;

	for (i = 0; i < elem->n_in; i++) {
		uint64_t part = RTE_MIN(len - offset, elem->in_sg[i].iov_len);

		if (vq->log != NULL && part != 0)
			mark(vq->log, elem->in_addr[i], part);
		offset += part;
	}
	used->id = elem->index;
	used->len = len;
}

void
virtqueue_flush(struct virtqueue *vq, unsigned int n)
{
	/* Pairs with the driver's read barrier behind used->idx. */
	atomic_thread_fence(memory_order_release);
	vq->used_idx += n;
	*(volatile uint16_t *)&vq->ring.used->idx = vq->used_idx;
	vq->inuse -= n;
}

void
virtqueue_set_notification(struct virtqueue *vq, bool on)
{
	volatile uint16_t *flags = &vq->ring.used->flags;

	if (on) {
		*flags = *flags & ~VRING_USED_F_NO_NOTIFY;
		/* The flag before the look at what came meanwhile. */
		atomic_thread_fence(memory_order_seq_cst);
	} else {
		*flags = *flags | VRING_USED_F_NO_NOTIFY;
	}
}
