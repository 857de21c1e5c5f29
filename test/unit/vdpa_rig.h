/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VDPA_RIG_H
#define VDPA_RIG_H

/**
 * @file
 * A rig for tests of the vDPA driver: the device of vdpa_mock.h, a guest with
 * memory and vrings, and its front-end, which sends vhost-user messages to the stub of
 * librte_vhost. The driver, the relay, guest memory and the address tables are the real ones.
 */

#include <stdbool.h>
#include <stdint.h>

#include "svq_vdpa_priv.h"
#include "vdpa_mock.h"
#include "vdpa_stub_vhost.h"

#define RIG_QUEUES MOCK_QUEUES
/** Arguments of a device that most tests do with. */
#define RIG_ARGS "device=mock,queues=2,queue_size=128"
#define RIG_RING 64u
#define RIG_FEATURES                                                                             \
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_NET_F_MQ | 1ULL << VIRTIO_NET_F_MRG_RXBUF | \
		1ULL << VHOST_USER_F_PROTOCOL_FEATURES)

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

/** Add the device vdpa_svq0 with @p args and open port "rig.sock" in a directory of its own. */
void rig_open(struct rig *r, const char *args);
/** Take everything away; asserts that nothing is left. */
void rig_close(struct rig *r);
/** Add a vdev. @return what the driver's probe returned. */
int rig_vdev_add(struct rte_vdev_device *vdev, const char *name, const char *args);
/** The port's path. */
const char *rig_path(void);
/** How many descriptors the process has open. */
int rig_fds(void);

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
