/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * What is offered to the guest and accepted from the device, bit by bit, as issue and
 * specification want it: written down once more here, independently of the driver's table.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vhost.h>

#include <rte_log.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "svq_vdpa_features.h"
#include "vdpa_rig.h"

#define BIT(n) (1ULL << (n))

/* In the virtio-net header or in the configuration space. */
#define PASS                                                                                   \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_MTU) |       \
		BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_GSO) | BIT(VIRTIO_NET_F_GUEST_TSO4) | \
		BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN) |                   \
		BIT(VIRTIO_NET_F_GUEST_UFO) | BIT(VIRTIO_NET_F_HOST_TSO4) |                    \
		BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_HOST_ECN) |                     \
		BIT(VIRTIO_NET_F_HOST_UFO) | BIT(VIRTIO_NET_F_MRG_RXBUF) |                     \
		BIT(VIRTIO_F_ANY_LAYOUT) | BIT(VIRTIO_F_VERSION_1) |                           \
		BIT(VIRTIO_NET_F_GUEST_USO4) | BIT(VIRTIO_NET_F_GUEST_USO6) |                  \
		BIT(VIRTIO_NET_F_HOST_USO) | BIT(VIRTIO_NET_F_HASH_REPORT) |                   \
		BIT(VIRTIO_NET_F_GUEST_HDRLEN) | BIT(VIRTIO_NET_F_RSC_EXT) |                   \
		BIT(VIRTIO_NET_F_SPEED_DUPLEX))
/* To the guest if the device has it, and of the device in any case. */
#define BOTH BIT(VIRTIO_NET_F_STATUS)
/* To the guest, whatever the device has. */
#define GUEST                                                                            \
	(BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_RX) |                         \
		BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | BIT(VHOST_F_LOG_ALL) |                \
		BIT(VHOST_USER_F_PROTOCOL_FEATURES) | BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
		BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER))
/* Of the device, whatever the guest chose. */
#define DEVICE                                                                       \
	(BOTH | BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_RX) |              \
		BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) | BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) | \
		BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX) |    \
		BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_ACCESS_PLATFORM) |          \
		BIT(VIRTIO_F_ORDER_PLATFORM) | BIT(VIRTIO_F_NOTIFICATION_DATA) |     \
		BIT(VIRTIO_F_RING_RESET) | BIT(VIRTIO_F_IN_ORDER))

static struct rig r;

static void
test_offer(void)
{
	const uint64_t mq = BIT(VIRTIO_NET_F_MQ);
	unsigned int i;

	CU_ASSERT_EQUAL(svq_vdpa_features_offer(0, false), GUEST);
	CU_ASSERT_EQUAL(svq_vdpa_features_offer(0, true), GUEST | mq);
	CU_ASSERT_EQUAL(svq_vdpa_features_offer(UINT64_MAX, false), GUEST | PASS | BOTH);
	for (i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(
			svq_vdpa_features_offer(BIT(i), false), GUEST | ((PASS | BOTH) & BIT(i)));
}

static void
test_accept(void)
{
	const uint64_t mq = BIT(VIRTIO_NET_F_MQ);
	unsigned int i;

	CU_ASSERT_EQUAL(svq_vdpa_features_accept(0, UINT64_MAX), 0);
	CU_ASSERT_EQUAL(svq_vdpa_features_accept(UINT64_MAX, 0), DEVICE);
	CU_ASSERT_EQUAL(svq_vdpa_features_accept(UINT64_MAX, UINT64_MAX), DEVICE | PASS | mq);
	for (i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(svq_vdpa_features_accept(BIT(i), UINT64_MAX),
			(DEVICE | PASS | mq) & BIT(i));
}

static void
test_header(void)
{
	CU_ASSERT_EQUAL(svq_vdpa_features_header(0), 10);
	CU_ASSERT_EQUAL(svq_vdpa_features_header(BIT(VIRTIO_NET_F_MRG_RXBUF)), 12);
	CU_ASSERT_EQUAL(svq_vdpa_features_header(BIT(VIRTIO_F_VERSION_1)), 12);
	CU_ASSERT_EQUAL(
		svq_vdpa_features_header(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_HASH_REPORT)),
		20);
}

/* What is logged while the guest starts with @p guest_mtu and the device has 1500. */
static bool
warned(uint64_t features, uint16_t guest_mtu)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	bool found;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	rig_open(&r, RIG_ARGS);
	mock.m.dev.info.features |= BIT(VIRTIO_NET_F_MTU);
	mock.mtu = 1500;
	CU_ASSERT(rig_connect(&r));
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_NET_SET_MTU, guest_mtu), STUB_OK);
	rte_openlog_stream(f);
	rig_start(&r, features, 2);
	rte_openlog_stream(NULL);
	rig_close(&r);
	fclose(f);
	found = strstr(text, "MTU") != NULL;
	free(text);
	return found;
}

static void
test_mtu(void)
{
	CU_ASSERT(warned(RIG_FEATURES | BIT(VIRTIO_NET_F_MTU), 9000));
	CU_ASSERT_FALSE(warned(RIG_FEATURES | BIT(VIRTIO_NET_F_MTU), 1500));
	CU_ASSERT_FALSE(warned(RIG_FEATURES, 9000));
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("features", NULL, NULL);

	autotest_add(s, "offered to the guest", test_offer);
	autotest_add(s, "accepted from the device", test_accept);
	autotest_add(s, "header", test_header);
	autotest_add(s, "MTU beyond the device's", test_mtu);
}

REGISTER_AUTOTEST(vdpa_features_autotest, fill)
