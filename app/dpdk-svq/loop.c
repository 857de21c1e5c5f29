/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop.h"
#include "prompt.h"
#include "signals.h"
#include "stats_table.h"

enum { FD_SIGNAL, FD_TIMER, FD_INPUT, FD_MAX };

/* @return a descriptor that becomes readable every period seconds. */
static int
timer_open(unsigned int period)
{
	const struct itimerspec spec = {
		.it_interval.tv_sec = period,
		.it_value.tv_sec = period,
	};
	int fd, ret;

	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &spec, NULL) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static void
timer_expired(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == sizeof(n))
		svq_app_stats_table(stdout);
}

/* poll() skips a negative descriptor, so what was not asked for is -1. */
static int
wait_and_serve(struct pollfd *fds)
{
	for (;;) {
		if (poll(fds, FD_MAX, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (fds[FD_SIGNAL].revents != 0)
			return 0;
		if (fds[FD_TIMER].revents != 0)
			timer_expired(fds[FD_TIMER].fd);
		if (fds[FD_INPUT].revents != 0 && !svq_app_prompt_input())
			return 0;
	}
}

int
svq_app_loop(const struct svq_app_args *args, int signal_fd, struct svq_app_err *err)
{
	struct pollfd fds[FD_MAX] = {
		[FD_SIGNAL] = {.fd = signal_fd, .events = POLLIN},
		[FD_TIMER] = {.fd = -1, .events = POLLIN},
		[FD_INPUT] = {.fd = -1, .events = POLLIN},
	};
	int ret = 0;

	if (args->stats_period != 0) {
		svq_app_stats_table_start();
		ret = fds[FD_TIMER].fd = timer_open(args->stats_period);
	}
	if (ret >= 0 && args->interactive) {
		fds[FD_INPUT].fd = STDIN_FILENO;
		ret = svq_app_prompt_open();
	}
	if (ret >= 0)
		ret = wait_and_serve(fds);
	svq_app_prompt_close();
	svq_app_signals_force(signal_fd);
	if (fds[FD_TIMER].fd >= 0)
		close(fds[FD_TIMER].fd);
	return ret < 0 ? svq_app_err(err, ret, "main loop: %s", strerror(-ret)) : 0;
}
