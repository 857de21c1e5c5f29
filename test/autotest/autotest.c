/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <CUnit/Basic.h>

#include <rte_eal.h>

#include "autotest.h"

static struct autotest *tests;

void
autotest_register(struct autotest *test)
{
	struct autotest **at = &tests;

	while (*at != NULL && strcmp((*at)->name, test->name) < 0)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

CU_pSuite
autotest_suite(const char *name, CU_InitializeFunc init, CU_CleanupFunc cleanup)
{
	CU_pSuite suite = CU_add_suite(name, init, cleanup);

	if (suite == NULL) {
		fprintf(stderr, "suite %s: %s\n", name, CU_get_error_msg());
		exit(1);
	}
	return suite;
}

void
autotest_add(CU_pSuite suite, const char *name, CU_TestFunc fn)
{
	if (CU_add_test(suite, name, fn) == NULL) {
		fprintf(stderr, "test %s: %s\n", name, CU_get_error_msg());
		exit(1);
	}
}

uint64_t
autotest_seed(void)
{
	const char *env = getenv("SVQ_TEST_SEED");
	uint64_t seed = env != NULL ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);

	printf("seed: SVQ_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* Returns 0 if all of the command's CUnit tests ran and passed. */
static int
run(const struct autotest *test)
{
	int bad;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return -1;
	test->fill();
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	bad = CU_get_number_of_tests_run() == 0 || CU_get_number_of_failures() != 0 ||
		CU_get_number_of_suites_failed() != 0;
	CU_cleanup_registry();
	printf("Test %s: %s\n", test->name, bad ? "Failed" : "OK");
	return bad ? -1 : 0;
}

static int
run_by_name(const char *name)
{
	const struct autotest *test;

	for (test = tests; test != NULL; test = test->next) {
		if (strcmp(test->name, name) == 0)
			return run(test);
	}
	fprintf(stderr, "no test named '%s'; 'list' names them\n", name);
	return -1;
}

static void
list(void)
{
	const struct autotest *test;

	for (test = tests; test != NULL; test = test->next)
		printf("%s\n", test->name);
}

static int
prompt(void)
{
	char line[256];
	int ret = 0;

	for (;;) {
		printf("RTE>>");
		fflush(stdout);
		if (fgets(line, sizeof(line), stdin) == NULL)
			return ret;
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0')
			continue;
		if (strcmp(line, "quit") == 0)
			return ret;
		if (strcmp(line, "list") == 0 || strcmp(line, "help") == 0)
			list();
		else if (run_by_name(line) != 0)
			ret = -1;
	}
}

int
main(int argc, char **argv)
{
	const char *name = getenv("DPDK_TEST");
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	if (rte_eal_init(argc, argv) < 0) {
		fprintf(stderr, "rte_eal_init failed\n");
		return 1;
	}
	ret = name != NULL ? run_by_name(name) : prompt();
	rte_eal_cleanup();
	return ret == 0 ? 0 : 1;
}
