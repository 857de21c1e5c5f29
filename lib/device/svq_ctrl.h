/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_CTRL_H
#define SVQ_CTRL_H

/**
 * @file
 * The driver's side of a control virtqueue (virtio 1.2, 5.1.6.5), split or packed.
 *
 * Concepts
 *
 * Ring, command and answer are host-only memory, which no guest address can name; what the device
 * only reads is mapped read-only. One command is out at a time, and it is waited for. A device
 * that does not answer in time still has the command: its control queue is not used again until it
 * has been reset and the queue created anew.
 *
 * Threads: one control thread at a time.
 */

#include <stdint.h>

#include <svq_device.h>
#include <svq_dma.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most bytes of a command's data. */
#define SVQ_CTRL_MAX_DATA 64

struct svq_ctrl;

struct svq_ctrl_conf {
	struct svq_dma *dma;	 /**< address space; outlives the queue */
	uint16_t qid;		 /**< virtqueue index at the device */
	uint16_t max_size;	 /**< descriptors that the device has room for, >= 2 */
	uint64_t features;	 /**< negotiated with the device */
	unsigned int timeout_ms; /**< how long to wait for an answer */
	/** Kick the queue; @p data as of svq_device_ops.notify. */
	void (*notify)(void *arg, uint32_t data);
	void *arg;
};

/** Create the ring. @return 0; -EINVAL (max_size); errors of svq_dma_host_alloc(). */
int svq_ctrl_create(const struct svq_ctrl_conf *conf, struct svq_ctrl **ctrl);

/** Free; NULL is allowed. The device has been reset. */
void svq_ctrl_destroy(struct svq_ctrl *ctrl);

/** Where the device finds the ring. */
void svq_ctrl_queue(const struct svq_ctrl *ctrl, struct svq_device_queue *queue);

/**
 * Give the device a command and wait for its answer. The device has been started.
 *
 * @param class, command
 *   VIRTIO_NET_CTRL_*.
 * @param data
 *   @p len bytes, at most SVQ_CTRL_MAX_DATA.
 * @return 0; -EPERM: the device refuses; -ETIMEDOUT: it does not answer; -EPROTO: its answer is
 *   none to this command; -EIO: it failed to answer before; -EINVAL.
 */
int svq_ctrl_command(
	struct svq_ctrl *ctrl, uint8_t class, uint8_t command, const void *data, uint32_t len);

#ifdef __cplusplus
}
#endif

#endif /* SVQ_CTRL_H */
