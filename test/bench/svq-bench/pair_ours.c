/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "pair.h"

struct ours {
	struct svq_device *dev;
	struct svq_guest *guest;
	struct svq_dma *dma;
	struct svq_queue *queue[2]; /* to receive, to send */
};

static unsigned int
avail(void *ctx)
{
	struct ours *o = ctx;

	return svq_queue_avail(o->queue[1]) + svq_queue_avail(o->queue[0]);
}

static unsigned int
device(void *ctx)
{
	struct ours *o = ctx;

	return o->dev->ops->poll(o->dev, 0);
}

static unsigned int
used(void *ctx)
{
	struct ours *o = ctx;
	unsigned int n = svq_queue_used(o->queue[1]);

	svq_queue_used(o->queue[0]);
	return n;
}

/* As a worker serves a pair. */
static unsigned int
poll(void *ctx, bool *busy)
{
	struct ours *o = ctx;
	unsigned int moved, n;

	moved = avail(o);
	device(o);
	n = svq_queue_used(o->queue[1]);
	moved += n + svq_queue_used(o->queue[0]);
	*busy = moved != 0;
	return n;
}

static void
ours_close(void *ctx)
{
	struct ours *o = ctx;
	struct svq_guest_diff diff;
	unsigned int i;

	if (o->dev != NULL)
		o->dev->ops->stop(o->dev);
	for (i = 0; i < 2; i++)
		svq_queue_destroy(o->queue[i]);
	if (o->dma != NULL && svq_guest_prepare(o->guest, NULL, 0, &diff) == 0 &&
		svq_dma_guest_apply(o->dma, &diff) == 0)
		svq_guest_commit(o->guest);
	svq_dma_destroy(o->dma);
	svq_guest_destroy(o->guest);
	if (o->dev != NULL)
		o->dev->ops->close(o->dev);
	free(o);
}

static int
open_device(struct ours *o, const struct pair_case *conf)
{
	const struct svq_device_driver *driver = svq_device_driver_find("soft");
	struct rte_kvargs *kvargs;
	char args[64];
	int ret;

	snprintf(args, sizeof(args), "backend=%s,packed=%d", conf->loopback ? "loopback" : "null",
		conf->packed);
	kvargs = rte_kvargs_parse(args, NULL);
	if (driver == NULL || kvargs == NULL) {
		rte_kvargs_free(kvargs);
		return -ENODEV;
	}
	ret = driver->open("svq_bench", kvargs, NULL, &o->dev);
	rte_kvargs_free(kvargs);
	return ret;
}

static int
add_memory(struct ours *o, const struct pair_guest *g)
{
	const struct svq_guest_region region = {.size = PAIR_MEMORY, .fd = g->fd};
	struct svq_guest_diff diff;
	int ret;

	ret = svq_guest_create(&o->guest);
	if (ret == 0)
		ret = svq_dma_create(o->dev, NULL, &o->dma);
	if (ret == 0)
		ret = svq_guest_prepare(o->guest, &region, 1, &diff);
	if (ret == 0)
		ret = svq_dma_guest_apply(o->dma, &diff);
	if (ret == 0)
		svq_guest_commit(o->guest);
	return ret;
}

static int
add_queue(struct ours *o, const struct pair_guest *g, uint16_t qid, uint64_t features)
{
	const struct relay_ring *ring = qid == 0 ? &g->rx.ring : &g->tx.ring;
	const struct svq_gpa_map *map = svq_dma_map(o->dma);
	const uint64_t gpa = pair_guest_ring(qid);
	const struct svq_queue_conf conf = {
		.name = "bench",
		.dma = o->dma,
		.qid = qid,
		.size = PAIR_RING,
		.features = features,
		.numa_node = -1,
		.net_header = RELAY_HEADER,
	};
	struct svq_queue_guest guest = {
		.desc_gpa = gpa,
		.avail_gpa = gpa + RTE_PTR_DIFF(ring->avail, ring->desc),
		.used_gpa = gpa + RTE_PTR_DIFF(ring->used, ring->desc),
		.size = PAIR_RING,
		.base = g->conf->packed ? 0x8000 : 0,
		.features = features,
		.callfd = -1,
	};
	struct svq_device_queue sq;
	int ret;

	guest.desc = svq_gpa_hva(map, guest.desc_gpa, 1, SVQ_PERM_RW);
	guest.avail = svq_gpa_hva(map, guest.avail_gpa, 1, SVQ_PERM_RW);
	guest.used = svq_gpa_hva(map, guest.used_gpa, 1, SVQ_PERM_RW);
	ret = svq_queue_create(&conf, &o->queue[qid]);
	if (ret == 0)
		ret = svq_queue_attach(o->queue[qid], &guest);
	if (ret < 0)
		return ret;
	svq_queue_device(o->queue[qid], &sq);
	return o->dev->ops->queue_setup(o->dev, qid, &sq);
}

int
pair_ours_open(struct pair_bed *b)
{
	const struct pair_case *conf = b->guest.conf;
	const uint64_t features = RTE_BIT64(VIRTIO_F_VERSION_1) |
		RTE_BIT64(VIRTIO_F_ACCESS_PLATFORM) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) |
		(conf->packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0);
	struct ours *o = calloc(1, sizeof(*o));
	int ret;

	if (o == NULL)
		return -ENOMEM;
	ret = open_device(o, conf);
	if (ret == 0)
		ret = o->dev->ops->set_features(o->dev, features);
	if (ret == 0)
		ret = add_memory(o, &b->guest);
	if (ret == 0)
		ret = add_queue(o, &b->guest, 0, features);
	if (ret == 0)
		ret = add_queue(o, &b->guest, 1, features);
	if (ret == 0)
		ret = o->dev->ops->start(o->dev);
	if (ret < 0) {
		fprintf(stderr, "svq-bench: no software device: %s\n", strerror(-ret));
		ours_close(o);
		return ret;
	}
	b->ctx = o;
	b->poll = poll;
	b->stages[PAIR_AVAIL] = avail;
	b->stages[PAIR_DEVICE] = device;
	b->stages[PAIR_USED] = used;
	b->close = ours_close;
	return 0;
}
