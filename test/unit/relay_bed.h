/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef RELAY_BED_H
#define RELAY_BED_H

/**
 * @file
 * A bed for tests of the relay: guest memory with several regions and a guest's vring in it, one
 * shadow virtqueue, and a device that is driven by hand and sees only IOVAs.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <svq_queue.h>

/* Guest memory: LOW and HIGH are adjacent GPAs from distant places of the file; ALIAS shows LOW
 * again. */
#define BED_LOW	   UINT64_C(0)
#define BED_HIGH   UINT64_C(0x400000)
#define BED_ALIAS  UINT64_C(0x100000000)
#define BED_REGION UINT64_C(0x400000)
#define BED_HOLE   UINT64_C(0x900000)

/* A chain as the device sees it: its descriptors, with their IOVAs turned into our addresses. */
struct bed_chain {
	uint16_t head;
	unsigned int n;
	unsigned int tables; /* of indirect descriptors, that they came from */
	uint32_t readable, writable;
	struct vring_desc desc[64];
};

struct bed {
	struct svq_device dev;
	struct svq_guest *guest;
	struct svq_dma *dma;
	struct svq_queue *q;
	uint32_t guest_size;
	uint16_t device_size;
	uint64_t features;	  /* the guest's */
	uint64_t device_features; /* of the device */
	uint16_t qid;
	uint32_t net_header;
	int memfd, callfd;
	int kickfd, irqfd; /* -1: the relay does not sleep */
	bool packed;	   /* the guest's ring; desc, avail, used are then its three areas */
	/* The guest's vring, in LOW memory. */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint64_t desc_gpa, avail_gpa, used_gpa;
	uint16_t avail_idx; /* as published */
	uint16_t seen_used; /* as reaped */
	/* The device. */
	struct vring_desc *sdesc;
	struct vring_avail *savail;
	struct vring_used *sused;
	uint16_t dev_avail, dev_used;
	uint16_t dev_desc; /* split: descriptors that it has read */
	bool dev_packed;   /* its ring; sdesc, savail, sused are then the three areas */
	bool dev_avail_wrap, dev_used_wrap;
	uint16_t dev_places[32768]; /* by id: descriptors of the chain that it took last */
	unsigned int notified;
	uint32_t notify_data;
	uint8_t status;
	struct {
		uint64_t iova, hva, size;
		uint32_t perm;
	} map[64];
	unsigned int n_maps;
	unsigned int bad_iova; /* addresses that the device was given and cannot reach */
};

/** What a bed is made of. */
struct bed_conf {
	uint32_t guest_size;
	uint16_t device_size;
	uint64_t guest_features;  /**< VIRTIO_F_RING_PACKED tells the format of the guest's ring */
	uint64_t device_features; /**< likewise, of the device's */
	uint16_t qid;
	uint32_t net_header;		   /**< as in struct svq_queue_conf */
	bool scalar;			   /**< likewise */
	bool sleeps;			   /**< there are kickfd and irqfd */
	struct svq_complaints *complaints; /**< as in struct svq_queue_conf */
};

void bed_open_conf(struct bed *b, const struct bed_conf *conf);

/** Build everything; the vring is attached at its first place. The device's ring is split. */
void bed_open(struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features);

/** As bed_open(), with a packed ring before the device if asked. */
void bed_open_device(
	struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features, bool packed);
/** As bed_open(), with features of the device that differ from the guest's. */
void bed_open_features(struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features,
	uint64_t device_features);
/** The same, for queue @p qid of a network device. */
void bed_open_net(struct bed *b, uint32_t guest_size, uint16_t device_size, uint64_t features,
	uint16_t qid, uint32_t net_header);
void bed_close(struct bed *b);

/** Attach the vring at @p base; b->features, guest_size and packed may have been changed. */
int bed_attach(struct bed *b, uint16_t base);

#define BED_WITH_HIGH  1
#define BED_WITH_ALIAS 2
/**
 * A new memory table: LOW, and of the other regions those whose bit is set in @p regions. Nothing
 * is in flight in what goes. The vring is detached, and may have moved.
 */
void bed_memory(struct bed *b, unsigned int regions);

/** Our address of guest memory. */
void *bed_ptr(struct bed *b, uint64_t gpa);

/** Write descriptor @p i of the guest's table. */
void
bed_desc(struct bed *b, unsigned int i, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next);

/** Make a head available; publishes at once. */
void bed_avail(struct bed *b, uint16_t head);

/** Take a used entry if there is one. */
bool bed_reap(struct bed *b, struct vring_used_elem *elem);

/** The device takes the next chain if there is one. */
bool bed_device_take(struct bed *b, struct bed_chain *chain);

/** The device returns a chain. */
void bed_device_return(struct bed *b, uint32_t id, uint32_t len);

/** A device with IN_ORDER returns @p n chains with one used entry, for the last of them. */
void bed_device_return_batch(struct bed *b, const uint16_t *ids, unsigned int n, uint32_t len);

/** The device asks for a kick when avail->idx passes @p idx. */
void bed_device_event(struct bed *b, uint16_t idx);

/** The device is reset: it forgets its indices. */
void bed_device_reset(struct bed *b);

/** Calls since the last ask. */
unsigned int bed_calls(struct bed *b);

#endif /* RELAY_BED_H */
