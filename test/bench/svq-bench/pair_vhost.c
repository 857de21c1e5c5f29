/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * DPDK's net_vhost in this process, with what testpmd does on it: forward as "rxonly" or "io" do.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "fe_conn.h"
#include "pair.h"

#define NAME   "net_vhost_bench"
#define BURST  32
#define N_MBUF 8191

struct vhost {
	char path[64];
	struct fe_conn conn;
	struct rte_mempool *pool;
	uint16_t port;
	bool plugged;
	int fd[2][2]; /* of the queues: kick, call */
};

static unsigned int
drop(void *ctx, bool *busy)
{
	struct vhost *v = ctx;
	struct rte_mbuf *pkts[BURST];
	unsigned int n = rte_eth_rx_burst(v->port, 0, pkts, BURST), i;

	*busy = n != 0;
	for (i = 0; i < n; i++)
		rte_pktmbuf_free(pkts[i]);
	return n;
}

static unsigned int
loop(void *ctx, bool *busy)
{
	struct vhost *v = ctx;
	struct rte_mbuf *pkts[BURST];
	unsigned int n = rte_eth_rx_burst(v->port, 0, pkts, BURST), i;

	*busy = n != 0;
	if (n == 0)
		return 0;
	for (i = rte_eth_tx_burst(v->port, 0, pkts, n); i < n; i++)
		rte_pktmbuf_free(pkts[i]);
	return n;
}

static void
vhost_close(void *ctx)
{
	struct vhost *v = ctx;
	unsigned int i, k;

	fe_conn_close(&v->conn);
	if (v->plugged) {
		rte_eth_dev_stop(v->port);
		rte_eth_dev_close(v->port);
		rte_eal_hotplug_remove("vdev", NAME);
	}
	rte_mempool_free(v->pool);
	for (i = 0; i < 2; i++) {
		for (k = 0; k < 2; k++) {
			if (v->fd[i][k] >= 0)
				close(v->fd[i][k]);
		}
	}
	unlink(v->path);
	free(v);
}

static int
open_port(struct vhost *v)
{
	const struct rte_eth_conf conf = {0};
	char args[128];
	int ret;

	snprintf(args, sizeof(args), "iface=%s,queues=1", v->path);
	ret = rte_eal_hotplug_add("vdev", NAME, args);
	if (ret < 0)
		return ret;
	v->plugged = true;
	ret = rte_eth_dev_get_port_by_name(NAME, &v->port);
	v->pool = rte_pktmbuf_pool_create(
		"vhost", N_MBUF, 250, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (v->pool == NULL)
		return -ENOMEM;
	if (ret == 0)
		ret = rte_eth_dev_configure(v->port, 1, 1, &conf);
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(v->port, 0, PAIR_RING, 0, NULL, v->pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(v->port, 0, PAIR_RING, 0, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(v->port);
	return ret;
}

static int
connect_ring(struct vhost *v, const struct pair_guest *g, unsigned int qid)
{
	const struct relay_ring *ring = qid == 0 ? &g->rx.ring : &g->tx.ring;
	const struct fe_vring_addr addr = {
		.index = qid,
		.desc = (uintptr_t)ring->desc,
		.avail = (uintptr_t)ring->avail,
		.used = (uintptr_t)ring->used,
	};
	int ret;

	ret = fe_set_vring(&v->conn, FE_SET_VRING_NUM, qid, PAIR_RING);
	if (ret == 0)
		/* Packed: the wrap counters begin at 1. */
		ret = fe_set_vring(&v->conn, FE_SET_VRING_BASE, qid, g->conf->packed ? 0x8000 : 0);
	if (ret == 0)
		ret = fe_set_vring_addr(&v->conn, &addr);
	if (ret == 0)
		ret = fe_set_vring_fd(&v->conn, FE_SET_VRING_CALL, qid, v->fd[qid][1]);
	if (ret == 0)
		ret = fe_set_vring_fd(&v->conn, FE_SET_VRING_KICK, qid, v->fd[qid][0]);
	if (ret == 0)
		ret = fe_set_vring(&v->conn, FE_SET_VRING_ENABLE, qid, 1);
	return ret;
}

/* A front-end's part: features, memory, rings. */
static int
connect_guest(struct vhost *v, const struct pair_guest *g)
{
	const uint64_t protocol = RTE_BIT64(30);
	const uint64_t features = RTE_BIT64(VIRTIO_F_VERSION_1) |
		RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) | protocol |
		(g->conf->packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0);
	const struct fe_wire_table table = {
		.n = 1,
		.regions = {{.size = PAIR_MEMORY, .user = (uintptr_t)g->memory}},
	};
	uint64_t offered = 0;
	int ret;

	fe_conn_init(&v->conn, 5000);
	ret = fe_conn_connect(&v->conn, v->path);
	if (ret == 0)
		ret = fe_call(&v->conn, FE_SET_OWNER, NULL, 0, NULL, 0);
	if (ret == 0)
		ret = fe_get_u64(&v->conn, FE_GET_FEATURES, &offered);
	if (ret == 0 && (offered & features) != features)
		ret = -ENOTSUP;
	if (ret == 0)
		ret = fe_get_u64(&v->conn, FE_GET_PROTOCOL_FEATURES, &offered);
	if (ret == 0)
		ret = fe_set_u64(&v->conn, FE_SET_PROTOCOL_FEATURES, RTE_BIT64(FE_P_REPLY_ACK));
	v->conn.ack = true;
	if (ret == 0)
		ret = fe_set_u64(&v->conn, FE_SET_FEATURES, features);
	if (ret == 0)
		ret = fe_set_mem_table(&v->conn, &table, &g->fd);
	if (ret == 0)
		ret = connect_ring(v, g, 0);
	if (ret == 0)
		ret = connect_ring(v, g, 1);
	return ret;
}

static int
wait_link(const struct vhost *v)
{
	struct rte_eth_link link;
	unsigned int i;

	for (i = 0; i < 500; i++) {
		if (rte_eth_link_get_nowait(v->port, &link) == 0 && link.link_status != 0)
			return 0;
		rte_delay_us_sleep(10000);
	}
	return -ETIMEDOUT;
}

int
pair_vhost_open(struct pair_bed *b)
{
	struct vhost *v = calloc(1, sizeof(*v));
	unsigned int i, k;
	int ret;

	if (v == NULL)
		return -ENOMEM;
	v->conn.fd = -1;
	for (i = 0; i < 2; i++) {
		for (k = 0; k < 2; k++)
			v->fd[i][k] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	}
	snprintf(v->path, sizeof(v->path), "/tmp/svq-bench-%d.sock", getpid());
	ret = open_port(v);
	if (ret == 0)
		ret = connect_guest(v, &b->guest);
	if (ret == 0)
		ret = wait_link(v);
	if (ret < 0) {
		fprintf(stderr, "svq-bench: no net_vhost: %s\n", strerror(-ret));
		vhost_close(v);
		return ret;
	}
	b->ctx = v;
	b->poll = b->guest.conf->loopback ? loop : drop;
	b->close = vhost_close;
	return 0;
}
