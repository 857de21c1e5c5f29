/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * What the function is told on its control queue (virtio 1.2, 5.1.6.5). The guest's own control
 * queue ends at its front-end, which also filters for it: the function is to pass on everything. A
 * reset makes the function forget; each start tells it anew.
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "virtio_pci.h"

/* A command is a matter of a function's firmware; the thread that waits serves other guests, too.
 */
#define TIMEOUT_MS 500

static bool
has(const struct vpci_dev *vp, unsigned int feature)
{
	return (vp->features & RTE_BIT64(feature)) != 0;
}

static int
command(struct vpci_dev *vp, uint8_t class, uint8_t number, const void *data, uint32_t len,
	const char *what)
{
	int ret;

	if (vp->ctrl == NULL)
		return -ENOTSUP;
	atomic_fetch_add(&vp->commands, 1);
	ret = svq_ctrl_command(vp->ctrl, class, number, data, len);
	if (ret == 0)
		return 0;
	atomic_fetch_add(&vp->command_errors, 1);
	if (ret == -EPERM)
		VPCI_LOG(WARNING, vp->dev.name, "the function refuses %s", what);
	else if (ret == -EIO)
		VPCI_LOG(WARNING, vp->dev.name,
			"%s: the control queue answered wrongly before; the next start mends it",
			what);
	else
		VPCI_LOG(ERR, vp->dev.name,
			"%s: the function's control queue %s; it is not used again before the next "
			"start",
			what,
			ret == -ETIMEDOUT ? "does not answer in " RTE_STR(TIMEOUT_MS) " ms"
					  : "answers what was not asked");
	return ret;
}

static void
notify(void *arg, uint32_t data)
{
	struct vpci_dev *vp = arg;

	vpci_queue_notify(vp, &vp->ctrl_queue, data);
}

int
vpci_ctrl_create(struct vpci_dev *vp)
{
	struct svq_ctrl_conf conf = {
		.dma = vp->dma,
		/* Behind the pairs, which without MQ are one (virtio 1.2, 5.1.2). */
		.qid = has(vp, VIRTIO_NET_F_MQ) ? (uint16_t)(2 * vp->net_pairs) : 2,
		.features = vp->features,
		.timeout_ms = TIMEOUT_MS,
		.notify = notify,
		.arg = vp,
	};
	int ret;

	vp->pairs_on = 1;
	if (!has(vp, VIRTIO_NET_F_CTRL_VQ) || vp->dma == NULL)
		return 0;
	conf.max_size = vpci_queue_max(vp, conf.qid);
	ret = svq_ctrl_create(&conf, &vp->ctrl);
	if (ret < 0) {
		VPCI_LOG(ERR, vp->dev.name,
			"no control queue (queue %u, at most %u descriptors): %s", conf.qid,
			conf.max_size, strerror(-ret));
		return ret;
	}
	vp->ctrl_queue.vector = VPCI_NO_VECTOR;
	svq_ctrl_queue(vp->ctrl, &vp->ctrl_queue.conf);
	ret = vpci_queue_program(vp, conf.qid, &vp->ctrl_queue);
	if (ret == 0)
		vpci_queue_enable(vp, conf.qid, &vp->ctrl_queue);
	return ret;
}

void
vpci_ctrl_destroy(struct vpci_dev *vp)
{
	svq_ctrl_destroy(vp->ctrl);
	vp->ctrl = NULL;
	memset(vp->pair_on, 0, sizeof(vp->pair_on));
	vp->pair_on[0] = true;
}

void
vpci_ctrl_start(struct vpci_dev *vp)
{
	static const uint8_t on = 1;

	if (has(vp, VIRTIO_NET_F_CTRL_MAC_ADDR) && vp->args.set_mac)
		command(vp, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, vp->args.mac,
			sizeof(vp->args.mac), "the address of mac=");
	if (has(vp, VIRTIO_NET_F_CTRL_RX))
		command(vp, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, &on, sizeof(on),
			"promiscuous mode: packets to the guest's other addresses may be lost");
	vpci_ctrl_pairs(vp);
}

/* A pair that is off below one that is on keeps its share of what comes: the function knows a
 * number only. It has no buffers there, so it drops that. */
int
vpci_ctrl_pairs(struct vpci_dev *vp)
{
	uint16_t pairs = 1, i, wire;
	int ret;

	for (i = 0; i < vp->dev.info.max_pairs; i++) {
		if (vp->pair_on[i])
			pairs = i + 1;
	}
	if (pairs == vp->pairs_on || !has(vp, VIRTIO_NET_F_MQ))
		return 0;
	wire = rte_cpu_to_le_16(pairs);
	ret = command(vp, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &wire, sizeof(wire),
		"the number of queue pairs");
	if (ret == 0)
		vp->pairs_on = pairs;
	return ret;
}

void
vpci_ctrl_announced(struct vpci_dev *vp)
{
	if (has(vp, VIRTIO_NET_F_GUEST_ANNOUNCE))
		command(vp, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, NULL, 0,
			"the answer to its wish for an announcement");
}
