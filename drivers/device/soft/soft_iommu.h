/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_IOMMU_H
#define SOFT_IOMMU_H

/**
 * @file
 * The software IOMMU: what one device may reach, IOVA to HVA with permissions.
 *
 * Concepts
 *
 * The mappings are an immutable, sorted snapshot. The control thread replaces it; the datapath
 * takes it once per poll (soft_access_begin()) and may use it, and every address that came from
 * it, until its next quiescent state: soft_iommu_unmap() returns only after that. Each snapshot
 * has a generation, so that what was translated from an older one can be told and translated anew.
 *
 * An access must lie wholly inside one mapping: a device's burst does not cross from one to
 * another here, even where the two are adjacent.
 */

#include <stdatomic.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include <svq_iova.h>

/** One mapping. */
struct soft_iommu_range {
	uint64_t iova; /**< first byte for the device */
	uint64_t size; /**< bytes; 0 only in the entry behind the last */
	uint64_t hva;  /**< first byte in this process */
	uint32_t perm; /**< enum svq_perm */
};

/** All mappings at one time, by ascending IOVA. */
struct soft_iommu_map {
	uint64_t generation; /**< differs between any two snapshots of one IOMMU; never 0 */
	unsigned int n;	     /**< mappings */
	unsigned int max;    /**< room for mappings */
	/** n mappings and one of size 0, which no address matches. */
	struct soft_iommu_range ranges[];
};

/** An IOMMU; embedded in its device. */
struct soft_iommu {
	_Atomic(struct soft_iommu_map *) map;	/**< what the datapath reads */
	struct soft_iommu_map *spare;		/**< no reader; room for the mappings of map */
	struct rte_rcu_qsbr *qsbr;		/**< of the readers, or NULL */
	const struct svq_iova_range *apertures; /**< sorted, no two of them touch; not owned */
	unsigned int n_apertures;
};

/** A reader's view of memory, for one poll. */
struct soft_access {
	const struct soft_iommu_map *map;
	uint64_t translations; /**< look-ups since soft_access_begin() */
	/* What the last refused access was, for the log. */
	uint64_t iova;
	uint64_t len;
	uint32_t perm;
};

/**
 * Start without mappings.
 *
 * @param apertures, n
 *   IOVAs that can be mapped: sorted, merged; they outlive the IOMMU.
 * @return 0; -ENOMEM.
 */
int soft_iommu_init(struct soft_iommu *iommu, struct rte_rcu_qsbr *qsbr,
	const struct svq_iova_range *apertures, unsigned int n);

/** Free the tables; no reader is left. Also after a failed or no soft_iommu_init(), if zeroed. */
void soft_iommu_fini(struct soft_iommu *iommu);

/** Map, as svq_device_ops.dma_map. Addresses and size are multiples of SOFT_IOMMU_GRANULE. */
int
soft_iommu_map(struct soft_iommu *iommu, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm);

/** Unmap, as svq_device_ops.dma_unmap. */
int soft_iommu_unmap(struct soft_iommu *iommu, uint64_t iova, uint64_t size);

/** Why the last access of @p access was refused, in words. */
const char *soft_access_why(const struct soft_access *access);

/** soft_access_get() when the hint misses. */
void *soft_access_search(
	struct soft_access *access, uint32_t *hint, uint64_t iova, uint64_t len, uint32_t perm);

/** Bytes of the smallest mapping. */
#define SOFT_IOMMU_GRANULE 4096

/** Take the present snapshot. */
static inline void
soft_access_begin(struct soft_access *access, const struct soft_iommu *iommu)
{
	/* Pairs with the release store in soft_iommu.c: a snapshot is complete when it is seen. */
	access->map = atomic_load_explicit(&iommu->map, memory_order_acquire);
	access->translations = 0;
}

/**
 * Translate one access.
 *
 * @param hint
 *   Index of the mapping that the caller hit last; below or equal to the number of mappings.
 * @param len
 *   Bytes, > 0.
 * @param perm
 *   What the access needs.
 * @return its first byte in this process; NULL: refused, the access is noted in @p access.
 */
static inline void *
soft_access_get(
	struct soft_access *access, uint32_t *hint, uint64_t iova, uint64_t len, uint32_t perm)
{
	const struct soft_iommu_range *range = &access->map->ranges[*hint];
	uint64_t off = iova - range->iova;

	access->translations++;
	if (likely(off < range->size && len <= range->size - off && (range->perm & perm) == perm))
		return (void *)(uintptr_t)(range->hva + off);
	return soft_access_search(access, hint, iova, len, perm);
}

#endif /* SOFT_IOMMU_H */
