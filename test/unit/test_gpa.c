/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include <svq_iova.h>

#include "autotest.h"

/* The table of the architecture guide: row 2 aliases a part of row 0. */
static const struct svq_gpa_row example[] = {
	{0x0, 0x80000000, 0x1000, 0x7f7903e00000, SVQ_PERM_RW},
	{0x100000000, 0x1f80000000, 0x80001000, 0x7f7983e00000, SVQ_PERM_RW},
	{0xfeda0000, 0x20000, 0x2000001000, 0x7f7903ea0000, SVQ_PERM_RW},
};

static struct svq_gpa_table *
create(const struct svq_gpa_row *rows, unsigned int n)
{
	struct svq_gpa_table *table = NULL;
	unsigned int i;

	CU_ASSERT_EQUAL_FATAL(svq_gpa_table_create(NULL, &table), 0);
	for (i = 0; i < n; i++)
		CU_ASSERT_EQUAL(svq_gpa_table_add(table, &rows[i]), 0);
	CU_ASSERT_EQUAL(svq_gpa_table_publish(table), 0);
	return table;
}

/* The IOVA of a buffer that lies in one row, or the negative errno. */
static int64_t
translate(const struct svq_gpa_table *table, uint64_t gpa, uint64_t len, uint32_t perm)
{
	const struct svq_gpa_map *map = svq_gpa_table_map(table);
	struct svq_gpa_seg seg[2];
	uint32_t len32 = (uint32_t)len;
	int ret = svq_gpa_translate(map, gpa, len, perm, seg, 2);
	uint64_t iova, bit;

	if (len == len32) {
		/* The burst says yes exactly where one piece suffices. */
		bit = svq_gpa_translate_burst(
			map, &gpa, &len32, perm == SVQ_PERM_W ? 1 : 0, &iova, 1);
		CU_ASSERT_EQUAL(bit, ret == 1);
		if (bit)
			CU_ASSERT_EQUAL(iova, seg[0].iova);
	}
	if (ret < 0)
		return ret;
	CU_ASSERT_EQUAL(seg[0].gpa, gpa);
	return ret == 1 ? (int64_t)seg[0].iova : -ERANGE;
}

static void
test_example(void)
{
	struct svq_gpa_table *table = create(example, RTE_DIM(example));

	/* The alias is found by its own GPA, the original by its own. */
	CU_ASSERT_EQUAL(translate(table, 0xfedb0000, 0x1000, SVQ_PERM_R), 0x2000011000);
	CU_ASSERT_EQUAL(translate(table, 0xb0000, 0x1000, SVQ_PERM_R), 0xb1000);
	CU_ASSERT_EQUAL(translate(table, 0, 1, SVQ_PERM_W), 0x1000);
	CU_ASSERT_EQUAL(translate(table, 0x207fffffff, 1, SVQ_PERM_W), 0x2000000fff);
	CU_ASSERT_EQUAL(translate(table, 0x2080000000, 1, SVQ_PERM_W), -EFAULT);

	CU_ASSERT_EQUAL(svq_gpa_table_del(table, 0xfeda0000, 0x20000, NULL), 0);
	CU_ASSERT_EQUAL(translate(table, 0xfedb0000, 0x1000, SVQ_PERM_R), 0x2000011000);
	CU_ASSERT_EQUAL(svq_gpa_table_publish(table), 0);
	CU_ASSERT_EQUAL(translate(table, 0xfedb0000, 0x1000, SVQ_PERM_R), -EFAULT);
	CU_ASSERT_EQUAL(translate(table, 0xb0000, 0x1000, SVQ_PERM_R), 0xb1000);
	CU_ASSERT_EQUAL(translate(table, 0x100000000, 0x1000, SVQ_PERM_R), 0x80001000);
	svq_gpa_table_destroy(table);
}

