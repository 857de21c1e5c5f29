/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_DMA_H
#define SVQ_DMA_H

/**
 * @file
 * One device's DMA address space: the three address tables and the device's mappings, in step.
 *
 * Concepts
 *
 * Adding memory: allocate an IOVA, map it at the device, then make it known to translation.
 * Removing guest memory: take it out of translation, wait for the readers (RCU), then unmap it at
 * the device, then give the IOVA back. Whoever calls has made sure before that no buffer in
 * flight uses what goes.
 *
 * Control thread only, one at a time; svq_dma_map() may be called by the datapath.
 */

#include <stdint.h>
#include <stdio.h>

#include <svq_device.h>
#include <svq_guest.h>
#include <svq_iova.h>

#ifdef __cplusplus
extern "C" {
#endif

struct svq_dma;

/** Calls made to the device's dma_map/dma_unmap, since creation. */
struct svq_dma_stats {
	uint64_t maps;
	uint64_t unmaps;
};

/**
 * Create the address space of an open device.
 *
 * @param dev
 *   Must outlive the address space.
 * @param qsbr
 *   As for svq_gpa_table_create().
 * @return 0; errors of svq_iova_alloc_create(); -ENOMEM.
 */
int svq_dma_create(struct svq_device *dev, struct rte_rcu_qsbr *qsbr, struct svq_dma **dma);

/** Unmap everything at the device and free. NULL is allowed. The device must be stopped. */
void svq_dma_destroy(struct svq_dma *dma);

/**
 * Allocate zeroed host-only memory for the device and map it.
 *
 * @param size
 *   Bytes, > 0; rounded up to the granule.
 * @param numa_node
 *   Where to allocate, or -1.
 * @param perm
 *   enum svq_perm.
 * @param[out] iova
 *   Its address for the device.
 * @return the memory; NULL with errno set.
 */
void *svq_dma_host_alloc(
	struct svq_dma *dma, uint64_t size, int numa_node, uint32_t perm, uint64_t *iova);

/** Unmap and free memory of svq_dma_host_alloc(). NULL is allowed. */
void svq_dma_host_free(struct svq_dma *dma, void *mem);

/**
 * Apply a prepared change of guest memory: map what came, publish, unmap what went.
 *
 * On error everything is as before the call; the caller then aborts the guest's change, otherwise
 * it commits it.
 *
 * @return 0; -ENOSPC (apertures too small; the log line gives both numbers); errors of the
 *   device's dma_map; -ENOMEM.
 */
int svq_dma_guest_apply(struct svq_dma *dma, const struct svq_guest_diff *diff);

/** Translation snapshot for the datapath. */
const struct svq_gpa_map *svq_dma_map(const struct svq_dma *dma);

/** See svq_gpa_table_map_at(). */
const struct svq_gpa_map *const *svq_dma_map_at(const struct svq_dma *dma);

/** The device. */
struct svq_device *svq_dma_device(const struct svq_dma *dma);

/** Counters; any thread. */
void svq_dma_stats(const struct svq_dma *dma, struct svq_dma_stats *stats);

/**
 * Print the three tables: apertures, holes, free space and largest gap; guest mappings with aliases
 * marked; host-only mappings.
 */
void svq_dma_dump(const struct svq_dma *dma, const struct svq_guest *guest, FILE *f);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_DMA_H */
