/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef MOCK_DEVICE_H
#define MOCK_DEVICE_H

/**
 * @file
 * A device that only remembers what was mapped, in a plain array, and fails when it is told to.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <rte_common.h>

#include <svq_device.h>

#define MOCK_MAX_MAPS 1024

struct mock_map {
	uint64_t iova, hva, size;
	uint32_t perm;
};

struct mock_device {
	struct svq_device dev;
	struct mock_map maps[MOCK_MAX_MAPS];
	unsigned int n_maps;
	unsigned int fail_map;	 /* the k-th dma_map from now on fails; 0: none */
	unsigned int fail_unmap; /* the k-th dma_unmap from now on fails; 0: none */
};

static inline int
mock_dma_map(struct svq_device *dev, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm)
{
	struct mock_device *mock = (struct mock_device *)dev;
	unsigned int i;

	if (mock->fail_map > 0 && --mock->fail_map == 0)
		return -EIO;
	for (i = 0; i < mock->n_maps; i++) {
		const struct mock_map *m = &mock->maps[i];

		if (iova - m->iova < m->size || m->iova - iova < size)
			return -EEXIST;
	}
	if (mock->n_maps == MOCK_MAX_MAPS)
		return -ENOMEM;
	mock->maps[mock->n_maps++] =
		(struct mock_map){.iova = iova, .hva = hva, .size = size, .perm = perm};
	return 0;
}

static inline int
mock_dma_unmap(struct svq_device *dev, uint64_t iova, uint64_t size)
{
	struct mock_device *mock = (struct mock_device *)dev;
	unsigned int i;

	if (mock->fail_unmap > 0 && --mock->fail_unmap == 0)
		return -EIO;
	for (i = 0; i < mock->n_maps; i++) {
		if (mock->maps[i].iova == iova)
			break;
	}
	if (i == mock->n_maps)
		return -ENOENT;
	if (mock->maps[i].size != size)
		return -EINVAL;
	mock->maps[i] = mock->maps[--mock->n_maps];
	return 0;
}

/* Where the device's access to an IOVA ends up; 0 for a fault. */
static inline uint64_t
mock_reach(const struct mock_device *mock, uint64_t iova, uint64_t len, uint32_t perm)
{
	unsigned int i;

	for (i = 0; i < mock->n_maps; i++) {
		const struct mock_map *m = &mock->maps[i];
		uint64_t off = iova - m->iova;

		if (off < m->size && len <= m->size - off)
			return (m->perm & perm) == perm ? m->hva + off : 0;
	}
	return 0;
}

static inline void
mock_init(struct mock_device *mock, uint64_t first, uint64_t last)
{
	static const struct svq_device_ops ops = {
		.dma_map = mock_dma_map,
		.dma_unmap = mock_dma_unmap,
	};

	memset(mock, 0, sizeof(*mock));
	mock->dev = (struct svq_device){.ops = &ops, .type = "mock", .name = "mock0"};
	mock->dev.info.max_page = UINT64_C(1) << 30;
	mock->dev.info.granule = 4096;
	mock->dev.info.n_apertures = 1;
	mock->dev.info.apertures[0] = (struct svq_iova_range){first, last};
}

#endif /* MOCK_DEVICE_H */
