/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_log.h>

#include "soft_ethdev_irq.h"

/* For each queue q of the set. */
#define FOREACH_QUEUE(queues, w, left, q)                                                 \
	for ((w) = 0; (w) < RTE_DIM((queues)->bits); (w)++)                               \
		for ((left) = (queues)->bits[w];                                          \
			(left) != 0 && ((q) = (uint16_t)(64 * (w) + rte_bsf64(left)), 1); \
			(left) &= (left)-1)

/* ---- what the port has ---- */

static bool
is_eventfd(int fd)
{
	char link[64], what[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, what, sizeof(what) - 1);
	what[n > 0 ? n : 0] = '\0';
	return strcmp(what, "anon_inode:[eventfd]") == 0;
}

/* Whether the port has a descriptor for each queue that one thread can wait for: not shared, since
 * one reader would take the other's interrupt away, and none that a read could block on. */
static bool
find_fds(struct soft_port_irq *irq)
{
	uint16_t q, other;
	int flags;

	for (q = 0; q < irq->n; q++) {
		irq->fds[q] = rte_eth_dev_rx_intr_ctl_q_get_fd(irq->port, q);
		if (irq->fds[q] < 0)
			return false;
		for (other = 0; other < q; other++) {
			if (irq->fds[other] == irq->fds[q])
				return false;
		}
		irq->counts[q] = is_eventfd(irq->fds[q]);
		flags = fcntl(irq->fds[q], F_GETFL);
		if (flags < 0 || (irq->counts[q] && !(flags & O_NONBLOCK)))
			return false;
	}
	return true;
}

void
soft_port_irq_open(struct soft_port_irq *irq, uint16_t port, uint16_t n)
{
	/* Asked for what a port does not have, the library logs an error, and there is no other way
	 * to ask. */
	int logtype = rte_log_register("lib.ethdev"), level;
	bool found;
	uint16_t i;

	irq->port = port;
	irq->n = n;
	irq->fds = calloc(n, sizeof(irq->fds[0]));
	irq->counts = calloc(n, sizeof(irq->counts[0]));
	irq->waiters = calloc(n, sizeof(irq->waiters[0]));
	if (irq->fds == NULL || irq->counts == NULL || irq->waiters == NULL) {
		soft_port_irq_close(irq);
		return;
	}
	for (i = 0; i < n; i++)
		irq->waiters[i].epfd = irq->waiters[i].changed = -1;
	level = rte_log_get_level(logtype);
	if (level >= 0)
		rte_log_set_level(logtype, RTE_LOG_CRIT);
	found = find_fds(irq);
	if (level >= 0)
		rte_log_set_level(logtype, (uint32_t)level);
	if (!found)
		soft_port_irq_close(irq);
}

static void
waiter_close(struct soft_port_waiter *waiter)
{
	if (waiter->epfd >= 0)
		close(waiter->epfd);
	if (waiter->changed >= 0)
		close(waiter->changed);
	waiter->epfd = waiter->changed = -1;
}

void
soft_port_irq_close(struct soft_port_irq *irq)
{
	uint16_t i;

	for (i = 0; irq->waiters != NULL && i < irq->n; i++)
		waiter_close(&irq->waiters[i]);
	free(irq->fds);
	free(irq->counts);
	free(irq->waiters);
	memset(irq, 0, sizeof(*irq));
}

/* ---- who waits for which ---- */

static bool
watch(int epfd, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN};

	return epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static void
watch_queues(struct soft_port_irq *irq, struct soft_port_waiter *waiter,
	const struct soft_port_queues *queues)
{
	uint64_t left;
	unsigned int w;
	uint16_t q;

	FOREACH_QUEUE(queues, w, left, q)
	{
		if (!watch(waiter->epfd, irq->fds[q]))
			atomic_store(&waiter->deaf, true);
	}
}

int
soft_port_irq_fd(struct soft_port_irq *irq, uint16_t pair, const struct soft_port_queues *queues)
{
	struct soft_port_waiter *waiter;

	if (irq->n == 0)
		return -1;
	waiter = &irq->waiters[pair];
	if (waiter->epfd >= 0)
		return waiter->epfd;
	waiter->changed = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	waiter->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (waiter->changed < 0 || waiter->epfd < 0 || !watch(waiter->epfd, waiter->changed))
		waiter_close(waiter);
	else
		watch_queues(irq, waiter, queues);
	return waiter->epfd;
}

void
soft_port_irq_take(struct soft_port_irq *irq, uint16_t pair, const struct soft_port_queues *queues)
{
	unsigned int w;
	uint64_t left;
	uint16_t q;

	if (irq->n == 0 || irq->waiters[pair].epfd < 0)
		return;
	FOREACH_QUEUE(queues, w, left, q)
	epoll_ctl(irq->waiters[pair].epfd, EPOLL_CTL_DEL, irq->fds[q], NULL);
}

void
soft_port_irq_give(struct soft_port_irq *irq, uint16_t pair, const struct soft_port_queues *queues)
{
	struct soft_port_waiter *waiter;

	if (irq->n == 0 || irq->waiters[pair].epfd < 0)
		return;
	waiter = &irq->waiters[pair];
	watch_queues(irq, waiter, queues);
	/* Asleep, it has not switched their interrupts on. In this order: who sees that it was
	 * written can read it. */
	(void)eventfd_write(waiter->changed, 1);
	atomic_store_explicit(&waiter->written, true, memory_order_release);
}

/* ---- sleep ---- */

bool
soft_port_irq_settle(struct soft_port_irq *irq, uint16_t pair)
{
	struct soft_port_waiter *waiter;
	eventfd_t n;

	if (irq->n == 0)
		return false;
	waiter = &irq->waiters[pair];
	if (atomic_load_explicit(&waiter->written, memory_order_acquire)) {
		/* What is written from here on wakes it again. */
		atomic_store_explicit(&waiter->written, false, memory_order_relaxed);
		(void)eventfd_read(waiter->changed, &n);
	}
	return waiter->epfd >= 0 && !atomic_load_explicit(&waiter->deaf, memory_order_relaxed);
}

bool
soft_port_irq_on(const struct soft_port_irq *irq, const struct soft_port_queues *queues)
{
	unsigned int w;
	uint64_t left;
	eventfd_t n;
	uint16_t q;
	int ret;

	FOREACH_QUEUE(queues, w, left, q)
	{
		/* Before the interrupt is on: what comes after that is to be found. */
		if (irq->counts[q])
			(void)eventfd_read(irq->fds[q], &n);
		ret = rte_eth_dev_rx_intr_enable(irq->port, q);
		/* A driver without the operation has nothing to switch. */
		if (ret != 0 && ret != -ENOTSUP)
			return false;
	}
	return true;
}

void
soft_port_irq_off(const struct soft_port_irq *irq, const struct soft_port_queues *queues)
{
	unsigned int w;
	uint64_t left;
	uint16_t q;

	if (irq->n == 0)
		return;
	FOREACH_QUEUE(queues, w, left, q)
	rte_eth_dev_rx_intr_disable(irq->port, q);
}
