/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>

#include "iova.h"

#define PAGE UINT64_C(4096)
#define MIB  UINT64_C(0x100000)
#define GIB  UINT64_C(0x40000000)

static const struct svq_iova_range aperture = {0x1000, (UINT64_C(1) << 57) - 1};

/* ---- One region of a guest comes and goes ---- */

static int
map_one(struct svq_iova_alloc *alloc, struct svq_gpa_table *table, struct svq_gpa_row *row)
{
	int ret = svq_iova_alloc_get(alloc, row->size, row->hva, GIB, &row->iova);

	if (ret == 0)
		ret = svq_gpa_table_add(table, row);
	if (ret == 0)
		ret = svq_gpa_table_publish(table);
	return ret;
}

static int
unmap_one(struct svq_iova_alloc *alloc, struct svq_gpa_table *table, const struct svq_gpa_row *row)
{
	int ret = svq_gpa_table_del(table, row->gpa, row->size, NULL);

	if (ret == 0)
		ret = svq_gpa_table_publish(table);
	if (ret == 0)
		ret = svq_iova_alloc_put(alloc, row->iova, row->size);
	return ret;
}

static int
time_changes(struct svq_iova_alloc *alloc, struct svq_gpa_table *table, struct iova_layout *layout,
	float *map_ns, float *unmap_ns, unsigned int rounds)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < layout->n && ret == 0; i++)
		ret = map_one(alloc, table, &layout->rows[i]);
	for (i = 0; i < rounds && ret == 0; i++) {
		struct svq_gpa_row *row = &layout->rows[bench_random_below(layout->n)];
		double t0 = bench_now(), t1, t2;

		ret = unmap_one(alloc, table, row);
		t1 = bench_now();
		if (ret == 0)
			ret = map_one(alloc, table, row);
		t2 = bench_now();
		unmap_ns[i] = t1 - t0;
		map_ns[i] = t2 - t1;
	}
	return ret;
}

static int
bench_changes(const struct bench_opts *opts, struct bench_json *json)
{
	static struct iova_layout layout;
	enum { ROUNDS = 2000 };
	static float map_ns[ROUNDS], unmap_ns[ROUNDS];
	unsigned int i, rounds = opts->quick ? ROUNDS / 10 : ROUNDS;
	struct svq_iova_alloc *alloc = NULL;
	struct svq_gpa_table *table = NULL;
	double map, unmap;
	int ret = 0;

	puts("\n== one region mapped, or unmapped: allocator, GPA table, new snapshot; ns, median");
	printf("  %-12s %12s %12s\n", "regions", "map", "unmap");
	for (i = 0; i < iova_n_layouts && ret == 0; i++) {
		ret = iova_layout(i, &layout);
		if (ret == 0)
			ret = svq_iova_alloc_create(&aperture, 1, PAGE, &alloc);
		if (ret == 0)
			ret = svq_gpa_table_create(NULL, &table);
		if (ret == 0)
			ret = time_changes(alloc, table, &layout, map_ns, unmap_ns, rounds);
		if (ret == 0) {
			map = bench_median_of(map_ns, rounds);
			unmap = bench_median_of(unmap_ns, rounds);
			printf("  %-12s %12.0f %12.0f\n", layout.name, map, unmap);
			bench_json_row(json,
				"\"name\": \"change %s\", \"map_ns\": %.0f, \"unmap_ns\": %.0f",
				layout.name, map, unmap);
		}
		svq_gpa_table_destroy(table);
		svq_iova_alloc_destroy(alloc);
		table = NULL;
		alloc = NULL;
	}
	return ret;
}

/* ---- Many live allocations ---- */

struct live {
	uint64_t iova;
	uint64_t size;
};

struct churn {
	const char *name;
	uint64_t unit;	   /* sizes are 1..16 of it */
	uint64_t max_page; /* as for svq_iova_alloc_get() */
	uint64_t hva_step; /* host addresses are multiples of it */
};

static const struct churn churns[] = {
	{"4..64 KiB", PAGE, PAGE, PAGE},
	{"2..32 MiB on 2 MiB pages", 2 * MIB, 2 * MIB, 2 * MIB},
	{"2..32 MiB on 4 KiB pages", 2 * MIB, 2 * MIB, PAGE},
};

static int
get(struct svq_iova_alloc *alloc, const struct churn *churn, struct live *live)
{
	uint64_t hva = bench_random_below(UINT64_C(1) << 35) * churn->hva_step;

	live->size = (1 + bench_random_below(16)) * churn->unit;
	return svq_iova_alloc_get(alloc, live->size, hva, churn->max_page, &live->iova);
}

/* ns for giving one back and taking another. */
static int
time_churn(struct svq_iova_alloc *alloc, const struct churn *churn, struct live *live,
	unsigned int n, unsigned int ops, double *ns)
{
	double begin = 0;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n && ret == 0; i++)
		ret = get(alloc, churn, &live[i]);
	/* Untimed: until the gaps are as random as they become. */
	for (i = 0; i < n + ops && ret == 0; i++) {
		struct live *l = &live[bench_random_below(n)];

		if (i == n)
			begin = bench_now();
		ret = svq_iova_alloc_put(alloc, l->iova, l->size);
		if (ret == 0)
			ret = get(alloc, churn, l);
	}
	*ns = (bench_now() - begin) / ops;
	return ret;
}

static int
bench_churn(const struct bench_opts *opts, struct bench_json *json)
{
	static const unsigned int counts[] = {1000, 10000, 100000, 1000000};
	unsigned int n_counts = RTE_DIM(counts) - (opts->quick ? 1 : 0);
	unsigned int i, k, ops = opts->quick ? 50000 : 500000;
	struct live *live = calloc(counts[RTE_DIM(counts) - 1], sizeof(*live));
	struct svq_iova_alloc *alloc = NULL;
	int ret = live != NULL ? 0 : -ENOMEM;

	puts("\n== allocator under random churn: ns for one given back and one taken");
	printf("  %-26s", "live allocations");
	for (k = 0; k < n_counts; k++)
		printf(" %9u", counts[k]);
	for (i = 0; i < RTE_DIM(churns) && ret == 0; i++) {
		printf("\n  %-26s", churns[i].name);
		for (k = 0; k < n_counts && ret == 0; k++) {
			double ns = 0;

			ret = svq_iova_alloc_create(&aperture, 1, PAGE, &alloc);
			if (ret == 0)
				ret = time_churn(alloc, &churns[i], live, counts[k], ops, &ns);
			printf(" %9.0f", ns);
			fflush(stdout);
			bench_json_row(json, "\"name\": \"churn %s\", \"live\": %u, \"ns\": %.0f",
				churns[i].name, counts[k], ns);
			svq_iova_alloc_destroy(alloc);
			alloc = NULL;
		}
	}
	putchar('\n');
	free(live);
	return ret;
}

int
iova_bench_change(const struct bench_opts *opts, struct bench_json *json)
{
	int ret;

	bench_json_array(json, "changes");
	ret = bench_changes(opts, json);
	if (ret == 0)
		ret = bench_churn(opts, json);
	return ret;
}
