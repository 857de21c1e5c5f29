/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_DEVICE_H
#define SVQ_DEVICE_H

/**
 * @file
 * What a virtio device is to the relay: one small table of operations.
 *
 * Concepts
 *
 * A device type ("soft", "virtio_pci") registers a struct svq_device_driver by name. An instance
 * is opened from key=value arguments and driven through its operations. The device is given only
 * IOVAs, and only such as were mapped with dma_map before.
 *
 * Order of calls, as in virtio 1.2, 3.1.1: open, set_features, dma_map ..., queue_setup for each
 * queue and, where it is to interrupt, queue_irq, start, notify/poll, stop, close; pair_enable at
 * any time. stop() is a device reset: afterwards the device touches no memory, and set_features,
 * queue_setup, queue_irq and pair_enable must be done anew; mappings stay. Virtqueue 2i is the
 * receive queue of pair i, 2i+1 its transmit queue (virtio 1.2, 5.1.2). With VIRTIO_F_RING_RESET
 * one queue of a started device can be taken out and put back: queue_reset, queue_setup,
 * queue_restart (virtio 1.2, 2.6.1).
 *
 * Threads: one control thread at a time calls all operations but notify, poll, poll_sleep and
 * poll_wake. Those are called for a queue pair by the one thread that serves that pair; the caller
 * makes sure that it does not do so while queue_setup, queue_reset, queue_restart, start, stop or
 * close run.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_kvargs.h>

#include <svq_iova.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVQ_DEVICE_MAX_APERTURES 32

/** What a device can do; fixed from open to close. */
struct svq_device_info {
	uint64_t features;	  /**< feature bits it offers (virtio 1.2, 6 and 5.1.3) */
	uint16_t max_pairs;	  /**< RX/TX queue pairs, >= 1 */
	uint16_t max_queue_size;  /**< descriptors; power of two, 2..32768 */
	uint64_t max_page;	  /**< largest DMA page in bytes that it gains from, >= 4096 */
	uint64_t granule;	  /**< smallest DMA mapping in bytes */
	int numa_node;		  /**< node it is attached to, or -1 */
	unsigned int n_apertures; /**< entries of apertures */
	struct svq_iova_range apertures[SVQ_DEVICE_MAX_APERTURES]; /**< IOVAs it can reach */
};

/** Where one virtqueue of the device lies, in IOVAs; packed with VIRTIO_F_RING_PACKED
 * (virtio 1.2, 2.7, 2.8). */
struct svq_device_queue {
	uint16_t size;	    /**< descriptors, <= max_queue_size; split: a power of two */
	uint64_t desc_iova; /**< descriptor table; packed: the ring, which the device writes, too */
	uint64_t avail_iova; /**< available ring; packed: driver event area */
	uint64_t used_iova;  /**< used ring; packed: device event area */
};

/** Counters of one device, since open. */
struct svq_device_stats {
	uint64_t iommu_faults; /**< accesses that the IOMMU refused */
	uint64_t translations; /**< addresses that the software IOMMU translated */
	uint64_t rx_packets;   /**< packets handed to the driver */
	uint64_t tx_packets;   /**< packets taken from the driver, dropped ones too */
	uint64_t rx_drops;     /**< packets dropped for want of an RX buffer that holds them */
	uint64_t tx_drops;     /**< packets that the back-end refused */
	uint64_t ring_errors;  /**< malformed rings or chains that the device saw */
};

/** Device status bits (virtio 1.2, 2.1) that matter here. */
#define SVQ_DEVICE_S_DRIVER_OK	 0x04
#define SVQ_DEVICE_S_NEEDS_RESET 0x40
/** What is read where no device answers: every bit, those without a meaning, too. */
#define SVQ_DEVICE_S_GONE 0xff

struct svq_device;
struct svq_dma;

