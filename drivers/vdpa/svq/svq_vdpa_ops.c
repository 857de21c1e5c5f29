/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The operations that librte_vhost calls: each finds the device, takes its lock and hands the
 * event to the life cycle.
 *
 * A device serves one front-end, the first connection on its socket that sends a message. Not the
 * first that is made: a front-end that connects anew may be accepted before the end of its old
 * connection is noticed, and one that says nothing keeps nobody out.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/virtio_net.h>

#include "svq_vdpa_features.h"
#include "svq_vdpa_lifecycle.h"
#include "svq_vdpa_stats.h"

static uint64_t
guest_features(const struct svq_vdpa *d)
{
	return svq_vdpa_features_offer(d->dev->info.features, d->max_pairs > 1);
}

static int
op_get_queue_num(struct rte_vdpa_device *vdpa, uint32_t *pairs)
{
	struct svq_vdpa *d = svq_vdpa_get_by_vdpa(vdpa);

	if (d == NULL)
		return -1;
	*pairs = d->max_pairs;
	svq_vdpa_put(d);
	return 0;
}

static int
op_get_features(struct rte_vdpa_device *vdpa, uint64_t *features)
{
	struct svq_vdpa *d = svq_vdpa_get_by_vdpa(vdpa);

	if (d == NULL)
		return -1;
	*features = guest_features(d);
	svq_vdpa_put(d);
	return 0;
}

/*
 * Not HOST_NOTIFIER: the relay must see kicks. Not PAGEFAULT: the device's memory is pinned. CONFIG
 * only on demand: QEMU has no use for it, and several of its versions (7.1, 8.0) end at the sight.
 * Not INFLIGHT_SHMFD and CONFIGURE_MEM_SLOTS: no operation of a vDPA driver would tell us.
 */
uint64_t
svq_vdpa_protocol_features(const struct svq_vdpa *d)
{
	uint64_t features = 1ULL << VHOST_USER_PROTOCOL_F_MQ |
		1ULL << VHOST_USER_PROTOCOL_F_LOG_SHMFD | 1ULL << VHOST_USER_PROTOCOL_F_RARP |
		1ULL << VHOST_USER_PROTOCOL_F_REPLY_ACK | 1ULL << VHOST_USER_PROTOCOL_F_SLAVE_REQ |
		1ULL << VHOST_USER_PROTOCOL_F_SLAVE_SEND_FD |
		/* Else the device is configured before the guest is done. */
		1ULL << VHOST_USER_PROTOCOL_F_STATUS;

	if (guest_features(d) & 1ULL << VIRTIO_NET_F_MTU)
		features |= 1ULL << VHOST_USER_PROTOCOL_F_NET_MTU;
	if (d->offer_config)
		features |= 1ULL << VHOST_USER_PROTOCOL_F_CONFIG;
	return features;
}

static int
op_get_protocol_features(struct rte_vdpa_device *vdpa, uint64_t *features)
{
	struct svq_vdpa *d = svq_vdpa_get_by_vdpa(vdpa);

	if (d == NULL)
		return -1;
	*features = svq_vdpa_protocol_features(d);
	svq_vdpa_put(d);
	return 0;
}

struct svq_vdpa *
svq_vdpa_enter(int vid)
{
	struct svq_vdpa *d = svq_vdpa_get_by_vdpa(rte_vhost_get_vdpa_device(vid));

	if (d == NULL)
		return NULL;
	pthread_mutex_lock(&d->lock);
	if (d->vid == vid)
		return d;
	svq_vdpa_leave(d);
	return NULL;
}

void
svq_vdpa_leave(struct svq_vdpa *d)
{
	pthread_mutex_unlock(&d->lock);
	svq_vdpa_put(d);
}

struct svq_vdpa *
svq_vdpa_enter_or_claim(int vid)
{
	struct svq_vdpa *d = svq_vdpa_get_by_vdpa(rte_vhost_get_vdpa_device(vid));
	char path[SVQ_VDPA_PATH_MAX] = "?";

	if (d == NULL)
		return NULL;
	pthread_mutex_lock(&d->lock);
	if (d->vid == vid)
		return d;
	rte_vhost_get_ifname(vid, path, sizeof(path));
	if (d->vid == -1) {
		snprintf(d->where, sizeof(d->where), "port %s", path);
		svq_vdpa_on_connect(d, vid);
		return d;
	}
	if (svq_vdpa_may_complain(d))
		VDPA_LOG(ERR,
			"port %s: refused a second front-end: device %s serves one; give the other "
			"guest a port of its own",
			path, d->name);
	svq_vdpa_leave(d);
	return NULL;
}

