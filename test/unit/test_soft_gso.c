/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_tcp.h>

#include "autotest.h"
#include "soft_driver.h"

/* TCP over IPv4 that a driver left to the device to segment, before a port made of rings. */

#define NAME	 "gso"
#define PORT	 "net_ring_" NAME
#define V1	 RTE_BIT64(VIRTIO_F_VERSION_1)
#define CSUM	 RTE_BIT64(VIRTIO_NET_F_CSUM)
#define TSO4	 RTE_BIT64(VIRTIO_NET_F_HOST_TSO4)
#define PORT_MAX 63
#define HDR	 12u
#define L2	 RTE_ETHER_HDR_LEN
#define L3	 sizeof(struct rte_ipv4_hdr)
#define L4	 32u /* with the option that Linux sends */
#define HEADERS	 ((uint32_t)(L2 + L3 + L4))
#define MOST	 65000u
#define FIRST	 0xfffff000u /* sequence numbers wrap */

static struct drv drv;
static struct rte_ring *port_rx, *port_tx;
static uint8_t packet[HDR + HEADERS + MOST];

static int
setup(void)
{
	port_rx = rte_ring_create("gso_rx", PORT_MAX + 1, SOCKET_ID_ANY, 0);
	port_tx = rte_ring_create("gso_tx", PORT_MAX + 1, SOCKET_ID_ANY, 0);
	if (port_rx == NULL || port_tx == NULL)
		return -1;
	return rte_eth_from_rings(NAME, &port_rx, 1, &port_tx, 1, 0) < 0;
}

static int
cleanup(void)
{
	int ret = rte_eal_hotplug_remove("vdev", PORT);

	rte_ring_free(port_rx);
	rte_ring_free(port_tx);
	return ret;
}

/* A packet of so many bytes of payload. */
static void
make(uint32_t payload, uint16_t gso_size)
{
	const struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = gso_size,
		.hdr_len = (uint16_t)HEADERS,
		.csum_start = (uint16_t)(L2 + L3),
		.csum_offset = offsetof(struct rte_tcp_hdr, cksum),
	};
	struct rte_ether_hdr eth = {.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4)};
	struct rte_ipv4_hdr ip = {
		.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)(L3 + L4 + payload)),
		.packet_id = RTE_BE16(0xfffe),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_TCP,
		.src_addr = RTE_BE32(RTE_IPV4(10, 0, 0, 1)),
		.dst_addr = RTE_BE32(RTE_IPV4(10, 0, 0, 2)),
	};
	struct rte_tcp_hdr tcp = {
		.src_port = RTE_BE16(1),
		.dst_port = RTE_BE16(2),
		.sent_seq = RTE_BE32(FIRST),
		.data_off = L4 / 4 << 4,
		.tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG,
	};
	uint32_t i;

	memset(packet, 0, HDR + HEADERS);
	memcpy(packet, &hdr, sizeof(hdr));
	memcpy(packet + HDR, &eth, sizeof(eth));
	memcpy(packet + HDR + L2, &ip, sizeof(ip));
	memcpy(packet + HDR + L2 + L3, &tcp, sizeof(tcp));
	for (i = 0; i < payload; i++)
		packet[HDR + HEADERS + i] = (uint8_t)(i * 7 + i / 256);
}

static void
send_packet(uint32_t payload)
{
	const uint32_t len = HDR + HEADERS + payload;
	struct drv_ring *tx = &drv.ring[1];
	struct drv_slot *slot = drv_slot_get(tx);
	uint32_t written, at, n;

	for (at = 0; at < len; at += n) {
		n = RTE_MIN(len - at, 1021u);
		drv_piece(slot, at, n);
	}
	drv_fill(slot, packet, len);
	drv_post(tx, slot, DRV_DIRECT);
	drv_poll(&drv, 0);
	slot = drv_reap(tx, &written);
	CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
	drv_slot_put(tx, slot);
}

/* One segment that the port sent, beginning with byte @p at of the payload. @return its payload. */
static uint32_t
check_segment(struct rte_mbuf *mbuf, uint32_t at, uint32_t payload)
{
	static uint8_t copy[MOST];
	const uint8_t *data = rte_pktmbuf_read(mbuf, 0, rte_pktmbuf_pkt_len(mbuf), copy);
	uint32_t len = rte_pktmbuf_pkt_len(mbuf) - HEADERS;
	struct rte_ipv4_hdr ip;
	struct rte_tcp_hdr tcp;

	CU_ASSERT_PTR_NOT_NULL_FATAL(data);
	memcpy(&ip, data + L2, sizeof(ip));
	memcpy(&tcp, data + L2 + L3, sizeof(tcp));
	CU_ASSERT_EQUAL(rte_be_to_cpu_16(ip.total_length), L3 + L4 + len);
	CU_ASSERT_EQUAL(rte_raw_cksum(&ip, sizeof(ip)), UINT16_MAX);
	CU_ASSERT_EQUAL(rte_be_to_cpu_32(tcp.sent_seq), FIRST + at);
	CU_ASSERT_EQUAL(rte_ipv4_udptcp_cksum_mbuf_verify(mbuf, &ip, (uint16_t)(L2 + L3)), 0);
	/* The end of what was sent is that of the last segment. */
	CU_ASSERT_EQUAL(tcp.tcp_flags,
		at + len == payload ? RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG
				    : RTE_TCP_ACK_FLAG);
	CU_ASSERT_EQUAL(memcmp(data + HEADERS, packet + HDR + HEADERS + at, len), 0);
	return len;
}

