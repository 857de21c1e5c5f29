/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#include "svq_patience.h"

/* The last of the real-time signals: least likely to be another's. */
#define PATIENCE_SIGNAL SIGRTMAX

static __thread timer_t timer;
static __thread unsigned int depth;
static __thread bool armed;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int install_error;

static void
on_signal(int sig)
{
	RTE_SET_USED(sig);
}

static void
install(void)
{
	/* Without SA_RESTART: what waits is to fail. */
	struct sigaction sa = {.sa_handler = on_signal};

	sigemptyset(&sa.sa_mask);
	if (sigaction(PATIENCE_SIGNAL, &sa, NULL) != 0)
		install_error = -errno;
}

static int
arm(void)
{
	const struct timespec period = {.tv_nsec = SVQ_PATIENCE_MS * 1000000L};
	struct itimerspec spec = {.it_interval = period, .it_value = period};
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = PATIENCE_SIGNAL};
	sigset_t set;

	pthread_once(&once, install);
	if (install_error != 0)
		return install_error;
	/* A thread inherits the mask of whoever created it. */
	sigemptyset(&set);
	sigaddset(&set, PATIENCE_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ev._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) != 0)
		return -errno;
	if (timer_settime(timer, 0, &spec, NULL) != 0) {
		int ret = -errno;

		timer_delete(timer);
		return ret;
	}
	armed = true;
	return 0;
}

int
svq_patience_begin(void)
{
	return depth++ == 0 ? arm() : 0;
}

void
svq_patience_end(void)
{
	if (--depth != 0 || !armed)
		return;
	timer_delete(timer);
	armed = false;
}
