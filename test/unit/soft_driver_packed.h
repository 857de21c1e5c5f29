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

/** Read the next used descriptor; there is one. @return its id. */
uint16_t drv_packed_read_used(const struct drv_ring *ring, uint32_t *len);

/** Step over a used chain. */
void drv_packed_put(struct drv_ring *ring, const struct drv_slot *slot);

#endif /* SOFT_DRIVER_PACKED_H */
