/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "random.h"
#include "soft_driver.h"
#include "soft_offload.h"

/* Checksums and segmentation that driver and software device leave to each other, by loopback. */

#define V1	   RTE_BIT64(VIRTIO_F_VERSION_1)
#define PACKED	   RTE_BIT64(VIRTIO_F_RING_PACKED)
#define MRG	   RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)
#define CSUM	   RTE_BIT64(VIRTIO_NET_F_CSUM)
#define GUEST_CSUM RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM)
#define HDR	   sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define MAX	   16384u

static struct drv drv;
static uint8_t sent[HDR + MAX], got[HDR + MAX];
static bool posted; /* a receive buffer, by a packet that was dropped */

static struct svq_device_stats
stats(void)
{
	struct svq_device_stats s;

	drv.dev->ops->stats(drv.dev, &s);
	return s;
}

/* Cut a slot's first @p len bytes into pieces of odd and even sizes. */
static void
cut(struct drv_slot *slot, uint32_t len, uint32_t step)
{
	uint32_t at = 0, n;

	for (; at < len; at += n) {
		n = RTE_MIN(step, len - at);
		drv_piece(slot, at, n);
	}
}

/* Send one packet to itself, with receive buffers cut otherwise. @return whether it came back; if
 * not, the next one of the same length finds its buffer. */
static bool
pass(const struct virtio_net_hdr *hdr, uint32_t len, uint32_t tx_step, uint32_t rx_step)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];
	struct virtio_net_hdr_mrg_rxbuf mrg = {.hdr = *hdr};
	struct drv_slot *slot;
	uint32_t written, i;

	memcpy(sent, &mrg, HDR);
	for (i = 0; i < len; i++)
		sent[HDR + i] = (uint8_t)(i * 7 + i / 256);
	slot = drv_slot_get(tx);
	cut(slot, HDR + len, tx_step);
	drv_fill(slot, sent, HDR + len);
	drv_post(tx, slot, DRV_DIRECT);
	if (!posted) {
		slot = drv_slot_get(rx);
		cut(slot, HDR + len, rx_step);
		drv_post(rx, slot, DRV_DIRECT);
	}
	drv_poll(&drv, 0);
	slot = drv_reap(tx, &written);
	CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
	drv_slot_put(tx, slot);
	slot = drv_reap(rx, &written);
	posted = slot == NULL;
	if (posted)
		return false;
	CU_ASSERT_EQUAL(written, HDR + len);
	drv_read(slot, got, HDR + len);
	drv_slot_put(rx, slot);
	return true;
}

/* As pass(), of a packet that is to be dropped. */
static void
dropped(const struct virtio_net_hdr *hdr, uint32_t len, unsigned int rx_drops,
	unsigned int tx_drops)
{
	static const struct virtio_net_hdr plain;
	struct svq_device_stats before = stats(), after;

	CU_ASSERT_FALSE(pass(hdr, len, 4000, 4000));
	after = stats();
	CU_ASSERT_EQUAL(after.rx_drops - before.rx_drops, rx_drops);
	CU_ASSERT_EQUAL(after.tx_drops - before.tx_drops, tx_drops);
	CU_ASSERT_EQUAL(after.ring_errors, 0);
	CU_ASSERT(pass(&plain, len, 4000, 4000));
	CU_ASSERT_EQUAL(memcmp(got + HDR, sent + HDR, len), 0);
}

static void
begin(uint64_t features)
{
	posted = false;
	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1,queue_size=512", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, V1 | MRG | features, 512), 0);
}

/* Ones' complement sum, byte by byte. */
static uint16_t
plain_sum(const uint8_t *data, uint32_t len)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? data[i] << 8 : data[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The checksum is done for a driver that does not do it, however the packet lies in memory. */
static void
test_checksum(void)
{
	static const uint32_t steps[] = {4096, 1, 2, 3, 7, 64, 255, 1021};
	struct virtio_net_hdr hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM};
	unsigned int i, k;
	uint16_t want;
	uint32_t len;

	for (i = 0; i < 2; i++) {
		begin(CSUM | (i ? PACKED : 0));
		for (k = 0; k < 400; k++) {
			uint32_t step = steps[k % RTE_DIM(steps)];
			uint32_t field;

			len = 60 + k % 100;
			hdr.csum_start = (uint16_t)(k % 50);
			hdr.csum_offset = (uint16_t)(k % 9);
			field = hdr.csum_start + hdr.csum_offset;
			CU_ASSERT_FATAL(pass(&hdr, len, steps[k / 8 % RTE_DIM(steps)], step));
			CU_ASSERT_EQUAL(((struct virtio_net_hdr *)got)->flags, 0);
			/* All but the field is as it was. */
			CU_ASSERT_EQUAL(memcmp(got + HDR, sent + HDR, field), 0);
			CU_ASSERT_EQUAL(memcmp(got + HDR + field + 2, sent + HDR + field + 2,
						len - field - 2),
				0);
			want = (uint16_t)~plain_sum(
				sent + HDR + hdr.csum_start, len - hdr.csum_start);
			CU_ASSERT_EQUAL(got[HDR + field] << 8 | got[HDR + field + 1],
				want != 0 ? want : UINT16_MAX);
		}
		drv_close(&drv);
	}
}

