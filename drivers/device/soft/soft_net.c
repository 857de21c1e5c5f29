/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <rte_memcpy.h>

#include "soft_net.h"

bool
soft_net_begin(struct soft_net *net, struct soft_dev *dev, struct soft_pair *pair)
{
	int ret;

	if (!pair->enabled || !pair->ready || !soft_dev_running(dev))
		return false;
	net->dev = dev;
	net->pair = pair;
	net->rx_packets = 0;
	net->tx_packets = 0;
	net->rx_drops = 0;
	net->tx_drops = 0;
	memset(&net->hdr, 0, sizeof(net->hdr));
	net->checksum = false;
	soft_access_begin(&net->access, &dev->iommu);
	ret = soft_ring_begin(&pair->tx, &net->access);
	if (unlikely(ret < 0)) {
		soft_dev_fault(dev, pair, &pair->tx, &net->access, ret);
		return false;
	}
	ret = soft_ring_begin(&pair->rx, &net->access);
	if (unlikely(ret < 0)) {
		soft_dev_fault(dev, pair, &pair->rx, &net->access, ret);
		return false;
	}
	return true;
}

unsigned int
soft_net_end(struct soft_net *net)
{
	struct soft_counters *counters = &net->pair->counters;

	soft_ring_publish(&net->pair->rx);
	soft_ring_publish(&net->pair->tx);
	if (net->access.translations != 0)
		soft_count(&counters->translations, net->access.translations);
	if (net->rx_packets != 0)
		soft_count(&counters->rx_packets, net->rx_packets);
	if (net->tx_packets != 0)
		soft_count(&counters->tx_packets, net->tx_packets);
	if (net->rx_drops != 0)
		soft_count(&counters->rx_drops, net->rx_drops);
	if (net->tx_drops != 0)
		soft_count(&counters->tx_drops, net->tx_drops);
	return (unsigned int)(net->rx_packets + net->tx_packets);
}

/* The driver is at fault on one ring; what was moved before is shown all the same. */
static void
fault(struct soft_net *net, struct soft_ring *ring, int error)
{
	soft_dev_fault(net->dev, net->pair, ring, &net->access, error);
}

/* Read the header of a chain that holds one, at the start of src[1 ..). */
static void
read_header(struct soft_net *net)
{
	struct soft_buf to = {.addr = (uint8_t *)&net->hdr, .len = sizeof(net->hdr.hdr)};

	soft_net_copy(&to, &net->pair->src[1], to.len);
}

/* Step over the header at the start of src[1 ..). Returns the bytes left. */
static uint32_t
strip_header(struct soft_net *net, const struct soft_chain *chain)
{
	struct soft_buf *src = net->pair->src;
	uint32_t hdr = net->dev->hdr_len;

	net->first = 1;
	net->n = chain->n_bufs;
	while (net->n > 0 && src[net->first].len <= hdr) {
		hdr -= src[net->first].len;
		net->first++;
		net->n--;
	}
	if (net->n > 0) {
		src[net->first].addr += hdr;
		src[net->first].len -= hdr;
	}
	return chain->len - net->dev->hdr_len;
}

bool
soft_net_tx_read(struct soft_net *net)
{
	struct soft_ring *ring = &net->pair->tx;
	/* One byte more than any frame: a chain that fills it is too long. */
	uint32_t want = net->dev->hdr_len + SOFT_MAX_FRAME + 1;
	struct soft_chain chain;
	uint16_t at;
	int ret;

	while (at = ring->next, soft_ring_ready(ring, at)) {
		ret = soft_ring_read(
			ring, &net->access, &at, SVQ_PERM_R, want, &net->pair->src[1], &chain);
		if (unlikely(ret < 0)) {
			fault(net, ring, ret);
			return false;
		}
		if (unlikely(chain.len < net->dev->hdr_len)) {
			ring->reason = "transmit chain shorter than the header";
			fault(net, ring, -EPROTO);
			return false;
		}
		net->tx_head = chain.head;
		if (net->dev->offload.host)
			read_header(net);
		net->len = strip_header(net, &chain);
		if (likely(net->len != 0 && net->len <= SOFT_MAX_FRAME &&
			    (!net->dev->offload.host ||
				    soft_offload_valid(
					    &net->dev->offload, &net->hdr.hdr, net->len))))
			return true;
		net->tx_drops++;
		soft_net_tx_take(net);
	}
	return false;
}

