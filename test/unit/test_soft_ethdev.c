/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "autotest.h"
#include "soft_driver.h"

/*
 * A port made of rings that the test holds the other end of: it says what arrives, sees what is
 * sent, and leaves the port full when it likes.
 */
#define NAME "soft"
#define PORT "net_ring_" NAME
#define DEV  "port=" PORT ",packed=1"

#define QUEUES	 2
#define PORT_MAX 63 /* frames that a queue of the port holds */
#define MRG	 (RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF))
#define PLAIN	 RTE_BIT64(VIRTIO_F_VERSION_1)
#define HDR	 12
#define SIZE	 256

static struct drv drv;
static uint64_t format; /* VIRTIO_F_RING_PACKED, or 0 */
static struct rte_mempool *pool;
static struct rte_ring *port_rx[QUEUES], *port_tx[QUEUES];

static int
setup(void)
{
	unsigned int i;

	for (i = 0; i < QUEUES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "soft_rx%u", i);
		/* One reader at a time, as a real port has it. */
		port_rx[i] = rte_ring_create(
			name, PORT_MAX + 1, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		snprintf(name, sizeof(name), "soft_tx%u", i);
		port_tx[i] = rte_ring_create(name, PORT_MAX + 1, SOCKET_ID_ANY, 0);
		if (port_rx[i] == NULL || port_tx[i] == NULL)
			return -1;
	}
	pool = rte_pktmbuf_pool_create(
		"soft_test", 511, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL)
		return -1;
	return rte_eth_from_rings(NAME, port_rx, QUEUES, port_tx, QUEUES, 0) < 0;
}

static int
cleanup(void)
{
	unsigned int i;
	int ret = rte_eal_hotplug_remove("vdev", PORT);

	for (i = 0; i < QUEUES; i++) {
		rte_ring_free(port_rx[i]);
		rte_ring_free(port_tx[i]);
	}
	rte_mempool_free(pool);
	return ret;
}

/* A frame arrives at the port; segs > 1: as a chain of mbufs. */
static void
arrive(unsigned int queue, uint8_t mark, uint32_t len, unsigned int segs)
{
	struct rte_mbuf *head = NULL, *mbuf;
	uint32_t at = 0, i;

	for (; segs > 0; segs--) {
		uint32_t n = (len - at) / segs;
		uint8_t *data;

		mbuf = rte_pktmbuf_alloc(pool);
		CU_ASSERT_PTR_NOT_NULL_FATAL(mbuf);
		data = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)n);
		CU_ASSERT_PTR_NOT_NULL_FATAL(data);
		for (i = 0; i < n; i++)
			data[i] = (uint8_t)(mark + at++);
		if (head == NULL)
			head = mbuf;
		else
			CU_ASSERT_EQUAL(rte_pktmbuf_chain(head, mbuf), 0);
	}
	CU_ASSERT_EQUAL_FATAL(rte_ring_enqueue(port_rx[queue], head), 0);
}

/* The next frame that the port sent is this one. */
static bool
was_sent(unsigned int queue, uint8_t mark, uint32_t len)
{
	uint8_t data[2048];
	const uint8_t *at;
	void *mbuf;
	uint32_t i;

	if (rte_ring_dequeue(port_tx[queue], &mbuf) != 0)
		return false;
	CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_pkt_len((struct rte_mbuf *)mbuf), len);
	CU_ASSERT_EQUAL(rte_mbuf_check(mbuf, 1, &(const char *){NULL}), 0);
	at = rte_pktmbuf_read(mbuf, 0, len, data);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	for (i = 0; i < len; i++)
		CU_ASSERT_EQUAL_FATAL(at[i], (uint8_t)(mark + i));
	rte_pktmbuf_free(mbuf);
	return true;
}

static void
post_rx(struct drv_ring *ring, unsigned int n, uint32_t len)
{
	for (; n > 0; n--) {
		struct drv_slot *slot = drv_slot_get(ring);

		drv_piece(slot, 0, len);
		drv_post(ring, slot, DRV_DIRECT);
	}
}

static void
transmit(struct drv_ring *ring, uint8_t mark, uint32_t len)
{
	struct drv_slot *slot = drv_slot_get(ring);
	uint32_t i;

	drv_piece(slot, 0, HDR);
	drv_piece(slot, 100, len / 2);
	drv_piece(slot, 40000, len - len / 2);
	for (i = 0; i < len / 2; i++)
		slot->hva[100 + i] = (uint8_t)(mark + i);
	for (; i < len; i++)
		slot->hva[40000 + i - len / 2] = (uint8_t)(mark + i);
	drv_post(ring, slot, DRV_DIRECT);
}

