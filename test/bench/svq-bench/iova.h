/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef BENCH_IOVA_H
#define BENCH_IOVA_H

/**
 * @file
 * The parts of `svq-bench iova`.
 *
 * Concepts
 *
 * A layout is a guest's memory: rows of the GPA table. A method finds the IOVAs of a burst of
 * buffers in a structure of its own that it makes from a layout; ours and the peers' are methods
 * alike. Addresses come in patterns: random (any region, any place), sequential (packet buffers
 * one behind another in one region) and alternating (headers in one region, data in another).
 */

#include <svq_iova.h>

#include "bench.h"

#define IOVA_BURST    32
#define IOVA_ROWS_MAX 512

struct iova_layout {
	const char *name;
	const char *what; /* for the reader */
	unsigned int n;
	struct svq_gpa_row rows[IOVA_ROWS_MAX];
};

extern const unsigned int iova_n_layouts;
/** Lay out guest number i. @return 0 or a negative errno. */
int iova_layout(unsigned int i, struct iova_layout *layout);

struct iova_method {
	const char *name;
	/** @return NULL where this layout or CPU does not admit the method. */
	void *(*create)(const struct iova_layout *layout);
	void (*destroy)(void *ctx);
	/** As svq_gpa_translate_burst(), for reading. */
	uint64_t (*burst)(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova,
		unsigned int n);
};

/* Ours: as chosen at run time, the best without vectors, and each version by itself. */
extern const struct iova_method iova_ours, iova_ours_scalar;
extern const struct iova_method iova_ours_avx512_scan, iova_ours_avx512_permute,
	iova_ours_avx512_gather, iova_ours_avx2, iova_ours_dir, iova_ours_search;

/* Peers. */
extern const struct iova_method iova_qemu_foreach, iova_qemu_lookup;
extern const struct iova_method iova_vhost_scan, iova_rb_tree, iova_rte_hash, iova_rte_hash_bulk;
/** No lookup at all, only the addition. */
extern const struct iova_method iova_floor;

int iova_bench_lookup(const struct bench_opts *opts, struct bench_json *json);
int iova_bench_change(const struct bench_opts *opts, struct bench_json *json);
int iova_bench_memory(const struct bench_opts *opts, struct bench_json *json);

/** A figure, which may be one that is to reach something. */
void iova_reached(const char *name, const char *peer, double value);
/** Say what was to be reached, and what was. */
void iova_bench_targets(struct bench_json *json);

#endif /* BENCH_IOVA_H */
