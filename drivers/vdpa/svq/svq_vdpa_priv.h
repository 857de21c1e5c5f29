/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_VDPA_PRIV_H
#define SVQ_VDPA_PRIV_H

/**
 * @file
 * What the files of the vDPA driver share: the device with its port, and who does what to it.
 *
 * Concepts
 *
 * librte_vhost calls the operations of svq_vdpa_ops.c and the message handlers of svq_vdpa_msg.c,
 * all on its event thread; the application calls the functions of svq_vdpa.h on threads of its
 * own. Both find the device in the registry, which counts its users, and then hold its lock. The
 * lock is never held across rte_vhost_driver_*(): those take librte_vhost's own locks, under which
 * librte_vhost calls us.
 *
 * Functions named svq_vdpa_<part>_*() below want the lock held, unless they say otherwise.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_log.h>

#include <svq_device.h>
#include <svq_dirty_log.h>
#include <svq_dma.h>
#include <svq_guest.h>
#include <svq_queue.h>
#include <svq_worker.h>

#include "svq_vdpa.h"
#include "vdpa_sdk.h"

#define SVQ_VDPA_MAX_PAIRS 128 /* librte_vhost's limit */
#define SVQ_VDPA_MAX_CONNS 8   /* of a port; all ports share librte_vhost's 1024 */

