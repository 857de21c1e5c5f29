/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_NET_H
#define FE_NET_H

/**
 * @file
 * Network traffic for a back-end that returns on each queue pair what was sent on it.
 *
 * Concepts
 *
 * Every frame carries its pair, a sequence number and a checksum. A frame that comes back is
 * checked whole; what does not come back is lost, what comes back again is doubled, what overtakes
 * another is disordered. Transmit and receive chains take random shapes within the limits of
 * struct fe_net_conf, in buffers that are spread over all data spans of the layout.
 *
 * A buffer whose memory has two GPAs goes to the device by either, at random, and is written and
 * read here by the first: what one side writes the other must see.
 *
 * No more frames are out than half of the posted receive buffers can hold, so a back-end that drops
 * a frame for want of a buffer has no excuse.
 */

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "fe_dev.h"
#include "fe_frame.h"
#include "fe_watch.h"

/** Most buffers of a chain. */
#define FE_MAX_SEGS 256

enum fe_header_shape {
	FE_HEADER_ANY,
	FE_HEADER_SHARED, /**< in the first buffer, with data */
	FE_HEADER_OWN,	  /**< in a buffer of its own */
	FE_HEADER_SPLIT,  /**< over several buffers */
};

struct fe_net_conf {
	uint32_t min_frame, max_frame; /**< bytes, FE_FRAME_MIN..FE_FRAME_MAX */
	unsigned int max_parts;	       /**< buffers of a chain, 1..FE_MAX_SEGS */
	enum fe_header_shape header;
	bool direct, indirect; /**< allowed chains; at least one */
	uint32_t rx_buf;       /**< bytes of a mergeable receive buffer */
	unsigned int window;   /**< frames out at once, per pair */
	bool lossy;	       /**< a disturbance may cost frames and their order, as on a wire */
	uint32_t silence_us;   /**< not 0: bursts, with up to so many us of silence between */
	unsigned int delay_ms; /**< from the first receive buffers to the first frame */
	uint64_t seed;
};

struct fe_net_stats {
	uint64_t sent, received, lost;
	uint64_t corrupt;    /**< wrong in itself, or a bad used entry */
	uint64_t doubled;    /**< came back twice */
	uint64_t disordered; /**< overtaken by a later one */
	uint64_t calls;	     /**< interrupts seen */
	uint64_t missed;     /**< interrupts that did not come */
	uint64_t given_up;   /**< frames that need not come any more, and did not */
	uint64_t aliased;    /**< buffers that went and came by their alias */
	uint64_t longest_ms; /**< longest time without a frame while some were out */
	uint64_t blamed_ms;  /**< likewise, less what fe_watch.h explains */
};

struct fe_buf;

struct fe_net_pair {
	struct fe_ring *rx, *tx;
	struct fe_buf **rx_free, **tx_free; /**< buffers at rest */
	unsigned int n_rx_free, n_tx_free;
	uint64_t tx_seq; /**< of the next frame */
	uint64_t rx_seq; /**< one past the highest received */
	uint64_t *out;	 /**< frames that are out: out[seq % OUT] == seq + 1 */
	unsigned int n_out;
	uint64_t log_from;    /**< frames from this one on must be in the dirty log */
	bool off;	      /**< send nothing, expect nothing */
	bool use_alias;	      /**< post by either GPA what has two */
	unsigned int n_alias; /**< buffers at the device by their alias */
	uint64_t received;
};

struct fe_net {
	struct fe_dev *dev;
	struct fe_net_conf conf;
	uint32_t hdr_len;
	bool mrg;
	struct fe_net_pair pairs[FE_MAX_PAIRS];
	struct fe_buf *bufs;
	unsigned int n_tx, n_rx; /**< buffers of a pair */
	uint32_t rx_len;	 /**< bytes of a receive chain */
	unsigned int rx_need;	 /**< receive chains for the largest frame */
	uint64_t random;
	uint64_t limit;			   /**< frames to send in all */
	const volatile sig_atomic_t *stop; /**< not NULL, and set: fe_net_run() ends */
	bool quiet;			   /**< send nothing new */
	struct fe_log *log;
	struct fe_net_stats stats;
	uint64_t last_ms;	/**< when a frame came, or none was out */
	struct fe_watch *watch; /**< not NULL: what to subtract from pauses */
	uint8_t frame[FE_FRAME_MAX + 16];

	/* fe_net_thread_*() */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool running, pause, paused, quit;
};

/** Reasonable values: frames of 60..1514 bytes, up to 4 buffers, everything allowed. */
void fe_net_conf_default(struct fe_net_conf *conf);

/** Bytes of guest memory that traffic needs for buffers. */
uint64_t fe_net_bytes(const struct fe_net_conf *conf, const struct fe_dev_conf *dev);

/** Prepare traffic for a device whose features are negotiated. @return 0 or a negative errno. */
int fe_net_init(struct fe_net *net, struct fe_dev *dev, const struct fe_net_conf *conf);

/** Free; a thread is stopped. */
void fe_net_free(struct fe_net *net);

/** Take what came back, post receive buffers, send. @return used entries taken and frames sent. */
unsigned int fe_net_poll(struct fe_net *net);

/** Post receive buffers, and wait as long as the configuration says before anything is sent. */
void fe_net_delay(struct fe_net *net);

/** Only take what came back. */
void fe_net_poll_used(struct fe_net *net);

/** Wait for an interrupt, at most @p timeout_ms. */
void fe_net_wait(struct fe_net *net, int timeout_ms);

/**
 * Run for a time, until the limit is reached or until told to stop, and until everything is back.
 * With silence_us, in bursts: each is waited for, and then nothing is done for a random time.
 *
 * @param idle_ms
 *   Give up when nothing came for so long.
 * @return 0; -ETIMEDOUT: frames are missing.
 */
int fe_net_run(struct fe_net *net, uint64_t run_ms, uint64_t idle_ms);

/** Send nothing new and wait for what is out. @return 0; -ETIMEDOUT. */
int fe_net_drain(struct fe_net *net, uint64_t idle_ms);

/** Frames out, over all pairs that are on. */
unsigned int fe_net_out(const struct fe_net *net);

/** What is out now may come or not: the wire may have lost it. */
void fe_net_give_up(struct fe_net *net);

/** Forget what is out, after the rings were reset: buffers are at rest again. */
void fe_net_reset(struct fe_net *net);

/** Forget the frames of one pair that are out, and use it no more. */
void fe_net_pair_off(struct fe_net *net, unsigned int pair);

/** From now on, what the back-end writes must be in @p log (NULL: nothing). */
void fe_net_set_log(struct fe_net *net, struct fe_log *log);

/** Frames and faults so far; lost is what is out. */
void fe_net_stats(const struct fe_net *net, struct fe_net_stats *stats);

/** Whether nothing was lost, altered, doubled or reordered. */
bool fe_net_clean(const struct fe_net *net);

/** Run traffic in a thread of its own. @return 0 or a negative errno. */
int fe_net_thread_start(struct fe_net *net);

/** Stop and join the thread. Idempotent. */
void fe_net_thread_stop(struct fe_net *net);

/** Between these two calls the thread touches neither rings nor figures. */
void fe_net_thread_pause(struct fe_net *net);
void fe_net_thread_resume(struct fe_net *net);

/** Wait until each pair that is on received @p frames more. @return 0; -ETIMEDOUT. */
int fe_net_thread_await(struct fe_net *net, uint64_t frames, uint64_t timeout_ms);

#endif /* FE_NET_H */
