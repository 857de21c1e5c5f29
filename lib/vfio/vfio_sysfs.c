/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* What sysfs tells of a function before VFIO is asked: most mistakes of setting up show here. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "vfio_priv.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define VFIO_DRIVER "vfio-pci"

RTE_LOG_REGISTER(svq_vfio_logtype, svq.vfio, NOTICE)

int
svq_vfio_pci_parse(const char *text, char pci[SVQ_VFIO_PCI_LEN])
{
	unsigned int domain, bus, device, function;
	char rest;

	if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text) || strlen(text) > 12)
		return -EINVAL;
	if (sscanf(text, "%x:%x:%x.%x%c", &domain, &bus, &device, &function, &rest) != 4) {
		domain = 0;
		if (sscanf(text, "%x:%x.%x%c", &bus, &device, &function, &rest) != 3)
			return -EINVAL;
	}
	if (domain > 0xffff || bus > 0xff || device > 0x1f || function > 7)
		return -EINVAL;
	snprintf(pci, SVQ_VFIO_PCI_LEN, "%04x:%02x:%02x.%x", domain & 0xffff, bus & 0xff,
		device & 0x1f, function & 7);
	return 0;
}

/* The last part of what a link of a function points to; "" if there is no such link. */
static void
link_name(const char *pci, const char *link, char *name, size_t size)
{
	char path[128], target[256];
	const char *last;
	ssize_t n;

	name[0] = '\0';
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", pci, link);
	n = svq_vfio_sys->readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	last = strrchr(target, '/');
	rte_strscpy(name, last != NULL ? last + 1 : target, size);
}

static bool
read_text(const char *path, char *text, size_t size)
{
	int fd = svq_vfio_sys->open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return false;
	n = svq_vfio_sys->pread(fd, text, size - 1, 0);
	svq_vfio_sys->close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

static int
numa_node(const char *pci)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/numa_node", pci);
	return read_text(path, text, sizeof(text)) ? atoi(text) : -1;
}

/* The kernel's stand-in for a group where there is no IOMMU. */
static bool
is_noiommu(unsigned int group)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%u/name", group);
	return read_text(path, text, sizeof(text)) && strcmp(text, "vfio-noiommu") == 0;
}

int
vfio_sysfs_check(struct svq_vfio *vfio)
{
	const char *pci = vfio->info.pci;
	char path[128], driver[64], group[32], text[16];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/vendor", pci);
	if (!read_text(path, text, sizeof(text))) {
		VFIO_LOG(ERR, vfio->name,
			"there is no PCI function %s; 'lspci -D -d 1af4:' lists the virtio ones",
			pci);
		return -ENODEV;
	}
	link_name(pci, "driver", driver, sizeof(driver));
	if (strcmp(driver, VFIO_DRIVER) != 0) {
		VFIO_LOG(ERR, vfio->name,
			"PCI function %s has %s%s, not " VFIO_DRIVER
			"; bind it: modprobe vfio-pci; driverctl set-override %s " VFIO_DRIVER
			" (or: echo " VFIO_DRIVER " > " PCI_DEVICES
			"/%s/driver_override; echo %s > " PCI_DEVICES
			"/%s/driver/unbind; echo %s > /sys/bus/pci/drivers_probe)",
			pci, driver[0] != '\0' ? "the driver " : "no driver", driver, pci, pci, pci,
			pci, pci);
		return -ENODEV;
	}
	link_name(pci, "iommu_group", group, sizeof(group));
	if (group[0] == '\0' || is_noiommu((unsigned int)atoi(group))) {
		VFIO_LOG(ERR, vfio->name,
			"PCI function %s has no IOMMU: without one its DMA reaches all of memory, "
			"so it is refused; switch the IOMMU on in the firmware, and in the kernel "
			"with intel_iommu=on (Intel) or iommu=pt (AMD)",
			pci);
		return -ENOTSUP;
	}
	vfio->info.group = (unsigned int)atoi(group);
	vfio->info.numa_node = numa_node(pci);
	return 0;
}

struct group_text {
	char *text;
	size_t size;
};

static void
append_function(const char *name, void *arg)
{
	struct group_text *out = arg;
	size_t len = strlen(out->text);
	char driver[64];

	link_name(name, "driver", driver, sizeof(driver));
	/* Bridges stay with the kernel; VFIO admits them. */
	if (strcmp(driver, VFIO_DRIVER) == 0 || strcmp(driver, "pcieport") == 0 ||
		driver[0] == '\0')
		return;
	snprintf(out->text + len, out->size - len, "%s%s (%s)", len != 0 ? ", " : "", name, driver);
}

void
vfio_sysfs_group(unsigned int group, char *text, size_t size)
{
	struct group_text out = {.text = text, .size = size};
	char path[128];

	text[0] = '\0';
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%u/devices", group);
	if (svq_vfio_sys->listdir(path, append_function, &out) < 0 || text[0] == '\0')
		snprintf(text, size, "see %s", path);
}
