/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "soft_net.h"

/* A packet sent is gone; its buffers are not read. Nothing is received. */
static unsigned int
null_poll(struct soft_dev *dev, struct soft_pair *pair)
{
	struct soft_net net;
	unsigned int i;
	int ret;

	if (!soft_net_begin(&net, dev, pair))
		return 0;
	for (i = 0; i < SOFT_BURST && soft_ring_ready(&pair->tx, pair->tx.next); i++) {
		ret = soft_ring_head(&pair->tx, &net.tx_head);
		if (unlikely(ret < 0)) {
			soft_dev_fault(dev, pair, &pair->tx, &net.access, ret);
			break;
		}
		soft_net_tx_take(&net);
	}
	return soft_net_end(&net);
}

const struct soft_backend soft_null = {
	.name = "null",
	/* Whatever is asked for, nobody sees the result. */
	.offloads = SOFT_OFFLOADS,
	.poll = null_poll,
};
