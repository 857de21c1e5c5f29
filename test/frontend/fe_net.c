/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe_net.h"
#include "fe_shape.h"

/* Frames that may be out per pair; a power of two. */
#define OUT	 32768u
#define TX_BURST 32
/* Most buffers of one received frame. */
#define MAX_CHAIN 512
/* Complaints before the rest is only counted. */
#define COMPLAINTS 5

/* How many buffers traffic uses, and how big they are. */
struct net_plan {
	uint32_t rx_len;      /* bytes of a receive chain */
	unsigned int rx_need; /* receive chains for the largest frame */
	unsigned int n_tx, n_rx;
	uint64_t tx_size, rx_size;
};

void
fe_net_conf_default(struct fe_net_conf *conf)
{
	*conf = (struct fe_net_conf){
		.min_frame = FE_FRAME_MIN,
		.max_frame = 1514,
		.max_parts = 4,
		.direct = true,
		.indirect = true,
		.rx_buf = 2048,
		.window = 64,
		.seed = 1,
	};
}

static void
net_plan(struct net_plan *plan, const struct fe_net_conf *conf, uint32_t ring_size, bool mrg)
{
	uint32_t whole = 12 + conf->max_frame, most;

	plan->rx_len = mrg && conf->rx_buf < whole ? conf->rx_buf : whole;
	/* Two of the largest frames must fit into a full ring. */
	most = ring_size >= 4 ? ring_size / 2 : 1;
	if (plan->rx_len * (uint64_t)most < whole)
		plan->rx_len = (whole + most - 1) / most;
	plan->rx_need = (whole + plan->rx_len - 1) / plan->rx_len;
	plan->n_tx = conf->window < ring_size ? conf->window : ring_size;
	plan->n_rx = 2 * plan->n_tx * plan->rx_need;
	if (plan->n_rx > ring_size)
		plan->n_rx = ring_size;
	plan->tx_size = fe_shape_bytes(conf, whole);
	plan->rx_size = fe_shape_bytes(conf, plan->rx_len);
}

uint64_t
fe_net_bytes(const struct fe_net_conf *conf, const struct fe_dev_conf *dev)
{
	uint64_t bytes[2];
	int mrg;

	/* Whether MRG_RXBUF is negotiated shows later: room for either. */
	for (mrg = 0; mrg < 2; mrg++) {
		struct net_plan plan;

		net_plan(&plan, conf, dev->ring_size, mrg);
		bytes[mrg] = dev->pairs * (plan.n_tx * plan.tx_size + plan.n_rx * plan.rx_size) +
			8 * (plan.tx_size + plan.rx_size);
	}
	return bytes[0] > bytes[1] ? bytes[0] : bytes[1];
}

static int
net_alloc_pair(struct fe_net *net, unsigned int i, const struct net_plan *plan)
{
	struct fe_net_pair *pair = &net->pairs[i];
	unsigned int n = plan->n_tx + plan->n_rx, j;
	struct fe_buf *bufs = &net->bufs[i * n];

	pair->rx = &net->dev->rings[2 * i];
	pair->tx = &net->dev->rings[2 * i + 1];
	pair->log_from = UINT64_MAX;
	pair->out = calloc(OUT, sizeof(*pair->out));
	pair->tx_free = calloc(plan->n_tx, sizeof(*pair->tx_free));
	pair->rx_free = calloc(plan->n_rx, sizeof(*pair->rx_free));
	if (pair->out == NULL || pair->tx_free == NULL || pair->rx_free == NULL)
		return -ENOMEM;
	for (j = 0; j < n; j++) {
		bufs[j].segs = calloc(net->conf.max_parts, sizeof(*bufs[j].segs));
		if (bufs[j].segs == NULL)
			return -ENOMEM;
		bufs[j].size = j < plan->n_tx ? plan->tx_size : plan->rx_size;
	}
	return 0;
}

/* Put all buffers of a pair to rest. */
static void
pair_rest(struct fe_net *net, unsigned int i)
{
	struct fe_net_pair *pair = &net->pairs[i];
	unsigned int n = net->n_tx + net->n_rx, j;

	for (j = 0; j < net->n_tx; j++)
		pair->tx_free[j] = &net->bufs[i * n + j];
	for (j = 0; j < net->n_rx; j++)
		pair->rx_free[j] = &net->bufs[i * n + net->n_tx + j];
	pair->n_tx_free = net->n_tx;
	pair->n_rx_free = net->n_rx;
	pair->n_out = 0;
	memset(pair->out, 0, OUT * sizeof(*pair->out));
}

