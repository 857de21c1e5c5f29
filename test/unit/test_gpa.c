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
fill(void)
{
	CU_pSuite suite = autotest_suite("GPA table", NULL, NULL);

	autotest_add(suite, "example table", test_example);
}

REGISTER_AUTOTEST(gpa_autotest, fill)
