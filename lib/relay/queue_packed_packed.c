/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "guest_packed.h"
#include "queue_burst.h"
#include "queue_ordered.h"
#include "shadow_packed.h"

SVQ_INSTANCES(
	svq_packed_packed, &svq_guest_packed, &svq_shadow_packed, NULL, , __rte_always_inline);