int
fe_net_init(struct fe_net *net, struct fe_dev *dev, const struct fe_net_conf *conf)
{
	unsigned int n_pairs = dev->conf.pairs, n, i;
	struct net_plan plan;
	uint64_t *sizes, *gpas;
	int rc = 0;

	memset(net, 0, sizeof(*net));
	net->dev = dev;
	net->conf = *conf;
	net->limit = UINT64_MAX;
	net->random = conf->seed * 0x9e3779b97f4a7c15ull + 1;
	net->mrg = dev->features & FE_F_MRG_RXBUF;
	net->hdr_len = net->mrg || dev->features & FE_F_VERSION_1 ? 12 : 10;
	net->last_ms = fe_now_ms();
	net_plan(&plan, conf, dev->conf.ring_size, net->mrg);
	net->rx_len = plan.rx_len;
	net->rx_need = plan.rx_need;
	net->n_tx = plan.n_tx;
	net->n_rx = plan.n_rx;

	n = n_pairs * (plan.n_tx + plan.n_rx);
	net->bufs = calloc(n, sizeof(*net->bufs));
	sizes = calloc(n, sizeof(*sizes));
	gpas = calloc(n, sizeof(*gpas));
	if (net->bufs == NULL || sizes == NULL || gpas == NULL)
		rc = -ENOMEM;
	for (i = 0; i < n_pairs && rc == 0; i++) {
		rc = net_alloc_pair(net, i, &plan);
		if (rc == 0)
			pair_rest(net, i);
	}
	for (i = 0; i < n && rc == 0; i++)
		sizes[i] = net->bufs[i].size;
	if (rc == 0)
		rc = fe_place(&dev->mem, sizes, n, &net->random, gpas);
	for (i = 0; i < n && rc == 0; i++)
		net->bufs[i].gpa = gpas[i];
	free(sizes);
	free(gpas);
	if (rc < 0)
		fe_net_free(net);
	return rc;
}

void
fe_net_free(struct fe_net *net)
{
	unsigned int i, n;

	if (net->dev == NULL)
		return;
	fe_net_thread_stop(net);
	n = net->dev->conf.pairs * (net->n_tx + net->n_rx);
	for (i = 0; i < n && net->bufs != NULL; i++)
		free(net->bufs[i].segs);
	free(net->bufs);
	for (i = 0; i < FE_MAX_PAIRS; i++) {
		free(net->pairs[i].out);
		free(net->pairs[i].tx_free);
		free(net->pairs[i].rx_free);
	}
	memset(net, 0, sizeof(*net));
}

static void
net_corrupt(struct fe_net *net, unsigned int pair, const char *why)
{
	if (net->stats.corrupt++ < COMPLAINTS)
		fprintf(stderr, "pair %u: %s\n", pair, why);
}

/* ---- Dirty log ---- */

/* The used entry that was taken last. */
static void
want_used(struct fe_net *net, const struct fe_ring *ring, uint16_t idx)
{
	uint64_t elem = ring->used_gpa + 4 + 8ull * (idx & (ring->size - 1));

	fe_log_want(net->log, elem, 8);
	fe_log_want(net->log, ring->used_gpa + 2, 2);
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

void
fe_net_set_log(struct fe_net *net, struct fe_log *log)
{
	unsigned int i;

	net->log = log;
	for (i = 0; i < net->dev->conf.pairs; i++)
		net->pairs[i].log_from = log == NULL ? UINT64_MAX : net->pairs[i].tx_seq;
}

/* ---- Receiving ---- */

struct rx_chain {
	struct fe_buf *buf;
	uint32_t len;
	uint16_t used_idx;
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
		if (fe_mem_read(&net->dev->mem, seg->gpa, net->frame + have, n) < 0)
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
	uint64_t *out = &pair->out[seq % OUT];

	if (*out != seq + 1) {
		if (net->stats.doubled++ < COMPLAINTS)
			fprintf(stderr, "frame %" PRIu64 " came twice or was never sent\n", seq);
		return;
	}
	*out = 0;
	pair->n_out--;
	pair->received++;
	net->stats.received++;
	if (seq < pair->rx_seq) {
		if (net->stats.disordered++ < COMPLAINTS)
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
			net_corrupt(net, p, "used length beyond the buffer, or 0");
			return;
		}
		if (i + 1 < n && chains[i].len != net->rx_len)
			net_corrupt(net, p, "a buffer that is not the frame's last is not full");
	}
	if (have < net->hdr_len) {
		net_corrupt(net, p, "received less than a header");
		return;
	}
	why = fe_frame_check(net->frame + net->hdr_len, have - net->hdr_len, (uint16_t)p, &seq);
	if (why != NULL) {
		net_corrupt(net, p, why);
		return;
	}
	rx_account(net, pair, seq);
	for (i = 0; i < n && seq >= pair->log_from; i++) {
		want_used(net, pair->rx, chains[i].used_idx);
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
			net_corrupt(net, p, "bad used entry in the receive queue");
		return rc;
	}
	chain->buf = cookie;
	chain->used_idx = (uint16_t)(pair->rx->used_idx - 1);
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
		net_corrupt(net, p, "impossible num_buffers");
		return 1;
	}
	return n;
}

