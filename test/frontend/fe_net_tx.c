/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Sending, and how chains get into a ring. */

#include <string.h>

#include "fe_net_priv.h"

#define TX_BURST 32

/* By which of its GPAs a buffer goes to the device. */
static void
choose_gpa(struct fe_net *net, struct fe_net_pair *pair, struct fe_buf *buf)
{
	buf->at = buf->gpa;
	if (pair->use_alias && buf->alias != 0 && fe_random(&net->random) >> 63)
		buf->at = buf->alias;
}

void
fe_net_back(struct fe_net *net, struct fe_net_pair *pair, const struct fe_buf *buf)
{
	if (buf->at == buf->gpa)
		return;
	pair->n_alias--;
	net->stats.aliased++;
}

/* Write header and frame into a chain. */
static int
tx_fill(struct fe_net *net, const struct fe_buf *buf)
{
	const uint8_t *from = net->frame;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < buf->n_segs && rc == 0; from += buf->segs[i++].len)
		rc = fe_mem_write(&net->dev->mem, buf->segs[i].gpa - buf->at + buf->gpa, from,
			buf->segs[i].len);
	return rc;
}

/* Whether the next chain has an indirect table. */
static bool
net_choose_indirect(struct fe_net *net)
{
	if (!net->conf.indirect || !(net->dev->features & FE_F_INDIRECT))
		return false;
	return !net->conf.direct || fe_random(&net->random) >> 63;
}

/* Cut a chain to fit and put it into the ring. @return whether there was room. */
bool
fe_net_add(struct fe_net *net, struct fe_net_pair *pair, struct fe_buf *buf, uint32_t len,
	unsigned int direct_parts, bool write)
{
	struct fe_ring *ring = write ? pair->rx : pair->tx;
	unsigned int parts = net->conf.max_parts, n_direct;
	bool indirect = net_choose_indirect(net);

	if (ring->n_free == 0)
		return false;
	if (direct_parts > ring->n_free)
		direct_parts = ring->n_free;
	/* virtio 1.2, 2.7.5.3.1: no chain is longer than the ring, however it is written. */
	if (parts > ring->size)
		parts = ring->size;
	if (!indirect && parts > direct_parts)
		parts = direct_parts;
	choose_gpa(net, pair, buf);
	fe_shape(buf, &net->conf, &net->random, net->hdr_len, len, parts, write);
	n_direct = indirect ? 0 : buf->n_segs;
	/* virtio 1.2, 2.7.5.3.2: a table may end a chain of direct descriptors; not on a packed
	 * ring, 2.8.7. */
	if (indirect && net->conf.direct && !ring->packed && fe_random(&net->random) >> 62 == 0) {
		n_direct = fe_random_in(&net->random, 0, buf->n_segs - 1);
		if (n_direct >= direct_parts)
			n_direct = direct_parts - 1;
	}
	if (!write && tx_fill(net, buf) < 0)
		return false;
	if (fe_ring_add(ring, buf->segs, buf->n_segs, n_direct, buf->table, buf) < 0)
		return false;
	pair->n_alias += buf->at != buf->gpa;
	return true;
}

unsigned int
fe_net_tx_done(struct fe_net *net, unsigned int p)
{
	struct fe_net_pair *pair = &net->pairs[p];
	unsigned int n = 0;
	struct fe_buf *buf;
	void *cookie;
	uint32_t len;
	int rc;

	for (;; n++) {
		rc = fe_ring_get(pair->tx, &cookie, &len);
		if (rc == 0)
			return n;
		if (rc < 0) {
			fe_net_corrupt(net, p, "bad used entry in the transmit queue");
			return n + 1;
		}
		buf = cookie;
		fe_net_back(net, pair, buf);
		pair->tx_free[pair->n_tx_free++] = buf;
		if (buf->seq >= pair->log_from)
			fe_net_want_used(net, pair->tx, pair->tx->got);
	}
}

static bool
tx_may(const struct fe_net *net, const struct fe_net_pair *pair)
{
	if (net->quiet || pair->n_tx_free == 0 || net->stats.sent >= net->limit ||
		pair->n_out >= net->conf.window || pair->n_out >= FE_NET_OUT / 2)
		return false;
	if (pair->n_out == 0)
		return pair->rx->outstanding >= net->rx_need;
	return 2ull * (pair->n_out + 1) * net->rx_need <= pair->rx->outstanding;
}

/* Small, large and middling frames equally often. */
static uint32_t
tx_length(struct fe_net *net)
{
	uint32_t low = net->conf.min_frame, high = net->conf.max_frame;

	switch (fe_random(&net->random) >> 62) {
	case 0:
		return fe_random_in(&net->random, low, low + (high - low) / 16);
	case 1:
		return high - fe_random_in(&net->random, 0, (high - low) / 64);
	default:
		return fe_random_in(&net->random, low, high);
	}
}

static bool
tx_one(struct fe_net *net, unsigned int p)
{
	struct fe_net_pair *pair = &net->pairs[p];
	unsigned int i = fe_random_in(&net->random, 0, pair->n_tx_free - 1);
	struct fe_buf *buf = pair->tx_free[i];
	uint32_t len = tx_length(net);

	memset(net->frame, 0, net->hdr_len);
	fe_frame_make(net->frame + net->hdr_len, len, (uint16_t)p, pair->tx_seq);
	if (!fe_net_add(net, pair, buf, net->hdr_len + len, pair->tx->size, false))
		return false;
	pair->tx_free[i] = pair->tx_free[--pair->n_tx_free];
	buf->seq = pair->tx_seq;
	pair->out[pair->tx_seq % FE_NET_OUT] = pair->tx_seq + 1;
	pair->tx_seq++;
	pair->n_out++;
	net->stats.sent++;
	return true;
}

unsigned int
fe_net_send(struct fe_net *net, unsigned int p)
{
	struct fe_net_pair *pair = &net->pairs[p];
	unsigned int sent = 0;

	while (sent < TX_BURST && tx_may(net, pair) && tx_one(net, p))
		sent++;
	fe_ring_publish(pair->tx);
	return sent;
}
