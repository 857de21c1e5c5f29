/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VECTOR_SIDE_H
#define VECTOR_SIDE_H

/**
 * @file
 * What a ring format does in vector registers, for the guest's side or the device's, and what both
 * ways (queue_vector_avail.h, queue_vector_used.h) share.
 */

#include <svq_prefetch.h>

#include "queue_priv.h"
#include "vector.h"

/**
 * One side of a pass, from here on: where its entries stand, and what is in them, or is to be. All
 * of it is in registers, and is stepped on by eight. A compiler that had to look it up in the queue
 * would do so for each eight anew, since what is written meanwhile could be the queue, too.
 */
struct svq_side {
	void *entry;	  /**< packed: descriptors; split: entries of the available or used ring */
	void *desc;	  /**< split: descriptors */
	__m512i expected; /**< in lanes: what is to be there of what is not the length, or added */
	__m128i heads;	  /**< split: entries of the available ring */
	/** Packed, what turns the burst's first descriptor, the one that publishes the burst: until
	 * its flags are written once more, it is as it was. */
	__m512i veil;
	bool first; /**< the burst begins here */
};

/** The guest's side of a ring format, beside struct svq_guest_ops. */
struct svq_guest_vector {
	/** Where to read chains that look like the one at run->at. */
	struct svq_side (*from)(const struct svq_queue *q, const struct svq_run *run);
	/** Copy the descriptors of @p n chains. @return in lanes: 0 if it is as expected. */
	__m512i (*load)(struct svq_side *from, unsigned int n, struct svq_eight *desc);
	/** Where to write up to @p n used entries: the guest's ids from run->id on. */
	struct svq_side (*to)(const struct svq_queue *q, const struct svq_run *run, unsigned int n);
	/** Write @p n of them. @p flight: our records of the chains. */
	void (*store)(struct svq_queue *q, struct svq_side *to, struct svq_eight flight,
		__m512i len, unsigned int n);
};

/** The device's side of a ring format, beside struct svq_shadow_ops. */
struct svq_shadow_vector {
	/** Where to write up to @p n descriptors: slots from run->id on, for the guest's ids from
	 * @p id on. */
	struct svq_side (*to)(
		struct svq_queue *q, const struct svq_run *run, uint32_t id, unsigned int n);
	/** Write @p n of them. @p desc: as from the guest's load(); @p flight: our records. */
	void (*store)(struct svq_side *to, struct svq_eight desc, struct svq_eight flight,
		__m512i delta, unsigned int n);
	/** Which chain the entry at run->at returns. */
	uint32_t (*expect)(const struct svq_queue *q, const struct svq_run *run);
	/** Where to read entries that return chains from run->id on. */
	struct svq_side (*from)(const struct svq_queue *q, const struct svq_run *run);
	/** Copy lengths of @p n entries. @return in lanes: 0 if it is as expected. */
	__m512i (*load)(struct svq_side *from, unsigned int n, __m512i *len);
};

/** A pairing: the formats' operations, and those in vector registers. */
struct svq_vector_pair {
	const struct svq_guest_ops *g;
	const struct svq_shadow_ops *s;
	const struct svq_guest_vector *gv;
	const struct svq_shadow_vector *sv;
	/* svq_vector_avail_part(), svq_vector_used_part(): not inlined. What they need registers
	 * for is not to be in the way of whole eights. */
	unsigned int (*avail_part)(struct svq_queue *q, const struct svq_gpa_map *map,
		const struct svq_run *from, const struct svq_run *to, uint32_t seq, unsigned int n,
		enum svq_slots_mode mode);
	unsigned int (*used_part)(struct svq_queue *q, bool put, const struct svq_run *from,
		const struct svq_run *to, unsigned int n, enum svq_slots_mode mode, bool log);
};

/** Our records, from a slot on. */
struct svq_records {
	struct svq_flight *flight;
	uint32_t *seqs;
	struct svq_eight words; /**< of those to write, but for addresses and lengths */
	__m256i seq;
	__m512i expected; /**< of those to take: second halves without the lengths, in lanes */
	__m512i may;	  /**< which part of a second half is what the device may write */
};

/* Ask for memory that is to be written. The other side has read of it what was there before; of a
 * packed ring it may be reading it still, and then the line would go to and fro. */
static __rte_always_inline void
svq_ask_for(const void *p, uint32_t bytes)
{
	uint32_t at;

	for (at = 0; at < bytes; at += RTE_CACHE_LINE_SIZE)
		svq_prefetch_write(RTE_PTR_ADD(p, at));
}

/* Of a bitmap, the @p n bits from @p first on: they may lie in two words. */
struct svq_bits {
	uint64_t *low, *high; /* the same word if there is but one */
	uint64_t in_low, in_high;
};

static __rte_always_inline struct svq_bits
svq_bits(uint64_t *words, uint32_t first, unsigned int n)
{
	const uint64_t bits = (UINT64_C(1) << n) - 1;
	const unsigned int at = first % 64;
	uint64_t *low = &words[first / 64];
	bool two = at + n > 64;

	return (struct svq_bits){
		.low = low,
		.high = low + two,
		.in_low = bits << at,
		.in_high = two ? bits >> (64 - at) : 0,
	};
}

/* Second half of our record of a plain chain, but for its length. */
static __rte_always_inline uint64_t
svq_vector_word(uint32_t id, bool writes)
{
	return (uint64_t)svq_flight_plain(id, writes) << 32;
}

#endif /* VECTOR_SIDE_H */
