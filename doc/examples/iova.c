/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * lib/iova by itself: what a VMM does that gives a guest's memory to a device. The memory is that
 * of the table in doc/iova.md, whose third region is a part of the first seen at a second place.
 * Nothing is mapped or accessed: where a VMM asks its IOMMU, this program prints. It exits with 0
 * if everything came out as the guide says.
 *
 *     cc -o iova iova.c $(pkg-config --cflags --libs svq_iova) -lpthread
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_rcu_qsbr.h>

#include <svq_iova.h>

#define PAGE 4096

/* What the IOMMU admits. A real one has holes, as x86 at the interrupts' addresses. */
static const struct svq_iova_range aperture = {.first = 0x1000, .last = (UINT64_C(1) << 48) - 1};

static struct svq_gpa_row memory[] = {
	{.gpa = 0x0, .size = 0x80000000, .hva = 0x7f7903e00000, .perm = SVQ_PERM_RW},
	{.gpa = 0x100000000, .size = 0x1f80000000, .hva = 0x7f7983e00000, .perm = SVQ_PERM_RW},
	{.gpa = 0xfeda0000, .size = 0x20000, .hva = 0x7f7903ea0000, .perm = SVQ_PERM_RW},
};
static const uint64_t guide[] = {0x1000, 0x80001000, 0x2000001000};
#define N_ROWS (sizeof(memory) / sizeof(memory[0]))

static struct svq_iova_alloc *alloc;
static struct svq_gpa_table *table;
static struct rte_rcu_qsbr *qsbr;
static bool failed;

static void
expect(const char *what, bool ok)
{
	printf("%-64s %s\n", what, ok ? "yes" : "NO");
	failed = failed || !ok;
}

/* ---- The reader's side: a thread that serves a queue ---- */

static atomic_bool stop;
static atomic_ulong bursts, wrong;

static void *
datapath(void *arg)
{
	/* Two buffers with the same memory behind them: only the GPA tells which is meant. */
	static const uint64_t gpa[] = {0xb0000, 0xfedb0000};
	static const uint32_t len[] = {1500, 1500};
	uint64_t iova[2], good;

	(void)arg;
	rte_rcu_qsbr_thread_online(qsbr, 0);
	while (!atomic_load(&stop)) {
		const struct svq_gpa_map *map = svq_gpa_table_map(table);

		good = svq_gpa_translate_burst(map, gpa, len, 0, iova, 2);
		/* Bit 1 goes when the alias does; an answer that is given is right. */
		if (!(good & 1) || iova[0] != 0xb1000 || (good & 2 && iova[1] != 0x2000011000))
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&bursts, 1);
		/* No address of this round is used from here on. */
		rte_rcu_qsbr_quiescent(qsbr, 0);
	}
	rte_rcu_qsbr_thread_offline(qsbr, 0);
	return NULL;
}

static int
create_tables(void)
{
	if (svq_iova_alloc_create(&aperture, 1, PAGE, &alloc) < 0)
		return -1;
	qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, rte_rcu_qsbr_get_memsize(1));
	if (qsbr == NULL || rte_rcu_qsbr_init(qsbr, 1) != 0 ||
		rte_rcu_qsbr_thread_register(qsbr, 0) != 0)
		return -1;
	return svq_gpa_table_create(qsbr, &table);
}

/* ---- The writer's side: regions come and go ---- */

static int
add_region(struct svq_gpa_row *row)
{
	int ret = svq_iova_alloc_get(alloc, row->size, row->hva, PAGE, &row->iova);

	if (ret < 0)
		return ret;
	/* The device's mapping first: a translation must never be seen before it. */
	printf("map   IOVA %#14" PRIx64 " -> HVA %#" PRIx64 ", %#" PRIx64 " bytes\n", row->iova,
		row->hva, row->size);
	ret = svq_gpa_table_add(table, row);
	if (ret < 0)
		svq_iova_alloc_put(alloc, row->iova, row->size);
	return ret;
}

static int
remove_region(const struct svq_gpa_row *row)
{
	int ret = svq_gpa_table_del(table, row->gpa, row->size, NULL);

	if (ret == 0)
		ret = svq_gpa_table_publish(table);
	if (ret < 0)
		return ret;
	/* No reader has an address in it any more. Buffers that the device still holds are
	 * the caller's to wait for, before it goes on. */
	printf("unmap IOVA %#14" PRIx64 "\n", row->iova);
	return svq_iova_alloc_put(alloc, row->iova, row->size);
}

static uint64_t
translate(uint64_t gpa, uint64_t len)
{
	struct svq_gpa_seg seg;

	return svq_gpa_translate(svq_gpa_table_map(table), gpa, len, SVQ_PERM_R, &seg, 1) == 1
		? seg.iova
		: 0;
}

/* ---- Memory that no guest owns ---- */

static void
show_host_memory(void)
{
	struct svq_hva_row ring = {.hva = 0x7f9a00000000, .size = 0x4000, .perm = SVQ_PERM_R};
	struct svq_hva_tree *tree;
	struct svq_gpa_seg seg;
	int ret;

	if (svq_hva_tree_create(&tree) < 0)
		return;
	ret = svq_iova_alloc_get(alloc, ring.size, ring.hva, PAGE, &ring.iova);
	expect("a shadow ring gets an IOVA of its own, from the same allocator",
		ret == 0 && svq_hva_tree_add(tree, &ring) == 0 &&
			svq_hva_tree_by_hva(tree, ring.hva, ring.size, NULL) == 0);
	ret = svq_gpa_translate(svq_gpa_table_map(table), ring.iova, 1, SVQ_PERM_R, &seg, 1);
	expect("no guest address reaches it", ret < 0 || seg.iova != ring.iova);
	svq_iova_alloc_put(alloc, ring.iova, ring.size);
	svq_hva_tree_destroy(tree);
}

int
main(void)
{
	struct svq_gpa_seg seg[2];
	pthread_t reader;
	unsigned int i;

	if (create_tables() < 0)
		return 1;
	for (i = 0; i < N_ROWS; i++)
		expect("the region lies where the guide says",
			add_region(&memory[i]) == 0 && memory[i].iova == guide[i]);
	expect("published: readers see all three at once", svq_gpa_table_publish(table) == 0);
	if (pthread_create(&reader, NULL, datapath, NULL) != 0)
		return 1;

	expect("GPA 0xfedb0000 is the alias", translate(0xfedb0000, 4096) == 0x2000011000);
	expect("GPA 0xb0000, the same memory, is the first region",
		translate(0xb0000, 4096) == 0xb1000);
	expect("a buffer that runs into a hole is refused",
		svq_gpa_translate(svq_gpa_table_map(table), 0x7ffff000, 0x1001, SVQ_PERM_R, seg,
			2) == -EFAULT);
	expect("so is a region where there is one",
		svq_gpa_table_add(table, &memory[2]) == -EEXIST);
	show_host_memory();

	while (atomic_load(&bursts) == 0)
		;
	expect("the alias goes", remove_region(&memory[2]) == 0);
	expect("GPA 0xfedb0000 is nothing now", translate(0xfedb0000, 4096) == 0);
	expect("GPA 0xb0000 is what it was", translate(0xb0000, 4096) == 0xb1000);

	atomic_store(&stop, true);
	pthread_join(reader, NULL);
	expect("the reader was right all the time", atomic_load(&wrong) == 0);
	svq_gpa_table_destroy(table);
	svq_iova_alloc_destroy(alloc);
	free(qsbr);
	return failed ? 1 : 0;
}
