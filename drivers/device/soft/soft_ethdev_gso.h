/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_ETHDEV_GSO_H
#define SOFT_ETHDEV_GSO_H

/**
 * @file
 * Segmentation of TCP over IPv4 that a driver left to the device, before a port that takes frames
 * of its MTU: by librte_gso, which any port can send whose packets may have several mbufs.
 */

#include "soft_ethdev_port.h"
#include "soft_net.h"

/**
 * Segment the packet in hand.
 *
 * @param mbuf
 *   The packet, copied; it stays the caller's, and may be freed at once.
 * @param[out] segs
 *   Up to SOFT_PORT_SEGS frames, which the port can send now; the caller's.
 * @return how many; 0: the packet cannot be segmented, it costs itself; -ENOMEM: there are too few
 *   mbufs now.
 */
int soft_port_gso(const struct soft_port *port, const struct soft_net *net, struct rte_mbuf *mbuf,
	struct rte_mbuf **segs);

/** Whether the packet in hand is to be segmented. */
static inline bool
soft_port_gso_asked(const struct soft_net *net)
{
	return net->hdr.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

#endif /* SOFT_ETHDEV_GSO_H */
