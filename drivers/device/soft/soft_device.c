/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_string_fns.h>

#include <svq_virtio.h>

#include "soft.h"

RTE_LOG_REGISTER(soft_logtype, svq.device.soft, INFO)

/* Pieces of a packet that a pair has room for, whatever the size of its rings: an mbuf chain of
 * the longest frame. */
#define MIN_SRC 128

/* Alignment of the event suppression areas of a packed ring: virtio 1.2, 2.8. */
#define PACKED_EVENT_ALIGN 4

static const struct svq_device_ops soft_ops;
static unsigned int soft_poll_kicked(struct svq_device *dev, uint16_t pair);

static struct soft_dev *
to_soft(struct svq_device *dev)
{
	return (struct soft_dev *)dev;
}

static uint64_t
offered_features(const struct soft_dev *soft)
{
	uint64_t features = (soft->args.features & (~SOFT_OFFLOADS | soft->offloads)) |
		RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_ACCESS_PLATFORM) |
		RTE_BIT64(VIRTIO_NET_F_MAC) | RTE_BIT64(VIRTIO_NET_F_STATUS);

	if (soft->args.pairs > 1)
		features |= RTE_BIT64(VIRTIO_NET_F_MQ) | RTE_BIT64(VIRTIO_NET_F_CTRL_VQ);
	if (soft->mtu != 0)
		features |= RTE_BIT64(VIRTIO_NET_F_MTU);
	return features;
}

static void
fill_info(struct soft_dev *soft)
{
	struct svq_device_info *info = &soft->dev.info;

	info->features = offered_features(soft);
	info->max_pairs = soft->args.pairs;
	info->max_queue_size = soft->args.queue_size;
	info->max_page = SOFT_IOMMU_GRANULE;
	info->granule = SOFT_IOMMU_GRANULE;
	info->numa_node = soft->numa_node;
	info->n_apertures = soft->args.n_apertures;
	memcpy(info->apertures, soft->args.apertures, sizeof(info->apertures));
}

/* Outside rings the arrays are large and mostly untouched: left to calloc, which takes memory as
 * it is used, on the node of the thread that uses it. */
static int
pair_init(struct soft_pair *pair, uint16_t index, uint16_t queue_size)
{
	pair->index = index;
	pair->enabled = index == 0;
	soft_ring_reset(&pair->rx);
	soft_ring_reset(&pair->tx);
	pair->n_src = 1 + RTE_MAX((unsigned int)queue_size, (unsigned int)MIN_SRC);
	pair->src = calloc(pair->n_src, sizeof(pair->src[0]));
	pair->dst = calloc(SOFT_MAX_HDR + SOFT_MAX_FRAME, sizeof(pair->dst[0]));
	pair->slots = calloc(queue_size, sizeof(pair->slots[0]));
	return pair->src != NULL && pair->dst != NULL && pair->slots != NULL ? 0 : -ENOMEM;
}

static void
free_pairs(struct soft_dev *soft)
{
	uint16_t i;

	for (i = 0; soft->pairs != NULL && i < soft->args.pairs; i++) {
		free(soft->pairs[i].src);
		free(soft->pairs[i].dst);
		free(soft->pairs[i].slots);
	}
	rte_free(soft->pairs);
}

