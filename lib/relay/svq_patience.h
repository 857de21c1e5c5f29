/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_PATIENCE_H
#define SVQ_PATIENCE_H

/**
 * @file
 * Bound how long a thread can be held up by a descriptor that a front-end shares.
 *
 * Concepts
 *
 * To call a guest is to write to an eventfd whose other end, the front-end, may fill its counter
 * and make it blocking at any time, so that the write never returns. No check before the write
 * closes that gap. A timer therefore sends the thread a signal that does nothing, a few times a
 * second: a write that waits is interrupted, fails with EINTR, and the queue breaks. A write that
 * does not wait notices nothing.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Longest time that a call can hold up a thread under watch, milliseconds. */
#define SVQ_PATIENCE_MS 50

/**
 * Watch the calling thread until svq_patience_end(), which the same thread calls. Nests.
 *
 * @return 0; -errno of sigaction(2) or timer_create(2): the thread is not watched.
 */
int svq_patience_begin(void);

/** End what the last svq_patience_begin() of this thread began, failed or not. */
void svq_patience_end(void);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_PATIENCE_H */
