/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include "fe_mem.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* Where user addresses begin that are not our own: nothing here lies there. */
#define USER_BASE 0x10000000000ull

static uint64_t
round_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static void
add_span(struct fe_span *spans, unsigned int *n, uint64_t gpa, uint64_t size)
{
	if (size > 0 && *n < FE_MAX_SPANS)
		spans[(*n)++] = (struct fe_span){.gpa = gpa, .size = size};
}

/* A region of which the first @p rings bytes are for rings, the rest for buffers. */
static int
add_region(struct fe_mem *mem, const struct fe_region *r, uint64_t rings)
{
	int rc = fe_mem_region(mem, r);

	if (rc < 0)
		return rc;
	add_span(mem->rings, &mem->n_rings, r->gpa, rings);
	add_span(mem->data, &mem->n_data, r->gpa + rings, r->size - rings);
	return 0;
}

static int
layout_simple(struct fe_mem *mem, uint64_t rings, uint64_t data)
{
	struct fe_region r = {.gpa = 0, .size = rings + data};
	int file = fe_mem_file(mem, r.size);

	if (file < 0)
		return file;
	r.file = (unsigned int)file;
	r.user = (uint64_t)(uintptr_t)mem->files[file].base;
	return add_region(mem, &r, rings);
}

/* Like a PC: low memory, a hole, more low memory, a hole below 4 GiB, high memory; and a second
 * file that was plugged in later. User addresses run against GPAs. */
static int
layout_regions(struct fe_mem *mem, uint64_t rings, uint64_t data)
{
	uint64_t part = round_up(data / 3, FE_PAGE);
	uint64_t ring = round_up(rings / 3, FE_PAGE);
	struct fe_region r = {.gpa = 0, .size = KIB(640), .user = USER_BASE + GIB(64)};
	int file, rc;

	file = fe_mem_file(mem, MIB(1) + 2 * (part + ring));
	if (file < 0)
		return file;
	r.file = (unsigned int)file;
	rc = add_region(mem, &r, 0);

	r.gpa = KIB(768);
	r.offset = KIB(768);
	r.size = part + ring;
	r.user = USER_BASE + GIB(32);
	if (rc == 0)
		rc = add_region(mem, &r, ring);

	r.offset += r.size;
	r.gpa = GIB(4);
	r.user = USER_BASE + GIB(16);
	if (rc == 0)
		rc = add_region(mem, &r, ring);
	if (rc < 0)
		return rc;

	file = fe_mem_file(mem, MIB(2) + part + ring);
	if (file < 0)
		return file;
	r.file = (unsigned int)file;
	r.offset = MIB(2);
	r.gpa = GIB(260);
	r.user = USER_BASE;
	return add_region(mem, &r, ring);
}

/* As in doc/architecture.md's table: a window into the first region's memory lies below 4 GiB. The
 * buffers of the aliased pieces are used through their aliases only. */
static int
layout_alias(struct fe_mem *mem, uint64_t rings, uint64_t data)
{
	uint64_t low = round_up(data / 4, FE_PAGE), big = round_up(data / 2, FE_PAGE);
	uint64_t window = KIB(128), window_at = KIB(640);
	uint64_t big_at = MIB(1) + rings + low;
	struct fe_region r = {.gpa = 0, .size = big_at + big, .user = USER_BASE};
	int file, rc;

	file = fe_mem_file(mem, r.size + low);
	if (file < 0)
		return file;
	r.file = (unsigned int)file;
	rc = fe_mem_region(mem, &r);
	if (rc < 0)
		return rc;
	add_span(mem->rings, &mem->n_rings, MIB(1), rings);
	add_span(mem->data, &mem->n_data, 0, window_at);
	add_span(mem->data, &mem->n_data, MIB(1) + rings, low);

	r = (struct fe_region){.gpa = GIB(4), .size = low, .file = r.file, .offset = r.size};
	r.user = USER_BASE + GIB(8);
	rc = add_region(mem, &r, 0);
	if (rc < 0)
		return rc;

	/* User addresses inside the first region's, like QEMU's SMRAM. */
	r = (struct fe_region){.gpa = 0xfeda0000, .size = window, .file = r.file};
	r.offset = window_at;
	r.user = USER_BASE + window_at;
	rc = add_region(mem, &r, 0);
	if (rc < 0)
		return rc;

	/* User addresses of its own. */
	r.gpa = GIB(16);
	r.size = big;
	r.offset = big_at;
	r.user = USER_BASE + GIB(128);
	return add_region(mem, &r, 0);
}

