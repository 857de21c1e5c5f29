/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * QEMU's shadow virtqueue, the algorithm written anew from what vhost-shadow-virtqueue.c of QEMU 10
 * does: each element is added, published, and its kick decided by itself; each translation walks a
 * GTree of mappings from its beginning. Used elements are returned one by one and flushed together.
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <rte_common.h>

#include "relay_virtqueue.h"

struct shadow {
	struct virtqueue vq;
	struct relay_ring ring; /* the device's */
	void *tree;
	struct {
		struct element *elem;
		unsigned int n;
		uint16_t next;
	} * state;
	uint16_t avail_idx, used_idx, last_used;
	uint16_t free_head;
	unsigned int n_free;
	struct element *waiting;
	int kickfd, callfd; /* callfd -1: the guest wants no calls */
};

static bool
translate(struct shadow *s, uint64_t *iova, const struct iovec *sg, const uint64_t *gpa,
	unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint32_t len = sg[i].iov_len;

		if (iova_qemu_foreach.burst(s->tree, &gpa[i], &len, &iova[i], 1) == 0)
			return false;
	}
	return true;
}

static bool
write_descs(struct shadow *s, uint64_t *iova, const struct iovec *sg, const uint64_t *gpa,
	unsigned int n, bool more, bool writable)
{
	uint16_t at = s->free_head, flags = writable ? VRING_DESC_F_WRITE : 0;
	unsigned int i;

	if (n == 0)
		return true;
	if (!translate(s, iova, sg, gpa, n))
		return false;
	for (i = 0; i < n; i++) {
		struct vring_desc *desc = &s->ring.desc[at];

		desc->flags = flags;
		if (more || i + 1 < n) {
			desc->flags = flags | VRING_DESC_F_NEXT;
			desc->next = s->state[at].next;
		}
		desc->addr = iova[i];
		desc->len = sg[i].iov_len;
		at = s->state[at].next;
	}
	s->free_head = at;
	return true;
}

static void
kick(struct shadow *s)
{
	/* avail->idx before the look at what the device wants. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!(*(volatile uint16_t *)&s->ring.used->flags & VRING_USED_F_NO_NOTIFY))
		eventfd_write(s->kickfd, 1);
}

static int
add(struct shadow *s, struct element *elem)
{
	unsigned int n = elem->n_out + elem->n_in;
	uint16_t head = s->free_head;
	uint64_t *iova;
	bool ok;

	if (n > s->n_free)
		return -ENOSPC;
	iova = malloc(RTE_MAX(elem->n_out, elem->n_in) * sizeof(*iova));
	if (iova == NULL)
		abort();
	ok = write_descs(
		     s, iova, elem->out_sg, elem->out_addr, elem->n_out, elem->n_in > 0, false) &&
		write_descs(s, iova, elem->in_sg, elem->in_addr, elem->n_in, false, true);
	free(iova);
	if (!ok)
		return -EINVAL;
	s->ring.avail->ring[s->avail_idx++ % s->ring.size] = head;
	/* Pairs with the device's read barrier behind avail->idx. */
	atomic_thread_fence(memory_order_release);
	*(volatile uint16_t *)&s->ring.avail->idx = s->avail_idx;
	s->n_free -= n;
	s->state[head].elem = elem;
	s->state[head].n = n;
	kick(s);
	return 0;
}

static unsigned int
avail(void *relay)
{
	struct shadow *s = relay;
	unsigned int n = 0;

	do {
		virtqueue_set_notification(&s->vq, false);
		for (;;) {
			struct element *elem = s->waiting;
			int ret;

			s->waiting = NULL;
			if (elem == NULL)
				elem = virtqueue_pop(&s->vq);
			if (elem == NULL)
				break;
			ret = add(s, elem);
			if (ret == -ENOSPC)
				s->waiting = elem;
			else if (ret < 0)
				free(elem);
			if (ret < 0)
				return n;
			n++;
		}
		virtqueue_set_notification(&s->vq, true);
	} while (!virtqueue_empty(&s->vq));
	return n;
}

static bool
more_used(struct shadow *s)
{
	if (s->last_used != s->used_idx)
		return true;
	s->used_idx = *(volatile uint16_t *)&s->ring.used->idx;
	return s->last_used != s->used_idx;
}

