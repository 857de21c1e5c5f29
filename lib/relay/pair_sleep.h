/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef PAIR_SLEEP_H
#define PAIR_SLEEP_H

/**
 * @file
 * A queue pair's sleep, for the worker that serves it.
 *
 * Concepts
 *
 * To fall asleep: ask guest and device for notifications, a full barrier, and one more round of
 * the pair; only if that moves nothing does it sleep. What they publish before the barrier is seen
 * by that round, what they publish after it they notify of.
 *
 * Notifications are edges (EPOLLET) of eventfds that are never read: the other end of a kick
 * descriptor is the front-end's, which could have a read block, or steal it. An edge that comes
 * while the pair is awake may be dropped, for the round above comes after it.
 *
 * A device that is polled may have a descriptor of its own for work that comes from elsewhere
 * (poll_fd). That is a level, waited for once a sleep (EPOLLONESHOT): it is armed after the round,
 * and the kernel looks at it then. Work that the round missed, for whatever reason, wakes the pair
 * at once. A descriptor that goes on waking it for nothing is left alone, and a timer used, until
 * it is no longer readable or the pair has moved something.
 */

#include <svq_worker.h>

/** The descriptors to wait for come under this epoll instance. Nobody serves the pair. */
void svq_pair_sleep_add(struct svq_pair *pair, int epfd);
/** Undo; a pair that sleeps is woken. Nobody serves the pair. */
void svq_pair_sleep_del(struct svq_pair *pair, int epfd);

/** An idle pair tries to fall asleep; sleep.asleep tells. @return chains moved. */
unsigned int svq_pair_sleep_try(struct svq_pair *pair, uint64_t now);
/** An event came of one of the descriptors. @return the pair that it is for; it may be gone. */
const struct svq_pair *svq_pair_of_event(uint64_t data);
/** It is for this pair, which wakes if it sleeps. */
void svq_pair_event(struct svq_pair *pair, uint64_t data, uint64_t now);
/** A nap is over: look. @return chains moved: 0 if it sleeps on. */
unsigned int svq_pair_nap_end(struct svq_pair *pair, uint64_t now);

#endif /* PAIR_SLEEP_H */