/* Regions that touch, of three files by turns; some so small that a buffer spans three. */
static int
layout_cross(struct fe_mem *mem, uint64_t rings, uint64_t data)
{
	uint64_t part = round_up(data / 4, FE_PAGE);
	uint64_t sizes[] = {part, FE_PAGE, part, 2 * FE_PAGE, FE_PAGE, part, part};
	uint64_t used[3] = {0}, gpa = GIB(1) + rings, start = gpa, total = 0;
	struct fe_region r = {.gpa = GIB(1), .size = rings, .user = USER_BASE + GIB(900)};
	unsigned int i;
	int file, rc;

	for (i = 0; i < 3; i++) {
		file = fe_mem_file(mem, rings + data + 16 * FE_PAGE);
		if (file < 0)
			return file;
	}
	/* At the end of the last file, so that no file is used from its start to its end. */
	r.file = 2;
	r.offset = data + 16 * FE_PAGE;
	rc = add_region(mem, &r, rings);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && rc == 0; i++) {
		r.gpa = gpa;
		r.size = sizes[i];
		r.file = i % 3;
		r.offset = used[r.file];
		/* User addresses do not touch where GPAs do. */
		r.user = USER_BASE + GIB(100) * (7 - i);
		/* Leave a page out, so that neighbours of one file are not contiguous in it. */
		used[r.file] += r.size + FE_PAGE;
		gpa += r.size;
		total += r.size;
		rc = fe_mem_region(mem, &r) < 0 ? -ENOSPC : 0;
	}
	add_span(mem->data, &mem->n_data, start, total);
	return rc;
}

/* The first two regions and the window of layout_alias(), the window not shown yet. */
static int
layout_smram(struct fe_mem *mem, uint64_t rings, uint64_t data)
{
	uint64_t part = round_up(data / 2, FE_PAGE);
	uint64_t window = KIB(128), window_at = KIB(640);
	struct fe_region r = {.gpa = 0, .size = MIB(1) + rings + part, .user = USER_BASE};
	int file, rc;

	file = fe_mem_file(mem, r.size + part);
	if (file < 0)
		return file;
	r.file = (unsigned int)file;
	rc = fe_mem_region(mem, &r);
	if (rc < 0)
		return rc;
	add_span(mem->rings, &mem->n_rings, MIB(1), rings);
	add_span(mem->data, &mem->n_data, window_at, window);
	add_span(mem->data, &mem->n_data, MIB(1) + rings, part);
	mem->window.gpa = window_at;
	mem->window.alias = (struct fe_region){
		.gpa = 0xfeda0000,
		.size = window,
		.file = r.file,
		.offset = window_at,
		.user = USER_BASE + window_at,
	};

	r = (struct fe_region){.gpa = GIB(4), .size = part, .file = r.file, .offset = r.size};
	r.user = USER_BASE + GIB(8);
	return add_region(mem, &r, 0);
}

/* Where a device that is given guest-physical addresses fails: at 0, over the window that an x86
 * IOMMU keeps for interrupts, and beyond 39 bits; and an alias of the first region. */
static int
layout_noident(struct fe_mem *mem, uint64_t rings, uint64_t data)
{
	uint64_t part = round_up(data / 3, FE_PAGE), ring = round_up(rings / 3, FE_PAGE);
	uint64_t window = KIB(128), msi = MIB(1);
	struct fe_region r = {.size = window + ring + part, .user = USER_BASE};
	int file, rc;

	if (msi < ring + part)
		msi = ring + part;
	file = fe_mem_file(mem, r.size + msi + ring + part);
	if (file < 0)
		return file;
	r.file = (unsigned int)file;
	rc = fe_mem_region(mem, &r);
	if (rc < 0)
		return rc;
	add_span(mem->rings, &mem->n_rings, window, ring);
	add_span(mem->data, &mem->n_data, window + ring, part);

	r = (struct fe_region){.gpa = 0xfee00000, .size = msi, .file = r.file, .offset = r.size};
	r.user = USER_BASE + GIB(8);
	rc = add_region(mem, &r, ring);
	if (rc < 0)
		return rc;

	r.offset += r.size;
	r.gpa = GIB(1024);
	r.size = ring + part;
	r.user = USER_BASE + GIB(16);
	rc = add_region(mem, &r, ring);
	if (rc < 0)
		return rc;

	/* The first region's beginning, used by this address only. */
	r = (struct fe_region){.gpa = GIB(1025), .size = window, .file = r.file, .user = USER_BASE};
	return add_region(mem, &r, 0);
}

int
fe_layout_parse(const char *name)
{
	static const char *const names[] = {
		"simple", "regions", "alias", "cross", "smram", "noident"};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	}
	return -1;
}

int
fe_mem_layout(struct fe_mem *mem, enum fe_layout layout, uint64_t ring_bytes, uint64_t data_bytes)
{
	static int (*const build[])(struct fe_mem *, uint64_t, uint64_t) = {
		[FE_LAYOUT_SIMPLE] = layout_simple,
		[FE_LAYOUT_REGIONS] = layout_regions,
		[FE_LAYOUT_ALIAS] = layout_alias,
		[FE_LAYOUT_CROSS] = layout_cross,
		[FE_LAYOUT_SMRAM] = layout_smram,
		[FE_LAYOUT_NOIDENT] = layout_noident,
	};

	fe_mem_init(mem);
	return build[layout](mem, round_up(ring_bytes, FE_PAGE), round_up(data_bytes, FE_PAGE));
}
