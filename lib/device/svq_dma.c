/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <numa.h>

#include <rte_common.h>
#include <rte_log.h>

#include "dma_priv.h"

RTE_LOG_REGISTER(svq_iova_logtype, svq.iova, NOTICE)

#define SMALL_PAGE UINT64_C(4096)

#define DMA_ERR(dma, fmt, ...) \
	rte_log(RTE_LOG_ERR, svq_iova_logtype, "%s: " fmt "\n", (dma)->dev->name, ##__VA_ARGS__)

int
svq_dma_create(struct svq_device *dev, struct rte_rcu_qsbr *qsbr, struct svq_dma **dma)
{
	const struct svq_device_info *info = &dev->info;
	struct svq_dma *d = calloc(1, sizeof(*d));
	int ret;

	if (d == NULL)
		return -ENOMEM;
	d->dev = dev;
	ret = svq_iova_alloc_create(info->apertures, info->n_apertures, info->granule, &d->alloc);
	if (ret < 0)
		goto err_alloc;
	ret = svq_gpa_table_create(qsbr, &d->guest);
	if (ret < 0)
		goto err_guest;
	ret = svq_hva_tree_create(&d->host);
	if (ret < 0)
		goto err_host;
	if (dev->ops->set_dma != NULL)
		dev->ops->set_dma(dev, d);
	*dma = d;
	return 0;

err_host:
	svq_gpa_table_destroy(d->guest);
err_guest:
	svq_iova_alloc_destroy(d->alloc);
err_alloc:
	free(d);
	return ret;
}

static int
log_no_room(const struct svq_dma *dma, uint64_t size)
{
	struct svq_iova_alloc_info info;

	svq_iova_alloc_info(dma->alloc, &info);
	DMA_ERR(dma,
		"IOVA apertures too small: 0x%" PRIx64 " bytes in one piece are needed, 0x%" PRIx64
		" are free in the largest gap (0x%" PRIx64
		" in all); give the guest less memory or the device a wider address space",
		size, info.largest_gap, info.free_bytes);
	return -ENOSPC;
}

/* Give memory an IOVA, behind other memory if it can be, and map it at the device. */
static int
map_range(struct svq_dma *dma, uint64_t after, uint64_t hva, uint64_t size, uint64_t max_page,
	uint32_t perm, uint64_t *iova)
{
	int ret = svq_iova_alloc_get_after(dma->alloc, after, size, hva, max_page, iova);

	if (ret == -ENOSPC)
		return log_no_room(dma, size);
	if (ret < 0) {
		DMA_ERR(dma,
			"no IOVA for 0x%" PRIx64 " bytes at HVA 0x%" PRIx64 ": %s (granule %" PRIu64
			" bytes)",
			size, hva, strerror(-ret), dma->dev->info.granule);
		return ret;
	}
	atomic_fetch_add_explicit(&dma->maps, 1, memory_order_relaxed);
	ret = dma->dev->ops->dma_map(dma->dev, *iova, hva, size, perm);
	if (ret < 0) {
		DMA_ERR(dma,
			"device refuses to map 0x%" PRIx64 " bytes at IOVA 0x%" PRIx64
			", HVA 0x%" PRIx64 ": %s",
			size, *iova, hva, strerror(-ret));
		svq_iova_alloc_put(dma->alloc, *iova, size);
	}
	return ret;
}

/* Undo map_range(). An IOVA that the device may still reach is not used again. */
static int
unmap_range(struct svq_dma *dma, uint64_t iova, uint64_t size)
{
	int ret;

	atomic_fetch_add_explicit(&dma->unmaps, 1, memory_order_relaxed);
	ret = dma->dev->ops->dma_unmap(dma->dev, iova, size);
	if (ret < 0)
		DMA_ERR(dma,
			"device refuses to unmap 0x%" PRIx64 " bytes at IOVA 0x%" PRIx64
			": %s; the range stays blocked until the device is removed",
			size, iova, strerror(-ret));
	else
		svq_iova_alloc_put(dma->alloc, iova, size);
	return ret;
}

/* ---- Host-only memory ---- */

/* Anonymous memory at a multiple of the alignment, which is at least a page. */
static void *
map_anonymous(uint64_t size, uint64_t align)
{
	uint64_t room = size + align - SMALL_PAGE;
	char *base, *at;

	if (room < size) {
		errno = ENOMEM;
		return NULL;
	}
	base = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	at = RTE_PTR_ALIGN_CEIL(base, align);
	if (at > base)
		munmap(base, at - base);
	if (at + size < base + room)
		munmap(at + size, base + room - (at + size));
	return at;
}

/* What the device may still reach is not given back to the system. */
static void
free_host(struct svq_dma *dma, const struct svq_hva_row *row)
{
	if (unmap_range(dma, row->iova, row->size) == 0)
		munmap((void *)(uintptr_t)row->hva, row->size);
}

void *
svq_dma_host_alloc(struct svq_dma *dma, uint64_t size, int numa_node, uint32_t perm, uint64_t *iova)
{
	uint64_t align = RTE_MAX(dma->dev->info.granule, SMALL_PAGE);
	struct svq_hva_row row = {.perm = perm};
	void *mem;
	int ret;

	if (size == 0 || size > UINT64_MAX - (align - 1) || perm == 0 ||
		(perm & ~(uint32_t)SVQ_PERM_RW) != 0) {
		errno = EINVAL;
		return NULL;
	}
	row.size = RTE_ALIGN_CEIL(size, align);
	mem = map_anonymous(row.size, align);
	if (mem == NULL)
		return NULL;
	if (numa_node >= 0 && numa_available() >= 0 && numa_node <= numa_max_node())
		numa_tonode_memory(mem, row.size, numa_node);
	/* Touch it now, on that node, and not on the datapath. */
	memset(mem, 0, row.size);
	row.hva = (uintptr_t)mem;
	ret = map_range(dma, 0, row.hva, row.size, dma->dev->info.granule, perm, &row.iova);
	if (ret < 0)
		goto err_map;
	ret = svq_hva_tree_add(dma->host, &row);
	if (ret < 0)
		goto err_tree;
	*iova = row.iova;
	return mem;

err_tree:
	free_host(dma, &row);
	errno = -ret;
	return NULL;
err_map:
	munmap(mem, row.size);
	errno = -ret;
	return NULL;
}

void
svq_dma_host_free(struct svq_dma *dma, void *mem)
{
	struct svq_hva_row row;

	if (mem == NULL || svq_hva_tree_by_hva(dma->host, (uintptr_t)mem, 1, &row) < 0 ||
		row.hva != (uintptr_t)mem)
		return;
	svq_hva_tree_del(dma->host, row.iova, row.size, NULL);
	free_host(dma, &row);
}

/* ---- Guest memory ---- */

static void
unmap_rows(struct svq_dma *dma, const struct svq_gpa_row *rows, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		unmap_range(dma, rows[i].iova, rows[i].size);
}

/* The IOVA behind the memory that ends where row i begins, among those before it or in the table;
 * 0: there is none. */
static uint64_t
iova_behind(const struct svq_dma *dma, const struct svq_gpa_row *rows, unsigned int i)
{
	const struct svq_gpa_row *last = i > 0 ? &rows[i - 1] : NULL;
	struct svq_gpa_seg seg;

	if (last != NULL && last->gpa + last->size == rows[i].gpa)
		return last->iova + last->size;
	/* At GPA 0 that is the last byte of all: a wish like another. */
	if (svq_gpa_translate(svq_dma_map(dma), rows[i].gpa - 1, 1, SVQ_PERM_R, &seg, 1) == 1)
		return seg.iova + 1;
	return 0;
}

/* Make what came reachable for the device; nobody can name it yet. */
static int
map_added(struct svq_dma *dma, const struct svq_guest_diff *diff, struct svq_gpa_row *rows)
{
	unsigned int i;

	for (i = 0; i < diff->n_added; i++) {
		const struct svq_guest_row *in = &diff->added[i];
		struct svq_gpa_row *out = &rows[i];
		int ret;

		*out = (struct svq_gpa_row){
			.gpa = in->gpa, .size = in->size, .hva = in->hva, .perm = SVQ_PERM_RW};
		ret = map_range(dma, iova_behind(dma, rows, i), out->hva, out->size,
			RTE_MIN(dma->dev->info.max_page, in->page), out->perm, &out->iova);
		if (ret < 0) {
			unmap_rows(dma, rows, i);
			return ret;
		}
	}
	return 0;
}

/* Undo the first changes of change_table(). Needs no memory, see svq_gpa_table_del(). */
static void
restore_table(struct svq_dma *dma, const struct svq_gpa_row *added, unsigned int n_added,
	const struct svq_gpa_row *removed, unsigned int n_removed)
{
	while (n_added-- > 0)
		svq_gpa_table_del(dma->guest, added[n_added].gpa, added[n_added].size, NULL);
	while (n_removed-- > 0)
		svq_gpa_table_add(dma->guest, &removed[n_removed]);
}

/* Removals first: what comes may lie at the GPAs of what goes. */
static int
change_table(struct svq_dma *dma, const struct svq_guest_diff *diff,
	const struct svq_gpa_row *added, struct svq_gpa_row *removed)
{
	unsigned int i, j = 0;
	int ret = 0;

	for (i = 0; i < diff->n_removed; i++) {
		ret = svq_gpa_table_del(
			dma->guest, diff->removed[i].gpa, diff->removed[i].size, &removed[i]);
		if (ret < 0)
			goto err;
	}
	for (j = 0; j < diff->n_added; j++) {
		ret = svq_gpa_table_add(dma->guest, &added[j]);
		if (ret < 0)
			goto err;
	}
	ret = svq_gpa_table_publish(dma->guest);
	if (ret == 0)
		return 0;
err:
	restore_table(dma, added, j, removed, i);
	DMA_ERR(dma, "guest memory table not changed: %s", strerror(-ret));
	return ret;
}

int
svq_dma_guest_apply(struct svq_dma *dma, const struct svq_guest_diff *diff)
{
	unsigned int n = diff->n_added + diff->n_removed;
	struct svq_gpa_row *rows, *removed;
	int ret;

	if (n == 0)
		return 0;
	rows = calloc(n, sizeof(*rows));
	if (rows == NULL)
		return -ENOMEM;
	removed = rows + diff->n_added;
	ret = map_added(dma, diff, rows);
	if (ret < 0)
		goto out;
	ret = change_table(dma, diff, rows, removed);
	/* No reader holds a translation any more, of what went or, on failure, of what came. */
	if (ret < 0)
		unmap_rows(dma, rows, diff->n_added);
	else
		unmap_rows(dma, removed, diff->n_removed);
out:
	free(rows);
	return ret;
}

/* ---- The rest ---- */

static void
forget_guest_row(const struct svq_gpa_row *row, void *arg)
{
	unmap_range(arg, row->iova, row->size);
}

static void
forget_host_row(const struct svq_hva_row *row, void *arg)
{
	free_host(arg, row);
}

void
svq_dma_destroy(struct svq_dma *dma)
{
	if (dma == NULL)
		return;
	if (dma->dev->ops->set_dma != NULL)
		dma->dev->ops->set_dma(dma->dev, NULL);
	svq_gpa_table_walk(dma->guest, forget_guest_row, dma);
	svq_hva_tree_walk(dma->host, forget_host_row, dma);
	svq_hva_tree_destroy(dma->host);
	svq_gpa_table_destroy(dma->guest);
	svq_iova_alloc_destroy(dma->alloc);
	free(dma);
}

const struct svq_gpa_map *const *
svq_dma_map_at(const struct svq_dma *dma)
{
	return svq_gpa_table_map_at(dma->guest);
}

const struct svq_gpa_map *
svq_dma_map(const struct svq_dma *dma)
{
	return svq_gpa_table_map(dma->guest);
}

struct svq_device *
svq_dma_device(const struct svq_dma *dma)
{
	return dma->dev;
}

void
svq_dma_stats(const struct svq_dma *dma, struct svq_dma_stats *stats)
{
	stats->maps = atomic_load_explicit(&dma->maps, memory_order_relaxed);
	stats->unmaps = atomic_load_explicit(&dma->unmaps, memory_order_relaxed);
}
