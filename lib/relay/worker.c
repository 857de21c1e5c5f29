/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pause.h>
#include <rte_rcu_qsbr.h>

#include <svq_patience.h>
#include <svq_worker.h>

#include "pair_sleep.h"
#include "queue_priv.h"

/* Rounds between two looks at what else can break a pair; each costs an indirect call. */
#define CHECK_ROUNDS 4096

/* Rounds between two looks for receive buffers that are not needed yet. */
#define LOOK_ROUNDS 16

/* Rounds without work after which a worker yields, where it may. */
#define IDLE_ROUNDS 64

/* Microseconds without any pair after which a worker blocks: pairs are taken away for a moment
 * while a memory table changes. */
#define NO_PAIR_US 10000

/* Microseconds between two looks at the notifications for pairs that sleep beside others that do
 * not. A look is a system call, so it takes about 1 % of the time. */
#define LOOK_US 20

/* Longest time that a worker blocks: then it looks whether a device asks for a reset. */
#define BLOCK_MS 100

/* Notifications taken at once. */
#define EVENTS 32

/* What a worker serves: replaced, never changed while it may be read. */
struct pair_list {
	unsigned int n;
	unsigned int capacity;
	struct svq_pair *pair[];
};

struct worker {
	_Atomic(struct pair_list *) list;
	struct pair_list
		*spare; /* as large as the list, so that taking a pair away needs no memory */
	uint64_t polls;
	uint64_t busy_polls;
	uint64_t busy_cycles;
	uint64_t asleep_cycles;
	uint64_t pairs_at; /* TSC: when it last had a pair */
	uint64_t look_at;  /* TSC: when to look for notifications */
	uint64_t nap_end;  /* TSC: when the first nap of a pair ends, if one does */
	int epfd;	   /* all that its pairs wait for, and wakefd */
	int wakefd;	   /* its list has changed, or it is to stop */
	int n_events;
	struct epoll_event events[EVENTS];
} __rte_cache_aligned;

/* Static: so that queries need no lock and a worker's line is its own. */
static struct worker workers[RTE_MAX_LCORE];
static struct rte_rcu_qsbr *qsbr;
static atomic_bool stop;
static bool yields;
static bool running;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct rte_rcu_qsbr *
svq_worker_qsbr(void)
{
	pthread_mutex_lock(&lock);
	if (qsbr == NULL) {
		qsbr = rte_zmalloc(
			"svq_qsbr", rte_rcu_qsbr_get_memsize(RTE_MAX_LCORE), RTE_CACHE_LINE_SIZE);
		if (qsbr != NULL)
			rte_rcu_qsbr_init(qsbr, RTE_MAX_LCORE);
	}
	pthread_mutex_unlock(&lock);
	return qsbr;
}

/*
 * Whether to look for more receive buffers. The guest writes into the ring that we would look at,
 * and every look takes its cache line away from the guest's core, so a device that has plenty is
 * not looked after each round. Only one that is polled here: what it used up since is known before
 * its next round, and a packet for which it has too few waits a few rounds. Another may have used
 * up all meanwhile.
 */
static bool
wants_buffers(struct svq_pair *pair)
{
	return pair->dev->ops->poll == NULL || ++pair->rounds % LOOK_ROUNDS == 0 ||
		!svq_queue_stocked(pair->rx);
}

static unsigned int
pair_round(struct svq_pair *pair, bool look)
{
	unsigned int moved = 0;

	if (pair->tx != NULL)
		moved += svq_queue_avail(pair->tx);
	if (pair->rx != NULL && (look || wants_buffers(pair)))
		moved += svq_queue_avail(pair->rx);
	if (pair->dev->ops->poll != NULL)
		pair->dev->ops->poll(pair->dev, pair->index);
	if (pair->tx != NULL)
		moved += svq_queue_used(pair->tx);
	if (pair->rx != NULL)
		moved += svq_queue_used(pair->rx);
	return moved;
}

