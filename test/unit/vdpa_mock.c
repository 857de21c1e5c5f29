/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "autotest.h"
#include "vdpa_mock.h"

struct vdpa_mock mock;
bool mock_unpolled;
static struct svq_device_ops unpolled_ops;

void
vdpa_mock_clear(void)
{
	memset(&mock, 0, sizeof(mock));
	memset(mock.irqfd, 0xff, sizeof(mock.irqfd));
}

static bool
fails(enum mock_op op)
{
	return mock.fail == op && (mock.fail_after == 0 || mock.fail_after-- == 1);
}

static void
op_close(struct svq_device *dev)
{
	RTE_SET_USED(dev);
	CU_ASSERT_FALSE(mock.started);
	CU_ASSERT_EQUAL(mock.m.n_maps, 0);
	mock.open = false;
}

static int
op_set_features(struct svq_device *dev, uint64_t features)
{
	CU_ASSERT_FALSE(mock.started);
	if (fails(MOCK_SET_FEATURES) || (features & ~dev->info.features))
		return -EINVAL;
	mock.features = features;
	return 0;
}

static int
op_dma_map(struct svq_device *dev, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm)
{
	mock.maps++;
	return mock_dma_map(dev, iova, hva, size, perm);
}

static int
op_dma_unmap(struct svq_device *dev, uint64_t iova, uint64_t size)
{
	mock.unmaps++;
	return mock_dma_unmap(dev, iova, size);
}

static int
op_queue_setup(struct svq_device *dev, uint16_t qid, const struct svq_device_queue *queue)
{
	RTE_SET_USED(dev);
	if (fails(MOCK_QUEUE_SETUP) || qid >= 2 * mock.max_pairs)
		return -EINVAL;
	CU_ASSERT(!mock.started || mock.is_reset[qid]);
	mock.setups++;
	mock.queue[qid] = *queue;
	mock.era[qid]++;
	mock.seen[qid] = mock.returned[qid] = 0;
	return 0;
}

static int
op_queue_reset(struct svq_device *dev, uint16_t qid)
{
	RTE_SET_USED(dev);
	if (fails(MOCK_QUEUE_RESET) || qid >= 2 * mock.max_pairs)
		return -EINVAL;
	if (!(mock.features & 1ULL << VIRTIO_F_RING_RESET))
		return -ENOTSUP;
	mock.is_reset[qid] = true;
	mock.queue_resets++;
	memset(&mock.queue[qid], 0, sizeof(mock.queue[qid]));
	return 0;
}

static int
op_queue_restart(struct svq_device *dev, uint16_t qid)
{
	RTE_SET_USED(dev);
	if (fails(MOCK_QUEUE_RESTART) || qid >= 2 * mock.max_pairs)
		return -EINVAL;
	CU_ASSERT(mock.started && mock.is_reset[qid] && mock.queue[qid].size != 0);
	mock.is_reset[qid] = false;
	return 0;
}

static int
op_queue_irq(struct svq_device *dev, uint16_t qid, int fd)
{
	RTE_SET_USED(dev);
	CU_ASSERT_FALSE(mock.started);
	if (qid >= 2 * mock.max_pairs)
		return -EINVAL;
	mock.irqfd[qid] = fd;
	return 0;
}

static int
op_config_irq(struct svq_device *dev, int fd)
{
	RTE_SET_USED(dev);
	CU_ASSERT_FALSE(mock.started);
	mock.config_fd = fd;
	return 0;
}

static void
op_config_done(struct svq_device *dev)
{
	RTE_SET_USED(dev);
	mock.config_done++;
}

static int
op_pair_enable(struct svq_device *dev, uint16_t pair, bool on)
{
	RTE_SET_USED(dev);
	if (fails(MOCK_PAIR_ENABLE) || pair >= mock.max_pairs)
		return -EINVAL;
	mock.on[pair] = on;
	return 0;
}

static int
op_start(struct svq_device *dev)
{
	RTE_SET_USED(dev);
	CU_ASSERT_FALSE(mock.started);
	if (fails(MOCK_START))
		return -EIO;
	mock.started = true;
	mock.starts++;
	return 0;
}

static void
op_stop(struct svq_device *dev)
{
	RTE_SET_USED(dev);
	mock.started = false;
	mock.status = 0;
	mock.stops++;
	memset(mock.irqfd, 0xff, sizeof(mock.irqfd));
	memset(mock.on, 0, sizeof(mock.on));
	mock.on[0] = true;
	memset(mock.is_reset, 0, sizeof(mock.is_reset));
}

static void
op_notify(struct svq_device *dev, uint16_t qid, uint32_t data)
{
	RTE_SET_USED(data);
	RTE_SET_USED(dev);
	mock.notified[qid]++;
}

static unsigned int
op_poll(struct svq_device *dev, uint16_t pair)
{
	unsigned int n = 0;
	int head;

	RTE_SET_USED(dev);
	CU_ASSERT(mock.started && mock.on[pair]);
	while (mock.completes && !mock.is_reset[2 * pair + 1] &&
		(head = mock_take(2 * pair + 1)) >= 0) {
		mock_return(2 * pair + 1, head, 0);
		n++;
	}
	return n;
}

