/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <sys/mman.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>

#include "autotest.h"
#include "soft_traffic.h"

/*
 * Each test spoils one thing, polls, and expects one counted fault, a device that needs a reset
 * and moves nothing more, and memory as it was; then a reset mends the device. All is done with
 * split and with packed rings.
 */

#define PLAIN (RTE_BIT64(VIRTIO_F_VERSION_1))
#define ALL                                                                                   \
	(PLAIN | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) | RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) | \
		RTE_BIT64(VIRTIO_RING_F_EVENT_IDX))
#define SIZE   16
#define CANARY 0xc5
#define LEN    1000
#define PAGE   UINT64_C(4096)

static struct drv drv;
static struct drv_ring *const rx = &drv.ring[0], *const tx = &drv.ring[1];
static uint64_t iommu_faults, ring_errors;
static uint64_t format; /* VIRTIO_F_RING_PACKED, or 0 */

/* A running device, with a good receive chain and a good packet at hand. */
static struct drv_slot *rx_slot, *tx_slot;

static void
fresh(uint64_t features)
{
	/* Here, because a suite's set-up cannot assert. */
	if (drv.dev == NULL)
		CU_ASSERT_EQUAL_FATAL(drv_open(&drv, "queue_size=16,packed=1", NULL), 0);
	drv.dev->ops->stop(drv.dev);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | features, SIZE), 0);
	memset(drv.rx, CANARY, DRV_AREA_SIZE);
	memset(drv.tx, CANARY, DRV_AREA_SIZE);
	rx_slot = drv_slot_get(rx);
	drv_piece(rx_slot, 0, 2 * LEN);
	tx_slot = drv_slot_get(tx);
	drv_piece(tx_slot, 0, LEN);
	drv_piece(tx_slot, 3000, LEN);
	iommu_faults = drv_stats(&drv).iommu_faults;
	ring_errors = drv_stats(&drv).ring_errors;
}

static bool
untouched(const uint8_t *mem, size_t len)
{
	return mem[0] == CANARY && memcmp(mem, mem + 1, len - 1) == 0;
}

/* The good packet comes back. */
static void
loop_one(void)
{
	struct drv_slot *slot;
	uint32_t len;

	drv_post(rx, rx_slot, DRV_DIRECT);
	drv_post(tx, tx_slot, DRV_DIRECT);
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 2);
	slot = drv_reap(rx, &len);
	CU_ASSERT_PTR_EQUAL(slot, rx_slot);
	CU_ASSERT_EQUAL(len, 2 * LEN);
	CU_ASSERT(untouched(rx_slot->hva + 12, 2 * LEN - 12));
	CU_ASSERT_PTR_EQUAL(drv_reap(tx, &len), tx_slot);
}

static void
check_fault(uint64_t faults, uint64_t errors)
{
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	CU_ASSERT(drv.dev->ops->status(drv.dev) & SVQ_DEVICE_S_NEEDS_RESET);
	CU_ASSERT_EQUAL(drv_stats(&drv).iommu_faults - iommu_faults, faults);
	CU_ASSERT_EQUAL(drv_stats(&drv).ring_errors - ring_errors, errors);
	CU_ASSERT(!drv_used(rx));
	CU_ASSERT(!drv_used(tx));
	CU_ASSERT(untouched(drv.rx, DRV_AREA_SIZE));
	CU_ASSERT(untouched(drv.tx, DRV_AREA_SIZE));
	CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
	CU_ASSERT_EQUAL(drv_stats(&drv).iommu_faults + drv_stats(&drv).ring_errors,
		iommu_faults + ring_errors + 1);
	fresh(ALL);
	loop_one();
}

static void
check_iommu_fault(void)
{
	check_fault(1, 0);
}

static void
check_ring_error(void)
{
	check_fault(0, 1);
}

static int
cleanup(void)
{
	if (drv.dev != NULL)
		drv_close(&drv);
	drv.dev = NULL;
	return 0;
}

