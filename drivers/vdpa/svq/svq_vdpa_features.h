/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_VDPA_FEATURES_H
#define SVQ_VDPA_FEATURES_H

/**
 * @file
 * Which feature passes from the device to the guest, which ends here, which is masked.
 *
 * Concepts
 *
 * The relay is a device to the guest and a driver to the device, and negotiates with either. One
 * table says for each feature bit what becomes of it and why; what is offered and accepted follows
 * from it, and so does the table in doc/features.md. librte_vhost has a mask of its own: the guest
 * sees what both let through.
 */

#include <stdbool.h>
#include <stdint.h>

/**
 * What the guest is offered.
 *
 * @param device
 *   What the device offers.
 * @param pairs
 *   Whether there are several queue pairs.
 */
uint64_t svq_vdpa_features_offer(uint64_t device, bool pairs);

/** What is accepted of the device's offer, once the guest has accepted @p guest. */
uint64_t svq_vdpa_features_accept(uint64_t device, uint64_t guest);

/** Bytes of the header before each packet with the features @p guest (virtio 1.2, 5.1.6). */
uint32_t svq_vdpa_features_header(uint64_t guest);

#endif /* SVQ_VDPA_FEATURES_H */
