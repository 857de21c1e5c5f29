/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The back-end "ethdev": pair i sends on the port's transmit queue i. It receives from receive
 * queue i; the queues of pairs that are off are shared out among those that are on, because the
 * port spreads flows over all of its queues.
 *
 * The port is configured and started at open and keeps its link up while drivers come and go. Its
 * queues hold buffers of the pool until they are set up anew, so pools are kept by port number and
 * are found again at the next open.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>

#include "soft_ethdev_offload.h"
#include "soft_net.h"

/* Descriptors of a port's queue, where the port allows it. */
#define QUEUE_SIZE 256
/* Buffers that one lcore's cache may keep. */
#define POOL_CACHE 128
/* Buffers of the longest frame; a pool must have them beside what queues keep. */
#define FRAME_MBUFS (1 + SOFT_MAX_FRAME / (RTE_MBUF_DEFAULT_DATAROOM))
/* Most packets that start() throws away on one queue: more than a port keeps. They are taken on a
 * thread that has other guests to serve. */
#define STALE_MAX 4096

/* What one pair's thread keeps. */
struct pair_state {
	_Atomic uint64_t rx_queues[2]; /* bit q: it serves the port's receive queue q */
	uint16_t n_held;
	struct rte_mbuf *held[SOFT_BURST]; /* taken from the driver, not yet by the port */
	uint16_t n_waiting;
	struct rte_mbuf *waiting[SOFT_BURST]; /* taken from the port, not yet by the driver */
} __rte_cache_aligned;

struct port {
	uint16_t id;
	struct rte_eth_dev_owner owner;
	struct rte_mempool *pool;
	bool multi_seg; /* sends chains of mbufs */
	struct soft_port_offload offload;
	bool used;	    /* a driver was here before */
	uint32_t max_frame; /* bytes */
	struct pair_state *pairs;
};

/* By port number; a port has one owner at a time. */
static struct rte_mempool *pools[RTE_MAX_ETHPORTS];

static struct port *
port_of(struct soft_dev *dev)
{
	return dev->backend_data;
}

/* ---- open and close ---- */

static int
refuse(const struct soft_dev *dev, int error, const char *what, const char *todo)
{
	SOFT_LOG(ERR, dev->dev.name, "port=%s: %s (%s); %s", dev->args.port, what,
		strerror(error < 0 ? -error : error), todo);
	return error;
}

/* Find the port and make it ours. */
static int
claim_port(struct soft_dev *dev, struct port *port)
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
setup_queues(struct soft_dev *dev, struct port *port, const struct rte_eth_dev_info *info)
{
	uint16_t n_rx = QUEUE_SIZE, n_tx = QUEUE_SIZE, q;
	int socket = rte_eth_dev_socket_id(port->id);
	unsigned int n;
	int ret;

	ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &n_rx, &n_tx);
	if (ret < 0)
		return refuse(dev, ret, "its queues cannot be sized", "give another port");
	n = dev->args.pairs * (n_rx + n_tx + 2 * SOFT_BURST) + FRAME_MBUFS +
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

static int
configure_port(struct soft_dev *dev, struct port *port)
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
	ret = rte_eth_dev_configure(port->id, pairs, pairs, &conf);
	if (ret < 0)
		return refuse(dev, ret, "it cannot be configured",
			"make sure that nobody else has started it");
	/* With one VLAN tag. A longer frame would never be taken by the port. */
	port->max_frame = mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
	dev->mtu = mtu;
	return setup_queues(dev, port, &info);
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

static int
ethdev_open(struct soft_dev *dev)
{
	struct port *port = calloc(1, sizeof(*port));
	int ret = -ENOMEM;

	if (port == NULL)
		return ret;
	port->pairs = aligned_alloc(RTE_CACHE_LINE_SIZE, dev->args.pairs * sizeof(port->pairs[0]));
	if (port->pairs == NULL)
		goto free_port;
	memset(port->pairs, 0, dev->args.pairs * sizeof(port->pairs[0]));
	ret = claim_port(dev, port);
	if (ret < 0)
		goto free_pairs;
	ret = configure_port(dev, port);
	if (ret < 0)
		goto unclaim;
	ret = rte_eth_dev_start(port->id);
	if (ret < 0) {
		refuse(dev, ret, "it cannot be started", "see the port's own message above");
		goto unclaim;
	}
	ret = rte_eth_promiscuous_enable(port->id);
	if (ret < 0)
		SOFT_LOG(WARNING, dev->dev.name,
			"port=%s: no promiscuous mode (%s); give the guest the port's own MAC "
			"address",
			dev->args.port, strerror(-ret));
	dev->backend_data = port;
	dev->numa_node = rte_eth_dev_socket_id(port->id);
	/* A port without such events has a link that nobody hears of. */
	rte_eth_dev_callback_register(port->id, RTE_ETH_EVENT_INTR_LSC, link_changed, dev);
	return 0;

unclaim:
	rte_eth_dev_owner_unset(port->id, port->owner.id);
free_pairs:
	free(port->pairs);
free_port:
	free(port);
	return ret;
}

