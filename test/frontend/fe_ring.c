/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "fe_ring.h"

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

uint64_t
fe_ring_bytes(uint32_t size)
{
	return 16 * (uint64_t)size + avail_bytes(size) + used_bytes(size) + 64;
}

static uint16_t *
ring_used_event(const struct fe_ring *ring)
{
	return &ring->avail[AVAIL_RING + ring->size];
}

static uint16_t
ring_avail_event(const struct fe_ring *ring)
{
	return __atomic_load_n((uint16_t *)&ring->used->ring[ring->size], __ATOMIC_RELAXED);
}

int
fe_ring_init(struct fe_ring *ring, struct fe_mem *mem, uint32_t size, bool event_idx)
{
	memset(ring, 0, sizeof(*ring));
	ring->kickfd = ring->callfd = ring->errfd = -1;
	ring->mem = mem;
	ring->size = size;
	ring->event_idx = event_idx;
	/* No more alignment than the specification asks for. */
	ring->desc_gpa = fe_mem_take_ring(mem, 16 * (uint64_t)size, 16);
	ring->avail_gpa = fe_mem_take_ring(mem, avail_bytes(size), 2);
	ring->used_gpa = fe_mem_take_ring(mem, used_bytes(size), 4);
	ring->desc = fe_mem_ptr(mem, ring->desc_gpa, 16 * (uint64_t)size);
	ring->avail = fe_mem_ptr(mem, ring->avail_gpa, avail_bytes(size));
	ring->used = fe_mem_ptr(mem, ring->used_gpa, used_bytes(size));
	if (ring->desc == NULL || ring->avail == NULL || ring->used == NULL)
		return -ENOSPC;
	ring->free = calloc(size, sizeof(*ring->free));
	ring->next = calloc(size, sizeof(*ring->next));
	ring->n_descs = calloc(size, sizeof(*ring->n_descs));
	ring->cookie = calloc(size, sizeof(*ring->cookie));
	ring->kickfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->callfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->errfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ring->free == NULL || ring->next == NULL || ring->n_descs == NULL ||
		ring->cookie == NULL || ring->kickfd < 0 || ring->callfd < 0 || ring->errfd < 0) {
		fe_ring_free(ring);
		return -ENOMEM;
	}
	fe_ring_reset(ring, 0);
	return 0;
}

void
fe_ring_free(struct fe_ring *ring)
{
	int fds[] = {ring->kickfd, ring->callfd, ring->errfd};
	unsigned int i;

	if (ring->mem == NULL)
		return;
	for (i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(ring->free);
	free(ring->next);
	free(ring->n_descs);
	free(ring->cookie);
	memset(ring, 0, sizeof(*ring));
}

void
fe_ring_reset(struct fe_ring *ring, uint16_t base)
{
	uint32_t i;

	for (i = 0; i < ring->size; i++) {
		ring->free[i] = (uint16_t)i;
		ring->n_descs[i] = 0;
	}
	ring->free_first = 0;
	ring->n_free = ring->size;
	ring->outstanding = 0;
	ring->avail_idx = ring->shown = ring->used_idx = base;
	ring->avail[AVAIL_FLAGS] = 0;
	ring->avail[AVAIL_IDX] = base;
	*ring_used_event(ring) = base;
	ring->used->flags = 0;
	ring->used->idx = base;
}

static uint16_t
ring_alloc(struct fe_ring *ring)
{
	uint16_t id = ring->free[ring->free_first];

	ring->free_first = (ring->free_first + 1) % ring->size;
	ring->n_free--;
	return id;
}

static void
ring_release(struct fe_ring *ring, uint16_t head)
{
	uint16_t n = ring->n_descs[head], id = head, next;

	for (; n > 0; n--, id = next) {
		next = ring->next[id];
		ring->free[(ring->free_first + ring->n_free) % ring->size] = id;
		ring->n_free++;
	}
	ring->n_descs[head] = 0;
	ring->outstanding--;
}

static uint16_t
seg_flags(const struct fe_seg *seg, bool more)
{
	return (uint16_t)((seg->write ? FE_DESC_WRITE : 0) | (more ? FE_DESC_NEXT : 0));
}

/* Write descriptors @p segs into a table of their own. */
static int
ring_write_table(struct fe_ring *ring, const struct fe_seg *segs, unsigned int n, uint64_t table)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		struct fe_desc d = {
			.addr = segs[i].gpa,
			.len = segs[i].len,
			.flags = seg_flags(&segs[i], i + 1 < n),
			.next = (uint16_t)(i + 1),
		};

		rc = fe_mem_write(ring->mem, table + i * sizeof(d), &d, sizeof(d));
	}
	return rc;
}

