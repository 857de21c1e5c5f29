/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <rte_string_fns.h>

#include "vdpa_stub_conn.h"

/* What the driver calls, and the connections that it asks about. What a message does to one:
 * vdpa_stub_msg.c. */

#define MAX_CONNS   16
#define MAX_SOCKETS 8

struct rte_vdev_driver *stub_vdev_driver;
int stub_driver_fails;

static struct stub_conn conns[MAX_CONNS];
static struct {
	char path[SVQ_VDPA_PATH_MAX];
	struct rte_vdpa_device *vdpa;
	const struct rte_vhost_device_ops *ops;
} sockets[MAX_SOCKETS];

struct stub_conn *
stub_conn_find(int vid)
{
	return vid >= 0 && vid < MAX_CONNS && conns[vid].open ? &conns[vid] : NULL;
}

struct stub_conn *
stub_conn(int vid)
{
	return &conns[vid];
}

/* ---- registration ---- */

void
rte_vdev_register(struct rte_vdev_driver *driver)
{
	/* Other drivers of the virtual bus may be loaded too. */
	if (strcmp(driver->driver.name, "vdpa_svq") == 0)
		stub_vdev_driver = driver;
}

void
rte_vdev_unregister(struct rte_vdev_driver *driver)
{
	RTE_SET_USED(driver);
}

struct rte_vdpa_device *
rte_vdpa_register_device(struct rte_device *rte_dev, struct rte_vdpa_dev_ops *ops)
{
	struct rte_vdpa_device *vdpa = calloc(1, sizeof(*vdpa));

	vdpa->device = rte_dev;
	vdpa->ops = ops;
	return vdpa;
}

int
rte_vdpa_unregister_device(struct rte_vdpa_device *vdpa)
{
	free(vdpa);
	return 0;
}

/* ---- sockets ---- */

static int
socket_find(const char *path)
{
	int i;

	for (i = 0; i < MAX_SOCKETS; i++) {
		if (strcmp(sockets[i].path, path) == 0)
			return i;
	}
	return -1;
}

unsigned int
stub_sockets(void)
{
	unsigned int n = 0, i;

	for (i = 0; i < MAX_SOCKETS; i++)
		n += sockets[i].path[0] != '\0';
	return n;
}

int
rte_vhost_driver_register(const char *path, uint64_t flags)
{
	int i = socket_find("");

	RTE_SET_USED(flags);
	if (stub_driver_fails == 1 || i < 0)
		return -1;
	strlcpy(sockets[i].path, path, sizeof(sockets[i].path));
	return 0;
}

int
rte_vhost_driver_attach_vdpa_device(const char *path, struct rte_vdpa_device *vdpa)
{
	int i = socket_find(path);

	if (stub_driver_fails == 2 || i < 0)
		return -1;
	sockets[i].vdpa = vdpa;
	return 0;
}

int
rte_vhost_driver_set_protocol_features(const char *path, uint64_t features)
{
	RTE_SET_USED(features);
	return stub_driver_fails == 5 || socket_find(path) < 0 ? -1 : 0;
}

int
rte_vhost_get_negotiated_protocol_features(int vid, uint64_t *features)
{
	struct stub_conn *c = stub_conn_find(vid);

	if (c == NULL)
		return -1;
	*features = c->protocol;
	return 0;
}

int
svq_vhost_config_change(int vid, bool need_reply)
{
	struct stub_conn *c = stub_conn_find(vid);

	/* Nobody would read the answer. */
	if (c == NULL || need_reply)
		abort();
	c->told_config++;
	return 0;
}

int
rte_vhost_driver_callback_register(const char *path, struct rte_vhost_device_ops const *const ops)
{
	int i = socket_find(path);

	if (stub_driver_fails == 3 || i < 0)
		return -1;
	sockets[i].ops = ops;
	return 0;
}

int
rte_vhost_driver_start(const char *path)
{
	return stub_driver_fails == 4 || socket_find(path) < 0 ? -1 : 0;
}

int
rte_vhost_driver_unregister(const char *path)
{
	int i = socket_find(path), k;

	if (i < 0)
		return -1;
	for (k = 0; k < MAX_CONNS; k++) {
		if (conns[k].open && strcmp(conns[k].path, path) == 0)
			stub_conn_destroy(&conns[k]);
	}
	memset(&sockets[i], 0, sizeof(sockets[i]));
	return 0;
}