/* Reap one packet of mark and len; false: there is none. */
static bool
receive(struct drv_ring *ring, uint8_t mark, uint32_t len)
{
	struct drv_slot *slot;
	uint32_t got, i, at = 0, want = 1, n;

	for (n = 0; n < want; n++) {
		uint32_t skip = n == 0 ? HDR : 0;

		slot = drv_reap(ring, &got);
		if (slot == NULL)
			return false;
		if (n == 0)
			want = ((struct virtio_net_hdr_mrg_rxbuf *)slot->hva)->num_buffers;
		for (i = skip; i < got; i++, at++)
			CU_ASSERT_EQUAL_FATAL(slot->hva[i], (uint8_t)(mark + at));
		drv_slot_put(ring, slot);
	}
	CU_ASSERT_EQUAL(at, len);
	return true;
}

static unsigned int
reap_all(struct drv_ring *ring)
{
	struct drv_slot *slot;
	unsigned int n = 0;
	uint32_t len;

	for (; (slot = drv_reap(ring, &len)) != NULL; n++)
		drv_slot_put(ring, slot);
	return n;
}

static struct svq_device_stats
stats(void)
{
	struct svq_device_stats s;

	drv.dev->ops->stats(drv.dev, &s);
	return s;
}

static void
open_start(const char *args, uint64_t features)
{
	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, args, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | features, SIZE), 0);
}

static void
test_receive(void)
{
	unsigned int round;

	open_start(DEV ",queues=2", MRG);
	for (round = 0; round < 300; round++) {
		uint16_t pair = round % 2;
		uint8_t mark = (uint8_t)round;

		post_rx(&drv.ring[2 * pair], 8, 100 + round);
		arrive(pair, mark, 60, 1);
		arrive(pair, mark, 14, 3);
		arrive(pair, mark, 61 + round, 1 + round % 5);
		drv_poll(&drv, pair);
		CU_ASSERT_FATAL(receive(&drv.ring[2 * pair], mark, 60));
		CU_ASSERT_FATAL(receive(&drv.ring[2 * pair], mark, 14));
		CU_ASSERT_FATAL(receive(&drv.ring[2 * pair], mark, 61 + round));
		/* Use up what is left, so that each round's buffers are its own. */
		while (drv.ring[2 * pair].n_free < SIZE) {
			arrive(pair, mark, 14, 1);
			drv_poll(&drv, pair);
			CU_ASSERT_FATAL(receive(&drv.ring[2 * pair], mark, 14));
		}
	}
	CU_ASSERT_EQUAL(stats().rx_drops, 0);
	drv_close(&drv);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), 511);
}

static void
test_transmit(void)
{
	unsigned int round;

	open_start(DEV ",queues=2", PLAIN);
	for (round = 0; round < 500; round++) {
		uint16_t pair = round % 2;
		struct drv_ring *tx = &drv.ring[2 * pair + 1];

		transmit(tx, (uint8_t)round, 14);
		transmit(tx, (uint8_t)round, 1518);
		transmit(tx, (uint8_t)round, 60 + round);
		drv_poll(&drv, pair);
		CU_ASSERT_EQUAL(reap_all(tx), 3);
		CU_ASSERT_FATAL(was_sent(pair, (uint8_t)round, 14));
		CU_ASSERT_FATAL(was_sent(pair, (uint8_t)round, 1518));
		CU_ASSERT_FATAL(was_sent(pair, (uint8_t)round, 60 + round));
		CU_ASSERT(!was_sent(pair, 0, 0));
	}
	CU_ASSERT_EQUAL(stats().tx_packets, 1500);
	CU_ASSERT_EQUAL(stats().tx_drops, 0);
	drv_close(&drv);
}

static void
test_refused_frames(void)
{
	open_start(DEV, MRG);
	/* Shorter than an Ethernet header; longer than the MTU admits with a VLAN tag. */
	transmit(&drv.ring[1], 0, 13);
	transmit(&drv.ring[1], 0, 1519);
	transmit(&drv.ring[1], 0, 65000);
	transmit(&drv.ring[1], 7, 1518);
	drv_poll(&drv, 0);
	CU_ASSERT_EQUAL(reap_all(&drv.ring[1]), 4);
	CU_ASSERT(was_sent(0, 7, 1518));
	CU_ASSERT(!was_sent(0, 0, 0));
	CU_ASSERT_EQUAL(stats().tx_drops, 3);
	CU_ASSERT_EQUAL(stats().tx_packets, 4);
	drv_close(&drv);
}

