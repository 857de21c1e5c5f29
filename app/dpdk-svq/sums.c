/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "sums.h"

struct svq_vdpa_queue_info *
svq_app_queues_get(const char *dev, unsigned int *n)
{
	struct svq_vdpa_queue_info *queues;
	struct svq_vdpa_info info;
	unsigned int max;
	int ret;

	if (svq_vdpa_info_get(dev, &info) < 0)
		return NULL;
	max = 2 * info.max_pairs;
	queues = calloc(max, sizeof(*queues));
	if (queues == NULL)
		return NULL;
	ret = svq_vdpa_queues_get(dev, queues, max);
	if (ret < 0) {
		free(queues);
		return NULL;
	}
	*n = RTE_MIN((unsigned int)ret, max);
	return queues;
}

uint64_t
svq_app_queue_errors(const struct svq_queue_stats *stats)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < SVQ_QUEUE_E_MAX; i++)
		sum += stats->errors[i];
	return sum;
}

static void
add_queue(struct svq_app_sums *sums, const struct svq_vdpa_queue_info *queue)
{
	const struct svq_queue_stats *stats = &queue->stats;

	/* Virtio-net: even queues receive, odd ones transmit. */
	if (queue->qid % 2 != 0)
		sums->tx += stats->used;
	else
		sums->rx += stats->used;
	sums->moves += stats->chains + stats->used;
	sums->bursts += stats->bursts + stats->used_bursts;
	sums->cycles += stats->cycles;
	sums->translations += stats->translations;
	sums->errors += svq_app_queue_errors(stats);
}

int
svq_app_sums_get(const char *dev, struct svq_app_sums *sums)
{
	struct svq_vdpa_queue_info *queues;
	struct svq_vdpa_info info;
	unsigned int i, n;

	memset(sums, 0, sizeof(*sums));
	if (svq_vdpa_info_get(dev, &info) < 0)
		return -ENODEV;
	queues = svq_app_queues_get(dev, &n);
	if (queues == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		add_queue(sums, &queues[i]);
	free(queues);
	sums->iommu_faults = info.device_stats.iommu_faults;
	sums->tx_drops = info.device_stats.tx_drops;
	sums->rx_drops = info.device_stats.rx_drops;
	sums->errors += info.device_stats.ring_errors + info.stats.start_failures +
		info.stats.bad_messages + info.stats.bad_rings;
	return 0;
}

void
svq_app_sums_add(struct svq_app_sums *sums, const struct svq_app_sums *other)
{
	sums->tx += other->tx;
	sums->rx += other->rx;
	sums->moves += other->moves;
	sums->bursts += other->bursts;
	sums->cycles += other->cycles;
	sums->errors += other->errors;
	sums->iommu_faults += other->iommu_faults;
	sums->translations += other->translations;
	sums->tx_drops += other->tx_drops;
	sums->rx_drops += other->rx_drops;
}

static uint64_t
since(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

void
svq_app_sums_sub(struct svq_app_sums *sums, const struct svq_app_sums *before)
{
	sums->tx = since(sums->tx, before->tx);
	sums->rx = since(sums->rx, before->rx);
	sums->moves = since(sums->moves, before->moves);
	sums->bursts = since(sums->bursts, before->bursts);
	sums->cycles = since(sums->cycles, before->cycles);
	sums->errors = since(sums->errors, before->errors);
	sums->iommu_faults = since(sums->iommu_faults, before->iommu_faults);
	sums->translations = since(sums->translations, before->translations);
	sums->tx_drops = since(sums->tx_drops, before->tx_drops);
	sums->rx_drops = since(sums->rx_drops, before->rx_drops);
}

double
svq_app_mean(uint64_t moves, uint64_t bursts)
{
	return bursts == 0 ? 0 : (double)moves / (double)bursts;
}

double
svq_app_ns(uint64_t cycles, uint64_t packets)
{
	return packets == 0 ? 0 : (double)cycles * 1e9 / (double)rte_get_tsc_hz() / (double)packets;
}
