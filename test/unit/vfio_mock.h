/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VFIO_MOCK_H
#define VFIO_MOCK_H

/**
 * @file
 * A kernel with VFIO and one virtio-net PCI function behind it, for svq_vfio_sys.h.
 *
 * Concepts
 *
 * What the kernel and the function are like is said in plain fields, to be changed by a test after
 * mock_vfio_begin(); what was done to them is found in others. The function's registers answer
 * system calls; of its BAR only what mmap_first says is mapped, as plain memory. The function
 * reaches memory through the mappings that were made, with their permissions.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <svq_vfio_sys.h>

#define MOCK_PCI      "0000:03:00.0"
#define MOCK_BAR      4
#define MOCK_BAR_SIZE 0x4000
#define MOCK_COMMON   0x0000
#define MOCK_ISR      0x1000
#define MOCK_DEVICE   0x2000
#define MOCK_NOTIFY   0x3000
#define MOCK_QUEUES   8

struct mock_range {
	uint64_t first, last;
};

struct mock_dma {
	uint64_t iova, hva, size;
	uint32_t flags;
};

struct mock_vq {
	uint16_t max; /* size after a reset */
	uint16_t notify_off;
	uint16_t size, vector, enable;
	uint64_t desc, avail, used;
	unsigned int notified;
	uint32_t notify_data;
	uint16_t seen; /* control queue: next available index, or place */
	bool wrap;
};

/** How the control queue answers. */
enum mock_ctrl {
	MOCK_CTRL_OK,
	MOCK_CTRL_ERR,
	MOCK_CTRL_NEVER,
	MOCK_CTRL_WRONG_ID,
};

struct mock_vfio {
	/* sysfs */
	bool absent;
	const char *driver; /* of the function; NULL: none */
	const char *group;  /* NULL: none */
	bool noiommu;
	const char *neighbour;	      /* another function of the group, or NULL */
	const char *neighbour_driver; /* NULL: none */

	/* VFIO */
	int open_error;		 /* of open_path */
	const char *open_path;	 /* that cannot be opened */
	unsigned long fail;	 /* request that fails */
	unsigned int fail_after; /* after so many that do not */
	int fail_error;
	int version;
	bool no_type1v2, not_viable;
	struct mock_range ranges[40];
	unsigned int n_ranges;
	uint64_t page_sizes;
	uint32_t dma_avail; /* 0: not told */
	uint64_t memlock;   /* limit, bytes; RLIM_INFINITY */

	/* the function */
	uint8_t config[256];
	uint64_t features;
	uint8_t device_config[64];
	uint16_t n_queues;
	unsigned int n_msix;
	unsigned int vectors_taken; /* that the function has room for */
	bool refuses_features;
	unsigned int config_changes; /* reads of the generation that still change it */
	int reset_reads; /* reads of the status after a reset until it is 0; -1: for ever */
	bool no_kernel_reset, kernel_reset_helps;
	bool queue_reset_hangs;
	uint64_t mmap_first, mmap_size; /* part of the BAR that may be mapped; size 0: none */
	bool sparse; /* that part is told as a list; else the whole BAR is mapped */
	bool dies_at_start;
	enum mock_ctrl ctrl;

	/* what was done */
	unsigned int open_fds;
	struct mock_dma maps[64];
	unsigned int n_maps, n_map_calls, n_unmap_calls;
	uint8_t status;
	uint64_t accepted;
	unsigned int resets, kernel_resets;
	struct mock_vq vq[MOCK_QUEUES];
	uint16_t msix_config;
	int irqs[32];
	unsigned int n_irqs;
	uint8_t command_log[32][8]; /* class, command, data */
	unsigned int n_commands;
	uint16_t ctrl_qid;
	unsigned int faults; /* accesses of the function that no mapping allows */

	/* registers that select */
	uint32_t dfselect, gfselect;
	uint16_t qselect;
	int reset_left;
	uint8_t generation;
};

extern struct mock_vfio vm;
extern uint8_t mock_bar[MOCK_BAR_SIZE];

/** A sound function, and the mock in place of the kernel. */
void mock_vfio_begin(void);
/** The kernel again; asserts that nothing is open or mapped. */
void mock_vfio_end(void);

/** Write a virtio capability at @p at of the configuration space. */
void mock_cap(uint8_t at, uint8_t next, uint8_t len, uint8_t type, uint8_t bar, uint32_t offset,
	uint32_t size);

/** Where the function's access ends up; NULL for a fault, which is counted. */
void *mock_dma_at(uint64_t iova, uint64_t len, bool write);

/* The function's side (vfio_mock_virtio.c). */
uint32_t mock_bar_read(uint64_t offset, unsigned int width);
void mock_bar_write(uint64_t offset, unsigned int width, uint32_t value);
void mock_function_reset(void);

/** Log lines from here on are kept; mock_logged() looks for one. */
void mock_log_begin(void);
/** Stop. @return whether @p text was in what was logged. */
bool mock_logged(const char *text);

#endif /* VFIO_MOCK_H */
