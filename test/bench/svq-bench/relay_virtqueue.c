/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
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
static const struct memory_section *
find_section(struct virtqueue *vq, uint64_t gpa)
{
	const struct memory_section *section = vq->last_section;
	unsigned int low = 0, high = vq->n_sections;

	if (section != NULL && gpa - section->gpa < section->size)
		return section;
	while (high - low > 1) {
		unsigned int mid = (low + high) / 2;

		if (vq->sections[mid].gpa <= gpa)
			low = mid;
		else
			high = mid;
	}
	section = &vq->sections[low];
	if (gpa - section->gpa >= section->size)
		return NULL;
	vq->last_section = section;
	return section;
}

/* Likewise, but the blocks are a list. */
static struct memory_block *
find_block(struct virtqueue *vq, const void *host)
{
	struct memory_block *block = vq->last_block;

	if (block != NULL && (uintptr_t)host - block->hva < block->size)
		return block;
	for (block = vq->blocks; block != NULL; block = block->next) {
		if ((uintptr_t)host - block->hva < block->size)
			vq->last_block = block;
		if (vq->last_block == block)
			break;
	}
	return block;
}

/* A buffer that spans sections becomes several vectors. */
static bool
map_desc(struct virtqueue *vq, unsigned int *n, uint64_t *addr, struct iovec *iov, uint64_t gpa,
	uint64_t len)
{
	if (len == 0)
		return false;
	while (len != 0) {
		const struct memory_section *section = find_section(vq, gpa);
		uint64_t part;

		if (section == NULL || *n == VIRTQUEUE_MAX)
			return false;
		part = RTE_MIN(len, section->size - (gpa - section->gpa));
		atomic_fetch_add(&section->block->refs, 1);
		iov[*n].iov_base = (void *)(uintptr_t)(section->hva + (gpa - section->gpa));
		iov[*n].iov_len = part;
		addr[(*n)++] = gpa;
		gpa += part;
		len -= part;
	}
	return true;
}

static void
unmap(struct virtqueue *vq, const struct iovec *iov)
{
	struct memory_block *block = find_block(vq, iov->iov_base);

	if (block != NULL)
		atomic_fetch_sub(&block->refs, 1);
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

static int
by_gpa(const void *a, const void *b)
{
	const struct memory_section *x = a, *y = b;

	return (x->gpa > y->gpa) - (x->gpa < y->gpa);
}

/* The block that holds a row: the machine's RAM is in one, whatever its places; DIMMs differ. */
static struct memory_block *
block_of(struct virtqueue *vq, const struct svq_gpa_row *row, uint64_t ram_end)
{
	struct memory_block **at = &vq->blocks, *block;

	if (row->hva < ram_end && vq->blocks != NULL) {
		block = vq->blocks;
		block->size = RTE_MAX(block->size, row->hva + row->size - block->hva);
		return block;
	}
	block = calloc(1, sizeof(*block));
	if (block == NULL)
		return NULL;
	block->hva = row->hva;
	block->size = row->size;
	while (*at != NULL)
		at = &(*at)->next;
	*at = block;
	return block;
}

int
virtqueue_set_memory(struct virtqueue *vq, const struct iova_layout *layout)
{
	/* Below 4 GiB, above, and what of it is seen twice. */
	const uint64_t base = layout->rows[0].hva, low = layout->rows[0].size;
	unsigned int i;

	vq->sections = calloc(layout->n, sizeof(*vq->sections));
	if (vq->sections == NULL)
		return -ENOMEM;
	for (i = 0; i < layout->n; i++) {
		const struct svq_gpa_row *row = &layout->rows[i];

		vq->sections[i] = (struct memory_section){
			.gpa = row->gpa,
			.size = row->size,
			.hva = row->hva,
			.block = block_of(vq, row, base + low + 1),
		};
		if (vq->sections[i].block == NULL)
			return -ENOMEM;
	}
	vq->n_sections = layout->n;
	qsort(vq->sections, layout->n, sizeof(*vq->sections), by_gpa);
	return 0;
}

void
virtqueue_free_memory(struct virtqueue *vq)
{
	while (vq->blocks != NULL) {
		struct memory_block *next = vq->blocks->next;

		free(vq->blocks);
		vq->blocks = next;
	}
	free(vq->sections);
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
		unmap(vq, &elem->in_sg[i]);
		offset += part;
	}
	for (i = 0; i < elem->n_out; i++)
		unmap(vq, &elem->out_sg[i]);
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
