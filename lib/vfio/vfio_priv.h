/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VFIO_PRIV_H
#define VFIO_PRIV_H

/** @file What the library's files share. */

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include <rte_log.h>

#include <svq_vfio.h>
#include <svq_vfio_sys.h>

extern int svq_vfio_logtype;

#define VFIO_LOG(level, name, fmt, ...) \
	rte_log(RTE_LOG_##level, svq_vfio_logtype, "%s: " fmt "\n", name, ##__VA_ARGS__)

/** Areas of a BAR that may be mapped; a hole around the MSI-X table makes two. */
#define VFIO_MAX_AREAS 4

/** The I/O address space of one group. */
struct vfio_container {
	int fd;
	uint64_t page_sizes;
	uint32_t max_maps;
	unsigned int n_ranges;
	struct svq_iova_range ranges[SVQ_VFIO_MAX_RANGES];
	_Atomic uint64_t maps;
	_Atomic uint64_t unmaps;
	_Atomic uint64_t mapped;
	_Atomic uint64_t mapped_bytes;
};

/** A mapped part of a BAR. */
struct vfio_area {
	uint64_t offset; /**< in the BAR */
	uint64_t size;
	void *addr;
};

struct vfio_region {
	uint64_t offset; /**< in the function's file */
	uint64_t size;	 /**< bytes, 0: there is none */
	unsigned int n_areas;
	struct vfio_area areas[VFIO_MAX_AREAS];
};

struct svq_vfio {
	char name[64];
	struct svq_vfio_info info;
	struct vfio_container container;
	int group_fd;
	int fd;
	uint32_t flags; /**< VFIO_DEVICE_FLAGS_* */
	struct vfio_region config;
	struct vfio_region bars[SVQ_VFIO_MAX_BARS];
	_Atomic uint64_t resets;
};

/* ---- vfio_sysfs.c ---- */

/** What sysfs says of a function: its group and node. Refuses one that VFIO cannot have. */
int vfio_sysfs_check(struct svq_vfio *vfio);
/** The functions of the group that are not bound to vfio-pci, as text for an error. */
void vfio_sysfs_group(unsigned int group, char *text, size_t size);

/* ---- vfio_container.c ---- */

/** Open, without a group. @return 0; negative errno, logged. */
int vfio_container_open(struct vfio_container *container, const char *name);
/** A group has been added: choose the IOMMU model and read its limits. */
int vfio_container_start(struct vfio_container *container, const char *name);
void vfio_container_close(struct vfio_container *container);

/* ---- vfio_region.c ---- */

/** Find configuration space and BARs, map what may be mapped. @return 0; negative errno, logged. */
int vfio_regions_open(struct svq_vfio *vfio);
void vfio_regions_close(struct svq_vfio *vfio);

/* ---- vfio_irq.c ---- */

/** Count the MSI-X vectors; 0 if the kernel does not tell. */
unsigned int vfio_msix_count(struct svq_vfio *vfio);

/**
 * An ioctl whose answer may be longer than its fixed part.
 *
 * @param size
 *   Bytes of the fixed part, which begins with argsz and flags.
 * @return the whole answer, to be freed; NULL with errno set.
 */
void *vfio_ioctl_info(int fd, unsigned long request, const void *in, size_t size);

#endif /* VFIO_PRIV_H */
