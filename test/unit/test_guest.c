/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include <linux/memfd.h>

#include <numa.h>

#include <svq_guest.h>

#include "autotest.h"

#define PAGE UINT64_C(4096)
#define MIB  (UINT64_C(1) << 20)
#define GIB  (UINT64_C(1) << 30)

static struct svq_guest *guest;
static struct svq_guest_diff diff;

static int
file_of(uint64_t size)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(ftruncate(fd, size), 0);
	return fd;
}

static void
begin(void)
{
	CU_ASSERT_EQUAL_FATAL(svq_guest_create(&guest), 0);
}

static void
end(int fd)
{
	svq_guest_destroy(guest);
	close(fd);
}

static int
apply(const struct svq_guest_region *regions, unsigned int n)
{
	int ret = svq_guest_prepare(guest, regions, n, &diff);

	if (ret == 0)
		svq_guest_commit(guest);
	return ret;
}

static const struct svq_guest_row *
row(unsigned int i)
{
	const struct svq_guest_row *rows;

	CU_ASSERT_FATAL(i < svq_guest_rows(guest, &rows));
	return &rows[i];
}

static unsigned int
n_rows(void)
{
	const struct svq_guest_row *rows;

	return svq_guest_rows(guest, &rows);
}

/* Mappings of memfds in this process. */
static unsigned int
n_mapped(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned int n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, "/memfd:guest") != NULL;
	fclose(f);
	return n;
}

static void
test_aliases_share_hva(void)
{
	int fd = file_of(4 * MIB);
	const struct svq_guest_region regions[] = {
		{.gpa = 0xfeda0000, .size = 0x20000, .offset = 0xa0000, .fd = fd},
		{.gpa = 0, .size = 4 * MIB, .offset = 0, .fd = fd},
	};

	begin();
	CU_ASSERT_EQUAL(apply(regions, 2), 0);
	CU_ASSERT_EQUAL(diff.n_added, 2);
	CU_ASSERT_EQUAL(row(0)->gpa, 0);
	CU_ASSERT_EQUAL(row(1)->hva, row(0)->hva + 0xa0000);
	CU_ASSERT_EQUAL(row(0)->file, row(1)->file);
	CU_ASSERT_EQUAL(row(0)->page, PAGE);
	CU_ASSERT(svq_guest_rows_alias(row(0), row(1)));
	CU_ASSERT(svq_guest_rows_alias(row(1), row(0)));
	CU_ASSERT_FALSE(svq_guest_rows_alias(row(0), row(0)));
	CU_ASSERT_EQUAL(n_mapped(), 1);
	/* Both show the file's bytes. */
	CU_ASSERT_EQUAL(pwrite(fd, "x", 1, 0xa0000), 1);
	CU_ASSERT_EQUAL(*(char *)(uintptr_t)row(1)->hva, 'x');
	end(fd);
	CU_ASSERT_EQUAL(n_mapped(), 0);
}

/* One file through two descriptors is one file; pieces that only touch are no aliases. */
static void
test_file_identity(void)
{
	int fd = file_of(MIB), fd2 = dup(fd), other = file_of(MIB);
	const struct svq_guest_region regions[] = {
		{.gpa = 0, .size = 16 * PAGE, .offset = 0, .fd = fd},
		{.gpa = MIB, .size = 16 * PAGE, .offset = 16 * PAGE, .fd = fd2},
		{.gpa = 2 * MIB, .size = 16 * PAGE, .offset = 0, .fd = other},
	};

	begin();
	CU_ASSERT_EQUAL(apply(regions, 3), 0);
	CU_ASSERT_EQUAL(row(0)->file, row(1)->file);
	CU_ASSERT_EQUAL(row(1)->hva, row(0)->hva + 16 * PAGE);
	CU_ASSERT_NOT_EQUAL(row(0)->file, row(2)->file);
	CU_ASSERT_FALSE(svq_guest_rows_alias(row(0), row(1)));
	CU_ASSERT_FALSE(svq_guest_rows_alias(row(0), row(2)));
	close(fd2);
	close(other);
	end(fd);
}

