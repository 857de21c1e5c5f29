/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_kvargs.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "soft_driver.h"
#include "soft_driver_packed.h"

/* Bytes of the ring areas of one queue. */
#define DESC_SIZE  (DRV_MAX_SIZE * sizeof(struct vring_desc))
#define AVAIL_SIZE 4096
#define USED_SIZE  (DRV_USED_SIZE / N_QUEUES)
#define TABLE_SIZE DESC_SIZE
#define N_QUEUES   (2 * DRV_MAX_PAIRS)

static const struct {
	uint64_t iova;
	uint64_t size;
	uint32_t perm;
	size_t member;
} areas[] = {
	{DRV_IOVA_RINGS, N_QUEUES *(DESC_SIZE + AVAIL_SIZE), SVQ_PERM_R,
		offsetof(struct drv, rings)},
	{DRV_IOVA_USED, N_QUEUES *USED_SIZE, SVQ_PERM_W, offsetof(struct drv, used)},
	{DRV_IOVA_PACKED, DRV_PACKED_SIZE, SVQ_PERM_RW, offsetof(struct drv, packed)},
	{DRV_IOVA_TABLES, N_QUEUES *DRV_SLOTS *TABLE_SIZE, SVQ_PERM_R,
		offsetof(struct drv, tables)},
	{DRV_IOVA_TX, DRV_MAX_PAIRS *DRV_AREA_SIZE, SVQ_PERM_R, offsetof(struct drv, tx)},
	{DRV_IOVA_RX, DRV_MAX_PAIRS *DRV_AREA_SIZE, SVQ_PERM_W, offsetof(struct drv, rx)},
};

static uint8_t **
area(struct drv *drv, unsigned int i)
{
	return (uint8_t **)((char *)drv + areas[i].member);
}

