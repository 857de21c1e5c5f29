/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "soft_ethdev_port.h"

/* Descriptors of a port's queue, where the port allows it. */
#define QUEUE_SIZE 256
/* Buffers that one lcore's cache may keep. */
#define POOL_CACHE 128
/* Buffers of the longest frame; a pool must have them beside what queues keep. */
#define FRAME_MBUFS (1 + SOFT_MAX_FRAME / (RTE_MBUF_DEFAULT_DATAROOM))
/* Buffers of the longest packet and its segments, of which each has one for its headers, and where
 * the packet's own buffers end one more for its payload. */
#define GSO_MBUFS (2 * (FRAME_MBUFS + SOFT_PORT_SEGS))
/* By port number; a port has one owner at a time. */
static struct rte_mempool *pools[RTE_MAX_ETHPORTS];

static int
refuse(const struct soft_dev *dev, int error, const char *what, const char *todo)
{
	SOFT_LOG(ERR, dev->dev.name, "port=%s: %s (%s); %s", dev->args.port, what,
		strerror(error < 0 ? -error : error), todo);
	return error;
}

/* Find the port and make it ours. */
static int
claim_port(struct soft_dev *dev, struct soft_port *port)
{
	struct rte_eth_dev_owner owner;
	int ret;

	ret = rte_eth_dev_get_port_by_name(dev->args.port, &port->id);
	if (ret < 0)
		return refuse(dev, -ENODEV, "there is no such ethdev",
			"put its own --vdev before this one, or bind it to DPDK");
	ret = rte_eth_dev_owner_get(port->id, &owner);
	if (ret == 0 && owner.id != RTE_ETH_DEV_NO_OWNER) {
		SOFT_LOG(ERR, dev->dev.name, "port=%s: in use by %s; give each device its own port",
			dev->args.port, owner.name);
		return -EBUSY;
	}
	ret = rte_eth_dev_owner_new(&port->owner.id);
	if (ret == 0) {
		snprintf(port->owner.name, sizeof(port->owner.name), "%s", dev->dev.name);
		ret = rte_eth_dev_owner_set(port->id, &port->owner);
	}
	if (ret < 0)
		return refuse(dev, ret, "cannot be claimed", "give another port");
	return 0;
}

/* The pool that the port's queues are filled from, found or made. */
static struct rte_mempool *
get_pool(uint16_t port, unsigned int n, int socket)
{
	static _Atomic unsigned int serial;
	char name[RTE_MEMPOOL_NAMESIZE];

	if (pools[port] != NULL && pools[port]->size >= n)
		return pools[port];
	snprintf(name, sizeof(name), "svq_soft_%u_%u", port, atomic_fetch_add(&serial, 1));
	return rte_pktmbuf_pool_create(name, n, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, socket);
}

/* The port's queues use this pool from now on. */
static void
put_pool(uint16_t port, struct rte_mempool *pool)
{
	/* Buffers that a port still keeps must stay valid: better a lost pool than that. */
	if (pools[port] != NULL && pools[port] != pool && rte_mempool_full(pools[port]))
		rte_mempool_free(pools[port]);
	pools[port] = pool;
}

static int
setup_queues(struct soft_dev *dev, struct soft_port *port, const struct rte_eth_dev_info *info)
{
	uint16_t n_rx = QUEUE_SIZE, n_tx = QUEUE_SIZE, q;
	int socket = rte_eth_dev_socket_id(port->id);
	unsigned int n;
	int ret;

	ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &n_rx, &n_tx);
	if (ret < 0)
		return refuse(dev, ret, "its queues cannot be sized", "give another port");
	n = dev->args.pairs * (n_rx + n_tx + 2 * SOFT_BURST) + FRAME_MBUFS +
		(port->multi_seg ? dev->args.pairs * GSO_MBUFS : 0) +
		rte_lcore_count() * POOL_CACHE * 3 / 2;
	port->pool = get_pool(port->id, n, socket);
	if (port->pool == NULL) {
		SOFT_LOG(ERR, dev->dev.name,
			"port=%s: no pool of %u packet buffers (%s); give EAL more memory, or the "
			"device fewer queues; without hugepages EAL also needs "
			"librte_mempool_ring (-d)",
			dev->args.port, n, rte_strerror(rte_errno));
		return -ENOBUFS;
	}
	for (q = 0; q < dev->args.pairs; q++) {
		struct rte_eth_txconf txconf = info->default_txconf;

		ret = rte_eth_rx_queue_setup(
			port->id, q, n_rx, (unsigned int)socket, NULL, port->pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(
				port->id, q, n_tx, (unsigned int)socket, &txconf);
		if (ret < 0) {
			refuse(dev, ret, "its queues cannot be set up",
				"see the port's own message above");
			break;
		}
	}
	put_pool(port->id, port->pool);
	return ret;
}

