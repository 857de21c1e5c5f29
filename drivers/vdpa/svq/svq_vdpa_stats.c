/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * What a device shows of itself. Counters only grow where they are kept; a clear notes what they
 * were (the baseline), so that nothing races with the worker that counts.
 */

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "svq_vdpa_lifecycle.h"
#include "svq_vdpa_stats.h"

/* Structures of counters are arrays of uint64_t. */
#define COUNTERS(type) (sizeof(type) / sizeof(uint64_t))

static void
add(void *to, const void *what, size_t n)
{
	uint64_t *t = to;
	const uint64_t *w = what;

	for (; n > 0; n--)
		*t++ += *w++;
}

static void
subtract(void *from, const void *what, size_t n)
{
	uint64_t *f = from;
	const uint64_t *w = what;

	for (; n > 0; n--)
		*f++ -= *w++;
}

static void
vring_total(const struct svq_vdpa_vring *vr, struct svq_queue_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (vr->queue != NULL)
		svq_queue_stats(vr->queue, stats);
	add(stats, &vr->past, COUNTERS(vr->past));
}

void
svq_vdpa_stats_fold(struct svq_vdpa_vring *vr)
{
	struct svq_queue_stats total;

	vring_total(vr, &total);
	vr->past = total;
}

void
svq_vdpa_stats_vring(const struct svq_vdpa_vring *vr, struct svq_queue_stats *stats)
{
	vring_total(vr, stats);
	subtract(stats, &vr->baseline, COUNTERS(vr->baseline));
}

void
svq_vdpa_stats_clear_vring(struct svq_vdpa_vring *vr)
{
	vring_total(vr, &vr->baseline);
}

static void
port_total(const struct svq_vdpa *d, struct svq_vdpa_port_stats *stats)
{
	struct svq_dma_stats dma;

	*stats = d->stats;
	svq_dma_stats(d->dma, &dma);
	stats->dma_maps = dma.maps;
	stats->dma_unmaps = dma.unmaps;
}

static struct svq_vdpa *
enter(const char *name)
{
	struct svq_vdpa *d = svq_vdpa_get(name);

	if (d != NULL)
		pthread_mutex_lock(&d->lock);
	return d;
}

int
svq_vdpa_info_get(const char *name, struct svq_vdpa_info *info)
{
	struct svq_vdpa *d = enter(name);
	uint16_t i;

	if (d == NULL)
		return -ENODEV;
	memset(info, 0, sizeof(*info));
	strlcpy(info->name, d->name, sizeof(info->name));
	strlcpy(info->device, d->dev->type, sizeof(info->device));
	svq_vdpa_registry_port(d, info->path, &info->client);
	info->idle_us = d->idle_us;
	info->vid = d->vid;
	info->state = d->state;
	if (svq_vdpa_is_broken(d))
		info->state = SVQ_VDPA_BROKEN;
	info->max_pairs = d->max_pairs;
	for (i = 0; i < d->max_pairs; i++)
		info->pairs += d->served[i];
	info->numa_node = d->numa_node;
	info->features = d->features;
	port_total(d, &info->stats);
	subtract(&info->stats, &d->stats_baseline, COUNTERS(info->stats));
	d->dev->ops->stats(d->dev, &info->device_stats);
	subtract(&info->device_stats, &d->device_baseline, COUNTERS(info->device_stats));
	svq_vdpa_leave(d);
	return 0;
}

static void
queue_info(const struct svq_vdpa *d, uint16_t qid, struct svq_vdpa_queue_info *info)
{
	const struct svq_vdpa_vring *vr = &d->vrings[qid];
	bool served = d->served[qid / 2] && vr->ready && vr->started && !vr->bad;

	memset(info, 0, sizeof(*info));
	info->qid = qid;
	info->ready = vr->ready;
	info->attached = served;
	info->guest_size = vr->started ? vr->at.size : 0;
	info->device_size = vr->queue != NULL ? svq_queue_size(vr->queue) : d->queue_size;
	info->lcore = served ? d->pairs[qid / 2].lcore : -1;
	if (vr->queue != NULL) {
		info->base = svq_queue_base(vr->queue);
		info->inflight = svq_queue_inflight(vr->queue);
		info->error = svq_queue_error(vr->queue);
	}
	svq_pair_sleep_info(&d->pairs[qid / 2], &info->sleep);
	info->sleep.irq = d->idle_us != 0;
	svq_vdpa_stats_vring(vr, &info->stats);
}

int
svq_vdpa_queues_get(const char *name, struct svq_vdpa_queue_info *queues, unsigned int max)
{
	struct svq_vdpa *d = enter(name);
	unsigned int n;
	uint16_t i;

	if (d == NULL)
		return -ENODEV;
	n = RTE_MIN(max, 2u * d->max_pairs);
	for (i = 0; i < n; i++)
		queue_info(d, i, &queues[i]);
	svq_vdpa_leave(d);
	return (int)n;
}

int
svq_vdpa_stats_clear(const char *name)
{
	struct svq_vdpa *d = enter(name);
	uint16_t i;

	if (d == NULL)
		return -ENODEV;
	for (i = 0; i < 2 * d->max_pairs; i++)
		svq_vdpa_stats_clear_vring(&d->vrings[i]);
	/* A maximum is no sum: it begins anew. */
	d->stats.mem_pause_max_us = 0;
	port_total(d, &d->stats_baseline);
	d->dev->ops->stats(d->dev, &d->device_baseline);
	svq_vdpa_leave(d);
	return 0;
}