static void
test_no_buffer(void)
{
	open_start(DEV, PLAIN);
	arrive(0, 1, 600, 1);
	drv_poll(&drv, 0);
	/* It waits in the port. */
	CU_ASSERT_EQUAL(stats().rx_drops, 0);
	CU_ASSERT_EQUAL(rte_ring_count(port_rx[0]), 1);
	/* A buffer that does not hold a frame stays for the next one. */
	post_rx(&drv.ring[0], 1, 500);
	arrive(0, 2, 600, 1);
	arrive(0, 3, 400, 1);
	drv_poll(&drv, 0);
	CU_ASSERT(receive(&drv.ring[0], 3, 400));
	CU_ASSERT_EQUAL(stats().rx_drops, 2);
	CU_ASSERT_EQUAL(stats().rx_packets, 1);
	drv_close(&drv);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), 511);
}

/* A driver posts buffers one by one while the port has many packets: none is lost, all in order. */
static void
test_few_buffers(void)
{
	unsigned int i;

	open_start(DEV, PLAIN);
	for (i = 0; i < 10; i++)
		arrive(0, (uint8_t)i, 100, 1);
	for (i = 0; i < 10; i++) {
		post_rx(&drv.ring[0], 1, 500);
		drv_poll(&drv, 0);
		CU_ASSERT(receive(&drv.ring[0], (uint8_t)i, 100));
	}
	CU_ASSERT_EQUAL(stats().rx_drops, 0);
	CU_ASSERT_EQUAL(stats().rx_packets, 10);

	/* A reset gives up what waits. */
	for (i = 0; i < 10; i++)
		arrive(0, 0, 100, 1);
	post_rx(&drv.ring[0], 1, 500);
	drv_poll(&drv, 0);
	drv_close(&drv);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), 511);
}

/* What a full port refuses is kept and goes later, in order; the driver has to wait. */
static void
test_full_port(void)
{
	unsigned int posted, sent;

	open_start(DEV, PLAIN);
	for (posted = 0; posted < 60; posted++)
		transmit(&drv.ring[1], (uint8_t)posted, 64);
	drv_poll(&drv, 0);
	CU_ASSERT_EQUAL(reap_all(&drv.ring[1]), 60);
	for (; posted < 120; posted++)
		transmit(&drv.ring[1], (uint8_t)posted, 64);
	drv_poll(&drv, 0);
	/* 63 in the port, 32 held, the rest with the driver. */
	CU_ASSERT_EQUAL(reap_all(&drv.ring[1]), 35);
	for (sent = 0; sent < 120; sent++) {
		CU_ASSERT_FATAL(was_sent(0, (uint8_t)sent, 64));
		drv_poll(&drv, 0);
	}
	CU_ASSERT(!was_sent(0, 0, 0));
	CU_ASSERT_EQUAL(reap_all(&drv.ring[1]), 25);
	CU_ASSERT_EQUAL(stats().tx_drops, 0);

	/* A reset gives up what is held. */
	for (posted = 0; posted < 60; posted++)
		transmit(&drv.ring[1], 0, 64);
	drv_poll(&drv, 0);
	reap_all(&drv.ring[1]);
	for (posted = 0; posted < 20; posted++)
		transmit(&drv.ring[1], 0, 64);
	drv_poll(&drv, 0);
	drv.dev->ops->stop(drv.dev);
	for (sent = 0; was_sent(0, 0, 64); sent++)
		;
	CU_ASSERT_EQUAL(sent, PORT_MAX);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | PLAIN, SIZE), 0);
	drv_poll(&drv, 0);
	CU_ASSERT(!was_sent(0, 0, 64));
	drv_close(&drv);
}

/* A driver gets what was there before the first one, but not what came between two. */
static void
test_stale(void)
{
	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, DEV, NULL), 0);
	arrive(0, 1, 60, 1);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | PLAIN, SIZE), 0);
	post_rx(&drv.ring[0], 8, 100);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 1);
	CU_ASSERT(receive(&drv.ring[0], 1, 60));
	drv.dev->ops->stop(drv.dev);
	arrive(0, 2, 60, 1);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | PLAIN, SIZE), 0);
	post_rx(&drv.ring[0], 8, 100);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	arrive(0, 3, 60, 1);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 1);
	CU_ASSERT(receive(&drv.ring[0], 3, 60));
	drv_close(&drv);
}

