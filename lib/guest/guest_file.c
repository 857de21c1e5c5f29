/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include <rte_common.h>

#include "guest_file.h"
#include "svq_guest_guard.h"

#define SMALL_PAGE UINT64_C(4096)
#define MIB	   (UINT64_C(1) << 20)
#define GIB	   (UINT64_C(1) << 30)

static uint64_t
file_page_size(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == HUGETLBFS_MAGIC)
		return (uint64_t)fs.f_bsize;
	return SMALL_PAGE;
}

/*
 * Alignment that lets an IOMMU use its large pages: IOVAs are chosen congruent to HVAs, so the HVA
 * decides what a device can gain.
 */
static uint64_t
map_alignment(uint64_t size, uint64_t page)
{
	if (size >= GIB)
		return RTE_MAX(GIB, page);
	if (size >= 2 * MIB)
		return RTE_MAX(2 * MIB, page);
	return page;
}

/* Map the file at an aligned address. No MAP_POPULATE: the guest touches its memory by itself, and
 * populating a large guest takes very long. */
static int
map_aligned(int fd, uint64_t size, uint64_t page, uint64_t *hva)
{
	uint64_t align = map_alignment(size, page);
	uint64_t room = size + align;
	char *hole, *at;
	int ret = 0;

	hole = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (hole == MAP_FAILED)
		return -errno;
	at = RTE_PTR_ALIGN_CEIL(hole, align);
	if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0) ==
		MAP_FAILED) {
		ret = -errno;
		munmap(hole, room);
		return ret;
	}
	if (at > hole)
		munmap(hole, at - hole);
	munmap(at + size, room - size - (at - hole));
	/* A guest's memory has no place in our core dump. */
	madvise(at, size, MADV_DONTDUMP);
	*hva = (uintptr_t)at;
	return 0;
}

static int
map_file(struct guest_files *files, int fd, const struct stat *st, uint32_t file,
	struct guest_mapping **mapping)
{
	struct guest_mapping **at = &files->mappings;
	struct guest_mapping *m = calloc(1, sizeof(*m));
	int ret;

	if (m == NULL)
		return -ENOMEM;
	m->dev = st->st_dev;
	m->ino = st->st_ino;
	m->file = file;
	m->page = file_page_size(fd);
	m->size = RTE_ALIGN_CEIL((uint64_t)st->st_size, m->page);
	ret = map_aligned(fd, m->size, m->page, &m->hva);
	if (ret < 0) {
		free(m);
		return ret;
	}
	/* Without a guard, for want of room, the guest is served all the same. */
	m->guard = svq_guest_guard_add((void *)(uintptr_t)m->hva, m->size, m->page, &files->lost);
	while (*at != NULL)
		at = &(*at)->next;
	*at = m;
	*mapping = m;
	return 0;
}

int
guest_files_get(struct guest_files *files, int fd, uint64_t offset, uint64_t size,
	const struct guest_mapping **mapping)
{
	uint32_t file = files->next_file;
	struct guest_mapping *m;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* Also for what is mapped already: touching what a file has lost raises SIGBUS. */
	if (st.st_size < 0 || size > (uint64_t)st.st_size || offset > (uint64_t)st.st_size - size)
		return -EFBIG;
	for (m = files->mappings; m != NULL; m = m->next) {
		if (m->dev != st.st_dev || m->ino != st.st_ino)
			continue;
		file = m->file;
		if (size <= m->size && offset <= m->size - size)
			break;
	}
	if (m == NULL) {
		ret = map_file(files, fd, &st, file, &m);
		if (ret < 0)
			return ret;
		if (file == files->next_file)
			files->next_file++;
	}
	*mapping = m;
	return 0;
}

static bool
in_use(const struct guest_mapping *m, const struct svq_guest_row *rows, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (rows[i].hva - m->hva < m->size)
			return true;
	}
	return false;
}

void
guest_files_sweep(struct guest_files *files, const struct svq_guest_row *rows, unsigned int n)
{
	struct guest_mapping **at = &files->mappings;

	while (*at != NULL) {
		struct guest_mapping *m = *at;

		if (in_use(m, rows, n)) {
			at = &m->next;
			continue;
		}
		*at = m->next;
		svq_guest_guard_del(m->guard);
		munmap((void *)(uintptr_t)m->hva, m->size);
		free(m);
	}
	if (files->mappings == NULL)
		atomic_store(&files->lost, false);
}
