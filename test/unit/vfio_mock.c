/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* The kernel's part: sysfs, VFIO's files, mappings. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include <rte_common.h>
#include <rte_log.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "vfio_mock.h"

enum {
	FD_CONTAINER = 1000,
	FD_GROUP,
	FD_DEVICE,
	FD_TEXT, /* a file of sysfs */
};

#define REGION(index) ((uint64_t)(index) << 40)

struct mock_vfio vm;
uint8_t mock_bar[MOCK_BAR_SIZE] __rte_aligned(4096);
static char text[64];
static char *log_text;
static size_t log_size;
static FILE *log_stream;

static int
fail(int error)
{
	errno = error;
	return -1;
}

/* ---- files ---- */

static int
sysfs_open(const char *path)
{
	if (strstr(path, MOCK_PCI "/vendor") != NULL && !vm.absent)
		strcpy(text, "0x1af4\n");
	else if (strstr(path, MOCK_PCI "/numa_node") != NULL)
		strcpy(text, "0\n");
	else if (strstr(path, "/name") != NULL && vm.noiommu)
		strcpy(text, "vfio-noiommu\n");
	else
		return fail(ENOENT);
	return FD_TEXT;
}

static int
mock_open(const char *path, int flags)
{
	int fd;

	RTE_SET_USED(flags);
	if (vm.open_path != NULL && strcmp(path, vm.open_path) == 0)
		return fail(vm.open_error);
	if (strcmp(path, "/dev/vfio/vfio") == 0)
		fd = FD_CONTAINER;
	else if (strcmp(path, "/dev/vfio/7") == 0)
		fd = FD_GROUP;
	else
		fd = sysfs_open(path);
	vm.open_fds += fd >= 0;
	return fd;
}

static int
mock_close(int fd)
{
	vm.open_fds--;
	/* The kernel's way: no DMA, then no mappings. */
	if (fd == FD_DEVICE) {
		vm.config[PCI_COMMAND] &= (uint8_t)~PCI_COMMAND_MASTER;
		mock_function_reset();
	} else if (fd == FD_CONTAINER) {
		vm.n_maps = 0;
	}
	return 0;
}

static ssize_t
mock_readlink(const char *path, char *dst, size_t size)
{
	const char *name = strstr(path, MOCK_PCI) != NULL
		? strstr(path, "/driver") != NULL ? vm.driver : vm.group
		: vm.neighbour_driver;

	if (name == NULL)
		return fail(ENOENT);
	return snprintf(dst, size, "../../../somewhere/%s", name);
}

static int
mock_listdir(const char *path, void (*cb)(const char *name, void *arg), void *arg)
{
	if (strcmp(path, "/sys/kernel/iommu_groups/7/devices") != 0)
		return fail(ENOENT);
	cb(MOCK_PCI, arg);
	if (vm.neighbour != NULL)
		cb(vm.neighbour, arg);
	return 0;
}

static ssize_t
mock_pread(int fd, void *dst, size_t size, off_t offset)
{
	uint64_t at = (uint64_t)offset & (REGION(1) - 1);
	uint32_t value;

	if (fd == FD_TEXT)
		return (ssize_t)snprintf(dst, size, "%s", text);
	if ((uint64_t)offset >> 40 == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (at + size > sizeof(vm.config))
			return fail(EINVAL);
		memcpy(dst, vm.config + at, size);
		return (ssize_t)size;
	}
	if ((uint64_t)offset >> 40 != MOCK_BAR || at + size > MOCK_BAR_SIZE)
		return fail(EINVAL);
	value = mock_bar_read(at, (unsigned int)size);
	memcpy(dst, &value, size);
	return (ssize_t)size;
}

static ssize_t
mock_pwrite(int fd, const void *src, size_t size, off_t offset)
{
	uint64_t at = (uint64_t)offset & (REGION(1) - 1);
	uint32_t value = 0;

	RTE_SET_USED(fd);
	if ((uint64_t)offset >> 40 == VFIO_PCI_CONFIG_REGION_INDEX) {
		memcpy(vm.config + at, src, size);
		return (ssize_t)size;
	}
	if ((uint64_t)offset >> 40 != MOCK_BAR || at + size > MOCK_BAR_SIZE)
		return fail(EINVAL);
	memcpy(&value, src, size);
	mock_bar_write(at, (unsigned int)size, value);
	return (ssize_t)size;
}