int
svq_vdpa_memory_dump(const char *name, FILE *f)
{
	struct svq_vdpa *d = enter(name);
	const struct svq_guest_row *rows;
	unsigned int n, i, k;

	if (d == NULL)
		return -ENODEV;
	n = svq_guest_rows(d->guest, &rows);
	if (n == 0)
		fprintf(f, "no guest memory\n");
	else
		fprintf(f, "%-4s %-18s %-18s %-18s %-6s %-4s %-14s %s\n", "", "GPA", "size", "HVA",
			"page", "file", "offset", "alias of");
	for (i = 0; i < n; i++) {
		fprintf(f,
			"%-4u 0x%-16" PRIx64 " 0x%-16" PRIx64 " 0x%-16" PRIx64 " %-6s %-4u "
			"0x%-12" PRIx64,
			i, rows[i].gpa, rows[i].size, rows[i].hva,
			rows[i].page >= 1 << 30		  ? "1G"
				: rows[i].page >= 1 << 21 ? "2M"
							  : "4K",
			rows[i].file, rows[i].offset);
		for (k = 0; k < n; k++) {
			if (k != i && svq_guest_rows_alias(&rows[i], &rows[k]))
				fprintf(f, " %u", k);
		}
		fprintf(f, "\n");
	}
	svq_vdpa_leave(d);
	return 0;
}

int
svq_vdpa_iova_dump(const char *name, FILE *f)
{
	struct svq_vdpa *d = enter(name);

	if (d == NULL)
		return -ENODEV;
	svq_dma_dump(d->dma, d->guest, f);
	svq_vdpa_leave(d);
	return 0;
}

int
svq_vdpa_device_dump(const char *name, FILE *f)
{
	struct svq_vdpa *d = enter(name);

	if (d == NULL)
		return -ENODEV;
	d->dev->ops->dump(d->dev, f);
	svq_vdpa_leave(d);
	return 0;
}

/* ---- the same for librte_vdpa's API ---- */

#define FIELD(name)                                                              \
	{                                                                        \
#name, offsetof(struct svq_queue_stats, name) / sizeof(uint64_t) \
	}

static const struct {
	const char *name;
	size_t index;
} fields[] = {
	FIELD(chains),
	FIELD(descs),
	FIELD(bytes),
	FIELD(bursts),
	FIELD(used),
	FIELD(used_bursts),
	FIELD(kicks),
	FIELD(kicks_suppressed),
	FIELD(calls),
	FIELD(calls_suppressed),
	FIELD(translations),
	FIELD(splits),
	FIELD(indirect),
	FIELD(shadow_indirect),
	FIELD(held_back),
	FIELD(stalls),
	FIELD(cycles),
};

/* The first error is none. */
#define N_ERRORS (SVQ_QUEUE_E_MAX - 1)
#define N_STATS	 (RTE_DIM(fields) + N_ERRORS)

int
svq_vdpa_op_stats_names(
	struct rte_vdpa_device *vdpa, struct rte_vdpa_stat_name *names, unsigned int n)
{
	unsigned int i;

	RTE_SET_USED(vdpa);
	if (names == NULL)
		return N_STATS;
	n = RTE_MIN(n, N_STATS);
	for (i = 0; i < n; i++) {
		if (i < RTE_DIM(fields))
			strlcpy(names[i].name, fields[i].name, sizeof(names[i].name));
		else
			snprintf(names[i].name, sizeof(names[i].name), "errors_%s",
				svq_queue_error_name(
					(enum svq_queue_error)(i - RTE_DIM(fields) + 1)));
	}
	return (int)n;
}

static struct svq_vdpa *
enter_queue(struct rte_vdpa_device *vdpa, int qid)
{
	struct svq_vdpa *d = svq_vdpa_get_by_vdpa(vdpa);

	if (d == NULL)
		return NULL;
	pthread_mutex_lock(&d->lock);
	if (qid >= 0 && qid < 2 * d->max_pairs)
		return d;
	svq_vdpa_leave(d);
	return NULL;
}

int
svq_vdpa_op_stats(
	struct rte_vdpa_device *vdpa, int qid, struct rte_vdpa_stat *stats, unsigned int n)
{
	struct svq_vdpa *d = enter_queue(vdpa, qid);
	struct svq_queue_stats s;
	unsigned int i;

	if (d == NULL)
		return -EINVAL;
	svq_vdpa_stats_vring(&d->vrings[qid], &s);
	svq_vdpa_leave(d);
	n = RTE_MIN(n, N_STATS);
	for (i = 0; i < n; i++) {
		stats[i].id = i;
		stats[i].value = i < RTE_DIM(fields) ? ((const uint64_t *)&s)[fields[i].index]
						     : s.errors[i - RTE_DIM(fields) + 1];
	}
	return (int)n;
}

int
svq_vdpa_op_stats_reset(struct rte_vdpa_device *vdpa, int qid)
{
	struct svq_vdpa *d = enter_queue(vdpa, qid);

	if (d == NULL)
		return -EINVAL;
	svq_vdpa_stats_clear_vring(&d->vrings[qid]);
	svq_vdpa_leave(d);
	return 0;
}