/* ---- what a driver may ask ---- */

int
rte_vhost_get_ifname(int vid, char *buf, size_t len)
{
	struct stub_conn *c = stub_conn_find(vid);

	if (c == NULL)
		return -1;
	strlcpy(buf, c->path, len);
	return 0;
}

struct rte_vdpa_device *
rte_vhost_get_vdpa_device(int vid)
{
	struct stub_conn *c = stub_conn_find(vid);

	return c != NULL ? c->vdpa : NULL;
}

int
rte_vhost_extern_callback_register(
	int vid, struct rte_vhost_user_extern_ops const *const ops, void *ctx)
{
	struct stub_conn *c = stub_conn_find(vid);

	RTE_SET_USED(ctx);
	if (c == NULL)
		return -1;
	c->handlers = *ops;
	return 0;
}

int
rte_vhost_get_negotiated_features(int vid, uint64_t *features)
{
	struct stub_conn *c = stub_conn_find(vid);

	if (c == NULL)
		return -1;
	*features = c->features;
	return 0;
}

int
rte_vhost_get_mtu(int vid, uint16_t *mtu)
{
	struct stub_conn *c = stub_conn_find(vid);

	if (c == NULL)
		return -ENODEV;
	if (!c->running)
		return -EAGAIN;
	if (!(c->features & 1ULL << VIRTIO_NET_F_MTU))
		return -ENOTSUP;
	*mtu = c->mtu;
	return 0;
}

int
rte_vhost_get_mem_table(int vid, struct rte_vhost_memory **mem)
{
	struct stub_conn *c = stub_conn_find(vid);
	size_t size;

	if (c == NULL)
		return -1;
	/* The real one reads through a null pointer then. */
	if (c->mem == NULL)
		abort();
	size = sizeof(**mem) + c->mem->nregions * sizeof(c->mem->regions[0]);
	*mem = malloc(size);
	memcpy(*mem, c->mem, size);
	return 0;
}

int
rte_vhost_get_vhost_vring(int vid, uint16_t qid, struct rte_vhost_vring *vring)
{
	struct stub_conn *c = stub_conn_find(vid);

	if (c == NULL || qid >= c->n_vrings)
		return -1;
	vring->desc = c->vring[qid].desc;
	vring->avail = c->vring[qid].avail;
	vring->used = c->vring[qid].used;
	vring->log_guest_addr = 0;
	vring->callfd = c->vring[qid].callfd;
	vring->kickfd = c->vring[qid].kickfd;
	vring->size = c->vring[qid].size;
	return 0;
}

int
rte_vhost_get_vring_base(int vid, uint16_t qid, uint16_t *avail, uint16_t *used)
{
	struct stub_conn *c = stub_conn_find(vid);

	if (c == NULL || qid >= c->n_vrings)
		return -1;
	*avail = c->vring[qid].base;
	*used = c->vring[qid].base;
	return 0;
}

int
rte_vhost_set_vring_base(int vid, uint16_t qid, uint16_t avail, uint16_t used)
{
	struct stub_conn *c = stub_conn_find(vid);

	if (c == NULL || qid >= c->n_vrings || avail != used)
		return -1;
	c->vring[qid].base = avail;
	return 0;
}

/* ---- connections ---- */

void
stub_disconnect(int vid)
{
	if (stub_conn_find(vid) != NULL)
		stub_conn_destroy(&conns[vid]);
}

int
stub_connect(const char *path, struct rte_vdpa_device *vdpa)
{
	int i = path != NULL ? socket_find(path) : 0, vid;
	unsigned int k;
	struct stub_conn *c;

	for (vid = 0; vid < MAX_CONNS && conns[vid].open; vid++)
		;
	if (vid == MAX_CONNS || i < 0)
		return -1;
	c = &conns[vid];
	memset(c, 0, sizeof(*c));
	c->open = true;
	c->vid = vid;
	c->vdpa = path != NULL ? sockets[i].vdpa : vdpa;
	strlcpy(c->path, path != NULL ? path : "own", sizeof(c->path));
	for (k = 0; k < STUB_VRINGS; k++)
		c->vring[k].kickfd = c->vring[k].callfd = STUB_UNSET_FD;
	if (path != NULL && sockets[i].ops->new_connection(vid) < 0) {
		stub_conn_destroy(c);
		return -1;
	}
	return vid;
}