unsigned int
svq_pair_poll(struct svq_pair *pair)
{
	return pair_round(pair, true);
}

static void
pair_break(struct svq_pair *pair, enum svq_queue_error error)
{
	if (pair->rx != NULL)
		svq_queue_break(pair->rx, error);
	if (pair->tx != NULL)
		svq_queue_break(pair->tx, error);
}

/* A device that broke or asks to be reset serves no queue any more, nor does a guest whose memory
 * is gone. */
static void
pair_check(struct svq_pair *pair)
{
	if (unlikely(svq_device_broken(pair->dev)))
		pair_break(pair, SVQ_QUEUE_E_DEVICE);
	else if (unlikely(pair->dev->ops->status(pair->dev) & SVQ_DEVICE_S_NEEDS_RESET))
		pair_break(pair, SVQ_QUEUE_E_NEEDS_RESET);
	if (unlikely(pair->guest != NULL && svq_guest_lost(pair->guest)))
		pair_break(pair, SVQ_QUEUE_E_MEMORY_LOST);
}

/* Whoever was notified for wakes. Descriptors of pairs that went are matched by none. */
static void
worker_events(struct worker *w, const struct pair_list *list, uint64_t now)
{
	unsigned int i, k;

	for (k = 0; k < (unsigned int)w->n_events; k++) {
		uint64_t data = w->events[k].data.u64;
		eventfd_t n;

		if (data == (uintptr_t)w)
			eventfd_read(w->wakefd, &n);
		for (i = 0; list != NULL && i < list->n; i++) {
			if (list->pair[i] == svq_pair_of_event(data))
				svq_pair_event(list->pair[i], data, now);
		}
	}
	w->n_events = 0;
}

/* A pair that may sleep: what its round means for that. @return chains moved. */
static unsigned int
worker_sleepy_pair(struct worker *w, struct svq_pair *pair, uint64_t now)
{
	struct svq_pair_sleep *s = &pair->sleep;
	unsigned int moved = 0;

	if (s->asleep) {
		if (s->timed && now >= s->nap_end)
			moved = svq_pair_nap_end(pair, now);
	} else {
		moved = pair_round(pair, false);
		if (moved != 0) {
			s->since = now;
			s->vain = 0;
		} else if (now - s->since >= s->idle_cycles)
			moved = svq_pair_sleep_try(pair, now);
	}
	if (s->asleep && s->timed)
		w->nap_end = RTE_MIN(w->nap_end, s->nap_end);
	return moved;
}

/* One round of all pairs. @return chains moved; @p asleep: how many of the pairs sleep. */
static unsigned int
worker_round(struct worker *w, const struct pair_list *list, uint64_t now, unsigned int *asleep)
{
	unsigned int i, moved = 0;

	*asleep = 0;
	for (i = 0; i < list->n; i++) {
		struct svq_pair *pair = list->pair[i];

		if (likely(pair->sleep.idle_cycles == 0)) {
			moved += pair_round(pair, false);
			continue;
		}
		moved += worker_sleepy_pair(w, pair, now);
		*asleep += pair->sleep.asleep;
	}
	return moved;
}

/* Wait for a notification, a nap's end or a change. Nothing that readers read is used meanwhile. */
static void
worker_block(struct worker *w, unsigned int lcore)
{
	const uint64_t hz = rte_get_tsc_hz();
	struct timespec left = {.tv_nsec = BLOCK_MS * 1000000L};
	uint64_t start = rte_rdtsc();

	if (w->nap_end != UINT64_MAX) {
		uint64_t nap = w->nap_end > start ? w->nap_end - start : 0;

		left.tv_nsec = RTE_MIN(left.tv_nsec, (long)(nap * 1000000 / hz) * 1000L);
	}
	rte_rcu_qsbr_thread_offline(qsbr, lcore);
	w->n_events = epoll_pwait2(w->epfd, w->events, EVENTS, &left, NULL);
	rte_rcu_qsbr_thread_online(qsbr, lcore);
	if (w->n_events < 0)
		w->n_events = 0;
	w->asleep_cycles += rte_rdtsc() - start;
}

