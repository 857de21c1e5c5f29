/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FUZZ_CHANGE_H
#define FUZZ_CHANGE_H

/**
 * @file
 * Memory that the other side changes between two reads.
 *
 * Concepts
 *
 * The relay is compiled so that each of its loads calls us first (clang's trace-loads). Where the
 * load is from memory that another side shares, the input says when to change what lies there:
 * what a guest on another core does by luck happens here at any read, and again when the input is
 * run again. Loads of whole vectors are not traced.
 */

#include <stddef.h>
#include <stdint.h>

struct bed;

/** Forget all areas and changes. */
void fuzz_change_reset(void);

/** Memory that may change, [@p base, @p base + @p size), which is guest memory of @p b if that is
 * not NULL. */
void fuzz_change_area(const void *base, size_t size, struct bed *b);

/** No memory may change; changes that are still to come stay. */
void fuzz_change_no_areas(void);

/**
 * Take a change from the input: how many shared reads from now, or from the one before it, and
 * what is then written to what is about to be read, or near it.
 */
void fuzz_change_take(void);

/** The same, from the stream of fuzz_below(), and later. */
void fuzz_change_random(void);

/** Reads of shared memory, and changes made before one of them, since the start. */
extern uint64_t fuzz_reads, fuzz_changes;

#endif /* FUZZ_CHANGE_H */
