/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <rte_random.h>

#include "autotest.h"
#include "gpa_burst.h"
#include "gpa_dir.h"

/* Every version of the burst translation against a naive one, on random maps and addresses. */

#define ROWS_MAX 600
#define MAPS	 600
#define BURSTS	 60

static struct svq_gpa_row rows[ROWS_MAX];
static unsigned int n_rows;
static unsigned int used[16];

static uint64_t
naive(const uint64_t *gpa, const uint32_t *len, uint64_t writable, uint64_t *iova, unsigned int n)
{
	uint64_t done = 0;
	unsigned int i, r;

	for (i = 0; i < n; i++) {
		for (r = 0; r < n_rows; r++) {
			uint64_t off = gpa[i] - rows[r].gpa;
			uint32_t need = writable >> i & 1 ? SVQ_PERM_W : SVQ_PERM_R;

			if (gpa[i] < rows[r].gpa || off >= rows[r].size || len[i] == 0)
				continue;
			if (len[i] > rows[r].size - off || !(rows[r].perm & need))
				continue;
			iova[i] = rows[r].iova + off;
			done |= UINT64_C(1) << i;
		}
	}
	return done;
}

/* Rows in order of GPA: adjacent or apart, small or large, some at the ends of the address space;
 * IOVAs on pages, or now and then anywhere. */
static struct svq_gpa_map *
random_map(void)
{
	uint64_t at = rte_rand_max(3) == 0 ? 0 : rte_rand_max(1ull << 40) & ~4095ull;
	unsigned int max = 1 + rte_rand_max(rte_rand_max(2) ? 16 : ROWS_MAX), i;
	unsigned int shift = 12 + rte_rand_max(20);
	bool read_only = rte_rand_max(2), bytes = rte_rand_max(8) == 0;
	struct svq_gpa_map *map = svq_gpa_map_new(max);

	CU_ASSERT_PTR_NOT_NULL_FATAL(map);
	for (n_rows = 0; n_rows < max; n_rows++) {
		struct svq_gpa_row *row = &rows[n_rows];

		row->gpa = at;
		row->size = (1 + rte_rand_max(8)) << (rte_rand_max(4) ? shift : 12);
		row->iova = 0x1000 + (rte_rand_max(1ull << 50) & (bytes ? ~0ull : ~4095ull));
		row->hva = 0x1000;
		row->perm = read_only && rte_rand_max(3) == 0 ? 1 + rte_rand_max(2) : SVQ_PERM_RW;
		at += row->size + (rte_rand_max(2) ? 0 : (1 + rte_rand_max(100)) << 12);
	}
	if (rte_rand_max(4) == 0) {
		struct svq_gpa_row *last = &rows[n_rows - 1];

		last->gpa = -last->size;
	}
	for (i = 0; i < n_rows; i++)
		svq_gpa_map_append(map, &rows[i]);
	CU_ASSERT_EQUAL_FATAL(svq_gpa_map_seal(map), 0);
	return map;
}

/* At and around borders, inside, and anywhere. */
static uint64_t
random_gpa(void)
{
	const struct svq_gpa_row *row = &rows[rte_rand_max(n_rows)];

	switch (rte_rand_max(6)) {
	case 0:
		return row->gpa + rte_rand_max(5) - 2;
	case 1:
		return row->gpa + row->size + rte_rand_max(5) - 2;
	case 2:
		return rte_rand();
	default:
		return row->gpa + rte_rand_max(row->size);
	}
}

static uint32_t
random_len(uint64_t gpa)
{
	unsigned int i;

	switch (rte_rand_max(6)) {
	case 0:
		return 0;
	case 1:
		return UINT32_MAX;
	case 2:
		/* Just up to the row's end, or one byte more or less. */
		for (i = 0; i < n_rows; i++) {
			if (gpa - rows[i].gpa < rows[i].size)
				return rows[i].size - (gpa - rows[i].gpa) + rte_rand_max(3) - 1;
		}
		return 1;
	default:
		return 1 + rte_rand_max(2000);
	}
}

