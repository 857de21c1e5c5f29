/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Ports: vhost-user sockets with a device behind them.
 */

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_string_fns.h>

#include "svq_vdpa_lifecycle.h"

static int
new_connection(int vid)
{
	svq_vdpa_socket_limit(vid);
	return svq_vdpa_connect(vid);
}

/* librte_vhost's net readiness rule is the one we want, so no new_device(). The end of a connection
 * is dev_cleanup(), which, unlike destroy_connection(), also comes when a port is closed. */
static const struct rte_vhost_device_ops callbacks = {
	.new_connection = new_connection,
};

/* Whether somebody listens on the socket file. @return 0: nobody; negative errno. */
static int
nobody_listens(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd, ret;

	strlcpy(un.sun_path, path, sizeof(un.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 ? -EADDRINUSE : -errno;
	close(fd);
	switch (ret) {
	case -ECONNREFUSED:
		return 0;
	case -EACCES:
		return ret;
	default:
		/* EAGAIN: its backlog is full; EPROTOTYPE: a datagram socket. */
		return -EADDRINUSE;
	}
}

/* Make the path free to bind: a socket file that a dead process left is removed. */
static int
clear_path(const char *path)
{
	char dir[SVQ_VDPA_PATH_MAX];
	struct stat st;
	int ret;

	strlcpy(dir, path, sizeof(dir));
	if (access(dirname(dir), W_OK | X_OK) != 0) {
		ret = -errno;
		VDPA_LOG(ERR,
			"port %s: its directory: %s; create it, or choose one that can be "
			"written",
			path, strerror(-ret));
		return ret;
	}
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode)) {
		VDPA_LOG(ERR, "port %s: exists and is no socket: choose another path", path);
		return -ENOTSOCK;
	}
	ret = nobody_listens(path);
	if (ret == 0 && unlink(path) != 0)
		ret = -errno;
	if (ret != 0)
		VDPA_LOG(ERR, "port %s: %s", path,
			ret == -EADDRINUSE ? "another process listens there: stop it or choose "
					     "another path"
					   : strerror(-ret));
	return ret;
}

static int
create_socket(struct svq_vdpa *d, const char *path, bool client)
{
	const char *what = "registering";

	if (rte_vhost_driver_register(path, client ? RTE_VHOST_USER_CLIENT : 0) != 0)
		goto fail;
	what = "attaching the device";
	if (rte_vhost_driver_attach_vdpa_device(path, d->vdpa) != 0)
		goto unregister;
	/* Its default lacks CONFIG. */
	what = "setting protocol features";
	if (rte_vhost_driver_set_protocol_features(path, svq_vdpa_protocol_features(d)) != 0)
		goto unregister;
	what = "setting callbacks";
	if (rte_vhost_driver_callback_register(path, &callbacks) != 0)
		goto unregister;
	what = "starting";
	if (rte_vhost_driver_start(path) != 0)
		goto unregister;
	return 0;

unregister:
	rte_vhost_driver_unregister(path);
fail:
	VDPA_LOG(ERR, "port %s: librte_vhost failed at %s; see its log above", path, what);
	return -EIO;
}

int
svq_vdpa_port_open(const char *path, const char *name, const struct svq_vdpa_port_conf *conf)
{
	const bool client = conf != NULL && conf->client;
	struct svq_vdpa *d;
	int ret;

	if (strlen(path) >= SVQ_VDPA_PATH_MAX) {
		VDPA_LOG(ERR, "port %s: the path has %zu bytes, %d are possible", path,
			strlen(path), SVQ_VDPA_PATH_MAX - 1);
		return -ENAMETOOLONG;
	}
	if (path[0] == '\0')
		return -ENOENT;
	d = svq_vdpa_get(name);
	if (d == NULL) {
		VDPA_LOG(ERR, "port %s: no device %s: create it with --vdev '%s,device=soft'", path,
			name, name);
		return -ENODEV;
	}
	ret = svq_vdpa_registry_port_add(d, path, client);
	if (ret != 0) {
		VDPA_LOG(ERR, "port %s: %s", path,
			ret == -EBUSY ? "the device has a port already: one port a device"
				      : "is a port already: choose another path");
		svq_vdpa_put(d);
		return ret;
	}
	pthread_mutex_lock(&d->lock);
	d->idle_us = conf != NULL ? conf->idle_us : 0;
	pthread_mutex_unlock(&d->lock);
	ret = client ? 0 : clear_path(path);
	if (ret == 0)
		ret = create_socket(d, path, client);
	if (ret != 0)
		svq_vdpa_registry_port_del(d);
	else
		VDPA_LOG(INFO, "port %s: %s, device %s", path,
			client ? "connecting to the front-end" : "listening", name);
	svq_vdpa_put(d);
	return ret;
}

int
svq_vdpa_port_close(const char *path)
{
	struct svq_vdpa *d = svq_vdpa_get_by_path(path);
	int ret;

	if (d == NULL)
		return -ENOENT;
	ret = svq_vdpa_registry_port_close(d);
	if (ret == 0) {
		/* Ends the connection too, on this thread: our operations take the lock. */
		if (rte_vhost_driver_unregister(path) != 0)
			VDPA_LOG(ERR, "port %s: librte_vhost does not know it", path);
		svq_vdpa_registry_port_del(d);
		VDPA_LOG(INFO, "port %s: closed", path);
	}
	svq_vdpa_put(d);
	return ret;
}
