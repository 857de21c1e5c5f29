/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_IOVA_H
#define SVQ_IOVA_H

/**
 * @file
 * Addresses between a guest, this host and a device.
 *
 * Concepts
 *
 * A guest names its memory by guest-physical address (GPA); this process reaches the same memory
 * by host virtual address (HVA); a device may be given neither, only I/O virtual addresses (IOVA)
 * that were allocated here and mapped for DMA. Three tables keep them apart:
 *
 * 1. The IOVA allocator hands out ranges inside the device's usable apertures. It knows neither
 *    GPAs nor HVAs, so guest memory and host memory can never collide.
 * 2. The GPA table holds guest memory only. GPAs are unique, HVAs are not: one piece of memory may
 *    appear at several GPAs (aliases), so guest memory is never looked up by HVA.
 * 3. The HVA tree holds host-only memory (shadow rings, control buffers). No guest address can
 *    find it, because it has no GPA.
 *
 * Writers change a table under a lock of their own; the datapath reads an immutable snapshot of
 * the GPA table, replaced under RCU (rte_rcu_qsbr). Range ends are inclusive ("last"), so a range
 * may end at 2^64-1. All functions return 0 or a negative errno unless they say otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_rcu_qsbr;

/** What a device may do with a mapping. */
enum svq_perm {
	SVQ_PERM_R = 1 << 0, /**< the device may read */
	SVQ_PERM_W = 1 << 1, /**< the device may write */
	SVQ_PERM_RW = SVQ_PERM_R | SVQ_PERM_W,
};

/* ---- 1. The IOVA allocator ---- */

/** A range of addresses, both ends inclusive. */
struct svq_iova_range {
	uint64_t first; /**< first byte */
	uint64_t last;	/**< last byte, >= first */
};

/** Opaque allocator. Not thread-safe: the caller serialises. */
struct svq_iova_alloc;

/** Room left in an allocator. */
struct svq_iova_alloc_info {
	uint64_t free_bytes;	  /**< bytes not allocated, over all apertures */
	uint64_t largest_gap;	  /**< bytes of the largest free range */
	uint64_t used_bytes;	  /**< bytes allocated */
	unsigned int n_used;	  /**< live allocations */
	unsigned int n_apertures; /**< apertures after sorting and merging */
};

/**
 * Create an allocator over a list of usable ranges.
 *
 * @param apertures
 *   Usable ranges in any order; they may touch but not overlap. IOVA 0 is never handed out.
 * @param n
 *   Number of ranges, >= 1.
 * @param granule
 *   Smallest mapping unit in bytes, a power of two (usually 4096). Aperture ends are rounded
 *   inwards to it.
 * @param[out] alloc
 *   The allocator.
 * @return
 *   0; -EINVAL for a bad granule, an empty list, a range whose last is below its first,
 *   overlapping ranges, or when rounding leaves nothing; -ENOMEM.
 */
int svq_iova_alloc_create(const struct svq_iova_range *apertures, unsigned int n, uint64_t granule,
	struct svq_iova_alloc **alloc);

/** Free an allocator and all its allocations. NULL is allowed. */
void svq_iova_alloc_destroy(struct svq_iova_alloc *alloc);

/**
 * Allocate an IOVA range.
 *
 * Best fit. The address is congruent to @p hva modulo the largest page size of
 * {1 GiB, 2 MiB, granule} that is no larger than @p max_page and @p size, so that an IOMMU can use
 * large pages; where no gap admits that, the next smaller page size is tried. O(log n): of the gaps
 * that could hold the range but may lie wrongly for a large page, the 16 smallest are looked at,
 * then the smallest that holds it wherever it lies. At the granule no gap is overlooked.
 *
 * @param size
 *   Bytes, > 0, a multiple of the granule.
 * @param hva
 *   Where the memory lies in this process, a multiple of the granule.
 * @param max_page
 *   Largest page size in bytes that both sides can use; the granule asks for plain placement.
 * @param[out] iova
 *   First address.
 * @return
 *   0; -EINVAL (size or hva not a multiple of the granule, size 0); -ENOSPC (no gap fits);
 *   -ENOMEM.
 */
int svq_iova_alloc_get(struct svq_iova_alloc *alloc, uint64_t size, uint64_t hva, uint64_t max_page,
	uint64_t *iova);