/* Nothing tells whether a port has receive interrupts: it is started with them, or else without. */
static int
start_port(struct soft_dev *dev, struct soft_port *port, const struct rte_eth_dev_info *info,
	struct rte_eth_conf *conf)
{
	uint16_t pairs = dev->args.pairs;
	bool configured;
	int ret;

	for (conf->intr_conf.rxq = 1;; conf->intr_conf.rxq = 0) {
		ret = rte_eth_dev_configure(port->id, pairs, pairs, conf);
		configured = ret == 0;
		if (configured) {
			ret = setup_queues(dev, port, info);
			if (ret < 0)
				return ret;
			ret = rte_eth_dev_start(port->id);
			if (ret == 0)
				break;
		}
		if (!conf->intr_conf.rxq)
			return configured ? refuse(dev, ret, "it cannot be started",
						    "see the port's own message above")
					  : refuse(dev, ret, "it cannot be configured",
						    "make sure that nobody else has started it");
	}
	if (conf->intr_conf.rxq)
		soft_port_irq_open(&port->irq, port->id, pairs);
	return 0;
}

static int
configure_port(struct soft_dev *dev, struct soft_port *port)
{
	uint16_t pairs = dev->args.pairs;
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;
	uint16_t mtu;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret == 0)
		ret = rte_eth_dev_get_mtu(port->id, &mtu);
	if (ret < 0)
		return refuse(dev, ret, "it cannot be asked for its limits", "give another port");
	if (info.max_rx_queues < pairs || info.max_tx_queues < pairs) {
		SOFT_LOG(ERR, dev->dev.name,
			"port=%s has %u receive and %u transmit queues, queues=%u needs more; give "
			"queues=%u or a port with more",
			dev->args.port, info.max_rx_queues, info.max_tx_queues, pairs,
			RTE_MIN(info.max_rx_queues, info.max_tx_queues));
		return -EINVAL;
	}
	conf.rxmode.mtu = mtu;
	conf.rxmode.offloads = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	port->multi_seg = conf.txmode.offloads != 0;
	if (dev->args.features & SOFT_OFFLOADS) {
		dev->offloads = soft_port_offload_init(&port->offload, &info);
		if (port->multi_seg)
			dev->offloads |= RTE_BIT64(VIRTIO_NET_F_HOST_TSO4);
		conf.rxmode.offloads |= port->offload.rx;
		conf.txmode.offloads |= port->offload.tx;
	}
	if (pairs > 1 && info.flow_type_rss_offloads != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP) &
			info.flow_type_rss_offloads;
	}
	conf.intr_conf.lsc = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
	/* With one VLAN tag. A longer frame would never be taken by the port. */
	port->max_frame = mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
	dev->mtu = mtu;
	return start_port(dev, port, &info, &conf);
}

static int
link_changed(uint16_t id, enum rte_eth_event_type event, void *arg, void *out)
{
	RTE_SET_USED(id);
	RTE_SET_USED(event);
	RTE_SET_USED(out);
	soft_dev_config_changed(arg);
	return 0;
}

int
soft_port_open(struct soft_dev *dev, struct soft_port *port)
{
	int ret = claim_port(dev, port);

	if (ret < 0)
		return ret;
	ret = configure_port(dev, port);
	if (ret < 0) {
		rte_eth_dev_owner_unset(port->id, port->owner.id);
		return ret;
	}
	ret = rte_eth_promiscuous_enable(port->id);
	if (ret < 0)
		SOFT_LOG(WARNING, dev->dev.name,
			"port=%s: no promiscuous mode (%s); give the guest the port's own MAC "
			"address",
			dev->args.port, strerror(-ret));
	dev->numa_node = rte_eth_dev_socket_id(port->id);
	/* A port without such events has a link that nobody hears of. */
	rte_eth_dev_callback_register(port->id, RTE_ETH_EVENT_INTR_LSC, link_changed, dev);
	return 0;
}

void
soft_port_close(struct soft_dev *dev, struct soft_port *port)
{
	uint16_t id;

	if (rte_eth_dev_get_port_by_name(dev->args.port, &id) == 0 && id == port->id) {
		rte_eth_dev_callback_unregister(id, RTE_ETH_EVENT_INTR_LSC, link_changed, dev);
		rte_eth_dev_stop(id);
		rte_eth_dev_owner_unset(id, port->owner.id);
	}
	soft_port_irq_close(&port->irq);
}

bool
soft_port_link(const struct soft_port *port)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}
