/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_SHAPE_H
#define FE_SHAPE_H

/**
 * @file
 * Buffers of guest memory and the shapes that chains over them take.
 */

#include "fe_net.h"

/** A piece of guest memory for one chain: its indirect table, then its buffers. */
struct fe_buf {
	uint64_t gpa;
	uint64_t alias; /**< shows the same memory at times; 0: nothing does */
	uint64_t at;	/**< the one of these by which the device has it */
	uint64_t size;
	uint64_t table; /**< where an indirect table goes */
	uint64_t seq;	/**< of the frame, in a transmit buffer */
	unsigned int n_segs;
	struct fe_seg *segs; /**< conf.max_parts of them */
};

/** Bytes of guest memory for a chain of @p len bytes. */
uint64_t fe_shape_bytes(const struct fe_net_conf *conf, uint32_t len);

/**
 * Cut a chain of @p len bytes, of which the first @p hdr are the header, into at most @p max_parts
 * buffers, and place them in @p buf, by buf->at.
 */
void fe_shape(struct fe_buf *buf, const struct fe_net_conf *conf, uint64_t *random, uint32_t hdr,
	uint32_t len, unsigned int max_parts, bool write);

/**
 * Spread buffers over the data spans of a layout, in random order.
 *
 * @param sizes
 *   Bytes of each of the @p n buffers.
 * @param[out] gpas
 *   Where they lie.
 * @return 0; -ENOSPC.
 */
int fe_place(const struct fe_mem *mem, const uint64_t *sizes, unsigned int n, uint64_t *random,
	uint64_t *gpas);

#endif /* FE_SHAPE_H */