/**
 * As svq_iova_alloc_get(), but at @p after if the range there is free and lies as well for large
 * pages as another could. Memory that goes on where other memory ends is placed so behind it: one
 * offset leads to the IOVAs of both, and whoever looks addresses up has fewer to tell apart. Unlike
 * best fit this may break the largest gap, which counts where apertures are nearly full.
 *
 * @param after
 *   First address behind a live allocation; 0: none.
 */
int svq_iova_alloc_get_after(struct svq_iova_alloc *alloc, uint64_t after, uint64_t size,
	uint64_t hva, uint64_t max_page, uint64_t *iova);

/**
 * Give a range back, exactly as it was allocated.
 *
 * @return 0; -ENOENT when no allocation starts at @p iova; -ERANGE when its size differs.
 */
int svq_iova_alloc_put(struct svq_iova_alloc *alloc, uint64_t iova, uint64_t size);

/** Fill @p info with the room left. */
void svq_iova_alloc_info(const struct svq_iova_alloc *alloc, struct svq_iova_alloc_info *info);

/** Call @p cb for each aperture, ascending. */
void svq_iova_alloc_apertures(const struct svq_iova_alloc *alloc,
	void (*cb)(const struct svq_iova_range *range, void *arg), void *arg);

/** Call @p cb for each live allocation, ascending. */
void svq_iova_alloc_walk(const struct svq_iova_alloc *alloc,
	void (*cb)(const struct svq_iova_range *range, void *arg), void *arg);

/* ---- 2. The GPA table ---- */

/** One mapping of guest memory. */
struct svq_gpa_row {
	uint64_t gpa;  /**< guest-physical address of the first byte */
	uint64_t size; /**< bytes, > 0 */
	uint64_t iova; /**< what the device is given for the first byte */
	uint64_t hva;  /**< where the first byte lies in this process */
	uint32_t perm; /**< enum svq_perm */
};

/** The table; changed by one thread at a time. */
struct svq_gpa_table;

/** Immutable snapshot of the table, read by the datapath. */
struct svq_gpa_map;

/** A piece of a translated buffer that is contiguous for the device. */
struct svq_gpa_seg {
	uint64_t iova; /**< first byte for the device */
	uint64_t gpa;  /**< first byte for the guest (dirty logging) */
	uint32_t len;  /**< bytes, > 0 */
};

/**
 * Create an empty table with an empty snapshot.
 *
 * @param qsbr
 *   RCU variable of the threads that read snapshots; NULL where nobody reads concurrently.
 *   Not owned.
 * @return 0; -ENOMEM.
 */
int svq_gpa_table_create(struct rte_rcu_qsbr *qsbr, struct svq_gpa_table **table);

/** Free the table; no reader may be left. NULL is allowed. */
void svq_gpa_table_destroy(struct svq_gpa_table *table);

/**
 * Add a mapping. Readers see it after svq_gpa_table_publish().
 *
 * @return
 *   0; -EINVAL (size 0, permission 0 or unknown bits); -EOVERFLOW (GPA, IOVA or HVA range wraps
 * past 2^64); -EEXIST (overlaps a live GPA range); -ENOMEM.
 */
int svq_gpa_table_add(struct svq_gpa_table *table, const struct svq_gpa_row *row);

/**
 * Remove a mapping, whole. Readers may use it until svq_gpa_table_publish() has returned, so its
 * DMA mapping and memory must outlive that call. Until then, adding it again needs no memory, so a
 * change can always be undone.
 *
 * @param[out] row
 *   What was removed; may be NULL.
 * @return 0; -ENOENT (no mapping starts at gpa); -ERANGE (its size differs: partial removal).
 */
int svq_gpa_table_del(
	struct svq_gpa_table *table, uint64_t gpa, uint64_t size, struct svq_gpa_row *row);

/**
 * Make the additions and removals since the last call visible at once, wait until no reader uses
 * the old snapshot (rte_rcu_qsbr_synchronize), and free it. Not from a reader's thread.
 *
 * @return 0; -ENOMEM: the old snapshot stays in use, call again.
 */
int svq_gpa_table_publish(struct svq_gpa_table *table);

/** Call @p cb for each mapping, by ascending GPA. Writer's thread. */
void svq_gpa_table_walk(const struct svq_gpa_table *table,
	void (*cb)(const struct svq_gpa_row *row, void *arg), void *arg);

/** The current snapshot; valid until the reader's next quiescent state. */
const struct svq_gpa_map *svq_gpa_table_map(const struct svq_gpa_table *table);

