/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_rcu_qsbr.h>

#include "soft_iommu.h"

/* Room of the first snapshots: a guest's regions and the rings of a few queues. */
#define MIN_RANGES 16

static struct soft_iommu_map *
map_alloc(unsigned int max)
{
	struct soft_iommu_map *map;

	map = calloc(1, sizeof(*map) + (max + 1) * sizeof(map->ranges[0]));
	if (map != NULL)
		map->max = max;
	return map;
}

int
soft_iommu_init(struct soft_iommu *iommu, struct rte_rcu_qsbr *qsbr,
	const struct svq_iova_range *apertures, unsigned int n)
{
	struct soft_iommu_map *map = map_alloc(MIN_RANGES);

	iommu->spare = map_alloc(MIN_RANGES);
	if (map == NULL || iommu->spare == NULL) {
		free(map);
		return -ENOMEM;
	}
	map->generation = 1;
	iommu->qsbr = qsbr;
	iommu->apertures = apertures;
	iommu->n_apertures = n;
	atomic_store_explicit(&iommu->map, map, memory_order_release);
	return 0;
}

void
soft_iommu_fini(struct soft_iommu *iommu)
{
	free(iommu->spare);
	free(atomic_load_explicit(&iommu->map, memory_order_relaxed));
	iommu->spare = NULL;
	atomic_store_explicit(&iommu->map, NULL, memory_order_relaxed);
}

/* Index of the last mapping that starts at or below iova; 0 where there is none. */
static unsigned int
find(const struct soft_iommu_map *map, uint64_t iova)
{
	const struct soft_iommu_range *base = map->ranges;
	unsigned int n = map->n;

	while (n > 1) {
		unsigned int half = n / 2;

		base += base[half].iova <= iova ? half : 0;
		n -= half;
	}
	return (unsigned int)(base - map->ranges);
}

void *
soft_access_search(
	struct soft_access *access, uint32_t *hint, uint64_t iova, uint64_t len, uint32_t perm)
{
	unsigned int i = find(access->map, iova);
	const struct soft_iommu_range *range = &access->map->ranges[i];
	uint64_t off = iova - range->iova;

	if (off < range->size && len <= range->size - off && (range->perm & perm) == perm) {
		*hint = i;
		return (void *)(uintptr_t)(range->hva + off);
	}
	access->iova = iova;
	access->len = len;
	access->perm = perm;
	return NULL;
}

const char *
soft_access_why(const struct soft_access *access)
{
	const struct soft_iommu_range *range =
		&access->map->ranges[find(access->map, access->iova)];
	uint64_t off = access->iova - range->iova;

	if (off >= range->size)
		return "not mapped";
	if (access->len > range->size - off)
		return "runs past the end of its mapping";
	return access->perm & ~range->perm & SVQ_PERM_W ? "mapped without write permission"
							: "mapped without read permission";
}

/* Make the filled spare the present snapshot, and the present one the spare when its last reader
 * is gone. */
static void
publish(struct soft_iommu *iommu)
{
	struct soft_iommu_map *old = atomic_load_explicit(&iommu->map, memory_order_relaxed);

	memset(&iommu->spare->ranges[iommu->spare->n], 0, sizeof(iommu->spare->ranges[0]));
	iommu->spare->generation = old->generation + 1;
	/* Pairs with the acquire load in soft_access_begin(). */
	atomic_store_explicit(&iommu->map, iommu->spare, memory_order_release);
	if (iommu->qsbr != NULL)
		rte_rcu_qsbr_synchronize(iommu->qsbr, RTE_QSBR_THRID_INVALID);
	iommu->spare = old;
}

static bool
in_aperture(const struct soft_iommu *iommu, uint64_t first, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < iommu->n_apertures; i++) {
		if (iommu->apertures[i].first <= first && last <= iommu->apertures[i].last)
			return true;
	}
	return false;
}

int
soft_iommu_map(struct soft_iommu *iommu, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm)
{
	const struct soft_iommu_map *map = atomic_load_explicit(&iommu->map, memory_order_relaxed);
	struct soft_iommu_range range = {.iova = iova, .size = size, .hva = hva, .perm = perm};
	struct soft_iommu_map *spare;
	unsigned int at;

	if (size == 0 || (iova | hva | size) % SOFT_IOMMU_GRANULE != 0)
		return -EINVAL;
	if (perm == 0 || (perm & ~(uint32_t)SVQ_PERM_RW) != 0)
		return -EINVAL;
	if (size - 1 > UINT64_MAX - iova || size - 1 > UINT64_MAX - hva)
		return -EINVAL;
	if (!in_aperture(iommu, iova, iova + (size - 1)))
		return -EINVAL;

	for (at = 0; at < map->n && map->ranges[at].iova < iova; at++)
		;
	if (at > 0 && iova - map->ranges[at - 1].iova < map->ranges[at - 1].size)
		return -EEXIST;
	if (at < map->n && map->ranges[at].iova - iova < size)
		return -EEXIST;

	if (iommu->spare->max < map->n + 1) {
		spare = map_alloc(2 * (map->n + 1));
		if (spare == NULL)
			return -ENOMEM;
		free(iommu->spare);
		iommu->spare = spare;
	}
	spare = iommu->spare;
	memcpy(&spare->ranges[0], &map->ranges[0], at * sizeof(range));
	spare->ranges[at] = range;
	memcpy(&spare->ranges[at + 1], &map->ranges[at], (map->n - at) * sizeof(range));
	spare->n = map->n + 1;
	publish(iommu);
	return 0;
}

int
soft_iommu_unmap(struct soft_iommu *iommu, uint64_t iova, uint64_t size)
{
	const struct soft_iommu_map *map = atomic_load_explicit(&iommu->map, memory_order_relaxed);
	struct soft_iommu_map *spare = iommu->spare;
	unsigned int at = find(map, iova);

	if (map->n == 0 || map->ranges[at].iova != iova)
		return -ENOENT;
	if (map->ranges[at].size != size)
		return -EINVAL;
	/* No allocation: the spare was the snapshot before the last change, or is larger. */
	memcpy(&spare->ranges[0], &map->ranges[0], at * sizeof(spare->ranges[0]));
	memcpy(&spare->ranges[at], &map->ranges[at + 1],
		(map->n - 1 - at) * sizeof(spare->ranges[0]));
	spare->n = map->n - 1;
	publish(iommu);
	return 0;
}