/* Flows of a pair that is off go to one that is on. */
static void
test_shared_queues(void)
{
	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, DEV ",queues=2", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | PLAIN, SIZE), 0);
	post_rx(&drv.ring[0], 8, 100);
	post_rx(&drv.ring[2], 8, 100);
	arrive(1, 3, 60, 1);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	CU_ASSERT_EQUAL(drv_poll(&drv, 1), 1);
	CU_ASSERT(receive(&drv.ring[2], 3, 60));
	CU_ASSERT_EQUAL(drv.dev->ops->pair_enable(drv.dev, 1, false), 0);
	arrive(1, 4, 60, 1);
	CU_ASSERT_EQUAL(drv_poll(&drv, 1), 0);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 1);
	CU_ASSERT(receive(&drv.ring[0], 4, 60));
	CU_ASSERT_EQUAL(drv.dev->ops->pair_enable(drv.dev, 1, true), 0);
	CU_ASSERT_EQUAL(drv.dev->ops->pair_enable(drv.dev, 0, false), 0);
	arrive(0, 5, 60, 1);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	CU_ASSERT_EQUAL(drv_poll(&drv, 1), 1);
	CU_ASSERT(receive(&drv.ring[2], 5, 60));
	drv_close(&drv);
}

/* Take one frame of either pair, whichever served it, and post its buffer again. */
static bool
take_any(uint8_t *mark)
{
	unsigned int i;

	for (i = 0; i < 4; i += 2) {
		uint32_t len;
		struct drv_slot *slot = drv_reap(&drv.ring[i], &len);

		if (slot == NULL)
			continue;
		CU_ASSERT_EQUAL_FATAL(len, HDR + 60);
		*mark = slot->hva[HDR];
		drv_slot_put(&drv.ring[i], slot);
		post_rx(&drv.ring[i], 1, 100);
		return true;
	}
	return false;
}

/* A pair is switched on and off while another thread serves the first: each frame comes once. */
static void
test_switch_under_traffic(void)
{
	const struct svq_device_ops *ops;
	/* On a busy machine each switch takes a while. */
	uint64_t end = rte_get_timer_cycles() + 2 * rte_get_timer_hz();
	unsigned int i, j, marks;
	uint8_t mark;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, DEV ",queues=2", drv_poller_qsbr()), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | PLAIN, SIZE), 0);
	ops = drv.dev->ops;
	post_rx(&drv.ring[0], 32, 100);
	post_rx(&drv.ring[2], 32, 100);
	drv_poller_start(&drv);
	for (i = 0; i < 5000 && rte_get_timer_cycles() < end; i++) {
		for (j = 0; j < 4; j++)
			arrive(1, (uint8_t)j, 60, 1);
		CU_ASSERT_EQUAL(ops->pair_enable(drv.dev, 1, i % 2 != 0), 0);
		for (; j < 8; j++)
			arrive(1, (uint8_t)j, 60, 1);
		for (marks = 0; marks != 0xff;) {
			if (i % 2 != 0)
				ops->poll(drv.dev, 1);
			if (!take_any(&mark))
				continue;
			CU_ASSERT_FATAL(mark < 8 && !(marks & 1u << mark));
			marks |= 1u << mark;
		}
	}
	drv_poller_stop();
	CU_ASSERT_EQUAL(stats().rx_packets, 8 * i);
	CU_ASSERT_EQUAL(stats().rx_drops, 0);
	drv_close(&drv);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), 511);
}

