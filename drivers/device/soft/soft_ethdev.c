/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The back-end "ethdev": pair i sends on the port's transmit queue i. It receives from receive
 * queue i; the queues of pairs that are off are shared out among those that are on, because the
 * port spreads flows over all of its queues.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>

#include "soft_ethdev_gso.h"
#include "soft_ethdev_port.h"
#include "soft_net.h"

/* Most packets that start() throws away on one queue: more than a port keeps. They are taken on a
 * thread that has other guests to serve. */
#define STALE_MAX 4096

/* What one pair's thread keeps. */
struct soft_port_pair {
	_Atomic uint64_t rx_queues[2]; /* bit q: it serves the port's receive queue q */
	bool no_room;		       /* the driver must give receive buffers first */
	bool stuck;		       /* packets from the driver wait for the port, or for mbufs */
	uint16_t n_held;
	/* Taken from the driver, not yet by the port. One more packet may be segments. */
	struct rte_mbuf *held[SOFT_BURST + SOFT_PORT_SEGS];
	uint16_t n_waiting;
	struct rte_mbuf *waiting[SOFT_BURST]; /* taken from the port, not yet by the driver */
} __rte_cache_aligned;

static struct soft_port *
port_of(struct soft_dev *dev)
{
	return dev->backend_data;
}

/* ---- open and close ---- */

static int
ethdev_open(struct soft_dev *dev)
{
	struct soft_port *port = calloc(1, sizeof(*port));
	int ret = -ENOMEM;

	if (port == NULL)
		return ret;
	port->pairs = aligned_alloc(RTE_CACHE_LINE_SIZE, dev->args.pairs * sizeof(port->pairs[0]));
	if (port->pairs == NULL)
		goto free_port;
	memset(port->pairs, 0, dev->args.pairs * sizeof(port->pairs[0]));
	ret = soft_port_open(dev, port);
	if (ret < 0)
		goto free_pairs;
	dev->backend_data = port;
	return 0;

free_pairs:
	free(port->pairs);
free_port:
	free(port);
	return ret;
}

static void
ethdev_close(struct soft_dev *dev)
{
	struct soft_port *port = port_of(dev);

	soft_port_close(dev, port);
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
	struct soft_port *port = port_of(dev);
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
	struct soft_port *port = port_of(dev);
	uint16_t i;

	for (i = 0; i < dev->args.pairs; i++) {
		rte_pktmbuf_free_bulk(port->pairs[i].held, port->pairs[i].n_held);
		port->pairs[i].n_held = 0;
		rte_pktmbuf_free_bulk(port->pairs[i].waiting, port->pairs[i].n_waiting);
		port->pairs[i].n_waiting = 0;
	}
}

static struct soft_port_queues
queues_of(const struct soft_port_pair *state)
{
	struct soft_port_queues queues;
	unsigned int w;

	for (w = 0; w < RTE_DIM(queues.bits); w++)
		queues.bits[w] = atomic_load_explicit(&state->rx_queues[w], memory_order_acquire);
	return queues;
}

/* The pair is left with those of its queues that it is to have. */
static void
take_queues(struct soft_port *port, uint16_t pair, const struct soft_port_queues *want)
{
	struct soft_port_queues lost;
	unsigned int w;

	for (w = 0; w < RTE_DIM(lost.bits); w++)
		lost.bits[w] = ~want->bits[w] &
			atomic_fetch_and(&port->pairs[pair].rx_queues[w], want->bits[w]);
	soft_port_irq_take(&port->irq, pair, &lost);
}

