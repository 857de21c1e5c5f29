/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * An honest guest and a hostile device, whose rings change while they are read: the guest gets back
 * each buffer once, and after a reset of the device all goes on.
 */

#include <string.h>

#include <linux/virtio_config.h>

#include "fuzz_bed.h"

/* What it has of the guest's: ids, and bytes that it may write. */
static struct {
	uint16_t head;
	uint32_t writable;
} held[FUZZ_RING];
static unsigned int n_held;

static void
forget(void)
{
	n_held = 0;
	hostile_device_begin();
	honest_guest_device_reset();
}

static void
init(void)
{
	fuzz_device_forget = forget;
}

static void
take(struct bed *b, unsigned int n)
{
	static struct bed_chain chain;

	for (; n != 0 && !hostile_device_blind() && n_held < FUZZ_RING &&
		bed_device_take(b, &chain);
		n--) {
		honest_guest_seen(b, &chain);
		held[n_held].head = chain.head;
		held[n_held++].writable = chain.writable;
	}
}

static void
give_back(struct bed *b, unsigned int n)
{
	for (; n != 0 && !hostile_device_blind() && n_held != 0; n--) {
		bool in_order = b->device_features & UINT64_C(1) << VIRTIO_F_IN_ORDER;
		unsigned int at = in_order ? 0 : fuzz_below(n_held);

		bed_device_return(b, held[at].head, fuzz_below(held[at].writable + 1));
		memmove(&held[at], &held[at + 1], (--n_held - at) * sizeof(held[0]));
	}
}

/* The driver resets a device at fault. */
static void
reset(struct bed *b)
{
	uint32_t inflight = svq_queue_inflight(b->q);

	fuzz_assert(svq_queue_recall(b->q) == inflight);
	bed_device_reset(b);
	forget();
}

static void
mend(struct bed *b)
{
	if (svq_queue_error(b->q) != SVQ_QUEUE_OK || hostile_device_blind())
		reset(b);
}

static void
changes(struct bed *b)
{
	fuzz_change_no_areas();
	if (b->dev_packed)
		fuzz_change_area(b->sdesc, 16ull * b->device_size, NULL);
	else
		fuzz_change_area(b->sused, 6 + 8ull * b->device_size, NULL);
}

static void
device_works(struct bed *b, unsigned int n)
{
	take(b, n);
	give_back(b, n);
}

static void
step(struct bed *b)
{
	uint8_t op = fuzz_take(1);

	switch (op % 16) {
	case 0:
		honest_guest_traffic(b, device_works);
		break;
	case 1 ... 3:
		if (op & 0x80)
			mend(b);
		honest_guest_post(b);
		break;
	case 4 ... 6:
		svq_queue_avail(b->q);
		break;
	case 7 ... 8:
		take(b, 1 + op / 16 * 8);
		break;
	case 9:
		give_back(b, 1 + op / 16 * 8);
		break;
	case 10 ... 11:
		mend(b);
		honest_guest_post(b);
		svq_queue_avail(b->q);
		take(b, UINT32_MAX);
		give_back(b, 1 + op / 16);
		changes(b);
		fuzz_change_take();
		fuzz_change_random();
		hostile_device_spoils();
		svq_queue_used(b->q);
		svq_queue_avail(b->q);
		fuzz_change_no_areas();
		break;
	case 12:
		hostile_device_step(b, op / 16);
		break;
	case 13 ... 14:
		svq_queue_used(b->q);
		honest_guest_reap(b);
		break;
	default:
		if (svq_queue_error(b->q) != SVQ_QUEUE_OK || hostile_device_blind())
			reset(b);
		else
			fuzz_bed_control(b, BED_WITH_HIGH);
		break;
	}
}

/* The device mends its ways: everything comes back. */
static void
finish(struct bed *b)
{
	unsigned int rounds = 0;

	honest_guest_reap(b);
	reset(b);
	while (honest_guest_outstanding() != 0) {
		fuzz_assert(rounds++ < 4 * FUZZ_RING);
		svq_queue_avail(b->q);
		take(b, UINT32_MAX);
		give_back(b, UINT32_MAX);
		svq_queue_used(b->q);
		honest_guest_reap(b);
	}
	fuzz_assert(svq_queue_inflight(b->q) == 0);
	fuzz_assert(svq_queue_error(b->q) == SVQ_QUEUE_OK);
}

static void
input(void)
{
	struct bed *b = fuzz_bed_take();

	honest_guest_begin(b);
	while (fuzz_more())
		step(b);
	finish(b);
	fuzz_assert(b->bad_iova == 0);
	fuzz_assert(fuzz_bed_guest_faults(b) == 0);
}

const struct fuzz_target fuzz_target = {
	.name = "fuzz_device",
	.init = init,
	.input = input,
	.report = fuzz_bed_report,
};