static struct element *
get_used(struct shadow *s, uint32_t *len)
{
	const struct vring_used_elem *used;
	struct element *elem;
	unsigned int n, i;
	uint16_t last;

	if (!more_used(s))
		return NULL;
	/* Pairs with the device's write barrier before used->idx. */
	atomic_thread_fence(memory_order_acquire);
	used = &s->ring.used->ring[s->last_used++ % s->ring.size];
	if (used->id >= s->ring.size || s->state[used->id].n == 0)
		return NULL;
	last = used->id;
	n = s->state[last].n;
	s->state[last].n = 0;
	for (i = 1; i < n; i++)
		last = s->state[last].next;
	s->state[last].next = s->free_head;
	s->free_head = used->id;
	s->n_free += n;
	*len = used->len;
	elem = s->state[used->id].elem;
	s->state[used->id].elem = NULL;
	return elem;
}

static unsigned int
flush(void *relay)
{
	struct shadow *s = relay;
	unsigned int done = 0;

	do {
		unsigned int n = 0;

		s->ring.avail->flags |= VRING_AVAIL_F_NO_INTERRUPT;
		for (;;) {
			struct element *elem;
			uint32_t len;

			elem = get_used(s, &len);
			if (elem == NULL)
				break;
			virtqueue_fill(&s->vq, elem, len, n++);
			free(elem);
		}
		virtqueue_flush(&s->vq, n);
		if (s->callfd >= 0)
			eventfd_write(s->callfd, 1);
		if (s->waiting != NULL)
			avail(s);
		done += n;
		s->ring.avail->flags &= ~VRING_AVAIL_F_NO_INTERRUPT;
		/* The flag before the look at what came meanwhile. */
		atomic_thread_fence(memory_order_seq_cst);
	} while (more_used(s));
	return done;
}

static void
destroy(void *relay)
{
	struct shadow *s = relay;
	unsigned int i;

	for (i = 0; s->state != NULL && i < s->ring.size; i++)
		free(s->state[i].elem);
	free(s->waiting);
	free(s->state);
	free(s->ring.desc);
	free(s->ring.used);
	if (s->tree != NULL)
		iova_qemu_foreach.destroy(s->tree);
	virtqueue_free_memory(&s->vq);
	free(s);
}

static void *
alloc_zeroed(size_t bytes)
{
	void *p = aligned_alloc(4096, RTE_ALIGN_CEIL(bytes, (size_t)4096));

	if (p != NULL)
		memset(p, 0, RTE_ALIGN_CEIL(bytes, (size_t)4096));
	return p;
}

int
relay_qemu_create(struct relay_bed *b, const struct relay_shape *shape, struct relay_memory *m,
	struct relay_ring *device)
{
	const size_t size = shape->ring;
	struct shadow *s = calloc(1, sizeof(*s));
	unsigned int i;

	if (s == NULL)
		return -ENOMEM;
	s->vq = (struct virtqueue){
		.ring = b->driver.ring,
		.log = b->variant.log ? &m->log : NULL,
	};
	if (virtqueue_set_memory(&s->vq, &m->layout) < 0) {
		destroy(s);
		return -ENOMEM;
	}
	s->tree = iova_qemu_foreach.create(&m->layout);
	s->state = calloc(size, sizeof(*s->state));
	s->ring.size = size;
	s->ring.desc = alloc_zeroed(size * sizeof(struct vring_desc) + 6 + 2 * size);
	s->ring.used = alloc_zeroed(6 + size * sizeof(struct vring_used_elem));
	if (s->state == NULL || s->ring.desc == NULL || s->ring.used == NULL) {
		destroy(s);
		return -ENOMEM;
	}
	s->ring.avail = RTE_PTR_ADD(s->ring.desc, size * sizeof(struct vring_desc));
	for (i = 0; i < size; i++)
		s->state[i].next = i + 1;
	s->n_free = size;
	s->kickfd = m->kickfd;
	s->callfd = b->variant.notify ? b->callfd : -1;
	*device = s->ring;
	b->relay = s;
	b->avail = avail;
	b->used = flush;
	b->destroy = destroy;
	return 0;
}