/* Pairs sleep while others work: see whether they are notified for, every now and then. */
static void
worker_look(struct worker *w, uint64_t now)
{
	if (likely(now < w->look_at))
		return;
	w->n_events = epoll_wait(w->epfd, w->events, EVENTS, 0);
	if (w->n_events < 0)
		w->n_events = 0;
	w->look_at = now + LOOK_US * rte_get_tsc_hz() / 1000000;
}

static int
worker_loop(void *arg)
{
	struct worker *w = arg;
	unsigned int lcore = rte_lcore_id();
	const uint64_t no_pair_cycles = NO_PAIR_US * rte_get_tsc_hz() / 1000000;
	unsigned int i, moved, asleep, idle = 0;
	bool block = false;

	if (svq_patience_begin() != 0)
		RELAY_LOG(WARNING,
			"lcore %u: no timer: a front-end can hold it up by its call descriptor",
			lcore);
	rte_rcu_qsbr_thread_register(qsbr, lcore);
	rte_rcu_qsbr_thread_online(qsbr, lcore);
	w->pairs_at = rte_rdtsc();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		/* Pairs with the release in list_replace(). */
		const struct pair_list *list = atomic_load_explicit(&w->list, memory_order_acquire);
		unsigned int n = list != NULL ? list->n : 0;
		uint64_t start = rte_rdtsc();

		moved = 0;
		asleep = 0;
		w->nap_end = UINT64_MAX;
		if (unlikely(w->n_events != 0))
			worker_events(w, list, start);
		if (likely(n != 0)) {
			w->pairs_at = start;
			moved = worker_round(w, list, start, &asleep);
		}
		if (moved != 0) {
			idle = 0;
			w->busy_polls++;
			w->busy_cycles += rte_rdtsc() - start;
		} else {
			idle++;
			rte_pause();
		}
		if (++w->polls % CHECK_ROUNDS == 0 || block) {
			for (i = 0; i < n; i++)
				pair_check(list->pair[i]);
		}
		/* From here on the list is not used. */
		block = asleep == n && (n != 0 || start - w->pairs_at > no_pair_cycles);
		if (unlikely(block)) {
			worker_block(w, lcore);
			idle = 0;
			continue;
		}
		if (unlikely(asleep != 0))
			worker_look(w, start);
		if (idle >= IDLE_ROUNDS && yields) {
			/* It may take long: no writer is to wait for it. */
			rte_rcu_qsbr_thread_offline(qsbr, lcore);
			sched_yield();
			rte_rcu_qsbr_thread_online(qsbr, lcore);
			idle = 0;
		} else {
			rte_rcu_qsbr_quiescent(qsbr, lcore);
		}
	}
	rte_rcu_qsbr_thread_offline(qsbr, lcore);
	rte_rcu_qsbr_thread_unregister(qsbr, lcore);
	svq_patience_end();
	return 0;
}

/* What a worker blocks on; it stays for the next start. */
static int
worker_wait_init(struct worker *w)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = (uintptr_t)w};

	if (w->epfd > 0)
		return 0;
	w->wakefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wakefd < 0)
		return -errno;
	w->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epfd < 0 || epoll_ctl(w->epfd, EPOLL_CTL_ADD, w->wakefd, &ev) != 0) {
		int ret = -errno;

		if (w->epfd >= 0)
			close(w->epfd);
		close(w->wakefd);
		w->epfd = 0;
		return ret;
	}
	return 0;
}

/* Have a worker that blocks look around. */
static void
worker_wake(const struct worker *w)
{
	if (w->epfd > 0)
		(void)eventfd_write(w->wakefd, 1);
}

