/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <rte_common.h>

#include "iova.h"

#define GIB UINT64_C(0x40000000)

/* Where a PC's memory goes on above the hole for devices. */
#define HIGH (4 * GIB)
/* Open SMRAM: a second place of memory that lies at 0xa0000 as well. */
#define SMRAM	    UINT64_C(0xfeda0000)
#define SMRAM_SIZE  UINT64_C(0x20000)
#define SMRAM_ALIAS UINT64_C(0xa0000)

/* Memory below the hole, alias or not, memory above, then DIMMs in all free rows. */
static const struct {
	const char *name;
	const char *what;
	unsigned int n;
	bool alias;
	uint64_t high_size;
	uint64_t dimm_size;
} guests[] = {
	{"2", "PC of 4 GiB", 2, false, 2 * GIB, 0},
	{"3", "PC of 128 GiB with open SMRAM", 3, true, 126 * GIB, 0},
	{"8", "the same, and 5 DIMMs of 8 GiB", 8, true, 126 * GIB, 8 * GIB},
	{"64", "PC of 4 GiB with open SMRAM, and 61 DIMMs of 512 MiB", 64, true, 2 * GIB, GIB / 2},
	{"512", "1 TiB in regions of 2 GiB", 512, true, 2 * GIB, 2 * GIB},
};
const unsigned int iova_n_layouts = RTE_DIM(guests);

/* What an IOMMU of x86 with 48 bits admits. */
static const struct svq_iova_range apertures[] = {
	{0, 0xfedfffff},
	{0xfef00000, (UINT64_C(1) << 48) - 1},
};

static int
append(struct iova_layout *layout, struct svq_iova_alloc *alloc, uint64_t gpa, uint64_t size,
	uint64_t hva)
{
	struct svq_gpa_row *row = &layout->rows[layout->n++];

	*row = (struct svq_gpa_row){.gpa = gpa, .size = size, .hva = hva, .perm = SVQ_PERM_RW};
	return svq_iova_alloc_get(alloc, size, hva, GIB, &row->iova);
}

int
iova_layout(unsigned int i, struct iova_layout *layout)
{
	uint64_t hva = UINT64_C(0x7f7903e00000), gpa = HIGH, size = guests[i].high_size;
	struct svq_iova_alloc *alloc;
	int ret;

	*layout = (struct iova_layout){.name = guests[i].name, .what = guests[i].what};
	ret = svq_iova_alloc_create(apertures, RTE_DIM(apertures), 4096, &alloc);
	if (ret < 0)
		return ret;
	ret = append(layout, alloc, 0, 2 * GIB, hva);
	if (ret == 0 && guests[i].alias)
		ret = append(layout, alloc, SMRAM, SMRAM_SIZE, hva + SMRAM_ALIAS);
	hva += 2 * GIB;
	while (ret == 0 && layout->n < guests[i].n) {
		ret = append(layout, alloc, gpa, size, hva);
		gpa += size;
		hva += size;
		size = guests[i].dimm_size;
	}
	svq_iova_alloc_destroy(alloc);
	return ret;
}
