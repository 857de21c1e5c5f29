/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_cycles.h>

#include <svq_ctrl.h>
#include <svq_virtio.h>

/* Descriptors: two for a command. More are of no use, as one command is out at a time. */
#define RING_SIZE 8

/* The driver area: the device reads it. */
struct driver_split {
	struct vring_desc desc[RING_SIZE];
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[RING_SIZE];
	uint16_t used_event;
};

struct command {
	uint8_t class;
	uint8_t command;
	uint8_t data[SVQ_CTRL_MAX_DATA];
};

struct driver_mem {
	union {
		struct driver_split split;
		struct vring_packed_desc_event event;
	};
	struct command command;
};

/* The device writes it, and of a packed ring reads it, too. */
struct device_split {
	uint16_t flags;
	uint16_t idx;
	struct vring_used_elem ring[RING_SIZE];
	uint16_t avail_event;
};

struct device_mem {
	union {
		struct device_split split;
		struct {
			struct vring_packed_desc desc[RING_SIZE];
			struct vring_packed_desc_event event;
		} packed;
	};
	uint8_t ack;
};

struct svq_ctrl {
	struct svq_ctrl_conf conf;
	volatile struct driver_mem *driver;
	volatile struct device_mem *device;
	uint64_t driver_iova;
	uint64_t device_iova;
	uint16_t size;
	uint16_t next; /* split: next available index; packed: next place */
	bool wrap;     /* packed: wrap counter */
	bool packed;
	bool broken;
};

int
svq_ctrl_create(const struct svq_ctrl_conf *conf, struct svq_ctrl **out)
{
	struct svq_ctrl *ctrl;

	if (conf->max_size < 2)
		return -EINVAL;
	ctrl = calloc(1, sizeof(*ctrl));
	if (ctrl == NULL)
		return -ENOMEM;
	ctrl->conf = *conf;
	ctrl->packed = (conf->features & RTE_BIT64(VIRTIO_F_RING_PACKED)) != 0;
	ctrl->size = (uint16_t)rte_align32prevpow2(RTE_MIN(conf->max_size, RING_SIZE));
	ctrl->wrap = true;
	ctrl->driver = svq_dma_host_alloc(
		conf->dma, sizeof(*ctrl->driver), -1, SVQ_PERM_R, &ctrl->driver_iova);
	ctrl->device = svq_dma_host_alloc(
		conf->dma, sizeof(*ctrl->device), -1, SVQ_PERM_RW, &ctrl->device_iova);
	if (ctrl->driver == NULL || ctrl->device == NULL) {
		svq_ctrl_destroy(ctrl);
		return -errno;
	}
	/* Answers are waited for. */
	if (ctrl->packed)
		ctrl->driver->event.flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	else
		ctrl->driver->split.flags = VRING_AVAIL_F_NO_INTERRUPT;
	*out = ctrl;
	return 0;
}

void
svq_ctrl_destroy(struct svq_ctrl *ctrl)
{
	int error = errno;

	if (ctrl == NULL)
		return;
	svq_dma_host_free(ctrl->conf.dma, (void *)(uintptr_t)ctrl->driver);
	svq_dma_host_free(ctrl->conf.dma, (void *)(uintptr_t)ctrl->device);
	free(ctrl);
	errno = error;
}

void
svq_ctrl_queue(const struct svq_ctrl *ctrl, struct svq_device_queue *queue)
{
	queue->size = ctrl->size;
	if (ctrl->packed) {
		queue->desc_iova = ctrl->device_iova + offsetof(struct device_mem, packed.desc);
		queue->avail_iova = ctrl->driver_iova + offsetof(struct driver_mem, event);
		queue->used_iova = ctrl->device_iova + offsetof(struct device_mem, packed.event);
		return;
	}
	queue->desc_iova = ctrl->driver_iova + offsetof(struct driver_mem, split.desc);
	queue->avail_iova = ctrl->driver_iova + offsetof(struct driver_mem, split.flags);
	queue->used_iova = ctrl->device_iova + offsetof(struct device_mem, split.flags);
}

/* ---- split ring (virtio 1.2, 2.7) ---- */

static uint32_t
split_put(struct svq_ctrl *ctrl, uint64_t command, uint32_t len, uint64_t ack)
{
	volatile struct driver_split *ring = &ctrl->driver->split;

	ring->desc[0].addr = command;
	ring->desc[0].len = len;
	ring->desc[0].flags = VRING_DESC_F_NEXT;
	ring->desc[0].next = 1;
	ring->desc[1].addr = ack;
	ring->desc[1].len = sizeof(ctrl->device->ack);
	ring->desc[1].flags = VRING_DESC_F_WRITE;
	ring->ring[ctrl->next % ctrl->size] = 0;
	/* Pairs with the device's read barrier between the index and the entry. */
	rte_io_wmb();
	ring->idx = ++ctrl->next;
	return (uint32_t)ctrl->next << 16;
}

