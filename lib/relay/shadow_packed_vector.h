/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_PACKED_VECTOR_H
#define SHADOW_PACKED_VECTOR_H

/**
 * @file
 * The device's side, packed ring, in vector registers.
 */

#include "queue_vector.h"
#include "shadow_packed.h"

/* Our records have the guest's id and marks of our own where flags and the slot have to stand: what
 * has to be added to the one for the other is the same in all lanes. */
SVQ_VECTOR void
shadow_packed_store_eight(struct svq_queue *q, const struct svq_run *run, struct svq_eight desc,
	struct svq_eight flight, uint32_t id, __m512i delta, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	const bool writes = run->writes;
	const uint32_t flags =
		svq_packed_avail_flags(run->wrap) | (writes ? VRING_DESC_F_WRITE : 0);
	const uint32_t want = flags << 16 | run->id;
	const uint32_t have = svq_flight_plain(id, writes);
	const __m512i more = svq_all((uint64_t)(want - have) << 32);

	desc = svq_add(flight, svq_eight(delta, more));
	/* The first one's flags publish the burst: with this one turned it is as the device gave it
	 * back. */
	if (run->first) {
		r->put_flags = flags;
		desc.low = _mm512_mask_xor_epi64(
			desc.low, 1 << 1, desc.low, svq_all((uint64_t)SVQ_PACKED_AVAIL << 48));
	}
	svq_store_eight(&r->packed_desc[run->at], desc, n);
}

static __rte_always_inline uint32_t
shadow_packed_expect(const struct svq_queue *q, const struct svq_run *run)
{
	return *(const volatile uint16_t *)&q->shadow.packed_desc[run->at].id;
}

/* With a length that is not possible the flag would matter: see shadow_packed_length(). */
SVQ_VECTOR __mmask8
shadow_packed_load_eight(
	const struct svq_queue *q, const struct svq_run *run, unsigned int n, __m512i *len)
{
	const uint64_t ignored = SVQ_HALF_LEN | (uint64_t)VRING_DESC_F_WRITE << 48;
	__m512i half =
		svq_read_once(svq_seconds(svq_load_eight(&q->shadow.packed_desc[run->at], n)));
	uint64_t want = (uint64_t)svq_packed_used_flags(run->wrap) << 48 | (uint64_t)run->id << 32;

	*len = _mm512_and_epi64(half, svq_all(SVQ_HALF_LEN));
	return _mm512_cmpeq_epi64_mask(_mm512_andnot_epi64(svq_all(ignored), half),
		_mm512_add_epi64(svq_all(want), svq_numbers_high()));
}

static const struct svq_shadow_vector svq_shadow_packed_vector = {
	.store = shadow_packed_store_eight,
	.expect = shadow_packed_expect,
	.load = shadow_packed_load_eight,
};

#endif /* SHADOW_PACKED_VECTOR_H */
