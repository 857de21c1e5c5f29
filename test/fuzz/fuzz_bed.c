/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include "fuzz_bed.h"

#define PAGE	  4096u
#define MAX_PAGES 4096
/* A memory table costs more than a thousand descriptors. */
#define MAX_TABLES 4

#define BIT(n) (UINT64_C(1) << (n))

/* Of a shape: what the device's side is made of, so that each has a bed of its own. */
#define SHAPE_PACKED   1
#define SHAPE_EVENT    2
#define SHAPE_INDIRECT 4
#define SHAPE_SIZES    3 /* two bits */
#define SHAPE_QUEUE    5 /* two bits: 0, 1 no network device, 2 receive, 3 transmit */
#define SHAPE_IN_ORDER 128
#define SHAPES	       256

static const uint16_t device_sizes[] = {256, 64, 8, 2};

struct place {
	struct bed bed;
	uint8_t *view; /* of all guest memory */
	unsigned int regions;
	uint32_t page[MAX_PAGES]; /* of the file, that were touched */
	unsigned int n_pages;
};

void (*fuzz_device_forget)(void);

static struct place *places[SHAPES];
static unsigned int tables;
static bool guest_changes;

static struct place *
place_of(struct bed *b)
{
	return RTE_PTR_SUB(b, offsetof(struct place, bed));
}

