/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>

#include <rte_cycles.h>

#include "barrier.h"
#include "pair_sleep.h"
#include "queue_priv.h"

/* Wake-ups by a device for nothing after which its descriptor is not trusted. One that tells of
 * packets a little before they can be received makes some. */
#define VAIN_MAX 8

/* In the data of an event, beside the pair: it is of the device's poll_fd. */
#define BY_DEVICE UINT64_C(1)

static void wake(struct svq_pair *pair, uint64_t now);

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

static struct epoll_event
event_of(const struct svq_pair *pair, uint32_t events, uint64_t by)
{
	return (struct epoll_event){.events = events, .data.u64 = (uintptr_t)pair | by};
}

/* Whether the descriptor can be waited for now. */
static bool
watch(const struct svq_pair *pair, int epfd, int fd)
{
	struct epoll_event ev = event_of(pair, EPOLLIN | EPOLLET, 0);

	return fd >= 0 && epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static void
watch_queue(struct svq_pair *pair, int epfd, const struct svq_queue *q)
{
	const struct svq_device_ops *ops = pair->dev->ops;

	if (q == NULL)
		return;
	if (!watch(pair, epfd, svq_queue_kickfd(q)))
		pair->sleep.unheard = true;
	/* A device that is polled does nothing by itself of which it could tell. */
	if (ops->poll == NULL && !watch(pair, epfd, svq_queue_irqfd(q)))
		pair->sleep.unheard = true;
}

/* What a device that is polled is told by; not waited for yet. */
static void
watch_device(struct svq_pair *pair, int epfd)
{
	const struct svq_device_ops *ops = pair->dev->ops;
	struct svq_pair_sleep *s = &pair->sleep;
	struct epoll_event ev = event_of(pair, EPOLLONESHOT, BY_DEVICE);

	s->epfd = epfd;
	s->fd = ops->poll != NULL && ops->poll_fd != NULL ? ops->poll_fd(pair->dev, pair->index)
							  : -1;
	if (s->fd >= 0 && epoll_ctl(epfd, EPOLL_CTL_ADD, s->fd, &ev) != 0)
		s->fd = -1;
}

void
svq_pair_sleep_add(struct svq_pair *pair, int epfd)
{
	struct svq_pair_sleep *s = &pair->sleep;

	s->asleep = false;
	s->unheard = false;
	s->armed = false;
	s->told = false;
	s->vain = 0;
	s->idle_cycles = us_to_cycles(pair->idle_us);
	s->since = rte_rdtsc();
	if (pair->idle_us == 0)
		return;
	watch_queue(pair, epfd, pair->rx);
	watch_queue(pair, epfd, pair->tx);
	watch_device(pair, epfd);
	s->timed = s->unheard;
	if (s->unheard && !s->deaf) {
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
	if (pair->sleep.fd >= 0)
		epoll_ctl(epfd, EPOLL_CTL_DEL, pair->sleep.fd, NULL);
	if (pair->sleep.asleep)
		wake(pair, rte_rdtsc());
}

/* ---- sleep ---- */

/* What poll_sleep returns, also of a device that has none. */
static int
device_sleep(struct svq_pair *pair)
{
	const struct svq_device_ops *ops = pair->dev->ops;

	if (ops->poll == NULL)
		return 0;
	if (ops->poll_sleep == NULL)
		return -ENOTSUP;
	pair->sleep.told = true;
	return ops->poll_sleep(pair->dev, pair->index);
}

static void
device_wake(struct svq_pair *pair)
{
	const struct svq_device_ops *ops = pair->dev->ops;

	if (pair->sleep.told && ops->poll_wake != NULL)
		ops->poll_wake(pair->dev, pair->index);
	pair->sleep.told = false;
}

/* Whether the device's descriptor wakes the pair again and again for nothing, and would now. */
static bool
cries_wolf(struct svq_pair_sleep *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	if (likely(s->vain < VAIN_MAX))
		return false;
	if (poll(&p, 1, 0) > 0)
		return true;
	s->vain = 0;
	return false;
}

/* Wait for the device's descriptor. @return whether it is. */
static bool
arm(struct svq_pair *pair)
{
	struct svq_pair_sleep *s = &pair->sleep;
	struct epoll_event ev = event_of(pair, EPOLLIN | EPOLLONESHOT, BY_DEVICE);

	if (s->fd < 0 || cries_wolf(s))
		return false;
	if (!s->armed)
		s->armed = epoll_ctl(s->epfd, EPOLL_CTL_MOD, s->fd, &ev) == 0;
	return s->armed;
}

/* The guest has been asked to notify: have the device do so, and look once more. @return chains
 * moved; if none, the pair can sleep, and sleep.timed tells whether for long. */
static unsigned int
settle(struct svq_pair *pair)
{
	struct svq_pair_sleep *s = &pair->sleep;
	int ret = device_sleep(pair);
	unsigned int moved;

	/*
	 * Orders our asking before our reading of the rings; pairs with the full barrier of the
	 * guest and of the device between publishing in a ring and reading whether to notify.
	 */
	svq_device_mb(true);
	moved = svq_pair_poll(pair);
	if (moved == 0)
		s->timed = s->unheard || ret < 0 || (ret > 0 && !arm(pair));
	return moved;
}

static void
wake(struct svq_pair *pair, uint64_t now)
{
	struct svq_pair_sleep *s = &pair->sleep;

	device_wake(pair);
	listen_pair(pair, false);
	atomic_store_explicit(&s->cycles,
		atomic_load_explicit(&s->cycles, memory_order_relaxed) + now - s->since,
		memory_order_relaxed);
	atomic_store_explicit(&s->began, 0, memory_order_relaxed);
	s->asleep = false;
	s->armed = false;
	s->since = now;
}

unsigned int
svq_pair_sleep_try(struct svq_pair *pair, uint64_t now)
{
	struct svq_pair_sleep *s = &pair->sleep;
	unsigned int moved;

	listen_pair(pair, true);
	moved = settle(pair);
	if (moved != 0) {
		device_wake(pair);
		listen_pair(pair, false);
		s->since = now;
		s->vain = 0;
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

const struct svq_pair *
svq_pair_of_event(uint64_t data)
{
	return (const struct svq_pair *)(uintptr_t)(data & ~BY_DEVICE);
}

void
svq_pair_event(struct svq_pair *pair, uint64_t data, uint64_t now)
{
	struct svq_pair_sleep *s = &pair->sleep;

	if (!s->asleep)
		return;
	if (data & BY_DEVICE && s->vain < VAIN_MAX)
		s->vain++;
	wake(pair, now);
}

unsigned int
svq_pair_nap_end(struct svq_pair *pair, uint64_t now)
{
	struct svq_pair_sleep *s = &pair->sleep;
	unsigned int moved = settle(pair);

	if (moved != 0) {
		wake(pair, now);
		s->vain = 0;
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
