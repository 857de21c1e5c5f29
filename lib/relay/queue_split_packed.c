/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "guest_split.h"
#include "queue_burst.h"
#include "shadow_packed.h"

unsigned int
svq_avail_split_packed(struct svq_queue *q)
{
	return svq_burst_avail(q, &svq_guest_split, &svq_shadow_packed);
}

unsigned int
svq_used_split_packed(struct svq_queue *q)
{
	return svq_burst_used(q, &svq_guest_split, &svq_shadow_packed);
}
