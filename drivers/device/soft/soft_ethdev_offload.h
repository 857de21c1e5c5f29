/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_ETHDEV_OFFLOAD_H
#define SOFT_ETHDEV_OFFLOAD_H

/**
 * @file
 * Checksums between a virtio-net header and a port: the port does and checks them if it can, else
 * they are done in software, or left to the guest to check.
 */

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "soft_net.h"

/** What a port does, and the rte_eth_conf offloads that it takes. */
struct soft_port_offload {
	uint64_t rx; /**< RTE_ETH_RX_OFFLOAD_*; 0: received checksums are not checked */
	uint64_t tx; /**< RTE_ETH_TX_OFFLOAD_*; 0: checksums are done in software */
};

/** What is made of a port. @return the virtio-net features that can be offered before it. */
uint64_t
soft_port_offload_init(struct soft_port_offload *offload, const struct rte_eth_dev_info *info);

/**
 * Have done what the header of the packet in hand asks for.
 *
 * @param mbuf
 *   The packet, copied.
 * @param bufs
 *   Its segments.
 * @return whether the port can send it now.
 */
bool soft_port_offload_tx(const struct soft_port_offload *offload, const struct soft_net *net,
	uint16_t port, struct rte_mbuf *mbuf, const struct soft_buf *bufs);

/** Make the header of a packet that the port received; it is the one in hand. */
void soft_port_offload_rx(
	const struct soft_port_offload *offload, struct soft_net *net, const struct rte_mbuf *mbuf);

#endif /* SOFT_ETHDEV_OFFLOAD_H */
