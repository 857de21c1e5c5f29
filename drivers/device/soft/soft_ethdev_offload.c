/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "soft_ethdev_offload.h"

/* What a port needs to be of use: either L4 checksum. */
#define RX_CHECKED (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
#define TX_DONE	   (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

uint64_t
soft_port_offload_init(struct soft_port_offload *offload, const struct rte_eth_dev_info *info)
{
	offload->rx = (info->rx_offload_capa & RX_CHECKED) == RX_CHECKED ? RX_CHECKED : 0;
	offload->tx = (info->tx_offload_capa & TX_DONE) == TX_DONE ? TX_DONE : 0;
	return RTE_BIT64(VIRTIO_NET_F_CSUM) |
		(offload->rx != 0 ? RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) : 0);
}

/* Where the checksum of a TCP or UDP packet is; 0: it is neither. */
static uint32_t
find_checksum(const struct rte_mbuf *mbuf, struct rte_net_hdr_lens *lens, uint32_t *ptype)
{
	*ptype = rte_net_get_ptype(
		mbuf, lens, RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);
	switch (*ptype & RTE_PTYPE_L4_MASK) {
	case RTE_PTYPE_L4_TCP:
		return lens->l2_len + lens->l3_len + offsetof(struct rte_tcp_hdr, cksum);
	case RTE_PTYPE_L4_UDP:
		return lens->l2_len + lens->l3_len + offsetof(struct rte_udp_hdr, dgram_cksum);
	default:
		return 0;
	}
}

bool
soft_port_offload_tx(const struct soft_port_offload *offload, const struct soft_net *net,
	uint16_t port, struct rte_mbuf *mbuf, const struct soft_buf *bufs)
{
	const struct virtio_net_hdr *hdr = &net->hdr.hdr;
	struct rte_net_hdr_lens lens;
	uint32_t ptype, start;

	if (likely(hdr->flags == 0))
		return true;
	start = hdr->csum_start;
	/* A port does the checksum that the packet has; the driver may mean another one. What it
	 * cannot make out, some ports would keep for ever. */
	if (offload->tx == 0 || find_checksum(mbuf, &lens, &ptype) != start + hdr->csum_offset ||
		start != (uint32_t)lens.l2_len + lens.l3_len ||
		start + lens.l4_len > mbuf->data_len) {
		soft_offload_checksum(bufs, 0, hdr, net->len);
		return true;
	}
	mbuf->l2_len = lens.l2_len;
	mbuf->l3_len = lens.l3_len;
	mbuf->l4_len = lens.l4_len;
	mbuf->ol_flags |= RTE_ETH_IS_IPV4_HDR(ptype) ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	mbuf->ol_flags |= (ptype & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP ? RTE_MBUF_F_TX_TCP_CKSUM
									  : RTE_MBUF_F_TX_UDP_CKSUM;
	return rte_eth_tx_prepare(port, net->pair->index, &mbuf, 1) == 1;
}

void
soft_port_offload_rx(
	const struct soft_port_offload *offload, struct soft_net *net, const struct rte_mbuf *mbuf)
{
	struct virtio_net_hdr *hdr = &net->hdr.hdr;
	struct rte_net_hdr_lens lens;
	uint32_t ptype, at;

	if (offload->rx == 0)
		return;
	memset(hdr, 0, sizeof(*hdr));
	net->checksum = false;
	switch (mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
	case RTE_MBUF_F_RX_L4_CKSUM_GOOD:
		if (net->dev->offload.guest_csum)
			hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
		break;
	case RTE_MBUF_F_RX_L4_CKSUM_NONE:
		/* The sender left it to whoever needs it: a virtual port. */
		at = find_checksum(mbuf, &lens, &ptype);
		if (at == 0 || at + sizeof(uint16_t) > net->len)
			break;
		hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr->csum_start = (uint16_t)(lens.l2_len + lens.l3_len);
		hdr->csum_offset = (uint16_t)(at - hdr->csum_start);
		net->checksum = !net->dev->offload.guest_csum;
		break;
	default:
		/* Unknown or bad: the guest sees for itself. */
		break;
	}
}