static struct pair_list *
worker_list(const struct worker *w)
{
	return atomic_load_explicit(&w->list, memory_order_relaxed);
}

static unsigned int
worker_pairs(unsigned int lcore)
{
	const struct pair_list *list = worker_list(&workers[lcore]);

	return list != NULL ? list->n : 0;
}

/* Publish the spare list; on return the worker no longer reads the old one, which becomes the
 * spare. */
static void
list_swap(struct worker *w)
{
	struct pair_list *old = worker_list(w);

	/* Pairs with the acquire in worker_loop(). */
	atomic_store_explicit(&w->list, w->spare, memory_order_release);
	w->spare = old;
	/* rte_rcu_qsbr_synchronize() from outside the readers, spelt out: these two are inline, so
	 * a thread sanitizer sees the order that they make. */
	if (qsbr != NULL)
		rte_rcu_qsbr_check(qsbr, rte_rcu_qsbr_start(qsbr), true);
}

int
svq_worker_start(bool share_cores)
{
	unsigned int lcore, n = 0;

	if (rte_lcore_count() < 2)
		return -ENODEV;
	if (svq_worker_qsbr() == NULL)
		return -ENOMEM;
	pthread_mutex_lock(&lock);
	if (running) {
		pthread_mutex_unlock(&lock);
		return -EBUSY;
	}
	atomic_store(&stop, false);
	yields = share_cores;
	RTE_LCORE_FOREACH_WORKER (lcore) {
		if (worker_wait_init(&workers[lcore]) != 0)
			RELAY_LOG(ERR, "lcore %u: no descriptors to wait on, serves no queues: %s",
				lcore, strerror(errno));
		else if (rte_eal_remote_launch(worker_loop, &workers[lcore], lcore) == 0)
			n++;
		else
			RELAY_LOG(ERR, "lcore %u is busy and serves no queues", lcore);
	}
	running = true;
	pthread_mutex_unlock(&lock);
	return n;
}

void
svq_worker_stop(void)
{
	unsigned int lcore;

	pthread_mutex_lock(&lock);
	if (running) {
		atomic_store(&stop, true);
		RTE_LCORE_FOREACH_WORKER (lcore)
			worker_wake(&workers[lcore]);
		RTE_LCORE_FOREACH_WORKER (lcore)
			rte_eal_wait_lcore(lcore);
		running = false;
	}
	pthread_mutex_unlock(&lock);
}

/* The lcore with the fewest pairs, of those on the node if there are any; RTE_MAX_LCORE: none. */
static unsigned int
least_loaded(int numa_node)
{
	unsigned int lcore, best = RTE_MAX_LCORE;
	bool best_near = false;

	RTE_LCORE_FOREACH_WORKER (lcore) {
		bool near = numa_node < 0 || (int)rte_lcore_to_socket_id(lcore) == numa_node;

		if (best == RTE_MAX_LCORE || (near && !best_near) ||
			(near == best_near && worker_pairs(lcore) < worker_pairs(best))) {
			best = lcore;
			best_near = near;
		}
	}
	return best;
}

/* Room for one more pair in the spare list and, after a swap, in the other one too. */
static int
worker_reserve(struct worker *w)
{
	struct pair_list *old = worker_list(w), *list[2];
	unsigned int n = old != NULL ? old->n : 0, capacity = 2 * n + 4, i;

	if (old != NULL && n < old->capacity)
		return 0;
	for (i = 0; i < 2; i++) {
		list[i] = rte_zmalloc("svq_pair_list",
			sizeof(*old) + capacity * sizeof(old->pair[0]), RTE_CACHE_LINE_SIZE);
		if (list[i] == NULL) {
			if (i == 1)
				rte_free(list[0]);
			return -ENOMEM;
		}
		list[i]->capacity = capacity;
	}
	if (old != NULL)
		memcpy(list[0]->pair, old->pair, n * sizeof(old->pair[0]));
	list[0]->n = n;
	rte_free(w->spare);
	w->spare = list[0];
	list_swap(w);
	rte_free(w->spare);
	w->spare = list[1];
	return 0;
}

