/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* A function's interrupts. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vfio.h>

#include "vfio_priv.h"

unsigned int
vfio_msix_count(struct svq_vfio *vfio)
{
	struct vfio_irq_info info = {.argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX};

	if (svq_vfio_sys->ioctl(vfio->fd, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0 ||
		!(info.flags & VFIO_IRQ_INFO_EVENTFD))
		return 0;
	return info.count;
}

int
svq_vfio_msix_set(struct svq_vfio *vfio, const int *fds, unsigned int n)
{
	size_t size = sizeof(struct vfio_irq_set) + n * sizeof(int32_t);
	struct vfio_irq_set *set = calloc(1, size);
	int ret = 0;

	if (set == NULL)
		return -ENOMEM;
	set->argsz = (uint32_t)size;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
		(n != 0 ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->count = n;
	if (n != 0)
		memcpy(set->data, fds, n * sizeof(int32_t));
	if (svq_vfio_sys->ioctl(vfio->fd, VFIO_DEVICE_SET_IRQS, set) < 0) {
		ret = -errno;
		VFIO_LOG(ERR, vfio->name, "the kernel does not set up %u MSI-X vectors: %s", n,
			strerror(-ret));
	}
	free(set);
	return ret;
}
