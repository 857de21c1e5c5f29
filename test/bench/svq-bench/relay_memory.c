/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "relay.h"

#define MIB UINT64_C(0x100000)
/* The rings, one behind another from here on, in the guest's first region. */
#define RINGS (64 * MIB)
/* The pool's part of a region: behind the rings, at a random place. */
#define POOL_FIRST (512 * MIB)
/* Distance of buffers: those of a mempool of mbufs with their headroom. */
#define STRIDE 2368

static struct relay_memory *
memory_of(struct svq_device *dev)
{
	return RTE_PTR_SUB(dev, offsetof(struct relay_memory, dev));
}

static int
dma_map(struct svq_device *dev, uint64_t iova, uint64_t hva, uint64_t size, uint32_t perm)
{
	struct relay_memory *m = memory_of(dev);

	RTE_SET_USED(perm);
	if (m->n_maps == RTE_DIM(m->map))
		return -ENOMEM;
	m->map[m->n_maps].iova = iova;
	m->map[m->n_maps].hva = hva;
	m->map[m->n_maps++].size = size;
	return 0;
}

static int
dma_unmap(struct svq_device *dev, uint64_t iova, uint64_t size)
{
	struct relay_memory *m = memory_of(dev);
	unsigned int i;

	for (i = 0; i < m->n_maps; i++) {
		if (m->map[i].iova == iova && m->map[i].size == size) {
			m->map[i] = m->map[--m->n_maps];
			return 0;
		}
	}
	return -ENOENT;
}

static void
notify(struct svq_device *dev, uint16_t qid, uint32_t data)
{
	RTE_SET_USED(qid);
	RTE_SET_USED(data);
	eventfd_write(memory_of(dev)->kickfd, 1);
}

static uint8_t
status(struct svq_device *dev)
{
	RTE_SET_USED(dev);
	return SVQ_DEVICE_S_DRIVER_OK;
}

static const struct svq_device_ops ops = {
	.dma_map = dma_map,
	.dma_unmap = dma_unmap,
	.notify = notify,
	.status = status,
};

void *
relay_memory_iova(const struct relay_memory *m, uint64_t iova)
{
	unsigned int i;

	for (i = 0; i < m->n_maps; i++) {
		if (iova - m->map[i].iova < m->map[i].size)
			return (void *)(uintptr_t)(m->map[i].hva + (iova - m->map[i].iova));
	}
	return NULL;
}

uint64_t
relay_memory_ring(unsigned int n)
{
	return RINGS + n * MIB;
}

void *
relay_memory_gpa(const struct relay_memory *m, uint64_t gpa)
{
	return svq_gpa_hva(svq_dma_map(m->dma), gpa, 1, SVQ_PERM_R);
}

/* The layout's regions, as a front-end tells of them: all of one file. */
static int
add_regions(struct relay_memory *m)
{
	struct svq_guest_region regions[IOVA_ROWS_MAX];
	uint64_t base = m->layout.rows[0].hva, size = 0;
	struct svq_guest_diff diff;
	unsigned int i;
	int ret;

	for (i = 0; i < m->layout.n; i++) {
		const struct svq_gpa_row *row = &m->layout.rows[i];

		regions[i] = (struct svq_guest_region){
			.gpa = row->gpa,
			.size = row->size,
			.offset = row->hva - base,
			.fd = m->fd,
		};
		size = RTE_MAX(size, regions[i].offset + row->size);
	}
	/* Nothing but the rings is ever touched, so it takes no memory. */
	if (ftruncate(m->fd, size) < 0)
		return -errno;
	ret = svq_guest_prepare(m->guest, regions, m->layout.n, &diff);
	if (ret == 0)
		ret = svq_dma_guest_apply(m->dma, &diff);
	if (ret == 0)
		svq_guest_commit(m->guest);
	for (i = 0; i < m->layout.n && ret == 0; i++) {
		struct svq_gpa_row *row = &m->layout.rows[i];
		struct svq_gpa_seg seg;

		ret = svq_gpa_translate(svq_dma_map(m->dma), row->gpa, 1, SVQ_PERM_R, &seg, 1) == 1
			? 0
			: -EFAULT;
		row->iova = seg.iova;
		row->hva = (uintptr_t)relay_memory_gpa(m, row->gpa);
	}
	return ret;
}

