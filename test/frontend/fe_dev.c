/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fe_dev.h"

/* ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK */
#define STATUS_UP 0x0f

#define PROTOCOL_WANTED                                                                          \
	(1ull << FE_P_MQ | 1ull << FE_P_LOG_SHMFD | 1ull << FE_P_REPLY_ACK | 1ull << FE_P_RARP | \
		1ull << FE_P_STATUS)

int
fe_dev_init(struct fe_dev *dev, const struct fe_dev_conf *conf)
{
	unsigned int i;
	uint64_t bytes;
	int rc;

	memset(dev, 0, sizeof(*dev));
	dev->conf = *conf;
	fe_conn_init(&dev->conn, conf->timeout_ms);
	if (conf->pairs == 0 || conf->pairs > FE_MAX_PAIRS)
		return -EINVAL;
	/* Layouts spread this over up to three places, each of which may end up partly unused. */
	bytes = 3 * fe_dev_n_rings(dev) * fe_ring_bytes(conf->ring_size);
	rc = fe_mem_layout(&dev->mem, conf->layout, bytes, conf->data_bytes);
	for (i = 0; i < fe_dev_n_rings(dev) && rc == 0; i++)
		rc = fe_ring_init(&dev->rings[i], &dev->mem, conf->ring_size,
			conf->features & FE_F_PACKED, conf->features & FE_F_EVENT_IDX);
	return rc;
}

void
fe_dev_free(struct fe_dev *dev)
{
	unsigned int i;

	fe_conn_close(&dev->conn);
	for (i = 0; i < fe_dev_n_rings(dev); i++)
		fe_ring_free(&dev->rings[i]);
	fe_mem_free(&dev->mem);
}

int
fe_dev_connect(struct fe_dev *dev)
{
	uint64_t end = fe_now_ms() + (uint64_t)dev->conf.timeout_ms;
	int rc;

	if (dev->conf.server)
		return fe_conn_accept(&dev->conn, dev->conf.path);
	for (;;) {
		rc = fe_conn_connect(&dev->conn, dev->conf.path);
		if (rc == 0)
			rc = fe_barrier(&dev->conn);
		/* A back-end hangs up while it has not noticed that an earlier front-end is gone.
		 */
		if (rc != -ECONNRESET || fe_now_ms() > end)
			return rc;
		fe_conn_close(&dev->conn);
		usleep(5000);
	}
}

static int
step_owner(struct fe_dev *dev, unsigned int q)
{
	(void)q;
	return fe_call(&dev->conn, FE_SET_OWNER, NULL, 0, NULL, 0);
}

static int
step_get_features(struct fe_dev *dev, unsigned int q)
{
	(void)q;
	return fe_get_u64(&dev->conn, FE_GET_FEATURES, &dev->offered);
}

static int
step_get_protocol(struct fe_dev *dev, unsigned int q)
{
	(void)q;
	if (!(dev->offered & FE_F_PROTOCOL))
		return 0;
	return fe_get_u64(&dev->conn, FE_GET_PROTOCOL_FEATURES, &dev->offered_protocol);
}

static int
step_set_protocol(struct fe_dev *dev, unsigned int q)
{
	int rc;

	(void)q;
	if (!(dev->offered & FE_F_PROTOCOL))
		return 0;
	dev->protocol = dev->offered_protocol & PROTOCOL_WANTED;
	if (dev->conf.config)
		dev->protocol |=
			dev->offered_protocol & (1ull << FE_P_CONFIG | 1ull << FE_P_BACKEND_REQ);
	rc = fe_set_u64(&dev->conn, FE_SET_PROTOCOL_FEATURES, dev->protocol);
	dev->conn.ack = rc == 0 && dev->protocol & 1ull << FE_P_REPLY_ACK;
	return rc;
}

static int
step_queue_num(struct fe_dev *dev, unsigned int q)
{
	(void)q;
	dev->queue_num = 1;
	if (dev->protocol & 1ull << FE_P_MQ)
		return fe_get_u64(&dev->conn, FE_GET_QUEUE_NUM, &dev->queue_num);
	return 0;
}

static int
step_set_features(struct fe_dev *dev, unsigned int q)
{
	unsigned int i;

	(void)q;
	dev->features = dev->conf.features & dev->offered;
	/* The rings are laid out. */
	if ((dev->conf.features & ~dev->features) & FE_F_PACKED)
		return -EPROTONOSUPPORT;
	for (i = 0; i < fe_dev_n_rings(dev); i++)
		dev->rings[i].event_idx = dev->features & FE_F_EVENT_IDX;
	return fe_set_u64(&dev->conn, FE_SET_FEATURES, dev->features);
}

