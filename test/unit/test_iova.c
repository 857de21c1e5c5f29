/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>

#include <rte_common.h>

#include <svq_iova.h>

#include "autotest.h"

#define KIB  (UINT64_C(1) << 10)
#define MIB  (UINT64_C(1) << 20)
#define GIB  (UINT64_C(1) << 30)
#define PAGE (4 * KIB)

static struct svq_iova_alloc *
create(const struct svq_iova_range *apertures, unsigned int n)
{
	struct svq_iova_alloc *alloc = NULL;

	CU_ASSERT_EQUAL_FATAL(svq_iova_alloc_create(apertures, n, PAGE, &alloc), 0);
	return alloc;
}

/* An address for the allocation, or the negative errno. */
static int64_t
get(struct svq_iova_alloc *alloc, uint64_t size, uint64_t hva, uint64_t max_page)
{
	uint64_t iova;
	int ret = svq_iova_alloc_get(alloc, size, hva, max_page, &iova);

	return ret < 0 ? ret : (int64_t)iova;
}

/* The table of the architecture guide, whose third row aliases the first. */
static void
test_example(void)
{
	static const struct svq_iova_range aperture = {0x1000, (UINT64_C(1) << 48) - 1};
	struct svq_iova_alloc *alloc = create(&aperture, 1);

	CU_ASSERT_EQUAL(get(alloc, 0x80000000, 0x7f7903e00000, PAGE), 0x1000);
	CU_ASSERT_EQUAL(get(alloc, 0x1f80000000, 0x7f7983e00000, PAGE), 0x80001000);
	CU_ASSERT_EQUAL(get(alloc, 0x20000, 0x7f7903ea0000, PAGE), 0x2000001000);
	svq_iova_alloc_destroy(alloc);
}

static void
test_create_refuses(void)
{
	static const struct svq_iova_range good = {0x1000, 0xffff};
	static const struct svq_iova_range backwards = {0x2000, 0x1fff};
	static const struct svq_iova_range overlap[] = {{0x8000, 0xffff}, {0x1000, 0x8000}};
	static const struct svq_iova_range nothing[] = {{0, 0xfff}, {0x1001, 0x2ffe}};
	struct svq_iova_alloc *alloc;

	CU_ASSERT_EQUAL(svq_iova_alloc_create(&good, 0, PAGE, &alloc), -EINVAL);
	CU_ASSERT_EQUAL(svq_iova_alloc_create(&good, 1, 0, &alloc), -EINVAL);
	CU_ASSERT_EQUAL(svq_iova_alloc_create(&good, 1, 3 * KIB, &alloc), -EINVAL);
	CU_ASSERT_EQUAL(svq_iova_alloc_create(&backwards, 1, PAGE, &alloc), -EINVAL);
	CU_ASSERT_EQUAL(svq_iova_alloc_create(overlap, 2, PAGE, &alloc), -EINVAL);
	CU_ASSERT_EQUAL(svq_iova_alloc_create(nothing, 1, PAGE, &alloc), -EINVAL);
	CU_ASSERT_EQUAL(svq_iova_alloc_create(nothing, 2, 8 * KIB, &alloc), -EINVAL);
	svq_iova_alloc_destroy(NULL);
}

static void
test_apertures_are_tidied(void)
{
	/* Unordered; the last two touch in the middle of a page; the first ends the space. */
	static const struct svq_iova_range apertures[] = {
		{UINT64_MAX - 0x1fff, UINT64_MAX},
		{0, 0x37ff},
		{0x3800, 0x5fff},
	};
	struct svq_iova_alloc *alloc = create(apertures, RTE_DIM(apertures));
	struct svq_iova_alloc_info info;

	svq_iova_alloc_info(alloc, &info);
	CU_ASSERT_EQUAL(info.n_apertures, 2);
	CU_ASSERT_EQUAL(info.free_bytes, 0x5000 + 0x2000);
	CU_ASSERT_EQUAL(info.largest_gap, 0x5000);
	CU_ASSERT_EQUAL(get(alloc, 0x5000, 0, PAGE), 0x1000);
	CU_ASSERT_EQUAL(get(alloc, 0x2000, 0, PAGE), -0x2000);
	CU_ASSERT_EQUAL(get(alloc, PAGE, 0, PAGE), -ENOSPC);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, UINT64_MAX - 0x1fff, 0x2000), 0);
	svq_iova_alloc_info(alloc, &info);
	CU_ASSERT_EQUAL(info.largest_gap, 0x2000);
	CU_ASSERT_EQUAL(info.used_bytes, 0x5000);
	CU_ASSERT_EQUAL(info.n_used, 1);
	svq_iova_alloc_destroy(alloc);
}

