/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_SUMS_H
#define SVQ_APP_SUMS_H

/**
 * @file
 * A port's figures, added up over its queues.
 *
 * Concepts
 *
 * TX is from the guest to the device, RX from the device to the guest, as the guest sees it. A
 * packet counts when the guest has its buffer back: a buffer that is posted or recalled is none.
 */

#include <stdint.h>

#include <svq_vdpa.h>

struct svq_app_sums {
	uint64_t tx;	       /**< chains completed, guest to device */
	uint64_t rx;	       /**< chains completed, device to guest */
	uint64_t moves;	       /**< chains moved in bursts */
	uint64_t bursts;       /**< bursts that moved them */
	uint64_t cycles;       /**< TSC cycles of the relay in them */
	uint64_t errors;       /**< faults of guest, front-end and device, all kinds */
	uint64_t iommu_faults; /**< accesses that the device's IOMMU refused */
	uint64_t translations; /**< buffers that the relay translated */
	uint64_t tx_drops;     /**< packets that the device's back-end refused */
	uint64_t rx_drops;     /**< packets that found no RX buffer */
};

/**
 * All queues of a device, malloc'ed.
 *
 * @param[out] n
 *   Number of queues.
 * @return NULL: no such device, or no memory.
 */
struct svq_vdpa_queue_info *svq_app_queues_get(const char *dev, unsigned int *n);

/** Faults of one queue over all kinds. */
uint64_t svq_app_queue_errors(const struct svq_queue_stats *stats);

/** Add up a device's figures. @return 0; -ENODEV; -ENOMEM. */
int svq_app_sums_get(const char *dev, struct svq_app_sums *sums);

/** Add @p other to @p sums. */
void svq_app_sums_add(struct svq_app_sums *sums, const struct svq_app_sums *other);

/** What came between two looks; a counter that was cleared in between counts from zero. */
void svq_app_sums_sub(struct svq_app_sums *sums, const struct svq_app_sums *before);

/** Mean chains a burst; 0 without bursts. */
double svq_app_mean(uint64_t moves, uint64_t bursts);

/** Nanoseconds a packet of @p cycles TSC cycles; 0 without packets. */
double svq_app_ns(uint64_t cycles, uint64_t packets);

#endif /* SVQ_APP_SUMS_H */