static struct place *
open_place(unsigned int shape)
{
	struct place *p = calloc(1, sizeof(*p));
	unsigned int queue = shape >> SHAPE_QUEUE & 3;
	struct bed_conf conf = {
		.guest_size = FUZZ_RING,
		.device_size = device_sizes[shape >> SHAPE_SIZES & 3],
		.guest_features = BIT(VIRTIO_F_VERSION_1),
		.device_features = BIT(VIRTIO_F_VERSION_1) |
			(shape & SHAPE_PACKED ? BIT(VIRTIO_F_RING_PACKED) : 0) |
			(shape & SHAPE_EVENT ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
			(shape & SHAPE_INDIRECT ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
			(shape & SHAPE_IN_ORDER ? BIT(VIRTIO_F_IN_ORDER) : 0),
		.qid = queue == 3,
		.net_header = queue >= 2 ? 12 : 0,
	};

	fuzz_assert(p != NULL);
	bed_open_conf(&p->bed, &conf);
	p->view = mmap(NULL, 3 * BED_REGION, PROT_READ | PROT_WRITE, MAP_SHARED, p->bed.memfd, 0);
	fuzz_assert(p->view != MAP_FAILED);
	p->regions = BED_WITH_HIGH | BED_WITH_ALIAS;
	return p;
}

static void
clear_rings(struct bed *b)
{
	memset(b->desc, 0, 16 * FUZZ_RING);
	memset(b->avail, 0, 6 + 2 * FUZZ_RING);
	memset(b->used, 0, 6 + 8 * FUZZ_RING);
	b->avail_idx = 0;
	b->seen_used = 0;
}

static void
clear(struct place *p)
{
	unsigned int i;

	clear_rings(&p->bed);
	memset(bed_ptr(&p->bed, FUZZ_TABLES), 0, FUZZ_TABLES_SIZE);
	for (i = 0; i < p->n_pages; i++)
		memset(p->view + (size_t)PAGE * p->page[i], 0, PAGE);
	p->n_pages = 0;
}

/* Take the ring away and forget what is in flight. */
static void
detach(struct bed *b)
{
	svq_queue_detach(b->q);
	svq_queue_recall(b->q);
	bed_device_reset(b);
	if (fuzz_device_forget != NULL)
		fuzz_device_forget();
}

static void
attach(struct bed *b, uint16_t base)
{
	fuzz_assert(bed_attach(b, base) == 0);
}

static uint16_t
first_base(const struct bed *b)
{
	return b->packed ? 0x8000 : 0;
}

struct bed *
fuzz_bed_take(void)
{
	unsigned int device = fuzz_take(1) % SHAPES, guest = fuzz_take(1), size = fuzz_take(1);
	struct place *p;
	struct bed *b;

	if (places[device] == NULL)
		places[device] = open_place(device);
	p = places[device];
	b = &p->bed;
	detach(b);
	if (p->regions != (BED_WITH_HIGH | BED_WITH_ALIAS))
		bed_memory(b, p->regions = BED_WITH_HIGH | BED_WITH_ALIAS);
	b->packed = guest & 1;
	b->features = BIT(VIRTIO_F_VERSION_1) | (guest & 1 ? BIT(VIRTIO_F_RING_PACKED) : 0) |
		(guest & 2 ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
		(guest & 4 ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
		((guest & 24) == 8 ? BIT(VIRTIO_F_IN_ORDER) : 0);
	/* Of few sizes: for another size the relay allocates. */
	b->guest_size = size < 128 ? FUZZ_RING : b->packed ? 1 + size % 16 * 3 : 2u << size % 8;
	clear(p);
	b->bad_iova = 0;
	tables = 0;
	fuzz_change_reset();
	svq_queue_set_log(b->q, NULL);
	attach(b, first_base(b));
	return b;
}

void
fuzz_bed_restart(struct bed *b)
{
	detach(b);
	clear_rings(b);
	attach(b, first_base(b));
}

/* Without the regions that go, after what is in flight there was recalled. */
static void
change_memory(struct bed *b, unsigned int regions)
{
	static const uint64_t gpa[] = {[BED_WITH_HIGH] = BED_HIGH, [BED_WITH_ALIAS] = BED_ALIAS};
	struct place *p = place_of(b);
	unsigned int gone = p->regions & ~regions, bit;
	bool used = false;

	for (bit = BED_WITH_HIGH; bit <= BED_WITH_ALIAS; bit <<= 1)
		used |= gone & bit && svq_queue_inflight_overlaps(b->q, gpa[bit], BED_REGION);
	if (used) {
		svq_queue_recall(b->q);
		bed_device_reset(b);
		if (fuzz_device_forget != NULL)
			fuzz_device_forget();
	}
	svq_queue_detach(b->q);
	bed_memory(b, p->regions = regions);
	attach(b, svq_queue_base(b->q));
	fuzz_bed_guest_changes(b, guest_changes);
}

bool
fuzz_bed_has(struct bed *b, unsigned int region)
{
	return place_of(b)->regions & region;
}

void
fuzz_bed_control(struct bed *b, unsigned int keep)
{
	static uint8_t bitmap[64];
	struct svq_dirty_log log = {.base = bitmap, .size = sizeof(bitmap)};
	uint32_t inflight = svq_queue_inflight(b->q);
	uint8_t op = fuzz_take(1);

	switch (op % 4) {
	case 0:
		fuzz_assert(svq_queue_recall(b->q) == inflight);
		fuzz_assert(svq_queue_inflight(b->q) == 0);
		fuzz_assert(svq_queue_error(b->q) == SVQ_QUEUE_OK);
		bed_device_reset(b);
		if (fuzz_device_forget != NULL)
			fuzz_device_forget();
		break;
	case 1:
		svq_queue_detach(b->q);
		fuzz_assert(svq_queue_inflight(b->q) == inflight);
		attach(b, svq_queue_base(b->q));
		break;
	case 2:
		svq_queue_set_log(b->q, op & 4 ? &log : NULL);
		break;
	default:
		if (tables++ < MAX_TABLES)
			change_memory(b, op / 4 % 4 | keep);
		break;
	}
}

void
fuzz_bed_touch(struct bed *b, const void *hva, size_t size)
{
	struct place *p = place_of(b);
	const struct svq_guest_row *rows;
	unsigned int n = svq_guest_rows(b->guest, &rows), i;

	for (i = 0; i < n; i++) {
		uint64_t off = (uintptr_t)hva - rows[i].hva, page;

		if (off >= rows[i].size)
			continue;
		off += rows[i].offset;
		for (page = off / PAGE; page <= (off + size - 1) / PAGE; page++) {
			if (p->n_pages > 0 && p->page[p->n_pages - 1] == page)
				continue;
			if (p->n_pages < MAX_PAGES)
				p->page[p->n_pages++] = page;
		}
		return;
	}
}

void
fuzz_bed_guest_changes(struct bed *b, bool on)
{
	const struct svq_guest_row *rows;
	unsigned int n = svq_guest_rows(b->guest, &rows), i;

	guest_changes = on;
	fuzz_change_no_areas();
	/* The alias shows what is there already. */
	for (i = 0; on && i < n && rows[i].gpa < BED_ALIAS; i++)
		fuzz_change_area((const void *)(uintptr_t)rows[i].hva, rows[i].size, b);
}

static uint64_t
faults(const struct bed *b, enum svq_queue_error first, enum svq_queue_error last)
{
	struct svq_queue_stats stats;
	uint64_t n = 0;
	unsigned int i;

	svq_queue_stats(b->q, &stats);
	for (i = first; i <= last; i++)
		n += stats.errors[i];
	return n;
}

uint64_t
fuzz_bed_guest_faults(const struct bed *b)
{
	return faults(b, SVQ_QUEUE_E_AVAIL_IDX, SVQ_QUEUE_E_USED_IDX - 1);
}

uint64_t
fuzz_bed_device_faults(const struct bed *b)
{
	return faults(b, SVQ_QUEUE_E_USED_IDX, SVQ_QUEUE_E_MAX - 1);
}

void
fuzz_bed_report(FILE *f)
{
	struct svq_queue_stats sum = {0}, stats;
	double seconds = fuzz_seconds();
	unsigned int i, k;

	for (i = 0; i < SHAPES; i++) {
		if (places[i] == NULL)
			continue;
		svq_queue_stats(places[i]->bed.q, &stats);
		sum.descs += stats.descs;
		sum.chains += stats.chains;
		sum.used += stats.used;
		sum.indirect += stats.indirect;
		for (k = 0; k < SVQ_QUEUE_E_MAX; k++)
			sum.errors[k] += stats.errors[k];
	}
	fprintf(f,
		"did: %" PRIu64 " descriptors relayed, %.0f a second, in %" PRIu64
		" chains; %" PRIu64 " came back, %" PRIu64 " were indirect; %" PRIu64
		" reads of shared memory, %" PRIu64 " of them of what had just changed; %" PRIu64
		" inputs\n",
		sum.descs, (double)sum.descs / seconds, sum.chains, sum.used, sum.indirect,
		fuzz_reads, fuzz_changes, fuzz_inputs());
	fprintf(f, "faults:");
	for (k = 1; k < SVQ_QUEUE_E_MAX; k++) {
		if (sum.errors[k] != 0)
			fprintf(f, " %s %" PRIu64, svq_queue_error_name(k), sum.errors[k]);
	}
	fputc('\n', f);
}
