/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "port.h"
#include "stats_table.h"
#include "sums.h"

#define HEADING_EVERY 20 /* rows, so that one is always on the screen */

/* Figures at the last look, and whose they were: a number may have gone to another device. */
struct look {
	char dev[SVQ_VDPA_NAME_MAX];
	struct svq_app_sums sums;
};

static struct look looks[SVQ_APP_PORTS_MAX];
static unsigned int rows;
static double start, last; /* seconds, monotonic */

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void
svq_app_stats_table_start(void)
{
	start = last = now();
}

static void
heading(FILE *f)
{
	fprintf(f, "%8s %5s %12s %12s %9s %8s %8s %7s %7s %13s %13s\n", "time", "port", "tx", "rx",
		"both", "burst", "relay", "faults", "errors", "tx total", "rx total");
	fprintf(f, "%8s %5s %12s %12s %9s %8s %8s %7s %7s %13s %13s\n", "[s]", "", "[pkt/s]",
		"[pkt/s]", "[Mpkt/s]", "[pkt]", "[ns/pkt]", "", "", "[pkt]", "[pkt]");
}

static void
row(FILE *f, double time, const char *port, double dt, const struct svq_app_sums *d,
	const struct svq_app_sums *total)
{
	if (rows++ % HEADING_EVERY == 0)
		heading(f);
	fprintf(f,
		"%8.1f %5s %12.0f %12.0f %9.3f %8.1f %8.1f %7" PRIu64 " %7" PRIu64 " %13" PRIu64
		" %13" PRIu64 "\n",
		time, port, (double)d->tx / dt, (double)d->rx / dt,
		(double)(d->tx + d->rx) / dt / 1e6, svq_app_mean(d->moves, d->bursts),
		svq_app_ns(d->cycles, d->tx + d->rx), total->iommu_faults, total->errors, total->tx,
		total->rx);
}

void
svq_app_stats_table(FILE *f)
{
	struct svq_app_sums total, d, all = {0}, all_d = {0};
	const struct svq_app_port *port;
	struct svq_app_err err;
	unsigned int n, count = 0;
	double time = now(), dt;
	char name[16];

	dt = time > last ? time - last : 1;
	last = time;
	SVQ_APP_PORT_FOREACH(n)
	{
		port = svq_app_port_get(n, &err);
		if (svq_app_sums_get(port->dev, &total) < 0)
			continue;
		if (strcmp(looks[n].dev, port->dev) != 0) {
			memset(&looks[n], 0, sizeof(looks[n]));
			memcpy(looks[n].dev, port->dev, sizeof(looks[n].dev));
		}
		d = total;
		svq_app_sums_sub(&d, &looks[n].sums);
		looks[n].sums = total;
		snprintf(name, sizeof(name), "%u", n);
		row(f, time - start, name, dt, &d, &total);
		svq_app_sums_add(&all, &total);
		svq_app_sums_add(&all_d, &d);
		count++;
	}
	if (count > 1)
		row(f, time - start, "all", dt, &all_d, &all);
}
