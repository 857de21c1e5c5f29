/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_GUEST_GUARD_H
#define SVQ_GUEST_GUARD_H

/**
 * @file
 * Survive a front-end that shrinks the file behind memory that is mapped here.
 *
 * Concepts
 *
 * Touching a page that its file no longer has raises SIGBUS, in whichever thread touches it, and
 * would end the process with all its guests. A guarded range gets a page of zeroes there instead
 * and is marked as lost; whoever owns it finds the mark and stops serving that guest. A SIGBUS
 * anywhere else goes to the handler that was installed before.
 */

#include <stdatomic.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most ranges that can be guarded at once. */
#define SVQ_GUEST_GUARD_MAX 4096

/**
 * Guard a mapping. Installs the process's SIGBUS handler with the first one. Thread-safe.
 *
 * @param base
 *   First byte, a multiple of @p page.
 * @param size
 *   Bytes, a multiple of @p page.
 * @param page
 *   Page size of the mapping in bytes.
 * @param lost
 *   Set once a page of the range was lost. Outlives the guard.
 * @return a number >= 0 for svq_guest_guard_del(); -ENOSPC; -errno of sigaction(2).
 */
int svq_guest_guard_add(void *base, uint64_t size, uint64_t page, atomic_bool *lost);

/** Stop guarding, before the mapping goes. Nobody touches it any more. Negative numbers are
 * ignored. */
void svq_guest_guard_del(int guard);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_GUEST_GUARD_H */
