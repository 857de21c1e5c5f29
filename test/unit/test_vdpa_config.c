/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* The device's configuration: what a front-end reads, and what it hears of changes. */

#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_cycles.h>

#include "autotest.h"
#include "vdpa_rig.h"

#define PROTOCOL                                                                          \
	(1ULL << VHOST_USER_PROTOCOL_F_CONFIG | 1ULL << VHOST_USER_PROTOCOL_F_SLAVE_REQ | \
		1ULL << VHOST_USER_PROTOCOL_F_MQ)

static struct rig r;
static int channel[2];

static void
begin(uint64_t protocol, bool give_channel)
{
	memset(&mock, 0, sizeof(mock));
	rig_open(&r, "device=mock,queues=2,config=1");
	mock.m.dev.info.features |= 1ULL << VIRTIO_NET_F_STATUS;
	mock.link = VIRTIO_NET_S_LINK_UP;
	mock.mtu = 1500;
	CU_ASSERT(rig_connect(&r));
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_PROTOCOL_FEATURES, protocol), STUB_OK);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	if (give_channel)
		CU_ASSERT_EQUAL(rig_send_fd(&r, SVQ_VHOST_SET_BACKEND_REQ_FD, NULL, 0, channel[1]),
			STUB_OK);
}

static void
end(void)
{
	close(channel[0]);
	rig_close(&r);
}

/* The device says so; EAL's thread hears it. */
static void
change(uint16_t link)
{
	uint64_t before = rig_port_stats().config_changes;
	unsigned int ms;

	mock.link = link;
	CU_ASSERT_EQUAL_FATAL(eventfd_write(mock.config_fd, 1), 0);
	for (ms = 0; ms < 5000 && rig_port_stats().config_changes == before; ms++)
		rte_delay_us_sleep(1000);
	CU_ASSERT_EQUAL(rig_port_stats().config_changes, before + 1);
}

static enum stub_result
get_config(uint32_t offset, uint32_t size, uint32_t sent)
{
	/* More may be sent than a configuration's largest part. */
	struct {
		struct svq_vhost_config config;
		uint8_t more[16];
	} msg = {.config = {.offset = offset, .size = size}};

	CU_ASSERT_FATAL(sent <= sizeof(msg));
	return rig_send(&r, SVQ_VHOST_GET_CONFIG, &msg, sent);
}

static void
test_read(void)
{
	struct virtio_net_config config;

	begin(PROTOCOL, true);
	CU_ASSERT_EQUAL(get_config(0, sizeof(config), 12 + sizeof(config)), STUB_REPLIED);
	memcpy(&config, rig_msg.payload.config.region, sizeof(config));
	CU_ASSERT_EQUAL(memcmp(config.mac, "\2\0\0\0\0\11", 6), 0);
	CU_ASSERT_EQUAL(config.status, VIRTIO_NET_S_LINK_UP);
	CU_ASSERT_EQUAL(config.max_virtqueue_pairs, 2);
	CU_ASSERT_EQUAL(config.mtu, 1500);
	/* The wish for an announcement is not the guest's. */
	mock.link = VIRTIO_NET_S_ANNOUNCE;
	CU_ASSERT_EQUAL(get_config(6, 2, 14), STUB_REPLIED);
	CU_ASSERT_EQUAL(rig_msg.payload.config.region[0], 0);
	/* Behind its end there is nothing, and nothing of ours. */
	memset(&rig_msg, 0xee, sizeof(rig_msg));
	CU_ASSERT_EQUAL(get_config(UINT32_MAX, 256, 268), STUB_REPLIED);
	CU_ASSERT_EQUAL(rig_msg.payload.config.region[0], 0);
	CU_ASSERT_EQUAL(rig_msg.payload.config.region[255], 0);
	CU_ASSERT_EQUAL(get_config(0, 257, 269), STUB_NACK);
	rig_close(&r);
	close(channel[0]);
	begin(PROTOCOL, false);
	CU_ASSERT_EQUAL(get_config(0, 8, 19), STUB_NACK);
	close(channel[1]);
	end();
}