int
fe_ring_add(struct fe_ring *ring, const struct fe_seg *segs, unsigned int n, unsigned int n_direct,
	uint64_t table_gpa, void *cookie)
{
	unsigned int need = n_direct < n ? n_direct + 1 : n_direct, i;
	uint16_t id, next, head, write;

	if (n == 0 || n_direct > n || ring->n_free < need)
		return -ENOSPC;
	if (n_direct < n && ring_write_table(ring, segs + n_direct, n - n_direct, table_gpa) < 0)
		return -EFAULT;
	head = id = ring_alloc(ring);
	for (i = 0; i < need; i++, id = next) {
		next = i + 1 < need ? ring_alloc(ring) : 0;
		ring->next[id] = next;
		if (i < n_direct) {
			fe_ring_desc(ring, id, segs[i].gpa, segs[i].len,
				seg_flags(&segs[i], i + 1 < need), next);
			continue;
		}
		/* virtio 1.2, 2.7.5.3.2: the device ignores whether the table is writable. */
		write = id % 2 ? FE_DESC_WRITE : 0;
		fe_ring_desc(ring, id, table_gpa, (n - n_direct) * (uint32_t)sizeof(struct fe_desc),
			FE_DESC_INDIRECT | write, 0);
	}
	ring->n_descs[head] = (uint16_t)need;
	ring->cookie[head] = cookie;
	ring->outstanding++;
	fe_ring_avail(ring, head);
	return head;
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
fe_ring_kick(struct fe_ring *ring)
{
	uint64_t one = 1;

	/* EAGAIN means that the counter is full: the device has a notification to see. */
	if (write(ring->kickfd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		perror("svq-frontend: kick");
	ring->kicks++;
}

void
fe_ring_publish(struct fe_ring *ring)
{
	uint16_t old = ring->shown, now = ring->avail_idx;
	bool need;

	if (old == now)
		return;
	/* Pairs with the device's acquiring read of avail->idx. */
	__atomic_store_n(&ring->avail[AVAIL_IDX], now, __ATOMIC_RELEASE);
	ring->shown = now;
	/* Pairs with the device's fence between asking for kicks and looking at avail->idx. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring->event_idx)
		need = (uint16_t)(now - ring_avail_event(ring) - 1) < (uint16_t)(now - old);
	else
		need = !(__atomic_load_n(&ring->used->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY);
	if (need)
		fe_ring_kick(ring);
	else
		ring->kicks_suppressed++;
}

void
fe_ring_set_idx(struct fe_ring *ring, uint16_t idx)
{
	ring->avail_idx = ring->shown = idx;
	__atomic_store_n(&ring->avail[AVAIL_IDX], idx, __ATOMIC_RELEASE);
	fe_ring_kick(ring);
}

int
fe_ring_get(struct fe_ring *ring, void **cookie, uint32_t *len)
{
	struct fe_used_elem e;

	/* Pairs with the device's releasing write of used->idx. */
	if (__atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE) == ring->used_idx)
		return 0;
	e = ring->used->ring[ring->used_idx & (ring->size - 1)];
	ring->used_idx++;
	if (e.id >= ring->size || ring->n_descs[e.id] == 0) {
		fprintf(stderr, "used entry %u names chain %u, which is not outstanding\n",
			(uint16_t)(ring->used_idx - 1), e.id);
		return -EPROTO;
	}
	*cookie = ring->cookie[e.id];
	*len = e.len;
	ring_release(ring, (uint16_t)e.id);
	return 1;
}

bool
fe_ring_arm(struct fe_ring *ring)
{
	if (ring->event_idx)
		__atomic_store_n(ring_used_event(ring), ring->used_idx, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&ring->avail[AVAIL_FLAGS], 0, __ATOMIC_RELAXED);
	/* Pairs with the device's fence between writing used->idx and reading what we ask for. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&ring->used->idx, __ATOMIC_RELAXED) != ring->used_idx;
}

void
fe_ring_disarm(struct fe_ring *ring)
{
	if (!ring->event_idx)
		__atomic_store_n(&ring->avail[AVAIL_FLAGS], AVAIL_NO_INTERRUPT, __ATOMIC_RELAXED);
}

void
fe_ring_ack_call(struct fe_ring *ring)
{
	uint64_t count;

	if (read(ring->callfd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		perror("svq-frontend: call");
}

int
fe_ring_wait(struct fe_ring *ring, int timeout_ms)
{
	struct pollfd pfd = {.fd = ring->callfd, .events = POLLIN};

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return -ETIMEDOUT;
	fe_ring_ack_call(ring);
	return 0;
}

int
fe_ring_check_base(const struct fe_ring *ring, uint32_t base)
{
	uint16_t used = ring->used->idx, left = (uint16_t)(ring->shown - base), i, head;
	uint8_t *seen;
	int rc = 0;

	if (base != used || left != ring->outstanding) {
		fprintf(stderr, "base %u, used index %u, available index %u, %u outstanding\n",
			base, used, ring->shown, ring->outstanding);
		return -EPROTO;
	}
	seen = calloc(ring->size, 1);
	if (seen == NULL)
		return -ENOMEM;
	for (i = 0; i < left && rc == 0; i++) {
		head = ring->avail[AVAIL_RING + ((base + i) & (ring->size - 1))];
		if (head >= ring->size || ring->n_descs[head] == 0 || seen[head]++) {
			fprintf(stderr,
				"available entry %u names chain %u: not outstanding or twice\n",
				(uint16_t)(base + i), head);
			rc = -EPROTO;
		}
	}
	free(seen);
	return rc;
}
