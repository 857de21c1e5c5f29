/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_ETHDEV_PORT_H
#define SOFT_ETHDEV_PORT_H

/**
 * @file
 * The ethdev of a device with port=: found, claimed, configured and started.
 *
 * Concepts
 *
 * The port is configured and started at open and keeps its link up while drivers come and go. Its
 * queues hold buffers of the pool until they are set up anew, so pools are kept by port number and
 * are found again at the next open.
 */

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "soft_ethdev_irq.h"
#include "soft_ethdev_offload.h"

/** Most frames that a packet is cut into: 64 KiB at an MTU of 1500, and some more. */
#define SOFT_PORT_SEGS 64

struct soft_port_pair;

struct soft_port {
	uint16_t id;
	struct rte_eth_dev_owner owner;
	struct rte_mempool *pool;
	bool multi_seg; /* sends chains of mbufs */
	struct soft_port_offload offload;
	struct soft_port_irq irq;
	bool used;		      /* a driver was here before */
	uint32_t max_frame;	      /* bytes */
	struct soft_port_pair *pairs; /* of the back-end */
};

/** Find the port of dev->args, make it ours and start it; logs why not. Fills in what dev learns of
 * it. @return 0 or a negative errno. */
int soft_port_open(struct soft_dev *dev, struct soft_port *port);

/** Undo it; the port may have been removed before. */
void soft_port_close(struct soft_dev *dev, struct soft_port *port);

/** Whether its link is up. */
bool soft_port_link(const struct soft_port *port);

#endif /* SOFT_ETHDEV_PORT_H */
