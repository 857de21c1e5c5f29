/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "fe_mem.h"

void
fe_mem_init(struct fe_mem *mem)
{
	memset(mem, 0, sizeof(*mem));
}

void
fe_mem_free(struct fe_mem *mem)
{
	unsigned int i;

	for (i = 0; i < mem->n_files; i++) {
		munmap(mem->files[i].base, mem->files[i].size);
		close(mem->files[i].fd);
	}
	fe_mem_init(mem);
}

int
fe_mem_file(struct fe_mem *mem, uint64_t size)
{
	struct fe_file *file = &mem->files[mem->n_files];
	void *base;
	int fd, rc;

	if (mem->n_files == FE_MAX_FILES)
		return -ENOSPC;
	fd = memfd_create("svq-frontend", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*file = (struct fe_file){.fd = fd, .base = base, .size = size};
	return (int)mem->n_files++;
}

int
fe_mem_region(struct fe_mem *mem, const struct fe_region *region)
{
	if (mem->n_regions == FE_MAX_REGIONS)
		return -ENOSPC;
	mem->regions[mem->n_regions] = *region;
	return (int)mem->n_regions++;
}

int
fe_mem_region_del(struct fe_mem *mem, uint64_t gpa)
{
	unsigned int i;

	for (i = 0; i < mem->n_regions; i++) {
		if (mem->regions[i].gpa == gpa) {
			memmove(&mem->regions[i], &mem->regions[i + 1],
				(mem->n_regions - i - 1) * sizeof(mem->regions[0]));
			mem->n_regions--;
			return 0;
		}
	}
	return -ENOENT;
}

static const struct fe_region *
mem_find(const struct fe_mem *mem, uint64_t gpa)
{
	unsigned int i;

	for (i = 0; i < mem->n_regions; i++) {
		if (gpa - mem->regions[i].gpa < mem->regions[i].size)
			return &mem->regions[i];
	}
	return NULL;
}

void *
fe_mem_ptr(const struct fe_mem *mem, uint64_t gpa, uint64_t len)
{
	const struct fe_region *r = mem_find(mem, gpa);

	if (r == NULL || len > r->size - (gpa - r->gpa))
		return NULL;
	return mem->files[r->file].base + r->offset + (gpa - r->gpa);
}

uint64_t
fe_mem_alias(const struct fe_mem *mem, uint64_t gpa, uint64_t len)
{
	const struct fe_window *w = &mem->window;
	uint64_t at = gpa - w->gpa;

	if (at >= w->alias.size || len > w->alias.size - at)
		return 0;
	return w->alias.gpa + at;
}

uint64_t
fe_mem_user(const struct fe_mem *mem, uint64_t gpa)
{
	const struct fe_region *r = mem_find(mem, gpa);

	return r == NULL ? 0 : r->user + (gpa - r->gpa);
}

bool
fe_mem_crosses(const struct fe_mem *mem, uint64_t gpa, uint64_t len)
{
	return fe_mem_ptr(mem, gpa, len) == NULL;
}

/* Bytes from @p gpa on that lie in one region, at most @p len; *ptr is where. */
static uint64_t
mem_piece(const struct fe_mem *mem, uint64_t gpa, uint64_t len, uint8_t **ptr)
{
	const struct fe_region *r = mem_find(mem, gpa);
	uint64_t left;

	if (r == NULL)
		return 0;
	*ptr = mem->files[r->file].base + r->offset + (gpa - r->gpa);
	left = r->size - (gpa - r->gpa);
	return left < len ? left : len;
}

int
fe_mem_write(struct fe_mem *mem, uint64_t gpa, const void *src, uint64_t len)
{
	const uint8_t *from = src;
	uint8_t *to;
	uint64_t n;

	for (; len > 0; gpa += n, from += n, len -= n) {
		n = mem_piece(mem, gpa, len, &to);
		if (n == 0)
			return -EFAULT;
		memcpy(to, from, n);
	}
	return 0;
}

int
fe_mem_read(const struct fe_mem *mem, uint64_t gpa, void *dst, uint64_t len)
{
	uint8_t *from, *to = dst;
	uint64_t n;

	for (; len > 0; gpa += n, to += n, len -= n) {
		n = mem_piece(mem, gpa, len, &from);
		if (n == 0)
			return -EFAULT;
		memcpy(to, from, n);
	}
	return 0;
}

uint64_t
fe_mem_take_ring(struct fe_mem *mem, uint64_t size, uint64_t align)
{
	unsigned int i, best = mem->n_rings;
	uint64_t gpa = UINT64_MAX, start;

	/* The emptiest span last used is the largest one left. */
	for (i = 0; i < mem->n_rings; i++) {
		struct fe_span *s = &mem->rings[i];

		start = (s->gpa + align - 1) & ~(align - 1);
		if (start - s->gpa > s->size || s->size - (start - s->gpa) < size)
			continue;
		if (best == mem->n_rings || s->size > mem->rings[best].size) {
			best = i;
			gpa = start;
		}
	}
	if (best < mem->n_rings) {
		struct fe_span *s = &mem->rings[best];

		s->size -= gpa + size - s->gpa;
		s->gpa = gpa + size;
	}
	return gpa;
}

void
fe_mem_table(const struct fe_mem *mem, struct fe_wire_table *table, int *fds)
{
	unsigned int i;

	memset(table, 0, sizeof(*table));
	table->n = mem->n_regions;
	for (i = 0; i < mem->n_regions; i++) {
		const struct fe_region *r = &mem->regions[i];

		table->regions[i] = (struct fe_wire_region){
			.gpa = r->gpa,
			.size = r->size,
			.user = r->user,
			.offset = r->offset,
		};
		fds[i] = mem->files[r->file].fd;
	}
}

int
fe_mem_send(const struct fe_mem *mem, struct fe_conn *conn)
{
	struct fe_wire_table table;
	int fds[FE_MAX_FDS];

	fe_mem_table(mem, &table, fds);
	return fe_set_mem_table(conn, &table, fds);
}

uint64_t
fe_mem_end(const struct fe_mem *mem)
{
	uint64_t end = 0;
	unsigned int i;

	for (i = 0; i < mem->n_regions; i++) {
		if (mem->regions[i].gpa + mem->regions[i].size > end)
			end = mem->regions[i].gpa + mem->regions[i].size;
	}
	return end;
}
