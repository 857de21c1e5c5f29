/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_VIRTIO_H
#define SVQ_VIRTIO_H

/**
 * @file
 * Feature bits of virtio 1.2 and 1.3 that the system's headers may be too old to name.
 */

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#ifndef VIRTIO_F_NOTIFICATION_DATA
#define VIRTIO_F_NOTIFICATION_DATA 38
#endif

#endif /* SVQ_VIRTIO_H */
