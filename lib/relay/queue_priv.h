/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef QUEUE_PRIV_H
#define QUEUE_PRIV_H

/**
 * @file
 * What the files of lib/relay share: the queue, a burst's scratch, and the two sides' operations.
 *
 * Concepts
 *
 * The relay is one algorithm (queue_burst.h) over two sides. A ring format implements the guest's
 * side (struct svq_guest_ops) and the device's (struct svq_shadow_ops) as inline functions in a
 * header of its own; a pairing of formats is compiled by including both and instantiating the
 * algorithm, so that no burst branches on a format.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_log.h>

#include <svq_queue.h>
#include <svq_virtio.h>

extern int svq_relay_logtype;
#define RELAY_LOG(level, fmt, ...) \
	rte_log(RTE_LOG_##level, svq_relay_logtype, "svq.relay: " fmt "\n", ##__VA_ARGS__)

/** Chains moved by one burst at most. */
#define SVQ_BURST 32
/** A burst gathers no further chain once it holds that many guest descriptors. */
#define SVQ_BURST_DESCS 64

/** A chain as gathered from the guest: a run of entries of struct svq_gather. */
struct svq_chain {
	uint64_t seq;	    /**< orders chains as they came, see struct svq_queue */
	uint16_t id;	    /**< what the guest knows it by */
	uint16_t first;	    /**< its first entry */
	uint16_t places;    /**< packed: descriptors of the guest's ring that it takes */
	bool indirect;	    /**< it came as an indirect table */
	uint32_t n;	    /**< its entries, >= 1 */
	uint32_t pieces;    /**< shadow descriptors that it has, once translated */
	uint32_t slots;	    /**< of the shadow ring that it takes: as many, or one for a table */
	uint32_t readable;  /**< bytes that the device reads */
	uint32_t writable;  /**< bytes that the device may write */
	uint32_t table_len; /**< packed: of the indirect table, bytes */
	uint64_t table_gpa;
};

/**
 * Scratch of one available burst: our copy of the guest's descriptors, and their translation. The
 * arrays hold SVQ_BURST_DESCS entries and one chain of the guest ring's size.
 */
struct svq_gather {
	uint32_t n_plain; /**< the burst begins with that many plain chains: see svq_guest_ops */
	uint32_t n_descs;
	uint32_t n_chains; /**< and goes on with these */
	uint32_t places;   /**< packed: descriptors of the guest's ring that the chains take */
	uint64_t *gpa;
	uint64_t *iova;
	uint32_t *len;
	uint64_t *writable;	  /**< bit i % 64 of word i / 64: the device writes entry i */
	uint64_t *translated;	  /**< likewise: iova[i] holds for the whole of entry i */
	uint16_t *at;		  /**< split: descriptor of the guest's table, of a direct chain */
	uint64_t half[SVQ_BURST]; /**< of plain chains, each of which is one entry: length, id */
	struct svq_chain chain[SVQ_BURST];
};

/** A shadow descriptor as we wrote it; the device cannot change it. Plain chains need none. */
struct svq_slot {
	uint64_t gpa;  /**< first byte, for dirty logging */
	uint32_t len;  /**< bytes */
	uint16_t next; /**< next slot of the chain */
	bool writable; /**< by the device */
	bool joined;   /**< its buffer began in the slot before it */
};

/**
 * A chain in flight, by its first slot. 16 bytes, as a descriptor has, and of a plain chain in the
 * same order: so a vector of the one is nearly one of the other.
 */
struct svq_flight {
	union {
		struct {
			uint64_t gpa; /**< plain: first byte */
			uint32_t
				len; /**< plain: bytes; otherwise those that the device may write */
			union {
				struct {
					uint16_t id : 15; /**< what the guest knows it by */
					uint16_t
						origin : 1; /**< not plain, see struct svq_origin */
					uint16_t slots;	    /**< see svq_flight_slots() */
				};
				uint32_t word; /**< ids kept: 0 if no chain has the slot */
			};
		};
		uint64_t half[2]; /**< the same, to write it whole */
	};
};

/** svq_flight.word of a slot whose chain begins elsewhere. */
#define SVQ_FLIGHT_INNER 0x8000u
/** svq_flight.word of a plain chain, but for the id and this: the device writes it. */
#define SVQ_FLIGHT_PLAIN  0x10000u
#define SVQ_FLIGHT_WRITES 0x20000u
#define SVQ_FLIGHT_ID	  0x7fffu

