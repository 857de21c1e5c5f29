/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_malloc.h>
#include <rte_string_fns.h>

#include "packed.h"
#include "queue_priv.h"
#include "split.h"
#include "table.h"

#define RING_SIZE_MAX 32768

static bool
split_size_ok(uint32_t size)
{
	return size >= 2 && size <= RING_SIZE_MAX && rte_is_power_of_2(size);
}

int
svq_queue_layout(uint64_t features, uint32_t size, struct svq_queue_layout *layout)
{
	const uint64_t desc = (uint64_t)size * sizeof(struct vring_desc);

	if (features & (1ULL << VIRTIO_F_RING_PACKED)) {
		if (size < 1 || size > RING_SIZE_MAX)
			return -EINVAL;
		*layout = (struct svq_queue_layout){
			.desc = {desc, 16},
			.avail = {sizeof(struct vring_packed_desc_event), 4},
			.used = {sizeof(struct vring_packed_desc_event), 4},
		};
		return 0;
	}
	if (!split_size_ok(size))
		return -EINVAL;
	*layout = (struct svq_queue_layout){
		.desc = {desc, 16},
		.avail = {sizeof(struct vring_avail) + (size + 1) * sizeof(uint16_t), 2},
		.used = {sizeof(struct vring_used) + size * sizeof(struct vring_used_elem) +
				sizeof(uint16_t),
			4},
	};
	return 0;
}

static bool
area_ok(const void *p, const struct svq_queue_area *area)
{
	return p != NULL && (uintptr_t)p % area->align == 0;
}

static bool
guest_ok(const struct svq_queue_guest *guest)
{
	struct svq_queue_layout layout;

	return svq_queue_layout(guest->features, guest->size, &layout) == 0 &&
		area_ok(guest->desc, &layout.desc) && area_ok(guest->avail, &layout.avail) &&
		area_ok(guest->used, &layout.used);
}

/* Empty the shadow ring: what a device sees that was just reset. */
static void
shadow_reset(struct svq_queue *q)
{
	struct svq_shadow_ring *r = &q->shadow;
	struct svq_queue_layout l;

	svq_queue_layout(q->features, q->size, &l);
	memset(r->desc, 0, l.desc.bytes);
	memset(r->avail, 0, l.avail.bytes);
	memset(r->used, 0, l.used.bytes);
	r->avail_idx = 0;
	r->used_idx = 0;
	r->avail_wrap = true;
	r->used_wrap = true;
	svq_queue_want_interrupts(q, false);
	q->inflight = 0;
	q->wanted = 0;
	svq_slots_reset(q);
}

/*
 * Two pieces of memory: what the device may only read, and what it writes. The descriptors of a
 * packed ring are of the latter kind.
 */
static int
shadow_alloc(struct svq_queue *q, int numa_node)
{
	int socket = numa_node < 0 ? SOCKET_ID_ANY : numa_node;
	struct svq_shadow_ring *r = &q->shadow;
	uint64_t read_iova, write_iova;
	struct svq_queue_layout l;
	int ret;

	svq_queue_layout(q->features, q->size, &l);
	q->shadow_driver_mem = svq_dma_host_alloc(q->dma,
		l.avail.bytes + (r->packed ? 0 : l.desc.bytes), numa_node, SVQ_PERM_R, &read_iova);
	if (q->shadow_driver_mem == NULL)
		return -errno;
	q->shadow_device_mem = svq_dma_host_alloc(q->dma,
		l.used.bytes + (r->packed ? l.desc.bytes : 0), numa_node, SVQ_PERM_RW, &write_iova);
	if (q->shadow_device_mem == NULL)
		return -errno;
	/* The descriptors come first: they want the strictest alignment. */
	r->desc = r->packed ? q->shadow_device_mem : q->shadow_driver_mem;
	r->desc_iova = r->packed ? write_iova : read_iova;
	r->avail = RTE_PTR_ADD(q->shadow_driver_mem, r->packed ? 0 : l.desc.bytes);
	r->driver_iova = read_iova + (r->packed ? 0 : l.desc.bytes);
	r->used = RTE_PTR_ADD(q->shadow_device_mem, r->packed ? l.desc.bytes : 0);
	r->device_iova = write_iova + (r->packed ? l.desc.bytes : 0);
	if (q->features & 1ULL << VIRTIO_RING_F_INDIRECT_DESC) {
		ret = svq_tables_alloc(q, numa_node);
		if (ret < 0)
			return ret;
	}
	r->slot = rte_zmalloc_socket("svq_slot", (q->size + svq_tables_descs(q)) * sizeof(*r->slot),
		RTE_CACHE_LINE_SIZE, socket);
	r->flight = rte_zmalloc_socket(
		"svq_flight", q->size * sizeof(*r->flight), RTE_CACHE_LINE_SIZE, socket);
	r->seq = rte_zmalloc_socket(
		"svq_seq", q->size * sizeof(*r->seq), RTE_CACHE_LINE_SIZE, socket);
	r->written = rte_zmalloc_socket(
		"svq_written", q->size * sizeof(*r->written), RTE_CACHE_LINE_SIZE, socket);
	r->origin = rte_zmalloc_socket(
		"svq_origin", q->size * sizeof(*r->origin), RTE_CACHE_LINE_SIZE, socket);
	r->free_mem = rte_zmalloc_socket(
		"svq_free", 2 * q->size * sizeof(*r->free_mem), RTE_CACHE_LINE_SIZE, socket);
	r->held =
		rte_zmalloc_socket("svq_held", svq_ids_bytes(q->size), RTE_CACHE_LINE_SIZE, socket);
	if (r->slot == NULL || r->flight == NULL || r->seq == NULL || r->written == NULL ||
		r->origin == NULL || r->free_mem == NULL || r->held == NULL)
		return -ENOMEM;
	return 0;
}

