/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VDPA_STUB_CONN_H
#define VDPA_STUB_CONN_H

/** @file What the stub's files know of each other's connections. */

#include "vdpa_stub_vhost.h"

/** A descriptor that no message has set. */
#define STUB_UNSET_FD (-2)

/** An open connection; NULL: none of that vid. */
struct stub_conn *stub_conn_find(int vid);

/** End service, clean up and close, as when the socket is closed. */
void stub_conn_destroy(struct stub_conn *c);

#endif /* VDPA_STUB_CONN_H */
