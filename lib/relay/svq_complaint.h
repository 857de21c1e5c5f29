/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_COMPLAINT_H
#define SVQ_COMPLAINT_H

/**
 * @file
 * Log lines that a guest or a device can cause, bounded: nobody is to fill the disk.
 *
 * Concepts
 *
 * A port has one struct svq_complaints, from which all its lines about faults are paid, whether
 * they are found in a message or in a ring. When it is used up the rest is only counted, after one
 * line that says so.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Lines in one period, and its length in seconds. */
#define SVQ_COMPLAINTS_MAX    100
#define SVQ_COMPLAINTS_PERIOD 10

/** All 0 at first. */
struct svq_complaints {
	_Atomic uint64_t from;	/**< timer cycles: when the period began */
	_Atomic uint32_t lines; /**< asked for since */
};

/**
 * Whether to log one more line. Any thread.
 *
 * @param who
 *   Whose lines they are, for the line that says that no more follow.
 */
bool svq_complain(struct svq_complaints *complaints, const char *who);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_COMPLAINT_H */
