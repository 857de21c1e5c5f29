/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include <rte_common.h>

#include <svq_dma.h>

#include "autotest.h"
#include "mock_device.h"

#define PAGE UINT64_C(4096)
#define MIB  (UINT64_C(1) << 20)

static struct mock_device mock;
static struct svq_dma *dma;
static struct svq_guest *guest;
static int fd;

/* After mock_init(). */
static void
begin_with_device(void)
{
	CU_ASSERT_EQUAL_FATAL(svq_dma_create(&mock.dev, NULL, &dma), 0);
	CU_ASSERT_EQUAL_FATAL(svq_guest_create(&guest), 0);
	fd = memfd_create("guest", MFD_CLOEXEC);
	CU_ASSERT_EQUAL(ftruncate(fd, 16 * MIB), 0);
}

static void
begin(void)
{
	mock_init(&mock, 0x1000, (UINT64_C(1) << 40) - 1);
	begin_with_device();
}

static void
end(void)
{
	svq_dma_destroy(dma);
	CU_ASSERT_EQUAL(mock.n_maps, 0);
	svq_guest_destroy(guest);
	close(fd);
}

static int
apply(const struct svq_guest_region *regions, unsigned int n)
{
	struct svq_guest_diff diff;
	int ret = svq_guest_prepare(guest, regions, n, &diff);

	CU_ASSERT_EQUAL_FATAL(ret, 0);
	ret = svq_dma_guest_apply(dma, &diff);
	if (ret == 0)
		svq_guest_commit(guest);
	else
		svq_guest_abort(guest);
	return ret;
}

/* What `show port N iova` prints is the whole state; the caller frees it. */
static char *
dump(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	svq_dma_dump(dma, guest, f);
	fclose(f);
	return text;
}

static int
translate(uint64_t gpa, uint64_t *hva)
{
	struct svq_gpa_seg seg;
	int ret = svq_gpa_translate(svq_dma_map(dma), gpa, 1, SVQ_PERM_W, &seg, 1);

	*hva = ret == 1 ? mock_reach(&mock, seg.iova, 1, SVQ_PERM_RW) : 0;
	return ret;
}

static void
test_guest_memory(void)
{
	struct svq_guest_region regions[] = {{.gpa = 0, .size = 8 * MIB},
		{.gpa = 0xfeda0000, .size = 0x20000, .offset = 0xa0000}};
	const struct svq_guest_row *rows;
	struct svq_dma_stats stats;
	uint64_t hva;

	begin();
	regions[0].fd = regions[1].fd = fd;
	CU_ASSERT_EQUAL(apply(regions, 2), 0);
	CU_ASSERT_EQUAL(svq_guest_rows(guest, &rows), 2);
	CU_ASSERT_EQUAL(translate(0xa0000, &hva), 1);
	CU_ASSERT_EQUAL(hva, rows[0].hva + 0xa0000);
	CU_ASSERT_EQUAL(translate(0xfeda0000, &hva), 1);
	CU_ASSERT_EQUAL(hva, rows[0].hva + 0xa0000);
	svq_dma_stats(dma, &stats);
	CU_ASSERT(stats.maps == 2 && stats.unmaps == 0);

	/* The same table touches nothing; a smaller one unmaps what went and no more. */
	CU_ASSERT_EQUAL(apply(regions, 2), 0);
	CU_ASSERT_EQUAL(apply(regions, 1), 0);
	svq_dma_stats(dma, &stats);
	CU_ASSERT(stats.maps == 2 && stats.unmaps == 1);
	CU_ASSERT_EQUAL(translate(0xfeda0000, &hva), -EFAULT);
	CU_ASSERT_EQUAL(translate(0xa0000, &hva), 1);
	CU_ASSERT_EQUAL(mock.n_maps, 1);
	end();
}

static uint64_t
iova_of(uint64_t gpa)
{
	struct svq_gpa_seg seg;

	return svq_gpa_translate(svq_dma_map(dma), gpa, 1, SVQ_PERM_R, &seg, 1) == 1 ? seg.iova : 0;
}

/* Memory that goes on where other memory ends does so for the device, too, be that there already or
 * come with it; where not, the gap is the better fit. */