static void
test_add_refuses(void)
{
	static const struct svq_gpa_row row = {0x4000, 0x2000, 0x1000, 0x9000, SVQ_PERM_RW};
	static const struct {
		struct svq_gpa_row row;
		int err;
	} bad[] = {
		{{0, 0, 0x1000, 0x9000, SVQ_PERM_R}, -EINVAL},
		{{0, 0x1000, 0x1000, 0x9000, 0}, -EINVAL},
		{{0, 0x1000, 0x1000, 0x9000, 4}, -EINVAL},
		{{UINT64_MAX, 2, 0x1000, 0x9000, SVQ_PERM_R}, -EOVERFLOW},
		{{0, 2, UINT64_MAX, 0x9000, SVQ_PERM_R}, -EOVERFLOW},
		{{0, 2, 0x1000, UINT64_MAX, SVQ_PERM_R}, -EOVERFLOW},
		{{0x4000, 0x2000, 0x1000, 0x9000, SVQ_PERM_R}, -EEXIST},
		{{0x3fff, 2, 0x1000, 0x9000, SVQ_PERM_R}, -EEXIST},
		{{0x5fff, 1, 0x1000, 0x9000, SVQ_PERM_R}, -EEXIST},
		{{0x5000, 0x10, 0x1000, 0x9000, SVQ_PERM_R}, -EEXIST},
		{{0, UINT64_MAX, 0, 0, SVQ_PERM_R}, -EEXIST},
	};
	struct svq_gpa_table *table = create(&row, 1);
	struct svq_gpa_row out;
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++)
		CU_ASSERT_EQUAL(svq_gpa_table_add(table, &bad[i].row), bad[i].err);
	CU_ASSERT_EQUAL(svq_gpa_table_del(table, 0x4001, 0x1fff, NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_gpa_table_del(table, 0x4000, 0x1000, NULL), -ERANGE);
	CU_ASSERT_EQUAL(svq_gpa_table_del(table, 0x4000, 0x2000, &out), 0);
	CU_ASSERT(out.gpa == row.gpa && out.size == row.size && out.iova == row.iova &&
		out.hva == row.hva && out.perm == row.perm);
	CU_ASSERT_EQUAL(svq_gpa_table_del(table, 0x4000, 0x2000, NULL), -ENOENT);
	svq_gpa_table_destroy(table);
	svq_gpa_table_destroy(NULL);
}

static void
test_empty(void)
{
	struct svq_gpa_table *table = create(NULL, 0);

	CU_ASSERT_EQUAL(translate(table, 0, 1, SVQ_PERM_R), -EFAULT);
	CU_ASSERT_EQUAL(translate(table, UINT64_MAX, 1, SVQ_PERM_R), -EFAULT);
	CU_ASSERT_EQUAL(translate(table, 0, 0, SVQ_PERM_R), -EINVAL);
	CU_ASSERT_PTR_NULL(svq_gpa_hva(svq_gpa_table_map(table), 0, 1, SVQ_PERM_R));
	svq_gpa_table_destroy(table);
}

static void
test_ends(void)
{
	static const struct svq_gpa_row rows[] = {
		{0, 0x1000, 0x1000, 0x9000, SVQ_PERM_RW},
		{UINT64_MAX - 0xfff, 0x1000, UINT64_MAX - 0x1fff, 0xb000, SVQ_PERM_RW},
	};
	struct svq_gpa_table *table = create(rows, RTE_DIM(rows));

	CU_ASSERT_EQUAL(translate(table, 0, 0x1000, SVQ_PERM_R), 0x1000);
	CU_ASSERT_EQUAL(translate(table, 0xfff, 1, SVQ_PERM_R), 0x1fff);
	CU_ASSERT_EQUAL(translate(table, 0xfff, 2, SVQ_PERM_R), -EFAULT);
	CU_ASSERT_EQUAL(translate(table, 0, UINT32_MAX, SVQ_PERM_R), -EFAULT);
	CU_ASSERT_EQUAL(translate(table, UINT64_MAX, 1, SVQ_PERM_W), -0x1001);
	CU_ASSERT_EQUAL(translate(table, UINT64_MAX - 0xfff, 0x1000, SVQ_PERM_W), -0x2000);
	/* A wrapped range is no range, although both its ends are mapped. */
	CU_ASSERT_EQUAL(translate(table, UINT64_MAX, 2, SVQ_PERM_W), -EOVERFLOW);
	CU_ASSERT_EQUAL(translate(table, 0x10, UINT64_MAX, SVQ_PERM_W), -EOVERFLOW);
	CU_ASSERT_EQUAL(translate(table, UINT64_MAX, UINT32_MAX, SVQ_PERM_W), -EOVERFLOW);
	svq_gpa_table_destroy(table);
}

