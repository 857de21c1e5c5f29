/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include "cmd.h"
#include "show.h"

struct show_all {
	cmdline_fixed_string_t show;
	cmdline_fixed_string_t what;
};

static void
do_show_all(void *parsed, struct cmdline *cl, void *data)
{
	const struct show_all *res = parsed;

	RTE_SET_USED(cl);
	RTE_SET_USED(data);
	if (strcmp(res->what, "devices") == 0)
		svq_app_show_devices(stdout);
	else if (strcmp(res->what, "ports") == 0)
		svq_app_show_ports(stdout);
	else
		svq_app_show_workers(stdout);
}

static cmdline_parse_token_string_t show_all_show =
	TOKEN_STRING_INITIALIZER(struct show_all, show, "show");
static cmdline_parse_token_string_t show_all_what =
	TOKEN_STRING_INITIALIZER(struct show_all, what, "devices#ports#workers");

cmdline_parse_inst_t svq_cmd_show_all = {
	.f = do_show_all,
	.help_str = "show devices|ports|workers: list them, a line each",
	.tokens = {(void *)&show_all_show, (void *)&show_all_what, NULL},
};

struct show_port {
	cmdline_fixed_string_t show;
	cmdline_fixed_string_t port;
	uint16_t n;
	cmdline_fixed_string_t what;
};

static void
do_show_port(void *parsed, struct cmdline *cl, void *data)
{
	const struct show_port *res = parsed;
	const struct svq_app_port *port;
	struct svq_app_err err;

	RTE_SET_USED(cl);
	RTE_SET_USED(data);
	port = svq_app_port_get(res->n, &err);
	if (port == NULL)
		printf("%s\n", err.msg);
	else if (strcmp(res->what, "stats") == 0)
		svq_app_show_stats(res->n, port, stdout);
	else if (strcmp(res->what, "queues") == 0)
		svq_app_show_queues(port, stdout);
	else if (strcmp(res->what, "memory") == 0)
		svq_vdpa_memory_dump(port->dev, stdout);
	else
		svq_vdpa_iova_dump(port->dev, stdout);
}

static cmdline_parse_token_string_t show_port_show =
	TOKEN_STRING_INITIALIZER(struct show_port, show, "show");
static cmdline_parse_token_string_t show_port_port =
	TOKEN_STRING_INITIALIZER(struct show_port, port, "port");
static cmdline_parse_token_num_t show_port_n =
	TOKEN_NUM_INITIALIZER(struct show_port, n, RTE_UINT16);
static cmdline_parse_token_string_t show_port_what =
	TOKEN_STRING_INITIALIZER(struct show_port, what, "stats#queues#memory#iova");

cmdline_parse_inst_t svq_cmd_show_port = {
	.f = do_show_port,
	.help_str = "show port N stats|queues|memory|iova: counters, queues, the guest's memory "
		    "table, the address tables",
	.tokens = {(void *)&show_port_show, (void *)&show_port_port, (void *)&show_port_n,
		(void *)&show_port_what, NULL},
};
