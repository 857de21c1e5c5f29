/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef RELAY_TWIN_H
#define RELAY_TWIN_H

/**
 * @file
 * Two beds side by side, of which the second one's queue may use vector instructions: the same
 * guest and the same device do the same to both, and after each step all that either side can see
 * is compared.
 */

#include <stdbool.h>
#include <stdint.h>

#include <svq_virtio.h>

#include "relay_bed.h"

#define TWIN_IN_ORDER (1ULL << VIRTIO_F_IN_ORDER)
#define TWIN_PACKED   (1ULL << VIRTIO_F_RING_PACKED)

/* Flags of a packed ring. */
#define TWIN_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define TWIN_USED  (1u << VRING_PACKED_DESC_F_USED)

#define TWIN_MAX_RING 256
#define TWIN_MAX_OUT  1024

/* Regions besides those of the bed, at most. The map has few rows, or more that are still compared
 * one by one, or more than that. */
#define TWIN_MORE	 8
#define TWIN_MORE_SCAN	 2
#define TWIN_MORE_GPA(i) (UINT64_C(0x20000000) + (i)*UINT64_C(0x2000000))
#define TWIN_MORE_SIZE	 UINT64_C(0x100000)

/* Of the log: LOW and HIGH; ALIAS. */
#define TWIN_LOG_NEAR  (2 * BED_REGION / SVQ_DIRTY_LOG_PAGE / 8)
#define TWIN_LOG_ALIAS (BED_ALIAS / SVQ_DIRTY_LOG_PAGE / 8)
#define TWIN_LOG_BYTES (TWIN_LOG_ALIAS + BED_REGION / SVQ_DIRTY_LOG_PAGE / 8)

/** A chain of the guest's. */
struct twin_chain {
	unsigned int n; /**< descriptors */
	uint16_t id[2]; /**< packed: only the first counts */
	uint64_t gpa[2];
	uint32_t len[2];
	uint16_t flags[2]; /**< but for VRING_DESC_F_NEXT */
};

struct twin {
	struct bed bed[2]; /* scalar, vector */
	struct bed_conf conf;
	unsigned int more; /* regions */
	uint8_t log[2][TWIN_LOG_BYTES];
	unsigned int epoch, left; /* where the test is */
	/* The guest. */
	struct twin_chain out[TWIN_MAX_OUT]; /* not returned, oldest first */
	unsigned int n_out;
	unsigned int uses[UINT16_MAX + 1]; /* of an id, by those */
	int places_free;		   /* descriptors; < 0: it gave what it had not */
	unsigned int add, reap;
	bool add_wrap, reap_wrap;
	/* The device. */
	struct {
		uint16_t head;
		uint32_t writable;
	} has[TWIN_MAX_RING];
	unsigned int n_has;
	bool astray; /* it may have written over what it has to read: it takes no more */
};

/** Fail the test if not, and say where it is. */
void twin_must(const struct twin *t, bool ok, const char *what);

/** Build both, by t->conf, with so many more regions, and no ring attached. */
void twin_open(struct twin *t, unsigned int more);
void twin_close(struct twin *t);

/** Attach an empty ring; nothing is in flight. */
void twin_restart(struct twin *t, uint16_t base);
/** Detach the ring and attach it again, with what is in flight. */
void twin_reattach(struct twin *t);
/** The device is reset. */
void twin_recall(struct twin *t);
/** Clear the log, of so many bytes from now on; 0: there is none. */
void twin_set_log(struct twin *t, uint64_t size);

bool twin_broken(const struct twin *t);

/** Compare all. The other functions do. */
void twin_compare(const struct twin *t);

/** The guest makes a chain available; @p again: as a split ring's descriptors are. */
void twin_post(struct twin *t, const struct twin_chain *c, bool again);
/** The next id from @p from on that no chain has. @return false: all are out. */
bool twin_free_id(const struct twin *t, unsigned int from, uint16_t *id);

/** One burst to the device. @return chains. */
unsigned int twin_avail(struct twin *t);
/** One burst back. */
void twin_used(struct twin *t);

/** The device takes up to @p n chains. */
void twin_take(struct twin *t, unsigned int n);
/** It returns something. @p flip: bits of a packed ring's flags that are turned. */
void twin_return(struct twin *t, uint32_t id, uint32_t len, uint16_t flip);
/** It returns the @p n oldest ones that it has, with one entry. */
void twin_return_oldest(struct twin *t, unsigned int n, uint32_t len, uint16_t flip);

#endif /* RELAY_TWIN_H */
