/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SHADOW_PACKED_VECTOR_H
#define SHADOW_PACKED_VECTOR_H

/**
 * @file
 * The device's side, packed ring: plain chains in vector registers. All else as shadow_packed.h.
 */

#include "shadow_packed.h"
#include "shadow_vector.h"

/* Write plain chains @p i to @p i + @p n - 1 at @p pos. @return how many could be claimed. */
SVQ_VECTOR unsigned int
shadow_packed_put_eight(struct svq_shadow_ring *r, const struct svq_shadow_plain *p, unsigned int i,
	uint16_t pos, bool wrap, unsigned int n, enum svq_slots_mode mode)
{
	uint16_t slot[SVQ_LANES] = {0};
	__m512i half;
	unsigned int k = svq_shadow_claim_eight(p, i, n, slot, mode);

	half = _mm512_slli_epi64(svq_load_ids(mode == SVQ_SLOTS_KEPT ? &p->id[i] : slot), 32);
	half = _mm512_or_epi64(half, svq_load_lens(&p->len[i]));
	half = _mm512_or_epi64(half, svq_all((uint64_t)svq_packed_avail_flags(wrap) << 48));
	half = _mm512_mask_or_epi64(half, (__mmask8)(p->writable >> i), half,
		svq_all((uint64_t)VRING_DESC_F_WRITE << 48));
	/* The first one's flags publish the burst: with this one turned the device has it still. */
	if (i == 0)
		half = _mm512_mask_xor_epi64(
			half, 1, half, svq_all((uint64_t)SVQ_PACKED_AVAIL << 48));
	if (likely(k == n))
		svq_store_halves(&r->packed_desc[pos], _mm512_loadu_si512(&p->iova[i]), half, n,
			SVQ_BOTH_HALVES);
	else
		svq_store_halves(&r->packed_desc[pos], _mm512_loadu_si512(&p->iova[i]), half, k,
			SVQ_BOTH_HALVES);
	return k;
}

SVQ_VECTOR unsigned int
shadow_packed_put_plain_vector(struct svq_queue *q, unsigned int n, enum svq_slots_mode mode)
{
	const struct svq_shadow_plain p = svq_shadow_plain(q);
	struct svq_shadow_ring *r = &q->shadow;
	uint16_t pos = r->avail_idx;
	bool wrap = r->avail_wrap;
	unsigned int i, m, k;

	r->put_flags = svq_packed_avail_flags(wrap) | (p.writable & 1) << 1;
	for (i = 0; i < n; i += k) {
		m = svq_lanes_fit(n - i, q->size - pos);
		if (likely(m == SVQ_LANES))
			k = shadow_packed_put_eight(r, &p, i, pos, wrap, SVQ_LANES, mode);
		else
			k = shadow_packed_put_eight(r, &p, i, pos, wrap, m, mode);
		pos = svq_packed_step(pos, k, q->size, &wrap);
		if (unlikely(k < m)) {
			i += k;
			break;
		}
	}
	r->put_pos = pos;
	r->put_wrap = wrap;
	r->put_places = i;
	return i;
}

/* Take entries @p i and on from @p n descriptors at @p pos. @return how many. */
SVQ_VECTOR unsigned int
shadow_packed_take_eight(const struct svq_shadow_ring *r, struct svq_shadow_taking *t,
	unsigned int i, uint16_t pos, bool wrap, unsigned int n, __m512i *sum)
{
	const __m512i flags = svq_all((uint64_t)(SVQ_PACKED_AVAIL | SVQ_PACKED_USED) << 48);
	__m512i half = svq_load_seconds(&r->packed_desc[pos], n);
	__m512i id = _mm512_and_epi64(_mm512_srli_epi64(half, 32), svq_all(UINT16_MAX));
	__m512i len = _mm512_and_epi64(half, svq_all(UINT32_MAX));
	unsigned int k =
		svq_lanes_count(_mm512_cmpeq_epi64_mask(_mm512_and_epi64(half, flags),
					svq_all((uint64_t)svq_packed_used_flags(wrap) << 48)),
			n);

	if (likely(k == n))
		return svq_shadow_take_eight(t, i, id, len, n, sum);
	return k != 0 ? svq_shadow_take_eight(t, i, id, len, k, sum) : 0;
}

SVQ_VECTOR unsigned int
shadow_packed_take_plain_vector(struct svq_queue *q, unsigned int ahead, unsigned int n,
	enum svq_slots_mode mode, bool log, uint64_t *bytes)
{
	struct svq_shadow_taking t = svq_shadow_taking(q, mode, log);
	struct svq_shadow_ring *r = &q->shadow;
	uint16_t pos = ahead == 0 ? r->used_idx : r->take_pos;
	bool wrap = ahead == 0 ? r->used_wrap : r->take_wrap;
	__m512i sum = _mm512_setzero_si512();
	unsigned int i, m, k;

	for (i = 0; i < n; i += k) {
		m = svq_lanes_fit(n - i, t.size - pos);
		if (likely(m == SVQ_LANES))
			k = shadow_packed_take_eight(r, &t, i, pos, wrap, SVQ_LANES, &sum);
		else
			k = shadow_packed_take_eight(r, &t, i, pos, wrap, m, &sum);
		pos = svq_packed_step(pos, k, t.size, &wrap);
		if (unlikely(k < m)) {
			i += k;
			break;
		}
	}
	r->take_pos = pos;
	r->take_wrap = wrap;
	svq_shadow_free_plain(q, mode, i);
	*bytes += t.bytes + svq_sum(sum);
	return i;
}

static const struct svq_shadow_ops svq_shadow_packed_vector = {
	SHADOW_PACKED_OPS,
	.put_plain = shadow_packed_put_plain_vector,
	.take_plain = shadow_packed_take_plain_vector,
	.skip_plain = svq_shadow_skip_plain_vector,
	.log_plain = svq_shadow_log_plain_vector,
};

#endif /* SHADOW_PACKED_VECTOR_H */
