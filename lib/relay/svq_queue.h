/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_QUEUE_H
#define SVQ_QUEUE_H

/**
 * @file
 * A shadow virtqueue: the guest's vring on one side, a ring of our own before the device on the
 * other.
 *
 * Concepts
 *
 * The device side (the shadow ring) is host-only memory and lives as long as the device runs. The
 * guest side is attached and detached as the front-end starts and stops the vring; chains in
 * flight survive that. A guest's chain is read once, checked, translated and published to the
 * device; the device's used entries are checked against what is in flight and returned to the
 * guest.
 *
 * A fault of the guest or the device breaks the queue: it stops, logs one line, counts the reason.
 * Attaching it anew after a device reset mends it.
 *
 * Threads: svq_queue_avail() and svq_queue_used() are called by the one thread that serves the
 * queue (see svq_worker.h); everything else by a control thread while nobody serves the queue,
 * except where a function says "any thread".
 */

#include <stdbool.h>
#include <stdint.h>

#include <svq_complaint.h>
#include <svq_device.h>
#include <svq_dirty_log.h>
#include <svq_dma.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a queue broke. */
enum svq_queue_error {
	SVQ_QUEUE_OK,
	/* The guest's faults. */
	SVQ_QUEUE_E_AVAIL_IDX,	/**< avail->idx is more than the ring size ahead */
	SVQ_QUEUE_E_HEAD,	/**< a head beyond the table, or in flight already */
	SVQ_QUEUE_E_NEXT,	/**< a next field beyond the table */
	SVQ_QUEUE_E_LOOP,	/**< a chain longer than the ring: it loops */
	SVQ_QUEUE_E_ORDER,	/**< a device-readable descriptor after a device-writable one */
	SVQ_QUEUE_E_ZERO_LEN,	/**< a descriptor of length 0 */
	SVQ_QUEUE_E_TOTAL_LEN,	/**< a chain of 2^32 bytes or more */
	SVQ_QUEUE_E_INDIRECT,	/**< indirect table: not negotiated, bad size, nested, chained on */
	SVQ_QUEUE_E_ADDRESS,	/**< an address range outside guest memory or wrapping */
	SVQ_QUEUE_E_PERMISSION, /**< device-writable in memory that is read-only */
	SVQ_QUEUE_E_TOO_LONG,	/**< a chain that can never fit the shadow ring */
	SVQ_QUEUE_E_DIRECTION,	/**< a buffer that the device of this queue can do nothing with */
	SVQ_QUEUE_E_SHORT,	/**< a chain shorter than the header that it must hold */
	SVQ_QUEUE_E_CALL, /**< the eventfd that calls the guest cannot be written without waiting */
	SVQ_QUEUE_E_MEMORY_LOST, /**< the front-end took away memory that is mapped */
	/* The device's faults. */
	SVQ_QUEUE_E_USED_IDX,	 /**< used->idx is beyond what is in flight */
	SVQ_QUEUE_E_USED_ID,	 /**< an id that is not in flight */
	SVQ_QUEUE_E_USED_WRAP,	 /**< packed: flags of neither an available nor a used one */
	SVQ_QUEUE_E_USED_LEN,	 /**< more bytes written than the chain's writable part */
	SVQ_QUEUE_E_NEEDS_RESET, /**< the device set NEEDS_RESET */
	SVQ_QUEUE_E_GONE,	 /**< the device reads as all ones: nobody answers */
	SVQ_QUEUE_E_MAX,
	/** No fault of this queue, and not counted: its device broke, see svq_device_break(). */
	SVQ_QUEUE_E_DEVICE = SVQ_QUEUE_E_MAX,
};

/** Short name of an error, as used in logs and counters ("avail_idx", ...). */
const char *svq_queue_error_name(enum svq_queue_error error);