/* Receive one frame. @return used entries taken. */
static unsigned int
rx_one(struct fe_net *net, unsigned int p)
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
			net_corrupt(net, p, "some of a frame's buffers are not used yet");
			end = fe_now_ms() + 100;
		}
		if (fe_now_ms() > end)
			return i;
	}
	rx_frame(net, p, chains, n);
	return n;
}

static bool
net_choose_indirect(struct fe_net *net)
{
	if (!net->conf.indirect || !(net->dev->features & FE_F_INDIRECT))
		return false;
	return !net->conf.direct || fe_random(&net->random) >> 63;
}

/* Post all receive buffers that are at rest, in any order. */
static void
rx_post(struct fe_net *net, struct fe_net_pair *pair)
{
	unsigned int direct_parts = pair->rx->size / (2 * net->rx_need), i, parts;
	struct fe_buf *buf;
	bool indirect;

	while (pair->n_rx_free > 0 && pair->rx->n_free > 0) {
		i = fe_random_in(&net->random, 0, pair->n_rx_free - 1);
		buf = pair->rx_free[i];
		indirect = net_choose_indirect(net);
		parts = net->conf.max_parts;
		if (!indirect && parts > direct_parts)
			parts = direct_parts > 0 ? direct_parts : 1;
		if (!indirect && parts > pair->rx->n_free)
			parts = pair->rx->n_free;
		fe_shape(buf, &net->conf, &net->random, net->hdr_len, net->rx_len, parts, true);
		if (fe_ring_add(pair->rx, buf->segs, buf->n_segs,
			    indirect ? buf->table : UINT64_MAX, buf) < 0)
			break;
		pair->rx_free[i] = pair->rx_free[--pair->n_rx_free];
	}
	fe_ring_publish(pair->rx);
}

/* ---- Sending ---- */

static unsigned int
tx_take(struct fe_net *net, unsigned int p)
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
			net_corrupt(net, p, "bad used entry in the transmit queue");
			return n + 1;
		}
		buf = cookie;
		pair->tx_free[pair->n_tx_free++] = buf;
		if (buf->seq >= pair->log_from)
			want_used(net, pair->tx, (uint16_t)(pair->tx->used_idx - 1));
	}
}

static bool
tx_may(const struct fe_net *net, const struct fe_net_pair *pair)
{
	if (net->quiet || pair->n_tx_free == 0 || net->stats.sent >= net->limit ||
		pair->n_out >= net->conf.window || pair->n_out >= OUT / 2)
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

/* Write header and frame into a chain. */
static int
tx_fill(struct fe_net *net, const struct fe_buf *buf)
{
	const uint8_t *from = net->frame;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < buf->n_segs && rc == 0; from += buf->segs[i++].len)
		rc = fe_mem_write(&net->dev->mem, buf->segs[i].gpa, from, buf->segs[i].len);
	return rc;
}

static bool
tx_one(struct fe_net *net, unsigned int p)
{
	struct fe_net_pair *pair = &net->pairs[p];
	unsigned int i = fe_random_in(&net->random, 0, pair->n_tx_free - 1);
	unsigned int parts = net->conf.max_parts;
	struct fe_buf *buf = pair->tx_free[i];
	bool indirect = net_choose_indirect(net);
	uint32_t len = tx_length(net);

	if (pair->tx->n_free == 0)
		return false;
	if (!indirect && parts > pair->tx->n_free)
		parts = pair->tx->n_free;
	memset(net->frame, 0, net->hdr_len);
	fe_frame_make(net->frame + net->hdr_len, len, (uint16_t)p, pair->tx_seq);
	fe_shape(buf, &net->conf, &net->random, net->hdr_len, net->hdr_len + len, parts, false);
	if (tx_fill(net, buf) < 0 ||
		fe_ring_add(pair->tx, buf->segs, buf->n_segs, indirect ? buf->table : UINT64_MAX,
			buf) < 0)
		return false;
	pair->tx_free[i] = pair->tx_free[--pair->n_tx_free];
	buf->seq = pair->tx_seq;
	pair->out[pair->tx_seq % OUT] = pair->tx_seq + 1;
	pair->tx_seq++;
	pair->n_out++;
	net->stats.sent++;
	return true;
}

