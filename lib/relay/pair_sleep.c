/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>

#include <rte_cycles.h>

#include "barrier.h"
#include "pair_sleep.h"
#include "queue_priv.h"

static uint64_t
us_to_cycles(uint64_t us)
{
	return us * rte_get_tsc_hz() / 1000000;
}

static void
listen_pair(struct svq_pair *pair, bool on)
{
	if (pair->rx != NULL)
		svq_queue_listen(pair->rx, on);
	if (pair->tx != NULL)
		svq_queue_listen(pair->tx, on);
}

/* ---- what it waits for ---- */

/* Whether the descriptor can be waited for now. */
static bool
watch(const struct svq_pair *pair, int epfd, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.ptr = (void *)(uintptr_t)pair};

	return fd >= 0 && epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static void
watch_queue(struct svq_pair *pair, int epfd, const struct svq_queue *q)
{
	const struct svq_device_ops *ops = pair->dev->ops;

	if (q == NULL)
		return;
	if (!watch(pair, epfd, svq_queue_kickfd(q)))
		pair->sleep.timed = true;
	/* A device that is polled does nothing by itself of which it could tell. */
	if (ops->poll == NULL && !watch(pair, epfd, svq_queue_irqfd(q)))
		pair->sleep.timed = true;
}

void
svq_pair_sleep_add(struct svq_pair *pair, int epfd)
{
	struct svq_pair_sleep *s = &pair->sleep;

	s->asleep = false;
	s->timed = false;
	s->idle_cycles = us_to_cycles(pair->idle_us);
	s->since = rte_rdtsc();
	if (pair->idle_us == 0)
		return;
	watch_queue(pair, epfd, pair->rx);
	watch_queue(pair, epfd, pair->tx);
	if (s->timed && !s->deaf) {
		RELAY_LOG(NOTICE,
			"%s pair %u: the front-end's kick descriptor or the device's interrupt "
			"cannot be waited for; while idle it is looked at by a timer",
			pair->dev->name, pair->index);
		s->deaf = true;
	}
}

static void
unwatch_queue(int epfd, const struct svq_queue *q)
{
	if (q == NULL)
		return;
	/* What was not watched is not found. */
	epoll_ctl(epfd, EPOLL_CTL_DEL, svq_queue_kickfd(q), NULL);
	epoll_ctl(epfd, EPOLL_CTL_DEL, svq_queue_irqfd(q), NULL);
}

void
svq_pair_sleep_del(struct svq_pair *pair, int epfd)
{
	if (pair->sleep.idle_cycles == 0)
		return;
	unwatch_queue(epfd, pair->rx);
	unwatch_queue(epfd, pair->tx);
	if (pair->sleep.asleep)
		svq_pair_wake(pair, rte_rdtsc());
}

/* ---- sleep ---- */

/* Whether the device's own work can be left: on its notifications, or until the next nap. */
static bool
device_can_sleep(struct svq_pair *pair)
{
	const struct svq_device_ops *ops = pair->dev->ops;
	int ret = 0;

	if (ops->poll != NULL)
		ret = ops->poll_sleep != NULL ? ops->poll_sleep(pair->dev, pair->index) : -ENOTSUP;
	if (ret == -ENOTSUP)
		pair->sleep.timed = true;
	return ret == 0 || ret == -ENOTSUP;
}

unsigned int
svq_pair_sleep_try(struct svq_pair *pair, uint64_t now)
{
	struct svq_pair_sleep *s = &pair->sleep;
	unsigned int moved;

	if (!device_can_sleep(pair)) {
		s->since = now;
		return 0;
	}
	listen_pair(pair, true);
	/*
	 * Orders our asking before our reading of the rings; pairs with the full barrier of the
	 * guest and of the device between publishing in a ring and reading whether to notify.
	 */
	svq_device_mb(true);
	moved = svq_pair_poll(pair);
	if (moved != 0) {
		listen_pair(pair, false);
		s->since = now;
		return moved;
	}
	s->asleep = true;
	s->since = now;
	s->nap = us_to_cycles(SVQ_NAP_MIN_US);
	s->nap_end = now + s->nap;
	atomic_store_explicit(&s->began, now, memory_order_relaxed);
	atomic_store_explicit(&s->sleeps,
		atomic_load_explicit(&s->sleeps, memory_order_relaxed) + 1, memory_order_relaxed);
	return 0;
}

void
svq_pair_wake(struct svq_pair *pair, uint64_t now)
{
	struct svq_pair_sleep *s = &pair->sleep;

	listen_pair(pair, false);
	atomic_store_explicit(&s->cycles,
		atomic_load_explicit(&s->cycles, memory_order_relaxed) + now - s->since,
		memory_order_relaxed);
	atomic_store_explicit(&s->began, 0, memory_order_relaxed);
	s->asleep = false;
	s->since = now;
}

unsigned int
svq_pair_nap_end(struct svq_pair *pair, uint64_t now)
{
	struct svq_pair_sleep *s = &pair->sleep;
	unsigned int moved = svq_pair_poll(pair);

	if (moved != 0) {
		svq_pair_wake(pair, now);
		return moved;
	}
	s->nap = RTE_MIN(2 * s->nap, us_to_cycles(SVQ_NAP_MAX_US));
	s->nap_end = now + s->nap;
	return 0;
}

void
svq_pair_sleep_info(const struct svq_pair *pair, struct svq_pair_sleep_info *info)
{
	const struct svq_pair_sleep *s = &pair->sleep;
	uint64_t began = atomic_load_explicit(&s->began, memory_order_relaxed);
	uint64_t cycles = atomic_load_explicit(&s->cycles, memory_order_relaxed);
	uint64_t now = rte_rdtsc();

	if (began != 0 && now > began)
		cycles += now - began;
	*info = (struct svq_pair_sleep_info){
		.irq = pair->idle_us != 0,
		.timed = s->timed,
		.asleep_us = cycles / (rte_get_tsc_hz() / 1000000),
		.sleeps = atomic_load_explicit(&s->sleeps, memory_order_relaxed),
	};
}
