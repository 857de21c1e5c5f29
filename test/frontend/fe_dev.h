/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_DEV_H
#define FE_DEV_H

/**
 * @file
 * A virtio-net device as its front-end holds it: connection, memory and rings together.
 *
 * Concepts
 *
 * Starting a device is a list of steps, one message each, in the order that QEMU uses. A test may
 * stop after any of them. Ring 2n is the receive queue of pair n, ring 2n+1 its transmit queue.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fe_conn.h"
#include "fe_log.h"
#include "fe_mem.h"
#include "fe_ring.h"

#define FE_MAX_PAIRS 16

/* Feature bits. */
#define FE_F_MRG_RXBUF (1ull << 15)
#define FE_F_MQ	       (1ull << 22)
#define FE_F_LOG_ALL   (1ull << 26)
#define FE_F_INDIRECT  (1ull << 28)
#define FE_F_EVENT_IDX (1ull << 29)
#define FE_F_PROTOCOL  (1ull << 30)
#define FE_F_VERSION_1 (1ull << 32)
#define FE_F_PACKED    (1ull << 34)

struct fe_dev_conf {
	const char *path;
	bool server;	    /**< we listen, the back-end connects */
	unsigned int pairs; /**< queue pairs */
	bool pairs_set;	    /**< by the user: hostile cases are to do with so many */
	bool config;	    /**< use the protocol features CONFIG and BACKEND_REQ */
	uint32_t ring_size;
	enum fe_layout layout;
	uint64_t features;   /**< wanted; what the back-end lacks is dropped, but for PACKED */
	uint64_t data_bytes; /**< room for buffers */
	int timeout_ms;
};

struct fe_dev {
	struct fe_dev_conf conf;
	struct fe_conn conn;
	struct fe_mem mem;
	struct fe_ring rings[2 * FE_MAX_PAIRS];
	uint64_t offered;  /**< features of the back-end */
	uint64_t features; /**< negotiated */
	uint64_t offered_protocol, protocol;
	uint64_t queue_num; /**< pairs that the back-end can serve */
	bool logging;	    /**< LOG_ALL is on */
};

/** Rings of a device. */
static inline unsigned int
fe_dev_n_rings(const struct fe_dev *dev)
{
	return 2 * dev->conf.pairs;
}

/** Lay out memory and rings; no message is sent. @return 0 or a negative errno. */
int fe_dev_init(struct fe_dev *dev, const struct fe_dev_conf *conf);

/** Disconnect and free everything. */
void fe_dev_free(struct fe_dev *dev);

/** Connect and get a first answer, or accept the back-end. */
int fe_dev_connect(struct fe_dev *dev);

/** Number of steps of a start. */
unsigned int fe_dev_n_steps(const struct fe_dev *dev);

/** Take step @p step. */
int fe_dev_step(struct fe_dev *dev, unsigned int step);

/** What step @p step is, for reports. */
const char *fe_dev_step_name(const struct fe_dev *dev, unsigned int step);

/** Steps that negotiate features, all before the memory table. */
unsigned int fe_dev_n_negotiation_steps(void);

/** Connect and take all steps; a line on stderr says what failed. */
int fe_dev_start(struct fe_dev *dev);

/** Take all steps before the memory table, connecting first. */
int fe_dev_negotiate(struct fe_dev *dev);

/** Send NUM, BASE, ADDR, ERR, KICK and CALL of ring @p q; the base is its used index. */
int fe_dev_ring_start(struct fe_dev *dev, unsigned int q);

/** Send only SET_VRING_ADDR of ring @p q, with the log flag if @p log. */
int fe_dev_ring_addr(struct fe_dev *dev, unsigned int q, bool log);

/** SET_VRING_ENABLE of both rings of a pair. */
int fe_dev_pair_enable(struct fe_dev *dev, unsigned int pair, bool on);

/** SET_STATUS, if negotiated. */
int fe_dev_set_status(struct fe_dev *dev, uint8_t status);

/** GET_VRING_BASE of every ring; bases may be NULL. */
int fe_dev_stop(struct fe_dev *dev, uint32_t *bases);

/** Start all rings again after fe_dev_stop(), at the bases that were handed back. */
int fe_dev_restart(struct fe_dev *dev);

/** Lay out memory and rings anew on a connection whose rings are stopped, and start. */
int fe_dev_reboot(struct fe_dev *dev, const struct fe_dev_conf *conf);

/** Disconnect; the rings keep their state. */
void fe_dev_disconnect(struct fe_dev *dev);

/** Begin dirty logging into @p log, as QEMU does: SET_LOG_BASE, LOG_ALL, addresses with the flag.
 */
int fe_dev_log_start(struct fe_dev *dev, const struct fe_log *log);

/** End dirty logging. */
int fe_dev_log_stop(struct fe_dev *dev);

#endif /* FE_DEV_H */
