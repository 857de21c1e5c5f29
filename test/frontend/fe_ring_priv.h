/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_RING_PRIV_H
#define FE_RING_PRIV_H

/**
 * @file
 * What the two ring formats have to provide, and what fe_ring.c has for both.
 */

#include "fe_ring.h"

union fe_any_desc {
	struct fe_desc split;
	struct fe_packed packed;
};

/** One format; all but the sizes as described in fe_ring.h. */
struct fe_ring_ops {
	uint64_t (*avail_bytes)(uint32_t size);
	uint64_t (*used_bytes)(uint32_t size);
	unsigned int avail_align, used_align;
	/** The shared memory; our own is done. */
	void (*reset)(struct fe_ring *ring);
	int (*add)(struct fe_ring *ring, const struct fe_seg *segs, unsigned int n,
		unsigned int n_direct, uint64_t table_gpa, void *cookie);
	uint16_t (*raw)(struct fe_ring *ring, const struct fe_raw *raw, unsigned int n);
	/** Descriptor @p i of a table. */
	void (*table)(union fe_any_desc *d, unsigned int i, const struct fe_raw *raw);
	uint16_t (*place)(const struct fe_ring *ring, unsigned int i);
	/** Make what was added visible, from shown to avail_idx. */
	void (*show)(struct fe_ring *ring);
	/** Whether the device wants a kick for what came since position @p old. */
	bool (*wants_kick)(const struct fe_ring *ring, uint16_t old);
	bool (*has_used)(const struct fe_ring *ring);
	/** Read the entry at used_idx. */
	struct fe_used_elem (*read_used)(const struct fe_ring *ring);
	/** Free the chain, and go on behind its entry. */
	void (*release)(struct fe_ring *ring, uint16_t id);
	unsigned int (*written)(
		const struct fe_ring *ring, uint16_t got, struct fe_range ranges[2]);
	void (*arm)(struct fe_ring *ring);
	void (*disarm)(struct fe_ring *ring);
	uint16_t (*base)(const struct fe_ring *ring);
	/** Chains available from @p base on: mark each in @p seen. @return how many, or -EPROTO. */
	int (*walk)(const struct fe_ring *ring, uint32_t base, uint8_t *seen);
};

extern const struct fe_ring_ops fe_ring_split_ops;
extern const struct fe_ring_ops fe_ring_packed_ops;

/** The next free id. */
uint16_t fe_ring_id(struct fe_ring *ring);

/** Give one back. */
void fe_ring_id_back(struct fe_ring *ring, uint16_t id);

/** Note a chain of @p n descriptors in the ring as outstanding. */
void fe_ring_out(struct fe_ring *ring, uint16_t id, unsigned int n, void *cookie);

/** Mark chain @p id in @p seen. @return false, with a line, if it is not outstanding or twice. */
bool fe_ring_see(const struct fe_ring *ring, uint16_t at, uint16_t id, uint8_t *seen);

/** Flags of a buffer's descriptor. */
static inline uint16_t
fe_seg_flags(const struct fe_seg *seg, bool more)
{
	return (uint16_t)((seg->write ? FE_DESC_WRITE : 0) | (more ? FE_DESC_NEXT : 0));
}

#endif /* FE_RING_PRIV_H */
