/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* MSI-X: vector 0 is the configuration's, each queue that wants one has one of its own (virtio 1.2,
 * 4.1.5.1.2). */

#include <errno.h>
#include <string.h>

#include <linux/virtio_pci.h>

#include "virtio_pci.h"

/* A vector for each queue, and the configuration's. */
#define MAX_VECTORS (1 + 2 * VPCI_MAX_PAIRS)

bool
vpci_irq_room(const struct vpci_dev *vp)
{
	unsigned int used = 1;
	uint16_t qid;

	for (qid = 0; qid < 2 * vp->dev.info.max_pairs; qid++)
		used += vp->queues[qid].irq_fd >= 0;
	return used < svq_vfio_info(vp->vfio)->n_msix;
}

int
vpci_irq_start(struct vpci_dev *vp)
{
	int fds[MAX_VECTORS], ret;
	unsigned int n = 1;
	uint16_t qid;

	fds[0] = vp->config_fd;
	for (qid = 0; qid < 2 * vp->dev.info.max_pairs; qid++) {
		struct vpci_queue *queue = &vp->queues[qid];

		if (queue->irq_fd < 0)
			continue;
		queue->vector = (uint16_t)n;
		fds[n++] = queue->irq_fd;
	}
	if (n == 1 && vp->config_fd < 0)
		return 0;
	ret = svq_vfio_msix_set(vp->vfio, fds, n);
	if (ret < 0)
		return ret;
	vp->n_vectors = n;
	if (vp->config_fd < 0)
		return 0;
	vpci_write(vp, &vp->caps.common, VIRTIO_PCI_COMMON_MSIX, 2, 0);
	if (vpci_read(vp, &vp->caps.common, VIRTIO_PCI_COMMON_MSIX, 2) == 0)
		return 0;
	VPCI_LOG(ERR, vp->dev.name, "the function has no vector for changes of its configuration");
	return -EIO;
}

void
vpci_irq_stop(struct vpci_dev *vp)
{
	uint16_t qid;

	if (vp->n_vectors != 0)
		svq_vfio_msix_set(vp->vfio, NULL, 0);
	vp->n_vectors = 0;
	vp->config_fd = -1;
	for (qid = 0; qid < 2 * vp->dev.info.max_pairs; qid++) {
		vp->queues[qid].irq_fd = -1;
		vp->queues[qid].vector = VPCI_NO_VECTOR;
	}
}
