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
	&bench_relay,
	&bench_pair,
	&bench_e2e,
	&bench_line,
};

static void
usage(FILE *out)
{
	unsigned int i;

	fputs("usage: svq-bench COMMAND [--quick | --check] [--json FILE] [OPTION ...]\n\n", out);
	for (i = 0; i < RTE_DIM(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->help);
	fputs("\n"
	      "  --quick      fewer rounds\n"
	      "  --check      no timing: only see that ours and its peers give the same answers\n"
	      "  --json FILE  write the figures to FILE as well\n",
		out);
	for (i = 0; i < RTE_DIM(commands); i++) {
		if (commands[i]->options != NULL)
			fprintf(out, "\n%s:\n%s", commands[i]->name, commands[i]->options);
	}
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

/* The common options, and behind them the command's own. */
static const struct option *
all_options(const struct bench_command *command)
{
	static struct option all[32] = {
		{"quick", no_argument, NULL, 'q'},
		{"check", no_argument, NULL, 'c'},
		{"json", required_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
	};
	const struct option *own = command != NULL ? command->longopts : NULL;
	unsigned int n = 4;

	for (; own != NULL && own->name != NULL && n < RTE_DIM(all) - 1; own++)
		all[n++] = *own;
	return all;
}

int
main(int argc, char **argv)
{
	const struct bench_command *command = argc > 1 ? find(argv[1]) : NULL;
	struct bench_opts opts = {0};
	int c;

	while ((c = getopt_long(argc, argv, "h", all_options(command), NULL)) != -1) {
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
			if (c == '?') {
				usage(stderr);
				return 2;
			}
			if (command->option(c, optarg) < 0)
				return 2;
		}
	}
	/* getopt_long() has put the command behind the options. */
	if (command == NULL || optind + 1 != argc) {
		usage(stderr);
		return 2;
	}
	return command->run(&opts) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
