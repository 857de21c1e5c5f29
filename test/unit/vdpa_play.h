/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VDPA_PLAY_H
#define VDPA_PLAY_H

/**
 * @file
 * A front-end, a guest and a device that do anything to the vDPA driver, in any order.
 *
 * Concepts
 *
 * Who plays gives the numbers that decide what happens: a random test its random numbers, a fuzzer
 * its input. The guest keeps its buffers counted. A front-end may lie about rings, and a device
 * about buffers; then the count means nothing until the guest starts anew, and what is checked is
 * that the driver's tables agree with each other, and that the device can reach what it is given.
 */

#include "vdpa_rig.h"

/** Vrings that are played with. */
#define VDPA_PLAY_QUEUES 4

/** The next number, 0 .. n-1. */
typedef unsigned int (*vdpa_pick)(unsigned int n);

struct vdpa_play {
	struct rig r;
	vdpa_pick pick;
	bool liars; /**< front-end and device lie */
	bool lied;  /**< since the guest has started: its count of buffers means nothing */
	struct {
		bool blind;	  /**< returned what it did not have: the ring tells it nothing */
		unsigned int era; /**< of the device's ring, see play_device.c */
		uint16_t n_held;
		uint16_t held[RIG_RING];
	} queue[VDPA_PLAY_QUEUES]; /**< the device's own view */
	uint64_t taken;		   /**< chains that the device has taken */
};

/** The rig of @p p is open, nobody connected: a guest starts, with all that does not fail. */
void vdpa_play_begin(struct vdpa_play *p, vdpa_pick pick, bool liars);

/** Something happens. */
void vdpa_play_step(struct vdpa_play *p);

/** What holds after each step. */
void vdpa_play_check(struct vdpa_play *p);

/** Everybody goes, nothing may be left. */
void vdpa_play_end(struct vdpa_play *p);

#endif /* VDPA_PLAY_H */
