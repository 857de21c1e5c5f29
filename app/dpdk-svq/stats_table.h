/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_STATS_TABLE_H
#define SVQ_APP_STATS_TABLE_H

/**
 * @file
 * The table of live figures of --stats-period: a row a port, and one for all where there are
 * several.
 */

#include <stdio.h>

/** Time counts from here. Before the first table. */
void svq_app_stats_table_start(void);

/** Print what happened since the last call; the heading now and then. */
void svq_app_stats_table(FILE *f);

#endif /* SVQ_APP_STATS_TABLE_H */