static int
alloc_pairs(struct soft_dev *soft)
{
	uint16_t i;

	soft->pairs = rte_zmalloc_socket("svq_soft_pairs",
		soft->args.pairs * sizeof(soft->pairs[0]), RTE_CACHE_LINE_SIZE, soft->numa_node);
	if (soft->pairs == NULL)
		return -ENOMEM;
	for (i = 0; i < soft->args.pairs; i++) {
		if (pair_init(&soft->pairs[i], i, soft->args.queue_size) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int
soft_open(const char *name, struct rte_kvargs *kvargs, struct rte_rcu_qsbr *qsbr,
	struct svq_device **dev)
{
	struct soft_dev *soft = calloc(1, sizeof(*soft));
	int ret = -ENOMEM;

	if (soft == NULL)
		goto failed;
	ret = soft_args_parse(name, kvargs, &soft->args);
	if (ret < 0)
		goto free_soft;
	soft->ops = soft_ops;
	if (soft->args.kicks)
		soft->ops.poll = soft_poll_kicked;
	soft->dev.ops = &soft->ops;
	soft->dev.type = "soft";
	atomic_store(&soft->config_fd, -1);
	rte_strscpy(soft->dev.name, name, sizeof(soft->dev.name));
	soft->backend = soft->args.backend;
	soft->offloads = soft->backend->offloads;
	soft->numa_node = SOCKET_ID_ANY;
	ret = soft_iommu_init(&soft->iommu, qsbr, soft->args.apertures, soft->args.n_apertures);
	if (ret < 0)
		goto free_iommu;
	if (soft->backend->open != NULL) {
		ret = soft->backend->open(soft);
		if (ret < 0)
			goto free_iommu;
	}
	ret = alloc_pairs(soft);
	if (ret == 0)
		ret = soft_misbehave_open(soft);
	if (ret < 0)
		goto close_backend;
	fill_info(soft);
	*dev = &soft->dev;
	return 0;

close_backend:
	free_pairs(soft);
	if (soft->backend->close != NULL)
		soft->backend->close(soft);
free_iommu:
	soft_iommu_fini(&soft->iommu);
free_soft:
	free(soft);
failed:
	if (ret == -ENOMEM)
		SOFT_LOG(ERR, name,
			"out of memory; give EAL more (-m) or the device fewer queues (queues=)");
	return ret;
}

static void
reset_rings(struct soft_dev *soft)
{
	uint16_t i;

	for (i = 0; i < soft->args.pairs; i++) {
		soft_ring_reset(&soft->pairs[i].rx);
		soft_ring_reset(&soft->pairs[i].tx);
	}
}

static void
soft_stop(struct svq_device *dev)
{
	struct soft_dev *soft = to_soft(dev);
	uint16_t i;

	if (soft->backend->stop != NULL)
		soft->backend->stop(soft);
	soft_misbehave_reset(soft);
	reset_rings(soft);
	for (i = 0; i < soft->args.pairs; i++) {
		soft->pairs[i].ready = false;
		soft->pairs[i].enabled = i == 0;
	}
	soft->features = 0;
	atomic_store(&soft->config_fd, -1);
	atomic_store(&soft->status, 0);
}

static void
soft_close(struct svq_device *dev)
{
	struct soft_dev *soft = to_soft(dev);

	soft_stop(dev);
	if (soft->backend->close != NULL)
		soft->backend->close(soft);
	free_pairs(soft);
	soft_misbehave_close(soft);
	soft_iommu_fini(&soft->iommu);
	free(soft);
}

static int
soft_set_features(struct svq_device *dev, uint64_t features)
{
	struct soft_dev *soft = to_soft(dev);

	if (atomic_load(&soft->status) != 0)
		return -EBUSY;
	if (features & ~dev->info.features) {
		SOFT_LOG(ERR, dev->name,
			"features 0x%" PRIx64 " are not offered; accept some of 0x%" PRIx64,
			features & ~dev->info.features, dev->info.features);
		return -EINVAL;
	}
	if ((soft->features ^ features) & RTE_BIT64(VIRTIO_F_RING_PACKED))
		reset_rings(soft);
	soft->features = features;
	return 0;
}

static int
soft_dma_map(struct svq_device *dev, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm)
{
	return soft_iommu_map(&to_soft(dev)->iommu, iova, hva, size, perm);
}

static int
soft_dma_unmap(struct svq_device *dev, uint64_t iova, uint64_t size)
{
	return soft_iommu_unmap(&to_soft(dev)->iommu, iova, size);
}

/* Size and alignment of the areas: virtio 1.2, 2.7 and 2.8. */
static bool
queue_valid(const struct soft_dev *soft, const struct svq_device_queue *queue)
{
	if (soft->features & RTE_BIT64(VIRTIO_F_RING_PACKED))
		return queue->size > 0 && queue->desc_iova % VRING_DESC_ALIGN_SIZE == 0 &&
			queue->avail_iova % PACKED_EVENT_ALIGN == 0 &&
			queue->used_iova % PACKED_EVENT_ALIGN == 0;
	return queue->size >= 2 && rte_is_power_of_2(queue->size) &&
		queue->desc_iova % VRING_DESC_ALIGN_SIZE == 0 &&
		queue->avail_iova % VRING_AVAIL_ALIGN_SIZE == 0 &&
		queue->used_iova % VRING_USED_ALIGN_SIZE == 0;
}

/* Queue @p qid, or NULL. */
static struct soft_ring *
find_ring(struct soft_dev *soft, uint16_t qid)
{
	struct soft_pair *pair;

	if (qid / 2 >= soft->args.pairs)
		return NULL;
	pair = &soft->pairs[qid / 2];
	return qid % 2 == 0 ? &pair->rx : &pair->tx;
}

static bool
has_ring_reset(const struct soft_dev *soft)
{
	return (soft->features & RTE_BIT64(VIRTIO_F_RING_RESET)) != 0;
}

static int
soft_queue_setup(struct svq_device *dev, uint16_t qid, const struct svq_device_queue *queue)
{
	struct soft_dev *soft = to_soft(dev);
	struct soft_ring *ring = find_ring(soft, qid);

	if (ring == NULL)
		return -EINVAL;
	if (atomic_load(&soft->status) != 0 && (ring->live || !has_ring_reset(soft)))
		return -EBUSY;
	if (queue->size > dev->info.max_queue_size || !queue_valid(soft, queue))
		return -EINVAL;
	ring->conf = *queue;
	return 0;
}

static int
soft_config_irq(struct svq_device *dev, int fd)
{
	struct soft_dev *soft = to_soft(dev);

	if (atomic_load(&soft->status) != 0)
		return -EBUSY;
	atomic_store(&soft->config_fd, fd);
	return 0;
}

static int
soft_queue_irq(struct svq_device *dev, uint16_t qid, int fd)
{
	struct soft_dev *soft = to_soft(dev);
	struct soft_ring *ring = find_ring(soft, qid);

	if (atomic_load(&soft->status) != 0)
		return -EBUSY;
	if (ring == NULL)
		return -EINVAL;
	ring->irqfd = fd;
	return 0;
}

static int
soft_pair_enable(struct svq_device *dev, uint16_t pair, bool on)
{
	struct soft_dev *soft = to_soft(dev);

	if (pair >= soft->args.pairs)
		return -EINVAL;
	soft->pairs[pair].enabled = on;
	soft->pairs[pair].asleep = false;
	if (soft->backend->share != NULL)
		soft->backend->share(soft);
	return 0;
}

/* Translate a queue's rings. */
static int
start_ring(struct soft_dev *soft, struct soft_pair *pair, struct soft_ring *ring)
{
	struct soft_access access;
	int ret;

	soft_access_begin(&access, &soft->iommu);
	pair->asleep = false;
	ret = soft_ring_start(ring, &access, soft->features, soft->args.kicks);
	if (ret < 0) {
		soft_dev_fault(soft, pair, ring, &access, ret);
		return ret;
	}
	soft_count(&pair->counters.translations, access.translations);
	pair->ready = pair->rx.live && pair->tx.live;
	return 0;
}

static int
soft_queue_reset(struct svq_device *dev, uint16_t qid)
{
	struct soft_dev *soft = to_soft(dev);
	struct soft_ring *ring = find_ring(soft, qid);
	int irqfd;

	if (ring == NULL)
		return -EINVAL;
	if (!has_ring_reset(soft))
		return -ENOTSUP;
	soft->pairs[qid / 2].ready = false;
	irqfd = ring->irqfd;
	soft_ring_reset(ring);
	ring->irqfd = irqfd;
	return 0;
}

static int
soft_queue_restart(struct svq_device *dev, uint16_t qid)
{
	struct soft_dev *soft = to_soft(dev);
	struct soft_ring *ring = find_ring(soft, qid);

	if (ring == NULL)
		return -EINVAL;
	if (!has_ring_reset(soft))
		return -ENOTSUP;
	if (ring->live)
		return -EBUSY;
	if (atomic_load(&soft->status) == 0 || ring->conf.size == 0)
		return -EINVAL;
	return start_ring(soft, &soft->pairs[qid / 2], ring);
}

static int
soft_start(struct svq_device *dev)
{
	struct soft_dev *soft = to_soft(dev);
	unsigned int ready = 0;
	uint16_t i;
	int ret;

	if (atomic_load(&soft->status) != 0)
		return -EBUSY;
	/* virtio 1.2, 5.1.6.1 */
	soft->mergeable = (soft->features & RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)) != 0;
	soft->hdr_len = soft->mergeable || (soft->features & RTE_BIT64(VIRTIO_F_VERSION_1))
		? sizeof(struct virtio_net_hdr_mrg_rxbuf)
		: sizeof(struct virtio_net_hdr);
	soft_offload_init(&soft->offload, soft->features);
	for (i = 0; i < soft->args.pairs; i++) {
		struct soft_pair *pair = &soft->pairs[i];

		if (pair->rx.conf.size == 0 || pair->tx.conf.size == 0)
			continue;
		ret = start_ring(soft, pair, &pair->rx);
		if (ret == 0)
			ret = start_ring(soft, pair, &pair->tx);
		if (ret < 0)
			return ret;
		ready++;
	}
	if (ready == 0) {
		SOFT_LOG(ERR, dev->name,
			"no queue pair has both queues set up; set up queues 0 and 1");
		return -EINVAL;
	}
	if (soft->backend->start != NULL)
		soft->backend->start(soft);
	if (soft->backend->share != NULL)
		soft->backend->share(soft);
	atomic_fetch_or(&soft->status, SVQ_DEVICE_S_DRIVER_OK);
	return 0;
}

/* Check what a kick says: virtio 1.2, 2.9. */
static int
check_notification(struct soft_dev *soft, struct soft_ring *ring, struct soft_access *access,
	uint16_t qid, uint32_t data)
{
	int ret;

	if ((uint16_t)data != qid) {
		ring->reason = "notification data names another queue";
		return -EPROTO;
	}
	if (!(soft->features & RTE_BIT64(VIRTIO_F_NOTIFICATION_DATA)))
		return 0;
	soft_access_begin(access, &soft->iommu);
	ret = soft_ring_begin(ring, access);
	return ret == 0 ? soft_ring_notified(ring, (uint16_t)(data >> 16)) : ret;
}

static void
soft_notify(struct svq_device *dev, uint16_t qid, uint32_t data)
{
	struct soft_dev *soft = to_soft(dev);
	struct soft_ring *ring = find_ring(soft, qid);
	struct soft_access access;
	struct soft_pair *pair;
	int ret;

	if (ring == NULL || !ring->live || !soft_dev_running(soft))
		return;
	pair = &soft->pairs[qid / 2];
	pair->asleep = false;
	ret = check_notification(soft, ring, &access, qid, data);
	if (unlikely(ret < 0))
		soft_dev_fault(soft, pair, ring, &access, ret);
}

static unsigned int
soft_poll(struct svq_device *dev, uint16_t pair)
{
	struct soft_dev *soft = to_soft(dev);

	return soft->backend->poll(soft, &soft->pairs[pair]);
}

/* Serve a pair only between a kick and the round that finds nothing to do. */
static unsigned int
soft_poll_kicked(struct svq_device *dev, uint16_t index)
{
	struct soft_dev *soft = to_soft(dev);
	struct soft_pair *pair = &soft->pairs[index];
	unsigned int moved;
	bool more;

	if (pair->asleep || !pair->enabled || !pair->ready || !soft_dev_running(soft))
		return 0;
	moved = soft->backend->poll(soft, pair);
	if (moved != 0)
		return moved;
	more = soft_ring_sleep(&pair->rx);
	more |= soft_ring_sleep(&pair->tx);
	pair->asleep = !more;
	return 0;
}

static int
soft_poll_sleep(struct svq_device *dev, uint16_t pair)
{
	struct soft_dev *soft = to_soft(dev);

	if (soft->backend->poll_sleep == NULL)
		return 0;
	return soft->backend->poll_sleep(soft, &soft->pairs[pair]);
}

static void
soft_poll_wake(struct svq_device *dev, uint16_t pair)
{
	struct soft_dev *soft = to_soft(dev);

	if (soft->backend->poll_wake != NULL)
		soft->backend->poll_wake(soft, &soft->pairs[pair]);
}

static int
soft_poll_fd(struct svq_device *dev, uint16_t pair)
{
	struct soft_dev *soft = to_soft(dev);

	if (soft->backend->poll_fd == NULL)
		return -1;
	return soft->backend->poll_fd(soft, &soft->pairs[pair]);
}

static uint8_t
soft_status(struct svq_device *dev)
{
	return atomic_load_explicit(&to_soft(dev)->status, memory_order_relaxed);
}

static int
soft_get_config(struct svq_device *dev, uint32_t offset, void *dst, uint32_t len)
{
	struct soft_dev *soft = to_soft(dev);
	struct virtio_net_config config;

	if (offset > sizeof(config) || len > sizeof(config) - offset)
		return -EINVAL;
	memset(&config, 0, sizeof(config));
	memcpy(config.mac, soft->args.mac, sizeof(config.mac));
	if (soft->backend->link == NULL || soft->backend->link(soft))
		config.status = VIRTIO_NET_S_LINK_UP;
	config.max_virtqueue_pairs = soft->args.pairs;
	config.mtu = soft->mtu;
	memcpy(dst, (const uint8_t *)&config + offset, len);
	return 0;
}

static uint64_t
read_counter(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
soft_stats(struct svq_device *dev, struct svq_device_stats *stats)
{
	struct soft_dev *soft = to_soft(dev);
	uint16_t i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < soft->args.pairs; i++) {
		const struct soft_counters *counters = &soft->pairs[i].counters;

		stats->iommu_faults += read_counter(&counters->iommu_faults);
		stats->translations += read_counter(&counters->translations);
		stats->rx_packets += read_counter(&counters->rx_packets);
		stats->tx_packets += read_counter(&counters->tx_packets);
		stats->rx_drops += read_counter(&counters->rx_drops);
		stats->tx_drops += read_counter(&counters->tx_drops);
		stats->ring_errors += read_counter(&counters->ring_errors);
	}
}

static void
soft_dump(struct svq_device *dev, FILE *f)
{
	struct soft_dev *soft = to_soft(dev);
	uint8_t status = soft_status(dev);
	struct svq_device_stats stats;
	unsigned int enabled = 0;
	uint16_t i;

	for (i = 0; i < soft->args.pairs; i++)
		enabled += soft->pairs[i].enabled && soft->pairs[i].ready;
	soft_stats(dev, &stats);
	fprintf(f, "  back-end: %s%s%s\n", soft->backend->name,
		soft->args.port[0] != '\0' ? " " : "", soft->args.port);
	if (soft->backend->dump != NULL)
		soft->backend->dump(soft, f);
	fprintf(f, "  status: %s%s\n", status & SVQ_DEVICE_S_DRIVER_OK ? "running" : "stopped",
		status & SVQ_DEVICE_S_NEEDS_RESET ? ", needs a reset" : "");
	fprintf(f, "  queue pairs: %u served of %u, %s rings of at most %u descriptors\n", enabled,
		soft->args.pairs,
		soft->features & RTE_BIT64(VIRTIO_F_RING_PACKED) ? "packed" : "split",
		soft->args.queue_size);
	fprintf(f, "  features: accepted 0x%" PRIx64 " of 0x%" PRIx64 "\n", soft->features,
		dev->info.features);
	fprintf(f,
		"  packets: rx %" PRIu64 " tx %" PRIu64 ", drops: rx %" PRIu64 " tx %" PRIu64
		", ring errors: %" PRIu64 "\n",
		stats.rx_packets, stats.tx_packets, stats.rx_drops, stats.tx_drops,
		stats.ring_errors);
	soft_misbehave_dump(soft, f);
	fprintf(f, "  IOMMU: %u mappings, %" PRIu64 " translations, %" PRIu64 " faults\n",
		atomic_load(&soft->iommu.map)->n, stats.translations, stats.iommu_faults);
}

static const char *
access_name(uint32_t perm)
{
	if (perm == SVQ_PERM_RW)
		return "read and write";
	return perm & SVQ_PERM_W ? "write" : "read";
}

void
soft_dev_fault(struct soft_dev *soft, struct soft_pair *pair, const struct soft_ring *ring,
	const struct soft_access *access, int error)
{
	unsigned int qid = 2u * pair->index + (ring == &pair->tx);
	uint8_t old = atomic_fetch_or(&soft->status, SVQ_DEVICE_S_NEEDS_RESET);
	bool first = !(old & SVQ_DEVICE_S_NEEDS_RESET);

	if (first)
		soft_dev_config_changed(soft);

	if (error == -EFAULT) {
		soft_count(&pair->counters.iommu_faults, 1);
		if (first)
			SOFT_LOG(ERR, soft->dev.name,
				"queue %u: IOMMU fault: %s of %" PRIu64 " bytes at IOVA 0x%" PRIx64
				": %s; the device needs a reset",
				qid, access_name(access->perm), access->len, access->iova,
				soft_access_why(access));
	} else {
		soft_count(&pair->counters.ring_errors, 1);
		if (first)
			SOFT_LOG(ERR, soft->dev.name,
				"queue %u: malformed ring at index %u: %s; the device needs a "
				"reset",
				qid, soft_ring_index(ring), ring->reason);
	}
}

static const struct svq_device_ops soft_ops = {
	.close = soft_close,
	.set_features = soft_set_features,
	.dma_map = soft_dma_map,
	.dma_unmap = soft_dma_unmap,
	.queue_setup = soft_queue_setup,
	.queue_reset = soft_queue_reset,
	.queue_restart = soft_queue_restart,
	.queue_irq = soft_queue_irq,
	.config_irq = soft_config_irq,
	.pair_enable = soft_pair_enable,
	.start = soft_start,
	.stop = soft_stop,
	.notify = soft_notify,
	.poll = soft_poll,
	.poll_sleep = soft_poll_sleep,
	.poll_wake = soft_poll_wake,
	.poll_fd = soft_poll_fd,
	.status = soft_status,
	.get_config = soft_get_config,
	.stats = soft_stats,
	.dump = soft_dump,
};

static struct svq_device_driver soft_driver = {
	.name = "soft",
	.args = soft_arg_keys,
	.open = soft_open,
};

SVQ_DEVICE_DRIVER(soft_driver)
