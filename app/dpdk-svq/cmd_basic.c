/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "cmd.h"
#include "prompt.h"

struct word {
	cmdline_fixed_string_t word;
};

static void
do_help(void *parsed, struct cmdline *cl, void *data)
{
	RTE_SET_USED(parsed);
	RTE_SET_USED(cl);
	RTE_SET_USED(data);
	svq_app_prompt_help();
}

static cmdline_parse_token_string_t help_word = TOKEN_STRING_INITIALIZER(struct word, word, "help");

cmdline_parse_inst_t svq_cmd_help = {
	.f = do_help,
	.help_str = "help: list the commands",
	.tokens = {(void *)&help_word, NULL},
};

static void
do_quit(void *parsed, struct cmdline *cl, void *data)
{
	RTE_SET_USED(parsed);
	RTE_SET_USED(cl);
	RTE_SET_USED(data);
	svq_app_prompt_quit();
}

static cmdline_parse_token_string_t quit_word = TOKEN_STRING_INITIALIZER(struct word, word, "quit");

cmdline_parse_inst_t svq_cmd_quit = {
	.f = do_quit,
	.help_str = "quit: close all ports and leave",
	.tokens = {(void *)&quit_word, NULL},
};
