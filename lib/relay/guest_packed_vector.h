/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GUEST_PACKED_VECTOR_H
#define GUEST_PACKED_VECTOR_H

/**
 * @file
 * The guest's side, packed ring: plain chains in vector registers. All else as guest_packed.h.
 */

#include "guest_packed.h"
#include "vector.h"

/* Entries @p i and on from @p n descriptors at @p pos. @return how many are plain. */
SVQ_VECTOR unsigned int
guest_packed_gather_eight(const struct svq_guest_ring *r, struct svq_gather *ga, unsigned int i,
	uint16_t pos, bool wrap, uint32_t least, unsigned int n, uint64_t *writable)
{
	const __m512i flags = svq_all((uint64_t)(SVQ_PACKED_AVAIL | SVQ_PACKED_USED |
					      VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT)
		<< 48);
	const struct vring_packed_desc *desc = &r->packed_desc[pos];
	__m512i half = svq_load_seconds(desc, n);
	__m128i id = _mm512_cvtepi64_epi16(_mm512_srli_epi64(half, 32));
	__m256i len = _mm512_cvtepi64_epi32(half);
	__mmask8 ok;

	/* Pairs with the driver's write barrier before it makes descriptors available. */
	atomic_thread_fence(memory_order_acquire);
	_mm512_storeu_si512(&ga->gpa[i], svq_load_firsts(desc, n));
	_mm_storeu_si128((void *)&ga->id[i], id);
	_mm256_storeu_si256((void *)&ga->len[i], len);
	*writable |=
		(uint64_t)_mm512_test_epi64_mask(half, svq_all((uint64_t)VRING_DESC_F_WRITE << 48))
		<< i;
	ok = _mm512_cmpeq_epi64_mask(_mm512_and_epi64(half, flags),
		svq_all((uint64_t)svq_packed_avail_flags(wrap) << 48));
	ok &= _mm_cmplt_epu16_mask(id, _mm_set1_epi16((short)r->size));
	ok &= _mm256_cmpge_epu32_mask(len, _mm256_set1_epi32((int)least));
	return svq_lanes_count(ok, n);
}

SVQ_VECTOR unsigned int
guest_packed_gather_plain_vector(struct svq_queue *q, unsigned int n, uint32_t least)
{
	const struct svq_guest_ring *r = &q->guest;
	struct svq_gather *ga = &q->gather;
	uint64_t writable = 0;
	uint16_t pos = q->last_avail;
	bool wrap = r->avail_wrap;
	unsigned int i, m, k;

	n = RTE_MIN(n, r->size - r->outstanding);
	for (i = 0; i < n; i += k) {
		m = svq_lanes_fit(n - i, r->size - pos);
		if (likely(m == SVQ_LANES))
			k = guest_packed_gather_eight(
				r, ga, i, pos, wrap, least, SVQ_LANES, &writable);
		else
			k = guest_packed_gather_eight(r, ga, i, pos, wrap, least, m, &writable);
		pos = svq_packed_step(pos, k, r->size, &wrap);
		if (unlikely(k < m)) {
			i += k;
			break;
		}
	}
	ga->writable[0] = writable;
	return i;
}

/* Return entries @p i to @p i + @p n - 1 at @p pos. @p which halves are written. */
SVQ_VECTOR uint64_t
guest_packed_put_used_eight(struct svq_guest_ring *r, const struct svq_gather *ga, unsigned int i,
	uint16_t pos, bool wrap, unsigned int n, uint32_t which)
{
	__m512i len = svq_load_lens(&ga->len[i]), used;

	used = _mm512_or_epi64(len, _mm512_slli_epi64(svq_load_ids(&ga->id[i]), 32));
	used = _mm512_or_epi64(used, svq_all((uint64_t)svq_packed_used_flags(wrap) << 48));
	used = _mm512_mask_or_epi64(used, _mm512_test_epi64_mask(len, len), used,
		svq_all((uint64_t)VRING_DESC_F_WRITE << 48));
	svq_store_halves(&r->packed_desc[pos], used, used, n, which);
	return (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(used));
}

SVQ_VECTOR void
guest_packed_put_used_plain_vector(struct svq_queue *q, unsigned int ahead, unsigned int n)
{
	struct svq_guest_ring *r = &q->guest;
	const struct svq_gather *ga = &q->gather;
	bool wrap = r->used_wrap;
	unsigned int i = 0, m;
	uint16_t pos;

	if (ahead == 0)
		r->used_places = 0;
	pos = svq_packed_step(q->used_idx, r->used_places, r->size, &wrap);
	r->used_places += n;
	for (i = 0; i < n; i += m) {
		m = svq_lanes_fit(n - i, r->size - pos);
		/* The first one publishes the burst: it is written last. */
		if (ahead == 0 && i == 0)
			r->used_first = guest_packed_put_used_eight(
				r, ga, i, pos, wrap, m, SVQ_SECOND_HALVES & ~3u);
		else if (likely(m == SVQ_LANES))
			guest_packed_put_used_eight(
				r, ga, i, pos, wrap, SVQ_LANES, SVQ_SECOND_HALVES);
		else
			guest_packed_put_used_eight(r, ga, i, pos, wrap, m, SVQ_SECOND_HALVES);
		pos = svq_packed_step(pos, m, r->size, &wrap);
	}
}

static const struct svq_guest_ops svq_guest_packed_vector = {
	GUEST_PACKED_OPS,
	.gather_plain = guest_packed_gather_plain_vector,
	.put_used_plain = guest_packed_put_used_plain_vector,
};

#endif /* GUEST_PACKED_VECTOR_H */
