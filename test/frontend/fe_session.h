/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_SESSION_H
#define FE_SESSION_H

/**
 * @file
 * A device with traffic on it, as the hostile cases need one.
 *
 * Functions return 0, or -1 after a line on stderr.
 */

#include "fe_net.h"

/** Nothing came back for so long: frames are lost. */
#define FE_IDLE_MS 10000

/** Bytes for whatever a case wants to write: an indirect table longer than a ring of 256. */
#define FE_SCRATCH 65536u

struct fe_session {
	struct fe_dev_conf dev_conf;
	struct fe_net_conf net_conf;
	struct fe_dev dev;
	struct fe_net net;
	uint64_t scratch; /**< GPA of FE_SCRATCH bytes that no traffic uses */
};

/** Start a device and pass a few frames on each pair. */
int
fe_session_open(struct fe_session *s, const struct fe_dev_conf *dev, const struct fe_net_conf *net);

/** Disconnect and free. */
void fe_session_close(struct fe_session *s);

/** Pass @p frames more and wait until all are back; no thread runs. */
int fe_session_pass(struct fe_session *s, uint64_t frames);

/** Check that nothing was lost, altered, doubled or reordered so far. */
int fe_session_clean(const struct fe_session *s);

/** Check that the back-end has signalled the error descriptor of queue @p broken (-1: of none) once
 * since the last check, and no other's. */
int fe_session_told(const struct fe_session *s, int broken);

/** Say that a step failed. @return rc < 0 ? -1 : 0. */
int fe_must(int rc, const char *what);

/** Say what is wrong. @return -1. */
__attribute__((format(printf, 1, 2))) int fe_wrong(const char *fmt, ...);

#endif /* FE_SESSION_H */
