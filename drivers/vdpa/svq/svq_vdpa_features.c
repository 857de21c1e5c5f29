/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stddef.h>
#include <string.h>

#include <linux/vhost.h>

#include <rte_common.h>

#include <svq_virtio.h>

#include "svq_vdpa.h"
#include "svq_vdpa_features.h"
#include "vdpa_sdk.h"

#ifndef VIRTIO_F_NOTIFY_ON_EMPTY
#define VIRTIO_F_NOTIFY_ON_EMPTY 24
#endif

/* When a bit is offered to the guest. */
enum offer {
	NEVER_OFFERED,
	IF_DEVICE, /* if the device has it */
	IF_PAIRS,  /* if the device has several queue pairs */
	ALWAYS,
};

/* When a bit that the device offers is accepted. */
enum accept {
	NEVER_TAKEN,
	AS_GUEST, /* if the guest accepted it */
	IF_OFFERED,
};

struct feature {
	uint8_t bit;
	enum offer offer;
	enum accept accept;
	bool lib; /* in the mask of librte_vhost 22.11, without which the guest is not offered it */
	const char *name;
	const char *why;
};

#define F(macro, offer, accept, lib, why)              \
	{                                              \
		macro, offer, accept, lib, #macro, why \
	}

static const struct feature features[] = {
	F(VIRTIO_NET_F_CSUM, IF_DEVICE, AS_GUEST, true,
		"the header that asks for it travels in the buffer"),
	F(VIRTIO_NET_F_GUEST_CSUM, IF_DEVICE, AS_GUEST, true,
		"likewise, in the header of what is received"),
	F(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, NEVER_OFFERED, NEVER_TAKEN, false,
		"a control command, and the guest's control queue ends at the front-end: the "
		"device would not learn"),
	F(VIRTIO_NET_F_MTU, IF_DEVICE, AS_GUEST, true,
		"a configuration field that the front-end presents; one beyond the device's is "
		"logged"),
	F(VIRTIO_NET_F_MAC, IF_DEVICE, AS_GUEST, false,
		"a configuration field that the front-end presents, whatever the back-end offers"),
	F(VIRTIO_NET_F_GSO, IF_DEVICE, AS_GUEST, true,
		"legacy word for all of HOST_TSO4, HOST_TSO6 and HOST_ECN"),
	F(VIRTIO_NET_F_GUEST_TSO4, IF_DEVICE, AS_GUEST, true,
		"the header tells the segments' size; buffers may be as large as the guest likes"),
	F(VIRTIO_NET_F_GUEST_TSO6, IF_DEVICE, AS_GUEST, true, "as GUEST_TSO4"),
	F(VIRTIO_NET_F_GUEST_ECN, IF_DEVICE, AS_GUEST, true, "as GUEST_TSO4"),
	F(VIRTIO_NET_F_GUEST_UFO, IF_DEVICE, AS_GUEST, true, "as GUEST_TSO4"),
	F(VIRTIO_NET_F_HOST_TSO4, IF_DEVICE, AS_GUEST, true, "the header asks for it"),
	F(VIRTIO_NET_F_HOST_TSO6, IF_DEVICE, AS_GUEST, true, "as HOST_TSO4"),
	F(VIRTIO_NET_F_HOST_ECN, IF_DEVICE, AS_GUEST, true, "as HOST_TSO4"),
	F(VIRTIO_NET_F_HOST_UFO, IF_DEVICE, AS_GUEST, true, "as HOST_TSO4"),
	F(VIRTIO_NET_F_MRG_RXBUF, IF_DEVICE, AS_GUEST, true,
		"the device spreads a packet over buffers; the relay returns together what the "
		"device did"),
	F(VIRTIO_NET_F_STATUS, IF_DEVICE, IF_OFFERED, false,
		"a configuration field that the front-end presents; what the device's says is told "
		"to "
		"front-ends that ask"),
	F(VIRTIO_NET_F_CTRL_VQ, ALWAYS, IF_OFFERED, true,
		"the guest's control queue ends at the front-end, the device's at its driver here, "
		"which switches queue pairs with it"),
	F(VIRTIO_NET_F_CTRL_RX, ALWAYS, IF_OFFERED, true,
		"the guest's commands end at the front-end, which filters for it; the device is "
		"told "
		"to receive everything"),
	F(VIRTIO_NET_F_CTRL_VLAN, NEVER_OFFERED, NEVER_TAKEN, false,
		"the filter would be the front-end's, which sees no packet"),
	F(VIRTIO_NET_F_CTRL_RX_EXTRA, NEVER_OFFERED, NEVER_TAKEN, false, "as CTRL_VLAN"),
	F(VIRTIO_NET_F_GUEST_ANNOUNCE, ALWAYS, IF_OFFERED, true,
		"the front-end asks its guest, after a migration; where the device asks, its wish "
		"is "
		"answered"),
	F(VIRTIO_NET_F_MQ, IF_PAIRS, AS_GUEST, true,
		"the front-end switches vrings, the relay the device's pairs"),
	F(VIRTIO_NET_F_CTRL_MAC_ADDR, NEVER_OFFERED, IF_OFFERED, false,
		"the guest's command would end at the front-end; the device is told the address of "
		"mac="),
	F(VIRTIO_F_NOTIFY_ON_EMPTY, NEVER_OFFERED, NEVER_TAKEN, false,
		"legacy; rings are notified as EVENT_IDX or the flags say"),
	F(VHOST_F_LOG_ALL, ALWAYS, NEVER_TAKEN, true,
		"vhost-user's: the relay logs what the device wrote"),
	F(VIRTIO_F_ANY_LAYOUT, IF_DEVICE, AS_GUEST, true,
		"legacy; the relay keeps the layout of a chain"),
	F(VIRTIO_RING_F_INDIRECT_DESC, ALWAYS, IF_OFFERED, true,
		"tables are read here; the device has tables of ours"),
	F(VIRTIO_RING_F_EVENT_IDX, ALWAYS, IF_OFFERED, true,
		"each side's notifications are suppressed in its own way"),
	F(VHOST_USER_F_PROTOCOL_FEATURES, ALWAYS, NEVER_TAKEN, true,
		"vhost-user's: between front-end and librte_vhost"),
	F(VIRTIO_F_VERSION_1, IF_DEVICE, AS_GUEST, true,
		"the header's length depends on it, and headers are not rewritten"),
	F(VIRTIO_F_ACCESS_PLATFORM, NEVER_OFFERED, IF_OFFERED, false,
		"the device has I/O virtual addresses; the guest gives guest-physical ones"),
	F(VIRTIO_F_RING_PACKED, ALWAYS, IF_OFFERED, true,
		"each side has its own ring, of its own format"),
	F(VIRTIO_F_IN_ORDER, ALWAYS, IF_OFFERED, true,
		"what a device without it completes early is held back; what one with it tells in "
		"one entry is told one by one"),
	F(VIRTIO_F_ORDER_PLATFORM, NEVER_OFFERED, IF_OFFERED, false,
		"the barriers before a device are those for a device; to the guest the relay is a "
		"CPU"),
	F(VIRTIO_F_SR_IOV, NEVER_OFFERED, NEVER_TAKEN, false,
		"virtual functions are the host's to make"),
	F(VIRTIO_F_NOTIFICATION_DATA, NEVER_OFFERED, IF_OFFERED, false,
		"kicks tell the device the position; the guest's kicks are eventfds and carry "
		"nothing"),
	F(VIRTIO_F_NOTIF_CONFIG_DATA, NEVER_OFFERED, NEVER_TAKEN, false,
		"of the PCI transport; a queue's own index identifies it"),
	F(VIRTIO_F_RING_RESET, NEVER_OFFERED, IF_OFFERED, false,
		"one queue is reset when memory goes in which the device holds its buffers; for "
		"the guest there is no message"),
	F(VIRTIO_F_ADMIN_VQ, NEVER_OFFERED, NEVER_TAKEN, false, "administration is the host's"),
	F(VIRTIO_F_SUSPEND, NEVER_OFFERED, NEVER_TAKEN, false,
		"a device is stopped by a reset, after which every buffer is accounted for"),
	F(VIRTIO_NET_F_DEVICE_STATS, NEVER_OFFERED, NEVER_TAKEN, false,
		"control commands that the device would not learn"),
	F(VIRTIO_NET_F_HASH_TUNNEL, NEVER_OFFERED, NEVER_TAKEN, false, "as DEVICE_STATS"),
	F(VIRTIO_NET_F_VQ_NOTF_COAL, NEVER_OFFERED, NEVER_TAKEN, false,
		"as DEVICE_STATS, and the relay notifies the guest, not the device"),
	F(VIRTIO_NET_F_NOTF_COAL, NEVER_OFFERED, NEVER_TAKEN, false, "as VQ_NOTF_COAL"),
	F(VIRTIO_NET_F_GUEST_USO4, IF_DEVICE, AS_GUEST, false, "as GUEST_TSO4"),
	F(VIRTIO_NET_F_GUEST_USO6, IF_DEVICE, AS_GUEST, false, "as GUEST_TSO4"),
	F(VIRTIO_NET_F_HOST_USO, IF_DEVICE, AS_GUEST, false, "as HOST_TSO4"),
	F(VIRTIO_NET_F_HASH_REPORT, IF_DEVICE, AS_GUEST, false,
		"the hash is in the header, which then has 20 bytes"),
	F(VIRTIO_NET_F_GUEST_HDRLEN, IF_DEVICE, AS_GUEST, false, "the length is in the header"),
	F(VIRTIO_NET_F_RSS, NEVER_OFFERED, NEVER_TAKEN, false,
		"its key and table are control commands that the device would not learn"),
	F(VIRTIO_NET_F_RSC_EXT, IF_DEVICE, AS_GUEST, false, "its counts are in the header"),
	F(VIRTIO_NET_F_STANDBY, NEVER_OFFERED, NEVER_TAKEN, false,
		"pairing a primary and a standby is the front-end's"),
	F(VIRTIO_NET_F_SPEED_DUPLEX, IF_DEVICE, AS_GUEST, false,
		"configuration fields that the front-end presents"),
};

