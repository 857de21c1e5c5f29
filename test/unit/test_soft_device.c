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
#include "soft.h"
#include "soft_traffic.h"

/* The software device's control side: arguments, configuration, life cycle, and back-end null. */

#define V1     RTE_BIT64(VIRTIO_F_VERSION_1)
#define MRG    RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)
#define IND    RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED RTE_BIT64(VIRTIO_F_RING_PACKED)

static struct drv drv;
static const uint8_t sent[100];

static void
null_backend(uint64_t format)
{
	struct drv_ring *rx = &drv.ring[0], *tx = &drv.ring[1];
	struct drv_slot *slot;
	unsigned int i;

	drv_open_start(&drv, "backend=null,packed=1", format | V1 | MRG, 64);
	drv_post_even(rx, 1000, 1, DRV_DIRECT);
	for (i = 0; i < 50; i++) {
		slot = drv_slot_get(tx);
		/* It is not read, so it need not be mapped. */
		slot->pieces[slot->n++] = (struct drv_piece){.iova = 0, .len = 100};
		drv_post(tx, slot, DRV_DIRECT);
	}
	CU_ASSERT_EQUAL(drv.dev->ops->poll(drv.dev, 0), SOFT_BURST);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 50 - SOFT_BURST);
	drv_reap_tx(tx);
	CU_ASSERT_EQUAL(tx->n_free, 64);
	CU_ASSERT(!drv_used(rx));
	CU_ASSERT_EQUAL(drv_stats(&drv).tx_packets, 50);
	CU_ASSERT_EQUAL(drv_stats(&drv).iommu_faults, 0);
	if (format == PACKED) {
		slot = drv_slot_get(tx);
		drv_piece(slot, 0, 100);
		tx->packed_desc[drv_post(tx, slot, DRV_DIRECT)].id = 64;
	} else {
		drv_post_head(tx, 64);
	}
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	CU_ASSERT_EQUAL(drv_stats(&drv).ring_errors, 1);
	CU_ASSERT(drv.dev->ops->status(drv.dev) & SVQ_DEVICE_S_NEEDS_RESET);
	drv_close(&drv);
}

static void
test_null(void)
{
	null_backend(0);
	null_backend(PACKED);
}

/* What a reset leaves, which pairs are served, and calls out of order. */
static void
test_life_cycle(void)
{
	const struct svq_device_ops *ops;
	struct svq_device_queue bad;
	uint16_t pair;
	unsigned int i;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "queues=2,queue_size=256", NULL), 0);
	ops = drv.dev->ops;
	ops->stop(drv.dev);
	CU_ASSERT_EQUAL(ops->status(drv.dev), 0);
	CU_ASSERT_EQUAL(ops->start(drv.dev), -EINVAL);
	CU_ASSERT_EQUAL(ops->set_features(drv.dev, RTE_BIT64(VIRTIO_NET_F_RSS)), -EINVAL);
	for (i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL_FATAL(drv_setup(&drv, V1 | IND, 256), 0);
		CU_ASSERT_EQUAL_FATAL(ops->start(drv.dev), 0);
		CU_ASSERT_EQUAL(ops->status(drv.dev), SVQ_DEVICE_S_DRIVER_OK);
		CU_ASSERT_EQUAL(ops->start(drv.dev), -EBUSY);
		CU_ASSERT_EQUAL(ops->set_features(drv.dev, V1), -EBUSY);
		CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &drv.ring[0].conf), -EBUSY);
		CU_ASSERT_EQUAL(ops->pair_enable(drv.dev, 2, true), -EINVAL);
		for (pair = 0; pair < 2; pair++) {
			drv_post_even(&drv.ring[2 * pair], 200, 1, DRV_DIRECT);
			drv_transmit(&drv, &drv.ring[2 * pair + 1], sent, 100, 2, DRV_INDIRECT);
		}
		/* Only the first pair is on after a reset. */
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
		CU_ASSERT_EQUAL(drv_poll(&drv, 1), 0);
		CU_ASSERT_EQUAL(ops->pair_enable(drv.dev, 1, true), 0);
		CU_ASSERT_EQUAL(drv_poll(&drv, 1), 2);
		ops->notify(drv.dev, 0, 0);
		CU_ASSERT_EQUAL(ops->pair_enable(drv.dev, 0, false), 0);
		drv_transmit(&drv, &drv.ring[1], sent, 100, 2, DRV_INDIRECT);
		drv_post_even(&drv.ring[0], 200, 1, DRV_DIRECT);
		CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
		ops->stop(drv.dev);
		ops->stop(drv.dev);
		CU_ASSERT_EQUAL(ops->status(drv.dev), 0);
		CU_ASSERT_EQUAL(drv_poll(&drv, 0) + drv_poll(&drv, 1), 0);
		/* Counters go on. */
		CU_ASSERT_EQUAL(drv_stats(&drv).tx_packets, 2 * (i + 1));
	}
	bad = drv.ring[0].conf;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 4, &bad), -EINVAL);
	bad.size = 3;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), -EINVAL);
	bad.size = 1;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), -EINVAL);
	bad.size = 512;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), -EINVAL);
	bad.size = 256;
	bad.desc_iova += 8;
	CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 0, &bad), -EINVAL);
	CU_ASSERT_EQUAL(ops->set_features(drv.dev, V1 | PACKED), -EINVAL);
	drv_close(&drv);
}

