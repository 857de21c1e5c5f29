/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_DEVICE_H
#define SVQ_APP_DEVICE_H

/**
 * @file
 * Virtual devices that come and go while the launcher runs. Main thread only.
 */

#include "err.h"

/**
 * Create a device from "NAME,key=value,...", as --vdev does; any vdev that EAL knows.
 *
 * @return 0; a negative errno with @p err filled.
 */
int svq_app_device_add(const char *devargs, struct svq_app_err *err);

/** Remove a vdpa_svq device that has no port. @return 0; a negative errno with @p err filled. */
int svq_app_device_del(const char *name, struct svq_app_err *err);

/** Remove all vdpa_svq devices, the youngest first; EAL would take their ethdevs away first. */
void svq_app_device_del_all(void);

#endif /* SVQ_APP_DEVICE_H */
