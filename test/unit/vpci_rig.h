/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VPCI_RIG_H
#define VPCI_RIG_H

/**
 * @file
 * A virtio_pci device on the mocked kernel, opened as the vDPA driver does it.
 */

#include <svq_dma.h>

#include "vfio_mock.h"

extern struct svq_device *vdev;
extern struct svq_dma *vdma;

/** Open with these device arguments behind pci=. @return what open returned. */
int vpci_rig_open(const char *args);
/** mock_vfio_begin() and an open that succeeds, with an address space. */
void vpci_rig_begin(const char *args);
/** Likewise, of what a test changed after mock_vfio_begin(). */
void vpci_rig_open_sound(const char *args);
/** Stop, close, mock_vfio_end(). */
void vpci_rig_end(void);
/** Accept features, set up queues 0 and 1, start. @return of start. */
int vpci_rig_start(uint64_t features);
/** Open is refused with this error and line; mock_vfio_begin() anew. */
void vpci_rig_refused(const char *args, int error, const char *said);

/** What every accepted set has. */
#define RIG_V1 (1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM)

#endif /* VPCI_RIG_H */
