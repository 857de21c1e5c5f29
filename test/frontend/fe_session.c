/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fe_session.h"

int
fe_wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("wrong: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return -1;
}

int
fe_must(int rc, const char *what)
{
	return rc < 0 ? fe_wrong("%s: %s", what, strerror(-rc)) : 0;
}

/* The beginning of the last data span: what is left of it is for traffic. */
static void
take_scratch(struct fe_session *s)
{
	struct fe_span *span = &s->dev.mem.data[s->dev.mem.n_data - 1];

	s->scratch = span->gpa;
	span->gpa += FE_SCRATCH;
	span->size -= FE_SCRATCH;
}

int
fe_session_open(struct fe_session *s, const struct fe_dev_conf *dev, const struct fe_net_conf *net)
{
	memset(s, 0, sizeof(*s));
	s->dev_conf = *dev;
	s->net_conf = *net;
	s->dev_conf.data_bytes = fe_net_bytes(net, dev) + FE_SCRATCH;
	if (fe_must(fe_dev_init(&s->dev, &s->dev_conf), "memory") < 0)
		return -1;
	take_scratch(s);
	if (fe_must(fe_dev_start(&s->dev), "start") < 0)
		return -1;
	if (s->dev_conf.pairs > s->dev.queue_num)
		return fe_wrong("the back-end has %" PRIu64 " queue pairs, this needs %u",
			s->dev.queue_num, s->dev_conf.pairs);
	if (fe_must(fe_net_init(&s->net, &s->dev, net), "buffers") < 0)
		return -1;
	fe_net_delay(&s->net);
	return fe_session_pass(s, 50);
}

void
fe_session_close(struct fe_session *s)
{
	fe_net_free(&s->net);
	fe_dev_free(&s->dev);
}

int
fe_session_pass(struct fe_session *s, uint64_t frames)
{
	s->net.limit = s->net.stats.sent + frames;
	fe_net_run(&s->net, UINT32_MAX, FE_IDLE_MS);
	s->net.limit = UINT64_MAX;
	return fe_session_clean(s);
}

int
fe_session_clean(const struct fe_session *s)
{
	struct fe_net_stats t;

	fe_net_stats(&s->net, &t);
	if (t.sent > 0 && fe_net_clean(&s->net))
		return 0;
	return fe_wrong("sent %" PRIu64 " received %" PRIu64 " lost %" PRIu64 " corrupt %" PRIu64
			" doubled %" PRIu64 " disordered %" PRIu64 " interrupts missed %" PRIu64,
		t.sent, t.received, t.lost, t.corrupt, t.doubled, t.disordered, t.missed);
}

int
fe_session_told(const struct fe_session *s, int broken)
{
	unsigned int i;

	for (i = 0; i < fe_dev_n_rings(&s->dev); i++) {
		uint64_t told = 0;

		if (read(s->dev.rings[i].errfd, &told, sizeof(told)) < 0)
			told = 0;
		if (told != ((int)i == broken))
			return fe_wrong("queue %d broke, and queue %u was told so %" PRIu64
					" times",
				broken, i, told);
	}
	return 0;
}
