/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef QUEUE_VECTOR_H
#define QUEUE_VECTOR_H

/**
 * @file
 * The relay's algorithm for plain chains in AVX-512 registers, eight at a time: checked,
 * translated, recorded and written in one pass, and back.
 *
 * Concepts
 *
 * It is for what is nearly always so: the guest's ids follow one another, as those of a driver do
 * that takes its descriptors in turn; slots are the ids, or a ring; all chains are for the device
 * to write, or all to read. The first descriptor tells what to expect of those behind it, and our
 * copy of all of them is then compared with that. Whatever is otherwise, faults among them, is left
 * to the scalar operations (queue_plain.h), from the first such chain on.
 *
 * As there, a ring format implements a side, and an instance inlines both.
 */

#include "queue_vector_avail.h"
#include "queue_vector_used.h"

/*
 * Define the operations of a pairing. Functions of their own: each has the registers to itself, and
 * what is the rule is compiled for just that.
 */
#define SVQ_VECTOR_FN static __rte_noinline SVQ_AVX512
#define SVQ_VECTOR_OPS(name, guest, shadow, guest_vector, shadow_vector)                           \
	static const struct svq_vector_pair name##_pair;                                           \
	SVQ_VECTOR_FN unsigned int name##_avail_part(struct svq_queue *q,                          \
		const struct svq_gpa_map *map, const struct svq_run *from,                         \
		const struct svq_run *to, uint32_t seq, unsigned int n, enum svq_slots_mode mode)  \
	{                                                                                          \
		return svq_vector_avail_part(q, &name##_pair, map, from, to, seq, n, mode);        \
	}                                                                                          \
	SVQ_VECTOR_FN unsigned int name##_used_part(struct svq_queue *q, bool put,                 \
		const struct svq_run *from, const struct svq_run *to, unsigned int n,              \
		enum svq_slots_mode mode, bool log)                                                \
	{                                                                                          \
		return put ? svq_vector_used_part(q, &name##_pair, true, from, to, n, mode, log)   \
			   : svq_vector_used_part(q, &name##_pair, false, from, to, n, mode, log); \
	}                                                                                          \
	static const struct svq_vector_pair name##_pair = {.g = guest,                             \
		.s = shadow,                                                                       \
		.gv = guest_vector,                                                                \
		.sv = shadow_vector,                                                               \
		.avail_part = name##_avail_part,                                                   \
		.used_part = name##_used_part};                                                    \
	SVQ_VECTOR_FN struct svq_vector_moved name##_avail_kept(struct svq_queue *q,               \
		const struct svq_gpa_map *map, unsigned int ahead, unsigned int n)                 \
	{                                                                                          \
		return svq_vector_avail(q, &name##_pair, map, ahead, n, SVQ_SLOTS_KEPT);           \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_avail_ring(struct svq_queue *q,               \
		const struct svq_gpa_map *map, unsigned int ahead, unsigned int n)                 \
	{                                                                                          \
		return svq_vector_avail(q, &name##_pair, map, ahead, n, SVQ_SLOTS_RING);           \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_kept(                                    \
		struct svq_queue *q, unsigned int ahead, unsigned int n, uint16_t *last)           \
	{                                                                                          \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, ahead, ahead, n, SVQ_SLOTS_KEPT, false, last);      \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_kept_log(                                \
		struct svq_queue *q, unsigned int ahead, unsigned int n, uint16_t *last)           \
	{                                                                                          \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, ahead, ahead, n, SVQ_SLOTS_KEPT, true, last);       \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_ring(struct svq_queue *q,                \
		unsigned int ahead, unsigned int done, unsigned int n, uint16_t *last)             \
	{                                                                                          \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, ahead, done, n, SVQ_SLOTS_RING, false, last);       \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_batch(struct svq_queue *q,               \
		unsigned int ahead, unsigned int done, unsigned int n, uint16_t *last)             \
	{                                                                                          \
		return svq_vector_used(                                                            \
			q, &name##_pair, false, ahead, done, n, SVQ_SLOTS_RING, false, last);      \
	}                                                                                          \
	SVQ_VECTOR_FN struct svq_vector_moved name##_used_ring_log(struct svq_queue *q, bool put,  \
		unsigned int ahead, unsigned int done, unsigned int n, uint16_t *last)             \
	{                                                                                          \
		return put ? svq_vector_used(q, &name##_pair, true, ahead, done, n,                \
				     SVQ_SLOTS_RING, true, last)                                   \
			   : svq_vector_used(q, &name##_pair, false, ahead, done, n,               \
				     SVQ_SLOTS_RING, true, last);                                  \
	}                                                                                          \
	SVQ_VECTOR struct svq_vector_moved name##_avail(struct svq_queue *q,                       \
		const struct svq_gpa_map *map, unsigned int ahead, unsigned int n,                 \
		enum svq_slots_mode mode)                                                          \
	{                                                                                          \
		return mode == SVQ_SLOTS_KEPT ? name##_avail_kept(q, map, ahead, n)                \
					      : name##_avail_ring(q, map, ahead, n);               \
	}                                                                                          \
	SVQ_VECTOR struct svq_vector_moved name##_used(struct svq_queue *q, bool put,              \
		unsigned int ahead, unsigned int done, unsigned int n, enum svq_slots_mode mode,   \
		bool log, uint16_t *last)                                                          \
	{                                                                                          \
		if (mode == SVQ_SLOTS_KEPT)                                                        \
			return log ? name##_used_kept_log(q, ahead, n, last)                       \
				   : name##_used_kept(q, ahead, n, last);                          \
		if (log)                                                                           \
			return name##_used_ring_log(q, put, ahead, done, n, last);                 \
		return put ? name##_used_ring(q, ahead, done, n, last)                             \
			   : name##_used_batch(q, ahead, done, n, last);                           \
	}                                                                                          \
	SVQ_VECTOR_FN unsigned int name##_skip(struct svq_queue *q, bool put, uint16_t end,        \
		unsigned int done, unsigned int n, bool log, uint16_t *last)                       \
	{                                                                                          \
		return put ? svq_vector_skip(q, &name##_pair, true, end, done, n, log, last)       \
			   : svq_vector_skip(q, &name##_pair, false, end, done, n, log, last);     \
	}                                                                                          \
	SVQ_VECTOR struct svq_vector_moved name##_avail_first(struct svq_queue *q,                 \
		const struct svq_gpa_map *map, unsigned int n, enum svq_slots_mode mode)           \
	{                                                                                          \
		return svq_vector_avail(q, &name##_pair, map, 0, n, mode);                         \
	}                                                                                          \
	SVQ_VECTOR struct svq_vector_moved name##_used_first(struct svq_queue *q, unsigned int n)  \
	{                                                                                          \
		uint16_t last;                                                                     \
                                                                                                   \
		return svq_vector_used(                                                            \
			q, &name##_pair, true, 0, 0, n, SVQ_SLOTS_KEPT, false, &last);             \
	}                                                                                          \
	static const struct svq_vector_ops name = {.avail = name##_avail,                          \
		.used = name##_used,                                                               \
		.skip = name##_skip,                                                               \
		.avail_first = name##_avail_first,                                                 \
		.used_first = name##_used_first}

#endif /* QUEUE_VECTOR_H */
