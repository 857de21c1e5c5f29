/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/* What an embedder writes first: is the installed library found, and does it link and run? */

#include <stdio.h>

#include <svq_iova.h>

int
main(void)
{
	static const struct svq_iova_range aperture = {.first = 0x1000, .last = 0xffffff};
	struct svq_iova_alloc *alloc;
	int ret;

	ret = svq_iova_alloc_create(&aperture, 1, 4096, &alloc);
	printf("svq_iova_alloc_create: %d\n", ret);
	if (ret != 0)
		return 1;
	svq_iova_alloc_destroy(alloc);
	return 0;
}