static void
test_tx_address(void)
{
	static const struct drv_piece bad[] = {
		{0, 100},		 /* never mapped */
		{UINT64_MAX - 10, 100},	 /* wraps */
		{DRV_IOVA_TX - 1, 100},	 /* begins before */
		{DRV_IOVA_TX - 50, 100}, /* straddles the start */
		{DRV_IOVA_TX + DRV_MAX_PAIRS * (uint64_t)DRV_AREA_SIZE - 99, 100}, /* the end */
		{DRV_IOVA_TX, UINT32_MAX}, /* longer than the mapping */
		{DRV_IOVA_RX, 100},	   /* device-writable only */
		{DRV_IOVA_USED, 100},	   /* the same, a ring */
	};
	unsigned int i, at;

	for (i = 0; i < RTE_DIM(bad); i++) {
		for (at = 0; at < 2; at++) {
			fresh(ALL);
			tx_slot->pieces[at] = bad[i];
			drv_post(rx, rx_slot, DRV_DIRECT);
			drv_post(tx, tx_slot, i % 2 ? DRV_INDIRECT : DRV_DIRECT);
			check_iommu_fault();
		}
	}
}

static void
test_rx_address(void)
{
	static const struct drv_piece bad[] = {
		{0, 3000}, {DRV_IOVA_RX - 50, 3000},
		{DRV_IOVA_RX + DRV_MAX_PAIRS * (uint64_t)DRV_AREA_SIZE - 100, 3000},
		{DRV_IOVA_TX, 3000},	/* read-only */
		{DRV_IOVA_RINGS, 3000}, /* read-only: the rings themselves */
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		fresh(ALL);
		/* The packet would fit the first piece and a part of the bad one. */
		rx_slot->pieces[0].len = LEN;
		drv_piece(rx_slot, 0, 1);
		rx_slot->pieces[1] = bad[i];
		drv_post(rx, rx_slot, i % 2 ? DRV_INDIRECT : DRV_DIRECT);
		drv_post(tx, tx_slot, DRV_DIRECT);
		check_iommu_fault();
	}
}

/* Two mappings that touch, in IOVAs and in memory: still not one. */
static void
test_straddle(void)
{
	const uint64_t at = 0x40000000;
	const struct svq_device_ops *ops;
	uint8_t *mem =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CU_ASSERT_PTR_NOT_EQUAL_FATAL(mem, MAP_FAILED);
	memset(mem, CANARY, 2 * PAGE);
	fresh(ALL);
	ops = drv.dev->ops;
	CU_ASSERT_EQUAL(ops->dma_map(drv.dev, at, (uintptr_t)mem, PAGE, SVQ_PERM_RW), 0);
	CU_ASSERT_EQUAL(
		ops->dma_map(drv.dev, at + PAGE, (uintptr_t)mem + PAGE, PAGE, SVQ_PERM_RW), 0);
	fresh(ALL);
	rx_slot->pieces[0] = (struct drv_piece){at + PAGE - LEN, 2 * LEN};
	drv_post(rx, rx_slot, DRV_DIRECT);
	drv_post(tx, tx_slot, DRV_DIRECT);
	check_iommu_fault();
	fresh(ALL);
	tx_slot->pieces[0] = (struct drv_piece){at + PAGE - 1, 2};
	drv_post(rx, rx_slot, DRV_DIRECT);
	drv_post(tx, tx_slot, DRV_DIRECT);
	check_iommu_fault();
	CU_ASSERT(untouched(mem, 2 * PAGE));
	/* Gone from the IOMMU: gone from the device. */
	CU_ASSERT_EQUAL(ops->dma_unmap(drv.dev, at, PAGE), 0);
	CU_ASSERT_EQUAL(ops->dma_unmap(drv.dev, at + PAGE, PAGE), 0);
	fresh(ALL);
	tx_slot->pieces[0] = (struct drv_piece){at, 64};
	drv_post(rx, rx_slot, DRV_DIRECT);
	drv_post(tx, tx_slot, DRV_DIRECT);
	check_iommu_fault();
	munmap(mem, 2 * PAGE);
}