static void *
mock_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	RTE_SET_USED(addr);
	RTE_SET_USED(prot);
	RTE_SET_USED(flags);
	RTE_SET_USED(fd);
	CU_ASSERT_EQUAL((uint64_t)offset >> 40, MOCK_BAR);
	CU_ASSERT(((uint64_t)offset & (REGION(1) - 1)) + size <= MOCK_BAR_SIZE);
	return mock_bar + ((uint64_t)offset & (REGION(1) - 1));
}

static int
mock_munmap(void *addr, size_t size)
{
	RTE_SET_USED(addr);
	RTE_SET_USED(size);
	return 0;
}

static int
mock_getrlimit(int resource, struct rlimit *limit)
{
	CU_ASSERT_EQUAL(resource, RLIMIT_MEMLOCK);
	limit->rlim_cur = limit->rlim_max = vm.memlock;
	return 0;
}

/* ---- ioctls ---- */

/* As the kernel packs them: the second begins where the first ends, whatever its alignment. */
static int
iommu_info(struct vfio_iommu_type1_info *info)
{
	uint32_t avail = vm.dma_avail != 0 ? sizeof(struct vfio_iommu_type1_info_dma_avail) : 0;
	uint32_t ranges = vm.n_ranges != 0
		? (uint32_t)(sizeof(struct vfio_iommu_type1_info_cap_iova_range) +
			  vm.n_ranges * sizeof(struct vfio_iova_range))
		: 0;
	uint8_t *at = (uint8_t *)info + sizeof(*info);
	struct vfio_iommu_type1_info_dma_avail dma = {.avail = vm.dma_avail};
	struct vfio_iommu_type1_info_cap_iova_range cap = {.nr_iovas = vm.n_ranges};
	uint32_t room = info->argsz;

	info->flags = VFIO_IOMMU_INFO_PGSIZES;
	info->iova_pgsizes = vm.page_sizes;
	if (avail + ranges == 0)
		return 0;
	info->flags |= VFIO_IOMMU_INFO_CAPS;
	info->argsz = (uint32_t)sizeof(*info) + avail + ranges;
	info->cap_offset = 0;
	if (room < info->argsz)
		return 0;
	info->cap_offset = sizeof(*info);
	if (avail != 0) {
		dma.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
		dma.header.next = ranges != 0 ? (uint32_t)sizeof(*info) + avail : 0;
		memcpy(at, &dma, sizeof(dma));
		at += avail;
	}
	if (ranges != 0) {
		cap.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
		memcpy(at, &cap, sizeof(cap));
		memcpy(at + sizeof(cap), vm.ranges, vm.n_ranges * sizeof(struct mock_range));
	}
	return 0;
}

static int
region_info(struct vfio_region_info *info)
{
	struct vfio_region_info_cap_sparse_mmap cap = {.nr_areas = 1};
	struct vfio_region_sparse_mmap_area area = {.offset = vm.mmap_first, .size = vm.mmap_size};
	uint32_t room = info->argsz;

	info->offset = REGION(info->index);
	if (info->index == VFIO_PCI_CONFIG_REGION_INDEX)
		info->size = sizeof(vm.config);
	else if (info->index == MOCK_BAR)
		info->size = MOCK_BAR_SIZE;
	if (info->index != MOCK_BAR || vm.mmap_size == 0)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (!vm.sparse)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	info->argsz = sizeof(*info) + sizeof(cap) + sizeof(area);
	if (room < info->argsz)
		return 0;
	info->cap_offset = sizeof(*info);
	cap.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	memcpy(info + 1, &cap, sizeof(cap));
	memcpy((uint8_t *)(info + 1) + sizeof(cap), &area, sizeof(area));
	return 0;
}

static int
dma_map(const struct vfio_iommu_type1_dma_map *map)
{
	unsigned int i;

	vm.n_map_calls++;
	for (i = 0; i < vm.n_maps; i++) {
		if (map->iova - vm.maps[i].iova < vm.maps[i].size ||
			vm.maps[i].iova - map->iova < map->size)
			return fail(EEXIST);
	}
	CU_ASSERT_FATAL(vm.n_maps < RTE_DIM(vm.maps));
	vm.maps[vm.n_maps++] = (struct mock_dma){
		.iova = map->iova, .hva = map->vaddr, .size = map->size, .flags = map->flags};
	return 0;
}

