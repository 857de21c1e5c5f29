/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_EAL_H
#define SVQ_APP_EAL_H

/**
 * @file
 * Starting EAL with what the user gave it.
 */

#include "err.h"

/**
 * Start EAL. Unless the user chose otherwise, hugepage files are unlinked as soon as they are
 * mapped, so that no way of ending leaves one behind.
 *
 * @param argc, argv
 *   EAL's share of the command line, program name included.
 * @return 0; a negative errno with @p err filled: EAL's own message came before.
 */
int svq_app_eal_init(int argc, char **argv, struct svq_app_err *err);

#endif /* SVQ_APP_EAL_H */