int
svq_vdpa_connect(int vid)
{
	struct svq_vdpa *d = svq_vdpa_get_by_vdpa(rte_vhost_get_vdpa_device(vid));
	unsigned int i;
	int ret = -EBUSY;

	if (d == NULL)
		return -ENODEV;
	pthread_mutex_lock(&d->lock);
	for (i = 0; i < RTE_DIM(d->waiting) && d->waiting[i] != -1; i++)
		;
	if (i < RTE_DIM(d->waiting)) {
		ret = svq_vdpa_msg_register(d, vid);
		if (ret == 0)
			d->waiting[i] = vid;
	} else if (svq_vdpa_may_complain(d)) {
		VDPA_LOG(ERR, "port of %s: refused a connection: there are %zu already", d->name,
			RTE_DIM(d->waiting));
	}
	svq_vdpa_leave(d);
	return ret;
}

/* Called at every SET_FEATURES. The first sign of a front-end if the application runs its socket
 * by itself, without svq_vdpa_port_open(): its messages are shown to us from here on. */
static int
op_set_features(int vid)
{
	struct svq_vdpa *d = svq_vdpa_enter_or_claim(vid);
	int ret = 0;

	if (d == NULL)
		return -1;
	if (!d->handlers)
		ret = svq_vdpa_msg_register(d, vid);
	d->handlers = ret == 0;
	svq_vdpa_on_features(d);
	svq_vdpa_leave(d);
	return ret;
}

static int
op_dev_conf(int vid)
{
	struct svq_vdpa *d = svq_vdpa_enter(vid);
	int ret;

	if (d == NULL)
		return -1;
	ret = svq_vdpa_on_conf(d);
	svq_vdpa_leave(d);
	return ret == 0 ? 0 : -1;
}

static int
op_dev_close(int vid)
{
	struct svq_vdpa *d = svq_vdpa_enter(vid);

	if (d == NULL)
		return -1;
	svq_vdpa_on_close(d);
	svq_vdpa_leave(d);
	return 0;
}

static int
op_dev_cleanup(int vid)
{
	struct svq_vdpa *d = svq_vdpa_get_by_vdpa(rte_vhost_get_vdpa_device(vid));
	unsigned int i;

	if (d == NULL)
		return -1;
	pthread_mutex_lock(&d->lock);
	if (d->vid == vid)
		svq_vdpa_on_cleanup(d);
	/* Unless just the owner was reset, the connection has ended. */
	for (i = 0; i < RTE_DIM(d->waiting) && d->vid != vid; i++) {
		if (d->waiting[i] == vid)
			d->waiting[i] = -1;
	}
	svq_vdpa_leave(d);
	return 0;
}

static int
op_set_vring_state(int vid, int vring, int state)
{
	struct svq_vdpa *d = svq_vdpa_enter(vid);

	if (d == NULL)
		return -1;
	if (vring >= 0 && vring < 2 * d->max_pairs)
		svq_vdpa_on_vring(d, (uint16_t)vring, state != 0);
	svq_vdpa_leave(d);
	return 0;
}

/* A guest that negotiated GUEST_ANNOUNCE announces itself; for another nobody does. */
static int
op_migration_done(int vid)
{
	struct svq_vdpa *d = svq_vdpa_enter(vid);

	if (d == NULL)
		return -1;
	VDPA_LOG(DEBUG, "%s: migration done", d->where);
	svq_vdpa_leave(d);
	return 0;
}

struct rte_vdpa_dev_ops svq_vdpa_dev_ops = {
	.get_queue_num = op_get_queue_num,
	.get_features = op_get_features,
	.get_protocol_features = op_get_protocol_features,
	.dev_conf = op_dev_conf,
	.dev_close = op_dev_close,
	.dev_cleanup = op_dev_cleanup,
	.set_vring_state = op_set_vring_state,
	.set_features = op_set_features,
	.migration_done = op_migration_done,
	.get_stats_names = svq_vdpa_op_stats_names,
	.get_stats = svq_vdpa_op_stats,
	.reset_stats = svq_vdpa_op_stats_reset,
};
