/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_devargs.h>
#include <rte_string_fns.h>

#include "port.h"

static struct svq_app_port ports[SVQ_APP_PORTS_MAX];

/* A socket file outlives its process; only a connection tells a live one from a stale one. */
static bool
somebody_listens(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	bool stale;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
	/* Every other failure (a full backlog, another socket type, no right) means a listener. */
	stale = connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 &&
		(errno == ECONNREFUSED || errno == ENOENT);
	close(fd);
	return !stale;
}

static int
path_error(const char *path, int error, struct svq_app_err *err)
{
	switch (error) {
	case ENAMETOOLONG:
		return svq_app_err(err, -error,
			"socket path %.40s... has %zu bytes; a socket path may have %d: use a "
			"shorter "
			"directory",
			path, strlen(path), SVQ_VDPA_PATH_MAX - 1);
	case EADDRINUSE:
		return svq_app_err(err, -error,
			"socket %s is taken: another process listens there; stop it or use another "
			"path",
			path);
	case ENOTSOCK:
		return svq_app_err(err, -error,
			"%s exists and is no socket; remove it or use another path", path);
	case EEXIST:
		return svq_app_err(
			err, -error, "socket %s is a port already; use another path", path);
	case ENOENT:
	case ENOTDIR:
		return svq_app_err(err, -error,
			"socket %s: its directory does not exist; create it first", path);
	case EACCES:
	case EROFS:
		return svq_app_err(err, -error,
			"socket %s: its directory cannot be written; use another one or its "
			"owner's "
			"rights",
			path);
	default:
		return svq_app_err(err, -error, "socket %s: %s", path, strerror(error));
	}
}

int
svq_app_path_check(const char *path, bool client, struct svq_app_err *err)
{
	char dir[SVQ_VDPA_PATH_MAX];
	struct stat st;

	if (strlen(path) >= sizeof(dir))
		return path_error(path, ENAMETOOLONG, err);
	/* The front-end's socket may come later: librte_vhost tries again. */
	if (client)
		return 0;
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return path_error(path, ENOTSOCK, err);
		if (somebody_listens(path))
			return path_error(path, EADDRINUSE, err);
	} else if (errno != ENOENT) {
		return path_error(path, errno, err);
	}
	strlcpy(dir, path, sizeof(dir));
	if (access(dirname(dir), W_OK | X_OK) < 0)
		return path_error(path, errno, err);
	return 0;
}

/* Whether the command line asks for the device. */
static bool
dev_was_asked_for(const char *dev)
{
	const struct rte_devargs *args;

	RTE_EAL_DEVARGS_FOREACH("vdev", args)
	{
		if (strcmp(args->name, dev) == 0)
			return true;
	}
	return false;
}

int
svq_app_dev_check(const char *dev, struct svq_app_err *err)
{
	struct svq_vdpa_info info;

	if (svq_vdpa_info_get(dev, &info) < 0 && dev_was_asked_for(dev))
		return svq_app_err(err, -ENODEV,
			"no device %s: it was not created; correct its --vdev as its own message "
			"above says",
			dev);
	if (svq_vdpa_info_get(dev, &info) < 0)
		return svq_app_err(err, -ENODEV,
			"no device %s; give EAL --vdev %s,device=soft before --, or 'device add' "
			"it "
			"at the prompt",
			dev, dev);
	if (info.path[0] != '\0')
		return svq_app_err(err, -EBUSY,
			"device %s serves %s already; one device serves one port: add another", dev,
			info.path);
	return 0;
}

static int
free_number(void)
{
	unsigned int n;

	for (n = 0; n < SVQ_APP_PORTS_MAX; n++) {
		if (!ports[n].used)
			return (int)n;
	}
	return -ENOSPC;
}

int
svq_app_port_create(const struct svq_app_iface *iface, struct svq_app_err *err)
{
	const char *path = iface->path, *dev = iface->dev;
	struct svq_app_port *port;
	int n, ret;

	n = free_number();
	if (n < 0)
		return svq_app_err(
			err, n, "all %d ports are in use; delete one first", SVQ_APP_PORTS_MAX);
	ret = svq_app_path_check(path, iface->conf.client, err);
	if (ret == 0)
		ret = svq_app_dev_check(dev, err);
	if (ret < 0)
		return ret;

	ret = svq_vdpa_port_open(path, dev, &iface->conf);
	if (ret == -EIO)
		return svq_app_err(err, ret,
			"socket %s: librte_vhost refused it (its own message is above)", path);
	if (ret < 0)
		return path_error(path, -ret, err);
	port = &ports[n];
	port->used = true;
	port->conf = iface->conf;
	strlcpy(port->path, path, sizeof(port->path));
	strlcpy(port->dev, dev, sizeof(port->dev));
	return n;
}

const struct svq_app_port *
svq_app_port_get(unsigned int n, struct svq_app_err *err)
{
	if (n < SVQ_APP_PORTS_MAX && ports[n].used)
		return &ports[n];
	svq_app_err(err, -ENOENT, "no port %u; 'show ports' lists them", n);
	return NULL;
}

int
svq_app_port_delete(unsigned int n, struct svq_app_err *err)
{
	int ret;

	if (svq_app_port_get(n, err) == NULL)
		return -ENOENT;
	ret = svq_vdpa_port_close(ports[n].path);
	if (ret < 0)
		return svq_app_err(err, ret, "port %u: %s could not be closed: %s", n,
			ports[n].path, strerror(-ret));
	ports[n].used = false;
	return 0;
}

void
svq_app_port_delete_all(void)
{
	struct svq_app_err err;
	unsigned int n;

	for (n = SVQ_APP_PORTS_MAX; n-- > 0;) {
		if (ports[n].used && svq_app_port_delete(n, &err) < 0)
			fprintf(stderr, "dpdk-svq: %s\n", err.msg);
	}
}

unsigned int
svq_app_port_next(unsigned int n)
{
	while (n < SVQ_APP_PORTS_MAX && !ports[n].used)
		n++;
	return n;
}

unsigned int
svq_app_port_by_dev(const char *dev)
{
	unsigned int n;

	SVQ_APP_PORT_FOREACH(n)
	{
		if (strcmp(ports[n].dev, dev) == 0)
			break;
	}
	return n;
}
