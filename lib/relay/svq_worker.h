/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_WORKER_H
#define SVQ_WORKER_H

/**
 * @file
 * Workers: the EAL worker lcores that serve queue pairs, by polling or on notification.
 *
 * Concepts
 *
 * A queue pair is served by one worker: it relays the pair's two queues and runs the device's own
 * poll operation, if it has one. Pairs come and go while the others run: a worker reads an
 * immutable list, and svq_worker_del() returns only when the worker has passed a quiescent state
 * without the pair (rte_rcu_qsbr). One QSBR variable covers all workers; the address tables use it
 * too.
 *
 * A pair with an idle time sleeps once it has had nothing to do for that long: guest and device are
 * asked to notify, and the worker passes it over until one of them does (kick descriptor, interrupt
 * descriptor, poll_fd of a device that is polled). Where one of them cannot, a timer takes its
 * place: the pair is looked at after SVQ_NAP_MIN_US, and then each time after as long again as it
 * has slept, at most after SVQ_NAP_MAX_US. A worker whose pairs all sleep, or that has had none for
 * a while, blocks.
 *
 * All functions but the loop are called by control threads and are thread-safe. None may be called
 * by a worker.
 */

#include <stdint.h>

#include <svq_queue.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_rcu_qsbr;

/** Microseconds between two looks at a sleeping pair that cannot be notified of everything. */
#define SVQ_NAP_MIN_US 100
#define SVQ_NAP_MAX_US 20000

/** A pair's sleep; of the worker, from svq_worker_add() to svq_worker_del(). */
struct svq_pair_sleep {
	uint64_t idle_cycles; /**< TSC cycles without work before it sleeps; 0: never */
	bool asleep;
	bool timed;	/**< not all that ends its sleep can be waited for */
	bool unheard;	/**< because of a kick or interrupt descriptor */
	bool deaf;	/**< which has been logged */
	bool armed;	/**< the device's descriptor is waited for */
	bool told;	/**< the device has been asked whether it can be left off */
	uint8_t vain;	/**< wake-ups by the device since the pair last moved anything */
	int epfd;	/**< what its worker waits on */
	int fd;		/**< poll_fd of the device, or -1 */
	uint64_t since; /**< TSC: asleep since, or last busy */
	uint64_t nap;	/**< cycles of the present nap, and when it ends, if timed */
	uint64_t nap_end;
	_Atomic uint64_t cycles; /**< asleep, in all, sleeps that ended */
	_Atomic uint64_t began;	 /**< TSC: asleep since; 0: awake */
	_Atomic uint64_t sleeps; /**< how often it went to sleep */
};

/** What a worker serves. The owner keeps it unchanged between svq_worker_add() and
 * svq_worker_del(). */
struct svq_pair {
	struct svq_device *dev;
	const struct svq_guest *guest; /**< whose memory the queues use; NULL: not watched */
	uint16_t index;		       /**< queue pair number */
	struct svq_queue *rx;	       /**< receiveq: the device writes; NULL: not served */
	struct svq_queue *tx;	       /**< transmitq: the device reads; NULL: not served */
	uint32_t idle_us;	       /**< sleeps when idle for so long; 0: is always polled */
	int lcore;		       /**< set by svq_worker_add(): who serves it; -1: nobody */
	bool far; /**< set by svq_worker_add(): its worker's NUMA node is not the preferred one */
	unsigned int rounds;	     /**< of its worker: when to look for receive buffers */
	struct svq_pair_sleep sleep; /**< zeroed once; its counters stay from add to add */
} __rte_cache_aligned;

/** How a pair's sleeping goes; any thread. */
struct svq_pair_sleep_info {
	bool irq;	    /**< it may sleep */
	bool timed;	    /**< a timer stands in for a notification */
	uint64_t asleep_us; /**< time asleep, in all */
	uint64_t sleeps;    /**< how often */
};

/** Figures of one worker since its start. */
struct svq_worker_info {
	unsigned int lcore;
	unsigned int pairs;   /**< pairs it serves */
	uint64_t polls;	      /**< rounds */
	uint64_t busy_polls;  /**< rounds that moved at least one chain */
	uint64_t busy_cycles; /**< TSC cycles in busy rounds */
	uint64_t asleep_us;   /**< time blocked because all its pairs slept, or it had none */
};

/** The RCU variable of all workers; created on first use, after EAL's memory is up. NULL: no
 * memory. */
struct rte_rcu_qsbr *svq_worker_qsbr(void);

/**
 * Launch the loop on every EAL worker lcore.
 *
 * @param share_cores
 *   A worker that found nothing to do for a while yields its core (sched_yield), for machines where
 *   other threads are to run on it. Without, it polls and never leaves it.
 * @return number of workers; -ENODEV: EAL was given no worker lcore; -EBUSY: running already.
 */
int svq_worker_start(bool share_cores);

/** Stop the loops and wait for them. Pairs stay assigned. Idempotent. */
void svq_worker_stop(void);

/**
 * Give a pair to the worker with the fewest pairs, of those on @p numa_node where there are any.
 *
 * @param numa_node
 *   Preferred node, or -1. A pair served from another node is logged once.
 * @return 0; -ENODEV (no worker lcore); -ENOMEM; -EEXIST.
 */
int svq_worker_add(struct svq_pair *pair, int numa_node);

/** Take a pair away; on return no worker touches it. Idempotent. */
void svq_worker_del(struct svq_pair *pair);

/** One round of a pair: relay, device, relay. As a worker does, which need not look for receive
 * buffers each time; for draining and tests.
 * @return chains moved. */
unsigned int svq_pair_poll(struct svq_pair *pair);

void svq_pair_sleep_info(const struct svq_pair *pair, struct svq_pair_sleep_info *info);

/** Fill @p info for up to @p n workers. @return number of workers. */
unsigned int svq_worker_info(struct svq_worker_info *info, unsigned int n);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_WORKER_H */
