/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "autotest.h"
#include "soft.h"
#include "soft_traffic.h"

/* Packets through the software device's back-end loopback. */

#define V1    RTE_BIT64(VIRTIO_F_VERSION_1)
#define MRG   RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)
#define IND   RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC)
#define EVENT RTE_BIT64(VIRTIO_RING_F_EVENT_IDX)

#define PACKED RTE_BIT64(VIRTIO_F_RING_PACKED)

static struct drv drv;
static uint8_t sent[16 + DRV_MAX_PAYLOAD], got[16 + DRV_MAX_PAYLOAD];

/* Bytes that name their packet. */
static void
make_payload(uint8_t *data, uint32_t len, uint32_t packet)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		data[i] = (uint8_t)(packet * 31 + i * 7 + (i >> 8));
}

static enum drv_layout
pick_layout(void)
{
	return drv.features & IND ? (enum drv_layout)drv_pick(3) : DRV_DIRECT;
}

/* Post receive chains of some shape until the ring or the slots are full. Together they hold the
 * longest packet; one alone does only where it must. */
static void
post_rx(struct drv_ring *rx, unsigned int max_pieces)
{
	uint32_t len = drv.hdr_len + DRV_MAX_PAYLOAD, least;

	least = RTE_MAX(UINT32_C(2048), drv.hdr_len + 2 * DRV_MAX_PAYLOAD * max_pieces / rx->size);
	while (drv_fits(rx, max_pieces, DRV_DIRECT)) {
		struct drv_slot *slot = drv_slot_get(rx);

		if (drv.features & MRG)
			len = least + drv_pick(drv_pick(2) ? 1024 : 50000);
		drv_cut(slot, len, max_pieces);
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

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "queues=2,queue_size=1024,packed=1", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, features, size), 0);
	for (i = 0; i < rounds; i++) {
		uint16_t pair = (uint16_t)drv_pick(2);
		struct drv_ring *rx = &drv.ring[2 * pair], *tx = &drv.ring[2 * pair + 1];

		pieces = 1 + drv_pick(RTE_MIN(size, 64));
		for (n = 0; n < RTE_DIM(lens) && drv_fits(tx, pieces, DRV_DIRECT); n++) {
			lens[n] = 1 + drv_pick(drv_pick(2) ? 1514 : DRV_MAX_PAYLOAD);
			make_payload(sent, lens[n], i * 8 + n);
			drv_transmit(&drv, tx, sent, lens[n], pieces, pick_layout());
		}
		pieces = 1 + drv_pick(size < 4 ? 1 : RTE_MIN(size / 2, 64));
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
		drv_reap_tx(tx);
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
	drv_seed((unsigned int)autotest_seed());
	loop_shapes(V1 | MRG | IND | EVENT, 256, 3000);
	loop_shapes(V1 | MRG, 64, 1000);
}

static void
test_shapes_plain(void)
{
	drv_seed((unsigned int)autotest_seed());
	loop_shapes(V1 | IND, 256, 3000);
	loop_shapes(V1 | EVENT, 1024, 1000);
}

static void
test_shapes_legacy(void)
{
	drv_seed((unsigned int)autotest_seed());
	loop_shapes(0, 256, 1000);
	loop_shapes(IND, 2, 1000);
	loop_shapes(MRG | EVENT, 128, 1000);
}

static void
test_shapes_packed(void)
{
	drv_seed((unsigned int)autotest_seed());
	loop_shapes(V1 | PACKED | MRG | IND | EVENT, 256, 1000);
	loop_shapes(V1 | PACKED | MRG, 64, 1000);
	loop_shapes(V1 | PACKED | IND, 1024, 1000);
	loop_shapes(V1 | PACKED | EVENT, 333, 1000);
}

/* A packed ring may have any size. */
static void
test_shapes_odd_sizes(void)
{
	static const uint16_t sizes[] = {2, 3, 5, 7, 31, 33, 100, 255, 257, 1000, 1023};
	unsigned int i;

	drv_seed((unsigned int)autotest_seed());
	loop_shapes(V1 | PACKED, 1, 500);
	loop_shapes(V1 | PACKED | IND, 1, 500);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		loop_shapes(V1 | PACKED | IND, sizes[i], 200);
		loop_shapes(V1 | PACKED | MRG | IND, sizes[i], 200);
		loop_shapes(V1 | PACKED | MRG, sizes[i], 200);
	}
}

