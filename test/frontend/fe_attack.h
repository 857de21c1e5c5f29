/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef FE_ATTACK_H
#define FE_ATTACK_H

/**
 * @file
 * Hostile cases: what a front-end or a guest may do to a back-end that must survive it.
 *
 * Concepts
 *
 * A case runs against a back-end that returns frames, with two queue pairs where it needs a queue
 * that must go on. It returns 0 when what the front-end can see is right; what the back-end logs
 * and counts is for whoever started both to check.
 */

#include <stdio.h>

#include "fe_net.h"

/** One case. */
struct fe_attack {
	const char *name;
	const char *what; /**< one line for --list */
	/** @return 0: as it should be; otherwise a line on stderr says what was wrong. */
	int (*run)(const struct fe_attack *attack, const struct fe_dev_conf *dev,
		const struct fe_net_conf *net);
	int arg; /**< for the function */
};

struct fe_session;

/** One round with dirty logs on a session whose traffic thread runs. @return 0 or -1. */
int fe_attack_log(struct fe_session *s, unsigned int round);

/* Tables that end with an entry without a name. */
extern const struct fe_attack fe_attacks_socket[];
extern const struct fe_attack fe_attacks_setup[];
extern const struct fe_attack fe_attacks_mem[];
extern const struct fe_attack fe_attacks_ring[];
extern const struct fe_attack fe_attacks_change[];
extern const struct fe_attack fe_attacks_storm[];
extern const struct fe_attack fe_attacks_run[];
extern const struct fe_attack fe_attacks_fuzz[];
extern const struct fe_attack fe_attacks_alias[];
extern const struct fe_attack fe_attacks_foreign[];
extern const struct fe_attack fe_attacks_link[];

/** Print names and descriptions. */
void fe_attack_list(FILE *f);

/** Run a case by name. @return exit status: 0; 1: wrong; 2: no such case. */
int fe_attack_run(const char *name, const struct fe_dev_conf *dev, const struct fe_net_conf *net);

#endif /* FE_ATTACK_H */