/** What the device returned: a chain in flight, and what we know of it. */
struct svq_used {
	uint16_t head;
	uint32_t len; /**< bytes written */
	struct svq_flight flight;
};

/** What to know of a chain that the guest did not make available as one direct descriptor. */
struct svq_origin {
	uint64_t table_gpa; /**< as in struct svq_chain, likewise the next two */
	uint32_t table_len; /**< 0: no indirect table */
	uint16_t places;
	uint16_t pieces; /**< descriptors of the table that it has before the device; 0: none */
};

/** Indirect tables of ours, of one length. */
struct svq_table_class {
	uint16_t *free; /**< offsets of free tables, the next one to use last */
	uint16_t n_free;
	uint16_t n;	/**< tables; 0: the device takes none */
	uint16_t descs; /**< of one table */
	uint16_t first; /**< offset of the first table */
};

/** All of them, short and long ones, see table.h. Offsets count descriptors in the memory. */
struct svq_tables {
	void *mem;
	uint64_t iova;
	struct svq_table_class class[2];
};

/** The guest's ring. */
struct svq_guest_ring {
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
	uint64_t desc_gpa;
	uint64_t used_gpa;
	uint64_t avail_gpa;
	uint32_t size;
	uint16_t mask; /**< split */
	bool packed;
	bool event_idx;
	bool indirect_ok;
	bool in_order; /**< chains are to be returned as they came */
	int callfd;
	int kickfd;
	const struct svq_guest_control *control;

	/* Packed, written by the worker. */
	bool avail_wrap;      /**< the driver's wrap counter at last_avail */
	bool used_wrap;	      /**< ours at used_idx */
	uint32_t outstanding; /**< descriptors between used_idx and last_avail */
	uint32_t used_places; /**< that the present used burst takes */
	uint64_t used_first;  /**< its first entry's length, id and flags, which are written last */

	uint64_t *ids; /**< unless ids are kept, bit n: the chain of id n is in flight */
};

/** The shadow ring, before the device. */
struct svq_shadow_ring {
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
	struct svq_slot *slot; /**< of the ring, then of the tables */
	struct svq_flight *flight;
	uint32_t *seq;	   /**< of chains in flight, as in struct svq_chain: its lower half */
	uint32_t *written; /**< bytes, of chains that are held back */
	struct svq_origin *origin;
	uint16_t *free;	    /**< unless ids are kept: free slots, the next one to use last */
	uint16_t *free_mem; /**< what holds them, see slots.c */
	uint64_t *held;	    /**< bit n: the chain of slot n is complete, and held back */
	uint16_t mask;
	uint16_t avail_idx; /**< next to publish */
	uint16_t used_idx;  /**< next to take back */
	bool packed;
	bool event_idx;
	bool order_platform; /**< full barriers are those for devices, see barrier.h */
	bool in_order;	     /**< the device returns chains as they came */
	uint16_t oldest;     /**< slots are a ring: the first one of the oldest chain in flight */
	uint32_t n_free;

	/* Packed: the wrap counters at these two, and the burst that is being put or taken. */
	bool avail_wrap;
	bool used_wrap;
	bool put_wrap;
	bool take_wrap;
	uint16_t put_pos;
	uint16_t put_flags; /**< of its first descriptor, which is published last */
	uint32_t put_places;
	uint16_t take_pos;

	struct svq_tables tables;

	uint64_t desc_iova;
	uint64_t driver_iova;
	uint64_t device_iova;
};

/** How a queue gives slots to chains, see slots.c. */
enum svq_slots_mode { SVQ_SLOTS_STACK, SVQ_SLOTS_KEPT, SVQ_SLOTS_RING, SVQ_SLOTS_MODES };

struct svq_queue {
	/* Set while attached, read by the worker. */
	unsigned int (*avail_burst)(struct svq_queue *q);
	unsigned int (*used_burst)(struct svq_queue *q);
	struct svq_device *dev;
	struct svq_dma *dma;
	const struct svq_gpa_map *const *map; /**< where the translation snapshot is found */
	struct svq_guest_ring guest;
	struct svq_dirty_log log;
	uint16_t qid;
	uint32_t net_header;
	bool scalar;	      /**< no vector instructions */
	bool dev_is_ours;     /**< whoever serves the queue also is the device: it is polled */
	bool notify_position; /**< kicks carry it: VIRTIO_F_NOTIFICATION_DATA */