/* Of this port nobody tells when packets come, or when it takes some again. */
static void
test_sleep(void)
{
	const struct svq_device_ops *ops;
	unsigned int posted;

	open_start(DEV ",queues=2", PLAIN);
	ops = drv.dev->ops;
	CU_ASSERT_EQUAL(ops->poll_fd(drv.dev, 0), -1);
	/* Without receive buffers, only the driver can bring work. */
	arrive(0, 1, 60, 1);
	drv_poll(&drv, 0);
	CU_ASSERT_EQUAL(ops->poll_sleep(drv.dev, 0), 0);
	ops->poll_wake(drv.dev, 0);
	post_rx(&drv.ring[0], 2, 100);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 1);
	CU_ASSERT(receive(&drv.ring[0], 1, 60));
	CU_ASSERT_EQUAL(ops->poll_sleep(drv.dev, 0), -ENOTSUP);
	ops->poll_wake(drv.dev, 0);
	/* The same for one buffer that does not hold all of a packet. */
	drv_close(&drv);
	open_start(DEV, MRG);
	ops = drv.dev->ops;
	post_rx(&drv.ring[0], 1, 100);
	arrive(0, 2, 150, 1);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	CU_ASSERT_EQUAL(ops->poll_sleep(drv.dev, 0), 0);
	/* What the port does not take. */
	for (posted = 0; posted < PORT_MAX + 1; posted++) {
		transmit(&drv.ring[1], (uint8_t)posted, 64);
		drv_poll(&drv, 0);
		reap_all(&drv.ring[1]);
		CU_ASSERT_EQUAL(ops->poll_sleep(drv.dev, 0), posted < PORT_MAX ? 0 : -ENOTSUP);
	}
	CU_ASSERT(was_sent(0, 0, 64));
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	CU_ASSERT_EQUAL(ops->poll_sleep(drv.dev, 0), 0);
	for (posted = 1; posted < PORT_MAX + 1; posted++)
		CU_ASSERT(was_sent(0, (uint8_t)posted, 64));
	drv_close(&drv);
}

static void
test_open_close(void)
{
	static struct drv other;
	struct virtio_net_config config;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL_FATAL(
			drv_open(&drv, i % 2 ? "port=" PORT : "port=" PORT ",queues=2", NULL), 0);
		CU_ASSERT_EQUAL(drv_open(&other, "port=" PORT, NULL), -EBUSY);
		CU_ASSERT_EQUAL(drv.dev->ops->get_config(drv.dev, 0, &config, sizeof(config)), 0);
		CU_ASSERT_EQUAL(config.status, VIRTIO_NET_S_LINK_UP);
		CU_ASSERT_EQUAL(config.mtu, 1500);
		CU_ASSERT_EQUAL(config.max_virtqueue_pairs, drv.pairs);
		CU_ASSERT(drv.dev->info.features & RTE_BIT64(VIRTIO_NET_F_MTU));
		drv_close(&drv);
	}
	CU_ASSERT_EQUAL(drv_open(&other, "port=net_ring_none", NULL), -ENODEV);
	CU_ASSERT_EQUAL(drv_open(&other, "port=" PORT ",queues=3", NULL), -EINVAL);
	CU_ASSERT_EQUAL(drv_open(&other, "port=" PORT ",backend=null", NULL), -EINVAL);
}

/* Of DPDK's driver SDK; its headers may not be installed. */
struct rte_eth_dev *rte_eth_dev_get_by_name(const char *name);
int
rte_eth_dev_callback_process(struct rte_eth_dev *dev, enum rte_eth_event_type event, void *param);

/* The port's link goes down and up. */
static void
test_link(void)
{
	struct virtio_net_config config;
	struct rte_eth_dev *port;
	uint16_t id;
	eventfd_t n;
	int fd = eventfd(0, EFD_NONBLOCK);

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, DEV, NULL), 0);
	port = rte_eth_dev_get_by_name(PORT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(port);
	CU_ASSERT_EQUAL(rte_eth_dev_get_port_by_name(PORT, &id), 0);
	CU_ASSERT_EQUAL(drv.dev->ops->config_irq(drv.dev, fd), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | PLAIN, SIZE), 0);
	CU_ASSERT_EQUAL(drv.dev->ops->config_irq(drv.dev, -1), -EBUSY);
	CU_ASSERT_EQUAL(rte_eth_dev_set_link_down(id), 0);
	rte_eth_dev_callback_process(port, RTE_ETH_EVENT_INTR_LSC, NULL);
	CU_ASSERT_EQUAL(eventfd_read(fd, &n), 0);
	CU_ASSERT_EQUAL(drv.dev->ops->get_config(drv.dev, 0, &config, sizeof(config)), 0);
	CU_ASSERT_EQUAL(config.status, 0);
	CU_ASSERT_EQUAL(rte_eth_dev_set_link_up(id), 0);
	rte_eth_dev_callback_process(port, RTE_ETH_EVENT_INTR_LSC, NULL);
	CU_ASSERT_EQUAL(eventfd_read(fd, &n), 0);
	CU_ASSERT_EQUAL(drv.dev->ops->get_config(drv.dev, 0, &config, sizeof(config)), 0);
	CU_ASSERT_EQUAL(config.status, VIRTIO_NET_S_LINK_UP);
	/* A stop forgets the descriptor. */
	drv.dev->ops->stop(drv.dev);
	rte_eth_dev_callback_process(port, RTE_ETH_EVENT_INTR_LSC, NULL);
	CU_ASSERT_EQUAL(eventfd_read(fd, &n), -1);
	drv_close(&drv);
	rte_eth_dev_callback_process(port, RTE_ETH_EVENT_INTR_LSC, NULL);
	close(fd);
}