/* What a spoiled chain is to a test: change it after it was written, before it is polled. @p head
 * is its first descriptor. */
typedef void (*spoil_fn)(uint16_t head);

static void
spoil_loop(uint16_t head)
{
	tx->desc[tx->desc[head].next].flags |= VRING_DESC_F_NEXT;
	tx->desc[tx->desc[head].next].next = head;
}

static void
spoil_self_loop(uint16_t head)
{
	tx->desc[head].next = head;
}

static void
spoil_next(uint16_t head)
{
	tx->desc[head].next = SIZE;
}

static void
spoil_zero(uint16_t head)
{
	tx->desc[head].len = 0;
}

static void
spoil_direction(uint16_t head)
{
	*drv_flags(tx, head) |= VRING_DESC_F_WRITE;
}

static void
spoil_short(uint16_t head)
{
	tx->desc[head].len = 11;
	*drv_flags(tx, head) &= ~VRING_DESC_F_NEXT;
	if (tx->packed)
		tx->packed_desc[head].id = 0;
}

static void
spoil_head(uint16_t head)
{
	(void)head;
	tx->avail->ring[0] = SIZE;
}

static void
spoil_avail_idx(uint16_t head)
{
	(void)head;
	tx->avail->idx = SIZE + 1;
}

/* It goes on in what the driver has not made available. */
static void
spoil_packed_next(uint16_t head)
{
	*drv_flags(tx, head + 1) |= VRING_DESC_F_NEXT;
}

/* The second descriptor is of another lap, or used. */
static void
spoil_packed_lap(uint16_t head)
{
	*drv_flags(tx, head + 1) ^= 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED;
}

static void
spoil_packed_used(uint16_t head)
{
	*drv_flags(tx, head + 1) |= 1 << VRING_PACKED_DESC_F_USED;
}

/* Every descriptor is available and has a next one. */
static void
spoil_packed_endless(uint16_t head)
{
	uint16_t i;

	for (i = 0; i < SIZE; i++) {
		tx->packed_desc[i] = tx->packed_desc[head];
		tx->packed_desc[i].id = i;
	}
}

/* The same, with more bytes in the first than any packet has: the others are not wanted. */
static void
spoil_packed_endless_tail(uint16_t head)
{
	spoil_packed_endless(head);
	tx->packed_desc[head].len = DRV_SLOT_SIZE;
}

static void
spoil_packed_id(uint16_t head)
{
	tx->packed_desc[head + 1].id = SIZE;
}

static void
spoil_packed_id_max(uint16_t head)
{
	tx->packed_desc[head + 1].id = UINT16_MAX;
}

static void
spoil_packed_table_in_chain(uint16_t head)
{
	*drv_flags(tx, head + 1) |= VRING_DESC_F_INDIRECT;
	tx->packed_desc[head + 1].addr = tx_slot->table_iova;
	tx->packed_desc[head + 1].len = 16;
}

/* Each function on a good packet of that layout. */
static void
spoil_each(const spoil_fn *spoil, unsigned int n, enum drv_layout layout)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		fresh(ALL);
		drv_post(rx, rx_slot, DRV_DIRECT);
		spoil[i](drv_post(tx, tx_slot, layout));
		check_ring_error();
	}
}