static void
ethdev_close(struct soft_dev *dev)
{
	struct port *port = port_of(dev);
	uint16_t id;

	/* The port may have been removed before us. */
	if (rte_eth_dev_get_port_by_name(dev->args.port, &id) == 0 && id == port->id) {
		rte_eth_dev_callback_unregister(id, RTE_ETH_EVENT_INTR_LSC, link_changed, dev);
		rte_eth_dev_stop(id);
		rte_eth_dev_owner_unset(id, port->owner.id);
	}
	free(port->pairs);
	free(port);
}

/* ---- start and stop ---- */

/* What came between two drivers is stale. Before the first one nobody missed anything, and a port
 * that plays a file has just what the driver is to get. */
static void
ethdev_start(struct soft_dev *dev)
{
	struct rte_mbuf *mbufs[SOFT_BURST];
	struct port *port = port_of(dev);
	unsigned int total;
	uint16_t q, n;

	for (q = 0; q < dev->args.pairs && port->used; q++) {
		total = 0;
		do {
			n = rte_eth_rx_burst(port->id, q, mbufs, SOFT_BURST);
			rte_pktmbuf_free_bulk(mbufs, n);
			total += n;
		} while (n != 0 && total < STALE_MAX);
	}
	port->used = true;
}

static void
ethdev_stop(struct soft_dev *dev)
{
	struct port *port = port_of(dev);
	uint16_t i;

	for (i = 0; i < dev->args.pairs; i++) {
		rte_pktmbuf_free_bulk(port->pairs[i].held, port->pairs[i].n_held);
		port->pairs[i].n_held = 0;
		rte_pktmbuf_free_bulk(port->pairs[i].waiting, port->pairs[i].n_waiting);
		port->pairs[i].n_waiting = 0;
	}
}

/* Share the port's receive queues out among the pairs that are on. */
static void
ethdev_share(struct soft_dev *dev)
{
	struct port *port = port_of(dev);
	uint16_t on[SOFT_MAX_PAIRS];
	uint64_t want[SOFT_MAX_PAIRS][2];
	uint16_t i, q, n_on = 0, pairs = dev->args.pairs;
	unsigned int w;

	memset(want, 0, pairs * sizeof(want[0]));
	for (i = 0; i < pairs; i++) {
		if (dev->pairs[i].enabled)
			on[n_on++] = i;
	}
	for (q = 0; q < pairs && n_on > 0; q++) {
		i = dev->pairs[q].enabled ? q : on[q % n_on];
		want[i][q / 64] |= RTE_BIT64(q % 64);
	}
	/* A queue has one reader at a time: take away, wait, give. */
	for (i = 0; i < pairs; i++) {
		for (w = 0; w < 2; w++)
			atomic_fetch_and(&port->pairs[i].rx_queues[w], want[i][w]);
	}
	if (dev->iommu.qsbr != NULL)
		rte_rcu_qsbr_synchronize(dev->iommu.qsbr, RTE_QSBR_THRID_INVALID);
	for (i = 0; i < pairs; i++) {
		for (w = 0; w < 2; w++)
			atomic_store(&port->pairs[i].rx_queues[w], want[i][w]);
	}
}

/* ---- port to driver ---- */

/* Take an mbuf in hand. Returns false for a frame that cannot be a packet. */
static bool
mbuf_read(struct soft_net *net, struct rte_mbuf *mbuf)
{
	struct soft_buf *src = net->pair->src;
	unsigned int n = 1;

	net->first = 1;
	net->len = mbuf->pkt_len;
	if (net->len == 0 || net->len > SOFT_MAX_FRAME)
		return false;
	for (; mbuf != NULL; mbuf = mbuf->next) {
		if (mbuf->data_len == 0)
			continue;
		if (n == net->pair->n_src)
			return false;
		src[n].addr = rte_pktmbuf_mtod(mbuf, uint8_t *);
		src[n++].len = mbuf->data_len;
	}
	net->n = n - 1;
	return true;
}

/* Give the driver what waits, in order, as far as it has buffers. */
static void
deliver(struct soft_net *net, const struct port *port, struct pair_state *state)
{
	enum soft_net_room room = SOFT_NET_ROOM;
	uint16_t i;

	for (i = 0; i < state->n_waiting; i++) {
		room = mbuf_read(net, state->waiting[i]) ? soft_net_rx_reserve(net, net->len)
							 : SOFT_NET_NEVER;
		if (room == SOFT_NET_WAIT)
			break;
		if (room == SOFT_NET_ROOM) {
			soft_port_offload_rx(&port->offload, net, state->waiting[i]);
			soft_net_rx_write(net);
		} else
			net->rx_drops++;
	}
	rte_pktmbuf_free_bulk(state->waiting, i);
	state->n_waiting -= i;
	memmove(state->waiting, state->waiting + i, state->n_waiting * sizeof(state->waiting[0]));
}

