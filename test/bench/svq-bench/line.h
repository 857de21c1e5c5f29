/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef BENCH_LINE_H
#define BENCH_LINE_H

/**
 * @file
 * How long a cache line takes from one core to another.
 */

#include <stdatomic.h>
#include <stdint.h>

#include <rte_common.h>

/** What goes back and forth; zeroed. */
struct bench_line {
	_Atomic uint32_t word __rte_cache_aligned; /* odd: it is the far side's turn */
	char rest[0] __rte_cache_aligned;
};

/** The far side: called again and again. */
void bench_line_answer(struct bench_line *line);
/** The near side. @return ns one way; takes some 20 us. */
double bench_line_ns(struct bench_line *line);

#endif /* BENCH_LINE_H */
