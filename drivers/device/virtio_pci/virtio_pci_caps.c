/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Where the function's structures lie: the capabilities of virtio 1.2, 4.1.4. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "virtio_pci.h"

/* As many as fit behind the header. */
#define MAX_CAPS ((256 - PCI_STD_HEADER_SIZEOF) / 4)

#define VENDOR_VIRTIO	  0x1af4
#define DEVICE_NET	  0x1041
#define DEVICE_NET_LEGACY 0x1000 /* transitional, or of before virtio 1.0 */

static int
check_id(struct svq_vfio *vfio, const char *name)
{
	const char *pci = svq_vfio_info(vfio)->pci;
	uint16_t id[2];

	if (svq_vfio_config_read(vfio, PCI_VENDOR_ID, id, sizeof(id)) < 0) {
		VPCI_LOG(ERR, name, "the configuration space of %s cannot be read", pci);
		return -EIO;
	}
	id[0] = rte_le_to_cpu_16(id[0]);
	id[1] = rte_le_to_cpu_16(id[1]);
	if (id[0] == VENDOR_VIRTIO && (id[1] == DEVICE_NET || id[1] == DEVICE_NET_LEGACY))
		return 0;
	VPCI_LOG(ERR, name,
		"PCI function %s is %04x:%04x, no virtio-net device (%04x:%04x); give pci= of one",
		pci, id[0], id[1], VENDOR_VIRTIO, DEVICE_NET);
	return -ENODEV;
}

/* The structure that a type of capability places, and what the driver needs of it. */
static struct vpci_area *
area_of(struct vpci_caps *caps, uint8_t type, uint64_t *min_len, uint64_t *align)
{
	switch (type) {
	case VIRTIO_PCI_CAP_COMMON_CFG:
		*min_len = VIRTIO_PCI_COMMON_Q_USEDHI + 4;
		*align = 4;
		return &caps->common;
	case VIRTIO_PCI_CAP_NOTIFY_CFG:
		*min_len = 2;
		*align = 2;
		return &caps->notify;
	case VIRTIO_PCI_CAP_ISR_CFG:
		*min_len = 1;
		*align = 1;
		return &caps->isr;
	case VIRTIO_PCI_CAP_DEVICE_CFG:
		*min_len = 1;
		*align = 4;
		return &caps->device;
	default:
		return NULL;
	}
}

