/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>

#include "autotest.h"
#include "soft_driver.h"

#define V1    RTE_BIT64(VIRTIO_F_VERSION_1)
#define MRG   RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)
#define IND   RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT RTE_BIT64(VIRTIO_RING_F_EVENT_IDX)

#define MAX_PAYLOAD (64 * 1024)

static struct drv drv;
static unsigned int seed;
static uint8_t sent[16 + MAX_PAYLOAD], got[16 + MAX_PAYLOAD];

static uint32_t
pick(uint32_t n)
{
	return (uint32_t)rand_r(&seed) % n;
}

/* Bytes that name their packet. */
static void
make_payload(uint8_t *data, uint32_t len, uint32_t packet)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		data[i] = (uint8_t)(packet * 31 + i * 7 + (i >> 8));
}

/* Cut len bytes into up to max pieces at random, with gaps in between. */
static void
cut(struct drv_slot *slot, uint32_t len, unsigned int max)
{
	uint32_t off = 0, gaps = DRV_SLOT_SIZE - len;
	unsigned int left = 1 + pick(RTE_MIN(max, len));

	for (; left > 0; left--) {
		uint32_t n = left == 1 ? len : 1 + pick(RTE_MIN(len - (left - 1), 2 * len / left));
		uint32_t gap = pick(RTE_MIN(gaps + 1, UINT32_C(64)));

		drv_piece(slot, off + gap, n);
		off += gap + n;
		gaps -= gap;
		len -= n;
	}
}

static enum drv_layout
pick_layout(void)
{
	return drv.features & IND ? (enum drv_layout)pick(3) : DRV_DIRECT;
}

/* Post receive chains of some shape until the ring or the slots are full. Together they hold the
 * longest packet; one alone does only where it must. */
static void
post_rx(struct drv_ring *rx, unsigned int max_pieces)
{
	uint32_t len = drv.hdr_len + MAX_PAYLOAD, least;

	least = RTE_MAX(UINT32_C(2048), drv.hdr_len + 2 * MAX_PAYLOAD * max_pieces / rx->size);
	while (drv_fits(rx, max_pieces, DRV_DIRECT)) {
		struct drv_slot *slot = drv_slot_get(rx);

		if (drv.features & MRG)
			len = least + pick(pick(2) ? 1024 : 50000);
		cut(slot, len, max_pieces);
		drv_post(rx, slot, pick_layout());
	}
}

/* Collect one packet from the receive ring; its payload length, 0: none. */
static uint32_t
collect(struct drv_ring *rx, uint8_t *data)
{
	uint32_t len, total = 0, want = 1, n;
	uint8_t part[DRV_SLOT_SIZE];
	struct drv_slot *slot;

	for (n = 0; n < want; n++) {
		slot = drv_reap(rx, &len);
		if (slot == NULL) {
			CU_ASSERT_EQUAL(n, 0);
			return 0;
		}
		CU_ASSERT_FATAL(len <= sizeof(part) && total + len <= sizeof(got));
		drv_read(slot, part, len);
		memcpy(data + total, part, len);
		total += len;
		if (n == 0) {
			struct virtio_net_hdr_mrg_rxbuf hdr;

			CU_ASSERT_FATAL(len >= drv.hdr_len);
			memcpy(&hdr, part, sizeof(hdr));
			want = drv.hdr_len == 12 ? hdr.num_buffers : 1;
			CU_ASSERT_FATAL(want >= 1 && (drv.features & MRG || want == 1));
			CU_ASSERT_EQUAL(hdr.hdr.flags, 0);
			CU_ASSERT_EQUAL(hdr.hdr.gso_type, 0);
		}
		drv_slot_put(rx, slot);
	}
	memmove(data, data + drv.hdr_len, total - drv.hdr_len);
	return total - drv.hdr_len;
}

static void
send(struct drv_ring *tx, const uint8_t *payload, uint32_t len, unsigned int max_pieces,
	enum drv_layout layout)
{
	struct drv_slot *slot = drv_slot_get(tx);
	static uint8_t frame[12 + MAX_PAYLOAD];