	/* Written by the worker. */
	uint16_t last_avail __rte_cache_aligned; /**< next available index to read */
	uint16_t used_idx;			 /**< next used index to write */
	enum svq_queue_error error;
	uint32_t inflight; /**< chains not returned to the guest yet */
	uint32_t held;	   /**< of these, held back: the device has returned them */
	uint64_t seq; /**< chains taken from the guest so far; packed: descriptors of its ring */
	enum svq_slots_mode mode;
	bool batch;		/**< slots are a ring: the guest gets one used entry for a burst */
	uint32_t wanted;	/**< free slots that the next chain waits for; 0: it is not known */
	uint32_t avail_untimed; /**< bursts until the next one that is timed */
	uint32_t used_untimed;
	struct svq_shadow_ring shadow;
	struct svq_gather gather;

	struct svq_queue_stats stats __rte_cache_aligned;

	/* Control only. */
	uint32_t size __rte_cache_aligned; /**< of the shadow ring */
	bool attached;
	uint64_t features;
	void *shadow_driver_mem; /**< descriptor table and available ring: the device reads */
	void *shadow_device_mem; /**< used ring: the device writes */
	void *gather_mem;
	int irqfd; /**< by which the device interrupts, or -1 */
	int errfd; /**< written when the queue breaks, or -1 */
	struct svq_complaints *complaints;
	uint32_t gather_size; /**< guest's ring that it is made for, descriptors */
	char name[64];
};

/** Chains that follow one another, from here on, as one side knows them. */
struct svq_run {
	uint32_t at; /**< where the first one's descriptor or entry stands */
	bool wrap;   /**< packed: the wrap counter there */
	bool first;  /**< the burst begins with it */
	bool writes; /**< the device writes all their buffers, or reads them all */
	uint32_t id; /**< the first one's id */
};

/** Plain chains, or entries that return them, in one piece: before the end of the ring. */
struct svq_piece {
	void *entry;	   /**< packed: descriptors; split: entries of the available or used ring */
	void *desc;	   /**< split: the table of descriptors */
	uint64_t expected; /**< what is to be there, of flags */
	uint32_t size;	   /**< ids are below */
	bool first;    /**< packed: the next one publishes the burst, and is to be written last */
	uint64_t veil; /**< packed: what turns the flags of that one until then */
};

/** Second half of what is known of a plain chain: the length, and its id in the upper 32 bits. */
#define SVQ_HALF_LEN UINT64_C(0xffffffff)
/** One, in the upper 32 bits. */
#define SVQ_HALF_ONE (UINT64_C(1) << 32)

/** Step over @p n chains. */
static __rte_always_inline void
svq_run_step(struct svq_run *run, uint32_t n)
{
	run->at += n;
	run->id += n;
	if (n != 0)
		run->first = false;
}

/** Entries from here to the ring's end; there, step to its beginning first. */
static __rte_always_inline uint32_t
svq_run_room(struct svq_run *run, uint32_t size)
{
	if (unlikely(run->at == size)) {
		run->at = 0;
		run->wrap = !run->wrap;
	}
	return size - run->at;
}

/**
 * The guest's side of a ring format. "q" is attached and not broken. Errors are returned, not
 * acted upon: the algorithm first relays what was sound.
 */
