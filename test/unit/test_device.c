/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <svq_device.h>

#include "autotest.h"

static struct svq_device_driver test_b = {.name = "test-b"};
static struct svq_device_driver test_a = {.name = "test-a"};

SVQ_DEVICE_DRIVER(test_b)
SVQ_DEVICE_DRIVER(test_a)

static void
test_find(void)
{
	CU_ASSERT_PTR_EQUAL(svq_device_driver_find("test-a"), &test_a);
	CU_ASSERT_PTR_EQUAL(svq_device_driver_find("test-b"), &test_b);
	CU_ASSERT_PTR_NULL(svq_device_driver_find("test"));
	CU_ASSERT_PTR_NULL(svq_device_driver_find(""));
}

struct seen {
	unsigned int n;
	const char *last;
};

static void
see(const struct svq_device_driver *driver, void *arg)
{
	struct seen *seen = arg;

	if (seen->last != NULL)
		CU_ASSERT(strcmp(seen->last, driver->name) < 0);
	seen->last = driver->name;
	seen->n++;
}

static void
test_walk_is_ordered(void)
{
	struct seen seen = {0};

	svq_device_driver_walk(see, &seen);
	CU_ASSERT(seen.n >= 2);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("device registry", NULL, NULL);

	autotest_add(suite, "find", test_find);
	autotest_add(suite, "walk is ordered", test_walk_is_ordered);
}

REGISTER_AUTOTEST(device_autotest, fill)