/** Where svq_gpa_table_map() finds it, for who asks for each burst: to be loaded with acquire
 * order. Valid as long as the table is. */
const struct svq_gpa_map *const *svq_gpa_table_map_at(const struct svq_gpa_table *table);

/** Most addresses that one svq_gpa_translate_burst() call takes. */
#define SVQ_GPA_BURST_MAX 64

/**
 * Translate a burst of buffers.
 *
 * @param gpa, len
 *   @p n buffers.
 * @param writable
 *   Bit i set: the device writes buffer i.
 * @param[out] iova
 *   @p n addresses; entry i is meaningful only where bit i of the result is set.
 * @param n
 *   0..SVQ_GPA_BURST_MAX.
 * @return
 *   Bit i set: buffer i (length > 0) lies wholly inside one mapping with the needed permission.
 *   Ask svq_gpa_translate() about the others: they span mappings or are at fault.
 */
uint64_t svq_gpa_translate_burst(const struct svq_gpa_map *map, const uint64_t *gpa,
	const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n);

/**
 * Translate one buffer that may span adjacent mappings.
 *
 * @param perm
 *   SVQ_PERM_R or SVQ_PERM_W, as the device needs.
 * @param[out] segs
 *   The pieces in order.
 * @param max
 *   Room in @p segs.
 * @return
 *   Number of pieces, >= 1; -EINVAL (length 0); -EOVERFLOW (the range wraps past 2^64); -EFAULT (a
 * byte of it is not mapped); -EACCES (mapped without the permission); -ENOSPC (more than @p max
 * pieces). Of several faults the one at the lowest address is told. Each piece lies inside one
 * mapping; mappings that touch are never joined.
 */
int svq_gpa_translate(const struct svq_gpa_map *map, uint64_t gpa, uint64_t len, uint32_t perm,
	struct svq_gpa_seg *segs, unsigned int max);

/**
 * Where a guest range lies in this process, if it is contiguous there.
 *
 * @return the HVA, or NULL: length 0, wrapped, unmapped, without permission, or spread over
 * mappings that are not adjacent in this process.
 */
void *svq_gpa_hva(const struct svq_gpa_map *map, uint64_t gpa, uint64_t len, uint32_t perm);

/**
 * Copy a guest range into our memory; it may span mappings.
 *
 * @return 0, or an error as from svq_gpa_translate(); @p dst is then undefined.
 */
int svq_gpa_read(const struct svq_gpa_map *map, uint64_t gpa, void *dst, uint64_t len);

/* ---- 3. The HVA tree ---- */

/** One mapping of host-only memory. */
struct svq_hva_row {
	uint64_t iova; /**< what the device is given for the first byte */
	uint64_t hva;  /**< where it lies in this process */
	uint64_t size; /**< bytes, > 0 */
	uint32_t perm; /**< enum svq_perm */
};

/** Opaque tree. Not thread-safe. */
struct svq_hva_tree;

/** Create an empty tree. @return 0; -ENOMEM. */
int svq_hva_tree_create(struct svq_hva_tree **tree);

/** Free a tree. NULL is allowed. */
void svq_hva_tree_destroy(struct svq_hva_tree *tree);

/** Add a mapping. @return 0; -EINVAL; -EOVERFLOW; -EEXIST (IOVA or HVA overlaps); -ENOMEM. */
int svq_hva_tree_add(struct svq_hva_tree *tree, const struct svq_hva_row *row);

/** Remove a mapping, whole. @return 0; -ENOENT; -ERANGE (size differs: partial removal). */
int
svq_hva_tree_del(struct svq_hva_tree *tree, uint64_t iova, uint64_t size, struct svq_hva_row *row);

/** The mapping that wholly contains [iova, iova+len). @return 0; -EINVAL; -EOVERFLOW; -ENOENT. */
int svq_hva_tree_by_iova(
	const struct svq_hva_tree *tree, uint64_t iova, uint64_t len, struct svq_hva_row *row);

/** The mapping that wholly contains the host range. @return as svq_hva_tree_by_iova(). */
int svq_hva_tree_by_hva(
	const struct svq_hva_tree *tree, uint64_t hva, uint64_t len, struct svq_hva_row *row);

/** Call @p cb for each mapping, by ascending IOVA. */
void svq_hva_tree_walk(const struct svq_hva_tree *tree,
	void (*cb)(const struct svq_hva_row *row, void *arg), void *arg);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_IOVA_H */
