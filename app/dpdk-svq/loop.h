/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_LOOP_H
#define SVQ_APP_LOOP_H

/**
 * @file
 * What the main thread does while the workers relay: it waits for signals, the prompt's input and
 * the next table.
 */

#include "args.h"

/**
 * Run until a signal, `quit` or the end of the prompt's input.
 *
 * @param signal_fd
 *   From svq_app_signals_open(); afterwards a further signal ends the process at once.
 * @return 0; a negative errno with @p err filled.
 */
int svq_app_loop(const struct svq_app_args *args, int signal_fd, struct svq_app_err *err);

#endif /* SVQ_APP_LOOP_H */
