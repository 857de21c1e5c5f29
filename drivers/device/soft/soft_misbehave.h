/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_MISBEHAVE_H
#define SOFT_MISBEHAVE_H

/**
 * @file
 * What a broken device does to its driver, on demand: for tests of the driver.
 *
 * Concepts
 *
 * Misbehaviour stands around the device's poll: once that has shown the driver what it used, the
 * driver's thread, which is the one that polls, has not looked yet, and what was shown is spoiled.
 * A device that behaves has none of this on its way.
 *
 * A fault happens once, as soon as it can after its number of packets; "random" goes on. What lasts
 * (silent, irq_storm, needs_reset) ends with a reset of the device.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <svq_device.h>

struct soft_dev;

/** What the device can do wrong. */
enum soft_fault_kind {
	SOFT_FAULT_BAD_ID,	/**< a used id beyond the ring */
	SOFT_FAULT_ID_TWICE,	/**< a used id that the same poll has returned already */
	SOFT_FAULT_IDX_JUMP,	/**< split: used->idx further ahead than the ring is long */
	SOFT_FAULT_BAD_LEN,	/**< more bytes written than any buffer holds */
	SOFT_FAULT_WRAP,	/**< packed: a used descriptor with the wrong wrap counter */
	SOFT_FAULT_SILENT,	/**< uses nothing any more */
	SOFT_FAULT_IRQ_STORM,	/**< interrupts at every poll, with nothing used */
	SOFT_FAULT_NEEDS_RESET, /**< says that it needs a reset */
	SOFT_FAULT_RANDOM,	/**< one of the above, again and again */
	SOFT_FAULT_KINDS
};

/** Most faults that one device is told. */
#define SOFT_MAX_FAULTS 16

/** One thing to do wrong. */
struct soft_fault {
	enum soft_fault_kind kind;
	uint64_t after; /**< packets before it; random: between two, on average */
	int qid;	/**< the queue; -1: either of pair 0; random: any */
};

/** What the arguments ask for. */
struct soft_misbehave_args {
	unsigned int n;
	struct soft_fault faults[SOFT_MAX_FAULTS];
	uint64_t seed; /**< of random */
};

/**
 * Read KIND[@N][:QUEUE], joined by '+'.
 *
 * @return 0; -EINVAL.
 */
int soft_misbehave_parse(const char *value, struct soft_misbehave_args *args);

/** The kinds, for a message. */
#define SOFT_MISBEHAVE_USAGE                                                                  \
	"up to 16 of KIND[@PACKETS][:QUEUE], joined by '+', where KIND is bad_id, id_twice, " \
	"idx_jump, bad_len, wrap, silent, irq_storm, needs_reset or random"

/** Make a device misbehave as its arguments say: wraps soft->ops.poll. @return 0; -ENOMEM. */
int soft_misbehave_open(struct soft_dev *soft);
void soft_misbehave_close(struct soft_dev *soft);

/** The device is reset. */
void soft_misbehave_reset(struct soft_dev *soft);

/** A line on what was done. */
void soft_misbehave_dump(const struct soft_dev *soft, FILE *f);

#endif /* SOFT_MISBEHAVE_H */