/* A driver that takes what it asks for gets it back as it was, and nothing else. */
static void
test_as_is(void)
{
	static const struct {
		uint8_t type;
		uint64_t host, guest;
	} gso[] = {
		{VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_GUEST_TSO4},
		{VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_GUEST_TSO6},
		{VIRTIO_NET_HDR_GSO_UDP, VIRTIO_NET_F_HOST_UFO, VIRTIO_NET_F_GUEST_UFO},
		{VIRTIO_NET_HDR_GSO_UDP_L4, VIRTIO_NET_F_HOST_USO, VIRTIO_NET_F_GUEST_USO4},
	};
	const uint64_t uso6 = RTE_BIT64(VIRTIO_NET_F_GUEST_USO6);
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID,
		.hdr_len = 54,
		.csum_start = 34,
		.csum_offset = 16,
	};
	struct virtio_net_hdr want;
	unsigned int i;

	for (i = 0; i < RTE_DIM(gso); i++) {
		uint64_t host = CSUM | RTE_BIT64(gso[i].host),
			 guest = GUEST_CSUM | RTE_BIT64(gso[i].guest) |
			(gso[i].type == VIRTIO_NET_HDR_GSO_UDP_L4 ? uso6 : 0);

		hdr.gso_type = gso[i].type;
		hdr.gso_size = 1400;
		want = hdr;
		want.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		begin(host | guest);
		CU_ASSERT_FATAL(pass(&hdr, 9000, 4000, 1000));
		CU_ASSERT_EQUAL(memcmp(got, &want, sizeof(want)), 0);
		CU_ASSERT_EQUAL(memcmp(got + HDR, sent + HDR, 9000), 0);
		/* With ECN only if that was accepted, too. */
		hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
		dropped(&hdr, 9000, 0, 1);
		drv_close(&drv);
		hdr.gso_type = gso[i].type;

		begin(host);
		dropped(&hdr, 9000, 1, 0);
		drv_close(&drv);
		begin(host | (guest & ~GUEST_CSUM));
		dropped(&hdr, 9000, 1, 0);
		drv_close(&drv);
		/* Not offered to it: it may not ask for it. */
		begin(CSUM | guest);
		dropped(&hdr, 9000, 0, 1);
		drv_close(&drv);
	}
	begin(CSUM | GUEST_CSUM | RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) |
		RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_HOST_ECN) |
		RTE_BIT64(VIRTIO_NET_F_GUEST_ECN));
	hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN;
	CU_ASSERT_FATAL(pass(&hdr, 9000, 4000, 4000));
	CU_ASSERT_EQUAL(((struct virtio_net_hdr *)got)->gso_type, hdr.gso_type);
	drv_close(&drv);
}

/* What the driver wrote into a header counts for nothing if no offload was accepted. */
static void
test_ignored(void)
{
	struct virtio_net_hdr hdr, zero;

	memset(&hdr, 0xff, sizeof(hdr));
	memset(&zero, 0, sizeof(zero));
	begin(0);
	CU_ASSERT_FATAL(pass(&hdr, 100, 4000, 4000));
	CU_ASSERT_EQUAL(memcmp(got, &zero, sizeof(zero)), 0);
	CU_ASSERT_EQUAL(memcmp(got + HDR, sent + HDR, 100), 0);
	drv_close(&drv);
}

/* Headers that make no sense cost their packet. */
static void
test_nonsense(void)
{
	const struct virtio_net_hdr good = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = 34,
		.csum_offset = 16,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = 1000,
	};
	struct virtio_net_hdr bad;
	unsigned int i;

	begin(CSUM | GUEST_CSUM | RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) |
		RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4));
	CU_ASSERT(pass(&good, 100, 4000, 4000));
	bad = good;
	bad.csum_start = 83;
	dropped(&bad, 100, 0, 1);
	bad.csum_start = UINT16_MAX;
	bad.csum_offset = UINT16_MAX;
	dropped(&bad, 100, 0, 1);
	bad = good;
	bad.flags = 0;
	dropped(&bad, 100, 0, 1);
	bad = good;
	bad.gso_size = 0;
	dropped(&bad, 100, 0, 1);
	for (i = 2; i < 256; i++) {
		bad = good;
		bad.gso_type = (uint8_t)i;
		if (i != VIRTIO_NET_HDR_GSO_TCPV4)
			dropped(&bad, 100, 0, 1);
	}
	drv_close(&drv);
}

/* Any header: no fault, and nothing lost but what is dropped. */
static void
test_at_random(void)
{
	struct virtio_net_hdr hdr;
	uint8_t *bytes = (uint8_t *)&hdr;
	unsigned int i, k, came = 0;
	struct svq_device_stats s;
	uint64_t rnd = 7;

	begin(SOFT_OFFLOADS);
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < sizeof(hdr); k++)
			bytes[k] = (uint8_t)random_below(&rnd, random_below(&rnd, 3) ? 6 : 256);
		came += pass(&hdr, 500, 1000, 1000);
	}
	s = stats();
	CU_ASSERT(came > 0);
	CU_ASSERT_EQUAL(s.rx_packets, came);
	CU_ASSERT_EQUAL(s.rx_packets + s.rx_drops + s.tx_drops, s.tx_packets);
	CU_ASSERT_EQUAL(s.ring_errors, 0);
	CU_ASSERT_EQUAL(s.iommu_faults, 0);
	drv_close(&drv);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_offload", NULL, NULL);

	autotest_add(suite, "checksum in software", test_checksum);
	autotest_add(suite, "as it was", test_as_is);
	autotest_add(suite, "ignored", test_ignored);
	autotest_add(suite, "headers that make no sense", test_nonsense);
	autotest_add(suite, "headers at random", test_at_random);
}

REGISTER_AUTOTEST(soft_offload_autotest, fill)