static void
test_goes_on(void)
{
	struct svq_guest_region regions[] = {{.gpa = 32 * MIB, .size = MIB},
		{.gpa = 0, .size = 2 * MIB, .offset = MIB},
		{.gpa = 64 * MIB, .size = MIB, .offset = 3 * MIB},
		{.gpa = 128 * MIB, .size = 2 * MIB, .offset = 4 * MIB},
		{.gpa = 130 * MIB, .size = MIB, .offset = 6 * MIB},
		{.gpa = 131 * MIB, .size = MIB, .offset = 7 * MIB},
		{.gpa = 256 * MIB, .size = MIB, .offset = 8 * MIB}};
	uint64_t gap, iova;
	unsigned int i;

	begin();
	for (i = 0; i < RTE_DIM(regions); i++)
		regions[i].fd = fd;
	CU_ASSERT_EQUAL(apply(regions, 3), 0);
	gap = iova_of(32 * MIB);
	CU_ASSERT_EQUAL(apply(&regions[1], 2), 0);
	CU_ASSERT_EQUAL(apply(&regions[1], 4), 0);
	iova = iova_of(128 * MIB);
	CU_ASSERT_EQUAL(iova_of(130 * MIB), iova + 2 * MIB);
	CU_ASSERT_EQUAL(apply(&regions[1], 5), 0);
	CU_ASSERT_EQUAL(iova_of(131 * MIB), iova + 3 * MIB);
	CU_ASSERT_EQUAL(apply(&regions[1], 6), 0);
	CU_ASSERT_EQUAL(iova_of(256 * MIB), gap);
	end();
}

/* A region that changes at its GPA goes and comes in one step. */
static void
test_replace(void)
{
	struct svq_guest_region region = {.gpa = 0, .size = 2 * MIB};
	uint64_t before, after;

	begin();
	region.fd = fd;
	CU_ASSERT_EQUAL(apply(&region, 1), 0);
	CU_ASSERT_EQUAL(translate(0, &before), 1);
	region.offset = MIB;
	region.size = 4 * MIB;
	CU_ASSERT_EQUAL(apply(&region, 1), 0);
	CU_ASSERT_EQUAL(translate(0, &after), 1);
	CU_ASSERT_NOT_EQUAL(before, after);
	CU_ASSERT_EQUAL(mock.n_maps, 1);
	end();
}

static void
test_roll_back_each_map(void)
{
	enum { N = 6 };
	struct svq_guest_region before[N], after[N];
	const struct svq_gpa_map *map;
	unsigned int i, k;

	begin();
	for (i = 0; i < N; i++) {
		before[i] = (struct svq_guest_region){
			.gpa = i * MIB, .size = MIB, .offset = i * MIB, .fd = fd};
		/* The first two stay, the others change. */
		after[i] = before[i];
		if (i >= 2)
			after[i].offset += MIB / 2;
	}
	CU_ASSERT_EQUAL(apply(before, N), 0);
	map = svq_dma_map(dma);
	for (k = 1; k <= N - 2; k++) {
		char *was = dump(), *is;

		mock.fail_map = k;
		CU_ASSERT_EQUAL(apply(after, N), -EIO);
		CU_ASSERT_EQUAL(mock.fail_map, 0);
		is = dump();
		CU_ASSERT_STRING_EQUAL(was, is);
		CU_ASSERT_EQUAL(mock.n_maps, N);
		CU_ASSERT_PTR_EQUAL(svq_dma_map(dma), map);
		free(was);
		free(is);
	}
	CU_ASSERT_EQUAL(apply(after, N), 0);
	CU_ASSERT_EQUAL(mock.n_maps, N);
	end();
}

/* The GPA table refuses in the middle: what it had dropped comes back. */
static void
test_roll_back_table(void)
{
	struct svq_guest_region regions[2] = {
		{.gpa = 0, .size = MIB}, {.gpa = MIB, .size = MIB, .offset = MIB}};
	struct svq_guest_row added[2], removed[2];
	struct svq_guest_diff diff = {
		.added = added, .n_added = 2, .removed = removed, .n_removed = 1};
	const struct svq_guest_row *rows;
	char *was, *is;
	uint64_t hva;

	begin();
	regions[0].fd = regions[1].fd = fd;
	CU_ASSERT_EQUAL(apply(regions, 2), 0);
	svq_guest_rows(guest, &rows);
	was = dump();
	removed[0] = rows[0];
	added[0] = rows[0];
	added[0].gpa = 8 * MIB;
	added[1] = rows[0];
	added[1].gpa = MIB; /* taken */
	CU_ASSERT_EQUAL(svq_dma_guest_apply(dma, &diff), -EEXIST);
	diff.n_added = 1;
	diff.n_removed = 2;
	removed[1] = rows[0]; /* twice */
	CU_ASSERT_EQUAL(svq_dma_guest_apply(dma, &diff), -ENOENT);
	is = dump();
	CU_ASSERT_STRING_EQUAL(was, is);
	CU_ASSERT_EQUAL(translate(8 * MIB, &hva), -EFAULT);
	CU_ASSERT_EQUAL(translate(0, &hva), 1);
	CU_ASSERT_EQUAL(hva, rows[0].hva);
	CU_ASSERT_EQUAL(mock.n_maps, 2);
	free(was);
	free(is);
	end();
}

