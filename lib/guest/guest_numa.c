/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <sys/mman.h>

#include <numa.h>
#include <numaif.h>

#include <svq_guest.h>

#define SMALL_PAGE UINT64_C(4096)
#define SAMPLES	   16

/* Asking for the node of a page that nobody touched would allocate it. For huge pages the kernel
 * tells only what this process touched; front-ends allocate those at once, so they are asked. */
static bool
is_touched(uint64_t hva, uint64_t page)
{
	unsigned char in_core = 0;

	if (page > SMALL_PAGE)
		return true;
	return mincore((void *)(uintptr_t)hva, SMALL_PAGE, &in_core) == 0 && (in_core & 1) != 0;
}

static int
node_of(uint64_t hva)
{
	int node;

	if (get_mempolicy(&node, NULL, 0, (void *)(uintptr_t)hva, MPOL_F_NODE | MPOL_F_ADDR) != 0)
		return -1;
	return node;
}

/* The value that occurs most often; -1 for none. */
static int
most_frequent(const int *nodes, unsigned int n)
{
	unsigned int i, j, votes, most = 0;
	int winner = -1;

	for (i = 0; i < n; i++) {
		for (j = 0, votes = 0; j < n; j++)
			votes += nodes[j] == nodes[i];
		if (votes > most) {
			most = votes;
			winner = nodes[i];
		}
	}
	return winner;
}

int
svq_guest_numa_node(const struct svq_guest *guest)
{
	const struct svq_guest_row *row;
	unsigned int n_rows = svq_guest_rows(guest, &row);
	const struct svq_guest_row *end = row + n_rows;
	uint64_t step = 0, skip;
	int nodes[SAMPLES];
	unsigned int i, n = 0;

	if (n_rows == 0 || numa_available() < 0)
		return -1;
	for (; row < end; row++)
		step += row->size / SAMPLES;
	row = end - n_rows;
	/* Samples at even distances over all regions, as if they lay end to end. */
	skip = step / 2;
	for (i = 0; i < SAMPLES; i++, skip += step) {
		uint64_t hva;

		while (row < end && skip >= row->size) {
			skip -= row->size;
			row++;
		}
		if (row == end)
			break;
		hva = (row->hva + skip) & ~(SMALL_PAGE - 1);
		if (!is_touched(hva, row->page))
			continue;
		nodes[n] = node_of(hva);
		n += nodes[n] >= 0;
	}
	return most_frequent(nodes, n);
}
