/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_VFIO_H
#define SVQ_VFIO_H

/**
 * @file
 * One PCI function through the kernel's VFIO.
 *
 * Concepts
 *
 * A function belongs to an IOMMU group, a group to a container. The container holds the I/O
 * address space: which IOVAs there are, and what they are mapped to. The function is reached
 * through its regions: configuration space and BARs, which are mapped where the kernel allows it
 * and otherwise read and written by system calls.
 *
 * When the last descriptor is closed, be it by the end of the process, the kernel takes the
 * function's bus mastering away, resets it if it can, and removes every mapping.
 *
 * What fails is logged in one line that says what to do (log type svq.vfio). All functions return
 * 0 or a negative errno unless they say otherwise.
 *
 * Threads: one control thread at a time; svq_vfio_bar_*() by any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include <svq_iova.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVQ_VFIO_MAX_RANGES 32
#define SVQ_VFIO_MAX_BARS   6
#define SVQ_VFIO_PCI_LEN    13 /**< "0000:03:00.0" with the final NUL */

/** A function; opaque. */
struct svq_vfio;

/** What is fixed from open to close. */
struct svq_vfio_info {
	char pci[SVQ_VFIO_PCI_LEN]; /**< its address, with the domain */
	unsigned int group;	    /**< number of its IOMMU group */
	int numa_node;		    /**< node it is attached to, or -1 */
	uint64_t page_sizes;	    /**< bitmap of the IOMMU's page sizes */
	uint32_t max_maps;     /**< mappings that the kernel allows the container; 0: not told */
	unsigned int n_msix;   /**< MSI-X vectors */
	unsigned int n_ranges; /**< entries of ranges */
	struct svq_iova_range ranges[SVQ_VFIO_MAX_RANGES]; /**< usable IOVAs */
};

/** Calls to the kernel that succeeded, since open. */
struct svq_vfio_stats {
	uint64_t maps;	       /**< VFIO_IOMMU_MAP_DMA */
	uint64_t unmaps;       /**< VFIO_IOMMU_UNMAP_DMA */
	uint64_t mapped;       /**< mappings of the container now */
	uint64_t mapped_bytes; /**< bytes in them, which are locked in memory */
	uint64_t resets;       /**< VFIO_DEVICE_RESET */
};

/**
 * Bring an address to its full form.
 *
 * @param text
 *   "0000:03:00.0", or without the domain 0000.
 * @return 0; -EINVAL.
 */
int svq_vfio_pci_parse(const char *text, char pci[SVQ_VFIO_PCI_LEN]);

/**
 * Take a function that is bound to vfio-pci.
 *
 * @param name
 *   For logs; copied.
 * @param pci
 *   Its address, as of svq_vfio_pci_parse().
 * @return 0; -ENODEV (there is no such function, it is not bound, or there is no VFIO); -EPERM
 *   (group not viable); -ENOTSUP (no IOMMU, or the kernel is too old); -EBUSY (in use);
 *   -ENOMEM; errno of a system call.
 */
int svq_vfio_open(const char *name, const char *pci, struct svq_vfio **vfio);

/** Give the function back; what is mapped goes. NULL is allowed. */
void svq_vfio_close(struct svq_vfio *vfio);

const struct svq_vfio_info *svq_vfio_info(const struct svq_vfio *vfio);

void svq_vfio_stats(const struct svq_vfio *vfio, struct svq_vfio_stats *stats);

/* ---- regions ---- */

/** Read configuration space. @return 0; -EIO. */
int svq_vfio_config_read(struct svq_vfio *vfio, uint32_t offset, void *dst, uint32_t len);

/** Write configuration space. @return 0; -EIO. */
int svq_vfio_config_write(struct svq_vfio *vfio, uint32_t offset, const void *src, uint32_t len);

/** Allow the function to start DMA and interrupts, or forbid it. @return 0; -EIO. */
int svq_vfio_bus_master(struct svq_vfio *vfio, bool on);

/** Bytes of a BAR, 0 if it has none, or not in memory space. @p bar 0..5. */
uint64_t svq_vfio_bar_size(const struct svq_vfio *vfio, unsigned int bar);

/**
 * Where a part of a BAR is mapped.
 *
 * @return its address; NULL: not, or not wholly, mapped: use svq_vfio_bar_read() and
 *   svq_vfio_bar_write().
 */
volatile void *
svq_vfio_bar_map(const struct svq_vfio *vfio, unsigned int bar, uint64_t offset, uint64_t len);

/**
 * Read 1, 2 or 4 bytes, little-endian, of a BAR by a system call.
 *
 * @return the value; all ones if the call fails, as a function that is gone answers.
 */
uint32_t svq_vfio_bar_read(
	const struct svq_vfio *vfio, unsigned int bar, uint64_t offset, unsigned int width);

/** Write 1, 2 or 4 bytes likewise. */
void svq_vfio_bar_write(const struct svq_vfio *vfio, unsigned int bar, uint64_t offset,
	unsigned int width, uint32_t value);

/* ---- DMA ---- */

/**
 * Map [hva, hva+size) at [iova, ..) for DMA; its pages are locked in memory.
 *
 * @param perm
 *   enum svq_perm, what the function may do.
 * @return 0; -EEXIST (a byte of it is mapped); -EINVAL (outside the ranges, or not whole pages);
 *   -ENOSPC (as many mappings as the kernel allows); -ENOMEM (locked-memory limit); errno of the
 *   call.
 */
int
svq_vfio_dma_map(struct svq_vfio *vfio, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm);

/** Undo one svq_vfio_dma_map(), whole. @return 0; -ENOENT (nothing was mapped there); errno. */
int svq_vfio_dma_unmap(struct svq_vfio *vfio, uint64_t iova, uint64_t size);

/* ---- interrupts and reset ---- */

/**
 * Have MSI-X vectors write eventfds.
 *
 * @param fds
 *   One for each vector from 0 on; -1: none.
 * @param n
 *   At most n_msix; 0: switch MSI-X off.
 * @return 0; errno of the call.
 */
int svq_vfio_msix_set(struct svq_vfio *vfio, const int *fds, unsigned int n);

/** Have the kernel reset the function. @return 0; -ENOTSUP; errno of the call. */
int svq_vfio_reset(struct svq_vfio *vfio);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_VFIO_H */
