/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fe_net_priv.h"

/* An interrupt that comes later than this after its used entry does not come. */
#define CALL_LATE_MS 1000
/* Longest sleep: short enough to see the end of a run. */
#define WAIT_MS 20

/* A pause that is worth a line, and one that is too short to be explained. */
#define PAUSE_MS       500
#define PAUSE_SHORT_MS 100

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
	pair->out = calloc(FE_NET_OUT, sizeof(*pair->out));
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
	pair->n_alias = 0;
	memset(pair->out, 0, FE_NET_OUT * sizeof(*pair->out));
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
	for (i = 0; i < n && rc == 0; i++) {
		net->bufs[i].gpa = net->bufs[i].at = gpas[i];
		net->bufs[i].alias = fe_mem_alias(&dev->mem, gpas[i], sizes[i]);
	}
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

static unsigned int
pair_poll_used(struct fe_net *net, unsigned int p)
{
	unsigned int moved = 0, n;

	while ((n = fe_net_receive(net, p)) > 0)
		moved += n;
	return moved + fe_net_tx_done(net, p);
}

static unsigned int
pair_poll(struct fe_net *net, unsigned int p)
{
	struct fe_net_pair *pair = &net->pairs[p];
	unsigned int moved;

	fe_ring_disarm(pair->rx);
	fe_ring_disarm(pair->tx);
	moved = pair_poll_used(net, p);
	fe_net_post(net, pair);
	return moved + fe_net_send(net, p);
}

void
fe_net_set_log(struct fe_net *net, struct fe_log *log)
{
	unsigned int i;

	net->log = log;
	for (i = 0; i < net->dev->conf.pairs; i++)
		net->pairs[i].log_from = log == NULL ? UINT64_MAX : net->pairs[i].tx_seq;
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

void
fe_net_poll_used(struct fe_net *net)
{
	unsigned int i;

	for (i = 0; i < net->dev->conf.pairs; i++) {
		if (!net->pairs[i].off)
			pair_poll_used(net, i);
	}
}

/* A frame came, or none is out. Only now: the time that a thread waits for a CPU is counted when it
 * has got one. */
static void
net_pause_over(struct fe_net *net, uint64_t now)
{
	uint64_t pause = now - net->last_ms, waited = 0;

	if (net->watch != NULL && pause > PAUSE_SHORT_MS)
		waited = fe_watch_waited(net->watch);
	if (pause > net->stats.blamed_ms + waited)
		net->stats.blamed_ms = pause - waited;
	if (pause > PAUSE_MS)
		fprintf(stderr,
			"no frame for %" PRIu64 " ms, until uptime %" PRIu64
			" ms; threads waited for a CPU for %" PRIu64 " ms\n",
			pause, now, waited);
	net->last_ms = now;
	if (net->watch != NULL)
		fe_watch_note(net->watch, now);
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
	if (now - net->last_ms > net->stats.longest_ms)
		net->stats.longest_ms = now - net->last_ms;
	if (net->stats.received != before || fe_net_out(net) == 0)
		net_pause_over(net, now);
	return moved;
}

/* Wait for interrupts of rings that are armed. @return whether one came. */
static bool
net_await_call(struct fe_net *net, int timeout_ms)
{
	struct pollfd pfds[2 * FE_MAX_PAIRS];
	unsigned int i, n = fe_dev_n_rings(net->dev);

	for (i = 0; i < n; i++) {
		pfds[i] = (struct pollfd){.fd = net->dev->rings[i].callfd, .events = POLLIN};
		if (net->pairs[i / 2].off)
			pfds[i].fd = -1;
	}
	if (poll(pfds, n, timeout_ms) <= 0)
		return false;
	for (i = 0; i < n; i++) {
		if (pfds[i].revents & POLLIN) {
			fe_ring_ack_call(&net->dev->rings[i]);
			net->stats.calls++;
		}
	}
	return true;
}

/* Ask for interrupts. @return whether there is something to take already. */
static bool
net_arm(struct fe_net *net)
{
	bool ready = false;
	unsigned int i;

	for (i = 0; i < fe_dev_n_rings(net->dev); i++) {
		if (!net->pairs[i / 2].off)
			ready = fe_ring_arm(&net->dev->rings[i]) || ready;
	}
	return ready;
}

void
fe_net_delay(struct fe_net *net)
{
	if (net->conf.delay_ms == 0)
		return;
	net->quiet = true;
	fe_net_poll(net);
	usleep(net->conf.delay_ms * 1000);
	net->quiet = false;
}

void
fe_net_wait(struct fe_net *net, int timeout_ms)
{
	if (net_arm(net) || net_await_call(net, timeout_ms))
		return;
	/* What became used meanwhile was to be told; the device may be a little late. */
	if (net_arm(net) && !net_await_call(net, CALL_LATE_MS)) {
		if (net->stats.missed++ < FE_NET_COMPLAINTS)
			fprintf(stderr, "used buffers, and no interrupt\n");
	}
}

/* A burst is over when so many frames were sent: any number that the window allows. */
static uint64_t
burst_end(struct fe_net *net)
{
	return net->stats.sent +
		fe_random_in(&net->random, 1, net->conf.window * net->dev->conf.pairs);
}

/* Wait for the rest of a burst, then be silent. @return 0; -ETIMEDOUT. */
static int
net_silence(struct fe_net *net, uint64_t idle_ms)
{
	int rc = 0;

	net->quiet = true;
	while (rc == 0 && fe_net_out(net) > 0) {
		if (fe_net_poll(net) == 0)
			fe_net_wait(net, WAIT_MS);
		if (fe_now_ms() - net->last_ms > idle_ms)
			rc = -ETIMEDOUT;
	}
	net->quiet = false;
	usleep(fe_random_in(&net->random, 0, net->conf.silence_us));
	return rc;
}

int
fe_net_run(struct fe_net *net, uint64_t run_ms, uint64_t idle_ms)
{
	uint64_t burst = burst_end(net);
	uint64_t end = fe_now_ms() + run_ms;

	while (fe_now_ms() < end && net->stats.sent < net->limit &&
		!(net->stop != NULL && *net->stop)) {
		if (fe_net_poll(net) == 0)
			fe_net_wait(net, WAIT_MS);
		if (fe_now_ms() - net->last_ms > idle_ms)
			return -ETIMEDOUT;
		if (net->conf.silence_us == 0 || net->stats.sent < burst)
			continue;
		if (net_silence(net, idle_ms) < 0)
			return -ETIMEDOUT;
		burst = burst_end(net);
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
			fe_net_wait(net, WAIT_MS);
	}
	/* Transmit chains come back after the frames they held: take those, too. */
	fe_net_wait(net, WAIT_MS);
	fe_net_poll(net);
	net->quiet = quiet;
	return fe_net_out(net) > 0 ? -ETIMEDOUT : 0;
}

void
fe_net_give_up(struct fe_net *net)
{
	unsigned int i, j;

	for (i = 0; i < net->dev->conf.pairs; i++) {
		struct fe_net_pair *pair = &net->pairs[i];

		for (j = 0; j < FE_NET_OUT; j++) {
			if (pair->out[j] == 0 || pair->out[j] & FE_NET_GIVEN_UP)
				continue;
			pair->out[j] |= FE_NET_GIVEN_UP;
			net->stats.given_up++;
		}
		pair->n_out = 0;
	}
	net->last_ms = fe_now_ms();
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
	return s.lost == 0 && s.corrupt == 0 && s.doubled == 0 &&
		(s.disordered == 0 || net->conf.lossy) && s.missed == 0;
}