static int
step_mem(struct fe_dev *dev, unsigned int q)
{
	(void)q;
	return fe_mem_send(&dev->mem, &dev->conn);
}

static int
step_num(struct fe_dev *dev, unsigned int q)
{
	return fe_set_vring(&dev->conn, FE_SET_VRING_NUM, q, dev->rings[q].size);
}

static int
step_base(struct fe_dev *dev, unsigned int q)
{
	return fe_set_vring(&dev->conn, FE_SET_VRING_BASE, q, fe_ring_base(&dev->rings[q]));
}

static int
step_addr(struct fe_dev *dev, unsigned int q)
{
	return fe_dev_ring_addr(dev, q, dev->logging);
}

static int
step_err(struct fe_dev *dev, unsigned int q)
{
	return fe_set_vring_fd(&dev->conn, FE_SET_VRING_ERR, q, dev->rings[q].errfd);
}

static int
step_kick(struct fe_dev *dev, unsigned int q)
{
	return fe_set_vring_fd(&dev->conn, FE_SET_VRING_KICK, q, dev->rings[q].kickfd);
}

static int
step_call(struct fe_dev *dev, unsigned int q)
{
	return fe_set_vring_fd(&dev->conn, FE_SET_VRING_CALL, q, dev->rings[q].callfd);
}

static int
step_enable(struct fe_dev *dev, unsigned int q)
{
	if (!(dev->features & FE_F_PROTOCOL))
		return 0;
	return fe_set_vring(&dev->conn, FE_SET_VRING_ENABLE, q, 1);
}

static int
step_status(struct fe_dev *dev, unsigned int q)
{
	(void)q;
	return fe_dev_set_status(dev, STATUS_UP);
}

struct step {
	const char *name;
	int (*run)(struct fe_dev *dev, unsigned int q);
};

static const struct step first_steps[] = {
	{"SET_OWNER", step_owner},
	{"GET_FEATURES", step_get_features},
	{"GET_PROTOCOL_FEATURES", step_get_protocol},
	{"SET_PROTOCOL_FEATURES", step_set_protocol},
	{"GET_QUEUE_NUM", step_queue_num},
	{"SET_FEATURES", step_set_features},
	{"SET_MEM_TABLE", step_mem},
};
/* These for each ring, ring by ring. */
static const struct step ring_steps[] = {
	{"SET_VRING_NUM", step_num},
	{"SET_VRING_BASE", step_base},
	{"SET_VRING_ADDR", step_addr},
	{"SET_VRING_ERR", step_err},
	{"SET_VRING_KICK", step_kick},
	{"SET_VRING_CALL", step_call},
};
static const struct step enable_step = {"SET_VRING_ENABLE", step_enable};
static const struct step last_step = {"SET_STATUS", step_status};

#define N_FIRST ((unsigned int)(sizeof(first_steps) / sizeof(first_steps[0])))
#define N_RING	((unsigned int)(sizeof(ring_steps) / sizeof(ring_steps[0])))

static const struct step *
dev_step(const struct fe_dev *dev, unsigned int step, unsigned int *q)
{
	unsigned int rings = fe_dev_n_rings(dev);

	*q = 0;
	if (step < N_FIRST)
		return &first_steps[step];
	step -= N_FIRST;
	if (step < N_RING * rings) {
		*q = step / N_RING;
		return &ring_steps[step % N_RING];
	}
	step -= N_RING * rings;
	if (step < rings) {
		*q = step;
		return &enable_step;
	}
	return &last_step;
}

unsigned int
fe_dev_n_steps(const struct fe_dev *dev)
{
	return N_FIRST + (N_RING + 1) * fe_dev_n_rings(dev) + 1;
}

unsigned int
fe_dev_n_negotiation_steps(void)
{
	return N_FIRST - 1;
}

int
fe_dev_step(struct fe_dev *dev, unsigned int step)
{
	unsigned int q;
	const struct step *s = dev_step(dev, step, &q);

	return s->run(dev, q);
}

const char *
fe_dev_step_name(const struct fe_dev *dev, unsigned int step)
{
	unsigned int q;

	return dev_step(dev, step, &q)->name;
}

static int
dev_steps(struct fe_dev *dev, unsigned int first, unsigned int end)
{
	unsigned int i;
	int rc = 0;

	for (i = first; i < end && rc == 0; i++) {
		rc = fe_dev_step(dev, i);
		if (rc < 0)
			fprintf(stderr, "step %u, %s: %s\n", i, fe_dev_step_name(dev, i),
				strerror(-rc));
	}
	return rc;
}

