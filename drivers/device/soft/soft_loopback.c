/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stddef.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_memcpy.h>
#include <rte_prefetch.h>

#include <svq_prefetch.h>

#include "soft_net.h"
#include "soft_plain.h"

/* From here on libc's vectors, chosen for this CPU, are faster than what is compiled in line. */
#define LONG 256

static inline void
copy(uint8_t *to, const uint8_t *from, uint32_t len)
{
	if (len < LONG)
		rte_memcpy(to, from, len);
	else
		/* The driver may give the same memory for both: what comes of it is its affair. */
		memmove(to, from, len);
}

/*
 * Begin to write a packet: its header, and the first byte behind it, which is copied later. The
 * driver's core has seen these two lines. A store has to have its line before those behind it are
 * done, and few of them fit in between; so each line is asked for early, by a store as well, since
 * a prefetch for writing has no effect on a line that two cores have where AMD made the CPU.
 */
static inline void
begin(const struct soft_plain *to, uint32_t hdr_len)
{
	const uint16_t one = 1;

	memset(to->addr, 0, sizeof(struct virtio_net_hdr));
	if (hdr_len == sizeof(struct virtio_net_hdr_mrg_rxbuf))
		memcpy(to->addr + offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers), &one,
			sizeof(one));
	*(volatile uint8_t *)(to->addr + hdr_len) = 0;
}

/* Whether the driver left work on the packet to us. Each field is read once, and nothing else of
 * the header is used. */
static inline bool
asks(const struct soft_net *net, const struct soft_plain *plain)
{
	const volatile struct virtio_net_hdr *hdr = (const void *)plain->addr;

	return net->dev->offload.host &&
		(hdr->flags != 0 || hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE);
}

/*
 * Packets of one buffer that go to one buffer, up to the first that is different. All addresses are
 * known before the first byte is copied, so that the packets come from the driver's core while
 * others are worked on.
 */
static __rte_always_inline unsigned int
loop_plain(struct soft_net *net, const bool packed)
{
	const uint32_t hdr_len = net->dev->hdr_len;
	struct soft_plain from[SOFT_BURST], to[SOFT_BURST];
	struct soft_pair *pair = net->pair;
	uint16_t tx_at = pair->tx.next, rx_at = pair->rx.next;
	unsigned int max = RTE_MIN(pair->tx.size, pair->rx.size), n, i;

	/* No more than a lap, even if the driver makes more available while we read. */
	max = RTE_MIN(max, (unsigned int)SOFT_BURST);
	for (n = 0; n < max; n++) {
		if (!soft_plain_read(
			    &pair->tx, packed, &net->access, &tx_at, SVQ_PERM_R, &from[n]) ||
			!soft_plain_read(
				&pair->rx, packed, &net->access, &rx_at, SVQ_PERM_W, &to[n]))
			break;
		if (unlikely(from[n].len <= hdr_len || from[n].len - hdr_len > SOFT_MAX_FRAME ||
			    from[n].len > to[n].len))
			break;
		if (net->dev->offload.host)
			rte_prefetch0(from[n].addr);
		rte_prefetch0(from[n].addr + hdr_len);
		svq_prefetch_write(to[n].addr);
		svq_prefetch_write(to[n].addr + hdr_len);
	}
	for (i = 0; i < n; i++)
		begin(&to[i], hdr_len);
	for (i = 0; i < n; i++) {
		if (unlikely(asks(net, &from[i])))
			break;
		copy(to[i].addr + hdr_len, from[i].addr + hdr_len, from[i].len - hdr_len);
		to[i].len = from[i].len;
		from[i].len = 0;
	}
	/* Not while copying, so that what is written for a packet is little else than its lines,
	 * and those of many are on their way from the driver's core at once. */
	soft_plain_take(&pair->rx, packed, to, i, false);
	soft_plain_take(&pair->tx, packed, from, i, true);
	net->rx_packets += i;
	net->tx_packets += i;
	return i;
}

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

/* Any packet. @return whether there was one, and room for it. */
static bool
loop_one(struct soft_net *net)
{
	struct soft_ring *rx = &net->pair->rx;
	enum soft_net_room room;

	if (!soft_ring_ready(rx, rx->next) || !soft_net_tx_read(net))
		return false;
	room = offload_room(net);
	if (likely(room == SOFT_NET_ROOM))
		room = soft_net_rx_reserve(net, net->len);
	if (room == SOFT_NET_WAIT)
		return false;
	if (likely(room == SOFT_NET_ROOM))
		soft_net_rx_write(net);
	else
		net->rx_drops++;
	soft_net_tx_take(net);
	return true;
}

/*
 * A packet sent on a pair returns on the same pair, lossless: it is taken from the transmit queue
 * only when there is room for it in the receive queue.
 */
static unsigned int
loopback_poll(struct soft_dev *dev, struct soft_pair *pair)
{
	struct soft_net net;
	unsigned int i;

	if (!soft_net_begin(&net, dev, pair))
		return 0;
	i = pair->tx.is_packed ? loop_plain(&net, true) : loop_plain(&net, false);
	while (i < SOFT_BURST && loop_one(&net))
		i++;
	return soft_net_end(&net);
}

const struct soft_backend soft_loopback = {
	.name = "loopback",
	.offloads = SOFT_OFFLOADS,
	.poll = loopback_poll,
};
