/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include "fuzz_bed.h"

/* Bytes of a buffer that it really writes. */
#define WRITES 64u

static struct {
	uint16_t head;
	uint32_t writable;
} taken[FUZZ_RING];
static unsigned int n_taken;

void
honest_device_begin(void)
{
	n_taken = 0;
}

unsigned int
honest_device_holds(void)
{
	return n_taken;
}

/* Into the guest's own rings, if the guest says so. */
static void
write_payload(struct bed *b, const struct bed_chain *chain)
{
	unsigned int i;

	for (i = 0; i < RTE_MIN(chain->n, RTE_DIM(chain->desc)); i++) {
		void *p = (void *)(uintptr_t)chain->desc[i].addr;
		size_t n = RTE_MIN(chain->desc[i].len, WRITES);

		if (p == NULL || !(chain->desc[i].flags & VRING_DESC_F_WRITE))
			continue;
		memset(p, (int)fuzz_below(256), n);
		fuzz_bed_touch(b, p, n);
	}
}

void
honest_device_take(struct bed *b, unsigned int n)
{
	static struct bed_chain chain;

	for (; n != 0 && bed_device_take(b, &chain); n--) {
		fuzz_assert(b->bad_iova == 0);
		fuzz_assert(n_taken < b->device_size);
		write_payload(b, &chain);
		taken[n_taken].head = chain.head;
		taken[n_taken++].writable = chain.writable;
	}
}

/* One used entry for several chains. */
static unsigned int
return_batch(struct bed *b, unsigned int most)
{
	unsigned int n = 1 + fuzz_below(RTE_MIN(most, 5u)), i;
	uint16_t heads[5];

	for (i = 0; i < n; i++)
		heads[i] = taken[i].head;
	bed_device_return_batch(b, heads, n, fuzz_below(2) ? taken[n - 1].writable : 0);
	return n;
}

void
honest_device_return(struct bed *b, unsigned int n)
{
	while (n != 0 && n_taken != 0) {
		unsigned int at = fuzz_below(4) == 0 ? fuzz_below(n_taken) : 0, k = 1;
		uint32_t writable = taken[at].writable;

		if (b->device_features & UINT64_C(1) << VIRTIO_F_IN_ORDER) {
			at = 0;
			k = return_batch(b, RTE_MIN(n, n_taken));
		} else {
			bed_device_return(b, taken[at].head,
				fuzz_below(2) || writable == UINT32_MAX ? writable
									: fuzz_below(writable + 1));
		}
		n_taken -= k;
		memmove(&taken[at], &taken[at + k], (n_taken - at) * sizeof(taken[0]));
		n -= k;
	}
}