static void
test_direct_rings(void)
{
	static const spoil_fn any[] = {spoil_zero, spoil_direction, spoil_short};
	static const spoil_fn split[] = {
		spoil_loop,
		spoil_self_loop,
		spoil_next,
		spoil_head,
		spoil_avail_idx,
	};
	static const spoil_fn packed[] = {
		spoil_packed_next,
		spoil_packed_lap,
		spoil_packed_used,
		spoil_packed_endless,
		spoil_packed_endless_tail,
		spoil_packed_id,
		spoil_packed_id_max,
		spoil_packed_table_in_chain,
	};

	spoil_each(any, RTE_DIM(any), DRV_DIRECT);
	if (format != 0)
		spoil_each(packed, RTE_DIM(packed), DRV_DIRECT);
	else
		spoil_each(split, RTE_DIM(split), DRV_DIRECT);
}

static void
spoil_table_size(uint16_t head)
{
	tx->desc[head].len += 8;
}

static void
spoil_table_empty(uint16_t head)
{
	tx->desc[head].len = 0;
}

static void
spoil_table_next_flag(uint16_t head)
{
	*drv_flags(tx, head) |= VRING_DESC_F_NEXT;
}

static void
spoil_table_nested(uint16_t head)
{
	(void)head;
	tx_slot->table[0].flags = VRING_DESC_F_INDIRECT;
	tx_slot->table[0].addr = tx_slot->table_iova;
	tx_slot->table[0].len = 32;
}

static void
spoil_table_next(uint16_t head)
{
	(void)head;
	tx_slot->table[0].next = 2;
}

static void
spoil_table_loop(uint16_t head)
{
	(void)head;
	tx_slot->table[0].next = 0;
}

static void
spoil_table_zero(uint16_t head)
{
	(void)head;
	tx_slot->table[1].len = 0;
}

static void
spoil_packed_table_write(uint16_t head)
{
	(void)head;
	tx_slot->packed_table[1].flags |= VRING_DESC_F_WRITE;
}

static void
spoil_packed_table_id(uint16_t head)
{
	tx->packed_desc[head].id = SIZE;
}

static void
test_indirect_tables(void)
{
	static const spoil_fn any[] = {
		spoil_table_size,
		spoil_table_empty,
		spoil_table_next_flag,
		spoil_table_zero,
	};
	static const spoil_fn split[] = {spoil_table_nested, spoil_table_next, spoil_table_loop};
	static const spoil_fn packed[] = {spoil_packed_table_write, spoil_packed_table_id};
	unsigned int i;

	spoil_each(any, RTE_DIM(any), DRV_INDIRECT);
	if (format != 0)
		spoil_each(packed, RTE_DIM(packed), DRV_INDIRECT);
	else
		spoil_each(split, RTE_DIM(split), DRV_INDIRECT);
	/* A table of one descriptor more than the ring has. */
	fresh(ALL);
	tx_slot->n = 0;
	for (i = 0; i < SIZE + 1; i++)
		drv_piece(tx_slot, 32 * i, 20);
	drv_post(rx, rx_slot, DRV_DIRECT);
	drv_post(tx, tx_slot, DRV_INDIRECT);
	check_ring_error();
	/* Not negotiated. */
	fresh(PLAIN);
	drv_post(rx, rx_slot, DRV_DIRECT);
	drv_post(tx, tx_slot, DRV_INDIRECT);
	check_ring_error();
	/* A table that the device cannot read: unmapped, and writable only. */
	for (i = 0; i < 2; i++) {
		fresh(ALL);
		drv_post(rx, rx_slot, DRV_DIRECT);
		tx->desc[drv_post(tx, tx_slot, DRV_INDIRECT)].addr = i ? DRV_IOVA_RX : 0x2000;
		check_iommu_fault();
	}
}

