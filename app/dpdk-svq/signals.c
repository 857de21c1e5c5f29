/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "signals.h"

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

static void
signal_set(sigset_t *set)
{
	unsigned int i;

	sigemptyset(set);
	for (i = 0; i < RTE_DIM(stop_signals); i++)
		sigaddset(set, stop_signals[i]);
}

int
svq_app_signals_open(void)
{
	sigset_t set;
	int fd;

	/* A reader of our output may go away; that is no reason to drop a guest. */
	signal(SIGPIPE, SIG_IGN);
	signal_set(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void
on_second_signal(int sig)
{
	static const char msg[] = "dpdk-svq: second signal: gone without cleaning up\n";
	ssize_t n = write(STDERR_FILENO, msg, sizeof(msg) - 1);

	RTE_SET_USED(n);
	_exit(128 + sig);
}

void
svq_app_signals_force(int fd)
{
	struct signalfd_siginfo info;
	unsigned int i;
	sigset_t set;

	/* The first signal has been acted upon. */
	while (read(fd, &info, sizeof(info)) == sizeof(info))
		;
	for (i = 0; i < RTE_DIM(stop_signals); i++)
		signal(stop_signals[i], on_second_signal);
	signal_set(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