/* Without room a packet stays with the driver, and receive buffers as they were. */
static void
back_pressure(uint64_t format)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];
	uint32_t len;

	drv_open_start(&drv, "backend=loopback,packed=1", format | V1 | MRG | EVENT, 128);
	make_payload(sent, DRV_MAX_PAYLOAD, 1);
	drv_transmit(&drv, tx, sent, DRV_MAX_PAYLOAD, 3, DRV_DIRECT);
	drv_transmit(&drv, tx, sent, 100, 1, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	CU_ASSERT(!drv_used(tx));
	memset(drv.rx, 0xc5, DRV_AREA_SIZE);
	for (len = 0; len < DRV_MAX_PAYLOAD + 12 - 2048; len += 2048) {
		drv_post_even(rx, 1024, 2, DRV_DIRECT);
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	}
	CU_ASSERT(!drv_used(tx));
	CU_ASSERT(!drv_used(rx));
	CU_ASSERT(drv.rx[0] == 0xc5 && memcmp(drv.rx, drv.rx + 1, DRV_AREA_SIZE - 1) == 0);
	drv_post_even(rx, 1024, 2, DRV_DIRECT);
	/* 65536 + 12 bytes in 33 chains of 2048; the next packet waits for one more. */
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
	CU_ASSERT_EQUAL(collect(rx, got), DRV_MAX_PAYLOAD);
	CU_ASSERT_EQUAL(memcmp(sent, got, DRV_MAX_PAYLOAD), 0);
	drv_post_even(rx, 112, 1, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
	CU_ASSERT_EQUAL(collect(rx, got), 100);
	check_stats(2);
	drv_close(&drv);
}

static void
test_back_pressure(void)
{
	back_pressure(0);
	back_pressure(PACKED);
}

/* What no receive buffer will ever hold is dropped, what fits goes on. */
static void
never_fits(uint64_t format)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];
	unsigned int i;

	make_payload(sent, DRV_MAX_PAYLOAD, 1);
	drv_open_start(&drv, "packed=1", format | V1, 16);
	drv_post_even(rx, 500, 2, DRV_DIRECT);
	drv_transmit(&drv, tx, sent, 989, 1, DRV_DIRECT);
	drv_transmit(&drv, tx, sent, 988, 1, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 3);
	CU_ASSERT_EQUAL(collect(rx, got), 988);
	CU_ASSERT_EQUAL(drv_stats(&drv).rx_drops, 1);
	drv_close(&drv);

	/* All 16 descriptors are posted and are too small. */
	drv_open_start(&drv, "packed=1", format | V1 | MRG, 16);
	for (i = 0; i < 8; i++)
		drv_post_even(rx, 500, 2, DRV_DIRECT);
	drv_transmit(&drv, tx, sent, 8000, 1, DRV_DIRECT);
	drv_transmit(&drv, tx, sent, 7988, 1, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 3);
	CU_ASSERT_EQUAL(collect(rx, got), 7988);
	CU_ASSERT_EQUAL(drv_stats(&drv).rx_drops, 1);
	drv_close(&drv);
}

static void
test_never_fits(void)
{
	never_fits(0);
	never_fits(PACKED);
}

/* Neither empty nor endless frames are packets. */
static void
odd_frames(uint64_t format)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];

	drv_open_start(&drv, "packed=1", format | V1 | MRG, 128);
	drv_post_even(rx, 70000, 1, DRV_DIRECT);
	drv_post_even(tx, 12, 1, DRV_DIRECT);
	drv_post_even(tx, 6, 2, DRV_DIRECT);
	drv_post_even(tx, 1000, 120, DRV_DIRECT);
	drv_post_even(tx, SOFT_MAX_HDR + SOFT_MAX_FRAME + 1, 1, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 4);
	CU_ASSERT_EQUAL(drv_stats(&drv).tx_drops, 4);
	CU_ASSERT_EQUAL(drv_stats(&drv).rx_packets, 0);
	drv_post_even(tx, SOFT_MAX_HDR + SOFT_MAX_FRAME, 1, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
	CU_ASSERT_EQUAL(drv_stats(&drv).tx_drops, 4);
	drv_close(&drv);
}

static void
test_odd_frames(void)
{
	odd_frames(0);
	odd_frames(PACKED);
}

