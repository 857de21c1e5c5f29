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

#include "fe_ring_priv.h"

uint64_t
fe_ring_bytes(uint32_t size)
{
	/* A packed ring takes less. */
	return FE_DESC_SIZE * (uint64_t)size + fe_ring_split_ops.avail_bytes(size) +
		fe_ring_split_ops.used_bytes(size) + 64;
}

int
fe_ring_init(struct fe_ring *ring, struct fe_mem *mem, uint32_t size, bool packed, bool event_idx)
{
	const struct fe_ring_ops *ops = packed ? &fe_ring_packed_ops : &fe_ring_split_ops;
	uint64_t bytes = FE_DESC_SIZE * (uint64_t)size;

	memset(ring, 0, sizeof(*ring));
	ring->ops = ops;
	ring->kickfd = ring->callfd = ring->errfd = -1;
	ring->mem = mem;
	ring->size = size;
	ring->packed = packed;
	ring->event_idx = event_idx;
	/* No more alignment than the specification asks for. */
	ring->desc_gpa = fe_mem_take_ring(mem, bytes, 16);
	ring->avail_gpa = fe_mem_take_ring(mem, ops->avail_bytes(size), ops->avail_align);
	ring->used_gpa = fe_mem_take_ring(mem, ops->used_bytes(size), ops->used_align);
	ring->desc = fe_mem_ptr(mem, ring->desc_gpa, bytes);
	ring->avail = fe_mem_ptr(mem, ring->avail_gpa, ops->avail_bytes(size));
	ring->used = fe_mem_ptr(mem, ring->used_gpa, ops->used_bytes(size));
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
	fe_ring_reset(ring);
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
fe_ring_reset(struct fe_ring *ring)
{
	uint32_t i;

	for (i = 0; i < ring->size; i++) {
		ring->free[i] = (uint16_t)i;
		ring->n_descs[i] = 0;
	}
	ring->free_first = 0;
	ring->n_ids = ring->n_free = ring->size;
	ring->outstanding = 0;
	ring->avail_idx = ring->shown = ring->used_idx = 0;
	ring->ops->reset(ring);
}

uint16_t
fe_ring_id(struct fe_ring *ring)
{
	uint16_t id = ring->free[ring->free_first];

	ring->free_first = (ring->free_first + 1) % ring->size;
	ring->n_ids--;
	return id;
}

void
fe_ring_id_back(struct fe_ring *ring, uint16_t id)
{
	ring->free[(ring->free_first + ring->n_ids) % ring->size] = id;
	ring->n_ids++;
}

void
fe_ring_out(struct fe_ring *ring, uint16_t id, unsigned int n, void *cookie)
{
	ring->n_descs[id] = (uint16_t)n;
	ring->n_free -= n;
	ring->cookie[id] = cookie;
	ring->outstanding++;
}

int
fe_ring_add(struct fe_ring *ring, const struct fe_seg *segs, unsigned int n, unsigned int n_direct,
	uint64_t table_gpa, void *cookie)
{
	unsigned int i;
	int rc = 0;

	if (n == 0 || n_direct > n || ring->n_free < n_direct + (n_direct < n))
		return -ENOSPC;
	for (i = n_direct; i < n && rc == 0; i++) {
		struct fe_raw raw = {
			.addr = segs[i].gpa,
			.len = segs[i].len,
			.flags = fe_seg_flags(&segs[i], i + 1 < n),
		};

		rc = fe_ring_table(ring, table_gpa, i - n_direct, &raw);
	}
	return rc < 0 ? rc : ring->ops->add(ring, segs, n, n_direct, table_gpa, cookie);
}

uint16_t
fe_ring_raw(struct fe_ring *ring, const struct fe_raw *raw, unsigned int n)
{
	return ring->ops->raw(ring, raw, n);
}

int
fe_ring_table(struct fe_ring *ring, uint64_t table, unsigned int i, const struct fe_raw *raw)
{
	union fe_any_desc d;

	ring->ops->table(&d, i, raw);
	return fe_mem_write(ring->mem, table + i * FE_DESC_SIZE, &d, sizeof(d));
}

uint16_t
fe_ring_place(const struct fe_ring *ring, unsigned int i)
{
	return ring->ops->place(ring, i);
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
	uint16_t old = ring->shown;

	if (old == ring->avail_idx)
		return;
	ring->ops->show(ring);
	ring->shown = ring->avail_idx;
	/* Pairs with the device's fence between asking for kicks and looking at what is available.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (ring->ops->wants_kick(ring, old))
		fe_ring_kick(ring);
	else
		ring->kicks_suppressed++;
}

bool
fe_ring_has_used(const struct fe_ring *ring)
{
	return ring->ops->has_used(ring);
}

int
fe_ring_get(struct fe_ring *ring, void **cookie, uint32_t *len)
{
	struct fe_used_elem e;

	if (!ring->ops->has_used(ring))
		return 0;
	e = ring->ops->read_used(ring);
	ring->got = ring->used_idx;
	if (e.id >= ring->size || ring->n_descs[e.id] == 0) {
		fprintf(stderr, "used entry %u names chain %u, which is not outstanding\n",
			ring->got, e.id);
		return -EPROTO;
	}
	*cookie = ring->cookie[e.id];
	*len = e.len;
	ring->n_free += ring->n_descs[e.id];
	ring->ops->release(ring, (uint16_t)e.id);
	ring->n_descs[e.id] = 0;
	ring->outstanding--;
	return 1;
}

unsigned int
fe_ring_written(const struct fe_ring *ring, uint16_t got, struct fe_range ranges[2])
{
	return ring->ops->written(ring, got, ranges);
}

bool
fe_ring_arm(struct fe_ring *ring)
{
	ring->ops->arm(ring);
	/* Pairs with the device's fence between showing used entries and reading what we ask for.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring->ops->has_used(ring);
}

void
fe_ring_disarm(struct fe_ring *ring)
{
	ring->ops->disarm(ring);
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

uint16_t
fe_ring_base(const struct fe_ring *ring)
{
	return ring->ops->base(ring);
}

bool
fe_ring_see(const struct fe_ring *ring, uint16_t at, uint16_t id, uint8_t *seen)
{
	if (id < ring->size && ring->n_descs[id] != 0 && !seen[id]++)
		return true;
	fprintf(stderr, "available entry %u names chain %u: not outstanding or twice\n", at, id);
	return false;
}

int
fe_ring_check_base(const struct fe_ring *ring, uint32_t base)
{
	uint8_t *seen;
	int n;

	if (base != fe_ring_base(ring)) {
		fprintf(stderr, "base 0x%x, but we are at 0x%x, %u outstanding\n", base,
			fe_ring_base(ring), ring->outstanding);
		return -EPROTO;
	}
	seen = calloc(ring->size, 1);
	if (seen == NULL)
		return -ENOMEM;
	n = ring->ops->walk(ring, base, seen);
	free(seen);
	if (n >= 0 && (uint32_t)n != ring->outstanding) {
		fprintf(stderr, "base 0x%x, %d chains available, %u outstanding\n", base, n,
			ring->outstanding);
		return -EPROTO;
	}
	return n < 0 ? n : 0;
}