struct svq_guest_ops {
	/** Chains that may be available, at most SVQ_BURST; 0: none is. */
	enum svq_queue_error (*available)(const struct svq_queue *q, unsigned int *n);
	/** Whether there may be a chain that lies @p ahead plain chains after the next one. */
	bool (*more)(const struct svq_queue *q, unsigned int ahead);
	/** Of @p n chains behind @p ahead plain ones, how many the driver may have made available.
	 */
	unsigned int (*limit)(const struct svq_queue *q, unsigned int ahead, unsigned int n);
	/** Where the chain lies that is @p ahead plain chains after the next one. */
	void (*from)(const struct svq_queue *q, unsigned int ahead, struct svq_run *run);
	/**
	 * What to expect of plain chains from run->at on, by the first one: its id, and whether the
	 * device writes it. @return false: it is none.
	 */
	bool (*expect)(const struct svq_queue *q, struct svq_run *run);
	/** Where to read chains like it. */
	struct svq_piece (*reads)(const struct svq_queue *q, const struct svq_run *run);
	/**
	 * Copy and check the chain @p i of a piece: one direct descriptor, nothing at fault. What
	 * is not plain, or otherwise than expected, is left to gather().
	 * @return false: it is not.
	 */
	bool (*read)(const struct svq_piece *p, size_t i, uint64_t *gpa, uint64_t *half);
	/**
	 * Copy and check the chain that lies @p ahead chains after the next one. Entries go behind
	 * those that the gather holds; @p full says that the burst holds enough or that there is no
	 * further chain. On error @p detail is the value at fault.
	 */
	enum svq_queue_error (*gather)(struct svq_queue *q, const struct svq_gpa_map *map,
		unsigned int ahead, struct svq_chain *chain, bool *full, uint64_t *detail);
	/** The first @p n chains are the device's now, of which the first @p plain are plain; what
	 * was gathered behind them is gathered again. */
	void (*taken)(struct svq_queue *q, unsigned int plain, unsigned int n);
	/** Write the used entry that lies @p ahead entries after the next one, for the chain that
	 * the guest knows by @p id and that took @p places descriptors of its ring. */
	void (*put_used)(struct svq_queue *q, unsigned int ahead, uint16_t id, uint16_t places,
		uint32_t len);
	/** Where the used entry goes that lies @p ahead entries of plain chains after the next one.
	 */
	void (*to)(struct svq_queue *q, unsigned int ahead, struct svq_run *run);
	/** Where to write used entries of plain chains. */
	struct svq_piece (*gives)(const struct svq_queue *q, const struct svq_run *run);
	/** Write the entry @p i of a piece. */
	void (*give)(struct svq_queue *q, struct svq_piece *p, size_t i, uint16_t id, uint32_t len);
	/** @p n of them have been written. */
	void (*stored)(struct svq_queue *q, unsigned int n);
	/** Write one used entry for all chains of the burst, which nothing was written to: for @p
	 * id, the last one. They took @p places descriptors of the guest's ring. */
	void (*put_used_batch)(struct svq_queue *q, uint16_t id, uint32_t places);
	/** Publish @p n used entries at once, and step over them. */
	void (*publish_used)(struct svq_queue *q, unsigned int n);
	/** Log the @p n entries just published, and what published them. */
	void (*log_used)(const struct svq_queue *q, unsigned int n);
	/** Whether the guest wants to be called for the @p n entries just published; after a full
	 * barrier. */
	bool (*wants_call)(const struct svq_queue *q, unsigned int n);
};

/** The device's side of a ring format. */
struct svq_shadow_ops {
	/** Where the chain goes that lies @p ahead chains after the last published one. */
	void (*to)(const struct svq_queue *q, unsigned int ahead, struct svq_run *run);
	/** Where to write plain chains. */
	struct svq_piece (*writes)(struct svq_queue *q, const struct svq_run *run);
	/** Write the chain @p i of a piece; @p half: its length, and the slot. */
	void (*write)(struct svq_piece *p, size_t i, uint64_t iova, uint64_t half);
	/** Plain chains have been written, up to here, so that the burst has @p n. */
	void (*stored)(struct svq_queue *q, const struct svq_run *run, unsigned int n);
	/** Write one translated chain, of which svq_shadow_claim() held, @p ahead chains after the
	 * last published one. */
	void (*put)(struct svq_queue *q, const struct svq_gpa_map *map,
		const struct svq_chain *chain, unsigned int ahead, bool kept);
	/** Publish @p n chains at once. @return whether the device wants a kick. */
	bool (*publish)(struct svq_queue *q, unsigned int n);
	/** Where the next chain will be published, as a kick tells it (virtio 1.2, 2.9). */
	uint16_t (*position)(const struct svq_queue *q);
	/**
	 * Used entries to take: all that the device has published, or a bound on them. No fewer,
	 * for a packet may be spread over several buffers, which the guest has to see used together
	 * (virtio 1.2, 5.1.6.4.1), and only where the device published do we know that no packet is
	 * cut.
	 */
	enum svq_queue_error (*used)(const struct svq_queue *q, unsigned int *n);
	/** Whether there may be an entry behind the @p ahead ones that were read. */
	bool (*more_used)(const struct svq_queue *q, unsigned int ahead);
	/** Where the entry stands that is @p ahead entries of plain chains after the next one. */
	void (*from)(const struct svq_queue *q, unsigned int ahead, struct svq_run *run);
	/** Where to read entries. */
	struct svq_piece (*takes)(const struct svq_queue *q, const struct svq_run *run);
	/** Read the entry @p i of a piece. @return false: it is none. */
	bool (*take)(const struct svq_piece *p, size_t i, uint32_t *id, uint32_t *len);
	/** Entries of plain chains have been taken, up to here. */
	void (*passed)(struct svq_queue *q, const struct svq_run *run);
	/** Read and check the entry that lies @p ahead entries after the next one; @p none: there
	 * is no further one. */
	enum svq_queue_error (*get_used)(
		struct svq_queue *q, unsigned int ahead, struct svq_used *used, bool *none);
	/** The entry just read stood for chains before its own, too, with @p slots slots. */
	void (*skip)(struct svq_queue *q, unsigned int slots);
	/** @p n entries have been taken. */
	void (*taken)(struct svq_queue *q, unsigned int n);
};