uint64_t
svq_vdpa_features_offer(uint64_t device, bool pairs)
{
	uint64_t offered = 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(features); i++) {
		const struct feature *f = &features[i];
		uint64_t bit = 1ULL << f->bit;

		if (f->offer == ALWAYS || (f->offer == IF_PAIRS && pairs) ||
			(f->offer == IF_DEVICE && (device & bit)))
			offered |= bit;
	}
	return offered;
}

uint64_t
svq_vdpa_features_accept(uint64_t device, uint64_t guest)
{
	uint64_t accepted = 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(features); i++) {
		const struct feature *f = &features[i];
		uint64_t bit = 1ULL << f->bit;

		if (f->accept == IF_OFFERED || (f->accept == AS_GUEST && (guest & bit)))
			accepted |= device & bit;
	}
	return accepted;
}

uint32_t
svq_vdpa_features_header(uint64_t guest)
{
	if (guest & 1ULL << VIRTIO_NET_F_HASH_REPORT)
		return sizeof(struct virtio_net_hdr_v1_hash);
	if (guest & (1ULL << VIRTIO_NET_F_MRG_RXBUF | 1ULL << VIRTIO_F_VERSION_1))
		return sizeof(struct virtio_net_hdr_mrg_rxbuf);
	return sizeof(struct virtio_net_hdr);
}

