/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_PORT_H
#define SVQ_APP_PORT_H

/**
 * @file
 * The launcher's ports: sockets with a device behind them, numbered from 0.
 *
 * Concepts
 *
 * A number is the lowest free one at creation and stays with the port until it is deleted. Main
 * thread only.
 */

#include <stdbool.h>

#include <svq_vdpa.h>

#include "args.h"
#include "err.h"

#define SVQ_APP_PORTS_MAX 1024 /* librte_vhost's own limit of sockets */

struct svq_app_port {
	bool used;
	struct svq_vdpa_port_conf conf;
	char path[SVQ_VDPA_PATH_MAX];
	char dev[SVQ_VDPA_NAME_MAX];
};

/** Whether a server socket can be made at @p path (client: whether the path fits). Leaves nothing
 * behind. @return 0; a negative errno with @p err filled. */
int svq_app_path_check(const char *path, bool client, struct svq_app_err *err);

/** Whether there is such a device and it has no port. @return 0; -ENODEV, -EBUSY with @p err
 * filled. */
int svq_app_dev_check(const char *dev, struct svq_app_err *err);

/** Open a port. @return its number; a negative errno with @p err filled. */
int svq_app_port_create(const struct svq_app_iface *iface, struct svq_app_err *err);

/** Close a port. @return 0; a negative errno with @p err filled. */
int svq_app_port_delete(unsigned int n, struct svq_app_err *err);

/** Close all, the youngest number first. */
void svq_app_port_delete_all(void);

/** Port @p n; NULL with @p err filled. */
const struct svq_app_port *svq_app_port_get(unsigned int n, struct svq_app_err *err);

/** The first port number >= @p n; SVQ_APP_PORTS_MAX: none. */
unsigned int svq_app_port_next(unsigned int n);

/** The port with that device; SVQ_APP_PORTS_MAX: none. */
unsigned int svq_app_port_by_dev(const char *dev);

#define SVQ_APP_PORT_FOREACH(n) \
	for (n = svq_app_port_next(0); n < SVQ_APP_PORTS_MAX; n = svq_app_port_next(n + 1))

#endif /* SVQ_APP_PORT_H */
