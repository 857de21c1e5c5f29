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
 * An algorithm, written anew from what virtio.c of QEMU 10 does: an element is popped at a time,
 * into an allocation of its own, each descriptor's buffer mapped on the way; elements are filled
 * one by one and flushed together. Left out, to QEMU's advantage: RCU sections, reference counts of
 * memory regions, trace points, the per-page checks of its memory layer.
 */

#include <sys/uio.h>

#include "relay.h"

struct virtqueue {
	struct relay_ring ring;
	uint16_t last_avail;
	uint16_t shadow_avail; /* avail->idx when it was last read */
	uint16_t used_idx;
	unsigned int inuse;
	/* The guest's memory, by GPA, and the row that was found last. */
	const struct svq_gpa_row *rows, *last_row;
	unsigned int n_rows;
	const struct svq_dirty_log *log; /* or NULL */
};

struct element {
	unsigned int index;
	unsigned int n_out, n_in;
	uint64_t *in_addr, *out_addr; /* GPAs */
	struct iovec *in_sg, *out_sg;
};

/** Most descriptors of a chain. */
#define VIRTQUEUE_MAX 1024

/** @return an element to be freed, or NULL: none is available. */
struct element *virtqueue_pop(struct virtqueue *vq);
void
virtqueue_fill(struct virtqueue *vq, const struct element *elem, uint32_t len, unsigned int idx);
void virtqueue_flush(struct virtqueue *vq, unsigned int n);
bool virtqueue_empty(struct virtqueue *vq);
/** Whether the driver is to kick. */
void virtqueue_set_notification(struct virtqueue *vq, bool on);

#endif /* RELAY_VIRTQUEUE_H */
