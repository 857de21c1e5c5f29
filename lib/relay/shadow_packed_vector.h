/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_PACKED_VECTOR_H
#define SHADOW_PACKED_VECTOR_H

/**
 * @file
 * The device's side, packed ring, in vector registers.
 */

#include "shadow_packed.h"
#include "vector_side.h"

/* Our records have the guest's id and marks of our own where flags and the slot have to stand: what
 * has to be added to the one for the other is the same in all lanes. */
SVQ_VECTOR struct svq_side
shadow_packed_vector_to(struct svq_queue *q, const struct svq_run *run, uint32_t id, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	const uint32_t flags = svq_packed_avail_flags(run->wrap) | run->writes * VRING_DESC_F_WRITE;
	const uint32_t want = flags << 16 | run->id;
	const uint32_t have = svq_flight_plain(id, run->writes);
	struct svq_side to = {
		.entry = &r->packed_desc[run->at],
		.expected = svq_all((uint64_t)(want - have) << 32),
		.veil = _mm512_setzero_si512(),
	};

	RTE_SET_USED(n);
	/* The first one's flags publish the burst: with this one turned it is as the device gave it
	 * back. */
	if (run->first) {
		r->put_flags = flags;
		to.veil = _mm512_maskz_set1_epi64(
			1 << 1, (long long)((uint64_t)SVQ_PACKED_AVAIL << 48));
	}
	return to;
}

SVQ_VECTOR void
shadow_packed_store_eight(struct svq_side *to, struct svq_eight desc, struct svq_eight flight,
	__m512i delta, unsigned int n)
{
	desc = svq_add(flight, svq_eight(delta, to->expected));
	desc.low = _mm512_xor_epi64(desc.low, to->veil);
	svq_store_eight(to->entry, desc, n);
	to->entry = RTE_PTR_ADD(to->entry, SVQ_LANES * sizeof(struct vring_packed_desc));
	to->veil = _mm512_setzero_si512();
}

static __rte_always_inline uint32_t
shadow_packed_expect(const struct svq_queue *q, const struct svq_run *run)
{
	return *(const volatile uint16_t *)&q->shadow.packed_desc[run->at].id;
}

SVQ_VECTOR struct svq_side
shadow_packed_vector_from(const struct svq_queue *q, const struct svq_run *run)
{
	const uint64_t flags = svq_packed_used_flags(run->wrap);

	return (struct svq_side){
		.entry = &q->shadow.packed_desc[run->at],
		.expected = _mm512_add_epi64(
			svq_all(flags << 48 | run->id * SVQ_HALF_ONE), svq_numbers_high()),
	};
}

/* With a length that is not possible the flag would matter: see shadow_packed_length(). */
SVQ_VECTOR __m512i
shadow_packed_load_eight(struct svq_side *from, unsigned int n, __m512i *len)
{
	const uint64_t ignored = SVQ_HALF_LEN | (uint64_t)VRING_DESC_F_WRITE << 48;
	const __m512i expected = from->expected;
	__m512i half = svq_read_once(svq_seconds(svq_load_eight(from->entry, n)));

	*len = _mm512_and_epi64(half, svq_all(SVQ_HALF_LEN));
	from->entry = RTE_PTR_ADD(from->entry, SVQ_LANES * sizeof(struct vring_packed_desc));
	from->expected = _mm512_add_epi64(expected, svq_all(SVQ_LANES * SVQ_HALF_ONE));
	return _mm512_xor_epi64(_mm512_andnot_epi64(svq_all(ignored), half), expected);
}

static const struct svq_shadow_vector svq_shadow_packed_vector = {
	.to = shadow_packed_vector_to,
	.store = shadow_packed_store_eight,
	.expect = shadow_packed_expect,
	.from = shadow_packed_vector_from,
	.load = shadow_packed_load_eight,
};

#endif /* SHADOW_PACKED_VECTOR_H */
