/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "autotest.h"
#include "soft_traffic.h"

static unsigned int seed;

void
drv_seed(unsigned int s)
{
	seed = s;
}

uint32_t
drv_pick(uint32_t n)
{
	return (uint32_t)rand_r(&seed) % n;
}

void
drv_cut(struct drv_slot *slot, uint32_t len, unsigned int max)
{
	uint32_t off = 0, gaps = DRV_SLOT_SIZE - len;
	unsigned int left = 1 + drv_pick(RTE_MIN(max, len));

	for (; left > 0; left--) {
		uint32_t n =
			left == 1 ? len : 1 + drv_pick(RTE_MIN(len - (left - 1), 2 * len / left));
		uint32_t gap = drv_pick(RTE_MIN(gaps + 1, UINT32_C(64)));

		drv_piece(slot, off + gap, n);
		off += gap + n;
		gaps -= gap;
		len -= n;
	}
}

void
drv_transmit(const struct drv *drv, struct drv_ring *tx, const uint8_t *payload, uint32_t len,
	unsigned int max_pieces, enum drv_layout layout)
{
	struct drv_slot *slot = drv_slot_get(tx);
	static uint8_t frame[12 + DRV_MAX_PAYLOAD];

	/* What the driver writes into its header must not matter. */
	memset(frame, 0xee, drv->hdr_len);
	memcpy(frame + drv->hdr_len, payload, len);
	drv_cut(slot, drv->hdr_len + len, max_pieces);
	drv_fill(slot, frame, drv->hdr_len + len);
	drv_post(tx, slot, layout);
}

void
drv_reap_tx(struct drv_ring *tx)
{
	struct drv_slot *slot;
	uint32_t len;

	while ((slot = drv_reap(tx, &len)) != NULL) {
		CU_ASSERT_EQUAL(len, 0);
		drv_slot_put(tx, slot);
	}
}

void
drv_post_even(struct drv_ring *ring, uint32_t len, unsigned int pieces, enum drv_layout layout)
{
	struct drv_slot *slot = drv_slot_get(ring);
	unsigned int i;

	for (i = 0; i < pieces; i++)
		drv_piece(slot, i * len, len);
	drv_post(ring, slot, layout);
}

struct svq_device_stats
drv_stats(const struct drv *drv)
{
	struct svq_device_stats s;

	drv->dev->ops->stats(drv->dev, &s);
	return s;
}

void
drv_open_start(struct drv *drv, const char *args, uint64_t features, uint16_t size)
{
	CU_ASSERT_EQUAL_FATAL(drv_open(drv, args, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(drv, features, size), 0);
}
