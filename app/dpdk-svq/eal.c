/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "eal.h"

/* Options that say themselves what becomes of hugepage files, or exclude saying it. */
static const char *const unlink_options[] = {
	"--huge-unlink",
	"--in-memory",
	"--no-huge",
	"--single-file-segments",
	"--legacy-mem",
};

static bool
says_unlink(int argc, char **argv)
{
	unsigned int i;
	size_t len;
	int a;

	for (a = 1; a < argc; a++) {
		/* EAL's getopt takes an option's first letters, too. */
		len = strcspn(argv[a], "=");
		for (i = 0; len > strlen("--no-") && i < RTE_DIM(unlink_options); i++) {
			if (strncmp(argv[a], unlink_options[i], len) == 0)
				return true;
		}
	}
	return false;
}

int
svq_app_eal_init(int argc, char **argv, struct svq_app_err *err)
{
	static char huge_unlink[] = "--huge-unlink=always";
	char **copy;
	int ret, n = argc;

	/* librte_vhost tells of each message; --log-level, which EAL reads, brings that back. */
	rte_log_set_level_pattern("lib.vhost.*", RTE_LOG_NOTICE);

	/* EAL keeps and reorders what it is given. */
	copy = calloc((size_t)argc + 2, sizeof(*copy));
	if (copy == NULL)
		return svq_app_err(err, -ENOMEM, "no memory for %d arguments", argc);
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	if (!says_unlink(argc, argv))
		copy[n++] = huge_unlink;
	ret = rte_eal_init(n, copy);
	if (ret >= 0 && ret < n - 1)
		ret = svq_app_err(err, -EINVAL,
			"unexpected argument '%s' before --; dpdk-svq --help shows the form",
			copy[ret + 1]);
	else if (ret < 0)
		ret = svq_app_err(err, rte_errno != 0 ? -rte_errno : -EINVAL,
			"EAL did not start, its own message is above; without hugepages give it "
			"--no-huge -m 512, beside another DPDK process a --file-prefix");
	else
		ret = 0;
	free(copy);
	return ret;
}
