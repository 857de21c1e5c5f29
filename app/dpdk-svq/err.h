/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_ERR_H
#define SVQ_APP_ERR_H

/**
 * @file
 * One line that says what went wrong and what to do about it.
 *
 * Concepts
 *
 * A function that can fail for the user's reasons fills a struct svq_app_err; its caller decides
 * where the line goes: the prompt prints it at once, main() prints it last of all, after EAL's own
 * messages.
 */

#include <rte_common.h>

struct svq_app_err {
	char msg[512]; /**< without newline; "" when nothing went wrong */
};

/** Fill @p err. @return @p ret, so that a caller can say `return svq_app_err(...)`. */
int svq_app_err(struct svq_app_err *err, int ret, const char *fmt, ...) __rte_format_printf(3, 4);

#endif /* SVQ_APP_ERR_H */
