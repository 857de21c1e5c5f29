/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include <rte_common.h>

#include "svq_guest_guard.h"

/* Read by the signal handler without a lock: base is set last and cleared first. */
static struct guard {
	_Atomic uintptr_t base; /* 0: free */
	_Atomic uint64_t size;
	_Atomic uint64_t page;
	_Atomic(atomic_bool *) lost;
} guards[SVQ_GUEST_GUARD_MAX];

/* How many entries the handler must look at. */
static atomic_uint n_guards;
static struct sigaction previous;
static bool installed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct guard *
find(uintptr_t addr)
{
	unsigned int i, n = atomic_load(&n_guards);

	for (i = 0; i < n; i++) {
		uintptr_t base = atomic_load(&guards[i].base);

		/* Read again: the size may be that of another mapping, which took the entry
		 * meanwhile. The address lies in one that stays. */
		if (base != 0 && addr - base < atomic_load(&guards[i].size) &&
			atomic_load(&guards[i].base) == base)
			return &guards[i];
	}
	return NULL;
}

/* Runs on the thread that touched the page; only async-signal-safe calls and lock-free atomics. */
static void
on_sigbus(int sig, siginfo_t *info, void *context)
{
	struct guard *g = find((uintptr_t)info->si_addr);
	int saved = errno;

	if (g != NULL) {
		uint64_t page = atomic_load(&g->page);
		void *at = RTE_PTR_ALIGN_FLOOR(info->si_addr, page);

		atomic_store(atomic_load(&g->lost), true);
		if (mmap(at, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			    -1, 0) != MAP_FAILED) {
			errno = saved;
			return;
		}
	}
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(sig, info, context);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(sig);
	} else {
		/* Touched again on return, and then the default action ends the process. */
		sigaction(SIGBUS, &previous, NULL);
	}
	errno = saved;
}

static int
install(void)
{
	struct sigaction sa = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

	if (installed)
		return 0;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGBUS, &sa, &previous) != 0)
		return -errno;
	installed = true;
	return 0;
}

static int
add_locked(void *base, uint64_t size, uint64_t page, atomic_bool *lost)
{
	unsigned int i;
	int ret = install();

	if (ret != 0)
		return ret;
	for (i = 0; i < SVQ_GUEST_GUARD_MAX; i++) {
		struct guard *g = &guards[i];

		if (atomic_load(&g->base) != 0)
			continue;
		atomic_store(&g->size, size);
		atomic_store(&g->page, page);
		atomic_store(&g->lost, lost);
		atomic_store(&g->base, (uintptr_t)base);
		if (i >= atomic_load(&n_guards))
			atomic_store(&n_guards, i + 1);
		return (int)i;
	}
	return -ENOSPC;
}

int
svq_guest_guard_add(void *base, uint64_t size, uint64_t page, atomic_bool *lost)
{
	int ret;

	pthread_mutex_lock(&lock);
	ret = add_locked(base, size, page, lost);
	pthread_mutex_unlock(&lock);
	return ret;
}

void
svq_guest_guard_del(int guard)
{
	if (guard >= 0)
		atomic_store(&guards[guard].base, 0);
}