static void
test_rx_chains(void)
{
	/* Device-readable in the receive queue. */
	fresh(ALL);
	*drv_flags(rx, drv_post(rx, rx_slot, DRV_DIRECT)) &= ~VRING_DESC_F_WRITE;
	drv_post(tx, tx_slot, DRV_DIRECT);
	check_ring_error();
	/* With mergeable buffers the first must hold the header. */
	fresh(ALL);
	rx_slot->pieces[0].len = 11;
	drv_post(rx, rx_slot, DRV_DIRECT);
	drv_post(tx, tx_slot, DRV_DIRECT);
	check_ring_error();
	if (format != 0)
		return;
	/* A loop of buffers that are too small to ever hold the packet. */
	fresh(ALL);
	rx_slot->pieces[0].len = 16;
	drv_piece(rx_slot, 20, 16);
	rx->desc[rx->desc[drv_post(rx, rx_slot, DRV_DIRECT)].next].flags |= VRING_DESC_F_NEXT;
	rx->desc[rx->desc[rx->avail->ring[0]].next].next = rx->avail->ring[0];
	drv_post(tx, tx_slot, DRV_DIRECT);
	check_ring_error();
}

/* A ring that is not mapped when the device starts. */
static void
test_start_unmapped(void)
{
	const struct svq_device_ops *ops;
	struct svq_device_queue bad;
	unsigned int i;

	for (i = 0; i < 7; i++) {
		fresh(ALL);
		ops = drv.dev->ops;
		ops->stop(drv.dev);
		CU_ASSERT_EQUAL_FATAL(drv_setup(&drv, format | ALL, SIZE), 0);
		bad = drv.ring[1].conf;
		switch (i) {
		case 0:
			bad.desc_iova = 0x2000;
			break;
		case 1:
			bad.avail_iova = 0x2000;
			break;
		case 2:
			bad.used_iova = 0x2000;
			break;
		case 3: /* read-only */
			bad.used_iova = bad.avail_iova;
			break;
		case 4: /* writable only */
			bad.desc_iova = bad.used_iova;
			break;
		case 5: /* split: all but the event index; packed: read-only */
			if (format == 0)
				bad.used_iova = DRV_IOVA_USED + DRV_USED_SIZE - 4 - 8 * SIZE;
			else
				bad.desc_iova = bad.avail_iova;
			break;
		case 6: /* all but the last descriptor */
			bad.desc_iova = DRV_IOVA_PACKED + DRV_PACKED_SIZE - 16 * (SIZE - 1);
			break;
		}
		CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 1, &bad), 0);
		CU_ASSERT_EQUAL(ops->start(drv.dev), -EFAULT);
		CU_ASSERT_EQUAL(ops->status(drv.dev), SVQ_DEVICE_S_NEEDS_RESET);
		CU_ASSERT_EQUAL(ops->start(drv.dev), -EBUSY);
		check_iommu_fault();
	}
}

/* The rings' mapping goes, or comes back elsewhere, while the device runs and is idle. */
static void
test_rings_moved(void)
{
	const struct svq_device_ops *ops;
	const uint64_t size = 16 * PAGE;
	uint8_t *old, *mem;
	unsigned int i;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL(mem, MAP_FAILED);
	for (i = 0; i < 2; i++) {
		struct svq_device_queue conf;

		fresh(ALL);
		ops = drv.dev->ops;
		ops->stop(drv.dev);
		CU_ASSERT_EQUAL_FATAL(drv_setup(&drv, format | ALL, SIZE), 0);
		rx_slot = drv_slot_get(rx);
		drv_piece(rx_slot, 0, 2 * LEN);
		tx_slot = drv_slot_get(tx);
		drv_piece(tx_slot, 0, 2 * LEN);
		/* The transmit ring in memory of its own. */
		CU_ASSERT_EQUAL(
			ops->dma_map(drv.dev, 0x40000000, (uintptr_t)mem, size, SVQ_PERM_RW), 0);
		memset(mem, 0, size);
		conf = tx->conf;
		conf.desc_iova = 0x40000000;
		conf.avail_iova = 0x40001000;
		conf.used_iova = 0x40002000;
		CU_ASSERT_EQUAL(ops->queue_setup(drv.dev, 1, &conf), 0);
		tx->desc = (void *)mem;
		tx->avail = (void *)(mem + PAGE);
		tx->used = (void *)(mem + 2 * PAGE);
		CU_ASSERT_EQUAL(ops->start(drv.dev), 0);
		loop_one();
		CU_ASSERT_EQUAL(ops->dma_unmap(drv.dev, 0x40000000, size), 0);
		if (i == 0) {
			old = mem;
			mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
			CU_ASSERT_PTR_NOT_EQUAL_FATAL(mem, MAP_FAILED);
			memcpy(mem, old, size);
			/* A stale address would crash. */
			munmap(old, size);
			CU_ASSERT_EQUAL(ops->dma_map(drv.dev, 0x40000000, (uintptr_t)mem, size,
						SVQ_PERM_RW),
				0);
			tx->desc = (void *)mem;
			tx->avail = (void *)(mem + PAGE);
			tx->used = (void *)(mem + 2 * PAGE);
			loop_one();
			CU_ASSERT_EQUAL(ops->dma_unmap(drv.dev, 0x40000000, size), 0);
		} else {
			munmap(mem, size);
			CU_ASSERT_EQUAL(drv_poll(&drv, 0), 0);
			CU_ASSERT_EQUAL(drv_stats(&drv).iommu_faults - iommu_faults, 1);
			CU_ASSERT(ops->status(drv.dev) & SVQ_DEVICE_S_NEEDS_RESET);
		}
	}
	fresh(ALL);
	loop_one();
}

