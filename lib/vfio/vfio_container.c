/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* The I/O address space: what the kernel allows, and what is mapped. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vfio.h>

#include <rte_common.h>

#include "vfio_priv.h"

#define CONTAINER "/dev/vfio/vfio"

#define MAX_CAPS 64

void *
vfio_ioctl_info(int fd, unsigned long request, const void *in, size_t size)
{
	size_t room = size;
	uint32_t *info;
	int tries;

	/* Told how much there is, ask again; what there is may have grown meanwhile. */
	for (tries = 0; tries < 4; tries++) {
		info = calloc(1, room);
		if (info == NULL)
			return NULL;
		memcpy(info, in, size);
		info[0] = (uint32_t)room; /* argsz */
		if (svq_vfio_sys->ioctl(fd, request, info) < 0) {
			free(info);
			return NULL;
		}
		if (info[0] <= room)
			return info;
		room = info[0];
		free(info);
	}
	errno = E2BIG;
	return NULL;
}

int
vfio_container_open(struct vfio_container *container, const char *name)
{
	int version;

	container->fd = svq_vfio_sys->open(CONTAINER, O_RDWR);
	if (container->fd < 0) {
		int error = errno;

		VFIO_LOG(ERR, name, "cannot open " CONTAINER ": %s; %s", strerror(error),
			error == ENOENT || error == ENODEV
				? "load the module (modprobe vfio-pci)"
				: "allow this user to read and write it");
		return error == ENOENT ? -ENODEV : -error;
	}
	version = svq_vfio_sys->ioctl(container->fd, VFIO_GET_API_VERSION, NULL);
	if (version != VFIO_API_VERSION) {
		VFIO_LOG(ERR, name, "the kernel's VFIO has version %d, not %d", version,
			VFIO_API_VERSION);
		return -ENOTSUP;
	}
	if (svq_vfio_sys->ioctl(container->fd, VFIO_CHECK_EXTENSION,
		    (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU) <= 0) {
		VFIO_LOG(ERR, name,
			"the kernel's VFIO has no type 1 (v2) IOMMU; load the module (modprobe "
			"vfio_iommu_type1), and use no IOMMU of another kind");
		return -ENOTSUP;
	}
	return 0;
}

void
vfio_container_close(struct vfio_container *container)
{
	if (container->fd >= 0)
		svq_vfio_sys->close(container->fd);
	container->fd = -1;
}

/* The IOVAs that an allocator may hand out; @p cap has @p room bytes, and any alignment. */
static void
read_ranges(struct vfio_container *container, const uint8_t *cap, size_t room, const char *name)
{
	struct vfio_iommu_type1_info_cap_iova_range head;
	struct vfio_iova_range range;
	uint32_t i, n;

	if (room < sizeof(head))
		return;
	memcpy(&head, cap, sizeof(head));
	n = RTE_MIN(head.nr_iovas, (room - sizeof(head)) / sizeof(range));
	for (i = 0; i < n; i++) {
		if (container->n_ranges == RTE_DIM(container->ranges)) {
			VFIO_LOG(NOTICE, name, "of %u ranges of IOVAs the first %zu are used", n,
				RTE_DIM(container->ranges));
			return;
		}
		memcpy(&range, cap + sizeof(head) + i * sizeof(range), sizeof(range));
		if (range.end < range.start)
			continue;
		container->ranges[container->n_ranges++] =
			(struct svq_iova_range){.first = range.start, .last = range.end};
	}
}

static void
read_caps(struct vfio_container *container, const struct vfio_iommu_type1_info *info,
	const char *name)
{
	struct vfio_iommu_type1_info_dma_avail dma;
	struct vfio_info_cap_header head;
	const uint8_t *cap;
	uint32_t at = info->cap_offset;
	unsigned int n;

	/* A chain that runs in a circle is left some time. */
	for (n = 0; n < MAX_CAPS && at >= sizeof(*info) && info->argsz >= sizeof(head) &&
		at <= info->argsz - sizeof(head);
		n++) {
		cap = (const uint8_t *)info + at;
		memcpy(&head, cap, sizeof(head));
		if (head.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE && container->n_ranges == 0) {
			read_ranges(container, cap, info->argsz - at, name);
		} else if (head.id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL &&
			info->argsz - at >= sizeof(dma)) {
			memcpy(&dma, cap, sizeof(dma));
			container->max_maps = dma.avail;
		}
		at = head.next;
	}
}

int
vfio_container_start(struct vfio_container *container, const char *name)
{
	const struct vfio_iommu_type1_info in = {.argsz = sizeof(in)};
	struct vfio_iommu_type1_info *info;

	if (svq_vfio_sys->ioctl(
		    container->fd, VFIO_SET_IOMMU, (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU) < 0) {
		int error = errno;

		VFIO_LOG(ERR, name, "the kernel does not set up the IOMMU: %s; %s", strerror(error),
			error == EPERM ? "it cannot map interrupts: see the kernel log, and boot "
					 "with interrupt remapping"
				       : "the kernel log may tell why");
		return -error;
	}
	info = vfio_ioctl_info(container->fd, VFIO_IOMMU_GET_INFO, &in, sizeof(in));
	if (info == NULL) {
		int error = errno;

		VFIO_LOG(ERR, name, "the kernel does not describe the IOMMU: %s", strerror(error));
		return -error;
	}
	container->page_sizes = info->flags & VFIO_IOMMU_INFO_PGSIZES ? info->iova_pgsizes : 4096;
	VFIO_LOG(DEBUG, name,
		"IOMMU: flags 0x%x, page sizes 0x%" PRIx64 ", %u bytes, capabilities at %u",
		info->flags, (uint64_t)info->iova_pgsizes, info->argsz, info->cap_offset);
	if (info->flags & VFIO_IOMMU_INFO_CAPS)
		read_caps(container, info, name);
	free(info);
	if (container->n_ranges == 0 || container->page_sizes == 0) {
		VFIO_LOG(ERR, name,
			"the kernel does not tell which IOVAs can be used; Linux 5.4 or later is "
			"needed");
		return -ENOTSUP;
	}
	return 0;
}

/* ---- mappings ---- */

static int
map_error(const struct svq_vfio *vfio, uint64_t iova, uint64_t size, int error)
{
	const struct vfio_container *c = &vfio->container;
	uint64_t needed = atomic_load(&c->mapped_bytes) + size;
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY};

	svq_vfio_sys->getrlimit(RLIMIT_MEMLOCK, &limit);
	switch (error) {
	case ENOMEM:
		if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < needed)
			VFIO_LOG(ERR, vfio->name,
				"locked-memory limit too low: %" PRIu64
				" bytes must be locked for DMA, %" PRIu64
				" are allowed; raise it to at least %" PRIu64
				" KiB (ulimit -l, or LimitMEMLOCK= of the service), more where "
				"other devices lock memory, too",
				needed, (uint64_t)limit.rlim_cur, (needed + 1023) / 1024);
		else
			VFIO_LOG(ERR, vfio->name,
				"no memory to lock %" PRIu64 " bytes for DMA (%" PRIu64
				" in all); free some, or raise the locked-memory limit",
				size, needed);
		break;
	case ENOSPC:
		VFIO_LOG(ERR, vfio->name,
			"%" PRIu64 " DMA mappings are as many as the kernel allows (%u); raise "
			"/sys/module/vfio_iommu_type1/parameters/dma_entry_limit, or give the "
			"guest its memory in fewer pieces",
			atomic_load(&c->mapped), c->max_maps);
		break;
	default:
		VFIO_LOG(ERR, vfio->name,
			"the kernel refuses to map %" PRIu64 " bytes at IOVA 0x%" PRIx64
			" for DMA: %s",
			size, iova, strerror(error));
		break;
	}
	return -error;
}

