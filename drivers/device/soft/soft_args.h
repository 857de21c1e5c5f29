/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_ARGS_H
#define SOFT_ARGS_H

/**
 * @file
 * Arguments of a software device.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_kvargs.h>

#include <svq_device.h>

#include "soft_misbehave.h"

#define SOFT_ARG_QUEUES	    "queues"
#define SOFT_ARG_BACKEND    "backend"
#define SOFT_ARG_PORT	    "port"
#define SOFT_ARG_QUEUE_SIZE "queue_size"
#define SOFT_ARG_APERTURES  "apertures"
#define SOFT_ARG_MAC	    "mac"
#define SOFT_ARG_KICKS	    "kicks"
#define SOFT_ARG_MISBEHAVE  "misbehave"
#define SOFT_ARG_SEED	    "seed"

/** Most queue pairs, as many as librte_vhost serves. */
#define SOFT_MAX_PAIRS 128

struct soft_backend;

struct soft_args {
	const struct soft_backend *backend;
	char port[64];	     /**< ethdev; "" for other back-ends */
	uint16_t pairs;	     /**< 1..SOFT_MAX_PAIRS */
	uint16_t queue_size; /**< power of two, 2..32768 */
	bool kicks;	     /**< looks at a ring only after a kick */
	uint64_t features;   /**< of those that can be switched: what it offers */
	uint8_t mac[6];	     /**< for the config space */
	struct soft_misbehave_args misbehave;
	unsigned int n_apertures;
	/** Sorted; ranges that touch are merged. */
	struct svq_iova_range apertures[SVQ_DEVICE_MAX_APERTURES];
};

/** The keys, NULL-terminated. */
extern const char *const soft_arg_keys[];

/**
 * Read the arguments; what is not given gets its default.
 *
 * @param name
 *   Of the instance: for logs, and the source of the default MAC address.
 * @return 0; -EINVAL: logged, with the key, the value and what is allowed.
 */
int soft_args_parse(const char *name, const struct rte_kvargs *kvargs, struct soft_args *args);

#endif /* SOFT_ARGS_H */
