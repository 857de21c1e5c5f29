/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef RELAY_EVENTS_H
#define RELAY_EVENTS_H

/**
 * @file
 * Who wants to be notified when: a guest and a device that ask for notifications at random, and a
 * naive model of when the relay has to send one. A ring's progress is counted descriptor by
 * descriptor (packed) or entry by entry (split), and each is compared with what was asked.
 */

#include <stdbool.h>
#include <stdint.h>

#include "relay_bed.h"

/** What a ring shows that one side published. */
struct relay_progress {
	uint16_t pos;	/* behind it; split: the index */
	bool wrap;	/* packed */
	unsigned int n; /* since the other side's own position */
};

/** The device, or the guest, asks anew. */
void relay_events_device_ask(struct bed *b);
void relay_events_guest_ask(struct bed *b);

/** How far the relay is with making chains available to the device. */
struct relay_progress relay_events_avail(const struct bed *b);

/** Whether the device is to be kicked for what was published between the two. */
bool relay_events_kick(
	const struct bed *b, const struct relay_progress *from, const struct relay_progress *to);

/** Whether the guest is to be called likewise. */
bool relay_events_call(
	const struct bed *b, const struct relay_progress *from, const struct relay_progress *to);

#endif /* RELAY_EVENTS_H */
