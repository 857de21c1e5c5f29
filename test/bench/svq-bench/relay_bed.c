/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "relay.h"

/* As drivers lay out a ring: one area behind another, what the device writes on pages of its own.
 */
void
relay_ring_init(struct relay_ring *r, void *at, unsigned int size, bool packed)
{
	const size_t desc = size * sizeof(struct vring_desc);
	const size_t avail = packed ? sizeof(*r->driver_event) : 6 + 2 * size;

	r->packed = packed;
	r->size = size;
	r->desc = at;
	r->avail = RTE_PTR_ADD(at, desc);
	r->used = RTE_PTR_ADD(at, RTE_ALIGN_CEIL(desc + avail, (size_t)4096));
	memset(at, 0, RTE_PTR_DIFF(r->used, at) + 6 + 8 * (size_t)size);
}

int
relay_bed_open(struct relay_bed *b, const struct relay_variant *variant,
	const struct relay_shape *shape, struct relay_memory *m, unsigned int n)
{
	struct relay_ring guest, device = {.packed = variant->device_packed, .size = shape->ring};
	const struct relay_buffers buffers = {
		.gpa = m->gpa,
		.n = RELAY_POOL,
		.len = RELAY_LEN,
		.used_len = shape->descs * RELAY_LEN,
		.writable = true,
	};
	uint64_t gpa = relay_memory_ring(n);
	int ret;

	*b = (struct relay_bed){
		.variant = *variant,
		.burst = RTE_MIN(shape->burst, shape->ring / shape->descs),
	};
	b->callfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (b->callfd < 0)
		return -errno;
	relay_ring_init(&guest, relay_memory_gpa(m, gpa), shape->ring, variant->guest_packed);
	relay_driver_init(&b->driver, &guest, &buffers, shape->descs, variant->notify);
	if (variant->qemu)
		ret = relay_qemu_create(b, shape, m, &device);
	else
		ret = relay_ours_create(b, shape, m, gpa, &device);
	if (ret < 0) {
		fprintf(stderr, "svq-bench: no relay %s: %s\n", variant->name, strerror(-ret));
		close(b->callfd);
		b->callfd = -1;
		return ret;
	}
	relay_device_init(&b->device, m, &device, variant->notify);
	return 0;
}

void
relay_bed_close(struct relay_bed *b)
{
	if (b->destroy != NULL)
		b->destroy(b->relay);
	if (b->callfd >= 0)
		close(b->callfd);
	*b = (struct relay_bed){.callfd = -1};
}
