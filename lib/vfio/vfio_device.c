/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Taking a function from the kernel, and giving it back. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vfio.h>

#include "vfio_priv.h"

static int
group_open(struct svq_vfio *vfio)
{
	char path[32];
	int error;

	snprintf(path, sizeof(path), "/dev/vfio/%u", vfio->info.group);
	vfio->group_fd = svq_vfio_sys->open(path, O_RDWR);
	if (vfio->group_fd >= 0)
		return 0;
	error = errno;
	VFIO_LOG(ERR, vfio->name, "cannot open %s, the group of %s: %s; %s", path, vfio->info.pci,
		strerror(error),
		error == EBUSY ? "another process or device has a function of that group; "
				 "DPDK itself takes it unless EAL is given --no-pci"
			: error == ENOENT ? "load the module (modprobe vfio-pci), and in a "
					    "container pass the file on"
					  : "allow this user to read and write it");
	return -error;
}

static int
group_join(struct svq_vfio *vfio)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	char others[512];
	int error;

	if (svq_vfio_sys->ioctl(vfio->group_fd, VFIO_GROUP_GET_STATUS, &status) < 0) {
		error = errno;
		VFIO_LOG(ERR, vfio->name, "IOMMU group %u has no status: %s", vfio->info.group,
			strerror(error));
		return -error;
	}
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		vfio_sysfs_group(vfio->info.group, others, sizeof(others));
		VFIO_LOG(ERR, vfio->name,
			"IOMMU group %u of %s is not viable: the kernel still drives others of it: "
			"%s; unbind them or bind them to vfio-pci, too",
			vfio->info.group, vfio->info.pci, others);
		return -EPERM;
	}
	if (svq_vfio_sys->ioctl(vfio->group_fd, VFIO_GROUP_SET_CONTAINER, &vfio->container.fd) <
		0) {
		error = errno;
		VFIO_LOG(ERR, vfio->name, "IOMMU group %u cannot be used: %s; %s", vfio->info.group,
			strerror(error),
			error == EBUSY || error == EINVAL ? "another device or process has it"
							  : "the kernel log may tell why");
		return -error;
	}
	return 0;
}

static int
function_open(struct svq_vfio *vfio)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	int error;

	vfio->fd = svq_vfio_sys->ioctl(vfio->group_fd, VFIO_GROUP_GET_DEVICE_FD, vfio->info.pci);
	if (vfio->fd < 0) {
		error = errno;
		VFIO_LOG(ERR, vfio->name, "VFIO does not give %s: %s; the kernel log may tell why",
			vfio->info.pci, strerror(error));
		return -error;
	}
	if (svq_vfio_sys->ioctl(vfio->fd, VFIO_DEVICE_GET_INFO, &info) < 0) {
		error = errno;
		VFIO_LOG(ERR, vfio->name, "VFIO does not describe %s: %s", vfio->info.pci,
			strerror(error));
		return -error;
	}
	vfio->flags = info.flags;
	return 0;
}

int
svq_vfio_open(const char *name, const char *pci, struct svq_vfio **out)
{
	struct svq_vfio *vfio = calloc(1, sizeof(*vfio));
	struct vfio_container *c;
	int ret;

	if (vfio == NULL)
		return -ENOMEM;
	c = &vfio->container;
	snprintf(vfio->name, sizeof(vfio->name), "%s", name);
	vfio->fd = vfio->group_fd = c->fd = -1;
	ret = svq_vfio_pci_parse(pci, vfio->info.pci);
	if (ret == 0)
		ret = vfio_sysfs_check(vfio);
	if (ret == 0)
		ret = vfio_container_open(c, name);
	if (ret == 0)
		ret = group_open(vfio);
	if (ret == 0)
		ret = group_join(vfio);
	if (ret == 0)
		ret = vfio_container_start(c, name);
	if (ret == 0)
		ret = function_open(vfio);
	if (ret == 0)
		ret = vfio_regions_open(vfio);
	if (ret < 0) {
		svq_vfio_close(vfio);
		return ret;
	}
	vfio->info.n_msix = vfio_msix_count(vfio);
	vfio->info.page_sizes = c->page_sizes;
	vfio->info.max_maps = c->max_maps;
	vfio->info.n_ranges = c->n_ranges;
	memcpy(vfio->info.ranges, c->ranges, sizeof(vfio->info.ranges));
	*out = vfio;
	return 0;
}

void
svq_vfio_close(struct svq_vfio *vfio)
{
	if (vfio == NULL)
		return;
	vfio_regions_close(vfio);
	/* The function first: the kernel ends its DMA before the mappings go. */
	if (vfio->fd >= 0)
		svq_vfio_sys->close(vfio->fd);
	if (vfio->group_fd >= 0)
		svq_vfio_sys->close(vfio->group_fd);
	vfio_container_close(&vfio->container);
	free(vfio);
}

const struct svq_vfio_info *
svq_vfio_info(const struct svq_vfio *vfio)
{
	return &vfio->info;
}

void
svq_vfio_stats(const struct svq_vfio *vfio, struct svq_vfio_stats *stats)
{
	const struct vfio_container *c = &vfio->container;

	stats->maps = atomic_load(&c->maps);
	stats->unmaps = atomic_load(&c->unmaps);
	stats->mapped = atomic_load(&c->mapped);
	stats->mapped_bytes = atomic_load(&c->mapped_bytes);
	stats->resets = atomic_load(&vfio->resets);
}

int
svq_vfio_reset(struct svq_vfio *vfio)
{
	if (!(vfio->flags & VFIO_DEVICE_FLAGS_RESET))
		return -ENOTSUP;
	if (svq_vfio_sys->ioctl(vfio->fd, VFIO_DEVICE_RESET, NULL) < 0)
		return -errno;
	atomic_fetch_add(&vfio->resets, 1);
	return 0;
}
