/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef RELAY_VIRTQUEUE_H
#define RELAY_VIRTQUEUE_H

/**
 * @file
 * How QEMU's devices see a split virtqueue: what its shadow virtqueues read guests' rings with.
 *
 * Concepts
 *
 * An algorithm, written anew from what virtio.c and physmem.c of QEMU 10 do: an element is popped
 * at a time, into an allocation of its own; each descriptor's buffer is mapped on the way, which
 * finds its section and takes a reference to its block of memory; elements are filled one by one,
 * where each buffer is unmapped: its block is found by host address and the reference given back;
 * and flushed together. Left out, to QEMU's advantage: RCU sections, trace points, the indirections
 * of its object model and memory layer.
 */

#include <sys/uio.h>

#include "relay.h"

/** A piece of host memory; the machine's RAM is one, each DIMM another. */
struct memory_block {
	uint64_t hva, size;
	_Atomic uint32_t refs;
	struct memory_block *next;
};

/** A piece of guest memory that lies in one block. */
struct memory_section {
	uint64_t gpa, size, hva;
	struct memory_block *block;
};

struct virtqueue {
	struct relay_ring ring;
	uint16_t last_avail;
	uint16_t shadow_avail; /* avail->idx when it was last read */
	uint16_t used_idx;
	unsigned int inuse;
	/* The guest's memory, by GPA, and what was found last. */
	struct memory_section *sections;
	const struct memory_section *last_section;
	unsigned int n_sections;
	struct memory_block *blocks, *last_block; /* a list, by size */
	const struct svq_dirty_log *log;	  /* or NULL */
};

struct element {
	unsigned int index;
	unsigned int n_out, n_in;
	uint64_t *in_addr, *out_addr; /* GPAs */
	struct iovec *in_sg, *out_sg;
};

/** Most descriptors of a chain. */
#define VIRTQUEUE_MAX 1024

/** Take over the memory of a layout. @return 0; -ENOMEM. */
int virtqueue_set_memory(struct virtqueue *vq, const struct iova_layout *layout);
void virtqueue_free_memory(struct virtqueue *vq);

/** @return an element to be freed, or NULL: none is available. */
struct element *virtqueue_pop(struct virtqueue *vq);
void
virtqueue_fill(struct virtqueue *vq, const struct element *elem, uint32_t len, unsigned int idx);
void virtqueue_flush(struct virtqueue *vq, unsigned int n);
bool virtqueue_empty(struct virtqueue *vq);
/** Whether the driver is to kick. */
void virtqueue_set_notification(struct virtqueue *vq, bool on);

#endif /* RELAY_VIRTQUEUE_H */
