/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

/**
 * @file
 * The parts of `svq-bench pair`.
 *
 * Concepts
 *
 * One queue pair of a guest, served by a whole back-end: ours, relay and software device, as a
 * worker runs them; or DPDK's net_vhost with testpmd's work on it. The guest is a driver of our own
 * on another core, or in turn on the same one. What `svq-bench e2e` does with whole programs, in
 * one: short samples, that other programs can spoil less, and a look inside.
 */

#include "relay.h"

/** What a back-end calls on the guest for, and how long that took. */
enum pair_stage { PAIR_AVAIL, PAIR_DEVICE, PAIR_USED, PAIR_STAGES };

struct pair_case {
	bool packed;
	bool loopback;	    /* packets come back; otherwise they are dropped */
	unsigned int bytes; /* of a frame */
};

/** A guest with one pair. */
struct pair_guest {
	const struct pair_case *conf;
	int fd;
	uint8_t *memory; /* at GPA 0 */
	uint64_t *gpa;	 /* of buffers in use: those to receive, then those to send */
	uint64_t *pool;	 /* of all others */
	unsigned int n_pool;
	struct relay_driver rx, tx;
	unsigned int ready; /* packets to send since the beginning, modulo 2^32 */
	uint64_t sent, received;
};

#define PAIR_RING 256
/** Bytes of a guest's memory. */
#define PAIR_MEMORY (16u << 20)

int pair_guest_open(struct pair_guest *g, const struct pair_case *conf);
void pair_guest_close(struct pair_guest *g);
/** A round of the guest: take what came, send, and give buffers to receive. */
void pair_guest_run(struct pair_guest *g);
/** GPA of a ring, which is its offset in the file. */
uint64_t pair_guest_ring(unsigned int queue);

/** A back-end and its guest. */
struct pair_bed {
	const char *name;
	struct pair_guest guest;
	void *ctx;
	/** A round of all its work. @return packets taken from the guest. */
	unsigned int (*poll)(void *ctx, bool *busy);
	/** The same, in stages that are timed one by one; NULL: it has none. */
	unsigned int (*stages[PAIR_STAGES])(void *ctx);
	void (*close)(void *ctx);
};

/* Each sets ctx, poll, stages and close. @return 0; a negative errno, which is said. */
int pair_ours_open(struct pair_bed *b);
int pair_vhost_open(struct pair_bed *b);

#endif /* BENCH_PAIR_H */
