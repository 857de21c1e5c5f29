/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>

#include <rte_common.h>

#include "relay.h"

/* Several times round the rings, in bursts of changing length. */
#define LAPS 5

/* Move all of one direction. */
static bool
drain(unsigned int (*move)(void *relay), void *relay, unsigned int n)
{
	unsigned int idle = 0;

	while (n != 0) {
		unsigned int k = move(relay);

		if (k > n || (k == 0 && ++idle > 2))
			return false;
		n -= k;
	}
	return move(relay) == 0;
}

static const char *
check_bed(struct relay_bed *b, const struct relay_shape *shape)
{
	unsigned int left = LAPS * shape->ring, want, n;

	b->device.check = true;
	while (left != 0) {
		want = RTE_MIN(left, 1 + (unsigned int)bench_random_below(shape->burst));
		n = relay_driver_post(&b->driver, want);
		if (n == 0)
			return "the driver has no room";
		if (!drain(b->avail, b->relay, n))
			return "chains do not reach the device";
		if (relay_device_run(&b->device, shape->ring) != n || b->device.wrong)
			return "the device sees other chains than the driver's";
		if (!drain(b->used, b->relay, n))
			return "chains do not come back";
		if (relay_driver_reap(&b->driver, shape->ring) != n || b->driver.wrong)
			return "the driver gets back other chains than it gave";
		left -= n;
	}
	b->device.check = false;
	return NULL;
}

int
relay_check(struct relay_bed *beds, unsigned int n, const struct relay_shape *shape)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		const char *wrong = check_bed(&beds[i], shape);

		if (wrong == NULL)
			continue;
		fprintf(stderr, "svq-bench: relay %s, %u descriptors a chain, %u regions: %s\n",
			beds[i].variant.name, shape->descs, shape->regions, wrong);
		return -EINVAL;
	}
	return 0;
}
