/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_version.h>

#include <svq_worker.h>

#include "args.h"
#include "device.h"
#include "eal.h"
#include "help.h"
#include "loop.h"
#include "port.h"
#include "show.h"
#include "signals.h"

/* What can be wrong with a port and needs no EAL to be seen. */
static int
check_paths(const struct svq_app_args *args, struct svq_app_err *err)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; ret == 0 && i < args->n_ifaces; i++)
		ret = svq_app_path_check(args->ifaces[i].path, args->ifaces[i].conf.client, err);
	return ret;
}

/* No socket before all devices are known to be there. */
static int
open_ports(const struct svq_app_args *args, struct svq_app_err *err)
{
	const struct svq_app_iface *iface;
	unsigned int i;
	int ret = 0;

	for (i = 0; ret == 0 && i < args->n_ifaces; i++)
		ret = svq_app_dev_check(args->ifaces[i].dev, err);
	for (i = 0; ret >= 0 && i < args->n_ifaces; i++) {
		iface = &args->ifaces[i];
		ret = svq_app_port_create(iface, err);
	}
	return ret < 0 ? ret : 0;
}

static int
start_workers(bool share_cores, struct svq_app_err *err)
{
	int ret = svq_worker_start(share_cores);

	if (ret == -ENODEV)
		return svq_app_err(
			err, ret, "no worker lcore: give EAL at least two lcores, e.g. -l 0-1");
	if (ret < 0)
		return svq_app_err(err, ret, "the workers did not start: %s", strerror(-ret));
	return ret;
}

static void
summary(void)
{
	struct svq_app_err err;
	unsigned int n;

	SVQ_APP_PORT_FOREACH(n)
	svq_app_show_summary(n, svq_app_port_get(n, &err), stdout);
}

/* Everything between EAL's start and its end. */
static int
relay(const struct svq_app_args *args, int signal_fd, struct svq_app_err *err)
{
	int ret, workers;

	workers = ret = start_workers(args->share_cores, err);
	if (ret < 0)
		goto out;
	ret = open_ports(args, err);
	if (ret < 0)
		goto close_ports;
	printf("dpdk-svq: ready, %u port(s), %d worker(s)\n", args->n_ifaces, workers);

	ret = svq_app_loop(args, signal_fd, err);

	if (args->stats_period != 0)
		summary();
close_ports:
	svq_app_port_delete_all();
	svq_worker_stop();
out:
	svq_app_device_del_all();
	return ret;
}

int
main(int argc, char **argv)
{
	struct svq_app_err err = {""};
	struct svq_app_args args;
	int ret, signal_fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ret = svq_app_args_parse(argc, argv, &args, &err);
	if (ret < 0)
		goto out;
	if (args.action == SVQ_APP_HELP) {
		svq_app_help(stdout);
		goto out;
	}
	if (args.action == SVQ_APP_FEATURES) {
		svq_vdpa_features_dump(stdout);
		goto out;
	}
	if (args.action == SVQ_APP_VERSION) {
		printf("dpdk-svq %s (%s)\n", SVQ_VERSION, rte_version());
		goto out;
	}
	ret = check_paths(&args, &err);
	if (ret < 0)
		goto out;
	ret = signal_fd = svq_app_signals_open();
	if (ret < 0) {
		svq_app_err(&err, ret, "signals: %s", strerror(-ret));
		goto out;
	}
	ret = svq_app_eal_init(args.eal_argc, argv, &err);
	if (ret < 0)
		goto close_signals;

	ret = relay(&args, signal_fd, &err);

	rte_eal_cleanup();
close_signals:
	close(signal_fd);
out:
	/* The last line, after all that EAL and the drivers had to say. */
	if (ret < 0)
		fprintf(stderr, "dpdk-svq: %s\n", err.msg);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
