/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Virtqueues (virtio 1.2, 4.1.4.3, 4.1.4.4 and 4.1.5.2). */

#include <errno.h>
#include <inttypes.h>

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_io.h>

#include "virtio_pci.h"

static void
queue_select(const struct vpci_dev *vp, uint16_t qid)
{
	vpci_write(vp, &vp->caps.common, VIRTIO_PCI_COMMON_Q_SELECT, 2, qid);
}

static uint16_t
get16(const struct vpci_dev *vp, uint64_t offset)
{
	return (uint16_t)vpci_read(vp, &vp->caps.common, offset, 2);
}

static void
put64(const struct vpci_dev *vp, uint64_t offset, uint64_t value)
{
	vpci_write(vp, &vp->caps.common, offset, 4, (uint32_t)value);
	vpci_write(vp, &vp->caps.common, offset + 4, 4, (uint32_t)(value >> 32));
}

uint16_t
vpci_queue_max(const struct vpci_dev *vp, uint16_t qid)
{
	uint16_t size;

	if (qid >= vp->n_queues)
		return 0;
	queue_select(vp, qid);
	size = get16(vp, VIRTIO_PCI_COMMON_Q_SIZE);
	/* What is gone reads as ones. */
	return size <= 32768 ? size : 0;
}

/* Where to notify it: inside the notification area, whatever the function says. */
static int
find_notify(const struct vpci_dev *vp, uint16_t qid, struct vpci_queue *queue)
{
	const struct vpci_area *notify = &vp->caps.notify;
	uint16_t off = get16(vp, VIRTIO_PCI_COMMON_Q_NOFF);
	uint64_t at = (uint64_t)off * vp->caps.notify_multiplier;
	uint64_t width = vp->features & RTE_BIT64(VIRTIO_F_NOTIFICATION_DATA) ? 4 : 2;

	if (at > notify->len || width > notify->len - at || (notify->offset + at) % width != 0) {
		VPCI_LOG(ERR, vp->dev.name,
			"queue %u: its notification address, %u * %u, lies outside the "
			"notification structure of %" PRIu64 " bytes: the function is broken",
			qid, off, vp->caps.notify_multiplier, notify->len);
		return -EPROTO;
	}
	queue->notify_at = at;
	queue->notify = notify->addr != NULL ? notify->addr + at : NULL;
	return 0;
}

int
vpci_queue_program(struct vpci_dev *vp, uint16_t qid, struct vpci_queue *queue)
{
	const struct svq_device_queue *conf = &queue->conf;
	const struct vpci_area *common = &vp->caps.common;
	uint16_t max = vpci_queue_max(vp, qid);

	if (max == 0 || conf->size > max) {
		VPCI_LOG(ERR, vp->dev.name,
			"queue %u: %u descriptors, but the function has room for %u; give "
			"queue_size=",
			qid, conf->size, max);
		return -EINVAL;
	}
	queue_select(vp, qid);
	vpci_write(vp, common, VIRTIO_PCI_COMMON_Q_SIZE, 2, conf->size);
	put64(vp, VIRTIO_PCI_COMMON_Q_DESCLO, conf->desc_iova);
	put64(vp, VIRTIO_PCI_COMMON_Q_AVAILLO, conf->avail_iova);
	put64(vp, VIRTIO_PCI_COMMON_Q_USEDLO, conf->used_iova);
	vpci_write(vp, common, VIRTIO_PCI_COMMON_Q_MSIX, 2, queue->vector);
	if (get16(vp, VIRTIO_PCI_COMMON_Q_MSIX) != queue->vector) {
		VPCI_LOG(ERR, vp->dev.name, "queue %u: the function has no room for vector %u", qid,
			queue->vector);
		return -EIO;
	}
	if (get16(vp, VIRTIO_PCI_COMMON_Q_SIZE) != conf->size) {
		VPCI_LOG(ERR, vp->dev.name, "queue %u: the function does not take %u descriptors",
			qid, conf->size);
		return -EPROTO;
	}
	return find_notify(vp, qid, queue);
}

void
vpci_queue_enable(struct vpci_dev *vp, uint16_t qid, struct vpci_queue *queue)
{
	queue_select(vp, qid);
	vpci_write(vp, &vp->caps.common, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	queue->enabled = true;
}

/* rte_write*() orders it behind what was written to the ring: the device, which is notified, reads
 * that. Without NOTIFICATION_DATA @p data is the queue's index, of 16 bits. */
void
vpci_queue_notify(const struct vpci_dev *vp, const struct vpci_queue *queue, uint32_t data)
{
	const struct vpci_area *area = &vp->caps.notify;
	bool wide = (vp->features & RTE_BIT64(VIRTIO_F_NOTIFICATION_DATA)) != 0;

	if (queue->notify == NULL)
		svq_vfio_bar_write(
			vp->vfio, area->bar, area->offset + queue->notify_at, wide ? 4 : 2, data);
	else if (wide)
		rte_write32(rte_cpu_to_le_32(data), queue->notify);
	else
		rte_write16(rte_cpu_to_le_16((uint16_t)data), queue->notify);
}
