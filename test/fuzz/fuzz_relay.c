/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The relay between a hostile guest and a hostile device: the input is a program for both. The
 * oracle is the bed's device: whatever the guest writes, each address that the device is given lies
 * in what was mapped for it, with the permission, and each chain ends.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_eal.h>
#include <rte_log.h>

#include "relay_bed.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bed b;
/* The device has spoilt its own packed ring and cannot read it until it is reset. */
static bool spoilt;

/* What is left of the input; reads beyond it give 0. */
static const uint8_t *in;
static size_t left;

static uint64_t
take(unsigned int bytes)
{
	uint64_t v = 0;

	if (bytes > left)
		bytes = left;
	memcpy(&v, in, bytes);
	in += bytes;
	left -= bytes;
	return v;
}

/* Addresses worth trying: in every region, at borders, nowhere. */
static uint64_t
address(void)
{
	static const uint64_t base[] = {BED_LOW, BED_HIGH, BED_ALIAS, BED_HOLE, BED_HIGH - 0x100,
		BED_HIGH + BED_REGION - 0x100, BED_ALIAS + BED_REGION - 0x100, UINT64_MAX - 0xff};
	uint8_t kind = take(1);

	return kind < 200 ? base[kind % 8] + take(2) : take(8);
}

static void
write_desc(struct vring_desc *d)
{
	d->addr = address();
	d->len = take(1) < 200 ? take(1) : take(4);
	d->flags = take(2);
	d->next = take(2) % (b.guest_size + 1);
}

/* A well-formed descriptor that ends its chain: so that something gets through. */
static void
make_available(void)
{
	uint16_t i = take(1) % b.guest_size;
	bool packed = b.packed;

	b.desc[i].addr = BED_LOW + take(2);
	b.desc[i].len = 1 + take(1);
	if (packed) {
		struct vring_packed_desc *d = (struct vring_packed_desc *)&b.desc[i];

		d->id = i;
		d->flags = 1 << VRING_PACKED_DESC_F_AVAIL | (take(1) & 7);
		return;
	}
	b.desc[i].flags = take(1) & 7;
	b.desc[i].next = take(1) % b.guest_size;
	bed_avail(&b, i);
}

static void
device_step(uint8_t op)
{
	static struct bed_chain chain;

	switch (op % 4) {
	case 0:
		if (!spoilt && bed_device_take(&b, &chain))
			bed_device_return(&b, chain.head, take(1) % (chain.writable + 1));
		break;
	case 1:
		if (!spoilt)
			bed_device_take(&b, &chain);
		break;
	case 2:
		spoilt |= b.dev_packed;
		bed_device_return(&b, take(2), take(4));
		break;
	default:
		/* Anything anywhere in what the device may write. */
		if (b.dev_packed) {
			spoilt = true;
			memset((uint8_t *)b.sdesc + take(2) % (16 * b.device_size), take(1), 1);
			break;
		}
		b.sused->idx = take(2);
		b.dev_used = b.sused->idx;
		break;
	}
}

static void
control_step(uint8_t op)
{
	static uint8_t bitmap[64];
	struct svq_dirty_log log = {.base = bitmap, .size = sizeof(bitmap)};

	switch (op % 4) {
	case 0:
		svq_queue_recall(b.q);
		bed_device_reset(&b);
		spoilt = false;
		break;
	case 1:
		svq_queue_detach(b.q);
		if (bed_attach(&b, take(2)) != 0 && bed_attach(&b, svq_queue_base(b.q)) != 0)
			abort();
		break;
	case 2:
		svq_queue_set_log(b.q, take(1) & 1 ? &log : NULL);
		break;
	default:
		svq_queue_inflight_overlaps(b.q, address(), take(2));
		break;
	}
}

static void
step(void)
{
	uint8_t op = take(1);

	switch (op % 16) {
	case 0 ... 3:
		make_available();
		break;
	case 4:
		write_desc(&b.desc[take(1) % b.guest_size]);
		break;
	case 5:
		/* A table: of either format, as it turns out. */
		write_desc((struct vring_desc *)bed_ptr(&b, BED_LOW + 16 * take(1)));
		break;
	case 6:
		b.avail->idx = take(2);
		b.avail_idx = b.avail->idx;
		break;
	case 7:
		b.avail->ring[take(1) % b.guest_size] = take(2);
		break;
	case 8 ... 10:
		svq_queue_avail(b.q);
		break;
	case 11 ... 12:
		device_step(op / 16);
		break;
	case 13 ... 14:
		svq_queue_used(b.q);
		break;
	default:
		control_step(op / 16);
		break;
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *eal[] = {"fuzz_relay", "--no-huge", "-m", "128", "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=*:1", "-l", "0"};

	(void)argc;
	(void)argv;
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t features = 1ULL << VIRTIO_F_VERSION_1;
	uint8_t shape;
	int i;

	in = data;
	left = size;
	shape = take(1);
	features |= shape & 1 ? 1ULL << VIRTIO_F_RING_PACKED : 0;
	features |= shape & 2 ? 1ULL << VIRTIO_RING_F_EVENT_IDX : 0;
	features |= shape & 4 ? 1ULL << VIRTIO_RING_F_INDIRECT_DESC : 0;
	bed_open_device(&b, 2u << (shape >> 3 & 3), 2u << (shape >> 5 & 3), features, shape & 128);
	spoilt = false;
	for (i = 0; i < 4096 && left != 0; i++)
		step();
	if (b.bad_iova != 0) {
		fprintf(stderr, "the device was given %u addresses that it cannot reach\n",
			b.bad_iova);
		abort();
	}
	bed_close(&b);
	return 0;
}
