/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Receiving: used entries become frames, and frames are checked. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fe_net_priv.h"

/* Most buffers of one received frame. */
#define MAX_CHAIN 512

void
fe_net_corrupt(struct fe_net *net, unsigned int pair, const char *why)
{
	if (net->stats.corrupt++ < FE_NET_COMPLAINTS)
		fprintf(stderr, "pair %u: %s\n", pair, why);
}

void
fe_net_want_used(struct fe_net *net, const struct fe_ring *ring, uint16_t got)
{
	struct fe_range ranges[2];
	unsigned int i, n = fe_ring_written(ring, got, ranges);

	for (i = 0; i < n; i++)
		fe_log_want(net->log, ranges[i].gpa, ranges[i].len);
}

static void
want_chain(struct fe_net *net, const struct fe_buf *buf, uint32_t len)
{
	unsigned int i;
	uint32_t n;

	for (i = 0; i < buf->n_segs && len > 0; i++, len -= n) {
		n = len < buf->segs[i].len ? len : buf->segs[i].len;
		fe_log_want(net->log, buf->segs[i].gpa, n);
	}
}

struct rx_chain {
	struct fe_buf *buf;
	uint32_t len;
	uint16_t got;
};

/* Append what the device wrote into a chain to net->frame. @return bytes there, 0: too many. */
static uint32_t
rx_gather(struct fe_net *net, const struct rx_chain *chain, uint32_t have)
{
	uint32_t left = chain->len, n;
	unsigned int i;

	if (left > sizeof(net->frame) - have)
		return 0;
	for (i = 0; i < chain->buf->n_segs && left > 0; i++) {
		const struct fe_seg *seg = &chain->buf->segs[i];

		n = left < seg->len ? left : seg->len;
		if (fe_mem_read(&net->dev->mem, seg->gpa - chain->buf->at + chain->buf->gpa,
			    net->frame + have, n) < 0)
			return 0;
		have += n;
		left -= n;
	}
	return left == 0 ? have : 0;
}

/* Account for a good frame. */
static void
rx_account(struct fe_net *net, struct fe_net_pair *pair, uint64_t seq)
{
	uint64_t *out = &pair->out[seq % FE_NET_OUT];

	if ((*out & ~FE_NET_GIVEN_UP) != seq + 1) {
		if (net->stats.doubled++ < FE_NET_COMPLAINTS)
			fprintf(stderr, "frame %" PRIu64 " came twice or was never sent\n", seq);
		return;
	}
	if (*out & FE_NET_GIVEN_UP)
		net->stats.given_up--;
	else
		pair->n_out--;
	*out = 0;
	pair->received++;
	net->stats.received++;
	if (seq < pair->rx_seq) {
		if (net->stats.disordered++ < FE_NET_COMPLAINTS)
			fprintf(stderr, "frame %" PRIu64 " came after frame %" PRIu64 "\n", seq,
				pair->rx_seq - 1);
	} else {
		pair->rx_seq = seq + 1;
	}
}

static void
rx_frame(struct fe_net *net, unsigned int p, const struct rx_chain *chains, unsigned int n)
{
	struct fe_net_pair *pair = &net->pairs[p];
	uint32_t have = 0;
	const char *why;
	unsigned int i;
	uint64_t seq;

	for (i = 0; i < n; i++) {
		have = rx_gather(net, &chains[i], have);
		if (have == 0) {
			fe_net_corrupt(net, p, "used length beyond the buffer, or 0");
			return;
		}
		if (i + 1 < n && chains[i].len != net->rx_len)
			fe_net_corrupt(net, p, "a buffer that is not the frame's last is not full");
	}
	if (have < net->hdr_len) {
		fe_net_corrupt(net, p, "received less than a header");
		return;
	}
	why = fe_frame_check(net->frame + net->hdr_len, have - net->hdr_len, (uint16_t)p, &seq);
	if (why != NULL) {
		fe_net_corrupt(net, p, why);
		return;
	}
	rx_account(net, pair, seq);
	for (i = 0; i < n && seq >= pair->log_from; i++) {
		fe_net_want_used(net, pair->rx, chains[i].got);
		want_chain(net, chains[i].buf, chains[i].len);
	}
}

/* Take one used receive chain. @return as fe_ring_get(). */
static int
rx_take(struct fe_net *net, unsigned int p, struct rx_chain *chain)
{
	struct fe_net_pair *pair = &net->pairs[p];
	void *cookie;
	int rc;

	rc = fe_ring_get(pair->rx, &cookie, &chain->len);
	if (rc <= 0) {
		if (rc < 0)
			fe_net_corrupt(net, p, "bad used entry in the receive queue");
		return rc;
	}
	chain->buf = cookie;
	chain->got = pair->rx->got;
	fe_net_back(net, pair, chain->buf);
	pair->rx_free[pair->n_rx_free++] = chain->buf;
	return 1;
}

/* Chains of the frame whose first chain is @p first, from its header. */
static unsigned int
rx_count(struct fe_net *net, unsigned int p, const struct rx_chain *first)
{
	uint16_t n = 1;

	if (net->hdr_len == 12 && rx_gather(net, first, 0) >= 12)
		memcpy(&n, net->frame + 10, sizeof(n));
	if (n == 0 || n > MAX_CHAIN || (n > 1 && !net->mrg)) {
		fe_net_corrupt(net, p, "impossible num_buffers");
		return 1;
	}
	return n;
}

/* Receive one frame. @return used entries taken. */
unsigned int
fe_net_receive(struct fe_net *net, unsigned int p)
{
	struct rx_chain chains[MAX_CHAIN];
	uint64_t end = 0;
	unsigned int i, n;
	int rc = rx_take(net, p, &chains[0]);

	if (rc <= 0)
		return rc < 0;
	n = rx_count(net, p, &chains[0]);
	for (i = 1; i < n;) {
		rc = rx_take(net, p, &chains[i]);
		if (rc < 0)
			return i + 1;
		if (rc > 0) {
			i++;
			continue;
		}
		/* virtio 1.2, 5.1.6.4.1: a frame's buffers become used together. */
		if (end == 0) {
			fe_net_corrupt(net, p, "some of a frame's buffers are not used yet");
			end = fe_now_ms() + 100;
		}
		if (fe_now_ms() > end)
			return i;
	}
	rx_frame(net, p, chains, n);
	return n;
}

/* Post all receive buffers that are at rest, in any order. */
void
fe_net_post(struct fe_net *net, struct fe_net_pair *pair)
{
	unsigned int parts = pair->rx->size / (2 * net->rx_need), i;

	while (pair->n_rx_free > 0) {
		i = fe_random_in(&net->random, 0, pair->n_rx_free - 1);
		if (!fe_net_add(
			    net, pair, pair->rx_free[i], net->rx_len, parts > 0 ? parts : 1, true))
			break;
		pair->rx_free[i] = pair->rx_free[--pair->n_rx_free];
	}
	fe_ring_publish(pair->rx);
}