int
svq_queue_create(const struct svq_queue_conf *conf, struct svq_queue **queue)
{
	int socket = conf->numa_node < 0 ? SOCKET_ID_ANY : conf->numa_node;
	struct svq_queue *q;
	int ret;

	RTE_BUILD_BUG_ON(RTE_BYTE_ORDER != RTE_LITTLE_ENDIAN);
	/* What is written whole, eight at a time. */
	RTE_BUILD_BUG_ON(sizeof(struct svq_flight) != 16);
	RTE_BUILD_BUG_ON(
		offsetof(struct svq_flight, len) != 8 || offsetof(struct svq_flight, word) != 12);
	if (!split_size_ok(conf->size))
		return -EINVAL;
	q = rte_zmalloc_socket("svq_queue", sizeof(*q), RTE_CACHE_LINE_SIZE, socket);
	if (q == NULL)
		return -ENOMEM;
	q->dma = conf->dma;
	q->map = svq_dma_map_at(conf->dma);
	q->dev = svq_dma_device(conf->dma);
	q->dev_is_ours = q->dev->ops->poll != NULL;
	q->qid = conf->qid;
	q->net_header = conf->net_header;
	q->scalar = conf->scalar;
	q->notify_position = conf->features & (1ULL << VIRTIO_F_NOTIFICATION_DATA);
	q->size = conf->size;
	q->irqfd = conf->irqfd;
	q->errfd = -1;
	q->complaints = conf->complaints;
	q->features = conf->features;
	q->shadow.mask = conf->size - 1;
	q->shadow.packed = conf->features & (1ULL << VIRTIO_F_RING_PACKED);
	q->shadow.event_idx = conf->features & (1ULL << VIRTIO_RING_F_EVENT_IDX);
	q->shadow.order_platform = conf->features & (1ULL << VIRTIO_F_ORDER_PLATFORM);
	q->shadow.in_order = conf->features & (1ULL << VIRTIO_F_IN_ORDER);
	strlcpy(q->name, conf->name, sizeof(q->name));
	ret = shadow_alloc(q, conf->numa_node);
	if (ret < 0) {
		svq_queue_destroy(q);
		return ret;
	}
	shadow_reset(q);
	*queue = q;
	return 0;
}

void
svq_queue_destroy(struct svq_queue *q)
{
	if (q == NULL)
		return;
	svq_queue_detach(q);
	svq_dma_host_free(q->dma, q->shadow_driver_mem);
	svq_dma_host_free(q->dma, q->shadow_device_mem);
	svq_tables_free(q);
	rte_free(q->gather_mem);
	rte_free(q->shadow.slot);
	rte_free(q->shadow.flight);
	rte_free(q->shadow.seq);
	rte_free(q->shadow.written);
	rte_free(q->shadow.origin);
	rte_free(q->shadow.free_mem);
	rte_free(q->shadow.held);
	rte_free(q);
}

