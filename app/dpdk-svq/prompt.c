/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmdline.h>
#include <cmdline_rdline.h>

#include "cmd.h"
#include "prompt.h"

#define PROMPT	     "svq> "
#define CMD_LINE_MAX 512

static cmdline_parse_ctx_t commands[] = {
	&svq_cmd_help,
	&svq_cmd_show_all,
	&svq_cmd_show_port,
	&svq_cmd_clear_port,
	&svq_cmd_port_create,
	&svq_cmd_port_create_options,
	&svq_cmd_port_delete,
	&svq_cmd_device_add,
	&svq_cmd_device_del,
	&svq_cmd_quit,
	NULL,
};

static struct {
	struct cmdline *cl; /* parses; its own terminal side is not used */
	struct rdline *rdl; /* edits; NULL when the input is no terminal */
	struct termios term;
	bool quit;
	char line[CMD_LINE_MAX]; /* without a terminal: the line so far */
	size_t len;
	bool too_long;
} prompt;

void
svq_app_prompt_quit(void)
{
	prompt.quit = true;
}

void
svq_app_prompt_help(void)
{
	const char *usage, *colon;
	unsigned int i;

	for (i = 0; commands[i] != NULL; i++) {
		usage = commands[i]->help_str;
		colon = strstr(usage, ": ");
		printf("  %-50.*s %s\n", (int)(colon - usage), usage, colon + 2);
	}
}

/* Length of the words that line and usage begin with in common, in words. */
static unsigned int
common_words(const char *line, const char *usage)
{
	unsigned int n = 0;
	size_t a, b;

	for (;;) {
		line += strspn(line, " \t");
		usage += strspn(usage, " ");
		a = strcspn(line, " \t\r\n");
		b = strcspn(usage, " :");
		if (a == 0 || a != b || strncmp(line, usage, a) != 0)
			return n;
		line += a;
		usage += b;
		n++;
	}
}

/* One line: the usage of those commands that come nearest to what was typed. */
static void
explain(const char *line)
{
	const char *usage, *sep = "usage: ";
	unsigned int i, n, best = 0;

	for (i = 0; commands[i] != NULL; i++) {
		n = common_words(line, commands[i]->help_str);
		best = RTE_MAX(best, n);
	}
	if (best == 0) {
		line += strspn(line, " \t");
		printf("unknown command '%.*s'; 'help' lists the commands\n",
			(int)strcspn(line, " \t\r\n"), line);
		return;
	}
	for (i = 0; commands[i] != NULL; i++) {
		usage = commands[i]->help_str;
		if (common_words(line, usage) != best)
			continue;
		printf("%s%.*s", sep, (int)(strstr(usage, ": ") - usage), usage);
		sep = " | ";
	}
	printf("\n");
}

/* line ends with a newline, as the parser wants it. */
static void
run(const char *line)
{
	if (cmdline_parse(prompt.cl, line) < 0)
		explain(line);
	fflush(stdout);
}

static int
tty_write(struct rdline *rdl, char c)
{
	RTE_SET_USED(rdl);
	return putchar(c) == EOF ? -1 : 0;
}

static void
tty_validate(struct rdline *rdl, const char *line, unsigned int size)
{
	RTE_SET_USED(rdl);
	RTE_SET_USED(size);
	run(line);
}

static int
tty_complete(struct rdline *rdl, const char *buf, char *dst, unsigned int size, int *state)
{
	RTE_SET_USED(rdl);
	return cmdline_complete(prompt.cl, buf, state, dst, size);
}

static void
tty_remember(void)
{
	const char *line = rdline_get_buffer(prompt.rdl);
	const char *last = rdline_get_history_item(prompt.rdl, 0);
	size_t len = strcspn(line, "\r\n");

	if (len != 0 && (last == NULL || strlen(last) != len || strncmp(last, line, len) != 0))
		rdline_add_history(prompt.rdl, line);
}

static bool
tty_input(const char *buf, size_t len)
{
	size_t i;
	int ret;

	for (i = 0; i < len && !prompt.quit; i++) {
		ret = rdline_char_in(prompt.rdl, buf[i]);
		if (ret == RDLINE_RES_VALIDATED && !prompt.quit) {
			tty_remember();
			rdline_newline(prompt.rdl, PROMPT);
		} else if (ret == RDLINE_RES_EOF || ret == RDLINE_RES_EXITED) {
			printf("\n");
			return false;
		}
	}
	fflush(stdout);
	return !prompt.quit;
}

static void
pipe_line(void)
{
	prompt.line[prompt.len] = '\0';
	printf(PROMPT "%s\n", prompt.line);
	if (prompt.too_long) {
		printf("a command has at most %d bytes; this one was ignored\n", CMD_LINE_MAX - 2);
	} else {
		prompt.line[prompt.len] = '\n';
		prompt.line[prompt.len + 1] = '\0';
		run(prompt.line);
	}
	prompt.len = 0;
	prompt.too_long = false;
}

static bool
pipe_input(const char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len && !prompt.quit; i++) {
		if (buf[i] == '\n')
			pipe_line();
		else if (prompt.len < CMD_LINE_MAX - 2)
			prompt.line[prompt.len++] = buf[i];
		else
			prompt.too_long = true;
	}
	return !prompt.quit;
}

bool
svq_app_prompt_input(void)
{
	char buf[CMD_LINE_MAX];
	ssize_t n;

	n = read(STDIN_FILENO, buf, sizeof(buf));
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0) {
		/* The last line may lack its newline. */
		if (prompt.len != 0)
			pipe_line();
		return false;
	}
	return prompt.rdl != NULL ? tty_input(buf, (size_t)n) : pipe_input(buf, (size_t)n);
}

static int
tty_open(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &prompt.term) < 0)
		return 0;
	prompt.rdl = rdline_new(tty_write, tty_validate, tty_complete, NULL);
	if (prompt.rdl == NULL)
		return -ENOMEM;
	/* The line editor sees Ctrl-C and echoes itself. */
	raw = prompt.term;
	raw.c_lflag &= ~(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	rdline_newline(prompt.rdl, PROMPT);
	fflush(stdout);
	return 0;
}

int
svq_app_prompt_open(void)
{
	prompt.quit = false;
	prompt.cl = cmdline_new(commands, "", -1, -1);
	if (prompt.cl == NULL || tty_open() < 0) {
		svq_app_prompt_close();
		return -ENOMEM;
	}
	return 0;
}

void
svq_app_prompt_close(void)
{
	if (prompt.rdl != NULL) {
		tcsetattr(STDIN_FILENO, TCSANOW, &prompt.term);
		rdline_free(prompt.rdl);
		prompt.rdl = NULL;
	}
	cmdline_free(prompt.cl);
	prompt.cl = NULL;
}
