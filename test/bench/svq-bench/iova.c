/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include "iova.h"

static int
run(const struct bench_opts *opts)
{
	struct bench_json *json;
	/* A check measures nothing, and may run beside what needs the hugepages. */
	int ret = bench_eal_init(!opts->check);

	if (ret < 0)
		return ret;
	json = bench_json_open(opts->json, "iova");
	if (opts->json != NULL && json == NULL)
		return -1;
	ret = iova_bench_lookup(opts, json);
	if (ret == 0 && !opts->check)
		ret = iova_bench_change(opts, json);
	if (ret == 0)
		ret = iova_bench_memory(opts, json);
	if (ret == 0 && !opts->check)
		iova_bench_targets(json);
	if (bench_json_close(json) < 0)
		ret = -1;
	return ret;
}

const struct bench_command bench_iova = {
	.name = "iova",
	.help = "address translation beside QEMU's, librte_vhost's and others' algorithms",
	.run = run,
};
