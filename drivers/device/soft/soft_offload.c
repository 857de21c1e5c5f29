/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_ip.h>

#include "soft_offload.h"

static bool
has(uint64_t features, unsigned int bit)
{
	return (features & RTE_BIT64(bit)) != 0;
}

void
soft_offload_init(struct soft_offload *offload, uint64_t features)
{
	bool uso = has(features, VIRTIO_NET_F_GUEST_USO4) && has(features, VIRTIO_NET_F_GUEST_USO6);

	offload->host = (features & SOFT_OFFLOADS_HOST) != 0;
	offload->host_csum = has(features, VIRTIO_NET_F_CSUM);
	offload->host_ecn = has(features, VIRTIO_NET_F_HOST_ECN);
	offload->host_gso = has(features, VIRTIO_NET_F_HOST_TSO4) << VIRTIO_NET_HDR_GSO_TCPV4 |
		has(features, VIRTIO_NET_F_HOST_TSO6) << VIRTIO_NET_HDR_GSO_TCPV6 |
		has(features, VIRTIO_NET_F_HOST_UFO) << VIRTIO_NET_HDR_GSO_UDP |
		has(features, VIRTIO_NET_F_HOST_USO) << VIRTIO_NET_HDR_GSO_UDP_L4;
	offload->guest_csum = has(features, VIRTIO_NET_F_GUEST_CSUM);
	offload->guest_ecn = has(features, VIRTIO_NET_F_GUEST_ECN);
	offload->guest_gso = has(features, VIRTIO_NET_F_GUEST_TSO4) << VIRTIO_NET_HDR_GSO_TCPV4 |
		has(features, VIRTIO_NET_F_GUEST_TSO6) << VIRTIO_NET_HDR_GSO_TCPV6 |
		has(features, VIRTIO_NET_F_GUEST_UFO) << VIRTIO_NET_HDR_GSO_UDP |
		uso << VIRTIO_NET_HDR_GSO_UDP_L4;
}

/* Whether a set of segmentations holds a header's. */
static bool
in_set(uint8_t set, bool ecn, uint8_t gso_type)
{
	uint8_t type = gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

	return type < 8 && (set >> type & 1) && (ecn || !(gso_type & VIRTIO_NET_HDR_GSO_ECN));
}

bool
soft_offload_valid(const struct soft_offload *offload, struct virtio_net_hdr *hdr, uint32_t len)
{
	/* virtio 1.2, 5.1.6.2: the driver sets none of the others. */
	hdr->flags &= offload->host_csum ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0;
	if (hdr->flags == 0) {
		hdr->csum_start = 0;
		hdr->csum_offset = 0;
	} else if ((uint32_t)hdr->csum_start + hdr->csum_offset + sizeof(uint16_t) > len) {
		return false;
	}
	if (hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
		hdr->gso_size = 0;
		return true;
	}
	/* Each segment has a checksum of its own. */
	return in_set(offload->host_gso, offload->host_ecn, hdr->gso_type) && hdr->gso_size != 0 &&
		hdr->flags != 0;
}

enum soft_offload_way
soft_offload_way(const struct soft_offload *offload, const struct virtio_net_hdr *hdr)
{
	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE &&
		!(offload->guest_csum &&
			in_set(offload->guest_gso, offload->guest_ecn, hdr->gso_type)))
		return SOFT_OFFLOAD_NEVER;
	return hdr->flags == 0 || offload->guest_csum ? SOFT_OFFLOAD_AS_IS : SOFT_OFFLOAD_CHECKSUM;
}

/* The byte at an offset of a list of pieces. */
static uint8_t *
byte_at(const struct soft_buf *bufs, uint32_t off)
{
	for (; off >= bufs->len; bufs++)
		off -= bufs->len;
	return bufs->addr + off;
}

void
soft_offload_checksum(
	const struct soft_buf *bufs, uint32_t skip, const struct virtio_net_hdr *hdr, uint32_t len)
{
	uint32_t field = skip + hdr->csum_start + hdr->csum_offset;
	uint32_t off = skip + hdr->csum_start, left = len - hdr->csum_start, done = 0;
	const struct soft_buf *buf;
	uint32_t sum = 0, n;
	uint16_t part;

	/* The field holds the pseudo header's sum. */
	for (buf = bufs; left > 0; buf++) {
		if (off >= buf->len) {
			off -= buf->len;
			continue;
		}
		n = RTE_MIN(buf->len - off, left);
		part = rte_raw_cksum(buf->addr + off, n);
		/* A piece that begins at an odd byte is summed the other way round. */
		sum += done % 2 == 0 ? part : rte_bswap16(part);
		done += n;
		left -= n;
		off = 0;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	part = (uint16_t)~sum;
	/* 0 says that there is none; both are the same number. */
	if (part == 0)
		part = UINT16_MAX;
	*byte_at(bufs, field) = ((const uint8_t *)&part)[0];
	*byte_at(bufs, field + 1) = ((const uint8_t *)&part)[1];
}
