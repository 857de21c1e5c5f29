/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_log.h>

#include "guest_file.h"

RTE_LOG_REGISTER(svq_guest_logtype, svq.guest, NOTICE)

#define REGION_ALIGN UINT64_C(4096)

/* Fixed arrays: a change of tables needs no memory but for mappings. */
struct svq_guest {
	struct guest_files files;
	bool prepared;
	unsigned int n_rows;
	unsigned int n_next;
	struct svq_guest_row rows[SVQ_GUEST_MAX_REGIONS]; /* present table, ascending GPA */
	struct svq_guest_row next[SVQ_GUEST_MAX_REGIONS]; /* prepared table, ascending GPA */
	struct svq_guest_row added[SVQ_GUEST_MAX_REGIONS];
	struct svq_guest_row removed[SVQ_GUEST_MAX_REGIONS];
};

/* A region's place in the caller's table. */
struct place {
	uint64_t gpa;
	unsigned int index;
};

int
svq_guest_create(struct svq_guest **guest)
{
	*guest = calloc(1, sizeof(**guest));
	return *guest != NULL ? 0 : -ENOMEM;
}

void
svq_guest_destroy(struct svq_guest *guest)
{
	if (guest == NULL)
		return;
	guest_files_sweep(&guest->files, NULL, 0);
	free(guest);
}

static const char *
reason(int err)
{
	switch (err) {
	case -EINVAL:
		return "empty, or not in whole pages of 4096 bytes";
	case -EOVERFLOW:
		return "its end wraps";
	case -EEXIST:
		return "overlaps the region before it in guest-physical memory";
	case -EFBIG:
		return "ends beyond its file";
	case -EBADF:
		return "has no file; give guest memory as shared files (QEMU: share=on)";
	default:
		return strerror(-err);
	}
}

static int
refuse(struct svq_guest_diff *diff, const struct svq_guest_region *regions, unsigned int i, int err)
{
	rte_log(RTE_LOG_ERR, svq_guest_logtype,
		"memory table refused: region %u (GPA 0x%" PRIx64 ", 0x%" PRIx64
		" bytes at offset 0x%" PRIx64 " of its file): %s\n",
		i, regions[i].gpa, regions[i].size, regions[i].offset, reason(err));
	diff->bad_region = (int)i;
	return err;
}

static int
check_region(const struct svq_guest_region *r)
{
	if (r->size == 0 || ((r->gpa | r->size | r->offset) & (REGION_ALIGN - 1)) != 0)
		return -EINVAL;
	if (r->size - 1 > UINT64_MAX - r->gpa || r->size - 1 > UINT64_MAX - r->offset)
		return -EOVERFLOW;
	return 0;
}

static int
compare_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->gpa > y->gpa) - (x->gpa < y->gpa);
}

/* Check the regions one by one and against each other; order them by GPA. */
static int
order_regions(const struct svq_guest_region *regions, unsigned int n, struct place *order,
	struct svq_guest_diff *diff)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		int ret = check_region(&regions[i]);

		if (ret < 0)
			return refuse(diff, regions, i, ret);
		order[i] = (struct place){.gpa = regions[i].gpa, .index = i};
	}
	qsort(order, n, sizeof(order[0]), compare_place);
	for (i = 1; i < n; i++) {
		const struct svq_guest_region *below = &regions[order[i - 1].index];

		if (order[i].gpa - below->gpa < below->size)
			return refuse(diff, regions, order[i].index, -EEXIST);
	}
	return 0;
}

static int
make_row(struct svq_guest *guest, const struct svq_guest_region *region, struct svq_guest_row *row)
{
	const struct guest_mapping *m;
	int ret;

	ret = guest_files_get(&guest->files, region->fd, region->offset, region->size, &m);
	if (ret < 0)
		return ret;
	*row = (struct svq_guest_row){
		.gpa = region->gpa,
		.size = region->size,
		.offset = region->offset,
		.hva = m->hva + region->offset,
		.page = m->page,
		.file = m->file,
	};
	return 0;
}

/* Both tables hold a region that stayed at the same host address. */
static bool
is_same(const struct svq_guest_row *a, const struct svq_guest_row *b)
{
	return a->gpa == b->gpa && a->size == b->size && a->offset == b->offset &&
		a->file == b->file && a->hva == b->hva;
}

static void
compare_tables(struct svq_guest *guest, struct svq_guest_diff *diff)
{
	unsigned int i = 0, j = 0;

	while (i < guest->n_rows || j < guest->n_next) {
		const struct svq_guest_row *old = i < guest->n_rows ? &guest->rows[i] : NULL;
		const struct svq_guest_row *new = j < guest->n_next ? &guest->next[j] : NULL;

		if (old != NULL && new != NULL && is_same(old, new)) {
			diff->n_kept++;
			i++;
			j++;
		} else if (new == NULL || (old != NULL && old->gpa <= new->gpa)) {
			guest->removed[diff->n_removed++] = *old;
			i++;
		} else {
			guest->added[diff->n_added++] = *new;
			j++;
		}
	}
}

int
svq_guest_prepare(struct svq_guest *guest, const struct svq_guest_region *regions, unsigned int n,
	struct svq_guest_diff *diff)
{
	struct place order[SVQ_GUEST_MAX_REGIONS];
	unsigned int i;
	int ret;

	svq_guest_abort(guest);
	*diff = (struct svq_guest_diff){
		.added = guest->added, .removed = guest->removed, .bad_region = -1};
	if (n > SVQ_GUEST_MAX_REGIONS) {
		rte_log(RTE_LOG_ERR, svq_guest_logtype,
			"memory table refused: %u regions, at most %u\n", n, SVQ_GUEST_MAX_REGIONS);
		return -E2BIG;
	}
	ret = order_regions(regions, n, order, diff);
	if (ret < 0)
		return ret;
	for (i = 0; i < n; i++) {
		ret = make_row(guest, &regions[order[i].index], &guest->next[i]);
		if (ret < 0) {
			guest_files_sweep(&guest->files, guest->rows, guest->n_rows);
			return refuse(diff, regions, order[i].index, ret);
		}
	}
	guest->n_next = n;
	guest->prepared = true;
	compare_tables(guest, diff);
	return 0;
}

void
svq_guest_commit(struct svq_guest *guest)
{
	if (!guest->prepared)
		return;
	memcpy(guest->rows, guest->next, guest->n_next * sizeof(guest->next[0]));
	guest->n_rows = guest->n_next;
	guest->prepared = false;
	guest_files_sweep(&guest->files, guest->rows, guest->n_rows);
}

void
svq_guest_abort(struct svq_guest *guest)
{
	if (!guest->prepared)
		return;
	guest->prepared = false;
	guest_files_sweep(&guest->files, guest->rows, guest->n_rows);
}

unsigned int
svq_guest_rows(const struct svq_guest *guest, const struct svq_guest_row **rows)
{
	*rows = guest->rows;
	return guest->n_rows;
}

bool
svq_guest_rows_alias(const struct svq_guest_row *a, const struct svq_guest_row *b)
{
	return a->gpa != b->gpa && a->file == b->file &&
		(a->offset - b->offset < b->size || b->offset - a->offset < a->size);
}

bool
svq_guest_lost(const struct svq_guest *guest)
{
	return atomic_load_explicit(&guest->files.lost, memory_order_relaxed);
}
