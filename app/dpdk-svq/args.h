/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_ARGS_H
#define SVQ_APP_ARGS_H

/**
 * @file
 * The command line: EAL's options, then "--", then ours.
 *
 * Concepts
 *
 * Ours are parsed before EAL sees its own, so that a mistake costs nothing: no hugepage, no
 * socket, no thread. Only what needs no file and no EAL is checked here.
 */

#include <stdbool.h>

#include <svq_vdpa.h>

#include "err.h"

#define SVQ_APP_IFACES_MAX	 64
#define SVQ_APP_STATS_PERIOD_MAX 3600 /**< seconds */

/** What the command line asks for. */
enum svq_app_action {
	SVQ_APP_RUN,
	SVQ_APP_HELP,
	SVQ_APP_VERSION,
	SVQ_APP_FEATURES,
};

#define SVQ_APP_IDLE_US_MAX	1000000
#define SVQ_APP_IDLE_US_DEFAULT 100

/** One --iface. */
struct svq_app_iface {
	char path[SVQ_VDPA_PATH_MAX]; /**< socket */
	char dev[SVQ_VDPA_NAME_MAX];  /**< device behind it */
	struct svq_vdpa_port_conf conf;
};

struct svq_app_args {
	enum svq_app_action action;
	int eal_argc; /**< arguments up to "--", program name included */
	struct svq_app_iface ifaces[SVQ_APP_IFACES_MAX];
	unsigned int n_ifaces;
	bool interactive;
	bool share_cores;	   /**< idle workers yield */
	unsigned int stats_period; /**< seconds, 0: no table */
};

/**
 * Parse the whole command line.
 *
 * @param argv
 *   Arguments after "--" may be reordered.
 * @return 0; -EINVAL with @p err filled.
 */
int svq_app_args_parse(int argc, char **argv, struct svq_app_args *args, struct svq_app_err *err);

/** Parse PATH,dev=NAME[,client][,irq=on|off][,idle_us=N]. @return 0; -EINVAL with @p err filled. */
int svq_app_iface_parse(const char *text, struct svq_app_iface *iface, struct svq_app_err *err);

#endif /* SVQ_APP_ARGS_H */