static uint8_t
op_status(struct svq_device *dev)
{
	RTE_SET_USED(dev);
	return mock.status;
}

static int
op_get_config(struct svq_device *dev, uint32_t offset, void *dst, uint32_t len)
{
	const struct virtio_net_config config = {
		.mac = {2, 0, 0, 0, 0, 9}, .mtu = mock.mtu, .status = mock.link};

	RTE_SET_USED(dev);
	if (offset + len > sizeof(config))
		return -EINVAL;
	memcpy(dst, (const uint8_t *)&config + offset, len);
	return 0;
}

static void
op_stats(struct svq_device *dev, struct svq_device_stats *stats)
{
	RTE_SET_USED(dev);
	memset(stats, 0, sizeof(*stats));
	stats->translations = mock.maps;
}

static void
op_dump(struct svq_device *dev, FILE *f)
{
	RTE_SET_USED(dev);
	fprintf(f, "mock\n");
}

static const struct svq_device_ops mock_ops = {
	.close = op_close,
	.set_features = op_set_features,
	.dma_map = op_dma_map,
	.dma_unmap = op_dma_unmap,
	.queue_setup = op_queue_setup,
	.queue_reset = op_queue_reset,
	.queue_restart = op_queue_restart,
	.queue_irq = op_queue_irq,
	.config_irq = op_config_irq,
	.config_done = op_config_done,
	.pair_enable = op_pair_enable,
	.start = op_start,
	.stop = op_stop,
	.notify = op_notify,
	.poll = op_poll,
	.status = op_status,
	.get_config = op_get_config,
	.stats = op_stats,
	.dump = op_dump,
};

static int
mock_open(const char *name, struct rte_kvargs *args, struct rte_rcu_qsbr *qsbr,
	struct svq_device **dev)
{
	RTE_SET_USED(args);
	RTE_SET_USED(qsbr);
	if (fails(MOCK_OPEN))
		return -EIO;
	mock_init(&mock.m, 0x1000, (1ULL << 40) - 1);
	unpolled_ops = mock_ops;
	unpolled_ops.poll = NULL;
	mock.m.dev.ops = mock_unpolled ? &unpolled_ops : &mock_ops;
	mock.m.dev.info.features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_NET_F_MRG_RXBUF |
		1ULL << VIRTIO_F_ACCESS_PLATFORM | 1ULL << VIRTIO_RING_F_EVENT_IDX |
		1ULL << VIRTIO_NET_F_CSUM;
	mock.m.dev.info.max_pairs = 4;
	mock.m.dev.info.max_queue_size = 1024;
	mock.m.dev.info.numa_node = -1;
	snprintf(mock.m.dev.name, sizeof(mock.m.dev.name), "%s", name);
	mock.max_pairs = 4;
	mock.open = true;
	*dev = &mock.m.dev;
	return 0;
}

static const char *const mock_args[] = {"queues", "colour", NULL};
static struct svq_device_driver mock_driver = {
	.name = "mock",
	.args = mock_args,
	.open = mock_open,
};
SVQ_DEVICE_DRIVER(mock_driver)

static void *
reach(uint64_t iova, uint64_t len)
{
	return (void *)(uintptr_t)mock_reach(&mock.m, iova, len, 0);
}

int
mock_take(uint16_t qid)
{
	const struct svq_device_queue *q = &mock.queue[qid];
	struct vring_avail *avail = reach(q->avail_iova, 6 + 2 * q->size);
	struct vring_desc *desc = reach(q->desc_iova, 16 * q->size);
	uint16_t head, at, ahead, n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(avail);
	ahead = atomic_load((_Atomic uint16_t *)&avail->idx) - mock.seen[qid];
	if (ahead == 0)
		return -1;
	CU_ASSERT_FATAL(ahead <= q->size);
	head = at = avail->ring[mock.seen[qid]++ & (q->size - 1)];
	for (;;) {
		CU_ASSERT_FATAL(at < q->size && n++ < q->size);
		CU_ASSERT(mock_reach(&mock.m, desc[at].addr, desc[at].len,
				  desc[at].flags & VRING_DESC_F_WRITE ? SVQ_PERM_W : SVQ_PERM_R) !=
			0);
		if (!(desc[at].flags & VRING_DESC_F_NEXT))
			break;
		at = desc[at].next;
	}
	return head;
}

void
mock_return(uint16_t qid, uint16_t head, uint32_t len)
{
	const struct svq_device_queue *q = &mock.queue[qid];
	struct vring_used *used = reach(q->used_iova, 6 + 8 * q->size);

	used->ring[mock.returned[qid] & (q->size - 1)] =
		(struct vring_used_elem){.id = head, .len = len};
	atomic_store((_Atomic uint16_t *)&used->idx, ++mock.returned[qid]);
}
