/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include "cmd.h"
#include "port.h"

struct port_create {
	cmdline_fixed_string_t port;
	cmdline_fixed_string_t create;
	cmdline_fixed_string_t path;
	cmdline_fixed_string_t dev;
	cmdline_fixed_string_t options;
};

/* data: whether this is the form that ends in options. They are written as behind --iface. */
static void
do_port_create(void *parsed, struct cmdline *cl, void *data)
{
	const struct port_create *res = parsed;
	char text[3 * sizeof(res->path) + 16];
	struct svq_app_iface iface;
	struct svq_app_err err;
	int n;

	RTE_SET_USED(cl);
	snprintf(text, sizeof(text), "%s,dev=%s%s%s", res->path, res->dev, data != NULL ? "," : "",
		data != NULL ? res->options : "");
	n = svq_app_iface_parse(text, &iface, &err);
	if (n == 0)
		n = svq_app_port_create(&iface, &err);
	if (n < 0)
		printf("%s\n", err.msg);
	else
		printf("port %d created\n", n);
}

static cmdline_parse_token_string_t create_port =
	TOKEN_STRING_INITIALIZER(struct port_create, port, "port");
static cmdline_parse_token_string_t create_create =
	TOKEN_STRING_INITIALIZER(struct port_create, create, "create");
static cmdline_parse_token_string_t create_path =
	TOKEN_STRING_INITIALIZER(struct port_create, path, NULL);
static cmdline_parse_token_string_t create_dev =
	TOKEN_STRING_INITIALIZER(struct port_create, dev, NULL);
static cmdline_parse_token_string_t create_options =
	TOKEN_STRING_INITIALIZER(struct port_create, options, NULL);

cmdline_parse_inst_t svq_cmd_port_create = {
	.f = do_port_create,
	.help_str = "port create PATH DEV: listen on a socket with a device behind it",
	.tokens = {(void *)&create_port, (void *)&create_create, (void *)&create_path,
		(void *)&create_dev, NULL},
};

cmdline_parse_inst_t svq_cmd_port_create_options = {
	.f = do_port_create,
	.data = &create_options,
	.help_str =
		"port create PATH DEV OPTION[,OPTION...]: the same, with client (connect to the "
		"front-end's socket), irq=on (sleep when idle) or idle_us=N (for so long)",
	.tokens = {(void *)&create_port, (void *)&create_create, (void *)&create_path,
		(void *)&create_dev, (void *)&create_options, NULL},
};

struct port_delete {
	cmdline_fixed_string_t port;
	cmdline_fixed_string_t del;
	uint16_t n;
};

static void
do_port_delete(void *parsed, struct cmdline *cl, void *data)
{
	const struct port_delete *res = parsed;
	struct svq_app_err err;

	RTE_SET_USED(cl);
	RTE_SET_USED(data);
	if (svq_app_port_delete(res->n, &err) < 0)
		printf("%s\n", err.msg);
	else
		printf("port %u deleted\n", res->n);
}

static cmdline_parse_token_string_t delete_port =
	TOKEN_STRING_INITIALIZER(struct port_delete, port, "port");
static cmdline_parse_token_string_t delete_delete =
	TOKEN_STRING_INITIALIZER(struct port_delete, del, "delete");
static cmdline_parse_token_num_t delete_n =
	TOKEN_NUM_INITIALIZER(struct port_delete, n, RTE_UINT16);

cmdline_parse_inst_t svq_cmd_port_delete = {
	.f = do_port_delete,
	.help_str = "port delete N: disconnect its front-end, remove its socket",
	.tokens = {(void *)&delete_port, (void *)&delete_delete, (void *)&delete_n, NULL},
};

struct clear_port {
	cmdline_fixed_string_t clear;
	cmdline_fixed_string_t port;
	uint16_t n;
	cmdline_fixed_string_t stats;
};

static void
do_clear_port(void *parsed, struct cmdline *cl, void *data)
{
	const struct clear_port *res = parsed;
	const struct svq_app_port *port;
	struct svq_app_err err;

	RTE_SET_USED(cl);
	RTE_SET_USED(data);
	port = svq_app_port_get(res->n, &err);
	if (port == NULL) {
		printf("%s\n", err.msg);
		return;
	}
	svq_vdpa_stats_clear(port->dev);
	printf("port %u stats cleared\n", res->n);
}

static cmdline_parse_token_string_t clear_clear =
	TOKEN_STRING_INITIALIZER(struct clear_port, clear, "clear");
static cmdline_parse_token_string_t clear_port =
	TOKEN_STRING_INITIALIZER(struct clear_port, port, "port");
static cmdline_parse_token_num_t clear_n = TOKEN_NUM_INITIALIZER(struct clear_port, n, RTE_UINT16);
static cmdline_parse_token_string_t clear_stats =
	TOKEN_STRING_INITIALIZER(struct clear_port, stats, "stats");

cmdline_parse_inst_t svq_cmd_clear_port = {
	.f = do_clear_port,
	.help_str = "clear port N stats: set its counters to zero",
	.tokens = {(void *)&clear_clear, (void *)&clear_port, (void *)&clear_n,
		(void *)&clear_stats, NULL},
};
