/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef AUTOTEST_H
#define AUTOTEST_H

/**
 * @file
 * DPDK-style autotests whose commands run CUnit suites.
 *
 * Concepts
 *
 * A test file registers a command (`iova_autotest`) with REGISTER_AUTOTEST(). The command's
 * function fills CUnit's registry with suites; the harness runs them and reports. Which commands
 * run is said, in this order of preference, by the environment (DPDK_TEST="a_autotest b_autotest"),
 * by the arguments behind EAL's (`svq-test --no-huge -- a_autotest`), or at the RTE>> prompt.
 *
 * The exit status is 1 if any command failed or nothing ran, AUTOTEST_SKIP if every one was
 * skipped, else 0. A command fails if one of its tests does, if one of its suites cannot be set
 * up, or if it has no test and did not say why (autotest_skip()).
 */

#include <CUnit/CUnit.h>

#include <rte_common.h>

/** Exit status of a test that cannot run here; it prints the reason as "SKIP: reason". */
#define AUTOTEST_SKIP 77

struct autotest {
	struct autotest *next;
	const char *name;
	void (*fill)(void); /**< adds suites and tests to CUnit's registry */
};

void autotest_register(struct autotest *test);

/** Add a test to a suite; a failure of CUnit itself ends the run. */
void autotest_add(CU_pSuite suite, const char *name, CU_TestFunc fn);

/** Add a suite; init and cleanup may be NULL. */
CU_pSuite autotest_suite(const char *name, CU_InitializeFunc init, CU_CleanupFunc cleanup);

/**
 * Say why a suite is not added: to be called by a command's fill function, in its place. The
 * command is skipped if that leaves it without a test. The reason is one line, without "SKIP: ".
 */
void autotest_skip(const char *fmt, ...) __rte_format_printf(1, 2);

/**
 * Seed for random tests: from SVQ_TEST_SEED, else from the clock. Prints it, so that a failure can
 * be repeated.
 */
uint64_t autotest_seed(void);

#define REGISTER_AUTOTEST(cmd, fn)                                                  \
	RTE_INIT(autotest_init_##cmd)                                               \
	{                                                                           \
		static struct autotest test = {.name = RTE_STR(cmd), .fill = (fn)}; \
                                                                                    \
		autotest_register(&test);                                           \
	}

#endif /* AUTOTEST_H */
