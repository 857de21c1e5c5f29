/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_APP_CMD_H
#define SVQ_APP_CMD_H

/**
 * @file
 * The commands of the prompt. Each help_str is "usage: what it does"; `help` and the answer to
 * wrong arguments are made from it.
 */

#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>

#include <cmdline_parse.h>
#include <cmdline_parse_num.h>
#include <cmdline_parse_string.h>

extern cmdline_parse_inst_t svq_cmd_help;
extern cmdline_parse_inst_t svq_cmd_quit;
extern cmdline_parse_inst_t svq_cmd_show_all;
extern cmdline_parse_inst_t svq_cmd_show_port;
extern cmdline_parse_inst_t svq_cmd_clear_port;
extern cmdline_parse_inst_t svq_cmd_port_create;
extern cmdline_parse_inst_t svq_cmd_port_create_options;
extern cmdline_parse_inst_t svq_cmd_port_delete;
extern cmdline_parse_inst_t svq_cmd_device_add;
extern cmdline_parse_inst_t svq_cmd_device_del;

#endif /* SVQ_APP_CMD_H */