static int
dma_unmap(struct vfio_iommu_type1_dma_unmap *unmap)
{
	unsigned int i;

	vm.n_unmap_calls++;
	for (i = 0; i < vm.n_maps; i++) {
		if (vm.maps[i].iova != unmap->iova)
			continue;
		if (vm.maps[i].size != unmap->size)
			return fail(EINVAL);
		vm.maps[i] = vm.maps[--vm.n_maps];
		return 0;
	}
	unmap->size = 0;
	return 0;
}

static int
irq_set(const struct vfio_irq_set *set)
{
	CU_ASSERT_EQUAL(set->index, VFIO_PCI_MSIX_IRQ_INDEX);
	CU_ASSERT(set->count <= vm.n_msix);
	vm.n_irqs = set->count;
	memcpy(vm.irqs, set->data, set->count * sizeof(int32_t));
	return 0;
}

static int
mock_ioctl(int fd, unsigned long request, void *arg)
{
	if (request == vm.fail) {
		if (vm.fail_after == 0) {
			vm.fail = 0;
			return fail(vm.fail_error);
		}
		vm.fail_after--;
	}
	switch (request) {
	case VFIO_GET_API_VERSION:
		return vm.version;
	case VFIO_CHECK_EXTENSION:
		return (uintptr_t)arg == VFIO_TYPE1v2_IOMMU && !vm.no_type1v2;
	case VFIO_GROUP_GET_STATUS:
		CU_ASSERT_EQUAL(fd, FD_GROUP);
		((struct vfio_group_status *)arg)->flags =
			vm.not_viable ? 0 : VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		return *(int *)arg == FD_CONTAINER ? 0 : fail(EBADF);
	case VFIO_SET_IOMMU:
		return 0;
	case VFIO_IOMMU_GET_INFO:
		return iommu_info(arg);
	case VFIO_IOMMU_MAP_DMA:
		return dma_map(arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return dma_unmap(arg);
	case VFIO_GROUP_GET_DEVICE_FD:
		CU_ASSERT_STRING_EQUAL((const char *)arg, MOCK_PCI);
		vm.open_fds++;
		return FD_DEVICE;
	case VFIO_DEVICE_GET_INFO:
		((struct vfio_device_info *)arg)->flags =
			VFIO_DEVICE_FLAGS_PCI | (vm.no_kernel_reset ? 0 : VFIO_DEVICE_FLAGS_RESET);
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		((struct vfio_irq_info *)arg)->flags = VFIO_IRQ_INFO_EVENTFD;
		((struct vfio_irq_info *)arg)->count = vm.n_msix;
		return 0;
	case VFIO_DEVICE_SET_IRQS:
		return irq_set(arg);
	case VFIO_DEVICE_RESET:
		vm.kernel_resets++;
		if (vm.kernel_reset_helps)
			vm.reset_reads = 0;
		mock_function_reset();
		return 0;
	default:
		return fail(ENOTTY);
	}
}

void *
mock_dma_at(uint64_t iova, uint64_t len, bool write)
{
	uint32_t flag = write ? VFIO_DMA_MAP_FLAG_WRITE : VFIO_DMA_MAP_FLAG_READ;
	unsigned int i;

	for (i = 0; i < vm.n_maps; i++) {
		uint64_t at = iova - vm.maps[i].iova;

		if (at < vm.maps[i].size && len <= vm.maps[i].size - at &&
			(vm.maps[i].flags & flag) != 0 &&
			(vm.config[PCI_COMMAND] & PCI_COMMAND_MASTER))
			return (void *)(uintptr_t)(vm.maps[i].hva + at);
	}
	vm.faults++;
	return NULL;
}

/* ---- a test's begin and end ---- */

static const struct svq_vfio_sys mock_sys = {
	.open = mock_open,
	.close = mock_close,
	.ioctl = mock_ioctl,
	.mmap = mock_mmap,
	.munmap = mock_munmap,
	.pread = mock_pread,
	.pwrite = mock_pwrite,
	.readlink = mock_readlink,
	.getrlimit = mock_getrlimit,
	.listdir = mock_listdir,
};

void
mock_cap(uint8_t at, uint8_t next, uint8_t len, uint8_t type, uint8_t bar, uint32_t offset,
	uint32_t size)
{
	struct virtio_pci_cap cap = {
		.cap_vndr = PCI_CAP_ID_VNDR,
		.cap_next = next,
		.cap_len = len,
		.cfg_type = type,
		.bar = bar,
		.offset = offset,
		.length = size,
	};

	memcpy(vm.config + at, &cap, sizeof(cap));
}

void
mock_vfio_begin(void)
{
	const uint32_t multiplier = 4;
	unsigned int i;

	memset(&vm, 0, sizeof(vm));
	vm.driver = "vfio-pci";
	vm.group = "7";
	vm.version = VFIO_API_VERSION;
	vm.ranges[0] = (struct mock_range){0, 0xfedfffff};
	vm.ranges[1] = (struct mock_range){0xfef00000, (UINT64_C(1) << 39) - 1};
	vm.n_ranges = 2;
	vm.page_sizes = 4096 | 2 << 20 | 1 << 30;
	vm.dma_avail = 65535;
	vm.memlock = RLIM_INFINITY;
	vm.n_msix = 4;
	vm.vectors_taken = 4;
	vm.n_queues = 3;
	vm.vq[0].max = vm.vq[1].max = 256;
	vm.vq[2].max = 64;
	vm.ctrl_qid = 2;
	for (i = 0; i < MOCK_QUEUES; i++)
		vm.vq[i].notify_off = (uint16_t)i;
	vm.features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |
		1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_STATUS |
		1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_CTRL_RX |
		1ULL << VIRTIO_NET_F_CTRL_MAC_ADDR | 1ULL << VIRTIO_NET_F_GUEST_ANNOUNCE |
		1ULL << VIRTIO_NET_F_MQ | 1ULL << VIRTIO_F_RING_PACKED |
		1ULL << VIRTIO_F_RING_RESET;
	vm.device_config[offsetof(struct virtio_net_config, max_virtqueue_pairs)] = 1;
	vm.device_config[offsetof(struct virtio_net_config, status)] = VIRTIO_NET_S_LINK_UP;

	memcpy(vm.config, (const uint8_t[]){0xf4, 0x1a, 0x41, 0x10}, 4);
	vm.config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	vm.config[PCI_CAPABILITY_LIST] = 0x40;
	/* Something else first, as MSI-X is in the real ones. */
	vm.config[0x40] = PCI_CAP_ID_MSIX;
	vm.config[0x41] = 0x50;
	mock_cap(0x50, 0x64, 20, VIRTIO_PCI_CAP_NOTIFY_CFG, MOCK_BAR, MOCK_NOTIFY, 0x1000);
	memcpy(vm.config + 0x60, &multiplier, sizeof(multiplier));
	mock_cap(0x64, 0x74, 16, VIRTIO_PCI_CAP_DEVICE_CFG, MOCK_BAR, MOCK_DEVICE,
		sizeof(vm.device_config));
	mock_cap(0x74, 0x84, 16, VIRTIO_PCI_CAP_ISR_CFG, MOCK_BAR, MOCK_ISR, 0x1000);
	mock_cap(0x84, 0, 16, VIRTIO_PCI_CAP_COMMON_CFG, MOCK_BAR, MOCK_COMMON, 0x1000);
	memset(mock_bar, 0, sizeof(mock_bar));
	mock_function_reset();
	vm.resets = 0;
	svq_vfio_sys = &mock_sys;
}

void
mock_vfio_end(void)
{
	CU_ASSERT_EQUAL(vm.open_fds, 0);
	CU_ASSERT_EQUAL(vm.n_maps, 0);
	CU_ASSERT_EQUAL(vm.faults, 0);
	svq_vfio_sys = &svq_vfio_sys_kernel;
}

void
mock_log_begin(void)
{
	log_stream = open_memstream(&log_text, &log_size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(log_stream);
	rte_openlog_stream(log_stream);
}

bool
mock_logged(const char *wanted)
{
	bool found;

	rte_openlog_stream(NULL);
	fclose(log_stream);
	found = strstr(log_text, wanted) != NULL;
	if (!found)
		printf("logged: %swanted: %s\n", log_text, wanted);
	free(log_text);
	return found;
}
