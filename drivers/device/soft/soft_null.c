/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "soft_net.h"

static __rte_always_inline void
run(struct soft_net *net, const bool packed)
{
	struct soft_ring *tx = &net->pair->tx;
	unsigned int i;
	int ret;

	for (i = 0; i < SOFT_BURST; i++) {
		if (packed ? !soft_packed_ready(tx, tx->next) : tx->next == tx->split.end)
			break;
		if (unlikely(!soft_ring_head_as(tx, packed, &net->tx_head))) {
			ret = soft_ring_head(tx, &net->tx_head);
			if (unlikely(ret < 0)) {
				soft_dev_fault(net->dev, net->pair, tx, &net->access, ret);
				break;
			}
		}
		soft_ring_take_as(tx, packed, &net->tx_head, 0, true);
	}
	net->tx_packets += i;
}

/* A packet sent is gone; its buffers are not read. Nothing is received. */
static unsigned int
null_poll(struct soft_dev *dev, struct soft_pair *pair)
{
	struct soft_net net;

	if (!soft_net_begin(&net, dev, pair))
		return 0;
	if (pair->tx.is_packed)
		run(&net, true);
	else
		run(&net, false);
	return soft_net_end(&net);
}

const struct soft_backend soft_null = {
	.name = "null",
	/* Whatever is asked for, nobody sees the result. */
	.offloads = SOFT_OFFLOADS,
	.poll = null_poll,
};
