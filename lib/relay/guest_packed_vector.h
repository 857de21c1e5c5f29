/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GUEST_PACKED_VECTOR_H
#define GUEST_PACKED_VECTOR_H

/**
 * @file
 * The guest's side, packed ring, in vector registers.
 */

#include "guest_packed.h"
#include "queue_vector.h"

static __rte_always_inline bool
guest_packed_expect(const struct svq_queue *q, struct svq_run *run)
{
	const struct svq_guest_ring *r = &q->guest;
	uint64_t half = ((const volatile uint64_t *)&r->packed_desc[run->at])[1];

	run->id = (uint16_t)(half >> 32);
	/* VRING_DESC_F_WRITE is bit 1 of the flags. */
	run->writes = half >> (48 + 1) & 1;
	return run->id < r->size;
}

/*
 * A descriptor is aligned to its 16 bytes, and no CPU that has these instructions tears those, so
 * the address beside flags that say available is the one that was written before them; DPDK's vhost
 * and virtio drivers count on it, too. Were it an older one, the guest's would be the loss:
 * whatever was read is checked.
 */
SVQ_VECTOR __mmask8
guest_packed_load_eight(const struct svq_queue *q, const struct svq_run *run, unsigned int n,
	struct svq_eight *desc, __m512i *len)
{
	const uint64_t flags =
		svq_packed_avail_flags(run->wrap) | (run->writes ? VRING_DESC_F_WRITE : 0);
	__m512i want = _mm512_add_epi64(
		svq_all(flags << 48 | (uint64_t)run->id << 32), svq_numbers_high());
	__m512i half;

	*desc = svq_load_eight(&q->guest.packed_desc[run->at], n);
	desc->low = svq_read_once(desc->low);
	desc->high = svq_read_once(desc->high);
	half = svq_seconds(*desc);
	*len = _mm512_and_epi64(half, svq_all(SVQ_HALF_LEN));
	return _mm512_cmpeq_epi64_mask(_mm512_andnot_epi64(svq_all(SVQ_HALF_LEN), half), want);
}

/* What a device leaves alone, the address, is written as well: as the guest gave it to us for the
 * chain that the entry is about. So that nothing is read that the guest has written. */
SVQ_VECTOR void
guest_packed_store_eight(struct svq_queue *q, const struct svq_run *run, struct svq_eight flight,
	__m512i len, unsigned int n)
{
	struct svq_guest_ring *r = &q->guest;
	uint64_t meta = (uint64_t)svq_packed_used_flags(run->wrap) << 48 | (uint64_t)run->id << 32;
	__m512i half = _mm512_add_epi64(svq_all(meta), svq_numbers_high());

	half = _mm512_or_epi64(half, len);
	half = _mm512_mask_or_epi64(half, _mm512_test_epi64_mask(len, len), half,
		svq_all((uint64_t)VRING_DESC_F_WRITE << 48));
	/* The first one publishes the burst: until its flags are written once more, it is available
	 * as before. */
	if (run->first) {
		r->used_first = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(half));
		half = _mm512_mask_xor_epi64(
			half, 1, half, svq_all((uint64_t)SVQ_PACKED_USED << 48));
	}
	svq_store_eight(&r->packed_desc[run->at], svq_with_seconds(flight, half), n);
}

static const struct svq_guest_vector svq_guest_packed_vector = {
	.expect = guest_packed_expect,
	.load = guest_packed_load_eight,
	.store = guest_packed_store_eight,
};

#endif /* GUEST_PACKED_VECTOR_H */
