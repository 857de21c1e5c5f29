/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_ETHDEV_IRQ_H
#define SOFT_ETHDEV_IRQ_H

/**
 * @file
 * Receive interrupts of a port, for the pairs that read its queues.
 *
 * Concepts
 *
 * A port that has receive interrupts gives one descriptor for each of its queues. A pair may read
 * several queues, and which, changes at run time. So each pair that sleeps has an epoll instance of
 * its own, of which it waits as of one descriptor: the queues that it reads are under it, and an
 * eventfd that is written when they change. It is never asked for events itself. All under it are
 * levels: what a queue holds when a pair comes to read it is as good as what arrives later.
 *
 * Some drivers' descriptors are readable as long as packets wait (a tap's queue), others' count
 * interrupts in an eventfd, which is then read whenever the pair is about to sleep, or are emptied
 * by the driver when the interrupt is switched off.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "soft_args.h"

/** What a pair waits of. */
struct soft_port_waiter {
	int epfd;	      /**< -1: it has not been asked for */
	int changed;	      /**< eventfd: other queues than before */
	_Atomic bool written; /**< that one was */
	_Atomic bool deaf;    /**< a queue could not be put under epfd */
};

struct soft_port_irq {
	uint16_t port;
	uint16_t n;   /**< queues, and pairs; 0: the port has no receive interrupts */
	int *fds;     /**< by queue */
	bool *counts; /**< by queue: it is an eventfd */
	struct soft_port_waiter *waiters; /**< by pair */
};

/** The queues of a set, one bit each. */
struct soft_port_queues {
	uint64_t bits[SOFT_MAX_PAIRS / 64];
};

/** Find out what a port that was started with intr_conf.rxq has; n stays 0 if it has none. */
void soft_port_irq_open(struct soft_port_irq *irq, uint16_t port, uint16_t n);
void soft_port_irq_close(struct soft_port_irq *irq);

/** As svq_device_ops.poll_fd, for a pair that reads @p queues. Control thread. */
int
soft_port_irq_fd(struct soft_port_irq *irq, uint16_t pair, const struct soft_port_queues *queues);

/** A pair no longer reads these queues, but may not know it yet. Control thread. */
void
soft_port_irq_take(struct soft_port_irq *irq, uint16_t pair, const struct soft_port_queues *queues);
/** It reads these from now on; nobody else does any more. Wakes it. Control thread. */
void
soft_port_irq_give(struct soft_port_irq *irq, uint16_t pair, const struct soft_port_queues *queues);

/**
 * The pair is about to sleep. Before it looks which queues it reads. The pair's thread.
 * @return whether it can wait.
 */
bool soft_port_irq_settle(struct soft_port_irq *irq, uint16_t pair);
/** Have those queues interrupt. The pair's thread. @return whether they will. */
bool soft_port_irq_on(const struct soft_port_irq *irq, const struct soft_port_queues *queues);
/** Have them not. The pair's thread, or nobody reads them. */
void soft_port_irq_off(const struct soft_port_irq *irq, const struct soft_port_queues *queues);

#endif /* SOFT_ETHDEV_IRQ_H */
