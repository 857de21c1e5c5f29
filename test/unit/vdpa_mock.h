/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VDPA_MOCK_H
#define VDPA_MOCK_H

/**
 * @file
 * A device type "mock" for tests of the vDPA driver: driven by hand, and at will it fails.
 */

#include <stdbool.h>
#include <stdint.h>

#include "mock_device.h"

#define MOCK_QUEUES 8

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
	bool is_reset[MOCK_QUEUES]; /**< by queue_reset */
	struct svq_device_queue queue[MOCK_QUEUES];
	int irqfd[MOCK_QUEUES]; /* -1: none */
	uint16_t seen[MOCK_QUEUES], returned[MOCK_QUEUES];
	unsigned int era[MOCK_QUEUES]; /**< counts the times that a queue was set up */
	uint16_t max_pairs;
	uint16_t mtu;
	uint16_t link;		  /**< of its config space */
	int config_fd;		  /**< by config_irq, gone after a stop */
	unsigned int config_done; /**< calls of it */
	unsigned int notified[MOCK_QUEUES];
} mock;

/** The device takes the next chain of a queue. @return its head; -1: none. */
int mock_take(uint16_t qid);
/** The device returns a chain. */
void mock_return(uint16_t qid, uint16_t head, uint32_t len);

/** Whether it works by itself, without being polled; a test that sets it clears it again. */
extern bool mock_unpolled;

/** As before it is first opened. */
void vdpa_mock_clear(void);

#endif /* VDPA_MOCK_H */
