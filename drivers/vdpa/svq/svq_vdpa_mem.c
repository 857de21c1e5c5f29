/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * From librte_vhost's memory table to ours. librte_vhost maps each region by itself and does so
 * anew at every change; we map each file once (svq_guest.h) and take from librte_vhost only the
 * descriptors, and the meaning of the addresses that it gives for rings.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include <svq_guest_guard.h>

#include "svq_vdpa_priv.h"

int
svq_vdpa_table_read(const struct svq_vdpa *d, struct svq_vdpa_table *t)
{
	struct rte_vhost_memory *mem;
	unsigned int i;

	/* Without a table librte_vhost would follow a null pointer. */
	if (!d->lib_mem)
		return -ENOENT;
	if (rte_vhost_get_mem_table(d->vid, &mem) != 0)
		return -ENOMEM;
	if (mem->nregions > RTE_DIM(t->r)) {
		free(mem);
		return -E2BIG;
	}
	t->n = mem->nregions;
	for (i = 0; i < t->n; i++) {
		const struct rte_vhost_mem_region *r = &mem->regions[i];

		t->r[i].gpa = r->guest_phys_addr;
		t->r[i].size = r->size;
		t->r[i].qva = r->guest_user_addr;
		t->r[i].hva = r->host_user_addr;
		t->r[i].offset = r->host_user_addr - (uint64_t)(uintptr_t)r->mmap_addr;
		t->r[i].fd = r->fd;
	}
	free(mem);
	return 0;
}

/* Where aliases overlap the first region is as good as any: they are the same memory. */
int
svq_vdpa_table_qva(const struct svq_vdpa_table *t, uint64_t qva, uint64_t len, uint64_t *gpa)
{
	unsigned int i;

	for (i = 0; i < t->n; i++) {
		uint64_t at = qva - t->r[i].qva;

		if (at < t->r[i].size && len <= t->r[i].size - at) {
			*gpa = t->r[i].gpa + at;
			return 0;
		}
	}
	return -EFAULT;
}

int
svq_vdpa_table_hva(const struct svq_vdpa_table *t, uint64_t hva, uint64_t len, uint64_t *gpa)
{
	unsigned int i;

	for (i = 0; i < t->n; i++) {
		uint64_t at = hva - t->r[i].hva;

		if (at < t->r[i].size && len <= t->r[i].size - at) {
			*gpa = t->r[i].gpa + at;
			return 0;
		}
	}
	return -EFAULT;
}

void
svq_vdpa_mem_unguard(struct svq_vdpa *d)
{
	while (d->n_lib_guards > 0)
		svq_guest_guard_del(d->lib_guard[--d->n_lib_guards]);
	atomic_store(&d->lib_lost, false);
}

void
svq_vdpa_mem_guard(struct svq_vdpa *d)
{
	struct rte_vhost_memory *mem;
	unsigned int i;

	svq_vdpa_mem_unguard(d);
	if (rte_vhost_get_mem_table(d->vid, &mem) != 0)
		return;
	for (i = 0; i < mem->nregions && i < RTE_DIM(d->lib_guard); i++) {
		const struct rte_vhost_mem_region *r = &mem->regions[i];
		struct stat st;

		if (fstat(r->fd, &st) != 0)
			continue;
		d->lib_guard[d->n_lib_guards++] = svq_guest_guard_add(
			r->mmap_addr, r->mmap_size, (uint64_t)st.st_blksize, &d->lib_lost);
	}
	free(mem);
}

int
svq_vdpa_mem_prepare(struct svq_vdpa *d, struct svq_guest_diff *diff)
{
	struct svq_guest_region regions[SVQ_VHOST_MAX_REGIONS];
	struct svq_vdpa_table t;
	unsigned int i;
	int ret;

	ret = svq_vdpa_table_read(d, &t);
	if (ret != 0) {
		svq_vdpa_conf_fail(d, ret, "no memory table");
		return ret;
	}
	for (i = 0; i < t.n; i++) {
		regions[i] = (struct svq_guest_region){
			.gpa = t.r[i].gpa,
			.size = t.r[i].size,
			.offset = t.r[i].offset,
			.fd = t.r[i].fd,
		};
	}
	if (atomic_load(&d->lib_lost)) {
		svq_vdpa_conf_fail(d, -EFAULT, "the front-end shrank the file behind its memory");
		return -EFAULT;
	}
	diff->bad_region = -1;
	ret = svq_guest_prepare(d->guest, regions, t.n, diff);
	if (ret == 0)
		return 0;
	i = (unsigned int)diff->bad_region;
	if (diff->bad_region >= 0 && i < t.n)
		svq_vdpa_conf_fail(d, ret,
			"memory region %u (GPA 0x%" PRIx64 ", 0x%" PRIx64
			" bytes) cannot be mapped",
			i, t.r[i].gpa, t.r[i].size);
	else
		svq_vdpa_conf_fail(d, ret, "memory table cannot be mapped");
	return ret;
}

int
svq_vdpa_mem_apply(struct svq_vdpa *d, const struct svq_guest_diff *diff)
{
	int ret;

	if (diff->n_added == 0 && diff->n_removed == 0)
		return 0;
	ret = svq_dma_guest_apply(d->dma, diff);
	if (ret != 0) {
		svq_vdpa_conf_fail(d, ret, "device %s cannot map the guest's memory", d->name);
		svq_guest_abort(d->guest);
		return ret;
	}
	d->stats.mem_changes++;
	d->stats.mem_kept += diff->n_kept;
	d->stats.mem_added += diff->n_added;
	d->stats.mem_removed += diff->n_removed;
	VDPA_LOG(DEBUG, "%s: memory table: %u regions kept, %u mapped, %u unmapped", d->where,
		diff->n_kept, diff->n_added, diff->n_removed);
	return 0;
}

void
svq_vdpa_mem_commit(struct svq_vdpa *d)
{
	svq_guest_commit(d->guest);
}

void
svq_vdpa_mem_clear(struct svq_vdpa *d)
{
	struct svq_guest_diff diff;
	int ret;

	ret = svq_guest_prepare(d->guest, NULL, 0, &diff);
	if (ret == 0) {
		ret = svq_dma_guest_apply(d->dma, &diff);
		if (ret == 0) {
			d->stats.mem_removed += diff.n_removed;
			svq_guest_commit(d->guest);
			return;
		}
		svq_guest_abort(d->guest);
	}
	/* It stays mapped; the next front-end's table replaces it. */
	VDPA_LOG(ERR, "%s: the guest's memory stays mapped: %s", d->where, strerror(-ret));
}
