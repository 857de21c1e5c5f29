/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

/**
 * @file
 * A clock for what takes some hundred nanoseconds.
 */

#include <stdint.h>

#include <rte_atomic.h>
#include <rte_cycles.h>

#include "bench.h"

/**
 * TSC, with what came before done, and what follows not begun. Done means that its stores have left
 * this core's store buffer, too: else the one who is timed next waits for them, where the one
 * before stands for somebody on another core.
 */
static inline uint64_t
bench_clock(void)
{
	uint64_t tsc;

	rte_mb();

#ifdef RTE_ARCH_X86
	__asm__ volatile("lfence" : : : "memory");
#endif
	tsc = rte_rdtsc();
#ifdef RTE_ARCH_X86
	__asm__ volatile("lfence" : : : "memory");
#endif
	return tsc;
}

#endif /* BENCH_CLOCK_H */
