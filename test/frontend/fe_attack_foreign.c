/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Descriptors with addresses that are somebody else's: whoever started us knows them, for instance
 * the IOVAs and HVAs of the relay's own rings, and writes them to our standard input, one a line.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fe_attack.h"
#include "fe_session.h"

/* The back-end has so long to do what it must not. */
#define WATCH_US 200000

/* Make a buffer at @p addr available in ring @p q. */
static void
offer(struct fe_session *s, unsigned int q, uint64_t addr)
{
	struct fe_ring *ring = &s->dev.rings[q];
	struct fe_raw raw = {.addr = addr, .len = 64, .flags = q % 2 == 0 ? FE_DESC_WRITE : 0};

	fe_ring_raw(ring, &raw, 1);
	fe_ring_publish(ring);
}

/* Both queues of the first pair stop at such a descriptor, and return nothing. */
static int
offer_both(struct fe_session *s, uint64_t addr)
{
	unsigned int q;

	fe_net_poll_used(&s->net);
	for (q = 0; q < 2; q++)
		offer(s, q, addr);
	usleep(WATCH_US);
	for (q = 0; q < 2; q++) {
		if (fe_ring_has_used(&s->dev.rings[q]))
			return fe_wrong("queue %u used a buffer at 0x%" PRIx64, q, addr);
	}
	return fe_must(fe_barrier(&s->dev.conn), "connection");
}

/* Each address on a connection of its own, which first passes good frames. */
static int
run(const struct fe_attack *a, const struct fe_dev_conf *conf, const struct fe_net_conf *net)
{
	struct fe_net_conf few = *net;
	struct fe_session s;
	char line[64];
	int rc;

	(void)a;
	/* Leave room for the bad ones, here and in the back-end's own rings. */
	few.window = 16;
	do {
		rc = fe_session_open(&s, conf, &few);
		if (rc == 0)
			puts("ready");
		line[0] = '\0';
		if (rc == 0 && fgets(line, sizeof(line), stdin) != NULL && line[0] != '\n')
			rc = offer_both(&s, strtoull(line, NULL, 0));
		fe_session_close(&s);
		/* A new connection is taken once the back-end has noticed that the old one is gone.
		 */
		usleep(50000);
	} while (rc == 0 && line[0] != '\0' && line[0] != '\n');
	return rc;
}

const struct fe_attack fe_attacks_foreign[] = {
	{"foreign", "descriptors with addresses from standard input", run, 0},
	{0},
};
