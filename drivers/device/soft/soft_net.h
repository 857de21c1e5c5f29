/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_NET_H
#define SOFT_NET_H

/**
 * @file
 * virtio-net: packets between a pair's rings and a back-end (virtio 1.2, 5.1.6).
 *
 * Concepts
 *
 * A back-end's poll opens a soft_net, moves packets, and closes it; the driver sees the result of
 * the whole poll at the close. A packet is a list of pieces (soft_pair.src), wherever it comes
 * from: a transmit chain, an mbuf. It is copied once, to the receive chains that were reserved for
 * it, or to the back-end's buffers.
 *
 * Nothing is taken from a ring before it is certain that it can be finished: a transmit chain that
 * is read but not taken, and receive chains that are reserved but not filled, are there again at
 * the next poll.
 *
 * A packet's header goes with it (soft_net.hdr); what the driver writes into its own is looked at
 * only if it may ask for an offload.
 */

#include <linux/virtio_net.h>

#include "soft.h"

/** One poll of one pair. */
struct soft_net {
	struct soft_dev *dev;
	struct soft_pair *pair;
	struct soft_access access;
	/* The packet in hand: soft_pair.src[first .. first + n), total bytes. */
	unsigned int first;
	unsigned int n;
	uint32_t len;
	struct soft_head tx_head;	     /**< its chain, if it came from the transmit queue */
	struct virtio_net_hdr_mrg_rxbuf hdr; /**< its header, but for num_buffers */
	bool checksum;			     /**< to be done before the driver gets it */
	/* Receive chains reserved for it. */
	unsigned int n_slots;
	/* What this poll did. */
	uint64_t rx_packets;
	uint64_t tx_packets;
	uint64_t rx_drops;
	uint64_t tx_drops;
};

/** Open a poll. @return false: the rings cannot be served; soft_net_end() is not called. */
bool soft_net_begin(struct soft_net *net, struct soft_dev *dev, struct soft_pair *pair);

/** Close a poll: show the driver what was taken, count. @return packets moved. */
unsigned int soft_net_end(struct soft_net *net);

/**
 * Take the next transmit packet in hand, without its header. Frames that no network carries
 * (empty, or longer than SOFT_MAX_FRAME), or with a header that makes no sense, are dropped on
 * the way.
 *
 * @return whether there is one.
 */
bool soft_net_tx_read(struct soft_net *net);

/** Take the chain of the packet in hand from the transmit queue. */
void soft_net_tx_take(struct soft_net *net);

/** What became of a try to reserve. */
enum soft_net_room {
	SOFT_NET_ROOM,	/**< reserved */
	SOFT_NET_WAIT,	/**< not now: more receive buffers are needed, or the device stopped */
	SOFT_NET_NEVER, /**< the driver's receive buffers cannot hold it */
};

/** Reserve receive chains for a packet of @p len bytes. */
enum soft_net_room soft_net_rx_reserve(struct soft_net *net, uint32_t len);

/**
 * Write the packet in hand to the chains reserved for it and take them.
 *
 * The packet is pair->src[first .. first + n), with first > 0.
 */
void soft_net_rx_write(struct soft_net *net);

/** Copy @p len bytes between two lists of pieces; both hold as many. */
void soft_net_copy(const struct soft_buf *dst, const struct soft_buf *src, uint32_t len);

#endif /* SOFT_NET_H */
