/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* Dirty logs that begin, change and end while traffic runs. */

#include "fe_attack.h"
#include "fe_session.h"

/* Frames that must pass with each log. */
#define FRAMES 50

static int
check(const struct fe_log *log, const struct fe_log *also)
{
	uint64_t wanted, set;

	if (fe_log_check(log, also, &wanted, &set) != 0)
		return fe_wrong("the dirty log misses pages");
	return wanted > 0 ? 0 : fe_wrong("nothing was written while the log was on");
}

static int
await(struct fe_session *s)
{
	return fe_must(fe_net_thread_await(&s->net, FRAMES, FE_IDLE_MS), "traffic with a log");
}

/* Wait until nothing is on its way, then expect what follows in @p next. */
static int
expect(struct fe_session *s, struct fe_log *next)
{
	int rc;

	fe_net_thread_pause(&s->net);
	rc = fe_must(fe_net_drain(&s->net, FE_IDLE_MS), "drain");
	fe_net_set_log(&s->net, next);
	fe_net_thread_resume(&s->net);
	return rc;
}

/* Begin with one log, go over to another, end. */
static int
use_logs(struct fe_session *s, struct fe_log *logs)
{
	int rc = fe_must(fe_dev_log_start(&s->dev, &logs[0]), "log start");

	if (rc < 0)
		return rc;
	fe_net_thread_pause(&s->net);
	fe_net_set_log(&s->net, &logs[0]);
	fe_net_thread_resume(&s->net);
	rc = await(s);
	if (rc == 0)
		rc = fe_must(
			fe_set_log_base(&s->dev.conn, logs[1].size, 0, logs[1].fd), "log change");
	if (rc == 0)
		rc = expect(s, &logs[1]);
	/* What was on its way when the log changed may be in either. */
	if (rc == 0)
		rc = check(&logs[0], &logs[1]);
	if (rc == 0)
		rc = await(s);
	if (rc == 0)
		rc = expect(s, NULL);
	if (rc == 0)
		rc = fe_must(fe_dev_log_stop(&s->dev), "log stop");
	return rc == 0 ? check(&logs[1], NULL) : rc;
}

int
fe_attack_log(struct fe_session *s, unsigned int round)
{
	uint64_t end = fe_mem_end(&s->dev.mem);
	struct fe_log logs[2];
	int rc;

	rc = fe_must(fe_log_init(&logs[0], end), "log");
	if (rc < 0)
		return rc;
	/* The second one has another size. */
	rc = fe_must(fe_log_init(&logs[1], end + (1ull << (30 + round % 4))), "log");
	if (rc == 0) {
		rc = use_logs(s, logs);
		fe_log_free(&logs[1]);
	}
	fe_log_free(&logs[0]);
	return rc;
}
