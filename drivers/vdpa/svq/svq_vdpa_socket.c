/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Time limits on a front-end's socket. One thread of librte_vhost serves all connections, with
 * reads and writes that block: a front-end that sends a part of a message, or does not read its
 * answers, would keep every other guest from starting, migrating and stopping.
 *
 * librte_vhost does not tell which descriptor a connection has, but the kernel knows each socket's
 * name.
 */

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <rte_vhost.h>

#include "svq_vdpa_lifecycle.h"

/* Front-ends write a message at once, so what follows its header is there already. */
#define READ_LIMIT_US 100000
/* They read an answer before they ask again, so there is always room for one. */
#define WRITE_LIMIT_US 1000

typedef int (*name_of_t)(int fd, struct sockaddr *addr, socklen_t *len);

static bool
has_name(int fd, name_of_t name_of, const char *path)
{
	struct sockaddr_un un = {0};
	socklen_t len = sizeof(un);

	return name_of(fd, (struct sockaddr *)&un, &len) == 0 && un.sun_family == AF_UNIX &&
		strncmp(un.sun_path, path, sizeof(un.sun_path)) == 0;
}

/* A connection has the name at our end where we listened, at the other where we connected. */
static bool
is_connection(int fd, const char *path)
{
	socklen_t len = sizeof(int);
	int listening = 1;

	if (!has_name(fd, getsockname, path) && !has_name(fd, getpeername, path))
		return false;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && !listening;
}

void
svq_vdpa_socket_limit_channel(int fd)
{
	const struct timeval read_limit = {.tv_usec = READ_LIMIT_US};
	const struct timeval write_limit = {.tv_usec = WRITE_LIMIT_US};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &read_limit, sizeof(read_limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &write_limit, sizeof(write_limit));
}

void
svq_vdpa_socket_limit(int vid)
{
	char path[SVQ_VDPA_PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) != 0)
		return;
	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		fd = atoi(entry->d_name);
		if (entry->d_name[0] == '.' || !is_connection(fd, path))
			continue;
		svq_vdpa_socket_limit_channel(fd);
	}
	closedir(dir);
}
