/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <malloc.h>

#include <rte_common.h>

#include "iova.h"

#define PAGE_4K UINT64_C(0x1000)
#define PAGE_2M UINT64_C(0x200000)
#define PAGE_1G UINT64_C(0x40000000)

static const struct svq_iova_range apertures[] = {
	{0, 0xfedfffff},
	{0xfef00000, (UINT64_C(1) << 48) - 1},
};

/* Heap in use, with what malloc spends on each piece. */
static size_t
heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Place the guest's regions as a device would be given them. */
static int
place(struct iova_layout *layout, uint64_t max_page, struct svq_iova_alloc **alloc)
{
	unsigned int i;
	int ret = svq_iova_alloc_create(apertures, RTE_DIM(apertures), PAGE_4K, alloc);

	for (i = 0; i < layout->n && ret == 0; i++) {
		struct svq_gpa_row *row = &layout->rows[i];

		ret = svq_iova_alloc_get(*alloc, row->size, row->hva, max_page, &row->iova);
	}
	return ret;
}

/* Bytes of allocator, table and snapshot together. */
static int
tables_bytes(struct iova_layout *layout, size_t *bytes)
{
	struct svq_iova_alloc *alloc = NULL;
	struct svq_gpa_table *table = NULL;
	size_t before = heap();
	unsigned int i;
	int ret = place(layout, PAGE_1G, &alloc);

	if (ret == 0)
		ret = svq_gpa_table_create(NULL, &table);
	for (i = 0; i < layout->n && ret == 0; i++)
		ret = svq_gpa_table_add(table, &layout->rows[i]);
	if (ret == 0)
		ret = svq_gpa_table_publish(table);
	*bytes = heap() - before;
	svq_gpa_table_destroy(table);
	svq_iova_alloc_destroy(alloc);
	return ret;
}

/* Percent of the guest's bytes that an IOMMU can map with such pages: whole ones, at the same
 * offset in both address spaces. */
static double
share(const struct iova_layout *layout, uint64_t page)
{
	uint64_t total = 0, large = 0;
	unsigned int i;

	for (i = 0; i < layout->n; i++) {
		const struct svq_gpa_row *row = &layout->rows[i];
		uint64_t first = RTE_ALIGN_CEIL(row->hva, page);
		uint64_t end = RTE_ALIGN_FLOOR(row->hva + row->size, page);

		total += row->size;
		if ((row->iova - row->hva) % page == 0 && end > first)
			large += end - first;
	}
	return 100.0 * large / total;
}

int
iova_bench_memory(const struct bench_opts *opts, struct bench_json *json)
{
	static struct iova_layout layout;
	struct svq_iova_alloc *alloc = NULL;
	double share_2m, share_1g, plain_2m;
	size_t bytes = 0;
	unsigned int i;
	int ret = 0;

	if (!opts->check)
		printf("\n== memory of the tables, and percent of the guest's memory on large "
		       "pages\n"
		       "  %-12s %12s %10s %10s %22s\n",
			"regions", "bytes", "2 MiB", "1 GiB", "2 MiB, placed plainly");
	bench_json_array(json, "memory");
	for (i = 0; i < iova_n_layouts && ret == 0; i++) {
		ret = iova_layout(i, &layout);
		if (ret == 0)
			ret = tables_bytes(&layout, &bytes);
		share_2m = share(&layout, PAGE_2M);
		share_1g = share(&layout, PAGE_1G);
		if (ret == 0)
			ret = place(&layout, PAGE_4K, &alloc);
		plain_2m = share(&layout, PAGE_2M);
		svq_iova_alloc_destroy(alloc);
		alloc = NULL;
		if (ret < 0 || opts->check)
			continue;
		printf("  %-12s %12zu %9.1f%% %9.1f%% %21.1f%%\n", layout.name, bytes, share_2m,
			share_1g, plain_2m);
		bench_json_row(json,
			"\"name\": \"memory %s\", \"bytes\": %zu, \"share_2m\": %.2f, "
			"\"share_1g\": %.2f, \"plain_2m\": %.2f",
			layout.name, bytes, share_2m, share_1g, plain_2m);
		iova_reached("memory", layout.name, bytes);
	}
	return ret;
}
