/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef BENCH_RELAY_H
#define BENCH_RELAY_H

/**
 * @file
 * The parts of `svq-bench relay`.
 *
 * Concepts
 *
 * A bed is one relay, ours or QEMU's algorithm, between a driver in guest memory and a device that
 * sees IOVAs only. Driver and device are as plain as they can be: they publish once a burst, the
 * device fills every buffer it is given and returns chains in order. They read and write all that
 * real ones do of the rings, and nothing of the buffers.
 *
 * The driver takes its buffers from a pool that is spread over all regions, in random order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <svq_dirty_log.h>
#include <svq_dma.h>
#include <svq_queue.h>

#include "iova.h"

/** Buffers of the pool; a power of two. */
#define RELAY_POOL 4096
/** Bytes of one: a packet of 1500 bytes with its header. */
#define RELAY_LEN 1512
/** Bytes of the header that begins each chain. */
#define RELAY_HEADER   12
#define RELAY_RING_MAX 32768
/** Most beds at a time. */
#define RELAY_BEDS 32

/** What is relayed. */
struct relay_shape {
	unsigned int ring;    /* descriptors of either ring, a power of two */
	unsigned int burst;   /* chains that driver and device publish at once */
	unsigned int descs;   /* descriptors a chain, a power of two */
	unsigned int regions; /* of guest memory */
};

/* ---- Guest memory, and the DMA address space that maps it ---- */

struct relay_memory {
	struct svq_device dev;	   /* that the address space belongs to; no more than mappings */
	struct iova_layout layout; /* with the IOVAs and HVAs that were given out */
	struct svq_guest *guest;
	struct svq_dma *dma;
	int fd;
	struct {
		uint64_t iova, hva, size;
	} map[IOVA_ROWS_MAX + 2 * RELAY_BEDS];
	unsigned int n_maps;
	int kickfd;		  /* what a kick of ours writes */
	struct svq_dirty_log log; /* of all the guest's memory */
	uint64_t gpa[RELAY_POOL]; /* the pool */
	uint64_t iova[RELAY_POOL];
};

/** Lay out a guest of so many regions. @return 0; a negative errno, which is said. */
int relay_memory_open(struct relay_memory *m, unsigned int regions);
void relay_memory_close(struct relay_memory *m);
/** Where the device reaches an IOVA, or NULL. */
void *relay_memory_iova(const struct relay_memory *m, uint64_t iova);
/** Where the guest's `n`th ring goes: 1 MiB. */
uint64_t relay_memory_ring(unsigned int n);
/** Our address of guest memory. */
void *relay_memory_gpa(const struct relay_memory *m, uint64_t gpa);

/* ---- Driver and device ---- */

/** A ring as either side sees it. */
struct relay_ring {
	bool packed;
	unsigned int size;
	union {
		struct vring_desc *desc;
		struct vring_packed_desc *packed_desc;
	};
	union {
		struct vring_avail *avail;
		struct vring_packed_desc_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct vring_packed_desc_event *device_event;
	};
};

/** Lay out a ring in zeroed memory at @p at. */
void relay_ring_init(struct relay_ring *r, void *at, unsigned int size, bool packed);

/** What a driver puts into its ring. */
struct relay_buffers {
	const uint64_t *gpa; /* the pool */
	unsigned int n;	     /* of the pool, a power of two */
	uint32_t len;	     /* bytes of a descriptor */
	uint32_t used_len;   /* bytes of a chain that the device writes */
	bool writable;	     /* by the device */
	/* Guest memory at GPA 0: the header of each buffer is written when it is sent, and read
	 * when it was received. NULL: no buffer is touched. */
	uint8_t *memory;
};

/** The guest's driver. Chain slots are taken in turn, as they come back. */
struct relay_driver {
	struct relay_ring ring;
	struct relay_buffers buffers;
	unsigned int descs;
	unsigned int chains; /* that the ring holds */
	unsigned int next;   /* of the pool */
	unsigned int posted; /* modulo 2^32, likewise the next one */
	unsigned int reaped;
	uint16_t avail_pos, used_pos;
	bool avail_wrap, used_wrap;
	bool wrong; /* a chain came back that should not have, or not so */
};

/** The device. */
struct relay_device {
	struct relay_ring ring;
	const struct relay_memory *memory;
	unsigned int next; /* of the pool, where addresses are checked */
	uint16_t pos;
	bool wrap;
	bool check; /* compare addresses with those of the pool */
	bool wrong; /* one was not right */
};

void relay_driver_init(struct relay_driver *d, const struct relay_ring *ring,
	const struct relay_buffers *buffers, unsigned int descs, bool calls);
/** Make up to @p n chains available, with one publication. @return how many. */
unsigned int relay_driver_post(struct relay_driver *d, unsigned int n);
/** Take back up to @p n used chains. @return how many. */
unsigned int relay_driver_reap(struct relay_driver *d, unsigned int n);

void relay_device_init(struct relay_device *d, const struct relay_memory *m,
	const struct relay_ring *ring, bool kicks);
/** Fill up to @p n available chains and return them, with one publication. @return how many. */
unsigned int relay_device_run(struct relay_device *d, unsigned int n);

/* ---- Beds ---- */

/** How a bed differs from the others. */
struct relay_variant {
	const char *name;
	bool qemu;	    /* QEMU's algorithm, not ours */
	bool guest_packed;  /* the guest's ring */
	bool device_packed; /* the device's ring */
	bool log;	    /* dirty log */
	bool notify;	    /* the device wants kicks, the guest wants calls */
	bool scalar;	    /* without vectors */
};

struct relay_bed {
	struct relay_variant variant;
	struct relay_driver driver;
	struct relay_device device;
	void *relay;
	unsigned int burst; /* chains that driver and device publish at once */
	int callfd;
	/** Move what is available, or used, of one burst. @return chains. */
	unsigned int (*avail)(void *relay);
	unsigned int (*used)(void *relay);
	void (*destroy)(void *relay);
};

/**
 * Set up bed number @p n.
 *
 * @return 0; a negative errno, which is said.
 */
int relay_bed_open(struct relay_bed *b, const struct relay_variant *variant,
	const struct relay_shape *shape, struct relay_memory *m, unsigned int n);
void relay_bed_close(struct relay_bed *b);

/* The relays; each sets bed->relay, avail, used and destroy, and lays out the device's ring. */
int relay_ours_create(struct relay_bed *b, const struct relay_shape *shape, struct relay_memory *m,
	uint64_t ring_gpa, struct relay_ring *device);
int relay_qemu_create(struct relay_bed *b, const struct relay_shape *shape, struct relay_memory *m,
	struct relay_ring *device);

/* ---- What is run ---- */

extern const struct relay_variant relay_variants[];
extern const unsigned int relay_n_variants;

/** Compare the beds' results with what must come out. */
int relay_check(struct relay_bed *beds, unsigned int n, const struct relay_shape *shape);
/** ns a chain on one core. */
int relay_one_core(struct relay_bed *beds, unsigned int n, const struct relay_shape *shape,
	const char *what, const struct bench_opts *opts, struct bench_json *json);
/** Mpps with driver and device on another core, if there is one. */
int relay_two_cores(struct relay_bed *beds, unsigned int n, const struct relay_shape *shape,
	const struct bench_opts *opts, struct bench_json *json);

/** A figure, which may be one that is to reach something. */
void relay_reached(const char *name, const char *peer, double value);
/** Say what was to be reached, and what was. */
void relay_bench_targets(struct bench_json *json);

#endif /* BENCH_RELAY_H */