void
soft_net_tx_take(struct soft_net *net)
{
	soft_ring_take(&net->pair->tx, &net->tx_head, 0, true);
	net->tx_packets++;
}

enum soft_net_room
soft_net_rx_reserve(struct soft_net *net, uint32_t len)
{
	struct soft_ring *ring = &net->pair->rx;
	uint32_t need = net->dev->hdr_len + len;
	unsigned int n_bufs = 0, n_slots = 0, ring_slots = 0;
	uint32_t got = 0;
	struct soft_chain chain;
	uint16_t at = ring->next;
	int ret;

	/* The second condition holds the driver to one lap, whatever it writes meanwhile. */
	while (soft_ring_ready(ring, at) && ring_slots < ring->size) {
		ret = soft_ring_read(ring, &net->access, &at, SVQ_PERM_W, need - got,
			&net->pair->dst[n_bufs], &chain);
		if (unlikely(ret < 0)) {
			fault(net, ring, ret);
			return SOFT_NET_WAIT;
		}
		net->pair->slots[n_slots].head = chain.head;
		net->pair->slots[n_slots].len = chain.len;
		n_slots++;
		n_bufs += chain.n_bufs;
		ring_slots += chain.head.slots;
		got += chain.len;
		if (likely(got == need)) {
			net->n_slots = n_slots;
			return SOFT_NET_ROOM;
		}
		if (!net->dev->mergeable)
			return SOFT_NET_NEVER;
		if (unlikely(n_slots == 1 && got < net->dev->hdr_len)) {
			/* virtio 1.2, 5.1.6.3.1 */
			ring->reason = "receive chain shorter than the header";
			fault(net, ring, -EPROTO);
			return SOFT_NET_WAIT;
		}
	}
	/* Where every descriptor is with the device, more will not come. */
	return ring_slots >= ring->size ? SOFT_NET_NEVER : SOFT_NET_WAIT;
}

void
soft_net_rx_write(struct soft_net *net)
{
	struct soft_pair *pair = net->pair;
	struct soft_buf *src = &pair->src[net->first - 1];
	unsigned int i;

	net->hdr.num_buffers = (uint16_t)net->n_slots;
	src->addr = (uint8_t *)&net->hdr;
	src->len = net->dev->hdr_len;
	if (unlikely(net->checksum))
		net->hdr.hdr.flags = 0;
	soft_net_copy(pair->dst, src, net->dev->hdr_len + net->len);
	if (unlikely(net->checksum))
		soft_offload_checksum(pair->dst, net->dev->hdr_len, &net->hdr.hdr, net->len);
	for (i = 0; i < net->n_slots; i++)
		soft_ring_take(
			&pair->rx, &pair->slots[i].head, pair->slots[i].len, i + 1 < net->n_slots);
	net->rx_packets++;
}

void
soft_net_copy(const struct soft_buf *dst, const struct soft_buf *src, uint32_t len)
{
	uint32_t dst_off = 0, src_off = 0;

	while (len > 0) {
		uint32_t n = RTE_MIN(dst->len - dst_off, src->len - src_off);

		n = RTE_MIN(n, len);
		rte_memcpy(dst->addr + dst_off, src->addr + src_off, n);
		len -= n;
		dst_off += n;
		src_off += n;
		if (dst_off == dst->len) {
			dst++;
			dst_off = 0;
		}
		if (src_off == src->len) {
			src++;
			src_off = 0;
		}
	}
}
