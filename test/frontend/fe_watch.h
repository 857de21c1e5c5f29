/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_WATCH_H
#define FE_WATCH_H

/**
 * @file
 * How long a pause in traffic is nobody's fault: the time in which this thread, or the back-end's
 * thread that serves it, was ready to run and the machine ran others.
 *
 * Concepts
 *
 * Linux counts for each thread the time that it waited for a CPU (second figure of its schedstat).
 * The counts are noted while traffic flows; at the end of a pause their growth tells how much of it
 * was such waiting.
 */

#include <stdint.h>

struct fe_watch {
	int self, other;    /**< schedstat files; -1: none */
	uint64_t noted_ms;  /**< uptime of the last note */
	uint64_t waited_ns; /**< counts at that time */
};

/** Watch the calling thread, and the one with that schedstat file (NULL: none). */
void fe_watch_open(struct fe_watch *watch, const char *other);
void fe_watch_close(struct fe_watch *watch);

/** Traffic flows; costs something only ten times a second. */
void fe_watch_note(struct fe_watch *watch, uint64_t now_ms);

/** Milliseconds of waiting since the last note. */
uint64_t fe_watch_waited(const struct fe_watch *watch);

#endif /* FE_WATCH_H */
