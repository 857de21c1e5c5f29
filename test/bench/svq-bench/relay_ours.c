/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>

#include "relay.h"

static unsigned int
avail(void *relay)
{
	return svq_queue_avail(relay);
}

static unsigned int
used(void *relay)
{
	return svq_queue_used(relay);
}

static void
destroy(void *relay)
{
	svq_queue_destroy(relay);
}

static uint64_t
features(bool packed)
{
	return 1ULL << VIRTIO_F_VERSION_1 | (packed ? 1ULL << VIRTIO_F_RING_PACKED : 0);
}

int
relay_ours_create(struct relay_bed *b, const struct relay_shape *shape, struct relay_memory *m,
	uint64_t ring_gpa, struct relay_ring *device)
{
	const struct relay_variant *v = &b->variant;
	const struct relay_ring *ring = &b->driver.ring;
	const struct svq_queue_conf conf = {
		.name = "bench",
		.dma = m->dma,
		.qid = 0,
		.size = shape->ring,
		.features = features(v->device_packed),
		.numa_node = -1,
		.irqfd = -1,
		.net_header = RELAY_HEADER,
		.scalar = v->scalar,
	};
	struct svq_queue_guest guest = {
		.desc = ring->desc,
		.avail = ring->avail,
		.used = ring->used,
		.desc_gpa = ring_gpa,
		.avail_gpa = ring_gpa + RTE_PTR_DIFF(ring->avail, ring->desc),
		.used_gpa = ring_gpa + RTE_PTR_DIFF(ring->used, ring->desc),
		.size = shape->ring,
		.base = v->guest_packed ? 0x8000 : 0,
		.features = features(v->guest_packed),
		.callfd = b->callfd,
		.kickfd = -1,
	};
	struct svq_device_queue sq;
	struct svq_queue *q;
	int ret;

	ret = svq_queue_create(&conf, &q);
	if (ret < 0)
		return ret;
	ret = svq_queue_attach(q, &guest);
	if (ret < 0) {
		svq_queue_destroy(q);
		return ret;
	}
	if (v->log)
		svq_queue_set_log(q, &m->log);
	svq_queue_device(q, &sq);
	device->desc = relay_memory_iova(m, sq.desc_iova);
	device->avail = relay_memory_iova(m, sq.avail_iova);
	device->used = relay_memory_iova(m, sq.used_iova);
	b->relay = q;
	b->avail = avail;
	b->used = used;
	b->destroy = destroy;
	return 0;
}
