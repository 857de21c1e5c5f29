/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_DRIVER_PACKED_H
#define SOFT_DRIVER_PACKED_H

/**
 * @file
 * What soft_driver.c does on a packed ring (virtio 1.2, 2.8).
 */

#include "soft_driver.h"

/** Write a slot's chain, of slot->n_ring ring descriptors. @return its first place. */
uint16_t drv_packed_post(struct drv_ring *ring, struct drv_slot *slot, bool indirect);

/** As drv_used(). */
bool drv_packed_used(const struct drv_ring *ring);

/** Take the next used chain; there is one. */
struct drv_slot *drv_packed_reap(struct drv_ring *ring, uint32_t *len);

#endif /* SOFT_DRIVER_PACKED_H */
