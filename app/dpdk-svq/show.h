/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_SHOW_H
#define SVQ_APP_SHOW_H

/**
 * @file
 * What the prompt's show commands print: a line a thing, "key value" pairs that a script can cut.
 */

#include <stdio.h>

#include "port.h"

void svq_app_show_devices(FILE *f);
void svq_app_show_ports(FILE *f);
void svq_app_show_workers(FILE *f);

/** One line on port @p n. */
void svq_app_show_port(unsigned int n, const struct svq_app_port *port, FILE *f);

/** Counters: a line a queue, the device's, the port's, the sums. */
void svq_app_show_stats(unsigned int n, const struct svq_app_port *port, FILE *f);

/** Where each queue stands. */
void svq_app_show_queues(const struct svq_app_port *port, FILE *f);

/** "summary port N: ...", the sums that scripts read. */
void svq_app_show_summary(unsigned int n, const struct svq_app_port *port, FILE *f);

#endif /* SVQ_APP_SHOW_H */
