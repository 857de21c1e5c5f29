/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_VDPA_STATS_H
#define SVQ_VDPA_STATS_H

#include "svq_vdpa_priv.h"

/* librte_vdpa's statistics of a queue: struct svq_queue_stats, field by field. */
int svq_vdpa_op_stats_names(
	struct rte_vdpa_device *vdpa, struct rte_vdpa_stat_name *names, unsigned int n);
int svq_vdpa_op_stats(
	struct rte_vdpa_device *vdpa, int qid, struct rte_vdpa_stat *stats, unsigned int n);
int svq_vdpa_op_stats_reset(struct rte_vdpa_device *vdpa, int qid);

#endif /* SVQ_VDPA_STATS_H */
