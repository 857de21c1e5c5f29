/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef DMA_PRIV_H
#define DMA_PRIV_H

/** @file What the address space (svq_dma.c) shows its printer (svq_dma_dump.c). */

#include <stdatomic.h>

#include <svq_dma.h>

struct svq_dma {
	struct svq_device *dev;
	struct svq_iova_alloc *alloc;
	struct svq_gpa_table *guest; /* guest memory, by GPA */
	struct svq_hva_tree *host;   /* host-only memory */
	_Atomic uint64_t maps;
	_Atomic uint64_t unmaps;
};

#endif /* DMA_PRIV_H */
