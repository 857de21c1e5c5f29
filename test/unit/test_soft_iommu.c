/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "autotest.h"
#include "soft_iommu.h"

#define PAGE UINT64_C(4096)

static const struct svq_iova_range apertures[] = {
	{.first = 0x1000, .last = 0xfffff},
	{.first = 0x200000, .last = UINT64_MAX},
};

static struct soft_iommu iommu;

static int
setup(void)
{
	return soft_iommu_init(&iommu, NULL, apertures, RTE_DIM(apertures));
}

static int
cleanup(void)
{
	soft_iommu_fini(&iommu);
	return 0;
}

/* HVA of an access, 0 where it is refused, with a hint that may be stale. */
static uint64_t
look(uint32_t *hint, uint64_t iova, uint64_t len, uint32_t perm)
{
	struct soft_access access;

	soft_access_begin(&access, &iommu);
	return (uintptr_t)soft_access_get(&access, hint, iova, len, perm);
}

static const char *
why(uint64_t iova, uint64_t len, uint32_t perm)
{
	struct soft_access access;
	uint32_t hint = 0;

	soft_access_begin(&access, &iommu);
	CU_ASSERT_PTR_NULL(soft_access_get(&access, &hint, iova, len, perm));
	CU_ASSERT_EQUAL(access.iova, iova);
	CU_ASSERT_EQUAL(access.len, len);
	CU_ASSERT_EQUAL(access.perm, perm);
	return soft_access_why(&access);
}

static void
test_bounds(void)
{
	uint32_t hint = 0;

	CU_ASSERT_EQUAL(look(&hint, 0, 1, SVQ_PERM_R), 0);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, 0x700000, 2 * PAGE, SVQ_PERM_R), 0);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x4000, 0x900000, PAGE, SVQ_PERM_RW), 0);
	CU_ASSERT_EQUAL(look(&hint, 0x2000, 2 * PAGE, SVQ_PERM_R), 0x700000);
	CU_ASSERT_EQUAL(look(&hint, 0x3fff, 1, SVQ_PERM_R), 0x701fff);
	CU_ASSERT_EQUAL(look(&hint, 0x4000, PAGE, SVQ_PERM_RW), 0x900000);
	CU_ASSERT_STRING_EQUAL(why(0x1fff, 1, SVQ_PERM_R), "not mapped");
	CU_ASSERT_STRING_EQUAL(why(0x1fff, 2, SVQ_PERM_R), "not mapped");
	CU_ASSERT_STRING_EQUAL(why(0x5000, 1, SVQ_PERM_R), "not mapped");
	/* Two mappings that touch are still two. */
	CU_ASSERT_STRING_EQUAL(why(0x3fff, 2, SVQ_PERM_R), "runs past the end of its mapping");
	CU_ASSERT_STRING_EQUAL(
		why(0x3000, UINT64_MAX, SVQ_PERM_R), "runs past the end of its mapping");
	CU_ASSERT_STRING_EQUAL(why(0x2000, 1, SVQ_PERM_W), "mapped without write permission");
	CU_ASSERT_STRING_EQUAL(why(0x2000, 1, SVQ_PERM_RW), "mapped without write permission");
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, 0x2000, 2 * PAGE), 0);
	CU_ASSERT_STRING_EQUAL(why(0x2000, 1, SVQ_PERM_R), "not mapped");
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, 0x700000, PAGE, SVQ_PERM_W), 0);
	CU_ASSERT_STRING_EQUAL(why(0x2000, 1, SVQ_PERM_R), "mapped without read permission");
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, 0x2000, PAGE), 0);
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, 0x4000, PAGE), 0);
}

