/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_OFFLOAD_H
#define SOFT_OFFLOAD_H

/**
 * @file
 * Work on packets that driver and device leave to each other: checksums and segmentation, as the
 * virtio-net header asks for them (virtio 1.2, 5.1.6.2 and 5.1.6.4).
 *
 * Concepts
 *
 * HOST features say what the driver may leave to the device in what it sends, GUEST features what
 * the device may leave to the driver in what it receives. A header is made of guest memory that
 * anybody may write: it is read once, and one that makes no sense costs its packet.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_bitops.h>

#include <svq_virtio.h>

#include "soft_ring.h"

/** What is sent, and what is received. */
#define SOFT_OFFLOADS_HOST                                                             \
	(RTE_BIT64(VIRTIO_NET_F_CSUM) | RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) |            \
		RTE_BIT64(VIRTIO_NET_F_HOST_TSO6) | RTE_BIT64(VIRTIO_NET_F_HOST_ECN) | \
		RTE_BIT64(VIRTIO_NET_F_HOST_UFO) | RTE_BIT64(VIRTIO_NET_F_HOST_USO))
#define SOFT_OFFLOADS_GUEST                                                              \
	(RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) |       \
		RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6) | RTE_BIT64(VIRTIO_NET_F_GUEST_ECN) | \
		RTE_BIT64(VIRTIO_NET_F_GUEST_UFO) | RTE_BIT64(VIRTIO_NET_F_GUEST_USO4) | \
		RTE_BIT64(VIRTIO_NET_F_GUEST_USO6))
#define SOFT_OFFLOADS (SOFT_OFFLOADS_HOST | SOFT_OFFLOADS_GUEST)

/** A segmentation of virtio_net_hdr.gso_type, without VIRTIO_NET_HDR_GSO_ECN. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/** What was negotiated. */
struct soft_offload {
	bool host;	   /**< the driver may ask for something */
	bool host_csum;	   /**< a checksum */
	uint8_t host_gso;  /**< bit T: a segmentation of type T */
	bool host_ecn;	   /**< ... of TCP with ECN */
	bool guest_csum;   /**< the driver takes packets without a checksum */
	uint8_t guest_gso; /**< bit T: it takes packets that are not segmented */
	bool guest_ecn;
};

void soft_offload_init(struct soft_offload *offload, uint64_t features);

/**
 * Check the header of a packet of @p len bytes that the driver sent. What it may not ask for is
 * cleared.
 *
 * @return false: it makes no sense.
 */
bool
soft_offload_valid(const struct soft_offload *offload, struct virtio_net_hdr *hdr, uint32_t len);

/** How the driver can receive a packet. */
enum soft_offload_way {
	SOFT_OFFLOAD_AS_IS,    /**< with this header */
	SOFT_OFFLOAD_CHECKSUM, /**< when soft_offload_checksum() was done */
	SOFT_OFFLOAD_NEVER,    /**< not without segmentation */
};

enum soft_offload_way
soft_offload_way(const struct soft_offload *offload, const struct virtio_net_hdr *hdr);

/**
 * Do the checksum that a header asks for.
 *
 * @param bufs
 *   Pieces that begin @p skip bytes before the packet.
 * @param len
 *   Bytes of the packet; soft_offload_valid() for this header.
 */
void soft_offload_checksum(
	const struct soft_buf *bufs, uint32_t skip, const struct virtio_net_hdr *hdr, uint32_t len);

#endif /* SOFT_OFFLOAD_H */