static int
setup_packed(void)
{
	format = RTE_BIT64(VIRTIO_F_RING_PACKED);
	return setup();
}

/* A checksum that the driver left to the device, which this port cannot do. */
static void
test_checksum(void)
{
	const struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6};
	uint8_t packet[12 + 100] = {0}, data[100];
	struct drv_ring *tx = &drv.ring[1];
	const uint8_t *at;
	struct drv_slot *slot;
	uint32_t sum = 0, len;
	unsigned int i;
	void *mbuf = NULL;

	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "port=" PORT, NULL), 0);
	CU_ASSERT(drv.dev->info.features & RTE_BIT64(VIRTIO_NET_F_CSUM));
	CU_ASSERT(!(drv.dev->info.features & RTE_BIT64(VIRTIO_NET_F_HOST_TSO6)));
	CU_ASSERT(!(drv.dev->info.features & RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM)));
	CU_ASSERT_EQUAL_FATAL(
		drv_start(&drv, RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_CSUM), 64),
		0);
	memcpy(packet, &hdr, sizeof(hdr));
	for (i = 12; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(i * 3);
	slot = drv_slot_get(tx);
	drv_piece(slot, 0, sizeof(packet));
	drv_fill(slot, packet, sizeof(packet));
	drv_post(tx, slot, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 1);
	slot = drv_reap(tx, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
	drv_slot_put(tx, slot);
	CU_ASSERT_EQUAL_FATAL(rte_ring_dequeue(port_tx[0], &mbuf), 0);
	at = rte_pktmbuf_read(mbuf, 0, sizeof(data), data);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	/* All of it sums up to what the field held, and with the sum to 0xffff. */
	for (i = 34; i < 100; i += 2)
		sum += i == 40 ? (uint32_t)(packet[12 + 40] << 8 | packet[12 + 41])
			       : (uint32_t)(at[i] << 8 | at[i + 1]);
	sum += (uint32_t)(at[40] << 8 | at[41]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	CU_ASSERT_EQUAL(sum, 0xffff);
	CU_ASSERT_EQUAL(memcmp(at, packet + 12, 40), 0);
	CU_ASSERT_EQUAL(memcmp(at + 42, packet + 12 + 42, 58), 0);
	rte_pktmbuf_free(mbuf);
	drv_close(&drv);
	CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "port=" PORT ",offloads=0", NULL), 0);
	CU_ASSERT(!(drv.dev->info.features & RTE_BIT64(VIRTIO_NET_F_CSUM)));
	drv_close(&drv);
}

static void
fill_suite(CU_pSuite suite)
{
	autotest_add(suite, "receive", test_receive);
	autotest_add(suite, "transmit", test_transmit);
	autotest_add(suite, "frames that the port would refuse", test_refused_frames);
	autotest_add(suite, "no receive buffer", test_no_buffer);
	autotest_add(suite, "few receive buffers", test_few_buffers);
	autotest_add(suite, "full port", test_full_port);
	autotest_add(suite, "packets without a driver", test_stale);
	autotest_add(suite, "queues of pairs that are off", test_shared_queues);
	autotest_add(suite, "pairs switched under traffic", test_switch_under_traffic);
	autotest_add(suite, "checksum", test_checksum);
	autotest_add(suite, "link", test_link);
	autotest_add(suite, "sleep", test_sleep);
	autotest_add(suite, "open and close", test_open_close);
}

static void
fill(void)
{
	fill_suite(autotest_suite("soft_ethdev, split", setup, cleanup));
	fill_suite(autotest_suite("soft_ethdev, packed", setup_packed, cleanup));
}

REGISTER_AUTOTEST(soft_ethdev_autotest, fill)
