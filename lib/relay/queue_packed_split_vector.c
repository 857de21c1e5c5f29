/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_config.h>

#ifdef RTE_ARCH_X86_64

#include "guest_packed_vector.h"
#include "queue_burst.h"
#include "queue_ordered.h"
#include "queue_vector.h"
#include "shadow_split_vector.h"

SVQ_VECTOR_OPS(vector, &svq_guest_packed, &svq_shadow_split, &svq_guest_packed_vector,
	&svq_shadow_split_vector);
SVQ_INSTANCES(svq_packed_split_vector, &svq_guest_packed, &svq_shadow_split, &vector, SVQ_AVX512,
	__rte_noinline);

#endif /* RTE_ARCH_X86_64 */
