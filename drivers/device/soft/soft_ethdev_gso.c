/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>

#include <rte_gso.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>

#include "soft_ethdev_gso.h"

/* Where the headers are. @return whether it is what the driver says: TCP over IPv4, in one piece,
 * to be summed up from the TCP header on. */
static bool
find_headers(const struct soft_net *net, const struct rte_mbuf *mbuf, struct rte_net_hdr_lens *lens)
{
	const struct virtio_net_hdr *hdr = &net->hdr.hdr;
	uint32_t ptype = rte_net_get_ptype(
		mbuf, lens, RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);

	return hdr->gso_type == VIRTIO_NET_HDR_GSO_TCPV4 && RTE_ETH_IS_IPV4_HDR(ptype) &&
		(ptype & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP &&
		lens->l4_len >= sizeof(struct rte_tcp_hdr) &&
		lens->l2_len + lens->l3_len + lens->l4_len <= mbuf->data_len &&
		hdr->csum_start == lens->l2_len + lens->l3_len &&
		hdr->csum_offset == offsetof(struct rte_tcp_hdr, cksum);
}

/* The checksums of a segment: the library leaves them, and what the header asked for. */
static void
finish(const struct soft_port *port, const struct rte_net_hdr_lens *lens, struct rte_mbuf *seg)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(seg, struct rte_ipv4_hdr *, lens->l2_len);
	struct rte_tcp_hdr *tcp = RTE_PTR_ADD(ip, lens->l3_len);

	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_raw_cksum(ip, lens->l3_len) ^ UINT16_MAX;
	tcp->cksum = 0;
	seg->tx_offload = 0;
	seg->ol_flags = 0;
	if (port->offload.tx == 0) {
		tcp->cksum = rte_ipv4_udptcp_cksum_mbuf(
			seg, ip, (uint16_t)(lens->l2_len + lens->l3_len));
		return;
	}
	seg->l2_len = lens->l2_len;
	seg->l3_len = lens->l3_len;
	seg->l4_len = lens->l4_len;
	seg->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
}

int
soft_port_gso(const struct soft_port *port, const struct soft_net *net, struct rte_mbuf *mbuf,
	struct rte_mbuf **segs)
{
	struct rte_gso_ctx ctx = {
		.direct_pool = port->pool,
		.indirect_pool = port->pool,
		.gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO,
	};
	struct rte_net_hdr_lens lens;
	uint32_t headers, frame;
	int n, i;

	if (!find_headers(net, mbuf, &lens))
		return 0;
	headers = lens.l2_len + lens.l3_len + lens.l4_len;
	frame = headers + net->hdr.hdr.gso_size;
	if (frame > RTE_MIN(port->max_frame, (uint32_t)UINT16_MAX) ||
		net->len - headers > (uint32_t)net->hdr.hdr.gso_size * SOFT_PORT_SEGS)
		return 0;
	mbuf->l2_len = lens.l2_len;
	mbuf->l3_len = lens.l3_len;
	mbuf->l4_len = lens.l4_len;
	mbuf->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4;
	ctx.gso_size = (uint16_t)frame;
	n = rte_gso_segment(mbuf, &ctx, segs, SOFT_PORT_SEGS);
	if (n == 0 && net->len <= frame) {
		/* One segment. */
		rte_mbuf_refcnt_update(mbuf, 1);
		segs[n++] = mbuf;
	}
	if (n <= 0)
		return n == -ENOMEM ? n : 0;
	for (i = 0; i < n; i++)
		finish(port, &lens, segs[i]);
	if (likely(rte_eth_tx_prepare(port->id, net->pair->index, segs, (uint16_t)n) == n))
		return n;
	/* All or nothing: what is dropped is counted by packets. */
	rte_pktmbuf_free_bulk(segs, (unsigned int)n);
	return 0;
}
