/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <inttypes.h>
#include <stdlib.h>

#include <rte_lcore.h>

#include <svq_worker.h>

#include "show.h"
#include "sums.h"

static const char *
direction(uint16_t qid)
{
	return qid % 2 == 0 ? "rx" : "tx";
}

static void
show_info(const struct svq_vdpa_info *info, FILE *f)
{
	fprintf(f, "state %s pairs %u/%u numa %d features 0x%" PRIx64 "\n",
		svq_vdpa_state_name(info->state), info->pairs, info->max_pairs, info->numa_node,
		info->features);
}

static void
show_device(const char *name, FILE *f)
{
	struct svq_vdpa_info info;

	if (svq_vdpa_info_get(name, &info) < 0)
		return;
	fprintf(f, "device %s: type %s port %s ", name, info.device,
		info.path[0] != '\0' ? info.path : "-");
	show_info(&info, f);
	svq_vdpa_device_dump(name, f);
}

void
svq_app_show_devices(FILE *f)
{
	char(*names)[SVQ_VDPA_NAME_MAX];
	unsigned int i, n, max;

	max = svq_vdpa_list(NULL, 0);
	names = calloc(max + 1, sizeof(*names));
	if (names == NULL)
		return;
	n = RTE_MIN(svq_vdpa_list(names, max), max);
	for (i = 0; i < n; i++)
		show_device(names[i], f);
	if (n == 0)
		fprintf(f, "no device; 'device add vdpa_svq0,device=soft' makes one\n");
	free(names);
}

void
svq_app_show_port(unsigned int n, const struct svq_app_port *port, FILE *f)
{
	struct svq_vdpa_info info;

	fprintf(f, "port %u: path %s dev %s mode %s ", n, port->path, port->dev,
		port->conf.client ? "client" : "server");
	if (port->conf.idle_us != 0)
		fprintf(f, "irq on idle_us %u ", port->conf.idle_us);
	if (svq_vdpa_info_get(port->dev, &info) < 0)
		fprintf(f, "state gone\n");
	else
		show_info(&info, f);
}

void
svq_app_show_ports(FILE *f)
{
	struct svq_app_err err;
	unsigned int n, count = 0;

	SVQ_APP_PORT_FOREACH(n)
	{
		svq_app_show_port(n, svq_app_port_get(n, &err), f);
		count++;
	}
	if (count == 0)
		fprintf(f, "no port; 'port create PATH DEV' makes one\n");
}

void
svq_app_show_workers(FILE *f)
{
	static struct svq_worker_info workers[RTE_MAX_LCORE];
	unsigned int i, n;

	n = RTE_MIN(svq_worker_info(workers, RTE_MAX_LCORE), (unsigned int)RTE_MAX_LCORE);
	for (i = 0; i < n; i++) {
		const struct svq_worker_info *w = &workers[i];

		fprintf(f,
			"worker %u: lcore %u numa %u pairs %u polls %" PRIu64 " busy_polls %" PRIu64
			" busy_polls_percent %.2f busy_cycles %" PRIu64 " asleep_us %" PRIu64 "\n",
			i, w->lcore, rte_lcore_to_socket_id(w->lcore), w->pairs, w->polls,
			w->busy_polls, 100 * svq_app_mean(w->busy_polls, w->polls), w->busy_cycles,
			w->asleep_us);
	}
}

static void
show_errors(const struct svq_queue_stats *stats, FILE *f)
{
	const char *sep = " (";
	unsigned int i;

	fprintf(f, "errors %" PRIu64, svq_app_queue_errors(stats));
	for (i = 0; i < SVQ_QUEUE_E_MAX; i++) {
		if (stats->errors[i] == 0)
			continue;
		fprintf(f, "%s%s %" PRIu64, sep, svq_queue_error_name(i), stats->errors[i]);
		sep = ", ";
	}
	fprintf(f, "%s\n", sep[0] == ',' ? ")" : "");
}

static void
show_queue_stats(const struct svq_vdpa_queue_info *queue, FILE *f)
{
	const struct svq_queue_stats *s = &queue->stats;

	fprintf(f,
		"queue %u %s: chains %" PRIu64 " descs %" PRIu64 " bytes %" PRIu64
		" bursts %" PRIu64 " mean_burst %.1f used %" PRIu64 " used_bursts %" PRIu64
		" mean_used_burst %.1f",
		queue->qid, direction(queue->qid), s->chains, s->descs, s->bytes, s->bursts,
		svq_app_mean(s->chains, s->bursts), s->used, s->used_bursts,
		svq_app_mean(s->used, s->used_bursts));
	fprintf(f,
		" kicks %" PRIu64 " kicks_suppressed %" PRIu64 " calls %" PRIu64
		" calls_suppressed %" PRIu64 " translations %" PRIu64 " splits %" PRIu64
		" indirect %" PRIu64 " shadow_indirect %" PRIu64 " held_back %" PRIu64
		" stalls %" PRIu64 " ns_per_packet %.1f ",
		s->kicks, s->kicks_suppressed, s->calls, s->calls_suppressed, s->translations,
		s->splits, s->indirect, s->shadow_indirect, s->held_back, s->stalls,
		svq_app_ns(s->cycles, s->used));
	show_errors(s, f);
}

