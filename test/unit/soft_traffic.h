/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_TRAFFIC_H
#define SOFT_TRAFFIC_H

/**
 * @file
 * What a test's driver sends through a software device: chains that are cut at random or evenly.
 */

#include "soft_driver.h"

#define DRV_MAX_PAYLOAD (64 * 1024)

/** Begin the random numbers anew. */
void drv_seed(unsigned int seed);

/** A random number below @p n. */
uint32_t drv_pick(uint32_t n);

/** Open as drv_open(), start as drv_start(); the test fails if either does. */
void drv_open_start(struct drv *drv, const char *args, uint64_t features, uint16_t size);

/** Cut @p len bytes into up to @p max pieces at random, with gaps in between. */
void drv_cut(struct drv_slot *slot, uint32_t len, unsigned int max);

/** Send a packet behind a header that must not matter. */
void drv_transmit(const struct drv *drv, struct drv_ring *tx, const uint8_t *payload, uint32_t len,
	unsigned int max_pieces, enum drv_layout layout);

/** Post one chain of equal pieces. */
void
drv_post_even(struct drv_ring *ring, uint32_t len, unsigned int pieces, enum drv_layout layout);

/** Take back all that was sent. */
void drv_reap_tx(struct drv_ring *tx);

struct svq_device_stats drv_stats(const struct drv *drv);

#endif /* SOFT_TRAFFIC_H */
