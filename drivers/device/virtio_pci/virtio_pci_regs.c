/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* The function's registers: status, features, configuration (virtio 1.2, 2.1, 2.2 and 4.1.4.3). */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_io.h>

#include "virtio_pci.h"

/* How long a reset may take before the kernel is asked to reset the function, and before it is
 * given up, ms. */
#define RESET_MS 1000

/* Reads of the configuration that found it changing. */
#define CONFIG_TRIES 100

uint32_t
vpci_read(const struct vpci_dev *vp, const struct vpci_area *area, uint64_t offset,
	unsigned int width)
{
	if (area->addr == NULL)
		return svq_vfio_bar_read(vp->vfio, area->bar, area->offset + offset, width);
	switch (width) {
	case 1:
		return rte_read8(area->addr + offset);
	case 2:
		return rte_le_to_cpu_16(rte_read16(area->addr + offset));
	default:
		return rte_le_to_cpu_32(rte_read32(area->addr + offset));
	}
}

void
vpci_write(const struct vpci_dev *vp, const struct vpci_area *area, uint64_t offset,
	unsigned int width, uint32_t value)
{
	if (area->addr == NULL) {
		svq_vfio_bar_write(vp->vfio, area->bar, area->offset + offset, width, value);
		return;
	}
	switch (width) {
	case 1:
		rte_write8((uint8_t)value, area->addr + offset);
		break;
	case 2:
		rte_write16(rte_cpu_to_le_16((uint16_t)value), area->addr + offset);
		break;
	default:
		rte_write32(rte_cpu_to_le_32(value), area->addr + offset);
		break;
	}
}

uint8_t
vpci_status(const struct vpci_dev *vp)
{
	return (uint8_t)vpci_read(vp, &vp->caps.common, VIRTIO_PCI_COMMON_STATUS, 1);
}

void
vpci_status_add(const struct vpci_dev *vp, uint8_t bits)
{
	vpci_write(vp, &vp->caps.common, VIRTIO_PCI_COMMON_STATUS, 1, vpci_status(vp) | bits);
}

uint64_t
vpci_features_offered(const struct vpci_dev *vp)
{
	const struct vpci_area *common = &vp->caps.common;
	uint64_t features;

	vpci_write(vp, common, VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	features = (uint64_t)vpci_read(vp, common, VIRTIO_PCI_COMMON_DF, 4) << 32;
	vpci_write(vp, common, VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	return features | vpci_read(vp, common, VIRTIO_PCI_COMMON_DF, 4);
}

/* The function is reset when it says so (virtio 1.2, 4.1.4.3.2). */
static bool
wait_reset(const struct vpci_dev *vp)
{
	unsigned int ms;

	for (ms = 0; ms < RESET_MS; ms++) {
		if (vpci_status(vp) == 0)
			return true;
		usleep(1000);
	}
	return false;
}

int
vpci_reset(struct vpci_dev *vp)
{
	int ret;

	atomic_fetch_add(&vp->resets, 1);
	vp->features = 0;
	vpci_write(vp, &vp->caps.common, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	if (wait_reset(vp))
		return 0;
	svq_vfio_bus_master(vp->vfio, false);
	ret = svq_vfio_reset(vp->vfio);
	if (ret == 0 && wait_reset(vp)) {
		VPCI_LOG(WARNING, vp->dev.name,
			"the function did not reset within %d ms; the kernel has reset it",
			RESET_MS);
		return 0;
	}
	vp->dead = true;
	VPCI_LOG(ERR, vp->dev.name,
		"the function does not reset: its status is 0x%02x after %d ms, and the kernel's "
		"reset %s; its bus mastering is off; remove the device, and see whether %s is "
		"still there",
		vpci_status(vp), RESET_MS, ret == 0 ? "did not help" : strerror(-ret),
		vp->args.pci);
	return -ETIMEDOUT;
}

int
vpci_negotiate(struct vpci_dev *vp, uint64_t features)
{
	const struct vpci_area *common = &vp->caps.common;
	int ret;

	ret = vpci_reset(vp);
	if (ret < 0)
		return ret;
	vpci_status_add(vp, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	vpci_status_add(vp, VIRTIO_CONFIG_S_DRIVER);
	vpci_write(vp, common, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	vpci_write(vp, common, VIRTIO_PCI_COMMON_GF, 4, (uint32_t)features);
	vpci_write(vp, common, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	vpci_write(vp, common, VIRTIO_PCI_COMMON_GF, 4, (uint32_t)(features >> 32));
	vpci_status_add(vp, VIRTIO_CONFIG_S_FEATURES_OK);
	if (vpci_status(vp) & VIRTIO_CONFIG_S_FEATURES_OK) {
		vp->features = features;
		/* QEMU, for one, has only such queues as the features ask for. */
		vp->n_queues = (uint16_t)vpci_read(vp, common, VIRTIO_PCI_COMMON_NUMQ, 2);
		return 0;
	}
	vpci_status_add(vp, VIRTIO_CONFIG_S_FAILED);
	VPCI_LOG(ERR, vp->dev.name,
		"the function does not take features 0x%" PRIx64 " of the 0x%" PRIx64
		" that it offers; it may need one that the guest did not accept",
		features, vp->dev.info.features);
	return -ENOTSUP;
}

int
vpci_config_read(const struct vpci_dev *vp, uint32_t offset, void *dst, uint32_t len)
{
	const struct vpci_area *device = &vp->caps.device;
	uint8_t *bytes = dst;
	uint32_t before, after, i;
	unsigned int tries;

	if (offset > device->len || len > device->len - offset)
		return -EINVAL;
	for (tries = 0; tries < CONFIG_TRIES; tries++) {
		before = vpci_read(vp, &vp->caps.common, VIRTIO_PCI_COMMON_CFGGENERATION, 1);
		/* Fields of one width only: all of virtio_net_config that is read may be read by
		 * bytes, for the generation tells when they do not belong together. */
		for (i = 0; i < len; i++)
			bytes[i] = (uint8_t)vpci_read(vp, device, offset + i, 1);
		after = vpci_read(vp, &vp->caps.common, VIRTIO_PCI_COMMON_CFGGENERATION, 1);
		if (before == after)
			return 0;
	}
	VPCI_LOG(ERR, vp->dev.name, "the configuration changed %d times while it was read",
		CONFIG_TRIES);
	return -EAGAIN;
}

int
vpci_queue_reset(struct vpci_dev *vp, uint16_t qid)
{
	const struct vpci_area *common = &vp->caps.common;
	unsigned int ms;

	atomic_fetch_add(&vp->queue_resets, 1);
	vpci_write(vp, common, VIRTIO_PCI_COMMON_Q_SELECT, 2, qid);
	vpci_write(vp, common, VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
	for (ms = 0; ms < RESET_MS; ms++) {
		if (vpci_read(vp, common, VIRTIO_PCI_COMMON_Q_RESET, 2) == 0 &&
			vpci_read(vp, common, VIRTIO_PCI_COMMON_Q_ENABLE, 2) == 0)
			return 0;
		usleep(1000);
	}
	VPCI_LOG(ERR, vp->dev.name, "queue %u does not reset within %d ms", qid, RESET_MS);
	return -EIO;
}
