/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <CUnit/Basic.h>

#include <rte_eal.h>

#include "autotest.h"

/* Outcomes of the commands of one run of this program. */
struct tally {
	unsigned int passed;
	unsigned int failed;
	unsigned int skipped;
};

static struct autotest *tests;
static bool skip_seen; /* in the command that is being run */

void
autotest_register(struct autotest *test)
{
	struct autotest **at = &tests;

	while (*at != NULL && strcmp((*at)->name, test->name) < 0)
		at = &(*at)->next;
	if (*at != NULL && strcmp((*at)->name, test->name) == 0) {
		fprintf(stderr, "autotest %s is registered twice\n", test->name);
		abort();
	}
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

void
autotest_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("SKIP: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	skip_seen = true;
}

uint64_t
autotest_seed(void)
{
	const char *env = getenv("SVQ_TEST_SEED");
	uint64_t seed = env != NULL ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);

	printf("seed: SVQ_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static void
run(const struct autotest *test, struct tally *tally)
{
	const char *outcome;
	unsigned int n;

	if (CU_initialize_registry() != CUE_SUCCESS) {
		fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
		tally->failed++;
		return;
	}
	skip_seen = false;
	test->fill();
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	n = CU_get_number_of_tests_run();
	if (CU_get_number_of_failures() != 0 || CU_get_number_of_suites_failed() != 0 ||
		(n == 0 && !skip_seen)) {
		outcome = "Failed";
		tally->failed++;
	} else if (n == 0) {
		outcome = "Skipped";
		tally->skipped++;
	} else {
		outcome = "OK";
		tally->passed++;
	}
	CU_cleanup_registry();
	printf("Test %s: %s\n", test->name, outcome);
}

static void
run_by_name(const char *name, struct tally *tally)
{
	const struct autotest *test;

	for (test = tests; test != NULL; test = test->next) {
		if (strcmp(test->name, name) == 0) {
			run(test, tally);
			return;
		}
	}
	fprintf(stderr, "no test named '%s'; 'list' names them\n", name);
	tally->failed++;
}

/* Names are separated by blanks or commas. */
static void
run_names(const char *names, struct tally *tally)
{
	char *copy = strdup(names);
	char *save = NULL;
	char *name;

	if (copy == NULL)
		abort();
	for (name = strtok_r(copy, " ,\t\r\n", &save); name != NULL;
		name = strtok_r(NULL, " ,\t\r\n", &save))
		run_by_name(name, tally);
	free(copy);
}

static void
list(void)
{
	const struct autotest *test;

	for (test = tests; test != NULL; test = test->next)
		printf("%s\n", test->name);
}

static void
prompt(struct tally *tally)
{
	char line[1024];

	for (;;) {
		printf("RTE>>");
		fflush(stdout);
		if (fgets(line, sizeof(line), stdin) == NULL)
			return;
		line[strcspn(line, "\r\n")] = '\0';
		if (strcmp(line, "quit") == 0)
			return;
		if (strcmp(line, "list") == 0)
			list();
		else if (strcmp(line, "help") == 0)
			printf("list: name the tests; NAME...: run them; quit\n");
		else
			run_names(line, tally);
	}
}

static int
exit_status(const struct tally *tally)
{
	if (tally->failed != 0)
		return 1;
	return tally->passed == 0 && tally->skipped != 0 ? AUTOTEST_SKIP : 0;
}

int
main(int argc, char **argv)
{
	const char *env = getenv("DPDK_TEST");
	struct tally tally = {0};
	int used;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	used = rte_eal_init(argc, argv);
	if (used < 0) {
		fprintf(stderr, "rte_eal_init failed\n");
		return 1;
	}
	if (env != NULL) {
		run_names(env, &tally);
	} else if (used + 1 < argc) {
		for (used++; used < argc; used++)
			run_by_name(argv[used], &tally);
	} else {
		prompt(&tally);
		rte_eal_cleanup();
		return exit_status(&tally);
	}
	rte_eal_cleanup();
	if (tally.passed + tally.failed + tally.skipped == 0) {
		fprintf(stderr, "no test was named\n");
		return 1;
	}
	return exit_status(&tally);
}