static unsigned int
pair_poll(struct fe_net *net, unsigned int p)
{
	struct fe_net_pair *pair = &net->pairs[p];
	unsigned int moved = 0, n, sent = 0;

	fe_ring_disarm(pair->rx);
	fe_ring_disarm(pair->tx);
	while ((n = rx_one(net, p)) > 0)
		moved += n;
	moved += tx_take(net, p);
	rx_post(net, pair);
	while (sent < TX_BURST && tx_may(net, pair) && tx_one(net, p))
		sent++;
	fe_ring_publish(pair->tx);
	return moved + sent;
}

/* ---- All pairs ---- */

unsigned int
fe_net_out(const struct fe_net *net)
{
	unsigned int i, n = 0;

	for (i = 0; i < net->dev->conf.pairs; i++)
		n += net->pairs[i].off ? 0 : net->pairs[i].n_out;
	return n;
}

unsigned int
fe_net_poll(struct fe_net *net)
{
	uint64_t before = net->stats.received, now;
	unsigned int i, moved = 0;

	for (i = 0; i < net->dev->conf.pairs; i++) {
		if (!net->pairs[i].off)
			moved += pair_poll(net, i);
	}
	now = fe_now_ms();
	if (net->stats.received != before || fe_net_out(net) == 0) {
		net->last_ms = now;
	} else if (now - net->last_ms > net->stats.longest_ms) {
		net->stats.longest_ms = now - net->last_ms;
	}
	return moved;
}

void
fe_net_wait(struct fe_net *net, int timeout_ms)
{
	struct pollfd pfds[2 * FE_MAX_PAIRS];
	unsigned int i, n = 0;
	bool ready = false;

	for (i = 0; i < fe_dev_n_rings(net->dev); i++) {
		if (net->pairs[i / 2].off)
			continue;
		ready = fe_ring_arm(&net->dev->rings[i]) || ready;
		pfds[n++] = (struct pollfd){.fd = net->dev->rings[i].callfd, .events = POLLIN};
	}
	if (ready || poll(pfds, n, timeout_ms) <= 0)
		return;
	for (i = 0, n = 0; i < fe_dev_n_rings(net->dev); i++) {
		if (net->pairs[i / 2].off)
			continue;
		if (pfds[n++].revents & POLLIN) {
			fe_ring_ack_call(&net->dev->rings[i]);
			net->stats.calls++;
		}
	}
}

int
fe_net_run(struct fe_net *net, uint64_t run_ms, uint64_t idle_ms)
{
	uint64_t end = fe_now_ms() + run_ms;

	while (fe_now_ms() < end && net->stats.sent < net->limit) {
		if (fe_net_poll(net) == 0)
			fe_net_wait(net, 5);
		if (fe_now_ms() - net->last_ms > idle_ms)
			return -ETIMEDOUT;
	}
	return fe_net_drain(net, idle_ms);
}

int
fe_net_drain(struct fe_net *net, uint64_t idle_ms)
{
	bool quiet = net->quiet;

	net->quiet = true;
	net->last_ms = fe_now_ms();
	while (fe_net_out(net) > 0 && fe_now_ms() - net->last_ms <= idle_ms) {
		if (fe_net_poll(net) == 0)
			fe_net_wait(net, 5);
	}
	/* Transmit chains come back after the frames they held: take those, too. */
	fe_net_wait(net, 5);
	fe_net_poll(net);
	net->quiet = quiet;
	return fe_net_out(net) > 0 ? -ETIMEDOUT : 0;
}

void
fe_net_reset(struct fe_net *net)
{
	unsigned int i;

	for (i = 0; i < net->dev->conf.pairs; i++) {
		pair_rest(net, i);
		net->pairs[i].off = false;
	}
	net->last_ms = fe_now_ms();
}

void
fe_net_pair_off(struct fe_net *net, unsigned int pair)
{
	net->pairs[pair].off = true;
	net->pairs[pair].n_out = 0;
}

void
fe_net_stats(const struct fe_net *net, struct fe_net_stats *stats)
{
	*stats = net->stats;
	stats->lost = fe_net_out(net);
}

bool
fe_net_clean(const struct fe_net *net)
{
	struct fe_net_stats s;

	fe_net_stats(net, &s);
	return s.lost == 0 && s.corrupt == 0 && s.doubled == 0 && s.disordered == 0;
}
