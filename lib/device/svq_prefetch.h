/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_PREFETCH_H
#define SVQ_PREFETCH_H

/**
 * @file
 * To ask for a cache line that is to be written.
 */

#include <stdint.h>

#include <rte_config.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Ask for the line of @p p, which may be any address. DPDK has this as rte_prefetch0_write(), which
 * compiles to a prefetch for reading unless the CPU is named. The instruction does nothing where
 * there is none; AMD's CPUs that were measured, family 25, leave a line alone that two cores have.
 */
static inline void
svq_prefetch_write(const void *p)
{
#ifdef RTE_ARCH_X86_64
	__asm__ volatile("prefetchw %0" : : "m"(*(const uint8_t *)p));
#else
	__builtin_prefetch(p, 1);
#endif
}

#ifdef __cplusplus
}
#endif

#endif /* SVQ_PREFETCH_H */