static void
compare(const struct svq_gpa_map *map)
{
	uint64_t gpa[SVQ_GPA_BURST_MAX], want[SVQ_GPA_BURST_MAX], got[SVQ_GPA_BURST_MAX + 1];
	uint64_t writable = rte_rand(), done;
	uint32_t len[SVQ_GPA_BURST_MAX];
	unsigned int n = rte_rand_max(SVQ_GPA_BURST_MAX + 1), i, k;

	for (i = 0; i < n; i++) {
		gpa[i] = random_gpa();
		len[i] = random_len(gpa[i]);
	}
	done = naive(gpa, len, writable, want, n);
	for (k = 0; k < svq_gpa_n_bursts; k++) {
		if (!svq_gpa_bursts[k].usable(map))
			continue;
		used[k]++;
		got[n] = 0x5a5a5a5a5a5a5a5a;
		CU_ASSERT_EQUAL_FATAL(svq_gpa_bursts[k].fn(map, gpa, len, writable, got, n), done);
		CU_ASSERT_EQUAL_FATAL(got[n], 0x5a5a5a5a5a5a5a5a);
		for (i = 0; i < n; i++) {
			if (done >> i & 1)
				CU_ASSERT_EQUAL_FATAL(got[i], want[i]);
		}
	}
}

static void
test_versions_agree(void)
{
	unsigned int m, i, k;

	rte_srand(autotest_seed());
	for (m = 0; m < MAPS; m++) {
		struct svq_gpa_map *map = random_map();

		/* Also where a small map would not get one: it must answer alike. */
		if (map->dir == NULL)
			CU_ASSERT_EQUAL_FATAL(svq_gpa_dir_build(map), 0);
		for (i = 0; i < BURSTS; i++)
			compare(map);
		svq_gpa_map_free(map);
	}
	for (k = 0; k < svq_gpa_n_bursts; k++) {
		printf("%s: %u bursts ", svq_gpa_bursts[k].name, used[k]);
		/* The vector versions run where the CPU has them; the others everywhere. */
		CU_ASSERT(used[k] > 0 || strncmp(svq_gpa_bursts[k].name, "avx", 3) == 0);
	}
}

static void
add_row(struct svq_gpa_map *map, uint64_t gpa, uint64_t size)
{
	struct svq_gpa_row row = {
		.gpa = gpa, .size = size, .iova = gpa + 0x1000, .hva = gpa, .perm = SVQ_PERM_RW};

	svq_gpa_map_append(map, &row);
}

static void
test_choice(void)
{
	static const unsigned int n[] = {0, 1, 8, 64, 512};
	struct svq_gpa_map *map;
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(n); i++) {
		map = svq_gpa_map_new(n[i]);
		/* 2 GiB a row: 1 TiB at 512. */
		for (k = 0; k < n[i]; k++)
			add_row(map, (uint64_t)k << 31, 1ull << 31);
		CU_ASSERT_EQUAL(svq_gpa_map_seal(map), 0);
		printf("%u rows: %s ", n[i], map->burst->name);
		CU_ASSERT(map->dir != NULL || n[i] < 64);
		/* What a guest of many regions may cost. */
		if (map->dir != NULL)
			CU_ASSERT(map->dir->bytes < 4 << 20);
		svq_gpa_map_free(map);
	}
	/* However far apart, if evenly so: an entry or two a row. */
	map = svq_gpa_map_new(40);
	for (k = 0; k < 40; k++)
		add_row(map, (uint64_t)k << 58, 4096);
	CU_ASSERT_EQUAL(svq_gpa_map_seal(map), 0);
	CU_ASSERT_EQUAL(map->dir->steps, 0);
	CU_ASSERT(map->dir->bytes < 4096);
	svq_gpa_map_free(map);
	/* Too many rows in a frame, however small the frames that can be afforded. */
	map = svq_gpa_map_new(40);
	for (k = 0; k < 40; k++)
		add_row(map, 1ull << (12 + k), 4096);
	CU_ASSERT_EQUAL(svq_gpa_map_seal(map), 0);
	CU_ASSERT_PTR_NULL(map->dir);
	CU_ASSERT_STRING_EQUAL(map->burst->name, "search");
	svq_gpa_map_free(map);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("burst translation", NULL, NULL);

	autotest_add(s, "all versions agree with a naive one", test_versions_agree);
	autotest_add(s, "the choice of a version", test_choice);
}

REGISTER_AUTOTEST(gpa_burst_autotest, fill)
