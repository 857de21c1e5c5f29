/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SOFT_DRIVER_H
#define SOFT_DRIVER_H

/**
 * @file
 * The driver's side of a device under test: rings, split or packed, and buffers that are written by
 * hand.
 *
 * Concepts
 *
 * Memory is six areas with just the permission that the device needs: rings and indirect tables
 * (read), used rings (write), packed rings (both), transmit buffers (read), receive buffers
 * (write). A slot is the room of one chain: a buffer area, an indirect table, and the pieces that a
 * test cuts the area into.
 *
 * In a packed ring the driver event area lies where a split ring's available ring does, the device
 * event area where its used ring does. Address and length of a descriptor stand where a split one
 * has them, so that a test spoils either through drv_ring.desc and drv_flags(). Of a chain, only
 * the last descriptor holds the id; ids have nothing to do with places.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <svq_device.h>

#define DRV_MAX_PAIRS 2
#define DRV_MAX_SIZE  1024
#define DRV_SLOTS     64
#define DRV_SLOT_SIZE (128 * 1024)

/* Where the areas lie for the device. */
#define DRV_IOVA_RINGS	0x100000
#define DRV_IOVA_USED	0x200000
#define DRV_IOVA_PACKED 0x300000
#define DRV_IOVA_TABLES 0x400000
#define DRV_IOVA_TX	0x10000000
#define DRV_IOVA_RX	0x20000000
#define DRV_AREA_SIZE	(DRV_SLOTS * DRV_SLOT_SIZE)

/* Bytes of the area of used rings. */
#define DRV_USED_SIZE (2 * DRV_MAX_PAIRS * 4 * 4096)

/** Bytes of the area of packed rings. */
#define DRV_PACKED_SIZE (2 * DRV_MAX_PAIRS * DRV_MAX_SIZE * 16)

/** How a chain is laid out. */
enum drv_layout {
	DRV_DIRECT,
	DRV_INDIRECT, /**< one ring descriptor, all pieces in a table */
	DRV_MIXED,    /**< the first piece direct, the others in a table; packed: as indirect */
};

struct drv_piece {
	uint64_t iova;
	uint32_t len;
};

struct drv_slot {
	uint8_t *hva; /**< DRV_SLOT_SIZE bytes */
	uint64_t iova;
	union { /**< room for DRV_MAX_SIZE */
		struct vring_desc *table;
		struct vring_packed_desc *packed_table;
	};
	uint64_t table_iova;
	unsigned int n;
	struct drv_piece pieces[DRV_MAX_SIZE];
	uint16_t id;	     /**< what the device returns */
	unsigned int n_ring; /**< ring descriptors in use */
	uint16_t ring_desc[DRV_MAX_SIZE];
	struct drv_slot *next; /**< free slots */
};

struct drv_ring {
	bool rx;
	uint16_t size;
	bool packed;
	uint16_t avail_idx; /**< packed: place of the next descriptor to write */
	uint16_t used_idx;  /**< packed: place of the next used descriptor */
	bool avail_wrap;
	bool used_wrap;
	bool event_idx;
	bool in_order;
	unsigned int kicks; /**< that the device asked for */
	/** In order: posted slots from fifo_first on; the first @p batch of them are used, the last
	 * of which with @p batch_len bytes. */
	struct drv_slot *fifo[DRV_MAX_SIZE];
	unsigned int fifo_first, fifo_n, batch;
	uint32_t batch_len;
	unsigned int n_used; /**< used entries that were read */
	union {
		struct vring_desc *desc;
		struct vring_packed_desc *packed_desc;
	};
	union {
		struct vring_avail *avail;
		struct vring_packed_desc_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct vring_packed_desc_event *device_event;
	};
	struct svq_device_queue conf;
	unsigned int n_free; /**< ring descriptors */
	uint16_t free_desc[DRV_MAX_SIZE];
	unsigned int n_ids; /**< packed */
	uint16_t free_ids[DRV_MAX_SIZE];
	struct drv_slot *by_head[DRV_MAX_SIZE]; /**< packed: by id */
	struct drv_slot *free_slots;
	struct drv_slot slots[DRV_SLOTS];
};

struct drv {
	struct svq_device *dev;
	unsigned int pairs;
	uint64_t features;
	uint16_t hdr_len;
	uint8_t *rings, *used, *packed, *tables, *tx, *rx;
	struct drv_ring ring[2 * DRV_MAX_PAIRS]; /**< 2i receive, 2i+1 transmit */
};

/** Open "device=soft,<args>", map the areas. @return 0 or what open said. */
int drv_open(struct drv *drv, const char *args, struct rte_rcu_qsbr *qsbr);

void drv_close(struct drv *drv);

/** Set features and rings of @p size up and start. All pairs are enabled. @return as start(). */
int drv_start(struct drv *drv, uint64_t features, uint16_t size);

/** Everything of drv_start() but start(): rings can be spoiled in between. */
int drv_setup(struct drv *drv, uint64_t features, uint16_t size);

/** Begin one queue anew, as after its reset; what was posted is forgotten. */
void drv_ring_renew(struct drv *drv, uint16_t qid, uint16_t size);

/** The room of one chain; the test fails if none is left. */
struct drv_slot *drv_slot_get(struct drv_ring *ring);
void drv_slot_put(struct drv_ring *ring, struct drv_slot *slot);

/** Make one piece of a slot, @p off bytes into it. */
void drv_piece(struct drv_slot *slot, uint32_t off, uint32_t len);

/** Whether a chain of @p n pieces fits the ring now. */
bool drv_fits(const struct drv_ring *ring, unsigned int n, enum drv_layout layout);

/** Make a slot's chain available. @return its first descriptor in the ring. */
uint16_t drv_post(struct drv_ring *ring, struct drv_slot *slot, enum drv_layout layout);

/** Make any head available, without looking. Split rings. */
void drv_post_head(struct drv_ring *ring, uint16_t head);

/** Flags of a ring descriptor. */
uint16_t *drv_flags(struct drv_ring *ring, uint16_t desc);

/** Whether there is a used chain that drv_reap() has not taken. */
bool drv_used(const struct drv_ring *ring);

/** Take the next used chain; NULL: none. @p len: bytes that the device says it wrote; in order, of
 * a receive chain without a used entry of its own all of them. */
struct drv_slot *drv_reap(struct drv_ring *ring, uint32_t *len);

/** Kick a queue, with notification data if that was accepted. */
void drv_kick(struct drv *drv, uint16_t qid);

/** Poll a pair until it moves nothing. @return packets moved. */
unsigned int drv_poll(struct drv *drv, uint16_t pair);

/** A thread that polls pair 0 of a device, as an RCU reader of drv_poller_qsbr(). */
void drv_poller_start(struct drv *drv);
void drv_poller_stop(void);

/** For drv_open(), before drv_poller_start(). */
struct rte_rcu_qsbr *drv_poller_qsbr(void);

/** Copy bytes between a slot's pieces and a flat buffer. */
void drv_fill(struct drv_slot *slot, const void *data, uint32_t len);
void drv_read(const struct drv_slot *slot, void *data, uint32_t len);

#endif /* SOFT_DRIVER_H */