int
drv_open(struct drv *drv, const char *args, struct rte_rcu_qsbr *qsbr)
{
	const struct svq_device_driver *driver = svq_device_driver_find("soft");
	struct rte_kvargs *kvargs;
	unsigned int i;
	int ret;

	memset(drv, 0, sizeof(*drv));
	CU_ASSERT_PTR_NOT_NULL_FATAL(driver);
	kvargs = rte_kvargs_parse(args, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(kvargs);
	ret = driver->open("test", kvargs, qsbr, &drv->dev);
	rte_kvargs_free(kvargs);
	if (ret < 0)
		return ret;
	drv->pairs = drv->dev->info.max_pairs;
	CU_ASSERT_FATAL(drv->pairs <= DRV_MAX_PAIRS);
	for (i = 0; i < RTE_DIM(areas); i++) {
		uint8_t *mem = mmap(NULL, areas[i].size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CU_ASSERT_PTR_NOT_EQUAL_FATAL(mem, MAP_FAILED);
		*area(drv, i) = mem;
		ret = drv->dev->ops->dma_map(
			drv->dev, areas[i].iova, (uintptr_t)mem, areas[i].size, areas[i].perm);
		CU_ASSERT_EQUAL_FATAL(ret, 0);
	}
	return 0;
}

void
drv_close(struct drv *drv)
{
	unsigned int i;

	drv->dev->ops->stop(drv->dev);
	drv->dev->ops->close(drv->dev);
	for (i = 0; i < RTE_DIM(areas); i++)
		munmap(*area(drv, i), areas[i].size);
}

void
drv_ring_renew(struct drv *drv, uint16_t qid, uint16_t size)
{
	struct drv_ring *ring = &drv->ring[qid];
	size_t at = qid * (DESC_SIZE + AVAIL_SIZE);
	unsigned int i;

	memset(ring, 0, sizeof(*ring));
	ring->rx = qid % 2 == 0;
	ring->size = size;
	ring->event_idx = (drv->features & RTE_BIT64(VIRTIO_RING_F_EVENT_IDX)) != 0;
	ring->packed = (drv->features & RTE_BIT64(VIRTIO_F_RING_PACKED)) != 0;
	ring->in_order = (drv->features & RTE_BIT64(VIRTIO_F_IN_ORDER)) != 0;
	ring->avail_wrap = true;
	ring->used_wrap = true;
	ring->desc = (void *)(ring->packed ? drv->packed + qid * DESC_SIZE : drv->rings + at);
	ring->avail = (void *)(drv->rings + at + DESC_SIZE);
	ring->used = (void *)(drv->used + qid * USED_SIZE);
	memset(ring->desc, 0, DESC_SIZE);
	memset(ring->avail, 0, AVAIL_SIZE);
	memset(ring->used, 0, USED_SIZE);
	ring->conf.size = size;
	ring->conf.desc_iova =
		ring->packed ? DRV_IOVA_PACKED + qid * DESC_SIZE : DRV_IOVA_RINGS + at;
	ring->conf.avail_iova = DRV_IOVA_RINGS + at + DESC_SIZE;
	ring->conf.used_iova = DRV_IOVA_USED + qid * USED_SIZE;
	for (i = 0; i < size; i++) {
		ring->free_desc[ring->n_free++] = (uint16_t)i;
		ring->free_ids[ring->n_ids++] = (uint16_t)i;
	}
	for (i = 0; i < DRV_SLOTS; i++) {
		struct drv_slot *slot = &ring->slots[i];
		uint64_t off = (uint64_t)(qid / 2) * DRV_AREA_SIZE + i * DRV_SLOT_SIZE;
		uint64_t table = ((uint64_t)qid * DRV_SLOTS + i) * TABLE_SIZE;

		slot->hva = (ring->rx ? drv->rx : drv->tx) + off;
		slot->iova = (ring->rx ? DRV_IOVA_RX : DRV_IOVA_TX) + off;
		slot->table = (void *)(drv->tables + table);
		slot->table_iova = DRV_IOVA_TABLES + table;
		drv_slot_put(ring, slot);
	}
}

int
drv_setup(struct drv *drv, uint64_t features, uint16_t size)
{
	const struct svq_device_ops *ops = drv->dev->ops;
	unsigned int i;
	int ret;

	drv->features = features;
	drv->hdr_len =
		features & (RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)) ? 12
											       : 10;
	ret = ops->set_features(drv->dev, features);
	for (i = 0; ret == 0 && i < 2 * drv->pairs; i++) {
		drv_ring_renew(drv, (uint16_t)i, size);
		ret = ops->queue_setup(drv->dev, (uint16_t)i, &drv->ring[i].conf);
	}
	return ret;
}

int
drv_start(struct drv *drv, uint64_t features, uint16_t size)
{
	unsigned int i;
	int ret;

	ret = drv_setup(drv, features, size);
	if (ret == 0)
		ret = drv->dev->ops->start(drv->dev);
	for (i = 0; ret == 0 && i < drv->pairs; i++)
		ret = drv->dev->ops->pair_enable(drv->dev, (uint16_t)i, true);
	return ret;
}

struct drv_slot *
drv_slot_get(struct drv_ring *ring)
{
	struct drv_slot *slot = ring->free_slots;

	CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
	ring->free_slots = slot->next;
	slot->n = 0;
	slot->n_ring = 0;
	return slot;
}

void
drv_slot_put(struct drv_ring *ring, struct drv_slot *slot)
{
	slot->next = ring->free_slots;
	ring->free_slots = slot;
}

void
drv_piece(struct drv_slot *slot, uint32_t off, uint32_t len)
{
	CU_ASSERT_FATAL(slot->n < DRV_MAX_SIZE && off + len <= DRV_SLOT_SIZE);
	slot->pieces[slot->n].iova = slot->iova + off;
	slot->pieces[slot->n++].len = len;
}

/* Ring descriptors of a chain. */
static unsigned int
ring_descs(const struct drv_ring *ring, unsigned int n, enum drv_layout layout)
{
	if (layout == DRV_DIRECT || (layout == DRV_MIXED && n == 1))
		return n;
	return layout == DRV_INDIRECT || ring->packed ? 1 : 2;
}

bool
drv_fits(const struct drv_ring *ring, unsigned int n, enum drv_layout layout)
{
	return n <= ring->size && ring_descs(ring, n, layout) <= ring->n_free &&
		ring->free_slots != NULL;
}

static void
write_desc(struct vring_desc *desc, const struct drv_piece *piece, uint16_t flags, uint16_t next)
{
	desc->addr = piece->iova;
	desc->len = piece->len;
	desc->flags = flags;
	desc->next = next;
}

void
drv_post_head(struct drv_ring *ring, uint16_t head)
{
	uint16_t old = ring->avail_idx;

	ring->avail->ring[ring->avail_idx & (ring->size - 1)] = head;
	ring->avail_idx++;
	__atomic_store_n(&ring->avail->idx, ring->avail_idx, __ATOMIC_RELEASE);
	if (ring->event_idx) {
		const uint16_t *event = (const uint16_t *)&ring->used->ring[ring->size];

		ring->kicks += vring_need_event(*event, ring->avail_idx, old) != 0;
	} else {
		ring->kicks += !(ring->used->flags & VRING_USED_F_NO_NOTIFY);
	}
}

uint16_t
drv_post(struct drv_ring *ring, struct drv_slot *slot, enum drv_layout layout)
{
	uint16_t dir = ring->rx ? VRING_DESC_F_WRITE : 0;
	unsigned int i, n_ring = ring_descs(ring, slot->n, layout);
	unsigned int direct = n_ring == slot->n && layout != DRV_INDIRECT ? n_ring : n_ring - 1;

	CU_ASSERT_FATAL(slot->n > 0 && n_ring <= ring->n_free);
	slot->n_ring = n_ring;
	if (ring->in_order)
		ring->fifo[(ring->fifo_first + ring->fifo_n++) % DRV_MAX_SIZE] = slot;
	if (ring->packed)
		return drv_packed_post(ring, slot, layout != DRV_DIRECT && direct != n_ring);
	for (i = 0; i < n_ring; i++)
		slot->ring_desc[i] = ring->free_desc[--ring->n_free];
	for (i = 0; i < direct; i++)
		write_desc(&ring->desc[slot->ring_desc[i]], &slot->pieces[i],
			(uint16_t)(dir | (i + 1 < n_ring ? VRING_DESC_F_NEXT : 0)),
			i + 1 < n_ring ? slot->ring_desc[i + 1] : 0xffff);
	if (direct < n_ring) {
		struct drv_piece table = {
			.iova = slot->table_iova,
			.len = (slot->n - direct) * (uint32_t)sizeof(struct vring_desc),
		};

		write_desc(&ring->desc[slot->ring_desc[direct]], &table, VRING_DESC_F_INDIRECT, 0);
		for (i = direct; i < slot->n; i++)
			write_desc(&slot->table[i - direct], &slot->pieces[i],
				(uint16_t)(dir | (i + 1 < slot->n ? VRING_DESC_F_NEXT : 0)),
				(uint16_t)(i + 1 - direct));
	}
	slot->id = slot->ring_desc[0];
	ring->by_head[slot->id] = slot;
	drv_post_head(ring, slot->ring_desc[0]);
	return slot->ring_desc[0];
}

uint16_t *
drv_flags(struct drv_ring *ring, uint16_t desc)
{
	return ring->packed ? &ring->packed_desc[desc].flags : &ring->desc[desc].flags;
}

bool
drv_used(const struct drv_ring *ring)
{
	if (ring->packed)
		return drv_packed_used(ring);
	return __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE) != ring->used_idx;
}

