/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FUZZ_BED_H
#define FUZZ_BED_H

/**
 * @file
 * Relay beds that live as long as the process, one for each shape of the device's side, and the
 * parties that play on them.
 *
 * Concepts
 *
 * A party is hostile or honest. A hostile one does whatever the input says. An honest one keeps a
 * model and asserts what the relay owes it, whatever the other party does. A target is a pair of
 * parties; where both are hostile, what remains is that the device is given no address that it
 * cannot reach, and that nothing crashes or hangs.
 */

#include <stdio.h>

#include "fuzz.h"
#include "fuzz_change.h"
#include "relay_bed.h"

/** Most descriptors of a guest's ring here. */
#define FUZZ_RING 256

/** Where indirect tables lie; cleared for each input, like the rings. */
#define FUZZ_TABLES	 UINT64_C(0x10000)
#define FUZZ_TABLES_SIZE 0x10000u

/** Called whenever the device of a bed is reset. */
extern void (*fuzz_device_forget)(void);

/** The bed of a shape that is taken from the input, as new; its vring is attached. */
struct bed *fuzz_bed_take(void);

/** The guest starts anew: its rings are empty, the device is reset. */
void fuzz_bed_restart(struct bed *b);

/** Something a control thread does, with the guest's ring going on: as the input says. The regions
 * of @p keep stay. */
void fuzz_bed_control(struct bed *b, unsigned int keep);

/** Whether the region BED_WITH_* is there. */
bool fuzz_bed_has(struct bed *b, unsigned int region);

/** Bytes of guest memory were written: they are cleared before the next input. */
void fuzz_bed_touch(struct bed *b, const void *hva, size_t size);

/** Guest memory changes between two reads. To be said again when it has moved. */
void fuzz_bed_guest_changes(struct bed *b, bool on);

/** What a target did, and what the relay counted: one line, and one of faults. */
void fuzz_bed_report(FILE *f);

/** Faults of the guest, and of the device, that the relay has found on any bed. */
uint64_t fuzz_bed_guest_faults(const struct bed *b);
uint64_t fuzz_bed_device_faults(const struct bed *b);

/* ---- parties ---- */

/** A guest that writes anything anywhere. */
void hostile_guest_begin(struct bed *b);
void hostile_guest_step(struct bed *b, uint8_t op);
/** Many chains, most of them sound, in rounds: @p device takes and returns up to n chains. */
void hostile_guest_traffic(struct bed *b, void (*device)(struct bed *b, unsigned int n));

/** A guest that keeps to the specification and counts its buffers. */
void honest_guest_begin(struct bed *b);
void honest_guest_post(struct bed *b);
/** As hostile_guest_traffic(). */
void honest_guest_traffic(struct bed *b, void (*device)(struct bed *b, unsigned int n));
void honest_guest_reap(struct bed *b);
/** The device has taken a chain: it must be one of ours, whole, for the first time. */
void honest_guest_seen(struct bed *b, const struct bed_chain *chain);
/** The device was reset: it may see again all that is not completed. */
void honest_guest_device_reset(void);
/** Buffers that have not come back. */
unsigned int honest_guest_outstanding(void);

/** A device that keeps to the specification. */
void honest_device_begin(void);
void honest_device_take(struct bed *b, unsigned int n);
void honest_device_return(struct bed *b, unsigned int n);
/** Chains that it has. */
unsigned int honest_device_holds(void);

/** A device that returns anything and spoils what it can reach. */
void hostile_device_begin(void);
void hostile_device_step(struct bed *b, uint8_t op);
/**
 * What it finds in the ring tells it nothing any more, until it is reset: it has spoilt a packed
 * ring, or returned what it did not have.
 */
bool hostile_device_blind(void);
void hostile_device_spoils(void);

#endif /* FUZZ_BED_H */