static void
test_diff(void)
{
	int fd = file_of(4 * MIB), fd2 = file_of(4 * MIB);
	struct svq_guest_region regions[] = {
		{.gpa = 0, .size = MIB, .offset = 0, .fd = fd},
		{.gpa = 2 * MIB, .size = MIB, .offset = MIB, .fd = fd},
		{.gpa = 4 * MIB, .size = MIB, .offset = 0, .fd = fd2},
	};
	uint64_t hva;

	begin();
	CU_ASSERT_EQUAL(apply(regions, 3), 0);
	hva = row(0)->hva;

	CU_ASSERT_EQUAL(apply(regions, 3), 0);
	CU_ASSERT(diff.n_added == 0 && diff.n_removed == 0 && diff.n_kept == 3);

	/* The second moves to another offset, the third goes, one comes. */
	regions[1].offset = 2 * MIB;
	regions[2] = (struct svq_guest_region){.gpa = MIB, .size = MIB, .offset = 0, .fd = fd};
	CU_ASSERT_EQUAL(apply(regions, 3), 0);
	CU_ASSERT_EQUAL(diff.n_kept, 1);
	CU_ASSERT_EQUAL_FATAL(diff.n_removed, 2);
	CU_ASSERT_EQUAL(diff.removed[0].gpa, 2 * MIB);
	CU_ASSERT_EQUAL(diff.removed[0].offset, MIB);
	CU_ASSERT_EQUAL(diff.removed[1].gpa, 4 * MIB);
	CU_ASSERT_EQUAL_FATAL(diff.n_added, 2);
	CU_ASSERT_EQUAL(diff.added[0].gpa, MIB);
	CU_ASSERT_EQUAL(diff.added[1].offset, 2 * MIB);
	CU_ASSERT_EQUAL(row(0)->hva, hva);
	CU_ASSERT_EQUAL(n_mapped(), 1);

	CU_ASSERT_EQUAL(apply(NULL, 0), 0);
	CU_ASSERT_EQUAL(diff.n_removed, 3);
	CU_ASSERT_EQUAL(n_rows(), 0);
	CU_ASSERT_EQUAL(n_mapped(), 0);
	close(fd2);
	end(fd);
}

static void
test_refuse(void)
{
	int fd = file_of(MIB), pipe_fds[2];
	struct svq_guest_region good[] = {
		{.gpa = 0, .size = MIB, .offset = 0, .fd = fd},
		{.gpa = MIB, .size = MIB, .offset = 0, .fd = fd},
	};
	const struct {
		struct svq_guest_region region;
		int err;
	} bad[] = {
		{{.gpa = 4 * MIB, .size = 0, .fd = fd}, -EINVAL},
		{{.gpa = 4 * MIB + 1, .size = PAGE, .fd = fd}, -EINVAL},
		{{.gpa = 4 * MIB, .size = PAGE + 1, .fd = fd}, -EINVAL},
		{{.gpa = 4 * MIB, .size = PAGE, .offset = 512, .fd = fd}, -EINVAL},
		{{.gpa = -PAGE, .size = 2 * PAGE, .fd = fd}, -EOVERFLOW},
		{{.gpa = 4 * MIB, .size = 2 * PAGE, .offset = -PAGE, .fd = fd}, -EOVERFLOW},
		{{.gpa = MIB - PAGE, .size = PAGE, .fd = fd}, -EEXIST},
		{{.gpa = 2 * MIB - PAGE, .size = 2 * PAGE, .fd = fd}, -EEXIST},
		{{.gpa = MIB, .size = PAGE, .fd = fd}, -EEXIST},
		{{.gpa = 4 * MIB, .size = MIB + PAGE, .fd = fd}, -EFBIG},
		{{.gpa = 4 * MIB, .size = PAGE, .offset = MIB, .fd = fd}, -EFBIG},
		{{.gpa = 4 * MIB, .size = PAGE, .offset = UINT64_MAX & ~(PAGE - 1), .fd = fd},
			-EFBIG},
		{{.gpa = 4 * MIB, .size = PAGE, .fd = -1}, -EBADF},
	};
	unsigned int i;

	begin();
	CU_ASSERT_EQUAL(apply(good, 2), 0);
	for (i = 0; i < RTE_DIM(bad); i++) {
		struct svq_guest_region regions[] = {good[0], bad[i].region, good[1]};

		CU_ASSERT_EQUAL(apply(regions, 3), bad[i].err);
		/* Of two that overlap, the one with the higher GPA is named. */
		CU_ASSERT(diff.bad_region == 1 || (bad[i].err == -EEXIST && diff.bad_region == 2));
		CU_ASSERT_EQUAL(n_rows(), 2);
		CU_ASSERT_EQUAL(n_mapped(), 1);
	}
	CU_ASSERT_EQUAL(pipe(pipe_fds), 0);
	good[1].fd = pipe_fds[0];
	CU_ASSERT_EQUAL(apply(good, 2), -EFBIG);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	end(fd);
}