extern int svq_vdpa_logtype;
#define VDPA_LOG(level, fmt, ...) \
	rte_log(RTE_LOG_##level, svq_vdpa_logtype, "svq.vdpa: " fmt "\n", ##__VA_ARGS__)

/** Where the guest has a vring. */
struct svq_vdpa_rings {
	uint64_t desc_gpa;
	uint64_t avail_gpa;
	uint64_t used_gpa;
	uint32_t size; /**< descriptors */
};

/** One vring of the guest and the shadow queue behind it. */
struct svq_vdpa_vring {
	struct svq_queue *queue;  /**< while the device runs */
	bool ready;		  /**< librte_vhost calls it ready: rings, descriptors, enabled */
	bool started;		  /**< attached since the device's start: its position is ours */
	bool bad;		  /**< not served: it could not be attached as it is now */
	bool refused;		  /**< what makes it bad has been logged */
	int callfd;		  /**< our duplicate, or -1 */
	int kickfd;		  /**< likewise, where the port sleeps */
	int errfd;		  /**< our duplicate, or -1; from message to message */
	int irqfd;		  /**< by which the device interrupts, or -1; while it runs */
	struct svq_vdpa_rings at; /**< valid while started */
	struct svq_queue_stats past;	 /**< counters of shadow queues that are gone */
	struct svq_queue_stats baseline; /**< what they showed when last cleared */
};

/** A vdpa_svq device and, if it has one, its port. */
struct svq_vdpa {
	/* Of the registry, under its lock. */
	struct svq_vdpa *next;
	unsigned int users;
	char path[SVQ_VDPA_PATH_MAX]; /**< port, "" without */
	bool client;
	bool closing; /**< the port is being closed */

	/* From probe to remove. */
	char name[SVQ_VDPA_NAME_MAX];
	struct rte_vdpa_device *vdpa;
	pthread_mutex_t lock;
	struct svq_device *dev;
	struct svq_dma *dma;
	struct svq_guest *guest;
	uint16_t max_pairs;
	uint16_t queue_size; /**< of the shadow rings; 0: as large as the guest's */
	uint32_t idle_us;    /**< struct svq_vdpa_port_conf */

	/* The life cycle (svq_vdpa_lifecycle.c). */
	enum svq_vdpa_state state;
	int vid;			   /**< of the front-end's connection, -1 without */
	int waiting[SVQ_VDPA_MAX_CONNS];   /**< connections on the port, -1: free */
	char where[SVQ_VDPA_PATH_MAX + 8]; /**< "port PATH", for logs */
	uint64_t features;		   /**< negotiated with the guest */
	uint16_t n_pairs;		   /**< pairs that the device was started with */
	int numa_node;			   /**< of the shadow rings */
	uint64_t paused_at;		   /**< timer cycles, valid in SVQ_VDPA_PAUSED */
	bool quarantined; /**< the device broke and was reset; it starts with the front-end's next
			     start */
	int conf_error;	  /**< of the last configuration: a retry logs only what is new */
	struct svq_vdpa_vring vrings[2 * SVQ_VDPA_MAX_PAIRS];
	struct svq_pair pairs[SVQ_VDPA_MAX_PAIRS];
	bool served[SVQ_VDPA_MAX_PAIRS];  /**< given to a worker */
	bool enabled[SVQ_VDPA_MAX_PAIRS]; /**< switched on at the device */

	/* The message being handled (svq_vdpa_msg.c). */
	uint32_t request;		      /**< enum svq_vhost_request, 0 between messages */
	bool handlers;			      /**< registered for this connection */
	bool lib_mem;			      /**< librte_vhost holds a memory table */
	int lib_guard[SVQ_VHOST_MAX_REGIONS]; /**< of its mappings (svq_guest_guard.h) */
	unsigned int n_lib_guards;
	atomic_bool lib_lost;		  /**< a page of them was lost */
	struct svq_dirty_log log;	  /**< our mapping of the dirty log */
	int log_guard;			  /**< of that mapping (svq_guest_guard.h) */
	struct svq_complaints complaints; /**< for all log lines that its guest can cause */

	/* The device's configuration (svq_vdpa_config.c). */
	int config_fd;			     /**< that it writes at a change, or -1 */
	struct rte_intr_handle *config_intr; /**< of that, from probe to remove */
	uint16_t link;			     /**< VIRTIO_NET_S_LINK_UP or 0, as last seen */
	bool offer_config;		     /**< to front-ends, with config=1 */
	bool backend_channel;		     /**< the front-end gave one */

	/* Counters. */
	struct svq_vdpa_port_stats stats;
	struct svq_vdpa_port_stats stats_baseline;
	struct svq_device_stats device_baseline;
};

/* ---- the registry (svq_vdpa_registry.c); without the lock ---- */

/** Add a device. @return 0; -EEXIST: the name is taken. */
int svq_vdpa_registry_add(struct svq_vdpa *d);
/** Take a device out. @return 0; -EBUSY: it has a port or a user. */
int svq_vdpa_registry_del(struct svq_vdpa *d);
/** Find a device and keep it from being removed until svq_vdpa_put(); NULL: none. */
struct svq_vdpa *svq_vdpa_get(const char *name);
struct svq_vdpa *svq_vdpa_get_by_vdpa(const struct rte_vdpa_device *vdpa);
struct svq_vdpa *svq_vdpa_get_by_path(const char *path);
void svq_vdpa_put(struct svq_vdpa *d);
/** Give a device a port. @return 0; -EBUSY: it has one; -EEXIST: another device has that path. */
int svq_vdpa_registry_port_add(struct svq_vdpa *d, const char *path, bool client);
/** Mark a device's port as being closed. @return 0; -ENOENT: no port, or closing already. */
int svq_vdpa_registry_port_close(struct svq_vdpa *d);
void svq_vdpa_registry_port_del(struct svq_vdpa *d);
/** Copy the port's path and mode. */
void svq_vdpa_registry_port(const struct svq_vdpa *d, char *path, bool *client);

/* ---- guest memory (svq_vdpa_mem.c) ---- */

/** librte_vhost's memory table, copied. */
struct svq_vdpa_table {
	unsigned int n;
	struct {
		uint64_t gpa;
		uint64_t size;
		uint64_t qva;	 /**< where the front-end has it */
		uint64_t hva;	 /**< where librte_vhost mapped it: not our mapping */
		uint64_t offset; /**< in its file */
		int fd;		 /**< librte_vhost's */
	} r[SVQ_VHOST_MAX_REGIONS];
};

/** Read the table. @return 0; -ENOENT: there is none; -E2BIG; -ENOMEM. */
int svq_vdpa_table_read(const struct svq_vdpa *d, struct svq_vdpa_table *t);
/** GPA of a range given as the front-end's address. @return 0; -EFAULT: not inside one region. */
int svq_vdpa_table_qva(const struct svq_vdpa_table *t, uint64_t qva, uint64_t len, uint64_t *gpa);
/** GPA of a range given as librte_vhost's address. @return 0; -EFAULT. */
int svq_vdpa_table_hva(const struct svq_vdpa_table *t, uint64_t hva, uint64_t len, uint64_t *gpa);

/** Map what librte_vhost's present table adds. @return 0; as svq_vdpa_table_read() and
 * svq_guest_prepare(), logged. */
int svq_vdpa_mem_prepare(struct svq_vdpa *d, struct svq_guest_diff *diff);
/** Make the prepared table known to the device. @return 0; as svq_dma_guest_apply(), logged; the
 * change is then forgotten. */
int svq_vdpa_mem_apply(struct svq_vdpa *d, const struct svq_guest_diff *diff);
/** Give up the old table's memory; nobody uses it any more. */
void svq_vdpa_mem_commit(struct svq_vdpa *d);
/** Guard librte_vhost's own mappings of guest memory, which it touches now and then; and stop it.
 */
void svq_vdpa_mem_guard(struct svq_vdpa *d);
void svq_vdpa_mem_unguard(struct svq_vdpa *d);
/** Give up all guest memory. */
void svq_vdpa_mem_clear(struct svq_vdpa *d);

/** Whether the device broke while it ran. In svq_vdpa_lifecycle.c. */
bool svq_vdpa_is_broken(const struct svq_vdpa *d);

/** Log why a configuration failed, unless the last one failed likewise: librte_vhost retries it at
 * every message. In svq_vdpa_lifecycle.c. */
void svq_vdpa_conf_fail(const struct svq_vdpa *d, int error, const char *fmt, ...)
	__rte_format_printf(3, 4);

/* ---- vrings and pairs (svq_vdpa_vring.c) ---- */

/** Create the shadow queues of all pairs and tell the device. @return 0; negative errno, logged;
 * svq_vdpa_vrings_destroy() undoes a part. */
int svq_vdpa_vrings_create(struct svq_vdpa *d, uint64_t device_features);
/** Destroy the shadow queues; the device is stopped. Their counters stay. */
void svq_vdpa_vrings_destroy(struct svq_vdpa *d);
/**
 * Attach a vring as librte_vhost describes it now, anew if it is attached already; chains in
 * flight stay so. @return 0; negative errno, logged and counted: the vring is not served.
 */
int svq_vdpa_vring_attach(struct svq_vdpa *d, uint16_t qid);
/** Attach all started vrings anew where the present memory table has their rings. */
void svq_vdpa_vrings_relocate(struct svq_vdpa *d);
/** The front-end wants to be told by @p fd (-1: not) when the vring breaks. */
void svq_vdpa_vring_set_err(struct svq_vdpa *d, uint16_t qid, int fd);
/** Forget all such descriptors. */
void svq_vdpa_vrings_forget_err(struct svq_vdpa *d);
/** Take back from the stopped device what is in flight, and hand librte_vhost the bases. */
void svq_vdpa_vrings_recall(struct svq_vdpa *d);
/** Return to the guest what the device has completed on a vring; nobody serves its pair. */
void svq_vdpa_vring_finish(struct svq_vdpa *d, uint16_t qid);
/**
 * Reset one queue of the running device: what it completed is returned, what it did not becomes
 * available again, and it starts over. Nobody serves the pair. @return 0; negative errno: the
 * device has to be stopped.
 */
int svq_vdpa_vring_reset(struct svq_vdpa *d, uint16_t qid);
/** Hand librte_vhost the position of each started vring. */
void svq_vdpa_vrings_set_bases(struct svq_vdpa *d);
/** Notify the running device of every queue that is attached, whether it asks for that or not. */
void svq_vdpa_vrings_kick(struct svq_vdpa *d);
/** Start, change or stop dirty logging of all queues. */
void svq_vdpa_vrings_set_log(struct svq_vdpa *d);

/** Give a pair to a worker, with those of its vrings that are ready and started, if any.
 * @return 0; negative errno, logged. */
int svq_vdpa_pair_serve(struct svq_vdpa *d, uint16_t pair);
/** Take a pair from its worker; its vrings stay attached. */
void svq_vdpa_pair_unserve(struct svq_vdpa *d, uint16_t pair);
int svq_vdpa_pairs_serve(struct svq_vdpa *d);
void svq_vdpa_pairs_unserve(struct svq_vdpa *d);

/* ---- counters (svq_vdpa_stats.c) ---- */

/** Add the counters of a shadow queue that goes. */
void svq_vdpa_stats_fold(struct svq_vdpa_vring *vr);
/** A vring's counters since the last clear. */
void svq_vdpa_stats_vring(const struct svq_vdpa_vring *vr, struct svq_queue_stats *stats);
void svq_vdpa_stats_clear_vring(struct svq_vdpa_vring *vr);

/* ---- messages (svq_vdpa_msg.c, svq_vdpa_screen.c) ---- */

/** Have librte_vhost show us a connection's messages. @return 0; -EIO, logged. */
int svq_vdpa_msg_register(struct svq_vdpa *d, int vid);
/** Whether to log one more refusal: a front-end must not fill the disk. */
bool svq_vdpa_may_complain(struct svq_vdpa *d);
/** Forget the dirty log, the message, and that there was memory. */
void svq_vdpa_msg_reset(struct svq_vdpa *d);

/** Why a message is refused. */
struct svq_vdpa_refusal {
	int qid;	  /**< the one vring that it would spoil: the connection goes on; or -1 */
	char reason[160]; /**< for the log */
};

/** Whether the descriptor is an eventfd: the only kind that surely neither blocks nor signals
 * whoever writes or polls it. If not, @p what (64 bytes) says what it is. */
bool svq_vdpa_is_eventfd(int fd, char *what);
/** Name of a request, "request N" if unknown; @p buf holds 32 bytes. */
const char *svq_vdpa_screen_name(uint32_t request, char *buf);
/** Whether librte_vhost may have the message. @return true; false with @p why filled. */
bool svq_vdpa_screen(const struct svq_vdpa *d, const struct svq_vhost_msg_ctx *ctx,
	struct svq_vdpa_refusal *why);

/* ---- the device's configuration (svq_vdpa_config.c) ---- */

/** Listen to changes, from probe to remove. Without the lock. @return 0; negative errno. */
int svq_vdpa_config_open(struct svq_vdpa *d);
void svq_vdpa_config_close(struct svq_vdpa *d);
/** The device, which has its features, is about to start. */
void svq_vdpa_config_start(struct svq_vdpa *d);
/** The running device told of a change: look at it, pass it on. */
void svq_vdpa_config_changed(struct svq_vdpa *d);
/** Answer a GET_CONFIG that was screened. */
enum rte_vhost_msg_result
svq_vdpa_config_reply(const struct svq_vdpa *d, struct svq_vhost_msg_ctx *ctx);

/** Protocol features for the front-end. In svq_vdpa_ops.c. */
uint64_t svq_vdpa_protocol_features(const struct svq_vdpa *d);

/* ---- operations (svq_vdpa_ops.c); without the lock ---- */

/** The device whose connection this is, locked and kept; NULL: none. */
struct svq_vdpa *svq_vdpa_enter(int vid);
void svq_vdpa_leave(struct svq_vdpa *d);
/** Likewise; a device without a front-end takes this one. NULL: it has another, logged. */
struct svq_vdpa *svq_vdpa_enter_or_claim(int vid);
/** A connection was made on the device's port. @return 0; -ENODEV; -EBUSY: too many; -EIO. */
int svq_vdpa_connect(int vid);

/* ---- svq_vdpa_socket.c ---- */

/** Keep a front-end from blocking the thread that serves all of them. */
void svq_vdpa_socket_limit(int vid);
/** Likewise on the channel that it gave us for messages of our own. */
void svq_vdpa_socket_limit_channel(int fd);

extern struct rte_vdpa_dev_ops svq_vdpa_dev_ops;

#endif /* SVQ_VDPA_PRIV_H */
