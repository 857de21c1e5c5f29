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
#include "vector_side.h"

SVQ_VECTOR struct svq_side
guest_split_vector_from(const struct svq_queue *q, const struct svq_run *run)
{
	return (struct svq_side){
		.entry = &q->guest.avail->ring[run->at],
		.desc = &q->guest.desc[run->id],
		.expected = svq_all(run->writes ? VRING_DESC_F_WRITE * SVQ_HALF_ONE : 0),
		.heads = svq_heads(run->id),
	};
}

SVQ_VECTOR __m512i
guest_split_load_eight(struct svq_side *from, unsigned int n, struct svq_eight *desc)
{
	const __m128i heads = n == SVQ_LANES ? _mm_loadu_si128(from->entry)
					     : _mm_maskz_loadu_epi16(svq_turns(n), from->entry);
	const __m128i want = from->heads;
	__m512i other;
	__mmask8 follow;

	*desc = svq_load_eight(from->desc, n);
	desc->low = svq_read_once(desc->low);
	desc->high = svq_read_once(desc->high);
	from->entry = RTE_PTR_ADD(from->entry, SVQ_LANES * sizeof(uint16_t));
	from->desc = RTE_PTR_ADD(from->desc, SVQ_LANES * sizeof(struct vring_desc));
	from->heads = svq_heads_step(want);
	other = _mm512_and_epi64(svq_seconds(*desc), svq_all(UINT16_MAX * SVQ_HALF_ONE));
	other = _mm512_xor_epi64(other, from->expected);
	follow = _mm_cmpeq_epi16_mask(heads, want);
	if (unlikely(!svq_lanes_all(follow)))
		other = _mm512_mask_mov_epi64(svq_all(1),
			svq_lanes((unsigned int)__builtin_ctz(~(unsigned int)follow)), other);
	return other;
}

SVQ_VECTOR struct svq_side
guest_split_vector_to(const struct svq_queue *q, const struct svq_run *run, unsigned int n)
{
	struct vring_used_elem *ring = &q->guest.used->ring[run->at];

	/* Of what may be a whole lap, what will be written soon, if so much is taken at all. */
	svq_ask_for(ring, RTE_MIN(n, (unsigned int)SVQ_BURST) * sizeof(*ring));
	return (struct svq_side){
		.entry = ring,
		.expected = _mm512_add_epi64(svq_all(run->id), svq_numbers()),
	};
}

SVQ_VECTOR void
guest_split_store_eight(struct svq_queue *q, struct svq_side *to, struct svq_eight flight,
	__m512i len, unsigned int n)
{
	__m512i elems = _mm512_or_epi64(to->expected, _mm512_slli_epi64(len, 32));

	RTE_SET_USED(q);
	RTE_SET_USED(flight);
	svq_store(to->entry, svq_in_turn(elems), n);
	to->entry = RTE_PTR_ADD(to->entry, SVQ_LANES * sizeof(struct vring_used_elem));
	to->expected = _mm512_add_epi64(to->expected, svq_all(SVQ_LANES));
}

static const struct svq_guest_vector svq_guest_split_vector = {
	.from = guest_split_vector_from,
	.load = guest_split_load_eight,
	.to = guest_split_vector_to,
	.store = guest_split_store_eight,
};

#endif /* GUEST_SPLIT_VECTOR_H */
