/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_SPLIT_VECTOR_H
#define SHADOW_SPLIT_VECTOR_H

/**
 * @file
 * The device's side, split ring, in vector registers.
 */

#include "queue_vector.h"
#include "shadow_split.h"

SVQ_VECTOR void
shadow_split_store_eight(struct svq_queue *q, const struct svq_run *run, struct svq_eight desc,
	struct svq_eight flight, uint32_t id, __m512i delta, unsigned int n)
{
	const struct svq_eight zero = {_mm512_setzero_si512(), _mm512_setzero_si512()};
	uint16_t *ring = &q->shadow.avail->ring[run->at];
	const uint64_t flags = run->writes ? (uint64_t)VRING_DESC_F_WRITE << 32 : 0;
	const __m128i heads = _mm_add_epi16(
		_mm_set1_epi16((short)run->id), _mm_set_epi16(7, 6, 5, 4, 3, 2, 1, 0));

	RTE_SET_USED(flight);
	RTE_SET_USED(id);
	desc = svq_with_lengths(zero, desc);
	svq_store_eight(
		&q->shadow.desc[run->id], svq_add(desc, svq_eight(delta, svq_all(flags))), n);
	if (n == SVQ_LANES)
		_mm_storeu_si128((void *)ring, heads);
	else
		_mm_mask_storeu_epi16((void *)ring, svq_turns(n), heads);
}

static __rte_always_inline uint32_t
shadow_split_expect(const struct svq_queue *q, const struct svq_run *run)
{
	return *(const volatile uint32_t *)&q->shadow.used->ring[run->at].id;
}

SVQ_VECTOR __mmask8
shadow_split_load_eight(
	const struct svq_queue *q, const struct svq_run *run, unsigned int n, __m512i *len)
{
	__m512i elems = svq_from_turn(svq_read_once(svq_load(&q->shadow.used->ring[run->at], n)));

	*len = _mm512_srli_epi64(elems, 32);
	return _mm512_cmpeq_epi64_mask(_mm512_and_epi64(elems, svq_all(UINT32_MAX)),
		_mm512_add_epi64(svq_all(run->id), svq_numbers()));
}

static const struct svq_shadow_vector svq_shadow_split_vector = {
	.store = shadow_split_store_eight,
	.expect = shadow_split_expect,
	.load = shadow_split_load_eight,
};

#endif /* SHADOW_SPLIT_VECTOR_H */