/* Ring indices past 65535, on both ways of asking for no kick. */
static void
wrap(uint64_t features, uint16_t size, uint32_t packets)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];
	uint32_t i, j;

	drv_open_start(&drv, "packed=1", features, size);
	for (i = 0; i < packets;) {
		uint32_t n = 1 + i % 50;

		for (j = 0; j < n && tx->n_free > 0; j++) {
			drv_post_even(rx, 100, 1, DRV_DIRECT);
			memcpy(sent, &i, sizeof(i));
			sent[4] = (uint8_t)j;
			drv_transmit(&drv, tx, sent, 5, 1, DRV_DIRECT);
		}
		n = j;
		CU_ASSERT_EQUAL_FATAL(drv_poll(&drv, 0), 2 * n);
		for (j = 0; j < n; j++) {
			CU_ASSERT_EQUAL_FATAL(collect(rx, got), 5);
			CU_ASSERT_FATAL(memcmp(got, &i, sizeof(i)) == 0 && got[4] == j);
		}
		drv_reap_tx(tx);
		i += n;
	}
	CU_ASSERT_EQUAL(rx->kicks + tx->kicks, 0);
	check_stats(i);
	drv_close(&drv);
}

static void
test_wrap(void)
{
	wrap(V1 | EVENT, 64, 200000);
	wrap(V1, 64, 200000);
	wrap(V1 | EVENT, 2, 200000);
	wrap(V1 | EVENT, 1024, 200000);
	/* A lap is all that a packed ring counts. */
	wrap(V1 | PACKED, 1, 20000);
	wrap(V1 | PACKED | EVENT, 7, 20000);
	wrap(V1 | PACKED, 64, 20000);
	wrap(V1 | PACKED, 1000, 20000);
}

/* Memory comes and goes while packets flow: no packet and no access is lost. */
static void
maps_under_traffic(uint64_t features)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];
	/* On a busy machine each change takes a while. */
	uint64_t end = rte_get_timer_cycles() + rte_get_timer_hz();
	uint8_t *mem = aligned_alloc(4096, 4096);
	unsigned int i, packets = 0;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1", drv_poller_qsbr()), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, features, 64), 0);
	drv_poller_start(&drv);
	for (i = 0; i < 2000 && rte_get_timer_cycles() < end; i++) {
		/* Below and above the others, so that these move within the snapshot. */
		uint64_t iova = (i % 2 ? 0x1000 : 0x40000000) + (uint64_t)(i % 7) * 4096;
		uint32_t len;

		make_payload(sent, 700, i);
		drv_transmit(&drv, tx, sent, 700, 3, DRV_DIRECT);
		/* Where buffers merge, the packet takes four: seen together or not at all. */
		for (len = 0; len < 712; len += features & MRG ? 178 : 712)
			drv_post_even(rx, features & MRG ? 178 : 712, 1, DRV_DIRECT);
		CU_ASSERT_EQUAL(
			drv.dev->ops->dma_map(drv.dev, iova, (uintptr_t)mem, 4096, SVQ_PERM_RW), 0);
		CU_ASSERT_EQUAL(drv.dev->ops->dma_unmap(drv.dev, iova, 4096), 0);
		while ((len = collect(rx, got)) == 0 &&
			drv.dev->ops->status(drv.dev) == SVQ_DEVICE_S_DRIVER_OK)
			rte_pause();
		CU_ASSERT_EQUAL_FATAL(len, 700);
		CU_ASSERT_EQUAL_FATAL(memcmp(sent, got, 700), 0);
		packets++;
		drv_reap_tx(tx);
	}
	drv_poller_stop();
	check_stats(packets);
	drv_close(&drv);
	free(mem);
}

static void
test_maps_under_traffic(void)
{
	maps_under_traffic(V1 | EVENT);
	maps_under_traffic(V1 | MRG);
	maps_under_traffic(V1 | PACKED);
	maps_under_traffic(V1 | PACKED | MRG);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_loopback", NULL, NULL);

	autotest_add(suite, "chain shapes, mergeable buffers", test_shapes_mergeable);
	autotest_add(suite, "chain shapes, one buffer a packet", test_shapes_plain);
	autotest_add(suite, "chain shapes, legacy", test_shapes_legacy);
	autotest_add(suite, "chain shapes, packed", test_shapes_packed);
	autotest_add(suite, "chain shapes, packed, odd sizes", test_shapes_odd_sizes);
	autotest_add(suite, "back-pressure", test_back_pressure);
	autotest_add(suite, "packets that never fit", test_never_fits);
	autotest_add(suite, "empty and endless frames", test_odd_frames);
	autotest_add(suite, "indices wrap", test_wrap);
	autotest_add(suite, "mappings change under traffic", test_maps_under_traffic);
}

REGISTER_AUTOTEST(soft_loopback_autotest, fill)