static void
passes(uint32_t payload, uint16_t gso_size)
{
	uint32_t at = 0, len, n = 0;
	void *mbuf;

	make(payload, gso_size);
	send_packet(payload);
	while (rte_ring_dequeue(port_tx, &mbuf) == 0) {
		len = check_segment(mbuf, at, payload);
		CU_ASSERT(len == gso_size || at + len == payload);
		at += len;
		n++;
		rte_pktmbuf_free(mbuf);
	}
	CU_ASSERT_EQUAL(at, payload);
	CU_ASSERT_EQUAL(n, (payload + gso_size - 1) / gso_size);
}

static void
begin(uint64_t features)
{
	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "port=" PORT ",queue_size=256", NULL), 0);
	CU_ASSERT(drv.dev->info.features & TSO4);
	CU_ASSERT(!(drv.dev->info.features & RTE_BIT64(VIRTIO_NET_F_HOST_TSO6)));
	CU_ASSERT(!(drv.dev->info.features & RTE_BIT64(VIRTIO_NET_F_HOST_ECN)));
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1 | features, 256), 0);
}

static void
test_segments(void)
{
	static const uint32_t payloads[] = {1, 1000, 1400, 1401, 2800, 14000, 60000, 63 * 1000};
	unsigned int i, k;

	begin(CSUM | TSO4);
	/* Often enough to find a buffer that is lost each time. */
	for (k = 0; k < 50; k++) {
		for (i = 0; i < RTE_DIM(payloads); i++) {
			passes(payloads[i], 1400);
			if (payloads[i] >= 1000)
				passes(payloads[i], 1000);
		}
	}
	drv_close(&drv);
}

static void
dropped(uint32_t payload)
{
	struct svq_device_stats before, after;

	drv.dev->ops->stats(drv.dev, &before);
	send_packet(payload);
	drv.dev->ops->stats(drv.dev, &after);
	CU_ASSERT_EQUAL(after.tx_drops - before.tx_drops, 1);
	CU_ASSERT_EQUAL(after.ring_errors, 0);
	CU_ASSERT_EQUAL(rte_ring_count(port_tx), 0);
}

/* What makes no sense, or is more than a port is burdened with, costs its packet. */
static void
test_refused(void)
{
	struct virtio_net_hdr hdr;
	struct rte_ipv4_hdr ip;
	unsigned int i;

	begin(CSUM | TSO4);
	make(60000, 1);
	dropped(60000);
	make(60000, 900);
	dropped(60000);
	make(3000, UINT16_MAX);
	dropped(3000);
	make(3000, 1500);
	dropped(3000);
	for (i = 0; i < 6; i++) {
		make(3000, 1000);
		memcpy(&hdr, packet, sizeof(hdr));
		memcpy(&ip, packet + HDR + L2, sizeof(ip));
		switch (i) {
		case 0:
			hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
			break;
		case 1:
			hdr.csum_offset = 6;
			break;
		case 2:
			hdr.csum_start++;
			break;
		case 3:
			ip.next_proto_id = IPPROTO_UDP;
			break;
		case 4:
			ip.fragment_offset = RTE_BE16(1);
			break;
		default:
			/* TCP's header would be longer than the packet's first bytes are. */
			packet[HDR + L2 + L3 + offsetof(struct rte_tcp_hdr, data_off)] = 0x10;
			break;
		}
		memcpy(packet, &hdr, sizeof(hdr));
		memcpy(packet + HDR + L2, &ip, sizeof(ip));
		dropped(3000);
	}
	passes(3000, 1000);
	drv_close(&drv);
	/* A driver that did not accept it. */
	begin(CSUM);
	make(3000, 1000);
	dropped(3000);
	drv_close(&drv);
}

/* A port that takes nothing for a while: what is held is sent once, and in order. */
static void
test_full_port(void)
{
	uint32_t at = 0;
	void *mbuf = NULL;
	int i;

	begin(CSUM | TSO4);
	make(60000, 1000);
	/* 60 of 63 places, then 3 of 60. */
	for (i = 0; i < 2; i++)
		send_packet(60000);
	CU_ASSERT_EQUAL(rte_ring_count(port_tx), PORT_MAX);
	for (i = 0; i < 120; i++) {
		if (rte_ring_dequeue(port_tx, &mbuf) != 0) {
			drv_poll(&drv, 0);
			CU_ASSERT_EQUAL_FATAL(rte_ring_dequeue(port_tx, &mbuf), 0);
		}
		at += check_segment(mbuf, at % 60000, 60000);
		rte_pktmbuf_free(mbuf);
	}
	CU_ASSERT_EQUAL(at, 120000);
	/* Closing gives back what is held. */
	for (i = 0; i < 2; i++)
		send_packet(60000);
	drv_close(&drv);
	while (rte_ring_dequeue(port_tx, &mbuf) == 0)
		rte_pktmbuf_free(mbuf);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_gso", setup, cleanup);

	autotest_add(suite, "segments", test_segments);
	autotest_add(suite, "refused", test_refused);
	autotest_add(suite, "full port", test_full_port);
}

REGISTER_AUTOTEST(soft_gso_autotest, fill)
