/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VDPA_STUB_VHOST_H
#define VDPA_STUB_VHOST_H

/**
 * @file
 * librte_vhost for tests: no sockets and no thread, but the order in which DPDK 22.11 calls a vDPA
 * driver and an external message handler, what it maps, unmaps and closes meanwhile, and what it
 * answers. A test is the front-end: it sends messages with stub_send().
 */

#include <stdbool.h>
#include <stdint.h>

#include "svq_vdpa_priv.h"

#define STUB_VRINGS 16

/** A vring as librte_vhost has it. */
struct stub_vring {
	struct vhost_vring_addr addr;
	void *desc, *avail, *used;
	int kickfd, callfd;
	uint16_t size;
	uint16_t base;
	bool enabled;
	bool ready;
};

/** A connection. */
struct stub_conn {
	bool open;
	int vid;
	char path[SVQ_VDPA_PATH_MAX];
	struct rte_vdpa_device *vdpa;
	uint64_t features, protocol;
	uint16_t mtu;
	uint8_t status;
	bool running, is_ready, configured;
	struct rte_vhost_memory *mem;
	unsigned int n_vrings;
	struct stub_vring vring[STUB_VRINGS];
	uint64_t log_base, log_size;
	struct rte_vhost_user_extern_ops handlers;
	int conf_result;	  /**< of the last dev_conf */
	unsigned int told_config; /**< config_change messages to the front-end */
	unsigned int confs;
	unsigned int closes;
	unsigned int cleanups;
	unsigned int states; /**< calls of set_vring_state */
};

/** Outcome of a message. */
enum stub_result {
	STUB_OK,      /**< accepted, or refused in silence */
	STUB_REPLIED, /**< a reply was sent; the message holds it */
	STUB_NACK,    /**< refused, the front-end is told */
	STUB_DROPPED, /**< refused, the connection has ended */
};

/** The driver's registration of itself on the virtual bus. */
extern struct rte_vdev_driver *stub_vdev_driver;
/** Which call of rte_vhost_driver_*() fails: 1 register, 2 attach, 3 callback, 4 start, 5 protocol
 * features; 0: none. */
extern int stub_driver_fails;
/** Sockets that are registered. */
unsigned int stub_sockets(void);

/** A front-end connects to a socket, or, with @p path NULL, to one that the application runs by
 * itself for @p vdpa. @return its vid; -1: refused. */
int stub_connect(const char *path, struct rte_vdpa_device *vdpa);
struct stub_conn *stub_conn(int vid);
/** Send a message; descriptors in it are given away. */
enum stub_result stub_send(int vid, struct svq_vhost_msg_ctx *msg);
void stub_disconnect(int vid);

#endif /* VDPA_STUB_VHOST_H */