static void
receive(struct soft_net *net, const struct port *port, struct pair_state *state)
{
	unsigned int w;

	deliver(net, port, state);
	for (w = 0; w < 2; w++) {
		uint64_t queues = atomic_load_explicit(&state->rx_queues[w], memory_order_acquire);

		for (; queues != 0; queues &= queues - 1) {
			/* What finds no buffer is better off in the port's queue. */
			if (state->n_waiting != 0 || soft_ring_count(&net->pair->rx, 1) == 0)
				return;
			state->n_waiting = rte_eth_rx_burst(port->id,
				(uint16_t)(64 * w + rte_bsf64(queues)), state->waiting, SOFT_BURST);
			deliver(net, port, state);
		}
	}
}

/* ---- driver to port ---- */

/* Give the port what is held. */
static void
flush(const struct port *port, struct pair_state *state, uint16_t queue)
{
	uint16_t n;

	if (state->n_held == 0)
		return;
	n = rte_eth_tx_burst(port->id, queue, state->held, state->n_held);
	state->n_held -= n;
	memmove(state->held, state->held + n, state->n_held * sizeof(state->held[0]));
}

/* Empty mbufs for len bytes, their room in dst. */
static struct rte_mbuf *
mbuf_alloc(const struct port *port, uint32_t len, struct soft_buf *dst)
{
	struct rte_mbuf *head = NULL, **link = &head, *mbuf;
	uint32_t left = len;
	uint16_t segs = 0;

	while (left > 0) {
		mbuf = rte_pktmbuf_alloc(port->pool);
		if (unlikely(mbuf == NULL)) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		mbuf->data_len = (uint16_t)RTE_MIN(left, (uint32_t)rte_pktmbuf_tailroom(mbuf));
		dst[segs].addr = rte_pktmbuf_mtod(mbuf, uint8_t *);
		dst[segs++].len = mbuf->data_len;
		left -= mbuf->data_len;
		*link = mbuf;
		link = &mbuf->next;
	}
	head->pkt_len = len;
	head->nb_segs = segs;
	return head;
}

/* A frame that the port would never take must not stay before the others. */
static bool
sendable(const struct port *port, uint32_t len)
{
	return len >= RTE_ETHER_HDR_LEN && len <= port->max_frame &&
		(port->multi_seg || len <= RTE_MBUF_DEFAULT_DATAROOM);
}

static void
transmit(struct soft_net *net, const struct port *port, struct pair_state *state)
{
	struct soft_pair *pair = net->pair;
	struct rte_mbuf *mbuf;
	unsigned int i;

	flush(port, state, pair->index);
	for (i = 0; i < SOFT_BURST && state->n_held < SOFT_BURST && soft_net_tx_read(net); i++) {
		if (likely(sendable(port, net->len))) {
			mbuf = mbuf_alloc(port, net->len, pair->dst);
			if (unlikely(mbuf == NULL))
				break;
			soft_net_copy(pair->dst, &pair->src[net->first], net->len);
			if (likely(soft_port_offload_tx(
				    &port->offload, net, port->id, mbuf, pair->dst))) {
				state->held[state->n_held++] = mbuf;
			} else {
				rte_pktmbuf_free(mbuf);
				net->tx_drops++;
			}
		} else {
			net->tx_drops++;
		}
		soft_net_tx_take(net);
	}
	flush(port, state, pair->index);
}

static unsigned int
ethdev_poll(struct soft_dev *dev, struct soft_pair *pair)
{
	struct port *port = port_of(dev);
	struct pair_state *state = &port->pairs[pair->index];
	struct soft_net net;

	if (!soft_net_begin(&net, dev, pair))
		return 0;
	receive(&net, port, state);
	memset(&net.hdr, 0, sizeof(net.hdr));
	transmit(&net, port, state);
	return soft_net_end(&net);
}

/* Packets come whenever they like; what the port did not take is to be offered again soon. */
static int
ethdev_poll_sleep(struct soft_dev *dev, struct soft_pair *pair)
{
	return port_of(dev)->pairs[pair->index].n_held != 0 ? -EAGAIN : -ENOTSUP;
}

/* ---- state ---- */

static bool
ethdev_link(struct soft_dev *dev)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(port_of(dev)->id, &link) == 0 &&
		link.link_status == RTE_ETH_LINK_UP;
}

static void
ethdev_dump(struct soft_dev *dev, FILE *f)
{
	const struct port *port = port_of(dev);
	unsigned int held = 0;
	uint16_t i;

	for (i = 0; i < dev->args.pairs; i++)
		held += port->pairs[i].n_held;
	fprintf(f,
		"  port: number %u, link %s, frames of at most %u bytes, %u waiting to be sent\n",
		port->id, ethdev_link(dev) ? "up" : "down", port->max_frame, held);
}

const struct soft_backend soft_ethdev = {
	.name = "ethdev",
	.open = ethdev_open,
	.close = ethdev_close,
	.start = ethdev_start,
	.stop = ethdev_stop,
	.share = ethdev_share,
	.poll = ethdev_poll,
	.poll_sleep = ethdev_poll_sleep,
	.link = ethdev_link,
	.dump = ethdev_dump,
};
