/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_H
#define SOFT_H

/**
 * @file
 * The software virtio-net device: what its parts share.
 *
 * Concepts
 *
 * soft_device.c is the device's control side, soft_net.c moves packets between the rings and a
 * back-end, a back-end (loopback, null, ethdev) decides where packets go. Rings and buffers are
 * reached only through soft_iommu.h.
 *
 * A queue pair is served by one thread, which writes only that pair; what it counts is read by any
 * thread. A fault of the driver stops the whole device: it needs a reset.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_log.h>

#include <svq_device.h>

#include "soft_args.h"
#include "soft_iommu.h"
#include "soft_offload.h"
#include "soft_ring.h"

/** Packets moved in each direction by one poll, at most. */
#define SOFT_BURST 32

/** Bytes of the longest frame: 64 KiB of payload behind an Ethernet header, which makes the
 * largest receive buffer of virtio 1.2, 5.1.6.3.1. */
#define SOFT_MAX_FRAME (65536 + 14)

/** Bytes of the longest virtio-net header. */
#define SOFT_MAX_HDR 12

extern int soft_logtype;

/** Log one line on device @p dev. */
#define SOFT_LOG(level, name, fmt, ...) \
	rte_log(RTE_LOG_##level, soft_logtype, "soft: %s: " fmt "\n", name, ##__VA_ARGS__)

/** A receive chain that is reserved for a packet. */
struct soft_slot {
	struct soft_head head;
	uint32_t len;
};

/** What one pair counts; one writer. */
struct soft_counters {
	_Atomic uint64_t iommu_faults;
	_Atomic uint64_t translations;
	_Atomic uint64_t rx_packets;
	_Atomic uint64_t tx_packets;
	_Atomic uint64_t rx_drops;
	_Atomic uint64_t tx_drops;
	_Atomic uint64_t ring_errors;
};

/** Add to a counter that no other thread writes. */
static inline void
soft_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

/** One queue pair. */
struct soft_pair {
	struct soft_ring rx;
	struct soft_ring tx;
	uint16_t index;
	bool enabled;		 /**< by pair_enable */
	bool ready;		 /**< both queues are live */
	bool asleep;		 /**< waits for a kick */
	struct soft_buf *src;	 /**< where a packet comes from; [0] is for a header */
	unsigned int n_src;	 /**< entries of src */
	struct soft_buf *dst;	 /**< where it goes; an entry for each byte of the longest */
	struct soft_slot *slots; /**< receive chains of dst; one for each descriptor */
	struct soft_counters counters;
} __rte_cache_aligned;

struct soft_dev;
struct soft_misbehave;

/** Where packets go to and come from. */
struct soft_backend {
	const char *name;
	uint64_t offloads; /**< SOFT_OFFLOADS that it does; a port's are found by open */
	/** Set up for dev->args; logs why not. May be NULL. @return 0 or a negative errno. */
	int (*open)(struct soft_dev *dev);
	/** Undo open. May be NULL. */
	void (*close)(struct soft_dev *dev);
	/** The driver is ready. May be NULL. */
	void (*start)(struct soft_dev *dev);
	/** The driver is gone: give up its packets. May be NULL. */
	void (*stop)(struct soft_dev *dev);
	/** Pairs may have been switched on or off. May be NULL. */
	void (*share)(struct soft_dev *dev);
	/** Serve one pair. Datapath. @return packets moved. */
	unsigned int (*poll)(struct soft_dev *dev, struct soft_pair *pair);
	/** As svq_device_ops.poll_sleep; NULL: packets come only from the driver. */
	int (*poll_sleep)(struct soft_dev *dev, struct soft_pair *pair);
	/** As svq_device_ops.poll_wake; may be NULL. */
	void (*poll_wake)(struct soft_dev *dev, struct soft_pair *pair);
	/** As svq_device_ops.poll_fd; may be NULL. */
	int (*poll_fd)(struct soft_dev *dev, struct soft_pair *pair);
	/** Whether the link is up. NULL: always. */
	bool (*link)(struct soft_dev *dev);
	/** Print a line on what open set up. May be NULL. */
	void (*dump)(struct soft_dev *dev, FILE *f);
};

extern const struct soft_backend soft_loopback;
extern const struct soft_backend soft_null;
extern const struct soft_backend soft_ethdev;

/** An instance. */
struct soft_dev {
	struct svq_device dev;	   /**< first: the operations are given this */
	struct svq_device_ops ops; /**< of dev, as the arguments make them */
	struct soft_args args;
	const struct soft_backend *backend;
	void *backend_data;
	struct soft_misbehave *misbehave; /**< NULL: it behaves */
	struct soft_iommu iommu;
	uint64_t features;	     /**< accepted by the driver */
	uint16_t hdr_len;	     /**< bytes of the header before each packet */
	struct soft_offload offload; /**< as accepted by the driver */
	bool mergeable;		     /**< a packet may take several receive chains */
	uint64_t offloads;	     /**< what the back-end does of SOFT_OFFLOADS */
	uint16_t mtu;		     /**< of the back-end's link; 0: unknown */
	int numa_node;		     /**< of the back-end, or SOCKET_ID_ANY */
	_Atomic uint8_t status;	     /**< SVQ_DEVICE_S_* */
	_Atomic int config_fd; /**< eventfd for changes of config space and NEEDS_RESET, or -1 */
	struct soft_pair *pairs;
};

/** The configuration space or NEEDS_RESET changed. Any thread. */
static inline void
soft_dev_config_changed(const struct soft_dev *dev)
{
	int fd = atomic_load_explicit(&dev->config_fd, memory_order_relaxed);

	if (fd >= 0)
		(void)eventfd_write(fd, 1);
}

/** Whether the device is running and unharmed. */
static inline bool
soft_dev_running(const struct soft_dev *dev)
{
	return atomic_load_explicit(&dev->status, memory_order_relaxed) == SVQ_DEVICE_S_DRIVER_OK;
}

/**
 * The driver broke a rule on one ring: count it, stop the device, log one line.
 *
 * @param error
 *   -EFAULT or -EPROTO, as from soft_ring.h.
 */
void soft_dev_fault(struct soft_dev *dev, struct soft_pair *pair, const struct soft_ring *ring,
	const struct soft_access *access, int error);

#endif /* SOFT_H */
