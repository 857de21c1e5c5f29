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

static __rte_always_inline void
shadow_packed_place(struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	const struct svq_shadow_ring *r = &q->shadow;
	uint16_t at = ahead == 0 ? r->avail_idx : r->put_pos;

	*run = (struct svq_run){
		.at = at,
		.wrap = ahead == 0 ? r->avail_wrap : r->put_wrap,
		.first = ahead == 0,
	};
}

/* Our records have the guest's id and marks of our own where flags and the slot have to stand: what
 * has to be added to the one for the other is the same in all lanes. */
SVQ_VECTOR void
shadow_packed_store(struct svq_queue *q, const struct svq_run *run, struct svq_eight desc,
	struct svq_eight flight, uint32_t id, __m512i delta, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	const bool writes = run->writes;
	const uint32_t flags =
		svq_packed_avail_flags(run->wrap) | (writes ? VRING_DESC_F_WRITE : 0);
	const uint32_t want = flags << 16 | run->id;
	const uint32_t have = SVQ_FLIGHT_PLAIN | (writes ? SVQ_FLIGHT_WRITES : 0) | id;
	__m512i more = svq_all((uint64_t)(want - have) << 32);

	RTE_SET_USED(desc);
	/* The first one's flags publish the burst: with this one turned the device has it still. */
	if (run->first) {
		r->put_flags = flags;
		more = _mm512_mask_xor_epi64(
			more, 1, more, svq_all((uint64_t)SVQ_PACKED_AVAIL << 48));
	}
	svq_store_eight(&r->packed_desc[run->at], svq_add(flight, svq_eight(delta, more)), n);
}

static __rte_always_inline void
shadow_packed_stored(struct svq_queue *q, const struct svq_run *run, unsigned int n)
{
	struct svq_shadow_ring *r = &q->shadow;
	bool wrap = run->wrap;

	r->put_pos = svq_packed_step(run->at, 0, q->size, &wrap);
	r->put_wrap = wrap;
	r->put_places = n;
}

static __rte_always_inline void
shadow_packed_expect(const struct svq_queue *q, unsigned int ahead, struct svq_run *run)
{
	const struct svq_shadow_ring *r = &q->shadow;
	uint16_t at = ahead == 0 ? r->used_idx : r->take_pos;

	*run = (struct svq_run){
		.at = at,
		.wrap = ahead == 0 ? r->used_wrap : r->take_wrap,
		.id = *(const volatile uint16_t *)&r->packed_desc[at].id,
	};
}

/* With a length that is not possible the flag would matter: see shadow_packed_length(). */
SVQ_VECTOR __mmask8
shadow_packed_load(
	const struct svq_queue *q, const struct svq_run *run, unsigned int n, __m512i *len)
{
	const uint64_t ignored = SVQ_HALF_LEN | (uint64_t)VRING_DESC_F_WRITE << 48;
	__m512i half = svq_seconds(svq_load_eight(&q->shadow.packed_desc[run->at], n));
	uint64_t want = (uint64_t)svq_packed_used_flags(run->wrap) << 48 | (uint64_t)run->id << 32;

	*len = _mm512_and_epi64(half, svq_all(SVQ_HALF_LEN));
	return _mm512_cmpeq_epi64_mask(_mm512_andnot_epi64(svq_all(ignored), half),
		_mm512_add_epi64(svq_all(want), svq_iota_high()));
}

static __rte_always_inline void
shadow_packed_run_taken(struct svq_queue *q, const struct svq_run *run)
{
	bool wrap = run->wrap;

	q->shadow.take_pos = svq_packed_step(run->at, 0, q->size, &wrap);
	q->shadow.take_wrap = wrap;
}

static const struct svq_shadow_vector svq_shadow_packed_vector = {
	.place = shadow_packed_place,
	.store = shadow_packed_store,
	.stored = shadow_packed_stored,
	.expect = shadow_packed_expect,
	.load = shadow_packed_load,
	.taken = shadow_packed_run_taken,
};

#endif /* SHADOW_PACKED_VECTOR_H */
