/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VDPA_RIG_H
#define VDPA_RIG_H

/**
 * @file
 * A rig for tests of the vDPA driver: a device type "mock" that is driven by hand, a guest with
 * memory and vrings, and its front-end, which sends vhost-user messages to the stub of
 * librte_vhost. The driver, the relay, guest memory and the address tables are the real ones.
 */

#include <stdbool.h>
#include <stdint.h>

#include "mock_device.h"
#include "svq_vdpa_priv.h"
#include "vdpa_stub_vhost.h"

#define RIG_QUEUES 8
#define RIG_RING   64u
#define RIG_FEATURES                                                                             \
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_NET_F_MQ | 1ULL << VIRTIO_NET_F_MRG_RXBUF | \
		1ULL << VHOST_USER_F_PROTOCOL_FEATURES)

/** Operations of the device that can be made to fail; first those of a start, in order. */
enum mock_op {
	MOCK_NONE,
	MOCK_OPEN,
	MOCK_SET_FEATURES,
	MOCK_QUEUE_SETUP,
	MOCK_START,
	MOCK_PAIR_ENABLE,
	MOCK_QUEUE_RESET,
	MOCK_QUEUE_RESTART,
	MOCK_OPS
};

/** The one device of type "mock". */
extern struct vdpa_mock {
	struct mock_device m;
	enum mock_op fail; /**< this operation fails, the @p fail_after-th time from now */
	unsigned int fail_after;
	bool open, started;
	bool on[4];	/**< pairs */
	bool completes; /**< poll returns what the guest sent */
	uint8_t status;
	uint64_t features;
	unsigned int maps, unmaps, starts, stops, setups, queue_resets;
	bool is_reset[RIG_QUEUES]; /**< by queue_reset */
	struct svq_device_queue queue[RIG_QUEUES];
	int irqfd[RIG_QUEUES]; /* -1: none */
	uint16_t seen[RIG_QUEUES], returned[RIG_QUEUES];
	unsigned int era[RIG_QUEUES]; /**< counts the times that a queue was set up */
	uint16_t max_pairs;
	uint16_t mtu;
	uint16_t link;		  /**< of its config space */
	int config_fd;		  /**< by config_irq, gone after a stop */
	unsigned int config_done; /**< calls of it */
	unsigned int notified[RIG_QUEUES];
} mock;

/** The device takes the next chain of a queue. @return its head; -1: none. */
int mock_take(uint16_t qid);
/** The device returns a chain. */
void mock_return(uint16_t qid, uint16_t head, uint32_t len);

/** A region of the guest's memory: a piece of the file. */
struct rig_region {
	uint64_t gpa, size, offset;
	int file; /**< 0 or 1 */
};

/** A guest with its front-end. */
struct rig {
	struct svq_vdpa *d; /**< the driver's own structure */
	int vid;
	int memfd[2];
	uint8_t *mem[2]; /**< the files as the guest sees them */
	struct rig_region region[SVQ_VHOST_MAX_REGIONS];
	unsigned int n_regions;
	int callfd[RIG_QUEUES]; /**< our end */
	uint16_t avail[RIG_QUEUES];
};

/** How rig_open() opens the port; a test that sets it clears it again. */
extern struct svq_vdpa_port_conf rig_port_conf;
/** Whether its device works by itself, without being polled; likewise. */
extern bool rig_unpolled;

/** Add the device vdpa_svq0 with @p args and open port "rig.sock" in a directory of its own. */
void rig_open(struct rig *r, const char *args);
/** Take everything away; asserts that nothing is left. */
void rig_close(struct rig *r);
/** Add a vdev. @return what the driver's probe returned. */
int rig_vdev_add(struct rte_vdev_device *vdev, const char *name, const char *args);
/** The port's path. */
const char *rig_path(void);

/** Send a message; the payload's size is taken from the request. */
enum stub_result rig_send(struct rig *r, uint32_t request, const void *payload, uint32_t size);
enum stub_result
rig_send_fd(struct rig *r, uint32_t request, const void *payload, uint32_t size, int fd);
enum stub_result rig_u64(struct rig *r, uint32_t request, uint64_t u64);
enum stub_result rig_state(struct rig *r, uint32_t request, uint32_t qid, uint32_t num);
/** The last message as it came back. */
extern struct svq_vhost_msg_ctx rig_msg;

bool rig_connect(struct rig *r);
enum stub_result rig_mem_table(struct rig *r);
enum stub_result rig_vring_addr(struct rig *r, uint16_t qid);
void rig_vring_call(struct rig *r, uint16_t qid);
/** All that makes a vring ready, enabled or not. */
void rig_vring(struct rig *r, uint16_t qid, bool enable);
/** Connect and configure @p queues vrings; the device runs. */
void rig_start(struct rig *r, uint64_t features, uint16_t queues);
/** GET_VRING_BASE. @return the index. */
uint16_t rig_stop_vring(struct rig *r, uint16_t qid);

/** The guest's address in this process; not the driver's mapping. */
void *rig_ptr(struct rig *r, uint64_t gpa);
/** The guest makes a buffer available. */
void rig_give(struct rig *r, uint16_t qid, uint64_t gpa, uint32_t len);
/** used->idx of a vring. */
uint16_t rig_used(struct rig *r, uint16_t qid);
/** Alarms are due: EAL's are stubbed, so that what a thread of its would do happens here. */
void rig_alarms(void);
/** What its worker would do. */
void rig_poll(struct rig *r, uint16_t pair);
/** Notifications of the guest since the last ask. */
uint64_t rig_calls(struct rig *r, uint16_t qid);
/** Mappings of guest memory at the device: those that no shadow ring made. */
unsigned int rig_guest_maps(const struct rig *r);

/** The guest gives a receive buffer, and the device returns it with 100 bytes. */
void rig_receive(struct rig *r, uint64_t gpa);
enum svq_vdpa_state rig_port_state(void);
struct svq_vdpa_port_stats rig_port_stats(void);

#endif /* VDPA_RIG_H */