static int
use_split(void)
{
	format = 0;
	return 0;
}

static int
use_packed(void)
{
	format = RTE_BIT64(VIRTIO_F_RING_PACKED);
	return 0;
}

/* The driver is told once that a reset is needed. */
static void
test_told(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	eventfd_t n = 0;

	fresh(ALL);
	drv.dev->ops->stop(drv.dev);
	CU_ASSERT_EQUAL(drv.dev->ops->config_irq(drv.dev, fd), 0);
	CU_ASSERT_EQUAL_FATAL(drv_start(&drv, format | ALL, SIZE), 0);
	tx_slot = drv_slot_get(tx);
	drv_piece(tx_slot, 0, LEN);
	drv_piece(tx_slot, 3000, LEN);
	tx_slot->pieces[1] = (struct drv_piece){0, 100};
	rx_slot = drv_slot_get(rx);
	drv_piece(rx_slot, 0, 2 * LEN);
	drv_post(rx, rx_slot, DRV_DIRECT);
	drv_post(tx, tx_slot, DRV_DIRECT);
	CU_ASSERT_EQUAL(eventfd_read(fd, &n), -1);
	drv_poll(&drv, 0);
	drv_poll(&drv, 0);
	CU_ASSERT(drv.dev->ops->status(drv.dev) & SVQ_DEVICE_S_NEEDS_RESET);
	CU_ASSERT_EQUAL(eventfd_read(fd, &n), 0);
	CU_ASSERT_EQUAL(n, 1);
	drv.dev->ops->stop(drv.dev);
	close(fd);
}

static void
fill_suite(CU_pSuite suite)
{
	autotest_add(suite, "transmit address", test_tx_address);
	autotest_add(suite, "receive address", test_rx_address);
	autotest_add(suite, "two mappings that touch", test_straddle);
	autotest_add(suite, "malformed ring", test_direct_rings);
	autotest_add(suite, "malformed indirect table", test_indirect_tables);
	autotest_add(suite, "malformed receive chain", test_rx_chains);
	autotest_add(suite, "rings not mapped at start", test_start_unmapped);
	autotest_add(suite, "rings moved while running", test_rings_moved);
	autotest_add(suite, "told of it", test_told);
}

static void
fill(void)
{
	fill_suite(autotest_suite("soft_fault, split", use_split, cleanup));
	fill_suite(autotest_suite("soft_fault, packed", use_packed, cleanup));
}

REGISTER_AUTOTEST(soft_fault_autotest, fill)
