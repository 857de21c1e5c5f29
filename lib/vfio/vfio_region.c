/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* A function's configuration space and BARs. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "vfio_priv.h"

#define PAGE	 4096
#define MAX_CAPS 64

/* ---- mapping ---- */

static void
area_map(struct svq_vfio *vfio, unsigned int bar, uint64_t offset, uint64_t size)
{
	struct vfio_region *r = &vfio->bars[bar];
	struct vfio_area *area;

	if (size == 0 || offset > r->size || size > r->size - offset ||
		(r->offset + offset) % PAGE != 0 || r->n_areas == RTE_DIM(r->areas))
		return;
	area = &r->areas[r->n_areas];
	area->addr = svq_vfio_sys->mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vfio->fd,
		(off_t)(r->offset + offset));
	/* System calls reach it all the same. */
	if (area->addr == MAP_FAILED) {
		VFIO_LOG(WARNING, vfio->name, "BAR %u cannot be mapped: %s; access to it is slow",
			bar, strerror(errno));
		return;
	}
	area->offset = offset;
	area->size = size;
	r->n_areas++;
}

/* Map what the kernel lists, of @p cap with @p room bytes and any alignment. */
static void
map_sparse(struct svq_vfio *vfio, unsigned int bar, const uint8_t *cap, size_t room)
{
	struct vfio_region_info_cap_sparse_mmap head;
	struct vfio_region_sparse_mmap_area area;
	uint32_t i;

	memcpy(&head, cap, sizeof(head));
	for (i = 0; i < head.nr_areas && (i + 1) * sizeof(area) <= room - sizeof(head); i++) {
		memcpy(&area, cap + sizeof(head) + i * sizeof(area), sizeof(area));
		area_map(vfio, bar, area.offset, area.size);
	}
}

static void
bar_open(struct svq_vfio *vfio, unsigned int bar, const struct vfio_region_info *info)
{
	struct vfio_info_cap_header head;
	uint32_t at = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;
	unsigned int n;

	vfio->bars[bar].offset = info->offset;
	vfio->bars[bar].size = info->size;
	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return;
	for (n = 0; n < MAX_CAPS && at >= sizeof(*info) && at <= info->argsz &&
		info->argsz - at >= sizeof(head);
		n++) {
		const uint8_t *cap = (const uint8_t *)info + at;

		memcpy(&head, cap, sizeof(head));
		if (head.id == VFIO_REGION_INFO_CAP_SPARSE_MMAP &&
			info->argsz - at >= sizeof(struct vfio_region_info_cap_sparse_mmap)) {
			map_sparse(vfio, bar, cap, info->argsz - at);
			return;
		}
		at = head.next;
	}
	area_map(vfio, bar, 0, info->size);
}

static struct vfio_region_info *
region_info(struct svq_vfio *vfio, uint32_t index)
{
	const struct vfio_region_info in = {.argsz = sizeof(in), .index = index};

	return vfio_ioctl_info(vfio->fd, VFIO_DEVICE_GET_REGION_INFO, &in, sizeof(in));
}

static bool
is_memory_bar(struct svq_vfio *vfio, unsigned int bar)
{
	uint32_t value;

	return svq_vfio_config_read(vfio, PCI_BASE_ADDRESS_0 + 4 * bar, &value, sizeof(value)) ==
		0 &&
		(rte_le_to_cpu_32(value) & PCI_BASE_ADDRESS_SPACE) == PCI_BASE_ADDRESS_SPACE_MEMORY;
}

static int
set_command(struct svq_vfio *vfio, uint16_t bit, bool on)
{
	uint16_t command, wanted;
	int ret;

	ret = svq_vfio_config_read(vfio, PCI_COMMAND, &command, sizeof(command));
	if (ret < 0)
		return ret;
	wanted = rte_cpu_to_le_16(
		on ? rte_le_to_cpu_16(command) | bit : rte_le_to_cpu_16(command) & ~bit);
	if (wanted == command)
		return 0;
	return svq_vfio_config_write(vfio, PCI_COMMAND, &wanted, sizeof(wanted));
}

