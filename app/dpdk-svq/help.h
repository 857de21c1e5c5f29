/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_HELP_H
#define SVQ_APP_HELP_H

#include <stdio.h>

void svq_app_help(FILE *f);

#endif /* SVQ_APP_HELP_H */
