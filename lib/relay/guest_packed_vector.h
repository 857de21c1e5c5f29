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
#include "vector_side.h"

SVQ_VECTOR struct svq_side
guest_packed_vector_from(const struct svq_queue *q, const struct svq_run *run)
{
	const uint64_t flags = svq_packed_avail_flags(run->wrap) | run->writes * VRING_DESC_F_WRITE;

	return (struct svq_side){
		.entry = &q->guest.packed_desc[run->at],
		.expected = _mm512_add_epi64(
			svq_all(flags << 48 | run->id * SVQ_HALF_ONE), svq_numbers_high()),
	};
}

/*
 * A descriptor is aligned to its 16 bytes, and no CPU that has these instructions tears those, so
 * the address beside flags that say available is the one that was written before them; DPDK's vhost
 * and virtio drivers count on it, too. Were it an older one, the guest's would be the loss:
 * whatever was read is checked.
 */
SVQ_VECTOR __m512i
guest_packed_load_eight(struct svq_side *from, unsigned int n, struct svq_eight *desc)
{
	const __m512i expected = from->expected;

	*desc = svq_load_eight(from->entry, n);
	desc->low = svq_read_once(desc->low);
	desc->high = svq_read_once(desc->high);
	from->entry = RTE_PTR_ADD(from->entry, SVQ_LANES * sizeof(struct vring_packed_desc));
	from->expected = _mm512_add_epi64(expected, svq_all(SVQ_LANES * SVQ_HALF_ONE));
	return _mm512_xor_epi64(
		_mm512_andnot_epi64(svq_all(SVQ_HALF_LEN), svq_seconds(*desc)), expected);
}

SVQ_VECTOR struct svq_side
guest_packed_vector_to(const struct svq_queue *q, const struct svq_run *run, unsigned int n)
{
	const uint64_t flags = svq_packed_used_flags(run->wrap);

	RTE_SET_USED(n);
	return (struct svq_side){
		.entry = &q->guest.packed_desc[run->at],
		.expected = _mm512_add_epi64(
			svq_all(flags << 48 | run->id * SVQ_HALF_ONE), svq_numbers_high()),
		.first = run->first,
	};
}

/* What a device leaves alone, the address, is written as well: as the guest gave it to us for the
 * chain that the entry is about. So that nothing is read that the guest has written. */
SVQ_VECTOR void
guest_packed_store_eight(struct svq_queue *q, struct svq_side *to, struct svq_eight flight,
	__m512i len, unsigned int n)
{
	__m512i half = _mm512_or_epi64(to->expected, len);

	half = _mm512_mask_or_epi64(half, _mm512_test_epi64_mask(len, len), half,
		svq_all((uint64_t)VRING_DESC_F_WRITE << 48));
	/* The first one publishes the burst: until its flags are written once more, it is available
	 * as before. */
	if (to->first) {
		q->guest.used_first = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(half));
		half = _mm512_mask_xor_epi64(
			half, 1, half, svq_all((uint64_t)SVQ_PACKED_USED << 48));
		to->first = false;
	}
	svq_store_eight(to->entry, svq_with_seconds(flight, half), n);
	to->entry = RTE_PTR_ADD(to->entry, SVQ_LANES * sizeof(struct vring_packed_desc));
	to->expected = _mm512_add_epi64(to->expected, svq_all(SVQ_LANES * SVQ_HALF_ONE));
}

static const struct svq_guest_vector svq_guest_packed_vector = {
	.from = guest_packed_vector_from,
	.load = guest_packed_load_eight,
	.to = guest_packed_vector_to,
	.store = guest_packed_store_eight,
};

#endif /* GUEST_PACKED_VECTOR_H */
