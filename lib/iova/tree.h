/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef TREE_H
#define TREE_H

/**
 * @file
 * Red-black trees from libbsd's header.
 *
 * Its RB_GENERATE_STATIC relies on a macro that libbsd leaves undefined on Linux.
 */

#include <rte_common.h>

#include <bsd/sys/tree.h>

/* As RB_GENERATE_STATIC; functions that go unused are no warning. */
#define TREE_GENERATE(name, type, field, cmp) \
	RB_GENERATE_INTERNAL(name, type, field, cmp, __rte_unused static)

#endif /* TREE_H */
