/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* The function's part: registers, and a control queue that answers (virtio 1.2, 4.1 and 5.1.6.5).
 */

#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include <rte_common.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "vfio_mock.h"

void
mock_function_reset(void)
{
	unsigned int i;

	vm.resets++;
	vm.reset_left = vm.reset_reads;
	vm.status = vm.reset_reads == 0 ? 0 : VIRTIO_CONFIG_S_DRIVER;
	vm.accepted = 0;
	vm.msix_config = 0xffff;
	for (i = 0; i < MOCK_QUEUES; i++) {
		struct mock_vq *q = &vm.vq[i];

		q->size = q->max;
		q->vector = 0xffff;
		q->enable = 0;
		q->desc = q->avail = q->used = 0;
		q->seen = 0;
		q->wrap = true;
	}
}

/* ---- the control queue ---- */

/* @return the answer's byte, or NULL */
static uint8_t *
command(uint64_t at, uint32_t len, uint64_t ack)
{
	const uint8_t *bytes = mock_dma_at(at, len, false);

	CU_ASSERT_FATAL(vm.n_commands < RTE_DIM(vm.command_log));
	if (bytes == NULL)
		return NULL;
	memcpy(vm.command_log[vm.n_commands++], bytes, RTE_MIN(len, 8u));
	return mock_dma_at(ack, 1, true);
}

static uint32_t
answer_id(void)
{
	return vm.ctrl == MOCK_CTRL_WRONG_ID ? 1 : 0;
}

static void
ctrl_split(struct mock_vq *q)
{
	const struct vring_desc *d = mock_dma_at(q->desc, q->size * sizeof(*d), false);
	const uint16_t *avail = mock_dma_at(q->avail, 4 + 2 * q->size, false);
	uint16_t *used = mock_dma_at(q->used, 4 + 8 * q->size, true);
	struct vring_used_elem *elem;
	uint8_t *ack;

	CU_ASSERT_FATAL(d != NULL && avail != NULL && used != NULL);
	CU_ASSERT_EQUAL((uint16_t)(q->seen + 1), avail[1]);
	d += avail[2 + q->seen % q->size];
	CU_ASSERT_EQUAL(d[0].flags, VRING_DESC_F_NEXT);
	CU_ASSERT_EQUAL(d[1].flags, VRING_DESC_F_WRITE);
	ack = command(d[0].addr, d[0].len, d[1].addr);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ack);
	if (vm.ctrl == MOCK_CTRL_NEVER)
		return;
	*ack = vm.ctrl == MOCK_CTRL_ERR ? VIRTIO_NET_ERR : VIRTIO_NET_OK;
	elem = (struct vring_used_elem *)(used + 2) + q->seen % q->size;
	elem->id = answer_id();
	elem->len = 1;
	used[1] = ++q->seen;
}

static void
ctrl_packed(struct mock_vq *q)
{
	struct vring_packed_desc *d = mock_dma_at(q->desc, q->size * sizeof(*d), true);
	uint16_t avail = q->wrap ? 1 << VRING_PACKED_DESC_F_AVAIL : 1 << VRING_PACKED_DESC_F_USED;
	uint8_t *ack;

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	d += q->seen;
	CU_ASSERT_EQUAL(d[0].flags, avail | VRING_DESC_F_NEXT);
	CU_ASSERT_EQUAL(d[1].flags, avail | VRING_DESC_F_WRITE);
	ack = command(d[0].addr, d[0].len, d[1].addr);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ack);
	if (vm.ctrl == MOCK_CTRL_NEVER)
		return;
	*ack = vm.ctrl == MOCK_CTRL_ERR ? VIRTIO_NET_ERR : VIRTIO_NET_OK;
	d[0].id = (uint16_t)answer_id();
	d[0].len = 1;
	d[0].flags = q->wrap ? 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED : 0;
	q->seen = (uint16_t)(q->seen + 2) % q->size;
	q->wrap ^= q->seen == 0;
}