static void
test_region_count(void)
{
	static struct svq_guest_region regions[SVQ_GUEST_MAX_REGIONS + 1];
	int fd = file_of(MIB);
	unsigned int i;

	for (i = 0; i < RTE_DIM(regions); i++)
		regions[i] = (struct svq_guest_region){.gpa = i * PAGE, .size = PAGE, .fd = fd};
	begin();
	CU_ASSERT_EQUAL(apply(regions, SVQ_GUEST_MAX_REGIONS + 1), -E2BIG);
	CU_ASSERT_EQUAL(diff.bad_region, -1);
	CU_ASSERT_EQUAL(apply(regions, SVQ_GUEST_MAX_REGIONS), 0);
	CU_ASSERT_EQUAL(n_rows(), SVQ_GUEST_MAX_REGIONS);
	CU_ASSERT_EQUAL(n_mapped(), 1);
	end(fd);
}

static void
test_abort(void)
{
	int fd = file_of(MIB), fd2 = file_of(MIB);
	const struct svq_guest_region before = {.gpa = 0, .size = MIB, .fd = fd};
	const struct svq_guest_region after = {.gpa = 0, .size = MIB, .fd = fd2};
	struct svq_guest_row was;

	begin();
	CU_ASSERT_EQUAL(apply(&before, 1), 0);
	was = *row(0);
	CU_ASSERT_EQUAL(svq_guest_prepare(guest, &after, 1, &diff), 0);
	CU_ASSERT_EQUAL(diff.n_added, 1);
	CU_ASSERT_EQUAL(diff.n_removed, 1);
	CU_ASSERT_EQUAL(n_mapped(), 2);
	svq_guest_abort(guest);
	CU_ASSERT_EQUAL(n_mapped(), 1);
	CU_ASSERT_EQUAL(n_rows(), 1);
	CU_ASSERT_EQUAL(row(0)->hva, was.hva);
	CU_ASSERT_EQUAL(row(0)->file, was.file);
	/* Nothing is prepared any more. */
	svq_guest_commit(guest);
	svq_guest_abort(guest);
	CU_ASSERT_EQUAL(row(0)->hva, was.hva);
	close(fd2);
	end(fd);
}