/** Counters of one queue since its creation; written by its worker, read by any thread. */
struct svq_queue_stats {
	uint64_t chains;	   /**< chains made available to the device */
	uint64_t descs;		   /**< guest descriptors in them */
	uint64_t bytes;		   /**< bytes moved: readable ones for TX, written ones for RX */
	uint64_t bursts;	   /**< bursts with at least one chain */
	uint64_t used;		   /**< chains returned to the guest */
	uint64_t used_bursts;	   /**< bursts with at least one used entry */
	uint64_t kicks;		   /**< notifications sent to the device */
	uint64_t kicks_suppressed; /**< bursts less these */
	uint64_t calls;		   /**< notifications sent to the guest */
	uint64_t calls_suppressed; /**< used bursts less these */
	uint64_t translations;	   /**< buffers translated */
	uint64_t splits;	   /**< buffers split at region borders */
	uint64_t indirect;	   /**< chains that came as indirect tables */
	uint64_t shadow_indirect;  /**< chains that the device has as a table of ours */
	uint64_t held_back; /**< chains that the device completed before earlier ones, and that
			       waited for these, as the guest has VIRTIO_F_IN_ORDER */
	uint64_t stalls;    /**< polls that found chains but no room in the shadow ring */
	/** TSC cycles spent in bursts that moved something. Of a busy queue's bursts one in 61
	 * is timed, and stands for as many. */
	uint64_t cycles;
	uint64_t errors[SVQ_QUEUE_E_MAX]; /**< faults by kind */
};

/** Device side of a queue. */
struct svq_queue_conf {
	const char *name;    /**< of the port, for logs; copied */
	struct svq_dma *dma; /**< address space; must outlive the queue */
	uint16_t qid;	     /**< virtqueue index at the guest and at the device */
	uint16_t size;	     /**< shadow ring, descriptors; power of two, 2..32768 */
	uint64_t features;   /**< negotiated with the device */
	int numa_node;	     /**< where to allocate, or -1 */
	int irqfd;	     /**< eventfd that the device was given by queue_irq, or -1; borrowed */
	/** What its log lines are paid from; must outlive the queue. NULL: they are not limited. */
	struct svq_complaints *complaints;
	/**
	 * Bytes of the header that begins each chain of a network device (virtio 1.2, 5.1.6); a
	 * chain of an odd queue must then be readable throughout, of an even one writable. 0:
	 * chains are not looked into.
	 */
	uint32_t net_header;
	bool scalar; /**< use no vector instructions even where the CPU has them: for comparisons */
};

/** Guest side of a queue. Addresses are HVAs of our own mapping of guest memory, validated. */
struct svq_queue_guest {
	void *desc;	   /**< descriptor table or packed ring, 16 * size bytes */
	void *avail;	   /**< available ring, 6 + 2 * size bytes; packed: driver event area, 4 */
	void *used;	   /**< used ring, 6 + 8 * size bytes; packed: device event area, 4 */
	uint64_t desc_gpa; /**< guest-physical addresses of the same, for the dirty log */
	uint64_t avail_gpa;
	uint64_t used_gpa;
	uint32_t size; /**< split: a power of two, 2..32768; packed: 1..32768 */
	/**
	 * Next available index to read = next used index to write; packed: bits 0-14 the position,
	 * bit 15 the wrap counter.
	 */
	uint16_t base;
	uint64_t features; /**< negotiated with the guest; VIRTIO_F_RING_PACKED tells the format */
	int callfd;	   /**< eventfd that interrupts the guest, or -1; borrowed until detach */
	int kickfd;	   /**< eventfd by which the guest kicks, or -1; borrowed until detach */
};

/** One of the three areas of a vring in guest memory. */
struct svq_queue_area {
	uint64_t bytes;
	uint32_t align; /**< of its address, bytes */
};

/** What a vring takes of guest memory, event fields included (virtio 1.2, 2.7 and 2.8). */
struct svq_queue_layout {
	struct svq_queue_area desc;
	struct svq_queue_area avail;
	struct svq_queue_area used;
};

/**
 * Areas of a guest's vring.
 *
 * @param features
 *   Negotiated with the guest; VIRTIO_F_RING_PACKED tells the format.
 * @param size
 *   Descriptors.
 * @return 0; -EINVAL: split rings have a power of two, 2..32768, packed ones 1..32768.
 */
int svq_queue_layout(uint64_t features, uint32_t size, struct svq_queue_layout *layout);

struct svq_queue;

