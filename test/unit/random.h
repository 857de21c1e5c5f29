/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef RANDOM_H
#define RANDOM_H

/** @file Random numbers that a seed repeats on any machine (splitmix64). */

#include <stdint.h>

static inline uint64_t
random_u64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 .. n-1 */
static inline uint64_t
random_below(uint64_t *state, uint64_t n)
{
	return random_u64(state) % n;
}

#endif /* RANDOM_H */