/* Where the pair is served; at: its place in the list. NULL: nowhere. */
static struct worker *
pair_find(const struct svq_pair *pair, unsigned int *at)
{
	unsigned int lcore;

	RTE_LCORE_FOREACH_WORKER (lcore) {
		for (*at = 0; *at < worker_pairs(lcore); (*at)++) {
			if (worker_list(&workers[lcore])->pair[*at] == pair)
				return &workers[lcore];
		}
	}
	return NULL;
}

static int
worker_add_locked(struct svq_pair *pair, int numa_node)
{
	const struct pair_list *old;
	struct worker *w;
	unsigned int lcore, at;
	bool far;
	int ret;

	if (pair_find(pair, &at) != NULL)
		return -EEXIST;
	lcore = least_loaded(numa_node);
	if (lcore == RTE_MAX_LCORE)
		return -ENODEV;
	w = &workers[lcore];
	ret = worker_wait_init(w);
	if (ret != 0)
		return ret;
	if (worker_reserve(w) != 0)
		return -ENOMEM;
	old = worker_list(w);
	memcpy(w->spare->pair, old->pair, old->n * sizeof(old->pair[0]));
	w->spare->pair[old->n] = pair;
	w->spare->n = old->n + 1;
	far = numa_node >= 0 && (int)rte_lcore_to_socket_id(lcore) != numa_node;
	if (far && !pair->far)
		RELAY_LOG(WARNING,
			"%s pair %u: its memory is on NUMA node %d, its worker (lcore %u) on node "
			"%u, which "
			"is slower; give EAL a worker lcore on node %d",
			pair->dev->name, pair->index, numa_node, lcore,
			rte_lcore_to_socket_id(lcore), numa_node);
	pair->far = far;
	pair->lcore = lcore;
	svq_pair_sleep_add(pair, w->epfd);
	list_swap(w);
	worker_wake(w);
	return 0;
}

int
svq_worker_add(struct svq_pair *pair, int numa_node)
{
	int ret;

	pthread_mutex_lock(&lock);
	ret = worker_add_locked(pair, numa_node);
	pthread_mutex_unlock(&lock);
	return ret;
}

static void
worker_del_locked(struct svq_pair *pair)
{
	const struct pair_list *old;
	unsigned int at;
	struct worker *w;

	w = pair_find(pair, &at);
	if (w == NULL)
		return;
	old = worker_list(w);
	memcpy(w->spare->pair, old->pair, at * sizeof(old->pair[0]));
	memcpy(&w->spare->pair[at], &old->pair[at + 1], (old->n - 1 - at) * sizeof(old->pair[0]));
	w->spare->n = old->n - 1;
	list_swap(w);
	svq_pair_sleep_del(pair, w->epfd);
	pair->lcore = -1;
}

void
svq_worker_del(struct svq_pair *pair)
{
	pthread_mutex_lock(&lock);
	worker_del_locked(pair);
	pthread_mutex_unlock(&lock);
}

unsigned int
svq_worker_info(struct svq_worker_info *info, unsigned int n)
{
	unsigned int lcore, k = 0;

	pthread_mutex_lock(&lock);
	RTE_LCORE_FOREACH_WORKER (lcore) {
		if (k < n)
			info[k] = (struct svq_worker_info){
				.lcore = lcore,
				.pairs = worker_pairs(lcore),
				.polls = workers[lcore].polls,
				.busy_polls = workers[lcore].busy_polls,
				.busy_cycles = workers[lcore].busy_cycles,
				.asleep_us =
					workers[lcore].asleep_cycles / (rte_get_tsc_hz() / 1000000),
			};
		k++;
	}
	pthread_mutex_unlock(&lock);
	return k;
}
