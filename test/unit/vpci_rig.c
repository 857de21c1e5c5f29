/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdio.h>

#include "autotest.h"
#include "vpci_rig.h"

struct svq_device *vdev;
struct svq_dma *vdma;

int
vpci_rig_open(const char *args)
{
	const struct svq_device_driver *driver = svq_device_driver_find("virtio_pci");
	struct rte_kvargs *kvargs;
	char text[128];
	int ret;

	CU_ASSERT_PTR_NOT_NULL_FATAL(driver);
	snprintf(text, sizeof(text), "pci=" MOCK_PCI "%s", args);
	kvargs = rte_kvargs_parse(text, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(kvargs);
	vdev = NULL;
	ret = driver->open("t0", kvargs, NULL, &vdev);
	rte_kvargs_free(kvargs);
	return ret;
}

void
vpci_rig_open_sound(const char *args)
{
	CU_ASSERT_EQUAL_FATAL(vpci_rig_open(args), 0);
	CU_ASSERT_EQUAL_FATAL(svq_dma_create(vdev, NULL, &vdma), 0);
}

void
vpci_rig_begin(const char *args)
{
	mock_vfio_begin();
	vpci_rig_open_sound(args);
}

void
vpci_rig_end(void)
{
	vdev->ops->stop(vdev);
	svq_dma_destroy(vdma);
	vdev->ops->close(vdev);
	mock_vfio_end();
}

int
vpci_rig_start(uint64_t features)
{
	const struct svq_device_queue queue = {.size = 64,
		.desc_iova = 0x123456000,
		.avail_iova = 0x123457000,
		.used_iova = 0x123458000};
	uint16_t qid;
	int ret;

	ret = vdev->ops->set_features(vdev, features);
	for (qid = 0; ret == 0 && qid < 2; qid++)
		ret = vdev->ops->queue_setup(vdev, qid, &queue);
	return ret != 0 ? ret : vdev->ops->start(vdev);
}

void
vpci_rig_refused(const char *args, int error, const char *said)
{
	int ret;

	mock_log_begin();
	ret = vpci_rig_open(args);
	CU_ASSERT_EQUAL(ret, error);
	CU_ASSERT(mock_logged(said));
	if (ret == 0)
		vdev->ops->close(vdev);
	mock_vfio_end();
	mock_vfio_begin();
}
