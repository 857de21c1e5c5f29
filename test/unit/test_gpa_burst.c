/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <rte_random.h>

#include "autotest.h"
#include "gpa_burst.h"
#include "gpa_dir.h"
#ifdef RTE_ARCH_X86_64
#include "gpa_vector.h"
#endif

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
 * IOVAs on pages, or now and then anywhere, or behind those of the row before. */
static struct svq_gpa_map *
random_map(void)
{
	uint64_t at = rte_rand_max(3) == 0 ? 0 : rte_rand_max(1ull << 40) & ~4095ull;
	unsigned int max = 1 + rte_rand_max(rte_rand_max(2) ? 16 : ROWS_MAX), i;
	unsigned int shift = 12 + rte_rand_max(20);
	bool read_only = rte_rand_max(2), bytes = rte_rand_max(8) == 0;
	bool runs = rte_rand_max(3) == 0, even = runs && rte_rand_max(2);
	struct svq_gpa_map *map = svq_gpa_map_new(max);

	CU_ASSERT_PTR_NOT_NULL_FATAL(map);
	if (even)
		at &= ~((1ull << shift) - 1);
	for (n_rows = 0; n_rows < max; n_rows++) {
		struct svq_gpa_row *row = &rows[n_rows];

		row->gpa = at;
		row->size = (1 + rte_rand_max(8)) << (even || rte_rand_max(4) ? shift : 12);
		row->iova = 0x1000 + (rte_rand_max(1ull << 50) & (bytes ? ~0ull : ~4095ull));
		if (runs && n_rows > 0 && rte_rand_max(50))
			row->iova = row[-1].iova + (row->gpa - row[-1].gpa);
		row->hva = 0x1000;
		row->perm = read_only && rte_rand_max(3) == 0 ? 1 + rte_rand_max(2) : SVQ_PERM_RW;
		if (rte_rand_max(runs ? 50 : 2) == 0)
			at += (1 + rte_rand_max(100)) << 12;
		at += row->size;
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

#ifdef RTE_ARCH_X86_64
static unsigned int eights[SVQ_GPA_GATHER + 1];
static unsigned int runs_crossed;

/* Whether a good buffer of a map of runs leaves its frame: then it may be left out. */
static bool
leaves_frame(const struct svq_gpa_map *map, uint64_t gpa, uint32_t len)
{
	return (gpa & ~map->in_frame) != ((gpa + (len - 1)) & ~map->in_frame);
}

/* Eight addresses in registers: what is found is right, and of a map of few runs or rows all is
 * found that there is to find. */
static __rte_always_inline SVQ_GPA_AVX512 void
compare_eight(const struct svq_gpa_map *map, enum svq_gpa_eight eight)
{
	uint64_t gpa[8], more[8], want[8], got[8], good, found;
	__mmask8 lanes = (__mmask8)(rte_rand_max(4) ? 0xff : rte_rand());
	struct svq_gpa_view view;
	uint32_t len[8];
	__m512i delta;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		gpa[i] = random_gpa();
		/* No more than the function's limit. */
		len[i] = RTE_MIN(random_len(gpa[i]), UINT32_MAX - 1);
		more[i] = (uint64_t)len[i] - 1;
	}
	good = naive(gpa, len, 0, want, 8) & lanes;
	svq_gpa_look(&view, map, eight);
	found = svq_gpa_try_eight(
		&view, eight, lanes, _mm512_loadu_si512(gpa), _mm512_loadu_si512(more), &delta);
	_mm512_storeu_si512(got, delta);
	eights[eight]++;
	CU_ASSERT_EQUAL_FATAL(found & ~good, 0);
	for (i = 0; i < 8; i++) {
		if (found >> i & 1)
			CU_ASSERT_EQUAL_FATAL(gpa[i] + got[i], want[i]);
		if (!(good & ~found & 1u << i) || eight == SVQ_GPA_GATHER)
			continue;
		CU_ASSERT_FATAL(eight == SVQ_GPA_FEW && leaves_frame(map, gpa[i], len[i]));
		runs_crossed++;
	}
}

static SVQ_GPA_AVX512 void
compare_eights(const struct svq_gpa_map *map)
{
	if (map->eight == SVQ_GPA_FEW)
		compare_eight(map, SVQ_GPA_FEW);
	else if (map->eight == SVQ_GPA_SCAN)
		compare_eight(map, SVQ_GPA_SCAN);
	else if (map->eight == SVQ_GPA_GATHER)
		compare_eight(map, SVQ_GPA_GATHER);
}

static void
test_eight(void)
{
	unsigned int m, i;

	if (!__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512bw") ||
		!__builtin_cpu_supports("avx512vl")) {
		printf("no AVX-512 here ");
		return;
	}
	rte_srand(autotest_seed());
	for (m = 0; m < MAPS; m++) {
		struct svq_gpa_map *map = random_map();

		for (i = 0; i < 8 * BURSTS; i++)
			compare_eights(map);
		svq_gpa_map_free(map);
	}
	printf("few: %u, scan: %u, gather: %u, of many rows in few runs left out: %u ",
		eights[SVQ_GPA_FEW], eights[SVQ_GPA_SCAN], eights[SVQ_GPA_GATHER], runs_crossed);
	CU_ASSERT(eights[SVQ_GPA_FEW] > 0 && eights[SVQ_GPA_SCAN] > 0 && runs_crossed > 0);
}
#endif

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
seal(struct svq_gpa_map *map, enum svq_gpa_eight eight)
{
	CU_ASSERT_EQUAL_FATAL(svq_gpa_map_seal(map), 0);
	/* Where the CPU does not gather, others do. */
	CU_ASSERT(map->eight == eight || (eight == SVQ_GPA_GATHER && map->eight == SVQ_GPA_OTHER));
}

/* Which rows are told apart, and in which frames buffers must stay. */
static void
test_runs(void)
{
	struct svq_gpa_map *map;
	unsigned int i;

	/* 60 memory modules. */
	map = svq_gpa_map_new(60);
	for (i = 0; i < 60; i++)
		add_row(map, (uint64_t)(i + 3) << 29, 1u << 29);
	seal(map, SVQ_GPA_FEW);
	CU_ASSERT_EQUAL(map->few[0].first, UINT64_C(3) << 29);
	CU_ASSERT_EQUAL(map->few[0].last, (UINT64_C(63) << 29) - 1);
	CU_ASSERT_EQUAL(map->few[2].last, map->few[0].last);
	CU_ASSERT_EQUAL(map->in_frame, (1u << 29) - 1);
	svq_gpa_map_free(map);
	/* A hole after each: none goes on. */
	map = svq_gpa_map_new(60);
	for (i = 0; i < 60; i++)
		add_row(map, (uint64_t)i << 29, (1u << 29) - 4096);
	seal(map, SVQ_GPA_GATHER);
	svq_gpa_map_free(map);
	/* They meet at odd places. */
	map = svq_gpa_map_new(60);
	for (i = 0; i < 60; i++)
		add_row(map, (uint64_t)i << 20, 1u << 20);
	seal(map, SVQ_GPA_GATHER);
	svq_gpa_map_free(map);
	/* Few rows that do not touch need no frames. */
	map = svq_gpa_map_new(3);
	for (i = 0; i < 3; i++)
		add_row(map, (uint64_t)i << 30, 1u << 29);
	seal(map, SVQ_GPA_FEW);
	CU_ASSERT_EQUAL(map->in_frame, UINT64_MAX);
	svq_gpa_map_free(map);
	/* One that may not be written is told apart otherwise. */
	map = svq_gpa_map_new(2);
	add_row(map, 0, 1u << 29);
	svq_gpa_map_append(map,
		&(struct svq_gpa_row){.gpa = 1u << 29,
			.size = 1u << 29,
			.iova = (1u << 29) + 0x1000,
			.hva = 4096,
			.perm = SVQ_PERM_R});
	seal(map, SVQ_GPA_OTHER);
	svq_gpa_map_free(map);
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
#ifdef RTE_ARCH_X86_64
	autotest_add(s, "eight addresses in registers", test_eight);
#endif
	autotest_add(s, "runs of rows", test_runs);
	autotest_add(s, "the choice of a version", test_choice);
}

REGISTER_AUTOTEST(gpa_burst_autotest, fill)