/** Create the shadow ring. @return 0; -EINVAL; -ENOMEM; -ENOSPC. */
int svq_queue_create(const struct svq_queue_conf *conf, struct svq_queue **queue);

/** Free; NULL is allowed. The device is stopped, the queue detached. */
void svq_queue_destroy(struct svq_queue *queue);

/** What to tell the device's queue_setup. */
void svq_queue_device(const struct svq_queue *queue, struct svq_device_queue *out);

/**
 * Attach the guest's vring. Chains of an earlier attachment that are still in flight stay so: the
 * ring must then be the same one, and VIRTIO_F_IN_ORDER as before.
 *
 * @return 0; -EINVAL (size, base, alignment; not the ring of the chains in flight); -EBUSY
 * (attached).
 */
int svq_queue_attach(struct svq_queue *queue, const struct svq_queue_guest *guest);

/** Leave the guest's vring alone from now on. Idempotent. */
void svq_queue_detach(struct svq_queue *queue);

/**
 * After a device reset, with the vring attached: every chain in flight becomes available again. The
 * base is rewound by their number; where the device had completed out of order, the guest's
 * available ring entries from the base on are rewritten (and logged) to name just the chains that
 * are not completed. The shadow ring is emptied and a broken queue mended.
 *
 * Without a vring attached, chains in flight are forgotten.
 *
 * @return number of chains recalled.
 */
uint32_t svq_queue_recall(struct svq_queue *queue);

/** Available index to go on from: what GET_VRING_BASE answers after svq_queue_recall(). Survives
 * detach. */
uint16_t svq_queue_base(const struct svq_queue *queue);

/** Start, change or (log NULL or base NULL) stop dirty logging. */
void svq_queue_set_log(struct svq_queue *queue, const struct svq_dirty_log *log);

/** Chains in flight: at the device, or held back for a guest with VIRTIO_F_IN_ORDER. Any thread. */
uint32_t svq_queue_inflight(const struct svq_queue *queue);

/** Whether the device has half as many chains as it can be given, and a burst of them at least. The
 * queue's worker only. */
bool svq_queue_stocked(const struct svq_queue *queue);

/** Whether a chain at the device has a buffer in the guest range [gpa, gpa+size). */
bool svq_queue_inflight_overlaps(const struct svq_queue *queue, uint64_t gpa, uint64_t size);

/** Have an eventfd written when the queue breaks; -1: none, as at first. Borrowed until the next
 * call. */
void svq_queue_set_errfd(struct svq_queue *queue, int fd);

/** Why the queue is broken, or SVQ_QUEUE_OK. Any thread. */
enum svq_queue_error svq_queue_error(const struct svq_queue *queue);

/** Break the queue for a reason found elsewhere (SVQ_QUEUE_E_NEEDS_RESET, SVQ_QUEUE_E_MEMORY_LOST).
 * A device that is gone seems to need a reset, too, and is told apart here. */
void svq_queue_break(struct svq_queue *queue, enum svq_queue_error error);

/** Counters. Any thread. */
void svq_queue_stats(const struct svq_queue *queue, struct svq_queue_stats *stats);

/** Shadow ring size in descriptors. */
uint16_t svq_queue_size(const struct svq_queue *queue);

/** Notify the device whether it asks for that or not, while nobody serves the queue. */
void svq_queue_kick(struct svq_queue *queue);

/**
 * Ask the guest to kick and the device to interrupt when they next make something available or
 * used; or (@p on false, as at attach) ask them not to. Whoever goes to sleep must look at the
 * rings once more behind a full barrier. By the thread that serves the queue.
 */
void svq_queue_listen(struct svq_queue *queue, bool on);

/** The eventfds by which they then do so, or -1. */
int svq_queue_kickfd(const struct svq_queue *queue);
int svq_queue_irqfd(const struct svq_queue *queue);

/** Move available chains of one burst from the guest to the device. @return chains moved. */
unsigned int svq_queue_avail(struct svq_queue *queue);

/** Move used entries of one burst from the device to the guest. @return chains taken from the
 * device. */
unsigned int svq_queue_used(struct svq_queue *queue);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_QUEUE_H */