static const char *
verdict(const struct feature *f)
{
	if (f->offer == NEVER_OFFERED)
		return f->accept == NEVER_TAKEN ? "masked" : "ends here, device's side";
	if (f->accept == AS_GUEST)
		return "passes";
	return f->accept == NEVER_TAKEN ? "ends here, guest's side" : "ends here, either side";
}

void
svq_vdpa_features_dump(FILE *f)
{
	static const char *const offer[] = {
		[NEVER_OFFERED] = "no",
		[IF_DEVICE] = "if the device has it",
		[IF_PAIRS] = "if there are several pairs",
		[ALWAYS] = "yes",
	};
	static const char *const accept[] = {
		[NEVER_TAKEN] = "no",
		[AS_GUEST] = "if the guest did",
		[IF_OFFERED] = "yes",
	};
	unsigned int i;

	fprintf(f,
		"| bit | feature | verdict | offered to the guest | librte_vhost 22.11 | accepted "
		"from the device | why |\n"
		"|---|---|---|---|---|---|---|\n");
	for (i = 0; i < RTE_DIM(features); i++) {
		const struct feature *row = &features[i];

		fprintf(f, "| %u | %s | %s | %s | %s | %s | %s |\n", row->bit, row->name,
			verdict(row), offer[row->offer],
			row->offer == NEVER_OFFERED ? ""
				: row->lib	    ? "yes"
						    : "masks it",
			accept[row->accept], row->why);
	}
}