/* The next used entry; returns its chain, which is not taken yet. */
static struct drv_slot *
read_used(struct drv_ring *ring, uint32_t *len)
{
	const struct vring_used_elem *elem;
	uint16_t id;

	ring->n_used++;
	if (ring->packed) {
		id = drv_packed_read_used(ring, len);
	} else {
		elem = &ring->used->ring[ring->used_idx & (ring->size - 1)];
		CU_ASSERT_FATAL(elem->id < ring->size);
		id = (uint16_t)elem->id;
		*len = elem->len;
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring->by_head[id]);
	return ring->by_head[id];
}

/* How many chains of the fifo an entry stands for. */
static unsigned int
batch_of(const struct drv_ring *ring, const struct drv_slot *last)
{
	unsigned int n;

	for (n = 0; n < ring->fifo_n; n++) {
		if (ring->fifo[(ring->fifo_first + n) % DRV_MAX_SIZE] == last)
			return n + 1;
	}
	CU_FAIL_FATAL("a used chain is not in the fifo");
	return 0;
}

/* The next chain in order, with an entry of its own or without. */
static struct drv_slot *
reap_in_order(struct drv_ring *ring, uint32_t *len)
{
	struct drv_slot *slot;
	unsigned int i;

	if (ring->batch == 0) {
		slot = read_used(ring, &ring->batch_len);
		ring->batch = batch_of(ring, slot);
		if (!ring->packed)
			CU_ASSERT_FATAL(
				(uint16_t)(ring->used->idx - ring->used_idx) >= ring->batch);
	}
	slot = ring->fifo[ring->fifo_first];
	ring->fifo_first = (ring->fifo_first + 1) % DRV_MAX_SIZE;
	ring->fifo_n--;
	*len = ring->batch_len;
	if (--ring->batch > 0) {
		*len = 0;
		for (i = 0; i < slot->n && ring->rx; i++)
			*len += slot->pieces[i].len;
	}
	return slot;
}

