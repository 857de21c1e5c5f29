/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_LOG_H
#define FE_LOG_H

/**
 * @file
 * A dirty log that is shared with the back-end, and beside it what it must say.
 *
 * Concepts
 *
 * One bit per 4 KiB page of guest-physical memory (vhost-user protocol, "Migration"). The test
 * marks in a second bitmap each page that it saw the back-end write; fe_log_check() tells pages
 * that the shared log misses.
 */

#include <stdint.h>

struct fe_log {
	int fd;	       /**< memfd, or -1 */
	uint8_t *base; /**< shared with the back-end */
	uint8_t *want; /**< pages that must be set */
	uint64_t size; /**< bytes of each */
};

/** Make a log for GPAs below @p end. @return 0 or a negative errno. */
int fe_log_init(struct fe_log *log, uint64_t end);

/** Free it. */
void fe_log_free(struct fe_log *log);

/** Note that the back-end wrote [gpa, gpa+len). */
void fe_log_want(struct fe_log *log, uint64_t gpa, uint64_t len);

/**
 * Compare.
 *
 * @param also
 *   A log that may hold pages instead, or NULL.
 * @param[out] wanted, set
 *   Pages that must be set, and that are.
 * @return pages that must be set and are not; the first is named on stderr.
 */
uint64_t
fe_log_check(const struct fe_log *log, const struct fe_log *also, uint64_t *wanted, uint64_t *set);

#endif /* FE_LOG_H */
