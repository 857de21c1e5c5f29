/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_cycles.h>

#include <svq_complaint.h>

#include "queue_priv.h"

bool
svq_complain(struct svq_complaints *c, const char *who)
{
	uint64_t now = rte_get_timer_cycles();
	uint64_t from = atomic_load_explicit(&c->from, memory_order_relaxed);
	uint32_t n;

	if (now - from > SVQ_COMPLAINTS_PERIOD * rte_get_timer_hz() &&
		atomic_compare_exchange_strong(&c->from, &from, now))
		atomic_store_explicit(&c->lines, 0, memory_order_relaxed);
	n = atomic_fetch_add_explicit(&c->lines, 1, memory_order_relaxed);
	if (n == SVQ_COMPLAINTS_MAX)
		RELAY_LOG(ERR, "%s: more faults follow, which are only counted for %d s", who,
			SVQ_COMPLAINTS_PERIOD);
	return n < SVQ_COMPLAINTS_MAX;
}