void
svq_queue_device(const struct svq_queue *q, struct svq_device_queue *out)
{
	*out = (struct svq_device_queue){
		.size = q->size,
		.desc_iova = q->shadow.desc_iova,
		.avail_iova = q->shadow.driver_iova,
		.used_iova = q->shadow.device_iova,
	};
}

/*
 * One block for the scratch of the available burst, and the ids in flight. It is kept for the next
 * attachment: chains in flight are not to be lost because their ring cannot be attached anew.
 */
static int
gather_alloc(struct svq_queue *q, uint32_t guest_size)
{
	uint32_t n = RTE_ALIGN_CEIL(SVQ_BURST_DESCS + guest_size, 64u);
	struct svq_gather *ga = &q->gather;
	uint8_t *mem;

	if (guest_size == q->gather_size)
		return 0;
	mem = rte_zmalloc("svq_gather",
		n * (sizeof(*ga->gpa) + sizeof(*ga->iova) + sizeof(*ga->len) + sizeof(*ga->at)) +
			2 * (n / 64) * sizeof(uint64_t) + svq_ids_bytes(guest_size),
		RTE_CACHE_LINE_SIZE);
	if (mem == NULL)
		return -ENOMEM;
	rte_free(q->gather_mem);
	q->gather_mem = mem;
	q->gather_size = guest_size;
	ga->gpa = (uint64_t *)mem;
	ga->iova = ga->gpa + n;
	ga->writable = ga->iova + n;
	ga->translated = ga->writable + n / 64;
	q->guest.ids = ga->translated + n / 64;
	ga->len = (uint32_t *)RTE_PTR_ADD(q->guest.ids, svq_ids_bytes(guest_size));
	ga->at = (uint16_t *)(ga->len + n);
	return 0;
}