/** What was moved in vector registers. */
struct svq_vector_moved {
	unsigned int n;
	bool ended; /**< the chain behind it cannot be */
};

/**
 * What a pairing of formats does in vector registers for plain chains, see queue_vector.h: those in
 * one piece, behind which the caller looks for more. Bytes are counted.
 */
struct svq_vector_ops {
	/** Relay up to @p n of them to the device, behind @p ahead others of the burst. */
	struct svq_vector_moved (*avail)(struct svq_queue *q, const struct svq_gpa_map *map,
		unsigned int ahead, unsigned int n, enum svq_slots_mode mode);
	/**
	 * Take up to @p n entries, the first @p ahead entries after the next one, log them if @p
	 * log, and if @p put return them to the guest, the first @p done entries after the next
	 * one; where slots are no ring they are always returned. @p last: the last one's id at the
	 * guest.
	 */
	struct svq_vector_moved (*used)(struct svq_queue *q, bool put, unsigned int ahead,
		unsigned int done, unsigned int n, enum svq_slots_mode mode, bool log,
		uint16_t *last);
	/** The same for chains that svq_plain_skip() is for. @return how many. */
	unsigned int (*skip)(struct svq_queue *q, bool put, uint16_t end, unsigned int done,
		unsigned int n, bool log, uint16_t *last);
	/* The first ones of a burst, for functions that are made for it: inlined. */
	struct svq_vector_moved (*avail_first)(struct svq_queue *q, const struct svq_gpa_map *map,
		unsigned int n, enum svq_slots_mode mode);
	/* Likewise; ids kept, no log. */
	struct svq_vector_moved (*used_first)(struct svq_queue *q, unsigned int n);
};

/** What a ring format does for a queue that nobody serves. */
struct svq_guest_control {
	/** Whether the format admits the base. */
	bool (*base_ok)(uint32_t size, uint16_t base);
	/** Go on from @p base, as SET_VRING_BASE gives it; nothing is in flight. */
	void (*set_base)(struct svq_queue *q, uint16_t base);
	/** The base from which all that is not completed is available. */
	uint16_t (*base)(const struct svq_queue *q);
	/** Tell the guest whether a kick is wanted when it makes the next chain available. */
	void (*want_kicks)(struct svq_queue *q, bool on);
	/** Make @p n chains, given by their first slots in the order in which they came, available
	 * from the base on. */
	void (*requeue)(struct svq_queue *q, const uint16_t *heads, uint32_t n);
};

extern const struct svq_guest_control svq_guest_split_control;
extern const struct svq_guest_control svq_guest_packed_control;

/** Tell the device whether an interrupt is wanted when it next uses a chain. */
void svq_queue_want_interrupts(struct svq_queue *q, bool on);

/** Break the queue: count, log one line. @p detail is what the guest or device wrote. */
void svq_queue_fault(struct svq_queue *q, enum svq_queue_error error, uint64_t detail);

/**
 * Count the shadow descriptors of a chain of which a buffer spans mappings, or lies in none. Not
 * inlined: the rare case.
 */
enum svq_queue_error svq_chain_slots(struct svq_queue *q, const struct svq_gpa_map *map,
	struct svq_chain *chain, uint64_t *detail);

/** All slots are free from now on: decide whether ids are kept. */
void svq_slots_reset(struct svq_queue *q);

/** Slots for an attachment that finds chains in flight. */
void svq_slots_resume(struct svq_queue *q);