struct drv_slot *
drv_reap(struct drv_ring *ring, uint32_t *len)
{
	struct drv_slot *slot;
	unsigned int i;

	if (ring->batch == 0 && !drv_used(ring))
		return NULL;
	slot = ring->in_order ? reap_in_order(ring, len) : read_used(ring, len);
	ring->by_head[slot->id] = NULL;
	if (ring->packed) {
		drv_packed_put(ring, slot);
		return slot;
	}
	ring->used_idx++;
	for (i = 0; i < slot->n_ring; i++)
		ring->free_desc[ring->n_free++] = slot->ring_desc[i];
	return slot;
}

void
drv_kick(struct drv *drv, uint16_t qid)
{
	const struct drv_ring *ring = &drv->ring[qid];
	uint32_t data = qid;

	if (drv->features & RTE_BIT64(VIRTIO_F_NOTIFICATION_DATA))
		data |= (uint32_t)(ring->avail_idx |
				(ring->packed && ring->avail_wrap ? 0x8000 : 0))
			<< 16;
	drv->dev->ops->notify(drv->dev, qid, data);
}

unsigned int
drv_poll(struct drv *drv, uint16_t pair)
{
	unsigned int n, sum = 0;

	do {
		n = drv->dev->ops->poll(drv->dev, pair);
		sum += n;
	} while (n != 0);
	return sum;
}

static struct {
	struct rte_rcu_qsbr *qsbr;
	struct drv *drv;
	pthread_t thread;
	atomic_bool stop;
} poller;

struct rte_rcu_qsbr *
drv_poller_qsbr(void)
{
	poller.qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(poller.qsbr);
	CU_ASSERT_EQUAL_FATAL(rte_rcu_qsbr_init(poller.qsbr, 1), 0);
	return poller.qsbr;
}

static void *
poll_loop(void *arg)
{
	struct svq_device *dev = poller.drv->dev;

	rte_rcu_qsbr_thread_online(poller.qsbr, 0);
	while (!atomic_load(&poller.stop)) {
		dev->ops->poll(dev, 0);
		rte_rcu_qsbr_quiescent(poller.qsbr, 0);
	}
	rte_rcu_qsbr_thread_offline(poller.qsbr, 0);
	return arg;
}

void
drv_poller_start(struct drv *drv)
{
	poller.drv = drv;
	atomic_store(&poller.stop, false);
	CU_ASSERT_EQUAL_FATAL(rte_rcu_qsbr_thread_register(poller.qsbr, 0), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&poller.thread, NULL, poll_loop, NULL), 0);
}

void
drv_poller_stop(void)
{
	atomic_store(&poller.stop, true);
	pthread_join(poller.thread, NULL);
	rte_rcu_qsbr_thread_unregister(poller.qsbr, 0);
	rte_free(poller.qsbr);
}

void
drv_fill(struct drv_slot *slot, const void *data, uint32_t len)
{
	const uint8_t *from = data;
	unsigned int i;

	for (i = 0; i < slot->n && len > 0; i++) {
		uint32_t n = RTE_MIN(len, slot->pieces[i].len);

		memcpy(slot->hva + (slot->pieces[i].iova - slot->iova), from, n);
		from += n;
		len -= n;
	}
}

void
drv_read(const struct drv_slot *slot, void *data, uint32_t len)
{
	uint8_t *to = data;
	unsigned int i;

	for (i = 0; i < slot->n && len > 0; i++) {
		uint32_t n = RTE_MIN(len, slot->pieces[i].len);

		memcpy(to, slot->hva + (slot->pieces[i].iova - slot->iova), n);
		to += n;
		len -= n;
	}
}