int
svq_vfio_dma_map(struct svq_vfio *vfio, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm)
{
	struct vfio_container *c = &vfio->container;
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = (perm & SVQ_PERM_R ? VFIO_DMA_MAP_FLAG_READ : 0) |
			(perm & SVQ_PERM_W ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = hva,
		.iova = iova,
		.size = size,
	};

	if (c->max_maps != 0 && atomic_load(&c->mapped) >= c->max_maps)
		return map_error(vfio, iova, size, ENOSPC);
	if (svq_vfio_sys->ioctl(c->fd, VFIO_IOMMU_MAP_DMA, &map) < 0)
		return map_error(vfio, iova, size, errno);
	atomic_fetch_add(&c->maps, 1);
	atomic_fetch_add(&c->mapped, 1);
	atomic_fetch_add(&c->mapped_bytes, size);
	return 0;
}

int
svq_vfio_dma_unmap(struct svq_vfio *vfio, uint64_t iova, uint64_t size)
{
	struct vfio_container *c = &vfio->container;
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};
	int error;

	if (svq_vfio_sys->ioctl(c->fd, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0) {
		error = errno;
		VFIO_LOG(ERR, vfio->name,
			"the kernel refuses to unmap %" PRIu64 " bytes at IOVA 0x%" PRIx64 ": %s",
			size, iova, strerror(error));
		return -error;
	}
	/* It says how much it found. */
	if (unmap.size != size)
		return -ENOENT;
	atomic_fetch_add(&c->unmaps, 1);
	atomic_fetch_sub(&c->mapped, 1);
	atomic_fetch_sub(&c->mapped_bytes, size);
	return 0;
}