static void
test_config(void)
{
	const uint8_t mac[] = {0x02, 1, 2, 3, 4, 5};
	struct virtio_net_config config;
	const struct svq_device_info *info;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv,
				      "mac=02:01:02:03:04:05,queues=2,queue_size=2,"
				      "apertures=10000000-ffffffffff+1000-1fff+2000-fffffff",
				      NULL),
		0);
	info = &drv.dev->info;
	CU_ASSERT_EQUAL(drv.dev->ops->get_config(drv.dev, 0, &config, sizeof(config)), 0);
	CU_ASSERT_EQUAL(memcmp(config.mac, mac, 6), 0);
	CU_ASSERT_EQUAL(config.status, VIRTIO_NET_S_LINK_UP);
	CU_ASSERT_EQUAL(config.max_virtqueue_pairs, 2);
	CU_ASSERT_EQUAL(drv.dev->ops->get_config(drv.dev, 5, &config, 1), 0);
	CU_ASSERT_EQUAL(*(uint8_t *)&config, 5);
	CU_ASSERT_EQUAL(drv.dev->ops->get_config(drv.dev, sizeof(config), &config, 0), 0);
	CU_ASSERT_EQUAL(drv.dev->ops->get_config(drv.dev, sizeof(config), &config, 1), -EINVAL);
	CU_ASSERT_EQUAL(drv.dev->ops->get_config(drv.dev, 4, &config, UINT32_MAX), -EINVAL);
	CU_ASSERT_EQUAL(info->max_pairs, 2);
	CU_ASSERT_EQUAL(info->max_queue_size, 2);
	CU_ASSERT(info->features & RTE_BIT64(VIRTIO_NET_F_MQ));
	/* Sorted, and those that touch are one. */
	CU_ASSERT_EQUAL(info->n_apertures, 1);
	CU_ASSERT_EQUAL(info->apertures[0].first, 0x1000);
	CU_ASSERT_EQUAL(info->apertures[0].last, 0xffffffffff);
	drv_close(&drv);

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "", NULL), 0);
	info = &drv.dev->info;
	CU_ASSERT_EQUAL(info->max_pairs, 1);
	CU_ASSERT_EQUAL(info->max_queue_size, 32768);
	CU_ASSERT_EQUAL(info->n_apertures, 2);
	CU_ASSERT_EQUAL(info->apertures[0].last, 0xfedfffff);
	CU_ASSERT_EQUAL(info->apertures[1].last, 0xffffffffffff);
	CU_ASSERT(!(info->features & (RTE_BIT64(VIRTIO_NET_F_MQ) | RTE_BIT64(VIRTIO_NET_F_MTU))));
	drv_close(&drv);
}

static void
test_bad_args(void)
{
	static const char *const bad[] = {
		"queues=0",
		"queues=129",
		"queues=-1",
		"queues=",
		"queues=2x",
		"queues=1,queues=2",
		"queue_size=0",
		"queue_size=1",
		"queue_size=100",
		"queue_size=65536",
		"backend=tap",
		"backend=",
		"port=",
		"packed=",
		"packed=2",
		"packed=on",
		"packed=1,packed=1",
		"mac=1:2",
		"mac=00:00:00:00:00:00",
		"mac=01:00:00:00:00:01",
		"apertures=",
		"apertures=1000",
		"apertures=2000-1fff",
		"apertures=1000-1fff+",
		"apertures=1000-2fff+2000-3fff",
		"apertures=-1000-1fff",
		"apertures=1000-10000000000000000",
		"apertures=1000-1fff;2000-2fff",
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		int ret = drv_open(&drv, bad[i], NULL);

		if (ret != -EINVAL)
			printf("%s: %d\n", bad[i], ret);
		CU_ASSERT_EQUAL(ret, -EINVAL);
		if (ret == 0)
			drv_close(&drv);
	}
}

static void
test_dump(void)
{
	char *text = NULL;
	size_t len;
	FILE *f;

	drv_open_start(&drv, "queues=2", V1, 64);
	f = open_memstream(&text, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	drv.dev->ops->dump(drv.dev, f);
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "back-end: loopback\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "status: running\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "IOMMU: 6 mappings, 12 translations, 0 faults\n"));
	free(text);
	drv_close(&drv);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_device", NULL, NULL);

	autotest_add(suite, "null back-end", test_null);
	autotest_add(suite, "life cycle", test_life_cycle);
	autotest_add(suite, "config space and limits", test_config);
	autotest_add(suite, "bad arguments", test_bad_args);
	autotest_add(suite, "dump", test_dump);
}

REGISTER_AUTOTEST(soft_device_autotest, fill)
