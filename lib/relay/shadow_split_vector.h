/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_SPLIT_VECTOR_H
#define SHADOW_SPLIT_VECTOR_H

/**
 * @file
 * The device's side, split ring: plain chains in vector registers. All else as shadow_split.h.
 */

#include "shadow_split.h"
#include "shadow_vector.h"

/* Write plain chains @p i to @p i + @p n - 1. @return how many could be claimed. */
SVQ_VECTOR unsigned int
shadow_split_put_eight(struct svq_shadow_ring *r, const struct svq_shadow_plain *p, unsigned int i,
	unsigned int n, enum svq_slots_mode mode)
{
	uint16_t slot[SVQ_LANES] = {0};
	const uint16_t *at = mode == SVQ_SLOTS_KEPT ? &p->id[i] : slot;
	uint16_t to = (uint16_t)(r->avail_idx + i) & r->mask;
	unsigned int k = svq_shadow_claim_eight(p, i, n, slot, mode), j;
	__m512i half = svq_load_lens(&p->len[i]);

	/* Behind the length, little-endian. */
	half = _mm512_mask_or_epi64(half, (__mmask8)(p->writable >> i), half,
		svq_all((uint64_t)VRING_DESC_F_WRITE << 32));
	if (likely(k == SVQ_LANES) && mode != SVQ_SLOTS_STACK &&
		likely(svq_consecutive(svq_load_ids(at), svq_lanes(SVQ_LANES)))) {
		svq_store_halves(&r->desc[at[0]], _mm512_loadu_si512(&p->iova[i]), half, SVQ_LANES,
			SVQ_BOTH_HALVES);
	} else {
		uint64_t halves[SVQ_LANES];

		_mm512_storeu_si512(halves, half);
		for (j = 0; j < k; j++)
			svq_store_desc_halves(&r->desc[at[j]], p->iova[i + j], halves[j]);
	}
	if (likely(k == SVQ_LANES))
		_mm_storeu_si128((void *)&r->avail->ring[to], _mm_loadu_si128((const void *)at));
	else
		_mm_mask_storeu_epi16(
			&r->avail->ring[to], svq_lanes(k), _mm_loadu_si128((const void *)at));
	return k;
}

SVQ_VECTOR unsigned int
shadow_split_put_plain_vector(struct svq_queue *q, unsigned int n, enum svq_slots_mode mode)
{
	const struct svq_shadow_plain p = svq_shadow_plain(q);
	struct svq_shadow_ring *r = &q->shadow;
	unsigned int i, m, k;

	for (i = 0; i < n; i += k) {
		m = svq_lanes_fit(n - i, q->size - ((uint16_t)(r->avail_idx + i) & r->mask));
		if (likely(m == SVQ_LANES))
			k = shadow_split_put_eight(r, &p, i, SVQ_LANES, mode);
		else
			k = shadow_split_put_eight(r, &p, i, m, mode);
		if (unlikely(k < m)) {
			i += k;
			break;
		}
	}
	return i;
}

SVQ_VECTOR unsigned int
shadow_split_take_plain_vector(struct svq_queue *q, unsigned int ahead, unsigned int n,
	enum svq_slots_mode mode, bool log, uint64_t *bytes)
{
	struct svq_shadow_taking t = svq_shadow_taking(q, mode, log);
	const struct vring_used_elem *ring = q->shadow.used->ring;
	const uint16_t first = q->shadow.used_idx + ahead, mask = q->shadow.mask;
	__m512i sum = _mm512_setzero_si512();
	unsigned int i, m, k;

	for (i = 0; i < n; i += k) {
		uint16_t at = (uint16_t)(first + i) & mask;
		__m512i elems, ids, lens;

		m = svq_lanes_fit(n - i, t.size - at);
		elems = likely(m == SVQ_LANES) ? _mm512_loadu_si512(&ring[at])
					       : _mm512_maskz_loadu_epi64(svq_lanes(m), &ring[at]);
		ids = _mm512_and_epi64(elems, svq_all(UINT32_MAX));
		lens = _mm512_srli_epi64(elems, 32);
		if (likely(m == SVQ_LANES))
			k = svq_shadow_take_eight(&t, i, ids, lens, SVQ_LANES, &sum);
		else
			k = svq_shadow_take_eight(&t, i, ids, lens, m, &sum);
		if (unlikely(k < m)) {
			i += k;
			break;
		}
	}
	svq_shadow_free_plain(q, mode, i);
	*bytes += t.bytes + svq_sum(sum);
	return i;
}

static const struct svq_shadow_ops svq_shadow_split_vector = {
	SHADOW_SPLIT_OPS,
	.put_plain = shadow_split_put_plain_vector,
	.take_plain = shadow_split_take_plain_vector,
	.skip_plain = svq_shadow_skip_plain_vector,
	.log_plain = svq_shadow_log_plain_vector,
};

#endif /* SHADOW_SPLIT_VECTOR_H */
