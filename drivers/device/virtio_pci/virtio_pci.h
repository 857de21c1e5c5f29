/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef VIRTIO_PCI_H
#define VIRTIO_PCI_H

/**
 * @file
 * A virtio-net PCI function: what the driver's files share.
 *
 * Concepts
 *
 * The function's registers are four structures in its BARs (virtio 1.2, 4.1.4), found by a walk
 * through its capabilities. All of them but the notification area are touched by the control
 * thread only; the status byte is read by any.
 *
 * Nothing that the function says is believed unchecked: places and sizes of structures, numbers of
 * queues, offsets of notification addresses. A function that is gone reads as all ones.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_log.h>

#include <svq_ctrl.h>
#include <svq_device.h>
#include <svq_vfio.h>
#include <svq_virtio.h>

extern int vpci_logtype;

/** Log one line on the device named @p name. */
#define VPCI_LOG(level, name, fmt, ...) \
	rte_log(RTE_LOG_##level, vpci_logtype, "virtio_pci: %s: " fmt "\n", name, ##__VA_ARGS__)

#define VPCI_ARG_PCI	"pci"
#define VPCI_ARG_PACKED "packed"
#define VPCI_ARG_MAC	"mac"

/** Most queue pairs, as many as librte_vhost serves. */
#define VPCI_MAX_PAIRS 128

/** No such MSI-X vector. */
#define VPCI_NO_VECTOR 0xffff

struct vpci_args {
	char pci[SVQ_VFIO_PCI_LEN];
	bool packed;	/**< accept packed rings */
	bool set_mac;	/**< mac is given */
	uint8_t mac[6]; /**< to receive by */
};

/** One structure of registers. */
struct vpci_area {
	uint8_t bar;
	uint64_t offset;	/**< in the BAR */
	uint64_t len;		/**< bytes, 0: the function has none */
	volatile uint8_t *addr; /**< where it is mapped, or NULL */
};

/** The structures of virtio 1.2, 4.1.4, each wholly inside its BAR. */
struct vpci_caps {
	struct vpci_area common;
	struct vpci_area notify;
	struct vpci_area isr;
	struct vpci_area device;
	uint32_t notify_multiplier;
};

/** One virtqueue. */
struct vpci_queue {
	struct svq_device_queue conf; /**< size 0: not set up */
	bool enabled;
	int irq_fd;	       /**< what its interrupt writes, or -1 */
	uint16_t vector;       /**< of that, or VPCI_NO_VECTOR */
	uint64_t notify_at;    /**< offset in the notification area */
	volatile void *notify; /**< where that is mapped, or NULL */
};

/** An instance. */
struct vpci_dev {
	struct svq_device dev; /**< first: the operations are given this */
	struct vpci_args args;
	struct svq_vfio *vfio;
	struct svq_dma *dma; /**< for memory of the control queue; NULL: none */
	struct vpci_caps caps;
	uint16_t n_queues;  /**< of the function, with the accepted features */
	uint16_t net_pairs; /**< queue pairs of the function, also if more than we use */
	uint64_t features;  /**< accepted, 0 before */
	bool started;
	bool dead;		   /**< it does not reset: no use of it */
	struct vpci_queue *queues; /**< two for each of dev.info.max_pairs */

	/* Interrupts (virtio_pci_irq.c). */
	int config_fd;		/**< what a change of the configuration writes, or -1 */
	unsigned int n_vectors; /**< in use since start */

	/* The control queue (virtio_pci_ctrl.c), from start to stop. */
	struct svq_ctrl *ctrl;
	struct vpci_queue ctrl_queue;
	bool pair_on[VPCI_MAX_PAIRS]; /**< as the caller wants */
	uint16_t pairs_on;	      /**< that the function was told */

	_Atomic uint64_t resets; /**< by status register */
	_Atomic uint64_t queue_resets;
	_Atomic uint64_t commands; /**< on the control queue */
	_Atomic uint64_t command_errors;
};

/* ---- virtio_pci_args.c ---- */

extern const char *const vpci_arg_keys[];

/** Read the arguments. @return 0; -EINVAL, logged. */
int vpci_args_parse(const char *name, struct rte_kvargs *kvargs, struct vpci_args *args);

/* ---- virtio_pci_caps.c ---- */

/** Find the structures. @return 0; -ENODEV, -EPROTO, -EIO, logged. */
int vpci_caps_find(struct svq_vfio *vfio, const char *name, struct vpci_caps *caps);

/* ---- virtio_pci_regs.c ---- */

/** Read 1, 2 or 4 bytes of an area; @p offset lies in it. */
uint32_t vpci_read(const struct vpci_dev *vp, const struct vpci_area *area, uint64_t offset,
	unsigned int width);
void vpci_write(const struct vpci_dev *vp, const struct vpci_area *area, uint64_t offset,
	unsigned int width, uint32_t value);

uint8_t vpci_status(const struct vpci_dev *vp);
void vpci_status_add(const struct vpci_dev *vp, uint8_t bits);
uint64_t vpci_features_offered(const struct vpci_dev *vp);

/** Reset the function, by its status register, else by the kernel. @return 0; -ETIMEDOUT, logged:
 * it is dead. */
int vpci_reset(struct vpci_dev *vp);

/** Reset, then agree on features (virtio 1.2, 3.1.1, steps 1 to 6). @return 0; -ETIMEDOUT;
 * -ENOTSUP: it does not take them; logged. */
int vpci_negotiate(struct vpci_dev *vp, uint64_t features);

/** Read device configuration, all of it of one generation. @return 0; -EINVAL: out of range;
 * -EAGAIN: it never stops changing. */
int vpci_config_read(const struct vpci_dev *vp, uint32_t offset, void *dst, uint32_t len);

/** Reset one queue of a running function. @return 0; -EIO, logged. */
int vpci_queue_reset(struct vpci_dev *vp, uint16_t qid);

/* ---- virtio_pci_queue.c ---- */

/** Largest size of a queue; 0: there is no such queue. The function has just been reset. */
uint16_t vpci_queue_max(const struct vpci_dev *vp, uint16_t qid);

/** Tell the function of a queue that is set up, without switching it on. @return 0; -EINVAL,
 * -EPROTO, logged. */
int vpci_queue_program(struct vpci_dev *vp, uint16_t qid, struct vpci_queue *queue);

/** Switch a queue on. */
void vpci_queue_enable(struct vpci_dev *vp, uint16_t qid, struct vpci_queue *queue);

/** Notify a queue; @p data as of svq_device_ops.notify. Any thread. */
void vpci_queue_notify(const struct vpci_dev *vp, const struct vpci_queue *queue, uint32_t data);

/* ---- virtio_pci_irq.c ---- */

/** Whether one more queue can have an interrupt; the first vector is for the configuration. */
bool vpci_irq_room(const struct vpci_dev *vp);

/** Give vectors to those that want interrupts. @return 0; -EIO, errno of VFIO, logged. */
int vpci_irq_start(struct vpci_dev *vp);

/** Switch interrupts off and forget who wanted them. */
void vpci_irq_stop(struct vpci_dev *vp);

/* ---- virtio_pci_ctrl.c ---- */

/** Create the control queue, if the accepted features have one. @return 0; negative errno, logged.
 */
int vpci_ctrl_create(struct vpci_dev *vp);

/** The function runs: tell it what it is to receive. What it refuses is logged. */
void vpci_ctrl_start(struct vpci_dev *vp);

/** The function has been reset. */
void vpci_ctrl_destroy(struct vpci_dev *vp);

/** Tell a running function how many pairs are wanted. @return 0; as svq_ctrl_command(), logged. */
int vpci_ctrl_pairs(struct vpci_dev *vp);

/** Tell the function that its wish for an announcement has been passed on. */
void vpci_ctrl_announced(struct vpci_dev *vp);

#endif /* VIRTIO_PCI_H */