/* @return whether there is an answer; @p id of the chain that it is to. */
static bool
split_get(const struct svq_ctrl *ctrl, uint32_t *id)
{
	const volatile struct device_split *ring = &ctrl->device->split;

	if (ring->idx != ctrl->next)
		return false;
	/* Pairs with the device's write barrier before it moves the index. */
	rte_io_rmb();
	*id = ring->ring[(uint16_t)(ctrl->next - 1) % ctrl->size].id;
	return true;
}

/* ---- packed ring (virtio 1.2, 2.8) ---- */

static uint16_t
packed_flags(bool avail, bool used)
{
	return (uint16_t)(avail << VRING_PACKED_DESC_F_AVAIL | used << VRING_PACKED_DESC_F_USED);
}

/* The ring has an even number of places, so that both of a command are in one round. */
static uint32_t
packed_put(struct svq_ctrl *ctrl, uint64_t command, uint32_t len, uint64_t ack)
{
	volatile struct vring_packed_desc *d = &ctrl->device->packed.desc[ctrl->next];
	uint16_t flags = packed_flags(ctrl->wrap, !ctrl->wrap);

	d[0].addr = command;
	d[0].len = len;
	d[0].id = 0;
	d[1].addr = ack;
	d[1].len = sizeof(ctrl->device->ack);
	d[1].id = 0;
	d[1].flags = flags | VRING_DESC_F_WRITE;
	/* Pairs with the device's read barrier between the flags and the rest. */
	rte_io_wmb();
	d[0].flags = flags | VRING_DESC_F_NEXT;
	ctrl->next = (ctrl->next + 2) % ctrl->size;
	ctrl->wrap ^= ctrl->next == 0;
	return (uint32_t)ctrl->next << 16 | (uint32_t)ctrl->wrap << 31;
}

static bool
packed_get(const struct svq_ctrl *ctrl, uint32_t *id)
{
	uint16_t place = (ctrl->next + ctrl->size - 2) % ctrl->size;
	const volatile struct vring_packed_desc *d = &ctrl->device->packed.desc[place];
	bool wrap = ctrl->wrap ^ (ctrl->next == 0);

	if ((d->flags & packed_flags(true, true)) != packed_flags(wrap, wrap))
		return false;
	/* Pairs with the device's write barrier before it writes the flags. */
	rte_io_rmb();
	*id = d->id;
	return true;
}

/* ---- commands ---- */

static bool
wait_answer(const struct svq_ctrl *ctrl, uint32_t *id)
{
	uint64_t end = rte_get_timer_cycles() + ctrl->conf.timeout_ms * (rte_get_timer_hz() / 1000);
	bool late;

	do {
		/* The clock first: an answer that came while this thread slept is one. */
		late = rte_get_timer_cycles() > end;
		if (ctrl->packed ? packed_get(ctrl, id) : split_get(ctrl, id))
			return true;
		usleep(20);
	} while (!late);
	return false;
}

int
svq_ctrl_command(
	struct svq_ctrl *ctrl, uint8_t class, uint8_t command, const void *data, uint32_t len)
{
	uint64_t at = ctrl->driver_iova + offsetof(struct driver_mem, command);
	uint64_t ack = ctrl->device_iova + offsetof(struct device_mem, ack);
	uint32_t position, id;

	if (len > SVQ_CTRL_MAX_DATA)
		return -EINVAL;
	if (ctrl->broken)
		return -EIO;
	ctrl->driver->command.class = class;
	ctrl->driver->command.command = command;
	if (len != 0)
		memcpy((void *)(uintptr_t)ctrl->driver->command.data, data, len);
	ctrl->device->ack = UINT8_MAX;
	len += offsetof(struct command, data);
	position = ctrl->packed ? packed_put(ctrl, at, len, ack) : split_put(ctrl, at, len, ack);
	ctrl->conf.notify(ctrl->conf.arg,
		ctrl->conf.qid |
			(ctrl->conf.features & RTE_BIT64(VIRTIO_F_NOTIFICATION_DATA) ? position
										     : 0));
	ctrl->broken = true;
	if (!wait_answer(ctrl, &id))
		return -ETIMEDOUT;
	if (id != 0)
		return -EPROTO;
	ctrl->broken = false;
	return ctrl->device->ack == VIRTIO_NET_OK ? 0 : -EPERM;
}