static void
test_whole_space(void)
{
	static const struct svq_iova_range all = {0, UINT64_MAX};
	struct svq_iova_alloc *alloc = create(&all, 1);
	struct svq_iova_alloc_info info;

	svq_iova_alloc_info(alloc, &info);
	CU_ASSERT_EQUAL(info.free_bytes, -PAGE);
	CU_ASSERT_EQUAL(get(alloc, -PAGE, 0, PAGE), PAGE);
	svq_iova_alloc_info(alloc, &info);
	CU_ASSERT_EQUAL(info.free_bytes, 0);
	CU_ASSERT_EQUAL(info.largest_gap, 0);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, PAGE, -PAGE), 0);
	CU_ASSERT_EQUAL(get(alloc, 2 * PAGE, 0, PAGE), PAGE);
	svq_iova_alloc_destroy(alloc);
}

static void
test_get_put_refuse(void)
{
	static const struct svq_iova_range aperture = {0x1000, 0xffff};
	struct svq_iova_alloc *alloc = create(&aperture, 1);

	CU_ASSERT_EQUAL(get(alloc, 0, 0, PAGE), -EINVAL);
	CU_ASSERT_EQUAL(get(alloc, 0x1001, 0, PAGE), -EINVAL);
	CU_ASSERT_EQUAL(get(alloc, PAGE, 0x800, PAGE), -EINVAL);
	CU_ASSERT_EQUAL(get(alloc, 0x10000, 0, PAGE), -ENOSPC);
	CU_ASSERT_EQUAL(get(alloc, 2 * PAGE, 0, PAGE), 0x1000);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, 0x2000, PAGE), -ENOENT);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, 0x3000, PAGE), -ENOENT);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, 0x1000, PAGE), -ERANGE);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, 0x1000, 2 * PAGE), 0);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, 0x1000, 2 * PAGE), -ENOENT);
	svq_iova_alloc_destroy(alloc);
}

static void
test_congruent(void)
{
	static const struct svq_iova_range aperture = {0x1000, 64 * GIB - 1};
	struct svq_iova_alloc *alloc = create(&aperture, 1);
	uint64_t hva = 0x7f7903e00000;

	CU_ASSERT_EQUAL(get(alloc, GIB, hva, GIB) & (GIB - 1), hva & (GIB - 1));
	CU_ASSERT_EQUAL(get(alloc, 4 * GIB, hva + PAGE, GIB) & (GIB - 1), (hva + PAGE) % GIB);
	/* Too small for a page of 1 GiB, or the device cannot use one. */
	CU_ASSERT_EQUAL(get(alloc, 4 * MIB, hva + PAGE, GIB) & (2 * MIB - 1), PAGE);
	CU_ASSERT_EQUAL(get(alloc, 2 * GIB, hva, 2 * MIB) & (2 * MIB - 1), 0);
	CU_ASSERT_EQUAL(get(alloc, PAGE, hva + PAGE, GIB) % PAGE, 0);
	svq_iova_alloc_destroy(alloc);
}

/* Where no gap admits the congruence of a large page, a smaller one will do. */
static void
test_congruence_gives_way(void)
{
	static const struct svq_iova_range aperture = {0x1000, 0x1000 + 2 * GIB - 1};
	struct svq_iova_alloc *alloc = create(&aperture, 1);

	CU_ASSERT_EQUAL(get(alloc, 2 * GIB - 4 * MIB, 0, GIB), 2 * MIB);
	svq_iova_alloc_destroy(alloc);
	alloc = create(&aperture, 1);
	CU_ASSERT_EQUAL(get(alloc, 2 * GIB, 0, GIB), 0x1000);
	svq_iova_alloc_destroy(alloc);
}

