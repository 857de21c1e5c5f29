/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FUZZ_H
#define FUZZ_H

/**
 * @file
 * What the fuzz targets share: the input as a program of bytes, and what a find looks like.
 *
 * Concepts
 *
 * An input is a program that runs to its end and leaves nothing behind: EAL, devices and queues
 * live as long as the process, and whatever is random comes from the input, so that a find repeats.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** A find: what must hold, whatever the input. */
#define fuzz_assert(cond)                                                                \
	do {                                                                             \
		if (!(cond)) {                                                           \
			fprintf(stderr, "FIND: %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                         \
		}                                                                        \
	} while (0)

/** What a target consists of. */
struct fuzz_target {
	const char *name;
	void (*init)(void);	 /**< once, when EAL is up */
	void (*input)(void);	 /**< run one input to its end */
	void (*report)(FILE *f); /**< at the end: on one line, after "did: ", how much was done */
};

/** Each program defines its own. EAL has no hugepages; FUZZ_EAL in the environment adds arguments.
 */
extern const struct fuzz_target fuzz_target;

/** The next bytes of the input; beyond its end 0. @p bytes: 0..8. */
uint64_t fuzz_take(unsigned int bytes);

/** Whether there is more of it. */
bool fuzz_more(void);

/** A number below @p n, of a stream that fuzz_seed() begins. */
uint32_t fuzz_below(uint32_t n);
void fuzz_seed(uint64_t seed);

/** Inputs so far, and seconds since the first. */
uint64_t fuzz_inputs(void);
double fuzz_seconds(void);

#endif /* FUZZ_H */