static void
test_refusals(void)
{
	const uint64_t top = UINT64_MAX - PAGE + 1;

	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, 0x1000, 0, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2001, 0x1000, PAGE, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, 0x1001, PAGE, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, 0x1000, 1, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, 0x1000, PAGE, 0), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, 0x1000, PAGE, 4), -EINVAL);
	/* Wraps at the device, wraps in the host. */
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, top, 0x1000, 2 * PAGE, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, top, 2 * PAGE, SVQ_PERM_R), -EINVAL);
	/* Before, behind, and across the apertures. */
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0, 0x1000, PAGE, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x100000, 0x1000, PAGE, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0xff000, 0x1000, 2 * PAGE, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, top, 0x1000, PAGE, SVQ_PERM_R), 0);
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, top, PAGE), 0);

	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x4000, 0x1000, 2 * PAGE, SVQ_PERM_R), 0);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x4000, 0x1000, PAGE, SVQ_PERM_R), -EEXIST);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x5000, 0x1000, PAGE, SVQ_PERM_R), -EEXIST);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x3000, 0x1000, 2 * PAGE, SVQ_PERM_R), -EEXIST);
	CU_ASSERT_EQUAL(soft_iommu_map(&iommu, 0x2000, 0x1000, 8 * PAGE, SVQ_PERM_R), -EEXIST);
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, 0x5000, PAGE), -ENOENT);
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, 0x3000, PAGE), -ENOENT);
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, 0x4000, PAGE), -EINVAL);
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, 0x4000, 2 * PAGE), 0);
	CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, 0x4000, 2 * PAGE), -ENOENT);
}

/* Random mappings against one entry a page. */
#define MODEL_PAGES 512
#define MODEL_BASE  UINT64_C(0x200000)

struct model_page {
	uint64_t first; /* page that the mapping starts at */
	uint64_t size;
	uint64_t hva;
	uint32_t perm; /* 0: not mapped */
};

static struct model_page model[MODEL_PAGES];
static unsigned int model_seed;

static uint64_t
pick(uint64_t n)
{
	return (uint64_t)rand_r(&model_seed) % n;
}

static void
model_map(void)
{
	uint64_t first = pick(MODEL_PAGES), n = 1 + pick(RTE_MIN(UINT64_C(8), MODEL_PAGES - first)),
		 i;
	uint64_t hva = (1 + pick(1 << 20)) * PAGE;
	uint32_t perm = 1 + (uint32_t)pick(3);
	bool used = false;
	int ret;

	for (i = first; i < first + n; i++)
		used |= model[i].perm != 0;
	ret = soft_iommu_map(&iommu, MODEL_BASE + first * PAGE, hva, n * PAGE, perm);
	CU_ASSERT_EQUAL_FATAL(ret, used ? -EEXIST : 0);
	for (i = first; !used && i < first + n; i++)
		model[i] = (struct model_page){first, n, hva, perm};
}

static void
model_unmap(void)
{
	uint64_t first = pick(MODEL_PAGES), n = 1 + pick(8), i;
	bool starts = model[first].perm != 0 && model[first].first == first;
	int ret;

	if (starts && pick(4) != 0)
		n = model[first].size;
	ret = soft_iommu_unmap(&iommu, MODEL_BASE + first * PAGE, n * PAGE);
	if (!starts)
		CU_ASSERT_EQUAL_FATAL(ret, -ENOENT);
	if (starts)
		CU_ASSERT_EQUAL_FATAL(ret, n == model[first].size ? 0 : -EINVAL);
	for (i = first; ret == 0 && i < first + n; i++)
		model[i].perm = 0;
}

static void
model_look(uint32_t *hint)
{
	uint64_t off = pick(MODEL_PAGES * PAGE), len = 1 + pick(pick(2) ? 64 : 3 * PAGE);
	const struct model_page *page = &model[off / PAGE];
	uint32_t perm = 1 + (uint32_t)pick(3);
	uint64_t in = off - page->first * PAGE;
	bool good = page->perm != 0 && (page->perm & perm) == perm && in + len <= page->size * PAGE;

	CU_ASSERT_EQUAL_FATAL(look(hint, MODEL_BASE + off, len, perm), good ? page->hva + in : 0);
}

