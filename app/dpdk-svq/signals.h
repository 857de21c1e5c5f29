/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_SIGNALS_H
#define SVQ_APP_SIGNALS_H

/**
 * @file
 * SIGINT, SIGTERM and SIGHUP as something that poll() waits for.
 */

/**
 * Block the signals and make a descriptor of them. Before EAL starts its threads, which inherit
 * the mask: no other thread is ever interrupted.
 *
 * @return a descriptor that becomes readable with the first signal; a negative errno.
 */
int svq_app_signals_open(void);

/** From now on a signal ends the process at once: for one who cannot wait for a clean stop. */
void svq_app_signals_force(int fd);

#endif /* SVQ_APP_SIGNALS_H */