/* IOVAs follow HVAs as far as the memory's pages and the device's both reach. Rows by hand: nothing
 * touches the memory. */
static void
test_page_size(void)
{
	static const struct {
		uint64_t device, memory, congruent;
	} pages[] = {
		{1024 * MIB, 1024 * MIB, 1024 * MIB},
		{1024 * MIB, 2 * MIB, 2 * MIB},
		{2 * MIB, 1024 * MIB, 2 * MIB},
		{1024 * MIB, PAGE, PAGE},
		{PAGE, 1024 * MIB, PAGE},
	};
	const uint64_t hva = UINT64_C(0x7f7903e55000);
	unsigned int i;

	for (i = 0; i < RTE_DIM(pages); i++) {
		const struct svq_guest_row row = {
			.size = 1024 * MIB, .hva = hva, .page = pages[i].memory};
		const struct svq_guest_diff diff = {.added = &row, .n_added = 1};

		mock_init(&mock, 0x1000, (UINT64_C(1) << 40) - 1);
		mock.dev.info.max_page = pages[i].device;
		begin_with_device();
		CU_ASSERT_EQUAL(svq_dma_guest_apply(dma, &diff), 0);
		CU_ASSERT_EQUAL(mock.maps[0].iova,
			pages[i].congruent == PAGE ? 0x1000
						   : (hva - 0x1000) % pages[i].congruent + 0x1000);
		end();
	}
}

static void
test_aperture_too_small(void)
{
	struct svq_guest_region regions[2] = {
		{.gpa = 0, .size = MIB}, {.gpa = MIB, .size = MIB, .offset = MIB}};
	char *was, *is;

	mock_init(&mock, 0x1000, 0x1000 + 2 * MIB - PAGE - 1);
	begin_with_device();
	regions[0].fd = regions[1].fd = fd;
	was = dump();
	CU_ASSERT_EQUAL(apply(regions, 2), -ENOSPC);
	is = dump();
	CU_ASSERT_STRING_EQUAL(was, is);
	CU_ASSERT_EQUAL(mock.n_maps, 0);
	CU_ASSERT_EQUAL(apply(regions, 1), 0);
	free(was);
	free(is);
	end();
}

/* What the device may still reach keeps its IOVA. */
static void
test_unmap_fails(void)
{
	struct svq_guest_region region = {.gpa = 0, .size = MIB};
	uint64_t hva, iova, blocked;
	void *mem;

	begin();
	region.fd = fd;
	CU_ASSERT_EQUAL(apply(&region, 1), 0);
	blocked = mock.maps[0].iova;
	mock.fail_unmap = 1;
	CU_ASSERT_EQUAL(apply(NULL, 0), 0);
	CU_ASSERT_EQUAL(translate(0, &hva), -EFAULT);
	mem = svq_dma_host_alloc(dma, PAGE, -1, SVQ_PERM_RW, &iova);
	CU_ASSERT_PTR_NOT_NULL(mem);
	CU_ASSERT(iova - blocked >= MIB);
	svq_dma_host_free(dma, mem);
	CU_ASSERT_EQUAL(mock.n_maps, 1);
	CU_ASSERT_EQUAL(mock_dma_unmap(&mock.dev, blocked, MIB), 0);
	end();
}

