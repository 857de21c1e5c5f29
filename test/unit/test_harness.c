/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include "autotest.h"

static void
test_seed_from_environment(void)
{
	const char *old = getenv("SVQ_TEST_SEED");
	char *saved = old != NULL ? strdup(old) : NULL;

	setenv("SVQ_TEST_SEED", "0x2a", 1);
	CU_ASSERT_EQUAL(autotest_seed(), 42);
	if (saved != NULL)
		setenv("SVQ_TEST_SEED", saved, 1);
	else
		unsetenv("SVQ_TEST_SEED");
	free(saved);
}

static void
fill(void)
{
	autotest_add(autotest_suite("harness", NULL, NULL), "seed", test_seed_from_environment);
}

REGISTER_AUTOTEST(harness_autotest, fill)

/* What harness.sh looks at from outside. */

static void
fail(void)
{
	CU_FAIL("it always does");
}

static void
fill_failing(void)
{
	autotest_add(autotest_suite("failing", NULL, NULL), "fail", fail);
}

REGISTER_AUTOTEST(harness_failing_autotest, fill_failing)

static void
fill_skipped(void)
{
	autotest_skip("it always is");
}

REGISTER_AUTOTEST(harness_skipped_autotest, fill_skipped)

static void
fill_empty(void)
{
}

REGISTER_AUTOTEST(harness_empty_autotest, fill_empty)