int
vfio_regions_open(struct svq_vfio *vfio)
{
	struct vfio_region_info *info = region_info(vfio, VFIO_PCI_CONFIG_REGION_INDEX);
	unsigned int bar;

	if (info == NULL || info->size < 256) {
		VFIO_LOG(ERR, vfio->name, "the kernel does not show the configuration space of %s",
			vfio->info.pci);
		free(info);
		return -EIO;
	}
	vfio->config.offset = info->offset;
	vfio->config.size = info->size;
	free(info);
	if (set_command(vfio, PCI_COMMAND_MEMORY, true) < 0) {
		VFIO_LOG(ERR, vfio->name, "the configuration space of %s cannot be written",
			vfio->info.pci);
		return -EIO;
	}
	for (bar = 0; bar < SVQ_VFIO_MAX_BARS; bar++) {
		info = region_info(vfio, VFIO_PCI_BAR0_REGION_INDEX + bar);
		if (info != NULL && info->size != 0 && is_memory_bar(vfio, bar))
			bar_open(vfio, bar, info);
		free(info);
	}
	return 0;
}

void
vfio_regions_close(struct svq_vfio *vfio)
{
	unsigned int bar, i;

	for (bar = 0; bar < SVQ_VFIO_MAX_BARS; bar++) {
		struct vfio_region *r = &vfio->bars[bar];

		for (i = 0; i < r->n_areas; i++)
			svq_vfio_sys->munmap(r->areas[i].addr, r->areas[i].size);
		r->n_areas = 0;
	}
}

/* ---- access ---- */

static bool
inside(const struct vfio_region *r, uint64_t offset, uint64_t len)
{
	return offset <= r->size && len <= r->size - offset;
}

int
svq_vfio_config_read(struct svq_vfio *vfio, uint32_t offset, void *dst, uint32_t len)
{
	if (!inside(&vfio->config, offset, len) ||
		svq_vfio_sys->pread(vfio->fd, dst, len, (off_t)(vfio->config.offset + offset)) !=
			(ssize_t)len)
		return -EIO;
	return 0;
}

int
svq_vfio_config_write(struct svq_vfio *vfio, uint32_t offset, const void *src, uint32_t len)
{
	if (!inside(&vfio->config, offset, len) ||
		svq_vfio_sys->pwrite(vfio->fd, src, len, (off_t)(vfio->config.offset + offset)) !=
			(ssize_t)len)
		return -EIO;
	return 0;
}

int
svq_vfio_bus_master(struct svq_vfio *vfio, bool on)
{
	return set_command(vfio, PCI_COMMAND_MASTER, on);
}

uint64_t
svq_vfio_bar_size(const struct svq_vfio *vfio, unsigned int bar)
{
	return bar < SVQ_VFIO_MAX_BARS ? vfio->bars[bar].size : 0;
}

volatile void *
svq_vfio_bar_map(const struct svq_vfio *vfio, unsigned int bar, uint64_t offset, uint64_t len)
{
	const struct vfio_region *r = &vfio->bars[bar];
	unsigned int i;

	for (i = 0; i < r->n_areas; i++) {
		uint64_t at = offset - r->areas[i].offset;

		if (at < r->areas[i].size && len <= r->areas[i].size - at)
			return RTE_PTR_ADD(r->areas[i].addr, at);
	}
	return NULL;
}

uint32_t
svq_vfio_bar_read(
	const struct svq_vfio *vfio, unsigned int bar, uint64_t offset, unsigned int width)
{
	const struct vfio_region *r = &vfio->bars[bar];
	uint32_t value = 0;

	if (!inside(r, offset, width) ||
		svq_vfio_sys->pread(vfio->fd, &value, width, (off_t)(r->offset + offset)) !=
			(ssize_t)width)
		return UINT32_MAX >> (32 - 8 * width);
	return rte_le_to_cpu_32(value);
}

void
svq_vfio_bar_write(const struct svq_vfio *vfio, unsigned int bar, uint64_t offset,
	unsigned int width, uint32_t value)
{
	const struct vfio_region *r = &vfio->bars[bar];

	/* Where it fails, the function is gone; what is read from it tells. */
	value = rte_cpu_to_le_32(value);
	if (inside(r, offset, width) &&
		svq_vfio_sys->pwrite(vfio->fd, &value, width, (off_t)(r->offset + offset)) < 0)
		VFIO_LOG(DEBUG, vfio->name, "BAR %u cannot be written: %s", bar, strerror(errno));
}