/** A device type's operations. Each returns 0 or a negative errno unless it says otherwise. */
struct svq_device_ops {
	/** Free the instance; it has been stopped. */
	void (*close)(struct svq_device *dev);
	/** Accept feature bits, before start. -EINVAL: not a subset of what is offered. -EBUSY:
	 * started. */
	int (*set_features)(struct svq_device *dev, uint64_t features);
	/** Let the device reach [iova, iova+size) = [hva, ..) with enum svq_perm @p perm. -EEXIST:
	 * a byte of it is mapped. -EINVAL: not whole granules, wraps, or lies outside the
	 * apertures. -ENOMEM. */
	int (*dma_map)(
		struct svq_device *dev, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm);
	/**
	 * The address space in which the device may have memory of its own, for a control queue:
	 * from svq_dma_create() on @p dma, from svq_dma_destroy() on NULL. Not started. NULL for a
	 * device that needs none.
	 */
	void (*set_dma)(struct svq_device *dev, struct svq_dma *dma);
	/** Undo one dma_map, whole; on return the device no longer reaches it. -ENOENT: nothing
	 * mapped starts there. -EINVAL: its size differs. */
	int (*dma_unmap)(struct svq_device *dev, uint64_t iova, uint64_t size);
	/** Tell queue @p qid where its rings lie. Before start, or between queue_reset and
	 * queue_restart. -EINVAL: no such queue, size or alignment. -EBUSY: started, and this queue
	 * is not reset. */
	int (*queue_setup)(
		struct svq_device *dev, uint16_t qid, const struct svq_device_queue *queue);
	/**
	 * Have queue @p qid write the eventfd @p fd when it has used buffers and the ring's
	 * notification suppression allows (flags, used_event, driver event area: virtio 1.2, 2.7.7,
	 * 2.8.10); -1: no interrupts, as after open and stop. The descriptor stays the caller's,
	 * open until stop, and is non-blocking; queue_reset leaves it. After set_features, before
	 * start. -EINVAL: no such queue. -EBUSY: started. -ENOSPC: the device has no interrupt
	 * left.
	 */
	int (*queue_irq)(struct svq_device *dev, uint16_t qid, int fd);
	/**
	 * Have changes of the configuration space and of NEEDS_RESET write the eventfd @p fd; -1:
	 * not, as after open and stop. The descriptor stays the caller's, open until stop, and is
	 * non-blocking. After set_features, before start. NULL for a device that never changes.
	 * -EBUSY: started. -ENOSPC: the device has no interrupt left.
	 */
	int (*config_irq)(struct svq_device *dev, int fd);
	/** That eventfd was written, and the new configuration has been read: do what the device
	 * asks of its driver (virtio 1.2, 5.1.6.5.4). May be NULL. */
	void (*config_done)(struct svq_device *dev);
	/**
	 * Reset one queue, while the device runs or not: on return the device touches none of its
	 * memory and has forgotten its rings; buffers that it held are not used. The pair is not
	 * served until queue_restart, other pairs are. NULL for a device without
	 * VIRTIO_F_RING_RESET.
	 * @return 0, also for a queue that is reset already; -EINVAL: no such queue; -ENOTSUP:
	 * VIRTIO_F_RING_RESET was not accepted; -EIO: the device does not answer, stop() it.
	 */
	int (*queue_reset)(struct svq_device *dev, uint16_t qid);
	/**
	 * Take up a queue that was reset and set up since; the device must have been started. It
	 * begins as after start: index 0, packed: wrap counters 1.
	 * @return 0; -EINVAL: no such queue, not started, or not set up since its reset; -EBUSY: it
	 * runs; -ENOTSUP: as queue_reset; -EFAULT: a ring is not mapped; the device is left needing
	 * a reset.
	 */
	int (*queue_restart)(struct svq_device *dev, uint16_t qid);
	/** Switch a queue pair on or off; off: its back-end traffic is not served. After open and
	 * stop, pair 0 is on and the others are off (virtio 1.2, 5.1.6.5.5). -EINVAL: no such
	 * pair. */
	int (*pair_enable)(struct svq_device *dev, uint16_t pair, bool on);
	/** DRIVER_OK. -EBUSY: started. -EINVAL: no pair has both queues set up. -EFAULT: a ring is
	 * not mapped; the device is left needing a reset. */
	int (*start)(struct svq_device *dev);
	/** Reset; idempotent. */
	void (*stop)(struct svq_device *dev);
	/**
	 * Kick queue @p qid. Datapath.
	 *
	 * @param data
	 *   With VIRTIO_F_NOTIFICATION_DATA accepted, what the driver tells with it
	 * (virtio 1.2, 2.9): bits 0-15 the queue; split: 16-31 the next available index; packed:
	 * 16-30 the next position, 31 its wrap counter. Without it, the queue.
	 */
	void (*notify)(struct svq_device *dev, uint16_t qid, uint32_t data);
	/** Run the device's own work for one pair; NULL for a device that needs no CPU. Datapath.
	 * @return packets moved. */
	unsigned int (*poll)(struct svq_device *dev, uint16_t pair);
	/**
	 * Whether poll can be left off for a pair until there is work. What can tell of that is
	 * asked to, until poll_wake. The caller polls once more behind a full barrier, and only if
	 * that moves nothing leaves it off. May be called again meanwhile. NULL: it has to be
	 * called from time to time. Datapath.
	 * @return 0: until the driver makes buffers available; 1: until then, or until poll_fd is
	 * readable; -ENOTSUP: it has to be called from time to time, since work can come, or is
	 * there already and cannot go on, without anybody telling.
	 */
	int (*poll_sleep)(struct svq_device *dev, uint16_t pair);
	/** Polled again: nothing needs to tell of work. After poll_sleep; NULL: nothing to do.
	 * Datapath. */
	void (*poll_wake)(struct svq_device *dev, uint16_t pair);
	/**
	 * The descriptor to wait for where poll_sleep returns 1: readable as long as there may be
	 * work that comes from elsewhere than the driver. It is not to be read; it stays the
	 * device's, the same from the first call to close. NULL for a device without one.
	 * @return it, or -1: there is none for this pair.
	 */
	int (*poll_fd)(struct svq_device *dev, uint16_t pair);
	/** Device status byte. Any thread. */
	uint8_t (*status)(struct svq_device *dev);
	/** Read device-specific configuration (struct virtio_net_config). -EINVAL: out of range. */
	int (*get_config)(struct svq_device *dev, uint32_t offset, void *dst, uint32_t len);
	/** Counters; any thread. */
	void (*stats)(struct svq_device *dev, struct svq_device_stats *stats);
	/** One or more lines on the device's own state for `show devices`. */
	void (*dump)(struct svq_device *dev, FILE *f);
};

