/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <sched.h>
#include <string.h>
#include <time.h>

#include <sanitizer/lsan_interface.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_memory.h>

#include "fuzz.h"
#include "random.h"

static const uint8_t *in;
static size_t left;
static uint64_t state;
static uint64_t inputs;
static struct timespec start;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What only EAL's memory points to is no leak. */
static int
add_root(const struct rte_memseg_list *list, void *arg)
{
	RTE_SET_USED(arg);
	__lsan_register_root_region(list->base_va, list->len);
	return 0;
}

static void
at_exit(void)
{
	fuzz_target.report(stderr);
}

static void
start_eal(void)
{
	char *eal[32] = {(char *)(uintptr_t)fuzz_target.name, "--no-huge", "-m", "256", "--no-pci",
		"--no-shconf", "--no-telemetry", "--log-level=*:1", "--lcores", "0@0,1@0"};
	const char *more = getenv("FUZZ_EAL");
	char *copy = strdup(more != NULL ? more : ""), *arg;
	cpu_set_t cpus;
	int n = 10;

	for (arg = strtok(copy, " "); arg != NULL && n < 31; arg = strtok(NULL, " "))
		eal[n++] = arg;
	/* A second lcore is there to be given pairs, and never runs. Targets that run side by side
	 * are not to share EAL's first core. */
	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 || rte_eal_init(n, eal) < 0 ||
		sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
		abort();
	rte_memseg_list_walk(add_root, NULL);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	start_eal();
	clock_gettime(CLOCK_MONOTONIC, &start);
	atexit(at_exit);
	fuzz_target.init();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = data;
	left = size;
	inputs++;
	fuzz_target.input();
	return 0;
}

uint64_t
fuzz_take(unsigned int bytes)
{
	uint64_t v = 0;
	size_t n = RTE_MIN((size_t)bytes, left);

	memcpy(&v, in, n);
	in += n;
	left -= n;
	return v;
}

bool
fuzz_more(void)
{
	return left != 0;
}

void
fuzz_seed(uint64_t seed)
{
	state = seed;
}

uint32_t
fuzz_below(uint32_t n)
{
	return (uint32_t)random_below(&state, n);
}

uint64_t
fuzz_inputs(void)
{
	return inputs;
}

double
fuzz_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9;
}
