/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GATHER_H
#define GATHER_H

/**
 * @file
 * Our copy of a guest's chain, whatever the format of its ring.
 */

#include "queue_priv.h"

/** Append our copy of a descriptor to the chain, checked. */
static __rte_always_inline enum svq_queue_error
svq_gather_append(struct svq_gather *ga, struct svq_chain *chain, uint64_t gpa, uint32_t len,
	bool writable, uint64_t *detail)
{
	uint32_t at = chain->first + chain->n;
	uint64_t bit = UINT64_C(1) << (at % 64);
	uint32_t *sum = &chain->readable;

	*detail = gpa;
	if (unlikely(len == 0))
		return SVQ_QUEUE_E_ZERO_LEN;
	if (writable) {
		ga->writable[at / 64] |= bit;
		sum = &chain->writable;
	} else {
		ga->writable[at / 64] &= ~bit;
		if (unlikely(chain->writable != 0))
			return SVQ_QUEUE_E_ORDER;
	}
	if (unlikely((uint64_t)chain->readable + chain->writable + len > UINT32_MAX))
		return SVQ_QUEUE_E_TOTAL_LEN;
	*sum += len;
	ga->gpa[at] = gpa;
	ga->len[at] = len;
	chain->n++;
	return SVQ_QUEUE_OK;
}

#endif /* GATHER_H */
