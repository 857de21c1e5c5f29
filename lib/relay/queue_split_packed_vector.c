/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_config.h>

#ifdef RTE_ARCH_X86_64

#include "guest_split_vector.h"
#include "queue_burst.h"
#include "queue_ordered.h"
#include "queue_vector.h"
#include "shadow_packed_vector.h"

SVQ_VECTOR_OPS(vector, &svq_guest_split, &svq_shadow_packed, &svq_guest_split_vector,
	&svq_shadow_packed_vector);
SVQ_INSTANCES(svq_split_packed_vector, &svq_guest_split, &svq_shadow_packed, &vector, SVQ_AVX512,
	__rte_noinline);

#endif /* RTE_ARCH_X86_64 */
