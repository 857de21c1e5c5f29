/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdio.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "soft_traffic.h"
#include "soft_offload.h"

/* Ring features of the software device that change what is written: used entries for batches,
 * kicks and the data that comes with them. */

#define V1	 RTE_BIT64(VIRTIO_F_VERSION_1)
#define MRG	 RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)
#define PACKED	 RTE_BIT64(VIRTIO_F_RING_PACKED)
#define EVENT	 RTE_BIT64(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC)
#define IN_ORDER RTE_BIT64(VIRTIO_F_IN_ORDER)
#define DATA	 RTE_BIT64(VIRTIO_F_NOTIFICATION_DATA)
#define HDR	 12

static struct drv drv;
static struct drv_ring *const rx = &drv.ring[0], *const tx = &drv.ring[1];

static void
reap(struct drv_ring *ring, uint32_t want)
{
	uint32_t len = UINT32_MAX;
	struct drv_slot *slot = drv_reap(ring, &len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
	CU_ASSERT_EQUAL(len, want);
	drv_slot_put(ring, slot);
}

/* A burst sent is one used entry, and so is a packet that fills all of its buffers but the last. */
static void
in_order(uint64_t format, uint16_t size)
{
	unsigned int round, i;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | V1 | MRG | IN_ORDER | INDIRECT, size), 0);
	for (round = 0; round < 40; round++) {
		tx->n_used = rx->n_used = 0;
		/* Three packets of 300 bytes, each in receive buffers of 120, 120 and 72. */
		for (i = 0; i < 3; i++)
			drv_post_even(tx, 100 + HDR / 3, 3, i % 2 ? DRV_INDIRECT : DRV_DIRECT);
		for (i = 0; i < 9; i++)
			drv_post_even(rx, 120, 1, i % 2 ? DRV_INDIRECT : DRV_DIRECT);
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 6);
		for (i = 0; i < 3; i++)
			reap(tx, 0);
		for (i = 0; i < 9; i++)
			reap(rx, i % 3 == 2 ? 72 : 120);
		CU_ASSERT_EQUAL(tx->n_used, 1);
		CU_ASSERT_EQUAL(rx->n_used, 3);
		CU_ASSERT(!drv_used(tx) && !drv_used(rx));
	}
	drv_close(&drv);
}

static void
test_in_order(void)
{
	in_order(0, 32);
	in_order(PACKED, 32);
	in_order(PACKED, 13);
}

/* A dropped packet's chain is part of a batch, too; null uses a whole burst at once. */
static void
in_order_null(uint64_t format)
{
	unsigned int i;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1,backend=null", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | V1 | IN_ORDER, 64), 0);
	for (i = 0; i < 60; i++)
		drv_post_even(tx, 100, 1, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 60);
	for (i = 0; i < 60; i++)
		reap(tx, 0);
	CU_ASSERT_EQUAL(tx->n_used, 2);
	drv_close(&drv);
}

static void
test_in_order_null(void)
{
	in_order_null(0);
	in_order_null(PACKED);
}

/* Kick if the device asks for it; returns whether it did. */
static bool
kick(uint16_t qid)
{
	struct drv_ring *ring = &drv.ring[qid];
	bool wanted = ring->kicks != 0;

	ring->kicks = 0;
	if (wanted)
		drv_kick(&drv, qid);
	return wanted;
}

/* A device that sleeps between kicks asks for each one that it needs, and for none while awake. */
static void
sleeps(uint64_t features, uint16_t size)
{
	unsigned int round;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1,kicks=1", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, features | V1, size), 0);
	for (round = 0; round < 100; round++) {
		/* Nothing to do: asleep. */
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
		drv_post_even(tx, 64, 1, DRV_DIRECT);
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
		CU_ASSERT(kick(1));
		/* It waits for a receive buffer and goes to sleep over that. */
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
		drv_post_even(rx, 64, 1, DRV_DIRECT);
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
		CU_ASSERT(kick(0));
		CU_ASSERT_EQUAL(drv.dev->ops->poll(drv.dev, 0), 2);
		/* Awake: what comes now is found without a kick. */
		drv_post_even(tx, 64, 1, DRV_DIRECT);
		drv_post_even(rx, 64, 1, DRV_DIRECT);
		if (features & EVENT)
			CU_ASSERT(!kick(0));
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
		tx->kicks = rx->kicks = 0;
		reap(tx, 0);
		reap(tx, 0);
		reap(rx, 64);
		reap(rx, 64);
	}
	CU_ASSERT_EQUAL(drv.dev->ops->status(drv.dev), SVQ_DEVICE_S_DRIVER_OK);
	drv_close(&drv);
}

