/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include "fe_attack.h"

static const struct fe_attack *const tables[] = {
	fe_attacks_socket,
	fe_attacks_setup,
	fe_attacks_mem,
	fe_attacks_ring,
	fe_attacks_change,
	fe_attacks_storm,
	fe_attacks_run,
	fe_attacks_fuzz,
	fe_attacks_alias,
	fe_attacks_foreign,
	fe_attacks_link,
};

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

void
fe_attack_list(FILE *f)
{
	const struct fe_attack *a;
	unsigned int i;

	for (i = 0; i < N_TABLES; i++) {
		for (a = tables[i]; a->name != NULL; a++)
			fprintf(f, "%-24s %s\n", a->name, a->what);
	}
}

int
fe_attack_run(const char *name, const struct fe_dev_conf *dev, const struct fe_net_conf *net)
{
	const struct fe_attack *a;
	unsigned int i;

	for (i = 0; i < N_TABLES; i++) {
		for (a = tables[i]; a->name != NULL; a++) {
			if (strcmp(a->name, name) == 0)
				return a->run(a, dev, net) == 0 ? 0 : 1;
		}
	}
	fprintf(stderr, "svq-frontend: no case is called %s, see --list\n", name);
	return 2;
}