static void
fill_pool(struct relay_memory *m)
{
	unsigned int order[RELAY_POOL], i;
	uint64_t first[IOVA_ROWS_MAX];

	for (i = 0; i < m->layout.n; i++) {
		const uint64_t size = m->layout.rows[i].size, from = i == 0 ? POOL_FIRST : 0;

		first[i] = size > 64 * MIB
			? from + bench_random_below((size - from - 32 * MIB) / (2 * MIB)) * 2 * MIB
			: 0;
	}
	for (i = 0; i < RELAY_POOL; i++)
		order[i] = i;
	bench_shuffle(order, RELAY_POOL);
	for (i = 0; i < RELAY_POOL; i++) {
		unsigned int r = i % m->layout.n, k = i / m->layout.n;
		const struct svq_gpa_row *row = &m->layout.rows[r];
		uint64_t offset = first[r] + k % ((row->size - first[r]) / STRIDE) * STRIDE;

		m->gpa[order[i]] = row->gpa + offset;
		m->iova[order[i]] = row->iova + offset;
	}
}

static int
make_log(struct relay_memory *m)
{
	uint64_t end = 0;
	unsigned int i;

	for (i = 0; i < m->layout.n; i++)
		end = RTE_MAX(end, m->layout.rows[i].gpa + m->layout.rows[i].size);
	m->log.size = end / SVQ_DIRTY_LOG_PAGE / 8 + 1;
	m->log.base = calloc(1, m->log.size);
	return m->log.base != NULL ? 0 : -ENOMEM;
}

int
relay_memory_open(struct relay_memory *m, unsigned int regions)
{
	unsigned int i;
	int ret = -EINVAL;

	memset(m, 0, sizeof(*m));
	m->dev.ops = &ops;
	m->dev.info = (struct svq_device_info){
		.max_pairs = 1,
		.max_queue_size = RELAY_RING_MAX,
		.max_page = MIB * 1024,
		.granule = 4096,
		.numa_node = -1,
		.n_apertures = 2,
		.apertures = {{0x1000, 0xfedfffff}, {0xfef00000, (UINT64_C(1) << 48) - 1}},
	};
	strcpy(m->dev.name, "bench");
	m->fd = memfd_create("bench", MFD_CLOEXEC);
	m->kickfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	for (i = 0; i < iova_n_layouts && m->layout.n != regions; i++)
		ret = iova_layout(i, &m->layout);
	if (m->layout.n != regions || m->fd < 0 || m->kickfd < 0)
		ret = -EINVAL;
	if (ret == 0)
		ret = svq_guest_create(&m->guest);
	if (ret == 0)
		ret = svq_dma_create(&m->dev, NULL, &m->dma);
	if (ret == 0)
		ret = add_regions(m);
	if (ret == 0)
		ret = make_log(m);
	if (ret < 0) {
		fprintf(stderr, "svq-bench: no guest memory of %u regions: %s\n", regions,
			strerror(-ret));
		relay_memory_close(m);
		return ret;
	}
	fill_pool(m);
	return 0;
}

void
relay_memory_close(struct relay_memory *m)
{
	struct svq_guest_diff diff;

	if (m->dma != NULL && svq_guest_prepare(m->guest, NULL, 0, &diff) == 0 &&
		svq_dma_guest_apply(m->dma, &diff) == 0)
		svq_guest_commit(m->guest);
	svq_dma_destroy(m->dma);
	svq_guest_destroy(m->guest);
	free(m->log.base);
	if (m->kickfd >= 0)
		close(m->kickfd);
	if (m->fd >= 0)
		close(m->fd);
}
