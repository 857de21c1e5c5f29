/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_GUEST_H
#define SVQ_GUEST_H

/**
 * @file
 * Guest memory as this process sees it.
 *
 * Concepts
 *
 * A vhost-user front-end describes guest memory as regions: a GPA range that is a piece of a file.
 * Each backing file is mapped once, whole, so that regions which alias one piece of the file share
 * its host address, and a new memory table moves nothing that stayed. A new table is applied in
 * two steps: svq_guest_prepare() maps what came and says what came and went; the caller updates
 * translation and DMA; then svq_guest_commit() unmaps what went, or svq_guest_abort() forgets the
 * new table.
 *
 * The front-end is untrusted: a region must lie wholly inside its file.
 *
 * Not thread-safe: one thread at a time changes a guest.
 */

#include <stdbool.h>
#include <stdint.h>

#include <svq_iova.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most regions of a guest. */
#define SVQ_GUEST_MAX_REGIONS 512

/** One region as the front-end describes it. */
struct svq_guest_region {
	uint64_t gpa;	 /**< guest-physical address, multiple of 4096 */
	uint64_t size;	 /**< bytes, > 0, multiple of 4096 */
	uint64_t offset; /**< of the region's first byte in its file, bytes, multiple of 4096 */
	int fd;		 /**< the file; borrowed for the call only */
};

/** One region as it is mapped here. */
struct svq_guest_row {
	uint64_t gpa;	 /**< as in struct svq_guest_region */
	uint64_t size;	 /**< as in struct svq_guest_region */
	uint64_t offset; /**< as in struct svq_guest_region */
	uint64_t hva;	 /**< where its first byte lies in this process */
	uint64_t page;	 /**< page size of the backing file, bytes */
	uint32_t file; /**< backing file, a number that is unique within the guest; aliases share it
			*/
};

/** What a new memory table changes. Valid until commit or abort. */
struct svq_guest_diff {
	const struct svq_guest_row *added; /**< regions that came, by ascending GPA */
	unsigned int n_added;
	const struct svq_guest_row *removed; /**< regions that went, by ascending GPA */
	unsigned int n_removed;
	unsigned int n_kept; /**< regions that stayed as they were */
	int bad_region;	     /**< on error: index of the offending region, or -1 */
};

/** Opaque guest. */
struct svq_guest;

/** Create a guest without memory. @return 0; -ENOMEM. */
int svq_guest_create(struct svq_guest **guest);

/** Unmap everything and free. NULL is allowed. */
void svq_guest_destroy(struct svq_guest *guest);

/**
 * Compare a new memory table with the present one and map what it adds.
 *
 * A region stays when GPA, size, file and offset are unchanged. Nothing that the present table
 * uses is unmapped. A table that was prepared before and not committed is forgotten.
 *
 * @param regions, n
 *   The whole new table, in any order; n = 0 removes all.
 * @param[out] diff
 *   What came and went.
 * @return
 *   0; -EINVAL (alignment, size 0); -EOVERFLOW (GPA or offset wraps); -EEXIST (GPAs overlap);
 *   -E2BIG (more than SVQ_GUEST_MAX_REGIONS); -EFBIG (region ends beyond its file); -EBADF;
 *   -ENOMEM or another errno of mmap(2). On error nothing has changed.
 */
int svq_guest_prepare(struct svq_guest *guest, const struct svq_guest_region *regions,
	unsigned int n, struct svq_guest_diff *diff);

/** Make the prepared table the present one and unmap what nobody uses any more. */
void svq_guest_commit(struct svq_guest *guest);

/** Forget the prepared table; the present one stays. */
void svq_guest_abort(struct svq_guest *guest);

/** The present table, by ascending GPA. @return number of rows; @p rows is valid until commit. */
unsigned int svq_guest_rows(const struct svq_guest *guest, const struct svq_guest_row **rows);

/** Whether two rows show the same bytes of one file at different GPAs. */
bool svq_guest_rows_alias(const struct svq_guest_row *a, const struct svq_guest_row *b);

/** Whether the front-end took away memory that is mapped (svq_guest_guard.h). Any thread. */
bool svq_guest_lost(const struct svq_guest *guest);

/**
 * NUMA node that holds most of the guest's touched memory, from a few samples; -1 if unknown.
 * May take milliseconds where huge pages are still to be allocated.
 */
int svq_guest_numa_node(const struct svq_guest *guest);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_GUEST_H */