static void
test_best_fit(void)
{
	static const struct svq_iova_range apertures[] = {
		{0x10000, 0x1ffff}, {0x30000, 0x33fff}, {0x50000, 0x57fff}};
	struct svq_iova_alloc *alloc = create(apertures, RTE_DIM(apertures));

	CU_ASSERT_EQUAL(get(alloc, 0x4000, 0, PAGE), 0x30000);
	CU_ASSERT_EQUAL(get(alloc, 0x4000, 0, PAGE), 0x50000);
	CU_ASSERT_EQUAL(get(alloc, 0x8000, 0, PAGE), 0x10000);
	CU_ASSERT_EQUAL(get(alloc, 0x8000, 0, PAGE), 0x18000);
	CU_ASSERT_EQUAL(get(alloc, 0x8000, 0, PAGE), -ENOSPC);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, 0x30000, 0x4000), 0);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, 0x10000, 0x8000), 0);
	CU_ASSERT_EQUAL(svq_iova_alloc_put(alloc, 0x18000, 0x8000), 0);
	CU_ASSERT_EQUAL(get(alloc, 0x10000, 0, PAGE), 0x10000);
	svq_iova_alloc_destroy(alloc);
}

static int64_t
get_after(struct svq_iova_alloc *alloc, uint64_t after, uint64_t size, uint64_t hva,
	uint64_t max_page)
{
	uint64_t iova;
	int ret = svq_iova_alloc_get_after(alloc, after, size, hva, max_page, &iova);

	return ret < 0 ? ret : (int64_t)iova;
}

/* Behind other memory, if nothing speaks against it: here best fit would be another gap. */
static void
test_after(void)
{
	static const struct svq_iova_range apertures[] = {
		{0x1000, 4 * MIB - 1}, {16 * MIB, 64 * MIB - 1}};
	struct svq_iova_alloc *alloc = create(apertures, RTE_DIM(apertures));

	CU_ASSERT_EQUAL(get(alloc, 8 * MIB, 0, 2 * MIB), 16 * MIB);
	CU_ASSERT_EQUAL(get_after(alloc, 24 * MIB, MIB, 0, PAGE), 24 * MIB);
	/* It is not free, or none at all, or too small. */
	CU_ASSERT_EQUAL(get_after(alloc, 24 * MIB, MIB, 0, PAGE), 0x1000);
	CU_ASSERT_EQUAL(get_after(alloc, 0, MIB, 0, PAGE), 0x101000);
	CU_ASSERT_EQUAL(get_after(alloc, 0x201000, 4 * MIB, 0, PAGE), 25 * MIB);
	CU_ASSERT_EQUAL(get_after(alloc, 64 * MIB, PAGE, 0, PAGE), 0x201000);
	/* A free address with nothing before it is no place to go on. */
	CU_ASSERT_EQUAL(get_after(alloc, 40 * MIB, PAGE, 0, PAGE), 0x202000);
	/* A large page lies better elsewhere; where none is possible, behind. */
	CU_ASSERT_EQUAL(get_after(alloc, 29 * MIB, 2 * MIB, 0, 2 * MIB), 30 * MIB);
	CU_ASSERT_EQUAL(get_after(alloc, 29 * MIB, MIB, 0, PAGE), 29 * MIB);
	CU_ASSERT_EQUAL(get_after(alloc, 32 * MIB, 2 * MIB, 0, 2 * MIB), 32 * MIB);
	svq_iova_alloc_destroy(alloc);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("IOVA allocator", NULL, NULL);

	autotest_add(suite, "example table", test_example);
	autotest_add(suite, "create refuses", test_create_refuses);
	autotest_add(suite, "apertures are tidied", test_apertures_are_tidied);
	autotest_add(suite, "whole space", test_whole_space);
	autotest_add(suite, "get and put refuse", test_get_put_refuse);
	autotest_add(suite, "congruent to HVA", test_congruent);
	autotest_add(suite, "congruence gives way", test_congruence_gives_way);
	autotest_add(suite, "best fit", test_best_fit);
	autotest_add(suite, "behind other memory", test_after);
}

REGISTER_AUTOTEST(iova_autotest, fill)