/* A queue that the front-end never used would only hide the others. */
static bool
queue_is_idle(const struct svq_vdpa_queue_info *queue)
{
	return !queue->ready && !queue->attached && queue->stats.chains == 0 &&
		svq_app_queue_errors(&queue->stats) == 0;
}

static void
show_port_stats(const struct svq_vdpa_info *info, FILE *f)
{
	const struct svq_device_stats *d = &info->device_stats;
	const struct svq_vdpa_port_stats *p = &info->stats;

	fprintf(f,
		"device: iommu_faults %" PRIu64 " translations %" PRIu64 " rx_packets %" PRIu64
		" tx_packets %" PRIu64 " rx_drops %" PRIu64 " tx_drops %" PRIu64
		" ring_errors %" PRIu64 "\n",
		d->iommu_faults, d->translations, d->rx_packets, d->tx_packets, d->rx_drops,
		d->tx_drops, d->ring_errors);
	fprintf(f,
		"port: connections %" PRIu64 " disconnections %" PRIu64 " starts %" PRIu64
		" start_failures %" PRIu64 " device_breaks %" PRIu64 " mem_changes %" PRIu64
		" mem_kept %" PRIu64 " mem_added %" PRIu64 " mem_removed %" PRIu64
		" mem_restarts %" PRIu64 " mem_queue_resets %" PRIu64 " mem_pause_us %" PRIu64
		" mem_pause_max_us %" PRIu64,
		p->connections, p->disconnections, p->starts, p->start_failures, p->device_breaks,
		p->mem_changes, p->mem_kept, p->mem_added, p->mem_removed, p->mem_restarts,
		p->mem_queue_resets, p->mem_pause_us, p->mem_pause_max_us);
	fprintf(f,
		" recalled %" PRIu64 " bad_messages %" PRIu64 " bad_rings %" PRIu64
		" config_changes %" PRIu64 " link_changes %" PRIu64 " dma_maps %" PRIu64
		" dma_unmaps %" PRIu64 "\n",
		p->recalled, p->bad_messages, p->bad_rings, p->config_changes, p->link_changes,
		p->dma_maps, p->dma_unmaps);
}

void
svq_app_show_stats(unsigned int n, const struct svq_app_port *port, FILE *f)
{
	struct svq_vdpa_queue_info *queues;
	struct svq_vdpa_info info;
	unsigned int i, n_queues;

	svq_app_show_port(n, port, f);
	queues = svq_app_queues_get(port->dev, &n_queues);
	if (queues == NULL || svq_vdpa_info_get(port->dev, &info) < 0) {
		free(queues);
		return;
	}
	for (i = 0; i < n_queues; i++) {
		if (!queue_is_idle(&queues[i]))
			show_queue_stats(&queues[i], f);
	}
	free(queues);
	show_port_stats(&info, f);
	svq_app_show_summary(n, port, f);
}

/* What ends a wait for work. */
static const char *
sleep_mode(const struct svq_pair_sleep_info *sleep)
{
	if (!sleep->irq)
		return "polling";
	return sleep->timed ? "timer" : "irq";
}

void
svq_app_show_queues(const struct svq_app_port *port, FILE *f)
{
	struct svq_vdpa_queue_info *queues;
	unsigned int i, n;

	queues = svq_app_queues_get(port->dev, &n);
	if (queues == NULL)
		return;
	for (i = 0; i < n; i++) {
		const struct svq_vdpa_queue_info *q = &queues[i];

		fprintf(f,
			"queue %u %s: ready %s attached %s guest_size %u device_size %u base %u "
			"inflight %u lcore %d mode %s asleep_us %" PRIu64 " sleeps %" PRIu64
			" error %s\n",
			q->qid, direction(q->qid), q->ready ? "yes" : "no",
			q->attached ? "yes" : "no", q->guest_size, q->device_size, q->base,
			q->inflight, q->lcore, sleep_mode(&q->sleep), q->sleep.asleep_us,
			q->sleep.sleeps,
			q->error == SVQ_QUEUE_OK ? "none" : svq_queue_error_name(q->error));
	}
	free(queues);
}

void
svq_app_show_summary(unsigned int n, const struct svq_app_port *port, FILE *f)
{
	struct svq_app_sums s;

	if (svq_app_sums_get(port->dev, &s) < 0)
		return;
	fprintf(f,
		"summary port %u: tx_chains %" PRIu64 " rx_chains %" PRIu64 " iommu_faults %" PRIu64
		" translations %" PRIu64 " mean_burst %.1f ns_per_packet %.1f errors %" PRIu64
		" tx_drops %" PRIu64 " rx_drops %" PRIu64 "\n",
		n, s.tx, s.rx, s.iommu_faults, s.translations, svq_app_mean(s.moves, s.bursts),
		svq_app_ns(s.cycles, s.tx + s.rx), s.errors, s.tx_drops, s.rx_drops);
}
