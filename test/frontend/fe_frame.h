/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_FRAME_H
#define FE_FRAME_H

/**
 * @file
 * Ethernet frames that say who they are: queue pair, sequence number, length and a checksum over
 * all of it, so that a loss, a change and a repetition can be told apart. They are IPv4 packets of
 * a protocol that nobody knows, a flow for each pair.
 */

#include <stdint.h>

#define FE_FRAME_MIN 60u
#define FE_FRAME_MAX 65000u

/** Pseudo-random numbers, repeatable from the seed (xorshift64*). */
static inline uint64_t
fe_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/** A number in [low, high]. */
static inline uint32_t
fe_random_in(uint64_t *state, uint32_t low, uint32_t high)
{
	return low + (uint32_t)((fe_random(state) >> 32) % ((uint64_t)high - low + 1));
}

/** Which flows, by their addresses: whoever steers by them may take those of all pairs for one
 * queue. Before the first frame. */
void fe_frame_flows(uint8_t n);

/** Fill @p len bytes, FE_FRAME_MIN..FE_FRAME_MAX. */
void fe_frame_make(uint8_t *frame, uint32_t len, uint16_t pair, uint64_t seq);

/** What is wrong with a received frame, or NULL; *seq is its number. */
const char *fe_frame_check(const uint8_t *frame, uint32_t len, uint16_t pair, uint64_t *seq);

#endif /* FE_FRAME_H */