int
fe_dev_negotiate(struct fe_dev *dev)
{
	int rc = fe_dev_connect(dev);

	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", dev->conf.path, strerror(-rc));
		return rc;
	}
	return dev_steps(dev, 0, fe_dev_n_negotiation_steps());
}

int
fe_dev_start(struct fe_dev *dev)
{
	int rc = fe_dev_negotiate(dev);

	if (rc == 0)
		rc = dev_steps(dev, fe_dev_n_negotiation_steps(), fe_dev_n_steps(dev));
	return rc;
}

int
fe_dev_ring_start(struct fe_dev *dev, unsigned int q)
{
	unsigned int first = N_FIRST + N_RING * q;

	return dev_steps(dev, first, first + N_RING);
}

int
fe_dev_ring_addr(struct fe_dev *dev, unsigned int q, bool log)
{
	const struct fe_ring *ring = &dev->rings[q];
	struct fe_vring_addr addr = {
		.index = q,
		.flags = log ? FE_VRING_F_LOG : 0,
		.desc = fe_mem_user(&dev->mem, ring->desc_gpa),
		.avail = fe_mem_user(&dev->mem, ring->avail_gpa),
		.used = fe_mem_user(&dev->mem, ring->used_gpa),
		.log = ring->used_gpa,
	};

	return fe_set_vring_addr(&dev->conn, &addr);
}

int
fe_dev_pair_enable(struct fe_dev *dev, unsigned int pair, bool on)
{
	int rc = fe_set_vring(&dev->conn, FE_SET_VRING_ENABLE, 2 * pair, on);

	if (rc == 0)
		rc = fe_set_vring(&dev->conn, FE_SET_VRING_ENABLE, 2 * pair + 1, on);
	return rc;
}

int
fe_dev_set_status(struct fe_dev *dev, uint8_t status)
{
	if (!(dev->protocol & 1ull << FE_P_STATUS))
		return 0;
	return fe_set_u64(&dev->conn, FE_SET_STATUS, status);
}

int
fe_dev_stop(struct fe_dev *dev, uint32_t *bases)
{
	unsigned int i;
	uint32_t base;
	int rc;

	for (i = 0; i < fe_dev_n_rings(dev); i++) {
		rc = fe_get_vring_base(&dev->conn, i, &base);
		if (rc < 0) {
			fprintf(stderr, "GET_VRING_BASE of ring %u: %s\n", i, strerror(-rc));
			return rc;
		}
		if (bases != NULL)
			bases[i] = base;
	}
	return 0;
}

int
fe_dev_restart(struct fe_dev *dev)
{
	return dev_steps(dev, N_FIRST, fe_dev_n_steps(dev));
}

int
fe_dev_reboot(struct fe_dev *dev, const struct fe_dev_conf *conf)
{
	struct fe_dev old = *dev;
	int rc;

	dev->conn.fd = -1;
	fe_dev_free(dev);
	rc = fe_dev_init(dev, conf);
	dev->conn = old.conn;
	dev->offered = old.offered;
	dev->offered_protocol = old.offered_protocol;
	dev->protocol = old.protocol;
	dev->queue_num = old.queue_num;
	/* A driver negotiates features anew; the front-end's own messages need no repetition. */
	return rc < 0 ? rc : dev_steps(dev, N_FIRST - 2, fe_dev_n_steps(dev));
}

void
fe_dev_disconnect(struct fe_dev *dev)
{
	fe_conn_close(&dev->conn);
	dev->logging = false;
}

static int
dev_set_logging(struct fe_dev *dev, bool on)
{
	unsigned int i;
	int rc;

	rc = fe_set_u64(&dev->conn, FE_SET_FEATURES, dev->features | (on ? FE_F_LOG_ALL : 0));
	for (i = 0; i < fe_dev_n_rings(dev) && rc == 0; i++)
		rc = fe_dev_ring_addr(dev, i, on);
	if (rc == 0)
		dev->logging = on;
	return rc;
}

int
fe_dev_log_start(struct fe_dev *dev, const struct fe_log *log)
{
	int rc = fe_set_log_base(&dev->conn, log->size, 0, log->fd);

	return rc < 0 ? rc : dev_set_logging(dev, true);
}

int
fe_dev_log_stop(struct fe_dev *dev)
{
	return dev_set_logging(dev, false);
}
