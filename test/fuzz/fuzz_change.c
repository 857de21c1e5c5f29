/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdbool.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <svq_iova.h>

#include "fuzz_bed.h"
#include "random.h"

#define AREAS	2
#define CHANGES 16

/* What is done to the bytes that are about to be read. */
enum kind {
	INVERT_BITS, /* some of them */
	STORE_NEAR,  /* 2 bytes, up to 8 before or behind */
	STORE_HERE,  /* 8 bytes */
	DESCRIPTOR,  /* the 16 bytes around: one of its fields */
	TURN_OWNER,  /* the flags of a packed descriptor */
	STORM,	     /* bits are inverted at about one read in eight, for a while */
	KINDS
};

struct change {
	uint32_t after; /* shared reads */
	enum kind kind;
	uint64_t value;
};

uint64_t fuzz_reads, fuzz_changes;

static struct {
	uintptr_t base;
	size_t size;
	struct bed *bed;
} areas[AREAS];
static unsigned int n_areas;
static struct change queue[CHANGES];
static unsigned int n_queue, at;
static uint32_t until; /* reads to the next change; 0: there is none */
static uint32_t storm; /* reads that it still lasts */
static uint64_t storm_state;

void
fuzz_change_reset(void)
{
	fuzz_change_no_areas();
	n_queue = at = 0;
	until = storm = 0;
}

void
fuzz_change_no_areas(void)
{
	memset(areas, 0, sizeof(areas));
	n_areas = 0;
}

void
fuzz_change_area(const void *base, size_t size, struct bed *b)
{
	fuzz_assert(n_areas < AREAS);
	areas[n_areas].bed = b;
	areas[n_areas].base = (uintptr_t)base;
	areas[n_areas++].size = size;
}

static void
append(enum kind kind, uint32_t after, uint64_t value)
{
	if (at == n_queue)
		n_queue = at = 0;
	if (n_queue == CHANGES)
		return;
	queue[n_queue] = (struct change){.kind = kind, .after = after, .value = value};
	if (n_queue++ == at)
		until = after;
}

void
fuzz_change_take(void)
{
	enum kind kind = fuzz_take(1) % KINDS;
	/* Mostly soon: a chain takes few reads. */
	uint32_t after = 1 + (uint32_t)fuzz_take(1) % 128;

	append(kind, after, fuzz_take(4));
}

void
fuzz_change_random(void)
{
	append(fuzz_below(KINDS), 1 + fuzz_below(512), fuzz_below(UINT32_MAX));
}

static void
store(unsigned int area, uintptr_t p, const void *from, size_t n)
{
	uintptr_t off = p - areas[area].base;

	if (off >= areas[area].size || n > areas[area].size - off)
		return;
	memcpy((void *)p, from, n);
	if (areas[area].bed != NULL)
		fuzz_bed_touch(areas[area].bed, (const void *)p, n);
}

static void
change_desc(unsigned int area, uintptr_t p, uint32_t value)
{
	static const uint64_t addr[] = {0, 0x3fffff, 0x7fffff, 0x900000, 0x1003fffff, UINT64_MAX};
	static const uint32_t len[] = {0, 1, 16, 0x10000, 0x80000000, UINT32_MAX};
	uint16_t v16 = (uint16_t)(value >> 16);

	p &= ~(uintptr_t)15;
	switch (value % 4) {
	case 0:
		store(area, p, &addr[value / 4 % RTE_DIM(addr)], 8);
		break;
	case 1:
		store(area, p + 8, &len[value / 4 % RTE_DIM(len)], 4);
		break;
	case 2:
		store(area, p + 12, &v16, 2);
		break;
	default:
		store(area, p + 14, &v16, 2);
		break;
	}
}

static void
invert(unsigned int area, uintptr_t p, uint32_t value)
{
	uint8_t v = *(const uint8_t *)p ^ (1u << value % 8 | 1u << value / 8 % 8);

	store(area, p, &v, 1);
}

static void
apply(unsigned int area, uintptr_t p, const struct change *c)
{
	static const uint16_t owner[] = {1 << VRING_PACKED_DESC_F_AVAIL,
		1 << VRING_PACKED_DESC_F_USED,
		1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED, 0};
	uint16_t v16 = (uint16_t)(c->value >> 8);
	uint64_t v64 = c->value;

	fuzz_changes++;
	switch (c->kind) {
	case INVERT_BITS:
		invert(area, p, (uint32_t)c->value);
		break;
	case STORE_NEAR:
		store(area, p - 8 + (c->value & 15), &v16, 2);
		break;
	case STORE_HERE:
		store(area, p, &v64, 8);
		break;
	case DESCRIPTOR:
		change_desc(area, p, (uint32_t)c->value);
		break;
	case TURN_OWNER:
		store(area, (p & ~(uintptr_t)15) + 14, &owner[c->value % 4], 2);
		break;
	default:
		storm = c->value & 0xff;
		storm_state = c->value;
		break;
	}
}

/* At every load of the relay: as cheap as can be. */
__attribute__((no_sanitize("address", "undefined"))) static inline void
shared_read(uintptr_t p)
{
	unsigned int i = 0;

	while (p - areas[i].base >= areas[i].size) {
		if (++i == AREAS)
			return;
	}
	fuzz_reads++;
	if (unlikely(storm != 0)) {
		uint64_t r = random_u64(&storm_state);

		storm--;
		if (r % 8 == 0) {
			fuzz_changes++;
			invert(i, p, (uint32_t)(r >> 8));
		}
	}
	if (likely(until == 0) || --until != 0)
		return;
	apply(i, p, &queue[at++]);
	if (at < n_queue)
		until = queue[at].after;
}

/* What clang calls before each load of that many bytes. */
void __sanitizer_cov_load1(uint8_t *p);
void __sanitizer_cov_load2(uint16_t *p);
void __sanitizer_cov_load4(uint32_t *p);
void __sanitizer_cov_load8(uint64_t *p);
void __sanitizer_cov_load16(__uint128_t *p);

void
__sanitizer_cov_load1(uint8_t *p)
{
	shared_read((uintptr_t)p);
}

void
__sanitizer_cov_load2(uint16_t *p)
{
	shared_read((uintptr_t)p);
}

void
__sanitizer_cov_load4(uint32_t *p)
{
	shared_read((uintptr_t)p);
}

void
__sanitizer_cov_load8(uint64_t *p)
{
	shared_read((uintptr_t)p);
}

void
__sanitizer_cov_load16(__uint128_t *p)
{
	shared_read((uintptr_t)p);
}

/* It copies by memcpy(), which is no load. */
int __wrap_svq_gpa_read(const struct svq_gpa_map *map, uint64_t gpa, void *dst, uint64_t len);
int __real_svq_gpa_read(const struct svq_gpa_map *map, uint64_t gpa, void *dst, uint64_t len);

int
__wrap_svq_gpa_read(const struct svq_gpa_map *map, uint64_t gpa, void *dst, uint64_t len)
{
	void *p = svq_gpa_hva(map, gpa, 1, SVQ_PERM_R);

	if (p != NULL)
		shared_read((uintptr_t)p);
	return __real_svq_gpa_read(map, gpa, dst, len);
}