/** Common part of an instance; a device type embeds it. */
struct svq_device {
	const struct svq_device_ops *ops;
	const char *type; /**< name of the device type */
	char name[64];	  /**< instance name, for logs */
	struct svq_device_info info;
	bool broken; /**< see svq_device_break() */
	/** Of the device's owner: the device broke. Called by the thread that found out, which may
	 * be one of the datapath: it must not wait. NULL: nobody wants to know. */
	void (*on_break)(void *arg);
	void *on_break_arg;
};

/**
 * The device broke a rule of its rings, or asks to be reset: nothing that it says counts any more,
 * and its owner is to stop() it. Any thread.
 *
 * @return whether this is the first that is heard of it.
 */
bool svq_device_break(struct svq_device *dev);

/** It has been stopped and is to be as new. Control thread. */
void svq_device_mend(struct svq_device *dev);

/** Whether it is broken. Any thread. */
static inline bool
svq_device_broken(const struct svq_device *dev)
{
	return __atomic_load_n(&dev->broken, __ATOMIC_RELAXED);
}

/** A device type. */
struct svq_device_driver {
	struct svq_device_driver *next; /**< owned by the registry */
	const char *name;		/**< value of the devarg device= */
	const char *const *args;	/**< keys that open() understands, NULL-terminated */
	/**
	 * Open an instance. Logs one line that says what to do when it fails.
	 *
	 * @param name
	 *   Instance name.
	 * @param args
	 *   All arguments of the vdev; only keys of @p args are this type's.
	 * @param qsbr
	 *   RCU variable of the threads that will call notify and poll; may be NULL.
	 */
	int (*open)(const char *name, struct rte_kvargs *args, struct rte_rcu_qsbr *qsbr,
		struct svq_device **dev);
};

/** Register a device type; from a constructor (SVQ_DEVICE_DRIVER). */
void svq_device_driver_register(struct svq_device_driver *driver);

/** The type of that name, or NULL. */
const struct svq_device_driver *svq_device_driver_find(const char *name);

/** Call @p cb for each registered type. */
void
svq_device_driver_walk(void (*cb)(const struct svq_device_driver *driver, void *arg), void *arg);

#define SVQ_DEVICE_DRIVER(drv)                      \
	RTE_INIT(svq_device_driver_init_##drv)      \
	{                                           \
		svq_device_driver_register(&(drv)); \
	}

#ifdef __cplusplus
}
#endif

#endif /* SVQ_DEVICE_H */
