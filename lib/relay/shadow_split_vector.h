/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_SPLIT_VECTOR_H
#define SHADOW_SPLIT_VECTOR_H

/**
 * @file
 * The device's side, split ring, in vector registers.
 */

#include "shadow_split.h"
#include "vector_side.h"

SVQ_VECTOR struct svq_side
shadow_split_vector_to(struct svq_queue *q, const struct svq_run *run, uint32_t id, unsigned int n)
{
	RTE_SET_USED(id);
	svq_ask_for(&q->shadow.desc[run->id], n * sizeof(struct vring_desc));
	return (struct svq_side){
		.entry = &q->shadow.avail->ring[run->at],
		.desc = &q->shadow.desc[run->id],
		.expected = svq_all(run->writes ? VRING_DESC_F_WRITE * SVQ_HALF_ONE : 0),
		.heads = svq_heads(run->id),
	};
}

SVQ_VECTOR void
shadow_split_store_eight(struct svq_side *to, struct svq_eight desc, struct svq_eight flight,
	__m512i delta, unsigned int n)
{
	const struct svq_eight zero = {_mm512_setzero_si512(), _mm512_setzero_si512()};

	RTE_SET_USED(flight);
	desc = svq_add(svq_with_lengths(zero, desc), svq_eight(delta, to->expected));
	svq_store_eight(to->desc, desc, n);
	if (n == SVQ_LANES)
		_mm_storeu_si128(to->entry, to->heads);
	else
		_mm_mask_storeu_epi16(to->entry, svq_turns(n), to->heads);
	to->entry = RTE_PTR_ADD(to->entry, SVQ_LANES * sizeof(uint16_t));
	to->desc = RTE_PTR_ADD(to->desc, SVQ_LANES * sizeof(struct vring_desc));
	to->heads = svq_heads_step(to->heads);
}

static __rte_always_inline uint32_t
shadow_split_expect(const struct svq_queue *q, const struct svq_run *run)
{
	return *(const volatile uint32_t *)&q->shadow.used->ring[run->at].id;
}

SVQ_VECTOR struct svq_side
shadow_split_vector_from(const struct svq_queue *q, const struct svq_run *run)
{
	return (struct svq_side){
		.entry = &q->shadow.used->ring[run->at],
		.expected = _mm512_add_epi64(svq_all(run->id), svq_numbers()),
	};
}

SVQ_VECTOR __m512i
shadow_split_load_eight(struct svq_side *from, unsigned int n, __m512i *len)
{
	const __m512i elems = svq_from_turn(svq_read_once(svq_load(from->entry, n)));
	const __m512i expected = from->expected;

	*len = _mm512_srli_epi64(elems, 32);
	from->entry = RTE_PTR_ADD(from->entry, SVQ_LANES * sizeof(struct vring_used_elem));
	from->expected = _mm512_add_epi64(expected, svq_all(SVQ_LANES));
	return _mm512_xor_epi64(_mm512_and_epi64(elems, svq_all(UINT32_MAX)), expected);
}

static const struct svq_shadow_vector svq_shadow_split_vector = {
	.to = shadow_split_vector_to,
	.store = shadow_split_store_eight,
	.expect = shadow_split_expect,
	.from = shadow_split_vector_from,
	.load = shadow_split_load_eight,
};

#endif /* SHADOW_SPLIT_VECTOR_H */