/** Keep ids no more. The chains in flight stay where they are. */
void svq_slots_leave_kept(struct svq_queue *q);

/** An instance of the algorithm: formats of the two sides, and how slots are given. */
struct svq_instance {
	unsigned int (*avail)(struct svq_queue *q);
	unsigned int (*used)(struct svq_queue *q);
};

extern const struct svq_instance svq_split_split[SVQ_SLOTS_MODES];
extern const struct svq_instance svq_split_packed[SVQ_SLOTS_MODES];
extern const struct svq_instance svq_packed_split[SVQ_SLOTS_MODES];
extern const struct svq_instance svq_packed_packed[SVQ_SLOTS_MODES];

#ifdef RTE_ARCH_X86_64
/* With AVX-512. */
extern const struct svq_instance svq_split_split_vector[SVQ_SLOTS_MODES];
extern const struct svq_instance svq_split_packed_vector[SVQ_SLOTS_MODES];
extern const struct svq_instance svq_packed_split_vector[SVQ_SLOTS_MODES];
extern const struct svq_instance svq_packed_packed_vector[SVQ_SLOTS_MODES];
#endif

/** Bytes of the bitmap of ids. */
static inline size_t
svq_ids_bytes(uint32_t guest_size)
{
	return RTE_ALIGN_CEIL(guest_size, 64u) / 8;
}

/** Descriptors of the guest's packed ring that a chain in flight takes. */
static inline uint16_t
svq_flight_places(const struct svq_queue *q, uint16_t head)
{
	return likely(!q->shadow.flight[head].origin) ? 1 : q->shadow.origin[head].places;
}

/** The translation snapshot, for one burst. */
static __rte_always_inline const struct svq_gpa_map *
svq_queue_map(const struct svq_queue *q)
{
	/* As svq_dma_map(). */
	return __atomic_load_n(q->map, __ATOMIC_ACQUIRE);
}

/** svq_flight.word of a plain chain. */
static __rte_always_inline uint32_t
svq_flight_plain(uint32_t id, bool writes)
{
	RTE_BUILD_BUG_ON(SVQ_FLIGHT_WRITES >> 1 != SVQ_FLIGHT_PLAIN);
	return SVQ_FLIGHT_PLAIN | writes * SVQ_FLIGHT_WRITES | id;
}

/** Slots of the chain that begins here; 0: none does. */
static __rte_always_inline uint32_t
svq_flight_slots(const struct svq_flight *flight)
{
	return likely(!flight->origin) ? flight->word / SVQ_FLIGHT_PLAIN & 1 : flight->slots;
}

/** Bytes that the device may write. */
static __rte_always_inline uint32_t
svq_flight_writable(const struct svq_flight *flight)
{
	return flight->origin || flight->word & SVQ_FLIGHT_WRITES ? flight->len : 0;
}

/**
 * The descriptors of a chain in flight before the device, in the ring or in a table of ours.
 *
 * @param[out] n
 *   How many.
 * @param[out] plain
 *   Where that of a plain chain goes.
 * @return our copy of the first one; svq_slot.next leads on.
 */
static inline const struct svq_slot *
svq_flight_pieces(
	const struct svq_shadow_ring *r, uint16_t head, unsigned int *n, struct svq_slot *plain)
{
	const struct svq_flight *flight = &r->flight[head];

	*n = svq_flight_slots(flight);
	if (likely(!flight->origin)) {
		*plain = (struct svq_slot){
			.gpa = flight->gpa,
			.len = flight->len,
			.writable = flight->word & SVQ_FLIGHT_WRITES,
		};
		return plain;
	}
	/* Inside of a chain that begins elsewhere the bit is set, too. */
	if (likely(*n == 0 || r->origin[head].pieces == 0))
		return &r->slot[head];
	*n = r->origin[head].pieces;
	return &r->slot[r->slot[head].next];
}

/** Give the table of a chain that is in flight no more back. */
static inline void
svq_table_release(struct svq_queue *q, uint16_t head)
{
	struct svq_tables *t = &q->shadow.tables;
	uint16_t at = q->shadow.slot[head].next - q->size;
	struct svq_table_class *c = &t->class[at >= t->class[1].first];

	c->free[c->n_free++] = at;
}

static inline bool
svq_bit(const uint64_t *words, uint32_t i)
{
	return (words[i / 64] >> (i % 64)) & 1;
}

#endif /* QUEUE_PRIV_H */