static void
test_sleeps(void)
{
	sleeps(0, 32);
	sleeps(EVENT, 32);
	sleeps(PACKED, 5);
	sleeps(PACKED | EVENT, 5);
	sleeps(DATA, 32);
	sleeps(DATA | EVENT, 32);
	sleeps(DATA | PACKED, 5);
	sleeps(DATA | PACKED | EVENT, 5);
}

/* With notification data that the ring does not bear out the device needs a reset. */
static void
notified(uint64_t features, uint16_t wrong, uint16_t qid)
{
	struct svq_device_stats before, after;
	const struct svq_device_ops *ops;
	uint32_t data;
	unsigned int i;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "packed=1,backend=null", NULL), 0);
	ops = drv.dev->ops;
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, features | V1, 4), 0);
	/* Up to the ring's end, with nothing used and with all of it used. */
	for (i = 0; i < 4; i++) {
		drv_post_even(tx, 64, 1, DRV_DIRECT);
		drv_kick(&drv, 1);
		drv_kick(&drv, 0);
		CU_ASSERT_EQUAL(ops->status(drv.dev), SVQ_DEVICE_S_DRIVER_OK);
	}
	drv_poll(&drv, 0);
	drv_kick(&drv, 1);
	CU_ASSERT_EQUAL(ops->status(drv.dev), SVQ_DEVICE_S_DRIVER_OK);
	ops->stats(drv.dev, &before);
	data = (uint32_t)(tx->avail_idx + wrong) << 16 | qid;
	if (tx->packed && tx->avail_wrap)
		data ^= 0x80000000;
	ops->notify(drv.dev, 1, data);
	ops->stats(drv.dev, &after);
	CU_ASSERT(ops->status(drv.dev) & SVQ_DEVICE_S_NEEDS_RESET);
	CU_ASSERT_EQUAL(after.ring_errors, before.ring_errors + 1);
	CU_ASSERT_EQUAL(after.iommu_faults, before.iommu_faults);
	drv_close(&drv);
}

static void
test_notified(void)
{
	uint64_t format;

	for (format = 0; format <= PACKED; format += PACKED) {
		notified(format | DATA, 1, 1);
		notified(format | DATA, 0x7fff, 1);
		notified(format | DATA, 0x8000, 1);
		notified(format | DATA, 0, 3);
		notified(format, 0, 0);
	}
}

/* Each switch takes its feature away or puts it there, and no other. */
static void
test_switches(void)
{
	static const struct {
		const char *key;
		uint64_t feature;
	} switches[] = {
		{"packed", PACKED},
		{"indirect", INDIRECT},
		{"event_idx", EVENT},
		{"in_order", IN_ORDER},
		{"order_platform", RTE_BIT64(VIRTIO_F_ORDER_PLATFORM)},
		{"notification_data", DATA},
		{"ring_reset", RTE_BIT64(VIRTIO_F_RING_RESET)},
		{"mrg_rxbuf", MRG},
		{"offloads", SOFT_OFFLOADS},
	};
	uint64_t off, on;
	char args[64];
	unsigned int i;

	for (i = 0; i < RTE_DIM(switches); i++) {
		snprintf(args, sizeof(args), "%s=0", switches[i].key);
		CU_ASSERT_EQUAL_FATAL(drv_open(&drv, args, NULL), 0);
		off = drv.dev->info.features;
		drv_close(&drv);
		snprintf(args, sizeof(args), "%s=1", switches[i].key);
		CU_ASSERT_EQUAL_FATAL(drv_open(&drv, args, NULL), 0);
		on = drv.dev->info.features;
		drv_close(&drv);
		CU_ASSERT_EQUAL(on ^ off, switches[i].feature);
		CU_ASSERT_EQUAL(on & switches[i].feature, switches[i].feature);
		snprintf(args, sizeof(args), "%s=yes", switches[i].key);
		CU_ASSERT(drv_open(&drv, args, NULL) < 0);
		snprintf(args, sizeof(args), "%s=1,%s=1", switches[i].key, switches[i].key);
		CU_ASSERT(drv_open(&drv, args, NULL) < 0);
	}
	CU_ASSERT(drv_open(&drv, "kicks=2", NULL) < 0);
	CU_ASSERT(drv_open(&drv, "kicks=1,port=net_none", NULL) < 0);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_features", NULL, NULL);

	autotest_add(suite, "switches", test_switches);
	autotest_add(suite, "in order: one used entry for several", test_in_order);
	autotest_add(suite, "in order: null", test_in_order_null);
	autotest_add(suite, "sleeping between kicks", test_sleeps);
	autotest_add(suite, "notification data", test_notified);
}

REGISTER_AUTOTEST(soft_features_autotest, fill)