static void
test_model(void)
{
	uint64_t generation = iommu.map->generation;
	uint32_t hint = 0;
	unsigned int i;

	model_seed = (unsigned int)autotest_seed();
	memset(model, 0, sizeof(model));
	for (i = 0; i < 20000; i++) {
		if (pick(3) != 0)
			model_map();
		else
			model_unmap();
		/* A hint is only good for one generation, as in soft_ring.c. */
		if (iommu.map->generation != generation)
			hint = 0;
		generation = iommu.map->generation;
		model_look(&hint);
		model_look(&hint);
		model_look(&hint);
	}
	for (i = 0; i < MODEL_PAGES; i++) {
		if (model[i].perm != 0 && model[i].first == i)
			CU_ASSERT_EQUAL(soft_iommu_unmap(&iommu, MODEL_BASE + i * PAGE,
						model[i].size * PAGE),
				0);
	}
	CU_ASSERT_EQUAL(iommu.map->n, 0);
}

/* A reader that looks and reads while the writer maps, unmaps, and spoils what is unmapped. */
#define GOOD 0xaa

static struct {
	struct soft_iommu iommu;
	struct rte_rcu_qsbr *qsbr;
	_Atomic bool stop;
	_Atomic uint64_t hits, misses, spoiled;
} shared;

static void *
reader(void *arg)
{
	(void)arg;
	rte_rcu_qsbr_thread_register(shared.qsbr, 0);
	rte_rcu_qsbr_thread_online(shared.qsbr, 0);
	while (!atomic_load(&shared.stop)) {
		struct soft_access access;
		uint32_t hint = 0;
		const volatile uint8_t *at;
		unsigned int i;

		soft_access_begin(&access, &shared.iommu);
		at = soft_access_get(&access, &hint, 0x5000, PAGE, SVQ_PERM_R);
		for (i = 0; at != NULL && i < PAGE; i += 64)
			shared.spoiled += at[i] != GOOD;
		if (at != NULL)
			shared.hits++;
		else
			shared.misses++;
		rte_rcu_qsbr_quiescent(shared.qsbr, 0);
	}
	rte_rcu_qsbr_thread_offline(shared.qsbr, 0);
	rte_rcu_qsbr_thread_unregister(shared.qsbr, 0);
	return NULL;
}

static void
test_unmap_waits(void)
{
	uint8_t *mem = aligned_alloc(PAGE, PAGE);
	pthread_t thread;

	shared.qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(shared.qsbr);
	CU_ASSERT_EQUAL_FATAL(rte_rcu_qsbr_init(shared.qsbr, 1), 0);
	CU_ASSERT_EQUAL_FATAL(
		soft_iommu_init(&shared.iommu, shared.qsbr, apertures, RTE_DIM(apertures)), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, reader, NULL), 0);
	while (shared.hits < 2000 || shared.misses < 2000) {
		memset(mem, GOOD, PAGE);
		CU_ASSERT_EQUAL(
			soft_iommu_map(&shared.iommu, 0x5000, (uintptr_t)mem, PAGE, SVQ_PERM_R), 0);
		CU_ASSERT_EQUAL(soft_iommu_unmap(&shared.iommu, 0x5000, PAGE), 0);
		memset(mem, 0x55, PAGE);
	}
	atomic_store(&shared.stop, true);
	pthread_join(thread, NULL);
	printf("reader: %lu hits, %lu misses\n", (unsigned long)shared.hits,
		(unsigned long)shared.misses);
	CU_ASSERT_EQUAL(shared.spoiled, 0);
	soft_iommu_fini(&shared.iommu);
	rte_free(shared.qsbr);
	free(mem);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("soft_iommu", setup, cleanup);

	autotest_add(suite, "bounds and permissions", test_bounds);
	autotest_add(suite, "refused mappings", test_refusals);
	autotest_add(suite, "against a naive model", test_model);
	autotest_add(suite, "unmap waits for readers", test_unmap_waits);
}

REGISTER_AUTOTEST(soft_iommu_autotest, fill)