static void
test_change(void)
{
	unsigned int q;

	begin(PROTOCOL, true);
	rig_start(&r, RIG_FEATURES, 2);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_RUNNING);
	CU_ASSERT(mock.config_fd > 0);
	change(0);
	CU_ASSERT_EQUAL(rig_port_stats().link_changes, 1);
	CU_ASSERT_EQUAL(stub_conn(r.vid)->told_config, 1);
	CU_ASSERT_EQUAL(mock.config_done, 1);
	change(0);
	CU_ASSERT_EQUAL(rig_port_stats().link_changes, 1);
	CU_ASSERT_EQUAL(stub_conn(r.vid)->told_config, 2);
	memset(mock.notified, 0, sizeof(mock.notified));
	change(VIRTIO_NET_S_LINK_UP);
	CU_ASSERT_EQUAL(rig_port_stats().link_changes, 2);
	CU_ASSERT_EQUAL(stub_conn(r.vid)->told_config, 3);
	/* What lies in the rings is looked at, and traffic goes on. */
	for (q = 0; q < RIG_QUEUES; q++)
		CU_ASSERT_EQUAL(mock.notified[q], q < 2);
	CU_ASSERT(r.d->served[0]);
	end();
}

/* A front-end that did not ask for it is left alone. */
static void
not_told(uint64_t protocol, bool give_channel)
{
	begin(protocol, give_channel);
	rig_start(&r, RIG_FEATURES, 2);
	change(0);
	CU_ASSERT_EQUAL(rig_port_stats().link_changes, 1);
	CU_ASSERT_EQUAL(stub_conn(r.vid)->told_config, 0);
	if (!give_channel)
		close(channel[1]);
	end();
}

static void
test_not_told(void)
{
	not_told(PROTOCOL & ~(1ULL << VHOST_USER_PROTOCOL_F_CONFIG), true);
	not_told(PROTOCOL & ~(1ULL << VHOST_USER_PROTOCOL_F_SLAVE_REQ), true);
	not_told(PROTOCOL, false);
}

static void
test_needs_reset(void)
{
	unsigned int ms;

	begin(PROTOCOL, true);
	rig_start(&r, RIG_FEATURES, 2);
	mock.status |= SVQ_DEVICE_S_NEEDS_RESET;
	change(VIRTIO_NET_S_LINK_UP);
	for (ms = 0; ms < 1000 && rig_port_state() != SVQ_VDPA_BROKEN; ms++)
		rte_delay_us_sleep(1000);
	CU_ASSERT_EQUAL(rig_port_state(), SVQ_VDPA_BROKEN);
	CU_ASSERT_EQUAL(rig_port_stats().link_changes, 0);
	CU_ASSERT_EQUAL(stub_conn(r.vid)->told_config, 1);
	/* One queue tells it, whoever noticed. */
	CU_ASSERT_EQUAL(rig_port_stats().device_breaks, 1);
	CU_ASSERT_EQUAL(svq_queue_error(r.d->vrings[0].queue), SVQ_QUEUE_E_NEEDS_RESET);
	CU_ASSERT_EQUAL(svq_queue_error(r.d->vrings[1].queue), SVQ_QUEUE_E_DEVICE);
	end();
}

static void
test_not_offered(void)
{
	const uint64_t config = 1ULL << VHOST_USER_PROTOCOL_F_CONFIG;

	memset(&mock, 0, sizeof(mock));
	rig_open(&r, "device=mock,queues=2");
	CU_ASSERT_EQUAL(svq_vdpa_protocol_features(r.d) & config, 0);
	CU_ASSERT(rig_connect(&r));
	CU_ASSERT_EQUAL(get_config(0, 8, 20), STUB_NACK);
	rig_close(&r);
	memset(&mock, 0, sizeof(mock));
	rig_open(&r, "device=mock,queues=2,config=1");
	CU_ASSERT_EQUAL(svq_vdpa_protocol_features(r.d) & config, config);
	rig_close(&r);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("config", NULL, NULL);

	autotest_add(s, "what a front-end reads", test_read);
	autotest_add(s, "not offered", test_not_offered);
	autotest_add(s, "link down and up", test_change);
	autotest_add(s, "a front-end that does not listen", test_not_told);
	autotest_add(s, "needs a reset", test_needs_reset);
}

REGISTER_AUTOTEST(vdpa_config_autotest, fill)
