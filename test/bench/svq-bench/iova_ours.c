/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "gpa_burst.h"
#include "gpa_dir.h"
#include "iova.h"

struct ours {
	struct svq_gpa_table *table;
	const struct svq_gpa_map *map;
};

static void
destroy(void *ctx)
{
	struct ours *ours = ctx;

	svq_gpa_table_destroy(ours->table);
	free(ours);
}

static void *
create(const struct iova_layout *layout)
{
	struct ours *ours = calloc(1, sizeof(*ours));
	unsigned int i;
	int ret;

	if (ours == NULL)
		return NULL;
	ret = svq_gpa_table_create(NULL, &ours->table);
	for (i = 0; i < layout->n && ret == 0; i++)
		ret = svq_gpa_table_add(ours->table, &layout->rows[i]);
	if (ret == 0)
		ret = svq_gpa_table_publish(ours->table);
	if (ret < 0) {
		destroy(ours);
		return NULL;
	}
	ours->map = svq_gpa_table_map(ours->table);
	return ours;
}

static uint64_t
burst(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	struct ours *ours = ctx;

	return svq_gpa_translate_burst(ours->map, gpa, len, 0, iova, n);
}

const struct iova_method iova_ours = {"ours", create, destroy, burst};

/* ---- One version, whatever would be chosen ---- */

struct version {
	struct svq_gpa_map *map;
	svq_gpa_burst_fn fn;
};

static void
version_destroy(void *ctx)
{
	struct version *v = ctx;

	svq_gpa_map_free(v->map);
	free(v);
}

/* The version of that name; NULL: the one that is chosen if there were no vectors. */
static void *
version_create(const struct iova_layout *layout, const char *name)
{
	struct version *v = calloc(1, sizeof(*v));
	unsigned int i;

	if (v == NULL)
		return NULL;
	v->map = svq_gpa_map_new(layout->n);
	if (v->map == NULL) {
		free(v);
		return NULL;
	}
	for (i = 0; i < layout->n; i++)
		svq_gpa_map_append(v->map, &layout->rows[i]);
	if (svq_gpa_map_seal(v->map) < 0 ||
		(v->map->dir == NULL && svq_gpa_dir_build(v->map) < 0)) {
		version_destroy(v);
		return NULL;
	}
	for (i = 0; i < svq_gpa_n_bursts && v->fn == NULL; i++) {
		const struct svq_gpa_burst *b = &svq_gpa_bursts[i];
		bool wanted = name != NULL ? strcmp(b->name, name) == 0
					   : !b->vector && layout->n <= b->best_up_to;

		if (wanted && b->usable(v->map))
			v->fn = b->fn;
	}
	if (v->fn == NULL) {
		version_destroy(v);
		return NULL;
	}
	return v;
}

static uint64_t
version_burst(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	struct version *v = ctx;

	return v->fn(v->map, gpa, len, 0, iova, n);
}

#define VERSION(id, label, name)                                   \
	static void *create_##id(const struct iova_layout *layout) \
	{                                                          \
		return version_create(layout, name);               \
	}                                                          \
	const struct iova_method iova_ours_##id = {                \
		label, create_##id, version_destroy, version_burst}

VERSION(scalar, "ours-scalar", NULL);
VERSION(avx512_scan, "ours: avx512-scan", "avx512-scan");
VERSION(avx512_permute, "ours: avx512-permute", "avx512-permute");
VERSION(avx512_gather, "ours: avx512-gather", "avx512-gather");
VERSION(avx2, "ours: avx2", "avx2");
VERSION(dir, "ours: dir", "dir");
VERSION(search, "ours: search", "search");