static void
test_host_memory(void)
{
	uint64_t iova, iova2, i;
	unsigned char *mem, *mem2;
	uint64_t sum = 0;

	begin();
	mem = svq_dma_host_alloc(dma, PAGE + 1, 0, SVQ_PERM_R, &iova);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mem);
	CU_ASSERT_EQUAL((uintptr_t)mem % PAGE, 0);
	for (i = 0; i < 2 * PAGE; i++)
		sum += mem[i];
	CU_ASSERT_EQUAL(sum, 0);
	CU_ASSERT_EQUAL(mock_reach(&mock, iova, 2 * PAGE, SVQ_PERM_R), (uintptr_t)mem);
	CU_ASSERT_EQUAL(mock_reach(&mock, iova, 1, SVQ_PERM_W), 0);
	mem2 = svq_dma_host_alloc(dma, 1, 4096, SVQ_PERM_RW, &iova2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mem2);
	CU_ASSERT_EQUAL(mock_reach(&mock, iova2, PAGE, SVQ_PERM_RW), (uintptr_t)mem2);

	mock.fail_map = 1;
	CU_ASSERT_PTR_NULL(svq_dma_host_alloc(dma, 1, -1, SVQ_PERM_RW, &iova2));
	CU_ASSERT_EQUAL(errno, EIO);
	CU_ASSERT_PTR_NULL(svq_dma_host_alloc(dma, 0, -1, SVQ_PERM_RW, &iova2));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(svq_dma_host_alloc(dma, 1, -1, 0, &iova2));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(svq_dma_host_alloc(dma, UINT64_MAX, -1, SVQ_PERM_R, &iova2));
	CU_ASSERT_EQUAL(mock.n_maps, 2);

	svq_dma_host_free(dma, NULL);
	svq_dma_host_free(dma, mem + 1);
	CU_ASSERT_EQUAL(mock.n_maps, 2);
	svq_dma_host_free(dma, mem);
	CU_ASSERT_EQUAL(mock.n_maps, 1);
	end();
}

static void
test_large_granule(void)
{
	struct svq_guest_region region = {.gpa = 0, .size = 64 * 1024};
	uint64_t iova;
	void *mem;

	mock_init(&mock, 0x10000, UINT32_MAX);
	mock.dev.info.granule = 64 * 1024;
	begin_with_device();
	region.fd = fd;
	mem = svq_dma_host_alloc(dma, PAGE, -1, SVQ_PERM_RW, &iova);
	CU_ASSERT_PTR_NOT_NULL(mem);
	CU_ASSERT_EQUAL((uintptr_t)mem % (64 * 1024), 0);
	CU_ASSERT_EQUAL(iova % (64 * 1024), 0);
	CU_ASSERT_EQUAL(apply(&region, 1), 0);
	region.size = PAGE;
	CU_ASSERT_EQUAL(apply(&region, 1), -EINVAL);
	end();
}

static void
test_dump(void)
{
	struct svq_guest_region regions[2] = {{.gpa = 0, .size = 8 * MIB},
		{.gpa = 0xfeda0000, .size = 0x20000, .offset = 0xa0000}};
	uint64_t iova;
	char *text;

	mock_init(&mock, 0, 0xfedfffff);
	mock.dev.info.n_apertures = 2;
	mock.dev.info.apertures[1] = (struct svq_iova_range){0xfef00000, (UINT64_C(1) << 39) - 1};
	begin_with_device();
	text = dump();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "none"));
	free(text);
	regions[0].fd = regions[1].fd = fd;
	CU_ASSERT_EQUAL(apply(regions, 2), 0);
	CU_ASSERT_PTR_NOT_NULL(svq_dma_host_alloc(dma, PAGE, -1, SVQ_PERM_R, &iova));
	text = dump();
	puts(text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "hole"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "alias of 0x0\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "alias of 0xfeda0000\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "largest gap"));
	CU_ASSERT_PTR_NULL(strstr(text, "none"));
	free(text);
	end();
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("DMA address space", NULL, NULL);

	autotest_add(suite, "guest memory", test_guest_memory);
	autotest_add(suite, "memory that goes on", test_goes_on);
	autotest_add(suite, "region that changes", test_replace);
	autotest_add(suite, "roll back at each dma_map", test_roll_back_each_map);
	autotest_add(suite, "roll back of the GPA table", test_roll_back_table);
	autotest_add(suite, "page sizes", test_page_size);
	autotest_add(suite, "apertures too small", test_aperture_too_small);
	autotest_add(suite, "dma_unmap fails", test_unmap_fails);
	autotest_add(suite, "host-only memory", test_host_memory);
	autotest_add(suite, "large granule", test_large_granule);
	autotest_add(suite, "dump", test_dump);
}

REGISTER_AUTOTEST(dma_autotest, fill)
