/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GUEST_SPLIT_VECTOR_H
#define GUEST_SPLIT_VECTOR_H

/**
 * @file
 * The guest's side, split ring: plain chains in vector registers, where eight heads follow one
 * another and so do their descriptors. All else as guest_split.h.
 */

#include "guest_split.h"
#include "vector.h"

/* Entries @p i to @p i + 7, from eight heads at @p ring. @return whether all are plain. */
SVQ_VECTOR bool
guest_split_gather_eight(const struct vring_desc *desc, const uint16_t *ring, uint16_t mask,
	struct svq_gather *ga, unsigned int i, uint32_t least, uint64_t *writable)
{
	/* Ids are of our copy: what lies in the ring is read once. */
	const __m128i id = _mm_loadu_si128((const void *)ring);
	const __m512i ids = _mm512_cvtepu16_epi64(id);
	const uint16_t head = (uint16_t)_mm_cvtsi128_si32(id);
	__mmask8 ok;
	__m256i len;
	__m512i half;

	if (unlikely(head + SVQ_LANES - 1 > mask || !svq_consecutive(ids, svq_lanes(SVQ_LANES))))
		return false;
	half = svq_load_seconds(&desc[head], SVQ_LANES);
	len = _mm512_cvtepi64_epi32(half);
	_mm512_storeu_si512(&ga->gpa[i], svq_load_firsts(&desc[head], SVQ_LANES));
	_mm_storeu_si128((void *)&ga->id[i], id);
	_mm256_storeu_si256((void *)&ga->len[i], len);
	*writable |=
		(uint64_t)_mm512_test_epi64_mask(half, svq_all((uint64_t)VRING_DESC_F_WRITE << 32))
		<< i;
	ok = _mm512_testn_epi64_mask(half, svq_all(SVQ_DESC_NOT_PLAIN));
	ok &= _mm256_cmpge_epu32_mask(len, _mm256_set1_epi32((int)least));
	return ok == svq_lanes(SVQ_LANES);
}

SVQ_VECTOR unsigned int
guest_split_gather_plain_vector(struct svq_queue *q, unsigned int n, uint32_t least)
{
	const struct vring_desc *desc = q->guest.desc;
	const uint16_t *ring = q->guest.avail->ring;
	const uint16_t first = q->last_avail, mask = q->guest.mask;
	struct svq_gather *ga = &q->gather;
	uint64_t writable = 0;
	unsigned int i, k, m;

	for (i = 0; i < n; i += k) {
		uint16_t at = (uint16_t)(first + i) & mask;
		uint64_t writes = 0;

		m = svq_lanes_fit(n - i, (uint32_t)mask + 1 - at);
		if (likely(m == SVQ_LANES) &&
			likely(guest_split_gather_eight(
				desc, &ring[at], mask, ga, i, least, &writes)))
			k = SVQ_LANES;
		else
			k = guest_split_gather_some(
				desc, &ring[at], mask, ga, i, m, least, &writes);
		writable |= writes;
		if (unlikely(k < m)) {
			i += k;
			break;
		}
	}
	ga->writable[0] = writable;
	return i;
}

SVQ_VECTOR void
guest_split_put_used_plain_vector(struct svq_queue *q, unsigned int ahead, unsigned int n)
{
	struct vring_used_elem *ring = q->guest.used->ring;
	const uint16_t first = q->used_idx + ahead, mask = q->guest.mask;
	const struct svq_gather *ga = &q->gather;
	unsigned int i, m;

	for (i = 0; i < n; i += m) {
		uint16_t at = (uint16_t)(first + i) & mask;
		__m512i elems = _mm512_or_epi64(svq_load_ids(&ga->id[i]),
			_mm512_slli_epi64(svq_load_lens(&ga->len[i]), 32));

		m = svq_lanes_fit(n - i, (uint32_t)mask + 1 - at);
		if (likely(m == SVQ_LANES))
			_mm512_storeu_si512(&ring[at], elems);
		else
			_mm512_mask_storeu_epi64(&ring[at], svq_lanes(m), elems);
	}
}

static const struct svq_guest_ops svq_guest_split_vector = {
	GUEST_SPLIT_OPS,
	.gather_plain = guest_split_gather_plain_vector,
	.put_used_plain = guest_split_put_used_plain_vector,
};

#endif /* GUEST_SPLIT_VECTOR_H */