static void
test_permissions(void)
{
	static const struct svq_gpa_row rows[] = {
		{0x1000, 0x1000, 0x11000, 0x9000, SVQ_PERM_R},
		{0x2000, 0x1000, 0x12000, 0xa000, SVQ_PERM_W},
		{0x3000, 0x1000, 0x13000, 0xb000, SVQ_PERM_RW},
	};
	struct svq_gpa_table *table = create(rows, RTE_DIM(rows));
	const struct svq_gpa_map *map = svq_gpa_table_map(table);
	char byte;

	CU_ASSERT_EQUAL(translate(table, 0x1000, 1, SVQ_PERM_R), 0x11000);
	CU_ASSERT_EQUAL(translate(table, 0x1000, 1, SVQ_PERM_W), -EACCES);
	CU_ASSERT_EQUAL(translate(table, 0x2000, 1, SVQ_PERM_R), -EACCES);
	CU_ASSERT_EQUAL(translate(table, 0x2000, 1, SVQ_PERM_W), 0x12000);
	/* Across a border, each side must permit. */
	CU_ASSERT_EQUAL(translate(table, 0x2fff, 2, SVQ_PERM_W), -ERANGE);
	CU_ASSERT_EQUAL(translate(table, 0x2fff, 2, SVQ_PERM_R), -EACCES);
	CU_ASSERT_EQUAL(translate(table, 0x1fff, 2, SVQ_PERM_R), -EACCES);
	CU_ASSERT_PTR_NULL(svq_gpa_hva(map, 0x2000, 1, SVQ_PERM_R));
	CU_ASSERT_PTR_EQUAL(svq_gpa_hva(map, 0x2001, 1, SVQ_PERM_W), (void *)0xa001);
	CU_ASSERT_EQUAL(svq_gpa_read(map, 0x2000, &byte, 1), -EACCES);
	svq_gpa_table_destroy(table);
}

static void
test_segments(void)
{
	static const struct svq_gpa_row rows[] = {
		{0x1000, 0x1000, 0x51000, 0x9000, SVQ_PERM_RW},
		{0x2000, 0x1000, 0x41000, 0xa000, SVQ_PERM_RW},
		{0x3000, 0x1000, 0x42000, 0xd000, SVQ_PERM_RW},
		{0x5000, 0x1000, 0x43000, 0xe000, SVQ_PERM_RW},
	};
	struct svq_gpa_table *table = create(rows, RTE_DIM(rows));
	const struct svq_gpa_map *map = svq_gpa_table_map(table);
	struct svq_gpa_seg seg[4];

	CU_ASSERT_EQUAL(svq_gpa_translate(map, 0x1ff0, 0x1020, SVQ_PERM_R, seg, 4), 3);
	CU_ASSERT(seg[0].iova == 0x51ff0 && seg[0].gpa == 0x1ff0 && seg[0].len == 0x10);
	CU_ASSERT(seg[1].iova == 0x41000 && seg[1].gpa == 0x2000 && seg[1].len == 0x1000);
	/* The IOVAs touch too, but a piece never leaves its mapping. */
	CU_ASSERT(seg[2].iova == 0x42000 && seg[2].gpa == 0x3000 && seg[2].len == 0x10);
	CU_ASSERT_EQUAL(svq_gpa_translate(map, 0x1ff0, 0x1020, SVQ_PERM_R, seg, 2), -ENOSPC);
	CU_ASSERT_EQUAL(svq_gpa_translate(map, 0x1ff0, 0x10, SVQ_PERM_R, seg, 1), 1);
	CU_ASSERT_EQUAL(svq_gpa_translate(map, 0x1ff0, 0x10, SVQ_PERM_R, seg, 0), -ENOSPC);
	CU_ASSERT_EQUAL(svq_gpa_translate(map, 0x3ff0, 0x11, SVQ_PERM_R, seg, 4), -EFAULT);
	CU_ASSERT_EQUAL(svq_gpa_translate(map, 0x3ff0, 0x1020, SVQ_PERM_R, seg, 4), -EFAULT);
	/* Adjacent in this process as well, or not. */
	CU_ASSERT_PTR_EQUAL(svq_gpa_hva(map, 0x1ff0, 0x20, SVQ_PERM_R), (void *)0x9ff0);
	CU_ASSERT_PTR_NULL(svq_gpa_hva(map, 0x2ff0, 0x20, SVQ_PERM_R));
	CU_ASSERT_PTR_NULL(svq_gpa_hva(map, 0x3ff0, 0x20, SVQ_PERM_R));
	svq_gpa_table_destroy(table);
}