/* The pair gets what it is to have and has not; that has no reader. */
static void
give_queues(struct soft_port *port, uint16_t pair, const struct soft_port_queues *want)
{
	struct soft_port_pair *state = &port->pairs[pair];
	struct soft_port_queues got = queues_of(state);
	uint64_t any = 0;
	unsigned int w;

	for (w = 0; w < RTE_DIM(got.bits); w++) {
		got.bits[w] = want->bits[w] & ~got.bits[w];
		any |= got.bits[w];
	}
	if (any == 0)
		return;
	soft_port_irq_off(&port->irq, &got);
	for (w = 0; w < RTE_DIM(got.bits); w++)
		atomic_store(&state->rx_queues[w], want->bits[w]);
	soft_port_irq_give(&port->irq, pair, &got);
}

/* Share the port's receive queues out among the pairs that are on. */
static void
ethdev_share(struct soft_dev *dev)
{
	struct soft_port *port = port_of(dev);
	struct soft_port_queues want[SOFT_MAX_PAIRS];
	uint16_t on[SOFT_MAX_PAIRS];
	uint16_t i, q, n_on = 0, pairs = dev->args.pairs;

	memset(want, 0, pairs * sizeof(want[0]));
	for (i = 0; i < pairs; i++) {
		if (dev->pairs[i].enabled)
			on[n_on++] = i;
	}
	for (q = 0; q < pairs && n_on > 0; q++) {
		i = dev->pairs[q].enabled ? q : on[q % n_on];
		want[i].bits[q / 64] |= RTE_BIT64(q % 64);
	}
	/* A queue has one reader at a time: take away, wait, give. */
	for (i = 0; i < pairs; i++)
		take_queues(port, i, &want[i]);
	if (dev->iommu.qsbr != NULL)
		rte_rcu_qsbr_synchronize(dev->iommu.qsbr, RTE_QSBR_THRID_INVALID);
	for (i = 0; i < pairs; i++)
		give_queues(port, i, &want[i]);
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
deliver(struct soft_net *net, const struct soft_port *port, struct soft_port_pair *state)
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

/* @return whether more could have been received. */
static bool
receive(struct soft_net *net, const struct soft_port *port, struct soft_port_pair *state)
{
	unsigned int w;

	deliver(net, port, state);
	for (w = 0; w < RTE_DIM(state->rx_queues); w++) {
		uint64_t queues = atomic_load_explicit(&state->rx_queues[w], memory_order_acquire);

		for (; queues != 0; queues &= queues - 1) {
			/* What finds no buffer is better off in the port's queue. */
			if (state->n_waiting != 0 || soft_ring_count(&net->pair->rx, 1) == 0)
				return false;
			state->n_waiting = rte_eth_rx_burst(port->id,
				(uint16_t)(64 * w + rte_bsf64(queues)), state->waiting, SOFT_BURST);
			deliver(net, port, state);
		}
	}
	return state->n_waiting == 0;
}

/* ---- driver to port ---- */

/* Give the port what is held. */
static void
flush(const struct soft_port *port, struct soft_port_pair *state, uint16_t queue)
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
mbuf_alloc(const struct soft_port *port, uint32_t len, struct soft_buf *dst)
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
sendable(const struct soft_net *net, const struct soft_port *port)
{
	if (soft_port_gso_asked(net))
		return port->multi_seg;
	return net->len >= RTE_ETHER_HDR_LEN && net->len <= port->max_frame &&
		(port->multi_seg || net->len <= RTE_MBUF_DEFAULT_DATAROOM);
}

/* Hold the packet in hand for the port. @return how many frames it is; 0: the port cannot send it;
 * -ENOMEM: not now. */
static int
hold(struct soft_net *net, const struct soft_port *port, struct soft_port_pair *state)
{
	struct soft_pair *pair = net->pair;
	struct rte_mbuf *mbuf;
	int n;

	if (unlikely(!sendable(net, port)))
		return 0;
	mbuf = mbuf_alloc(port, net->len, pair->dst);
	if (unlikely(mbuf == NULL))
		return -ENOMEM;
	soft_net_copy(pair->dst, &pair->src[net->first], net->len);
	if (unlikely(soft_port_gso_asked(net))) {
		n = soft_port_gso(port, net, mbuf, &state->held[state->n_held]);
		rte_pktmbuf_free(mbuf);
	} else if (likely(soft_port_offload_tx(&port->offload, net, port->id, mbuf, pair->dst))) {
		state->held[state->n_held] = mbuf;
		n = 1;
	} else {
		rte_pktmbuf_free(mbuf);
		n = 0;
	}
	return n;
}

/* @return whether the port took all there was. */
static bool
transmit(struct soft_net *net, const struct soft_port *port, struct soft_port_pair *state)
{
	unsigned int i;
	int n = 0;

	flush(port, state, net->pair->index);
	for (i = 0; i < SOFT_BURST && state->n_held < SOFT_BURST && soft_net_tx_read(net); i++) {
		n = hold(net, port, state);
		if (unlikely(n < 0))
			break;
		if (likely(n > 0))
			state->n_held += (uint16_t)n;
		else
			net->tx_drops++;
		soft_net_tx_take(net);
	}
	flush(port, state, net->pair->index);
	return state->n_held == 0 && n >= 0;
}

static unsigned int
ethdev_poll(struct soft_dev *dev, struct soft_pair *pair)
{
	struct soft_port *port = port_of(dev);
	struct soft_port_pair *state = &port->pairs[pair->index];
	struct soft_net net;

	if (!soft_net_begin(&net, dev, pair)) {
		/* A pair that is off waits to be given queues. */
		state->no_room = pair->enabled;
		state->stuck = false;
		return 0;
	}
	state->no_room = !receive(&net, port, state);
	memset(&net.hdr, 0, sizeof(net.hdr));
	state->stuck = !transmit(&net, port, state);
	return soft_net_end(&net);
}

/* ---- sleep ---- */

static int
ethdev_poll_sleep(struct soft_dev *dev, struct soft_pair *pair)
{
	struct soft_port *port = port_of(dev);
	const struct soft_port_pair *state = &port->pairs[pair->index];
	struct soft_port_queues queues;

	if (state->stuck)
		return -ENOTSUP;
	/* Packets may wait in the port for buffers all the time. */
	if (state->no_room)
		return 0;
	if (!soft_port_irq_settle(&port->irq, pair->index))
		return -ENOTSUP;
	queues = queues_of(state);
	return soft_port_irq_on(&port->irq, &queues) ? 1 : -ENOTSUP;
}

static void
ethdev_poll_wake(struct soft_dev *dev, struct soft_pair *pair)
{
	struct soft_port *port = port_of(dev);
	struct soft_port_queues queues = queues_of(&port->pairs[pair->index]);

	/* Whoever takes one away waits for this round's end. */
	soft_port_irq_off(&port->irq, &queues);
}

static int
ethdev_poll_fd(struct soft_dev *dev, struct soft_pair *pair)
{
	struct soft_port *port = port_of(dev);
	struct soft_port_queues queues = queues_of(&port->pairs[pair->index]);

	return soft_port_irq_fd(&port->irq, pair->index, &queues);
}

/* ---- state ---- */

static bool
ethdev_link(struct soft_dev *dev)
{
	return soft_port_link(port_of(dev));
}

static void
ethdev_dump(struct soft_dev *dev, FILE *f)
{
	const struct soft_port *port = port_of(dev);
	unsigned int held = 0;
	uint16_t i;

	for (i = 0; i < dev->args.pairs; i++)
		held += port->pairs[i].n_held;
	fprintf(f,
		"  port: number %u, link %s, frames of at most %u bytes, %u waiting to be sent, "
		"%s\n",
		port->id, ethdev_link(dev) ? "up" : "down", port->max_frame, held,
		port->irq.n != 0 ? "receive interrupts" : "no receive interrupts");
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
	.poll_wake = ethdev_poll_wake,
	.poll_fd = ethdev_poll_fd,
	.link = ethdev_link,
	.dump = ethdev_dump,
};
