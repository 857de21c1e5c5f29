/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_VDPA_H
#define SVQ_VDPA_H

/**
 * @file
 * The vDPA driver "vdpa_svq" as an application sees it.
 *
 * Concepts
 *
 * `--vdev 'vdpa_svq0,device=soft,queues=4,...'` (or rte_eal_hotplug_add("vdev", ...)) creates a
 * vDPA device. A port is a vhost-user socket with such a device behind it: svq_vdpa_port_open()
 * creates the socket, attaches the device, sets the feature masks and message screening that the
 * relay needs. One port a device, one device a port.
 *
 * All functions may be called by any thread but workers and librte_vhost callbacks. They return 0
 * or a negative errno.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <svq_queue.h>
#include <svq_worker.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVQ_VDPA_NAME_MAX 64
#define SVQ_VDPA_PATH_MAX 108 /**< sizeof(sun_path), with the final NUL */

/** Where a port stands; the states of the life cycle. */
enum svq_vdpa_state {
	SVQ_VDPA_IDLE,	    /**< no front-end, or one that has not said anything yet */
	SVQ_VDPA_CONNECTED, /**< front-end connected, not yet configured, or stopped by it */
	SVQ_VDPA_RUNNING,   /**< configured: enabled queues are served */
	SVQ_VDPA_PAUSED,    /**< memory table or dirty log is being changed; the device keeps its
			       buffers */
	SVQ_VDPA_BROKEN,    /**< the device failed; needs the front-end to stop and start it */
};

const char *svq_vdpa_state_name(enum svq_vdpa_state state);

/** Faults that are not a queue's, since the device was created. */
struct svq_vdpa_port_stats {
	uint64_t connections;	 /**< front-ends that connected and sent a message */
	uint64_t disconnections; /**< front-ends that went */
	uint64_t starts;	 /**< successful configurations */
	uint64_t start_failures; /**< failed configurations */
	uint64_t device_breaks;	 /**< times that the device broke the rules, and was reset */
	uint64_t mem_changes;	 /**< memory tables applied while connected */
	uint64_t mem_kept;	 /**< regions that a change left alone */
	uint64_t mem_added;	 /**< regions mapped */
	uint64_t mem_removed;	 /**< regions unmapped */
	uint64_t mem_restarts;	 /**< changes at which the device was restarted, because it did not
				      return the buffers that it held in memory that went */
	uint64_t mem_queue_resets; /**< queues that were reset instead, the others going on */
	uint64_t mem_pause_us;	   /**< microseconds that changes kept traffic waiting, in all */
	uint64_t mem_pause_max_us; /**< the longest of these pauses */
	uint64_t recalled;	   /**< chains taken back from the device at a stop */
	uint64_t bad_messages;	   /**< vhost-user messages refused by screening */
	uint64_t bad_rings;	   /**< vrings refused: address, size, or no memory table */
	uint64_t config_changes;   /**< times that the device told of a change */
	uint64_t link_changes;	   /**< of these, its link went up or down */
	uint64_t dma_maps;	   /**< mappings made at the device */
	uint64_t dma_unmaps;	   /**< mappings removed from it */
};

/** One device and its port, a copy. */
struct svq_vdpa_info {
	char name[SVQ_VDPA_NAME_MAX]; /**< vdev name */
	char device[32];	      /**< device type */
	char path[SVQ_VDPA_PATH_MAX]; /**< socket, "" without a port */
	bool client;		      /**< we connect to the front-end's socket */
	uint32_t idle_us;	      /**< of the port, see struct svq_vdpa_port_conf */
	int vid;		      /**< librte_vhost's id, -1 without a front-end */
	enum svq_vdpa_state state;
	uint16_t max_pairs; /**< pairs that the device was created with */
	uint16_t pairs;	    /**< pairs being served */
	int numa_node;	    /**< of the shadow rings, -1 unknown */
	uint64_t features;  /**< negotiated with the guest */
	struct svq_vdpa_port_stats stats;
	struct svq_device_stats device_stats;
};

/** One queue, a copy. */
struct svq_vdpa_queue_info {
	uint16_t qid;
	bool ready;			  /**< the front-end enabled it */
	bool attached;			  /**< it is being relayed */
	uint32_t guest_size;		  /**< descriptors; 0 unknown */
	uint16_t device_size;		  /**< descriptors; 0 unknown */
	uint16_t base;			  /**< next available index */
	uint32_t inflight;		  /**< chains at the device */
	int lcore;			  /**< who serves it, -1 nobody */
	enum svq_queue_error error;	  /**< why it is broken */
	struct svq_pair_sleep_info sleep; /**< of its pair */
	struct svq_queue_stats stats;	  /**< since the last clear; they outlive reconnections */
};

/** Names of all devices, in order of creation. @return how many there are; at most @p max are
 * written. */
unsigned int svq_vdpa_list(char (*names)[SVQ_VDPA_NAME_MAX], unsigned int max);

/** @return 0; -ENODEV: no vdpa_svq device of that name. */
int svq_vdpa_info_get(const char *name, struct svq_vdpa_info *info);

/** Fill up to @p max queues. @return their number; -ENODEV. */
int svq_vdpa_queues_get(const char *name, struct svq_vdpa_queue_info *queues, unsigned int max);

/** Set all counters of a device and its queues to zero. @return 0; -ENODEV. */
int svq_vdpa_stats_clear(const char *name);

/** Print the memory table as the guest sees it. @return 0; -ENODEV. */
int svq_vdpa_memory_dump(const char *name, FILE *f);

/** Print the three address tables, aliases marked. @return 0; -ENODEV. */
int svq_vdpa_iova_dump(const char *name, FILE *f);

/** Print the device's own state. @return 0; -ENODEV. */
int svq_vdpa_device_dump(const char *name, FILE *f);

/** Print what becomes of each feature bit, and why, as a Markdown table: doc/features.md has it. */
void svq_vdpa_features_dump(FILE *f);

/** How a port is to be. */
struct svq_vdpa_port_conf {
	bool client; /**< connect (and reconnect) to the front-end's socket instead of listening */
	/**
	 * Queues that have been idle for so many microseconds sleep until the guest kicks or the
	 * device interrupts; 0: they are polled all the time.
	 */
	uint32_t idle_us;
};

/**
 * Create a socket with a device behind it.
 *
 * @param path
 *   Socket path. As a server a stale socket file is replaced, one that somebody listens on is not.
 * @param name
 *   The device.
 * @param conf
 *   NULL: a server whose queues are polled.
 * @return
 *   0; -ENODEV (no such device); -EBUSY (device has a port already); -EEXIST (path is a port
 * already); -ENAMETOOLONG; -EADDRINUSE (somebody listens there); -ENOTSOCK (the path exists and is
 * no socket); -ENOENT/-EACCES (directory); -EIO (librte_vhost refused). Nothing is left behind on
 * error.
 */
int svq_vdpa_port_open(const char *path, const char *name, const struct svq_vdpa_port_conf *conf);

/** Close a port: its front-end is disconnected, the socket file removed. @return 0; -ENOENT. */
int svq_vdpa_port_close(const char *path);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_VDPA_H */
