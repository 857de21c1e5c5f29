/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The device's configuration: what a front-end reads of it, and word of its changes.
 *
 * EAL's interrupt thread sees the device's eventfd. A front-end is told over its back-end channel,
 * if it negotiated that and CONFIG; it then reads the configuration anew.
 */

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_interrupts.h>

#include "svq_vdpa_lifecycle.h"

static void
read_field(const struct svq_vdpa *d, struct virtio_net_config *config, size_t offset, size_t size)
{
	if (d->dev->ops->get_config(
		    d->dev, (uint32_t)offset, (uint8_t *)config + offset, (uint32_t)size) != 0)
		memset((uint8_t *)config + offset, 0, size);
}

#define READ(d, config, field) \
	read_field(d, config, offsetof(struct virtio_net_config, field), sizeof((config)->field))

static uint16_t
link_status(const struct svq_vdpa *d)
{
	struct virtio_net_config config;

	if (!(d->dev->info.features & 1ULL << VIRTIO_NET_F_STATUS))
		return VIRTIO_NET_S_LINK_UP;
	READ(d, &config, status);
	return rte_le_to_cpu_16(config.status) & VIRTIO_NET_S_LINK_UP;
}

/* As the guest is to see it: with the pairs that it may have, and no wish for an announcement,
 * which is the relay's business. */
static void
read_config(const struct svq_vdpa *d, struct virtio_net_config *config)
{
	memset(config, 0, sizeof(*config));
	READ(d, config, mac);
	READ(d, config, mtu);
	config->status = rte_cpu_to_le_16(link_status(d));
	config->max_virtqueue_pairs = rte_cpu_to_le_16(d->max_pairs);
}

enum rte_vhost_msg_result
svq_vdpa_config_reply(const struct svq_vdpa *d, struct svq_vhost_msg_ctx *ctx)
{
	struct virtio_net_config config;
	struct svq_vhost_config c;

	memcpy(&c, &ctx->payload.config, sizeof(c));
	read_config(d, &config);
	memset(c.region, 0, sizeof(c.region));
	if (c.offset < sizeof(config))
		memcpy(c.region, (uint8_t *)&config + c.offset,
			RTE_MIN(c.size, sizeof(config) - c.offset));
	memcpy(&ctx->payload.config, &c, sizeof(c));
	return RTE_VHOST_MSG_RESULT_REPLY;
}

/* ---- changes ---- */

static void
tell_front_end(const struct svq_vdpa *d)
{
	const uint64_t needed =
		1ULL << VHOST_USER_PROTOCOL_F_CONFIG | 1ULL << VHOST_USER_PROTOCOL_F_SLAVE_REQ;
	uint64_t features;

	/* With the lock held, so that librte_vhost cannot forget the connection meanwhile. The
	 * channel has a time limit (svq_vdpa_socket.c). */
	if (d->backend_channel &&
		rte_vhost_get_negotiated_protocol_features(d->vid, &features) == 0 &&
		(features & needed) == needed)
		svq_vhost_config_change(d->vid, false);
}

void
svq_vdpa_config_start(struct svq_vdpa *d)
{
	const struct svq_device_ops *ops = d->dev->ops;
	int ret = 0;

	d->link = link_status(d);
	if (ops->config_irq != NULL && d->config_fd >= 0)
		ret = ops->config_irq(d->dev, d->config_fd);
	if (ret != 0)
		VDPA_LOG(NOTICE, "%s: device %s does not tell of changes of its link: %s", d->where,
			d->name, strerror(-ret));
}

void
svq_vdpa_config_changed(struct svq_vdpa *d)
{
	uint16_t link = link_status(d);

	d->stats.config_changes++;
	if (link != d->link) {
		d->stats.link_changes++;
		if (svq_vdpa_may_complain(d))
			VDPA_LOG(NOTICE, "%s: the link of device %s is %s", d->where, d->name,
				link != 0 ? "up" : "down");
	}
	d->link = link;
	/*
	 * A device may have forgotten its queues over it: QEMU 7.2's packed ones ask for no
	 * notification any more once they dropped a chain while the link was down. Notified, a
	 * device goes on, or finds that it cannot and asks for a reset; else it would be silent.
	 */
	if (link != 0)
		svq_vdpa_vrings_kick(d);
	tell_front_end(d);
	if (d->dev->ops->config_done != NULL)
		d->dev->ops->config_done(d->dev);
}

/* On EAL's interrupt thread. The device stays until svq_vdpa_config_close(). */
static void
on_interrupt(void *arg)
{
	struct svq_vdpa *d = arg;
	eventfd_t n;

	if (eventfd_read(d->config_fd, &n) != 0)
		return;
	pthread_mutex_lock(&d->lock);
	svq_vdpa_on_config(d);
	pthread_mutex_unlock(&d->lock);
}

int
svq_vdpa_config_open(struct svq_vdpa *d)
{
	int ret;

	if (d->dev->ops->config_irq == NULL)
		return 0;
	d->config_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->config_fd < 0)
		return -errno;
	d->config_intr = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	ret = d->config_intr == NULL ||
			rte_intr_type_set(d->config_intr, RTE_INTR_HANDLE_EXT) != 0 ||
			rte_intr_fd_set(d->config_intr, d->config_fd) != 0
		? -ENOMEM
		: rte_intr_callback_register(d->config_intr, on_interrupt, d);
	if (ret == 0)
		return 0;
	rte_intr_instance_free(d->config_intr);
	d->config_intr = NULL;
	svq_vdpa_config_close(d);
	return ret;
}

void
svq_vdpa_config_close(struct svq_vdpa *d)
{
	if (d->config_intr != NULL) {
		rte_intr_callback_unregister_sync(d->config_intr, on_interrupt, d);
		rte_intr_instance_free(d->config_intr);
	}
	d->config_intr = NULL;
	if (d->config_fd >= 0)
		close(d->config_fd);
	d->config_fd = -1;
}
