/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_MEM_H
#define FE_MEM_H

/**
 * @file
 * Guest memory laid out at will.
 *
 * Concepts
 *
 * Files (memfds) hold the bytes; each is mapped here once. Regions show pieces of files at
 * guest-physical addresses (GPAs), and at the addresses that the front-end uses towards the
 * back-end ("user" addresses), which need not be ours. GPAs are unique; two regions may show the
 * same piece of a file (aliases), and regions from different files may touch, so that one buffer
 * lies in both.
 *
 * Layouts: "simple" (one region at GPA 0), "regions" (several with holes, of two files), "alias"
 * (pieces of the first region appear at other GPAs too, once with user addresses inside the first
 * region's, as QEMU does it), "cross" (many small regions of three files, touching each other),
 * "smram" (a q35 machine's: two regions, and a window into the first that may be shown and hidden
 * at a GPA of its own while the device runs, see struct fe_window), "noident" (memory at GPA 0,
 * over an x86 IOMMU's interrupt window and at 1 TiB, and an alias: where GPAs cannot be IOVAs).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fe_conn.h"

#define FE_MAX_FILES   8
#define FE_MAX_REGIONS 16
#define FE_MAX_SPANS   16
#define FE_PAGE	       4096u

struct fe_file {
	int fd;
	uint8_t *base; /**< our mapping of it */
	uint64_t size;
};

struct fe_region {
	uint64_t gpa;
	uint64_t size;
	unsigned int file; /**< index of the file */
	uint64_t offset;   /**< of its first byte in the file */
	uint64_t user;	   /**< address of its first byte in messages */
};

/** A GPA range, possibly of several regions, that is free for buffers or rings. */
struct fe_span {
	uint64_t gpa;
	uint64_t size;
};

/** Memory that a second region shows, when it is there. */
struct fe_window {
	struct fe_region alias; /**< not among the regions at first; size 0: no window */
	uint64_t gpa;		/**< where the memory is all the time */
};

struct fe_mem {
	struct fe_file files[FE_MAX_FILES];
	unsigned int n_files;
	struct fe_region regions[FE_MAX_REGIONS];
	unsigned int n_regions;
	struct fe_span rings[FE_MAX_SPANS]; /**< each inside one region */
	unsigned int n_rings;
	struct fe_span data[FE_MAX_SPANS];
	unsigned int n_data;
	struct fe_window window;
};

enum fe_layout {
	FE_LAYOUT_SIMPLE,
	FE_LAYOUT_REGIONS,
	FE_LAYOUT_ALIAS,
	FE_LAYOUT_CROSS,
	FE_LAYOUT_SMRAM,
	FE_LAYOUT_NOIDENT,
};

/** The layout of that name, or -1. */
int fe_layout_parse(const char *name);

/** No files, no regions. */
void fe_mem_init(struct fe_mem *mem);

/** Unmap and close all files. */
void fe_mem_free(struct fe_mem *mem);

/** Add a file of @p size zero bytes. @return its index or a negative errno. */
int fe_mem_file(struct fe_mem *mem, uint64_t size);

/** Add a region. @return its index; -ENOSPC. */
int fe_mem_region(struct fe_mem *mem, const struct fe_region *region);

/** Remove the region that begins at @p gpa. @return 0; -ENOENT. */
int fe_mem_region_del(struct fe_mem *mem, uint64_t gpa);

/**
 * Build a layout.
 *
 * @param ring_bytes
 *   Room for rings, in all.
 * @param data_bytes
 *   Room for buffers, in all.
 */
int
fe_mem_layout(struct fe_mem *mem, enum fe_layout layout, uint64_t ring_bytes, uint64_t data_bytes);

/** Take @p size bytes, aligned to @p align (a power of two), from the ring spans; successive calls
 * use different spans where they can. @return a GPA; UINT64_MAX: no room. */
uint64_t fe_mem_take_ring(struct fe_mem *mem, uint64_t size, uint64_t align);

/** The GPA that shows [gpa, gpa+len) while the window is shown; 0: it is not in the window. */
uint64_t fe_mem_alias(const struct fe_mem *mem, uint64_t gpa, uint64_t len);

/** Our pointer to a GPA range inside one region, or NULL. */
void *fe_mem_ptr(const struct fe_mem *mem, uint64_t gpa, uint64_t len);

/** User address of a GPA, or 0. */
uint64_t fe_mem_user(const struct fe_mem *mem, uint64_t gpa);

/** Whether [gpa, gpa+len) lies in more than one region. */
bool fe_mem_crosses(const struct fe_mem *mem, uint64_t gpa, uint64_t len);

/** Copy to and from a GPA range that may cross regions. @return 0; -EFAULT. */
int fe_mem_write(struct fe_mem *mem, uint64_t gpa, const void *src, uint64_t len);
int fe_mem_read(const struct fe_mem *mem, uint64_t gpa, void *dst, uint64_t len);

/** Describe the regions as a message does. */
void fe_mem_table(const struct fe_mem *mem, struct fe_wire_table *table, int *fds);

/** Send SET_MEM_TABLE. */
int fe_mem_send(const struct fe_mem *mem, struct fe_conn *conn);

/** One past the highest GPA. */
uint64_t fe_mem_end(const struct fe_mem *mem);

#endif /* FE_MEM_H */
