/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdio.h>

#include "cmd.h"
#include "device.h"

struct device_add {
	cmdline_fixed_string_t device;
	cmdline_fixed_string_t add;
	cmdline_multi_string_t devargs;
};

static void
do_device_add(void *parsed, struct cmdline *cl, void *data)
{
	const struct device_add *res = parsed;
	struct svq_app_err err;

	RTE_SET_USED(cl);
	RTE_SET_USED(data);
	if (svq_app_device_add(res->devargs, &err) < 0)
		printf("%s\n", err.msg);
	else
		printf("device added\n");
}

static cmdline_parse_token_string_t add_device =
	TOKEN_STRING_INITIALIZER(struct device_add, device, "device");
static cmdline_parse_token_string_t add_add =
	TOKEN_STRING_INITIALIZER(struct device_add, add, "add");
/* Arguments may be longer than a fixed string holds. */
static cmdline_parse_token_string_t add_devargs =
	TOKEN_STRING_INITIALIZER(struct device_add, devargs, TOKEN_STRING_MULTI);

cmdline_parse_inst_t svq_cmd_device_add = {
	.f = do_device_add,
	.help_str = "device add NAME,KEY=VALUE,...: create a device, as --vdev does",
	.tokens = {(void *)&add_device, (void *)&add_add, (void *)&add_devargs, NULL},
};

struct device_del {
	cmdline_fixed_string_t device;
	cmdline_fixed_string_t del;
	cmdline_fixed_string_t name;
};

static void
do_device_del(void *parsed, struct cmdline *cl, void *data)
{
	const struct device_del *res = parsed;
	struct svq_app_err err;

	RTE_SET_USED(cl);
	RTE_SET_USED(data);
	if (svq_app_device_del(res->name, &err) < 0)
		printf("%s\n", err.msg);
	else
		printf("device %s removed\n", res->name);
}

static cmdline_parse_token_string_t del_device =
	TOKEN_STRING_INITIALIZER(struct device_del, device, "device");
static cmdline_parse_token_string_t del_del =
	TOKEN_STRING_INITIALIZER(struct device_del, del, "del");
static cmdline_parse_token_string_t del_name =
	TOKEN_STRING_INITIALIZER(struct device_del, name, NULL);

cmdline_parse_inst_t svq_cmd_device_del = {
	.f = do_device_del,
	.help_str = "device del NAME: remove a device that has no port",
	.tokens = {(void *)&del_device, (void *)&del_del, (void *)&del_name, NULL},
};
