/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GUEST_SPLIT_VECTOR_H
#define GUEST_SPLIT_VECTOR_H

/**
 * @file
 * The guest's side, split ring, in vector registers.
 */

#include "guest_split.h"
#include "queue_vector.h"

static __rte_always_inline bool
guest_split_expect(const struct svq_queue *q, struct svq_run *run)
{
	const struct svq_guest_ring *r = &q->guest;

	run->id = svq_load16(&r->avail->ring[run->at]);
	if (unlikely(run->id > r->mask))
		return false;
	run->writes = svq_load16(&r->desc[run->id].flags) & VRING_DESC_F_WRITE;
	return true;
}

SVQ_VECTOR __mmask8
guest_split_load_eight(const struct svq_queue *q, const struct svq_run *run, unsigned int n,
	struct svq_eight *desc, __m512i *len)
{
	const uint16_t *ring = &q->guest.avail->ring[run->at];
	const __m128i heads = n == SVQ_LANES
		? _mm_loadu_si128((const void *)ring)
		: _mm_maskz_loadu_epi16(svq_turns(n), (const void *)ring);
	const __m128i want = _mm_add_epi16(
		_mm_set1_epi16((short)run->id), _mm_set_epi16(7, 6, 5, 4, 3, 2, 1, 0));
	__m512i half, flags;
	__mmask8 ok, follow;

	*desc = svq_load_eight(&q->guest.desc[run->id], n);
	desc->low = svq_read_once(desc->low);
	desc->high = svq_read_once(desc->high);
	half = svq_seconds(*desc);
	*len = _mm512_and_epi64(half, svq_all(SVQ_HALF_LEN));
	flags = _mm512_and_epi64(half, svq_all((uint64_t)UINT16_MAX << 32));
	ok = _mm512_cmpeq_epi64_mask(
		flags, svq_all(run->writes ? (uint64_t)VRING_DESC_F_WRITE << 32 : 0));
	follow = _mm_cmpeq_epi16_mask(heads, want);
	if (unlikely(follow != 0xff))
		ok &= svq_lanes((unsigned int)__builtin_ctz(~(unsigned int)follow));
	return ok;
}

SVQ_VECTOR void
guest_split_store_eight(struct svq_queue *q, const struct svq_run *run, struct svq_eight flight,
	__m512i len, unsigned int n)
{
	__m512i ids = _mm512_add_epi64(svq_all(run->id), svq_numbers());
	__m512i elems = _mm512_or_epi64(ids, _mm512_slli_epi64(len, 32));

	RTE_SET_USED(flight);
	svq_store(&q->guest.used->ring[run->at], svq_in_turn(elems), n);
}

static const struct svq_guest_vector svq_guest_split_vector = {
	.expect = guest_split_expect,
	.load = guest_split_load_eight,
	.store = guest_split_store_eight,
};

#endif /* GUEST_SPLIT_VECTOR_H */
