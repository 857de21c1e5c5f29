/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_log.h>

#include <svq_dma.h>

#include "autotest.h"
#include "mock_device.h"
#include "random.h"

/*
 * Memory tables at random, as a front-end could send them, against an array that says which page of
 * the file each guest page shows. Each page of the file holds its own number, so one read through
 * the device's mappings tells whether GPA -> IOVA -> HVA ended at the right bytes. Mappings fail
 * now and then; host-only memory comes and goes between.
 */

#define PAGE	   UINT64_C(4096)
#define FILE_PAGES 64
#define GPA_PAGES  64
#define N_REGIONS  16
#define N_HOST	   8
#define OPS	   20000
#define HOST_MARK  UINT64_C(0x5afe5afe5afe5afe)
#define NO_PAGE	   UINT32_MAX

struct model {
	uint32_t shows[GPA_PAGES]; /* page of the file, or NO_PAGE */
	struct svq_guest_region regions[N_REGIONS];
	unsigned int n;
	void *host[N_HOST];
	uint64_t host_iova[N_HOST];
};

static struct mock_device mock;
static struct model model;
static struct svq_dma *dma;
static struct svq_guest *guest;

static int
create_file(void)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	uint64_t i;

	CU_ASSERT_EQUAL(ftruncate(fd, FILE_PAGES * PAGE), 0);
	for (i = 0; i < FILE_PAGES; i++)
		CU_ASSERT_EQUAL(pwrite(fd, &i, sizeof(i), i * PAGE), sizeof(i));
	return fd;
}

/* Keep some regions, drop some, and add some anywhere in the file: equal, nested, overlapping. */
static unsigned int
random_table(uint64_t *seed, int fd, struct svq_guest_region *out)
{
	bool taken[GPA_PAGES] = {0};
	unsigned int i, j, n = 0;

	for (i = 0; i < model.n; i++) {
		if (random_below(seed, 4) != 0)
			out[n++] = model.regions[i];
	}
	for (i = 0; i < n; i++) {
		for (j = 0; j < out[i].size / PAGE; j++)
			taken[out[i].gpa / PAGE + j] = true;
	}
	while (n < N_REGIONS && random_below(seed, 5) != 0) {
		unsigned int size = 1 + random_below(seed, 8);
		unsigned int gpa = random_below(seed, GPA_PAGES - size + 1);

		for (j = 0; j < size && !taken[gpa + j]; j++)
			;
		if (j < size)
			continue;
		memset(&taken[gpa], true, size);
		out[n++] = (struct svq_guest_region){.gpa = gpa * PAGE,
			.size = size * PAGE,
			.offset = random_below(seed, FILE_PAGES - size + 1) * PAGE,
			.fd = fd};
	}
	return n;
}

static void
adopt(const struct svq_guest_region *regions, unsigned int n)
{
	unsigned int i, j;

	memset(model.shows, 0xff, sizeof(model.shows));
	for (i = 0; i < n; i++) {
		for (j = 0; j < regions[i].size / PAGE; j++)
			model.shows[regions[i].gpa / PAGE + j] = regions[i].offset / PAGE + j;
		model.regions[i] = regions[i];
	}
	model.n = n;
}

static bool
change_table(uint64_t *seed, int fd)
{
	struct svq_guest_region regions[N_REGIONS];
	unsigned int n = random_table(seed, fd, regions);
	struct svq_guest_diff diff;
	unsigned int k = random_below(seed, 6);
	int ret;

	if (svq_guest_prepare(guest, regions, n, &diff) != 0 || diff.n_kept + diff.n_added != n ||
		diff.n_kept + diff.n_removed != model.n)
		return false;
	mock.fail_map = k;
	ret = svq_dma_guest_apply(dma, &diff);
	mock.fail_map = 0;
	if (ret != (k > 0 && k <= diff.n_added ? -EIO : 0))
		return false;
	if (ret < 0) {
		svq_guest_abort(guest);
	} else {
		svq_guest_commit(guest);
		adopt(regions, n);
	}
	return true;
}

static bool
change_host(uint64_t *seed)
{
	unsigned int i = random_below(seed, N_HOST);

	if (model.host[i] != NULL) {
		svq_dma_host_free(dma, model.host[i]);
		model.host[i] = NULL;
		return true;
	}
	model.host[i] = svq_dma_host_alloc(
		dma, 1 + random_below(seed, 3 * PAGE), -1, SVQ_PERM_RW, &model.host_iova[i]);
	if (model.host[i] == NULL)
		return false;
	*(uint64_t *)model.host[i] = HOST_MARK;
	return true;
}

/* What the device reads at the first bytes of a guest page; NO_PAGE where the guest has none. */
static uint64_t
device_reads(unsigned int page)
{
	struct svq_gpa_seg seg;
	uint64_t hva;

	if (svq_gpa_translate(svq_dma_map(dma), page * PAGE, PAGE, SVQ_PERM_W, &seg, 1) != 1)
		return NO_PAGE;
	hva = mock_reach(&mock, seg.iova, PAGE, SVQ_PERM_RW);
	return hva != 0 ? *(uint64_t *)(uintptr_t)hva : UINT64_MAX;
}

static bool
all_agrees(void)
{
	unsigned int i, n_host = 0;

	for (i = 0; i < GPA_PAGES; i++) {
		if (device_reads(i) != model.shows[i])
			return false;
	}
	for (i = 0; i < N_HOST; i++) {
		uint64_t hva;

		if (model.host[i] == NULL)
			continue;
		n_host++;
		hva = mock_reach(&mock, model.host_iova[i], 8, SVQ_PERM_RW);
		if (hva != (uintptr_t)model.host[i] || *(uint64_t *)model.host[i] != HOST_MARK)
			return false;
		/* Its IOVA taken for a GPA leads to guest memory or nowhere. */
		if (model.host_iova[i] / PAGE >= GPA_PAGES &&
			svq_gpa_hva(svq_dma_map(dma), model.host_iova[i], 1, SVQ_PERM_R) != NULL)
			return false;
	}
	return mock.n_maps == model.n + n_host;
}

static void
test_against_model(void)
{
	uint64_t seed = autotest_seed();
	int fd = create_file(), logtype = rte_log_register("svq.iova");
	unsigned int op;

	memset(&model, 0, sizeof(model));
	memset(model.shows, 0xff, sizeof(model.shows));
	/* The device refuses on purpose, hundreds of times. */
	rte_log_set_level(logtype, RTE_LOG_CRIT);
	mock_init(&mock, 0, 512 * PAGE - 1);
	CU_ASSERT_EQUAL_FATAL(svq_dma_create(&mock.dev, NULL, &dma), 0);
	CU_ASSERT_EQUAL_FATAL(svq_guest_create(&guest), 0);
	for (op = 0; op < OPS; op++) {
		bool agree =
			random_below(&seed, 3) == 0 ? change_host(&seed) : change_table(&seed, fd);

		if (!agree || !all_agrees()) {
			printf("operation %u disagrees\n", op);
			CU_FAIL("disagreement");
			break;
		}
	}
	svq_dma_destroy(dma);
	CU_ASSERT_EQUAL(mock.n_maps, 0);
	svq_guest_destroy(guest);
	rte_log_set_level(logtype, RTE_LOG_NOTICE);
	close(fd);
}

static void
fill(void)
{
	autotest_add(autotest_suite("DMA address space, model", NULL, NULL), "against an array",
		test_against_model);
}

REGISTER_AUTOTEST(dma_model_autotest, fill)
