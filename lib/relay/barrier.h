/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef BARRIER_H
#define BARRIER_H

/**
 * @file
 * Barriers between us and the device, for what lies in the shadow ring.
 *
 * Concepts
 *
 * A device with VIRTIO_F_ORDER_PLATFORM is ordered as the platform orders devices, one without as
 * another CPU is (virtio 1.2, 6). The shadow ring is coherent memory. Where x86 has neither write
 * nor read barrier to execute for the one or the other, and other CPUs have nearly the same, all
 * devices get the one that is good for both; a full barrier is dearer for devices, so it is chosen.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include <rte_atomic.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>

/** The device sees what was written before no later than what is written after. */
static __rte_always_inline void
svq_device_wmb(void)
{
	rte_io_wmb();
}

/** What is read after is no older than what was read before. */
static __rte_always_inline void
svq_device_rmb(void)
{
	rte_io_rmb();
}

/** The device sees what was written before when we read what is read after. */
static __rte_always_inline void
svq_device_mb(bool order_platform)
{
	if (unlikely(order_platform))
		rte_mb();
	else
		atomic_thread_fence(memory_order_seq_cst);
}

#endif /* BARRIER_H */
