/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_VDPA_LIFECYCLE_H
#define SVQ_VDPA_LIFECYCLE_H

/**
 * @file
 * The life cycle of a connection: what each event does in each state.
 *
 * Every function is one event; svq_vdpa_lifecycle.c has the table. The device's lock is held, and
 * d->request tells which message, if any, librte_vhost is handling.
 */

#include "svq_vdpa_priv.h"

/** A front-end sent its first message. @return 0; -EBUSY: the device has one already. */
int svq_vdpa_on_connect(struct svq_vdpa *d, int vid);
/** Features were negotiated, or logging switched. */
void svq_vdpa_on_features(struct svq_vdpa *d);
/** A vring became ready or stopped being so; ready anew: its descriptors may have changed. */
void svq_vdpa_on_vring(struct svq_vdpa *d, uint16_t qid, bool ready);
/** The guest's configuration is complete. @return 0; negative errno, logged: librte_vhost asks
 * again at the next message. */
int svq_vdpa_on_conf(struct svq_vdpa *d);
/** On return nothing touches librte_vhost's view of the guest. Idempotent. */
void svq_vdpa_on_close(struct svq_vdpa *d);
/** The device broke, as svq_device_broken() says: it is reset at once. */
void svq_vdpa_on_break(struct svq_vdpa *d);
/** The dirty log's mapping is d->log from now on. */
void svq_vdpa_on_log(struct svq_vdpa *d);
/** The device told of a change of its configuration or status. */
void svq_vdpa_on_config(struct svq_vdpa *d);
/** The connection ended, or its owner was reset (d->request). */
void svq_vdpa_on_cleanup(struct svq_vdpa *d);

#endif /* SVQ_VDPA_LIFECYCLE_H */
