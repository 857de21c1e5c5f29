/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "bench.h"

static const struct bench_command *const commands[] = {
	&bench_iova,
};

static void
usage(FILE *out)
{
	unsigned int i;

	fputs("usage: svq-bench COMMAND [--quick | --check] [--json FILE]\n\n", out);
	for (i = 0; i < RTE_DIM(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->help);
	fputs("\n"
	      "  --quick      fewer rounds\n"
	      "  --check      no timing: only see that ours and its peers give the same answers\n"
	      "  --json FILE  write the figures to FILE as well\n",
		out);
}

static const struct bench_command *
find(const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(commands); i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"quick", no_argument, NULL, 'q'},
		{"check", no_argument, NULL, 'c'},
		{"json", required_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const struct bench_command *command;
	struct bench_opts opts = {0};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'q':
			opts.quick = true;
			break;
		case 'c':
			opts.check = true;
			break;
		case 'j':
			opts.json = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	command = optind + 1 == argc ? find(argv[optind]) : NULL;
	if (command == NULL) {
		usage(stderr);
		return 2;
	}
	return command->run(&opts) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