static void
notified(uint16_t qid, uint32_t data)
{
	CU_ASSERT_FATAL(qid < MOCK_QUEUES);
	vm.vq[qid].notified++;
	vm.vq[qid].notify_data = data;
	if (qid != vm.ctrl_qid || !vm.vq[qid].enable)
		return;
	if (vm.accepted & 1ULL << VIRTIO_F_RING_PACKED)
		ctrl_packed(&vm.vq[qid]);
	else
		ctrl_split(&vm.vq[qid]);
}

/* ---- registers ---- */

static uint8_t
read_status(void)
{
	if (vm.reset_left > 0 && --vm.reset_left == 0)
		vm.status = 0;
	return vm.status;
}

static uint32_t
common_read(uint64_t offset)
{
	const struct mock_vq *q = &vm.vq[vm.qselect % MOCK_QUEUES];

	switch (offset) {
	case VIRTIO_PCI_COMMON_DF:
		return (uint32_t)(vm.features >> 32 * vm.dfselect);
	case VIRTIO_PCI_COMMON_MSIX:
		return vm.msix_config;
	case VIRTIO_PCI_COMMON_NUMQ:
		return vm.n_queues;
	case VIRTIO_PCI_COMMON_STATUS:
		return read_status();
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		if (vm.config_changes > 0) {
			vm.config_changes--;
			vm.generation++;
		}
		return vm.generation;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return q->size;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		return q->vector;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return q->enable;
	case VIRTIO_PCI_COMMON_Q_NOFF:
		return q->notify_off;
	case VIRTIO_PCI_COMMON_Q_RESET:
		return vm.queue_reset_hangs;
	default:
		CU_FAIL("a register that nobody should read");
		return 0;
	}
}

static void
write_status(uint8_t value)
{
	if (value == 0) {
		mock_function_reset();
		return;
	}
	if (vm.refuses_features)
		value &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
	if (vm.dies_at_start && (value & VIRTIO_CONFIG_S_DRIVER_OK))
		value |= VIRTIO_CONFIG_S_NEEDS_RESET;
	vm.status = value;
}

static void
half(uint64_t *word, bool high, uint32_t value)
{
	*word = high ? (*word & UINT32_MAX) | (uint64_t)value << 32
		     : (*word & ~(uint64_t)UINT32_MAX) | value;
}

static void
common_write(uint64_t offset, uint32_t value)
{
	struct mock_vq *q = &vm.vq[vm.qselect % MOCK_QUEUES];

	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		vm.dfselect = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		vm.gfselect = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		half(&vm.accepted, vm.gfselect == 1, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		vm.msix_config = value < vm.vectors_taken ? (uint16_t)value : 0xffff;
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		write_status((uint8_t)value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		CU_ASSERT(value < MOCK_QUEUES);
		vm.qselect = (uint16_t)value;
		break;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		q->size = (uint16_t)value;
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		q->vector = value < vm.vectors_taken ? (uint16_t)value : 0xffff;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		CU_ASSERT_EQUAL(value, 1);
		q->enable = 1;
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		half(&q->desc, offset == VIRTIO_PCI_COMMON_Q_DESCHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		half(&q->avail, offset == VIRTIO_PCI_COMMON_Q_AVAILHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		half(&q->used, offset == VIRTIO_PCI_COMMON_Q_USEDHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_RESET:
		CU_ASSERT((vm.accepted & 1ULL << VIRTIO_F_RING_RESET) != 0);
		q->enable = 0;
		q->size = q->max;
		break;
	default:
		CU_FAIL("a register that nobody should write");
		break;
	}
}

uint32_t
mock_bar_read(uint64_t offset, unsigned int width)
{
	uint32_t value = 0;

	if (offset < MOCK_ISR)
		return common_read(offset);
	CU_ASSERT_FATAL(
		offset >= MOCK_DEVICE && offset + width <= MOCK_DEVICE + sizeof(vm.device_config));
	memcpy(&value, vm.device_config + (offset - MOCK_DEVICE), width);
	return value;
}

void
mock_bar_write(uint64_t offset, unsigned int width, uint32_t value)
{
	RTE_SET_USED(width);
	if (offset < MOCK_ISR)
		common_write(offset, value);
	else if (offset >= MOCK_NOTIFY)
		notified((uint16_t)((offset - MOCK_NOTIFY) / 4), value);
	else
		CU_FAIL("a structure that nobody should write");
}