/* Take one capability, if it is one of ours and sound. */
static void
take_cap(struct svq_vfio *vfio, const char *name, struct vpci_caps *caps, uint8_t at,
	const struct virtio_pci_cap *cap)
{
	uint64_t min_len, align, size;
	struct vpci_area *area = area_of(caps, cap->cfg_type, &min_len, &align);
	uint32_t offset = rte_le_to_cpu_32(cap->offset);
	uint32_t len = rte_le_to_cpu_32(cap->length);
	size_t min_cap = sizeof(*cap);
	uint32_t multiplier;

	/* The first of a type is the one that the function likes best; values of bar beyond the
	 * BARs are reserved. */
	if (area == NULL || area->len != 0 || cap->bar >= SVQ_VFIO_MAX_BARS)
		return;
	if (cap->cfg_type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		min_cap = sizeof(struct virtio_pci_notify_cap);
	size = svq_vfio_bar_size(vfio, cap->bar);
	if (cap->cap_len < min_cap || len < min_len || offset % align != 0 || offset > size ||
		len > size - offset) {
		VPCI_LOG(WARNING, name,
			"capability at 0x%x (type %u, %u bytes) is passed over: offset 0x%" PRIx32
			", length 0x%" PRIx32 " in BAR %u of 0x%" PRIx64 " bytes",
			at, cap->cfg_type, cap->cap_len, offset, len, cap->bar, size);
		return;
	}
	if (cap->cfg_type == VIRTIO_PCI_CAP_NOTIFY_CFG) {
		if (svq_vfio_config_read(vfio, at + VIRTIO_PCI_NOTIFY_CAP_MULT, &multiplier,
			    sizeof(multiplier)) < 0)
			return;
		caps->notify_multiplier = rte_le_to_cpu_32(multiplier);
	}
	area->bar = cap->bar;
	area->offset = offset;
	area->len = len;
	area->addr = svq_vfio_bar_map(vfio, area->bar, area->offset, area->len);
}

static int
walk(struct svq_vfio *vfio, const char *name, struct vpci_caps *caps)
{
	struct virtio_pci_cap cap;
	uint16_t status;
	uint8_t at = 0;
	unsigned int n;

	if (svq_vfio_config_read(vfio, PCI_STATUS, &status, sizeof(status)) < 0)
		return -EIO;
	if (!(rte_le_to_cpu_16(status) & PCI_STATUS_CAP_LIST))
		return 0;
	if (svq_vfio_config_read(vfio, PCI_CAPABILITY_LIST, &at, sizeof(at)) < 0)
		return -EIO;
	for (n = 0; n < MAX_CAPS; n++) {
		at &= 0xfc;
		if (at < PCI_STD_HEADER_SIZEOF)
			return 0;
		memset(&cap, 0, sizeof(cap));
		if (svq_vfio_config_read(vfio, at, &cap, RTE_MIN(sizeof(cap), (size_t)(256 - at))) <
			0)
			return -EIO;
		if (cap.cap_vndr == PCI_CAP_ID_VNDR && at <= 256 - sizeof(cap))
			take_cap(vfio, name, caps, at, &cap);
		at = cap.cap_next;
	}
	VPCI_LOG(ERR, name, "the capabilities of %s run in a circle: the function is broken",
		svq_vfio_info(vfio)->pci);
	return -EPROTO;
}

/* Two structures in one place would be written one through the other. */
static int
check_overlap(const char *name, const struct vpci_caps *caps)
{
	const struct {
		const char *name;
		const struct vpci_area *area;
	} all[] = {
		{"common", &caps->common},
		{"notification", &caps->notify},
		{"ISR", &caps->isr},
		{"device", &caps->device},
	};
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(all); i++) {
		for (j = i + 1; j < RTE_DIM(all); j++) {
			const struct vpci_area *a = all[i].area, *b = all[j].area;

			if (a->len == 0 || b->len == 0 || a->bar != b->bar ||
				a->offset + a->len <= b->offset || b->offset + b->len <= a->offset)
				continue;
			VPCI_LOG(ERR, name,
				"the %s structure and the %s structure overlap in BAR %u: the "
				"function is broken",
				all[i].name, all[j].name, a->bar);
			return -EPROTO;
		}
	}
	return 0;
}

int
vpci_caps_find(struct svq_vfio *vfio, const char *name, struct vpci_caps *caps)
{
	const char *pci = svq_vfio_info(vfio)->pci;
	const char *missing;
	int ret;

	memset(caps, 0, sizeof(*caps));
	ret = check_id(vfio, name);
	if (ret == 0)
		ret = walk(vfio, name, caps);
	if (ret == 0)
		ret = check_overlap(name, caps);
	if (ret < 0)
		return ret;
	if (caps->common.len == 0 && caps->notify.len == 0 && caps->isr.len == 0 &&
		caps->device.len == 0) {
		VPCI_LOG(ERR, name,
			"%s is a legacy-only virtio device: it has no virtio 1.x interface, which "
			"is needed (QEMU: disable-modern=off)",
			pci);
		return -ENODEV;
	}
	missing = caps->common.len == 0 ? "common configuration"
		: caps->notify.len == 0 ? "notification"
		: caps->device.len == 0 ? "device configuration"
					: NULL;
	if (missing == NULL)
		return 0;
	VPCI_LOG(ERR, name, "%s has no usable %s structure: the function is broken", pci, missing);
	return -EPROTO;
}
