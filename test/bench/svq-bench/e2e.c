/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Whole programs are run by a script, which makes the report, too.
 */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "bench.h"

static const struct option longopts[] = {
	{"ring", required_argument, NULL, 256},
	{"job", required_argument, NULL, 257},
	{"bytes", required_argument, NULL, 258},
	{0},
};

static char *args[16] = {SVQ_BENCH_E2E};
static unsigned int n_args = 1;

/* Of an option that is given twice the script heeds the last. */
static int
append(const char *name, const char *value)
{
	if (n_args + 3 > RTE_DIM(args)) {
		fputs("svq-bench: too many options\n", stderr);
		return -EINVAL;
	}
	args[n_args++] = (char *)(uintptr_t)name;
	if (value != NULL)
		args[n_args++] = (char *)(uintptr_t)value;
	return 0;
}

static int
option(int val, const char *arg)
{
	static const char *const names[] = {"--ring", "--job", "--bytes"};

	return append(names[val - 256], arg);
}

static int
run(const struct bench_opts *opts)
{
	int ret = 0;

	if (opts->quick)
		ret = append("--quick", NULL);
	if (ret == 0 && opts->check)
		ret = append("--check", NULL);
	if (ret == 0 && opts->json != NULL)
		ret = append("--json", opts->json);
	if (ret < 0)
		return ret;
	setenv("SVQ_BUILD", SVQ_BENCH_BUILD, 0);
	execv(args[0], args);
	fprintf(stderr, "svq-bench: cannot run %s: %s\n", args[0], strerror(errno));
	return -errno;
}

const struct bench_command bench_e2e = {
	.name = "e2e",
	.help = "a guest's testpmd on the relay beside one on DPDK's net_vhost",
	.options = "  --ring R     split or packed (both)\n"
		   "  --job J      null or loopback (both)\n"
		   "  --bytes N    of a frame, 64 to 1500 (64 and 1500)\n",
	.longopts = longopts,
	.option = option,
	.run = run,
};
