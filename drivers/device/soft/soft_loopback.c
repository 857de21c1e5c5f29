/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "soft_net.h"

/* Whether the driver that sent a packet can receive it: it need not take what it asks for. */
static inline enum soft_net_room
offload_room(struct soft_net *net)
{
	enum soft_offload_way way;

	net->checksum = false;
	if (likely((net->hdr.hdr.flags | net->hdr.hdr.gso_type) == 0))
		return SOFT_NET_ROOM;
	way = soft_offload_way(&net->dev->offload, &net->hdr.hdr);
	net->checksum = way == SOFT_OFFLOAD_CHECKSUM;
	return way == SOFT_OFFLOAD_NEVER ? SOFT_NET_NEVER : SOFT_NET_ROOM;
}

/*
 * A packet sent on a pair returns on the same pair, lossless: it is taken from the transmit queue
 * only when there is room for it in the receive queue.
 */
static unsigned int
loopback_poll(struct soft_dev *dev, struct soft_pair *pair)
{
	enum soft_net_room room;
	struct soft_net net;
	unsigned int i;

	if (!soft_net_begin(&net, dev, pair))
		return 0;
	for (i = 0; i < SOFT_BURST; i++) {
		if (!soft_ring_ready(&pair->rx, pair->rx.next) || !soft_net_tx_read(&net))
			break;
		room = offload_room(&net);
		if (likely(room == SOFT_NET_ROOM))
			room = soft_net_rx_reserve(&net, net.len);
		if (room == SOFT_NET_WAIT)
			break;
		if (likely(room == SOFT_NET_ROOM))
			soft_net_rx_write(&net);
		else
			net.rx_drops++;
		soft_net_tx_take(&net);
	}
	return soft_net_end(&net);
}

const struct soft_backend soft_loopback = {
	.name = "loopback",
	.offloads = SOFT_OFFLOADS,
	.poll = loopback_poll,
};