static void
ring_set(struct svq_guest_ring *r, const struct svq_queue_guest *guest)
{
	r->desc = guest->desc;
	r->avail = guest->avail;
	r->used = guest->used;
	r->desc_gpa = guest->desc_gpa;
	r->avail_gpa = guest->avail_gpa;
	r->used_gpa = guest->used_gpa;
	r->size = guest->size;
	r->mask = guest->size - 1;
	r->packed = guest->features & (1ULL << VIRTIO_F_RING_PACKED);
	r->event_idx = guest->features & (1ULL << VIRTIO_RING_F_EVENT_IDX);
	r->in_order = guest->features & (1ULL << VIRTIO_F_IN_ORDER);
	r->indirect_ok = guest->features & (1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	r->callfd = guest->callfd;
	r->kickfd = guest->kickfd;
	r->control = r->packed ? &svq_guest_packed_control : &svq_guest_split_control;
}

int
svq_queue_attach(struct svq_queue *q, const struct svq_queue_guest *guest)
{
	bool packed = guest->features & (1ULL << VIRTIO_F_RING_PACKED);
	bool in_order = guest->features & (1ULL << VIRTIO_F_IN_ORDER);
	int ret, flags;

	if (q->attached)
		return -EBUSY;
	if (!guest_ok(guest))
		return -EINVAL;
	/* Chains in flight are returned to the ring they came from, in the order agreed upon. */
	if (q->inflight != 0 &&
		(guest->size != q->guest.size || packed != q->guest.packed ||
			in_order != q->guest.in_order))
		return -EINVAL;
	if (q->inflight == 0 &&
		!(packed ? svq_guest_packed_control : svq_guest_split_control)
			 .base_ok(guest->size, guest->base))
		return -EINVAL;
	ret = gather_alloc(q, guest->size);
	if (ret < 0)
		return ret;
	ring_set(&q->guest, guest);
	q->wanted = 0;
	if (q->inflight == 0)
		q->guest.control->set_base(q, guest->base);
	/* A device with IN_ORDER expects the descriptor behind the last one until it is reset. */
	if (q->inflight == 0 && !q->shadow.in_order)
		svq_slots_reset(q);
	else
		svq_slots_resume(q);
	/* Whoever holds the other end of it must not be able to block a worker. */
	if (guest->callfd >= 0) {
		flags = fcntl(guest->callfd, F_GETFL);
		if (flags >= 0)
			fcntl(guest->callfd, F_SETFL, flags | O_NONBLOCK);
	}
	/* We poll, until svq_queue_listen(). */
	q->guest.control->want_kicks(q, false);
	q->attached = true;
	return 0;
}

void
svq_queue_detach(struct svq_queue *q)
{
	if (!q->attached)
		return;
	q->guest.control->want_kicks(q, true);
	q->attached = false;
	q->guest.desc = NULL;
	q->guest.avail = NULL;
	q->guest.used = NULL;
	q->guest.callfd = -1;
	q->guest.kickfd = -1;
}

static int
head_by_seq(const void *a, const void *b, void *arg)
{
	const struct svq_queue *q = arg;
	const uint32_t *seq = q->shadow.seq;
	/* By age: seq may have begun from 0 again since. */
	uint32_t x = (uint32_t)q->seq - seq[*(const uint16_t *)a];
	uint32_t y = (uint32_t)q->seq - seq[*(const uint16_t *)b];

	return x > y ? -1 : x < y;
}

uint32_t
svq_queue_recall(struct svq_queue *q)
{
	/* The free slots are forgotten anyway, so no memory is needed to stop a queue. */
	uint16_t *heads = q->shadow.free_mem;
	uint32_t n = 0, i;

	for (i = 0; i < q->size; i++) {
		if (svq_flight_slots(&q->shadow.flight[i]) != 0)
			heads[n++] = i;
	}
	if (q->attached) {
		qsort_r(heads, n, sizeof(*heads), head_by_seq, q);
		q->guest.control->requeue(q, heads, n);
	}
	if (q->guest.control != NULL)
		q->guest.control->set_base(q, q->guest.control->base(q));
	q->error = SVQ_QUEUE_OK;
	shadow_reset(q);
	return n;
}

uint16_t
svq_queue_base(const struct svq_queue *q)
{
	return q->guest.control != NULL ? q->guest.control->base(q) : 0;
}

void
svq_queue_set_log(struct svq_queue *q, const struct svq_dirty_log *log)
{
	q->log = log != NULL ? *log : (struct svq_dirty_log){0};
}

uint32_t
svq_queue_inflight(const struct svq_queue *q)
{
	return *(const volatile uint32_t *)&q->inflight;
}

bool
svq_queue_stocked(const struct svq_queue *q)
{
	const uint32_t half = RTE_MIN(q->guest.size, q->size) / 2;

	return q->inflight - q->held >= RTE_MAX(half, (uint32_t)SVQ_BURST);
}

bool
svq_queue_inflight_overlaps(const struct svq_queue *q, uint64_t gpa, uint64_t size)
{
	const struct svq_shadow_ring *r = &q->shadow;
	uint32_t i;

	for (i = 0; i < q->size; i++) {
		unsigned int k;
		struct svq_slot plain;
		const struct svq_slot *slot = svq_flight_pieces(r, i, &k, &plain);

		/* What is held back the device is done with. */
		for (; k != 0 && !svq_bit(r->held, i); k--) {
			if (slot->gpa - gpa < size || gpa - slot->gpa < slot->len)
				return true;
			slot = &r->slot[slot->next];
		}
	}
	return false;
}

void
svq_queue_set_errfd(struct svq_queue *q, int fd)
{
	q->errfd = fd;
}

enum svq_queue_error
svq_queue_error(const struct svq_queue *q)
{
	return *(const volatile enum svq_queue_error *)&q->error;
}

void
svq_queue_stats(const struct svq_queue *q, struct svq_queue_stats *stats)
{
	*stats = q->stats;
	/* A burst that its worker is about to count may have been counted in part. */
	stats->kicks_suppressed = stats->bursts - RTE_MIN(stats->kicks, stats->bursts);
	stats->calls_suppressed = stats->used_bursts - RTE_MIN(stats->calls, stats->used_bursts);
	/* Counted are those beyond one of a chain. */
	stats->descs += stats->chains;
	stats->translations = stats->descs;
}

uint16_t
svq_queue_size(const struct svq_queue *q)
{
	return q->size;
}

unsigned int
svq_queue_avail(struct svq_queue *q)
{
	return likely(q->error == SVQ_QUEUE_OK) ? q->avail_burst(q) : 0;
}

unsigned int
svq_queue_used(struct svq_queue *q)
{
	return likely(q->error == SVQ_QUEUE_OK) ? q->used_burst(q) : 0;
}