/* A segment's length has 32 bits, a range's has 64. */
static void
test_long_ranges(void)
{
	static const struct svq_gpa_row row = {0, UINT64_C(1) << 40, 0x1000, 0x1000, SVQ_PERM_R};
	struct svq_gpa_table *table = create(&row, 1);
	const struct svq_gpa_map *map = svq_gpa_table_map(table);
	struct svq_gpa_seg seg[4];

	CU_ASSERT_EQUAL(svq_gpa_translate(map, 5, UINT32_MAX, SVQ_PERM_R, seg, 4), 1);
	CU_ASSERT_EQUAL(seg[0].len, UINT32_MAX);
	CU_ASSERT_EQUAL(svq_gpa_translate(map, 5, UINT64_C(0x200000000), SVQ_PERM_R, seg, 4), 3);
	CU_ASSERT_EQUAL((uint64_t)seg[0].len + seg[1].len + seg[2].len, UINT64_C(0x200000000));
	CU_ASSERT_EQUAL(seg[1].iova, seg[0].iova + seg[0].len);
	CU_ASSERT_EQUAL(seg[2].gpa, seg[1].gpa + seg[1].len);
	CU_ASSERT_EQUAL(svq_gpa_translate(map, 5, UINT64_C(1) << 40, SVQ_PERM_R, seg, 1), -ENOSPC);
	svq_gpa_table_destroy(table);
}

static void
test_read(void)
{
	static char a[0x1000], b[0x1000], got[0x1000];
	struct svq_gpa_row rows[] = {
		{0x1000, 0x1000, 0x51000, (uintptr_t)a, SVQ_PERM_RW},
		{0x2000, 0x1000, 0x41000, (uintptr_t)b, SVQ_PERM_R},
	};
	struct svq_gpa_table *table = create(rows, RTE_DIM(rows));
	const struct svq_gpa_map *map = svq_gpa_table_map(table);

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	CU_ASSERT_EQUAL(svq_gpa_read(map, 0x1ffe, got, 5), 0);
	CU_ASSERT_EQUAL(memcmp(got, "aabbb", 6), 0);
	CU_ASSERT_EQUAL(svq_gpa_read(map, 0x2fff, got, 2), -EFAULT);
	CU_ASSERT_EQUAL(svq_gpa_read(map, 0x1000, got, 0), -EINVAL);
	CU_ASSERT_EQUAL(svq_gpa_read(map, UINT64_MAX, got, 2), -EOVERFLOW);
	svq_gpa_table_destroy(table);
}

/* One more row than a scan looks at, and a full burst over all of them. */
static void
test_burst(void)
{
	struct svq_gpa_table *table = create(NULL, 0);
	uint64_t gpa[SVQ_GPA_BURST_MAX], iova[SVQ_GPA_BURST_MAX];
	uint32_t len[SVQ_GPA_BURST_MAX];
	unsigned int i, n_rows;
	uint64_t done;

	for (n_rows = 1; n_rows <= 9; n_rows++) {
		const struct svq_gpa_row row = {
			n_rows * 0x10000, 0x8000, n_rows * 0x20000, n_rows * 0x30000, SVQ_PERM_RW};

		CU_ASSERT_EQUAL(svq_gpa_table_add(table, &row), 0);
		CU_ASSERT_EQUAL(svq_gpa_table_publish(table), 0);
		for (i = 0; i < SVQ_GPA_BURST_MAX; i++) {
			gpa[i] = (i % 9 + 1) * 0x10000 + i;
			len[i] = 1500;
		}
		done = svq_gpa_translate_burst(
			svq_gpa_table_map(table), gpa, len, 0x5555, iova, SVQ_GPA_BURST_MAX);
		for (i = 0; i < SVQ_GPA_BURST_MAX; i++) {
			CU_ASSERT_EQUAL(done >> i & 1, i % 9 < n_rows);
			if (done >> i & 1)
				CU_ASSERT_EQUAL(iova[i], (i % 9 + 1) * 0x20000 + i);
		}
	}
	CU_ASSERT_EQUAL(svq_gpa_translate_burst(svq_gpa_table_map(table), gpa, len, 0, iova, 0), 0);
	CU_ASSERT_EQUAL(svq_gpa_translate_burst(svq_gpa_table_map(table), gpa, len, 0, iova, 3), 7);
	svq_gpa_table_destroy(table);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("GPA table", NULL, NULL);

	autotest_add(suite, "example table", test_example);
	autotest_add(suite, "add and del refuse", test_add_refuses);
	autotest_add(suite, "empty table", test_empty);
	autotest_add(suite, "ends of the address space", test_ends);
	autotest_add(suite, "permissions", test_permissions);
	autotest_add(suite, "segments", test_segments);
	autotest_add(suite, "long ranges", test_long_ranges);
	autotest_add(suite, "read", test_read);
	autotest_add(suite, "burst", test_burst);
}

REGISTER_AUTOTEST(gpa_autotest, fill)
