/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_PROMPT_H
#define SVQ_APP_PROMPT_H

/**
 * @file
 * The svq> prompt on standard input and output.
 *
 * Concepts
 *
 * On a terminal: line editing, history and completion. From a pipe or a file: one command a line,
 * each shown behind the prompt as if it had been typed, no control characters; the end of the
 * input quits. Main thread only.
 */

#include <stdbool.h>

/** Show the prompt. @return 0; -ENOMEM. */
int svq_app_prompt_open(void);

/** Standard input is readable: take what is there, run complete lines. @return whether to go on. */
bool svq_app_prompt_input(void);

/** Give the terminal back as it was. Idempotent. */
void svq_app_prompt_close(void);

/** Leave after the command that runs. */
void svq_app_prompt_quit(void);

/** Print a line a command. */
void svq_app_prompt_help(void);

#endif /* SVQ_APP_PROMPT_H */