	/* What the driver writes into its header must not matter. */
	memset(frame, 0xee, drv.hdr_len);
	memcpy(frame + drv.hdr_len, payload, len);
	cut(slot, drv.hdr_len + len, max_pieces);
	drv_fill(slot, frame, drv.hdr_len + len);
	drv_post(tx, slot, layout);
}

static void
reap_tx(struct drv_ring *tx)
{
	struct drv_slot *slot;
	uint32_t len;

	while ((slot = drv_reap(tx, &len)) != NULL) {
		CU_ASSERT_EQUAL(len, 0);
		drv_slot_put(tx, slot);
	}
}

static void
check_stats(uint64_t packets)
{
	struct svq_device_stats stats;

	drv.dev->ops->stats(drv.dev, &stats);
	CU_ASSERT_EQUAL(stats.tx_packets, packets);
	CU_ASSERT_EQUAL(stats.rx_packets, packets);
	CU_ASSERT_EQUAL(stats.rx_drops + stats.tx_drops, 0);
	CU_ASSERT_EQUAL(stats.iommu_faults + stats.ring_errors, 0);
	CU_ASSERT(stats.translations > packets);
	CU_ASSERT_EQUAL(drv.dev->ops->status(drv.dev), SVQ_DEVICE_S_DRIVER_OK);
}

/* Packets of random length and shape, several at a time, on both pairs, in order. */
static void
loop_shapes(uint64_t features, uint16_t size, unsigned int rounds)
{
	uint32_t lens[8];
	unsigned int i, j, n, pieces;
	uint64_t packets = 0;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "queues=2,queue_size=1024", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, features, size), 0);
	for (i = 0; i < rounds; i++) {
		uint16_t pair = (uint16_t)pick(2);
		struct drv_ring *rx = &drv.ring[2 * pair], *tx = &drv.ring[2 * pair + 1];

		pieces = 1 + pick(RTE_MIN(size, 64));
		for (n = 0; n < RTE_DIM(lens) && drv_fits(tx, pieces, DRV_DIRECT); n++) {
			lens[n] = 1 + pick(pick(2) ? 1514 : MAX_PAYLOAD);
			make_payload(sent, lens[n], i * 8 + n);
			send(tx, sent, lens[n], pieces, pick_layout());
		}
		pieces = 1 + pick(RTE_MIN(size / 2, 64));
		for (j = 0; j < n;) {
			post_rx(rx, pieces);
			CU_ASSERT_NOT_EQUAL_FATAL(drv_poll(&drv, pair), 0);
			for (; j < n; j++) {
				uint32_t len = collect(rx, got);

				if (len == 0)
					break;
				CU_ASSERT_EQUAL_FATAL(len, lens[j]);
				make_payload(sent, len, i * 8 + j);
				CU_ASSERT_EQUAL_FATAL(memcmp(sent, got, len), 0);
				packets++;
			}
		}
		reap_tx(tx);
		CU_ASSERT_EQUAL(tx->n_free, tx->size);
	}
	check_stats(packets);
	for (i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(drv.ring[i].kicks, 0);
	drv_close(&drv);
}

static void
test_shapes_mergeable(void)
{
	seed = (unsigned int)autotest_seed();
	loop_shapes(V1 | MRG | IND | EVENT, 256, 3000);
	loop_shapes(V1 | MRG, 64, 1000);
}

static void
test_shapes_plain(void)
{
	seed = (unsigned int)autotest_seed();
	loop_shapes(V1 | IND, 256, 3000);
	loop_shapes(V1 | EVENT, 1024, 1000);
}

static void
test_shapes_legacy(void)
{
	seed = (unsigned int)autotest_seed();
	loop_shapes(0, 256, 1000);
	loop_shapes(IND, 2, 1000);
	loop_shapes(MRG | EVENT, 128, 1000);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_device", NULL, NULL);

	autotest_add(suite, "chain shapes, mergeable buffers", test_shapes_mergeable);
	autotest_add(suite, "chain shapes, one buffer a packet", test_shapes_plain);
	autotest_add(suite, "chain shapes, legacy", test_shapes_legacy);
}

REGISTER_AUTOTEST(soft_device_autotest, fill)
