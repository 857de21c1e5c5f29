/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "guest_packed.h"
#include "queue_burst.h"
#include "queue_ordered.h"
#include "shadow_split.h"

SVQ_INSTANCES(svq_packed_split, &svq_guest_packed, &svq_shadow_split, NULL, , __rte_always_inline);
