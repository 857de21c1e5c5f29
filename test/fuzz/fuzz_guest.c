/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * A hostile guest, whose memory changes while it is read, and regions of which come and go, before
 * an honest device: the device is given no address that it cannot reach, is blamed for nothing,
 * and holds at the end just what the relay has counted.
 */

#include <linux/virtio_config.h>

#include "fuzz_bed.h"

static void
init(void)
{
	fuzz_device_forget = honest_device_begin;
}

static void
device_works(struct bed *b, unsigned int n)
{
	honest_device_take(b, n);
	honest_device_return(b, n);
}

static void
step(struct bed *b)
{
	uint8_t op = fuzz_take(1);

	switch (op % 16) {
	case 0 ... 2:
		hostile_guest_step(b, op / 16);
		break;
	case 3 ... 4:
		hostile_guest_traffic(b, device_works);
		break;
	case 5:
		fuzz_change_take();
		break;
	case 6 ... 8:
		svq_queue_avail(b->q);
		break;
	case 9 ... 10:
		honest_device_take(b, 1 + op / 16 * 16);
		break;
	case 11 ... 12:
		honest_device_return(b, 1 + op / 16 * 16);
		break;
	case 13 ... 14:
		svq_queue_used(b->q);
		break;
	default:
		fuzz_bed_control(b, 0);
		break;
	}
}

static void
input(void)
{
	struct bed *b = fuzz_bed_take();

	hostile_guest_begin(b);
	fuzz_bed_guest_changes(b, true);
	while (fuzz_more())
		step(b);
	honest_device_take(b, UINT32_MAX);
	while (svq_queue_used(b->q) != 0)
		;
	/* What it has returned to a queue that broke was not taken back, and what was returned out
	 * of order may be held back. */
	fuzz_assert(svq_queue_error(b->q) != SVQ_QUEUE_OK ||
		b->features & UINT64_C(1) << VIRTIO_F_IN_ORDER ||
		honest_device_holds() == svq_queue_inflight(b->q));
	fuzz_assert(honest_device_holds() <= svq_queue_inflight(b->q));
	fuzz_assert(b->bad_iova == 0);
	fuzz_assert(fuzz_bed_device_faults(b) == 0);
}

const struct fuzz_target fuzz_target = {
	.name = "fuzz_guest",
	.init = init,
	.input = input,
	.report = fuzz_bed_report,
};
