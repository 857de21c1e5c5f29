/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <inttypes.h>

#include <rte_common.h>

#include "dma_priv.h"

#define ADDR "0x%016" PRIx64

struct dump {
	FILE *f;
	bool any;
	uint64_t last; /* of the aperture before */
	const struct svq_guest_row *rows;
	unsigned int n_rows;
};

struct size_text {
	char text[24];
};

/* The largest unit that divides the size, unless that makes a long number. */
static struct size_text
size_text(uint64_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	struct size_text out;
	double rounded = (double)size;
	unsigned int unit = 0;
	uint64_t n = size;

	while (n != 0 && n % 1024 == 0) {
		n /= 1024;
		unit++;
	}
	if (n < 10000000) {
		snprintf(out.text, sizeof(out.text), "%" PRIu64 " %s", n, units[unit]);
		return out;
	}
	for (unit = 0; rounded >= 1024; unit++)
		rounded /= 1024;
	snprintf(out.text, sizeof(out.text), "%.1f %s", rounded, units[unit]);
	return out;
}

static void
dump_range(FILE *f, uint64_t first, uint64_t last, const char *note)
{
	fprintf(f, "  " ADDR "  " ADDR "  %14s%s\n", first, last, size_text(last - first + 1).text,
		note);
}

static void
dump_aperture(const struct svq_iova_range *range, void *arg)
{
	struct dump *dump = arg;

	if (dump->any)
		dump_range(dump->f, dump->last + 1, range->first - 1, "  hole");
	dump_range(dump->f, range->first, range->last, "");
	dump->any = true;
	dump->last = range->last;
}

static void
dump_apertures(const struct svq_dma *dma, FILE *f)
{
	struct svq_iova_alloc_info info;
	struct dump dump = {.f = f};

	svq_iova_alloc_info(dma->alloc, &info);
	fprintf(f, "IOVA apertures of %s: %u, granule %s\n", dma->dev->name, info.n_apertures,
		size_text(dma->dev->info.granule).text);
	fprintf(f, "  %-18s  %-18s  %14s\n", "first", "last", "size");
	svq_iova_alloc_apertures(dma->alloc, dump_aperture, &dump);
	fprintf(f, "  %u ranges in use, %s; free %s; largest gap %s\n", info.n_used,
		size_text(info.used_bytes).text, size_text(info.free_bytes).text,
		size_text(info.largest_gap).text);
}

static const struct svq_guest_row *
find_guest_row(const struct dump *dump, const struct svq_gpa_row *row)
{
	unsigned int i;

	for (i = 0; i < dump->n_rows; i++) {
		if (dump->rows[i].gpa == row->gpa && dump->rows[i].size == row->size)
			return &dump->rows[i];
	}
	return NULL;
}

static const struct svq_guest_row *
find_alias(const struct dump *dump, const struct svq_guest_row *row)
{
	unsigned int i;

	for (i = 0; i < dump->n_rows; i++) {
		if (svq_guest_rows_alias(&dump->rows[i], row))
			return &dump->rows[i];
	}
	return NULL;
}

static void
dump_guest_row(const struct svq_gpa_row *row, void *arg)
{
	struct dump *dump = arg;
	const struct svq_guest_row *in = find_guest_row(dump, row);
	const struct svq_guest_row *alias = in != NULL ? find_alias(dump, in) : NULL;

	dump->any = true;
	fprintf(dump->f, "  " ADDR "  %14s  " ADDR "  " ADDR, row->gpa, size_text(row->size).text,
		row->iova, row->hva);
	if (in != NULL)
		fprintf(dump->f, "  %4" PRIu32 "  %6s", in->file, size_text(in->page).text);
	if (alias != NULL)
		fprintf(dump->f, "  alias of 0x%" PRIx64, alias->gpa);
	fputc('\n', dump->f);
}

static const char *
perm_text(uint32_t perm)
{
	static const char *const text[] = {"-", "r", "w", "rw"};

	return text[perm & SVQ_PERM_RW];
}

static void
dump_host_row(const struct svq_hva_row *row, void *arg)
{
	struct dump *dump = arg;

	dump->any = true;
	fprintf(dump->f, "  " ADDR "  %14s  " ADDR "  %s\n", row->iova, size_text(row->size).text,
		row->hva, perm_text(row->perm));
}

void
svq_dma_dump(const struct svq_dma *dma, const struct svq_guest *guest, FILE *f)
{
	struct dump dump = {.f = f};

	dump_apertures(dma, f);

	if (guest != NULL)
		dump.n_rows = svq_guest_rows(guest, &dump.rows);
	fprintf(f, "Guest memory\n  %-18s  %14s  %-18s  %-18s  %4s  %6s\n", "GPA", "size", "IOVA",
		"HVA", "file", "page");
	svq_gpa_table_walk(dma->guest, dump_guest_row, &dump);
	if (!dump.any)
		fprintf(f, "  none\n");

	dump.any = false;
	fprintf(f, "Host-only memory\n  %-18s  %14s  %-18s  %s\n", "IOVA", "size", "HVA", "perm");
	svq_hva_tree_walk(dma->host, dump_host_row, &dump);
	if (!dump.any)
		fprintf(f, "  none\n");
}
