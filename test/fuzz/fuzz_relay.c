/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * A hostile guest before a hostile device, both of whose memory changes while it is read: nothing
 * crashes or hangs, and as long as the device can read its ring, it finds no address there that it
 * cannot reach.
 */

#include <linux/virtio_config.h>

#include "fuzz_bed.h"

static void
forget(void)
{
	honest_device_begin();
	hostile_device_begin();
}

static void
init(void)
{
	fuzz_device_forget = forget;
}

static void
device_takes(struct bed *b, unsigned int n)
{
	static struct bed_chain chain;

	for (; n != 0 && !hostile_device_blind() && bed_device_take(b, &chain); n--) {
		/* Most it returns as it should, so that more can come. */
		if (fuzz_below(8) != 0)
			bed_device_return(b, chain.head, fuzz_below(2) ? chain.writable : 0);
		else if (b->device_features & UINT64_C(1) << VIRTIO_F_IN_ORDER)
			hostile_device_spoils();
	}
	fuzz_assert(b->bad_iova == 0);
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
		hostile_guest_traffic(b, device_takes);
		break;
	case 5:
		fuzz_change_take();
		break;
	case 6 ... 8:
		svq_queue_avail(b->q);
		break;
	case 9 ... 11:
		device_takes(b, 1 + op / 16 * 16);
		break;
	case 12:
		hostile_device_step(b, op / 16);
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
	device_takes(b, UINT32_MAX);
}

const struct fuzz_target fuzz_target = {
	.name = "fuzz_relay",
	.init = init,
	.input = input,
	.report = fuzz_bed_report,
};