static void
test_file_grows(void)
{
	int fd = file_of(MIB);
	const struct svq_guest_region regions[] = {
		{.gpa = 0, .size = MIB, .offset = 0, .fd = fd},
		{.gpa = MIB, .size = MIB, .offset = MIB, .fd = fd},
		{.gpa = 8 * MIB, .size = PAGE, .offset = 0, .fd = fd},
	};
	uint64_t hva;

	begin();
	CU_ASSERT_EQUAL(apply(regions, 1), 0);
	hva = row(0)->hva;
	CU_ASSERT_EQUAL(apply(regions, 2), -EFBIG);
	CU_ASSERT_EQUAL(ftruncate(fd, 2 * MIB), 0);
	CU_ASSERT_EQUAL(apply(regions, 3), 0);
	CU_ASSERT_EQUAL(diff.n_kept, 1);
	CU_ASSERT_EQUAL(row(0)->hva, hva);
	/* An alias of the older row lies where that does. */
	CU_ASSERT_EQUAL(row(2)->hva, hva);
	CU_ASSERT_EQUAL(row(1)->file, row(0)->file);
	CU_ASSERT_EQUAL(n_mapped(), 2);
	memset((void *)(uintptr_t)row(1)->hva, 'y', MIB);
	/* The older mapping goes with its last row. */
	CU_ASSERT_EQUAL(apply(&regions[1], 1), 0);
	CU_ASSERT_EQUAL(diff.n_kept, 1);
	CU_ASSERT_EQUAL(n_mapped(), 1);
	CU_ASSERT_EQUAL(*(char *)(uintptr_t)row(0)->hva, 'y');
	end(fd);
}

static void
test_alignment(void)
{
	int fd = file_of(3 * MIB), big = file_of(GIB + MIB);
	const struct svq_guest_region regions[] = {
		{.gpa = 0, .size = MIB, .offset = 0, .fd = fd},
		{.gpa = GIB, .size = GIB + MIB, .offset = 0, .fd = big},
	};

	begin();
	CU_ASSERT_EQUAL(apply(regions, 2), 0);
	CU_ASSERT_EQUAL(row(0)->hva % (2 * MIB), 0);
	CU_ASSERT_EQUAL(row(1)->hva % GIB, 0);
	close(big);
	end(fd);
}

static void
test_read_only_file(void)
{
	int fd = file_of(MIB), ro;
	char path[64];
	struct svq_guest_region region = {.gpa = 0, .size = MIB};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	region.fd = ro;
	begin();
	CU_ASSERT_EQUAL(apply(&region, 1), -EACCES);
	CU_ASSERT_EQUAL(diff.bad_region, 0);
	CU_ASSERT_EQUAL(n_mapped(), 0);
	close(ro);
	end(fd);
}

/* Mapping without touching needs no free huge page. */
static void
test_huge_pages(void)
{
	int fd = memfd_create("guest", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	const struct svq_guest_region region = {.gpa = 0, .size = PAGE, .offset = PAGE, .fd = fd};

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(ftruncate(fd, 4 * MIB), 0);
	begin();
	CU_ASSERT_EQUAL(apply(&region, 1), 0);
	CU_ASSERT_EQUAL(row(0)->page, 2 * MIB);
	CU_ASSERT_EQUAL(row(0)->hva % (2 * MIB), PAGE);
	end(fd);
}

static void
test_numa(void)
{
	int fd = file_of(64 * MIB);
	const struct svq_guest_region region = {.gpa = 0, .size = 64 * MIB, .fd = fd};
	int node;

	begin();
	CU_ASSERT_EQUAL(svq_guest_numa_node(guest), -1);
	CU_ASSERT_EQUAL(apply(&region, 1), 0);
	CU_ASSERT_EQUAL(svq_guest_numa_node(guest), -1);
	memset((void *)(uintptr_t)row(0)->hva, 1, 64 * MIB);
	node = svq_guest_numa_node(guest);
	CU_ASSERT(numa_available() < 0 ? node == -1 : node >= 0 && node <= numa_max_node());
	end(fd);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("guest memory", NULL, NULL);

	autotest_add(suite, "aliases share their HVA", test_aliases_share_hva);
	autotest_add(suite, "file identity", test_file_identity);
	autotest_add(suite, "difference of tables", test_diff);
	autotest_add(suite, "bad regions are refused", test_refuse);
	autotest_add(suite, "number of regions", test_region_count);
	autotest_add(suite, "abort", test_abort);
	autotest_add(suite, "file that grows", test_file_grows);
	autotest_add(suite, "alignment of mappings", test_alignment);
	autotest_add(suite, "read-only file", test_read_only_file);
	autotest_add(suite, "huge page file", test_huge_pages);
	autotest_add(suite, "NUMA node", test_numa);
}

REGISTER_AUTOTEST(guest_autotest, fill)
