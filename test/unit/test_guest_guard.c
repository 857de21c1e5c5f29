/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <svq_guest.h>

#include "autotest.h"

#define SIZE UINT64_C(0x100000)

static struct svq_guest *guest;
static int fd;

static volatile uint8_t *
open_guest(void)
{
	struct svq_guest_region region = {.gpa = 0, .size = SIZE, .offset = 0};
	const struct svq_guest_row *rows;
	struct svq_guest_diff diff;

	fd = memfd_create("guard", 0);
	CU_ASSERT_FATAL(fd >= 0 && ftruncate(fd, SIZE) == 0);
	region.fd = fd;
	CU_ASSERT_EQUAL_FATAL(svq_guest_create(&guest), 0);
	CU_ASSERT_EQUAL_FATAL(svq_guest_prepare(guest, &region, 1, &diff), 0);
	svq_guest_commit(guest);
	CU_ASSERT_EQUAL_FATAL(svq_guest_rows(guest, &rows), 1);
	return (volatile uint8_t *)(uintptr_t)rows[0].hva;
}

static void
test_truncated(void)
{
	volatile uint8_t *p = open_guest();
	struct svq_guest_diff diff;

	p[0] = 1;
	p[SIZE / 2] = 2;
	CU_ASSERT_FALSE(svq_guest_lost(guest));
	CU_ASSERT_EQUAL_FATAL(ftruncate(fd, SIZE / 4), 0);
	/* What the file still has is untouched. */
	CU_ASSERT_EQUAL(p[0], 1);
	CU_ASSERT_FALSE(svq_guest_lost(guest));
	/* What it lost reads as zeroes and takes writes, page by page. */
	CU_ASSERT_EQUAL(p[SIZE / 2], 0);
	CU_ASSERT(svq_guest_lost(guest));
	p[SIZE - 1] = 3;
	CU_ASSERT_EQUAL(p[SIZE - 1], 3);
	/* The next guest starts afresh. */
	CU_ASSERT_EQUAL(svq_guest_prepare(guest, NULL, 0, &diff), 0);
	svq_guest_commit(guest);
	CU_ASSERT_FALSE(svq_guest_lost(guest));
	svq_guest_destroy(guest);
	close(fd);
}

/* A SIGBUS that is not a guest's ends the process as before. */
static void
test_others(void)
{
	int status = 0, other;
	pid_t pid;

	open_guest();
	pid = fork();
	if (pid == 0) {
		volatile uint8_t *q;

		signal(SIGABRT, SIG_DFL);
		other = memfd_create("other", 0);
		q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
		*q = 1;
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
	svq_guest_destroy(guest);
	close(fd);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("guest guard", NULL, NULL);

	autotest_add(s, "a file shrinks under a mapping", test_truncated);
	autotest_add(s, "other mappings are not guarded", test_others);
}

REGISTER_AUTOTEST(guest_guard_autotest, fill)
