/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "iova.h"

/*
 * Addresses of a round: as many to warm up with as there are timed, so that caches and branch
 * predictors know the tables but not the addresses. Those timed are in the first-level cache, as
 * they are where a burst was just gathered.
 */
#define N_TIMED	    2048
#define N_ADDRESSES (2 * N_TIMED)
#define LEN_MAX	    1536
/* Distance of packet buffers: a mbuf with its headroom. */
#define STRIDE 2304

static const struct iova_method *const methods[] = {
	&iova_ours,
	&iova_ours_scalar,
	&iova_ours_avx512_scan,
	&iova_ours_avx512_permute,
	&iova_ours_avx512_gather,
	&iova_ours_avx2,
	&iova_ours_dir,
	&iova_ours_search,
	&iova_qemu_foreach,
	&iova_qemu_lookup,
	&iova_vhost_scan,
	&iova_rb_tree,
	&iova_rte_hash,
	&iova_rte_hash_bulk,
	&iova_floor,
};
#define N_METHODS RTE_DIM(methods)

/* Ours and the best without vectors are compared with each of the others. */
enum { OURS, SCALAR, N_OURS };

struct addresses {
	uint64_t gpa[N_ADDRESSES];
	uint32_t len[N_ADDRESSES];
};

static const struct iova_layout *layout;

static uint64_t
anywhere(const struct svq_gpa_row *row, uint32_t len)
{
	return row->gpa + bench_random_below(row->size - len);
}

static const struct svq_gpa_row *
any_row(void)
{
	return &layout->rows[bench_random_below(layout->n)];
}

static void
fill_random(struct addresses *a)
{
	unsigned int i;

	for (i = 0; i < N_ADDRESSES; i++) {
		a->len[i] = 1 + bench_random_below(LEN_MAX);
		a->gpa[i] = anywhere(any_row(), a->len[i]);
	}
}

static void
fill_sequential(struct addresses *a)
{
	const struct svq_gpa_row *row = any_row();
	uint64_t off = bench_random_below(row->size);
	unsigned int i;

	for (i = 0; i < N_ADDRESSES; i++) {
		if (off > row->size - LEN_MAX)
			off = 0;
		a->len[i] = LEN_MAX;
		a->gpa[i] = row->gpa + off;
		off += STRIDE;
	}
}

static void
fill_alternating(struct addresses *a)
{
	const struct svq_gpa_row *row[2] = {any_row(), any_row()};
	unsigned int i;

	while (row[1] == row[0])
		row[1] = any_row();
	for (i = 0; i < N_ADDRESSES; i++) {
		a->len[i] = i % 2 == 0 ? 12 : LEN_MAX;
		a->gpa[i] = anywhere(row[i % 2], a->len[i]);
	}
}

static struct pattern {
	const char *name;
	void (*fill)(struct addresses *a);
	unsigned int rounds;
	struct addresses addresses;
} patterns[] = {
	{"random", fill_random, 4000},
	{"sequential", fill_sequential, 2000},
	{"alternating", fill_alternating, 2000},
};
#define N_PATTERNS RTE_DIM(patterns)

struct subject {
	const struct iova_method *method;
	void *ctx;
	const struct addresses *addresses;
};

static void
translate(const struct subject *s, unsigned int first, unsigned int n)
{
	const struct addresses *a = s->addresses;
	uint64_t iova[IOVA_BURST];
	unsigned int i;

	for (i = first; i < first + n; i += IOVA_BURST) {
		s->method->burst(s->ctx, &a->gpa[i], &a->len[i], iova, IOVA_BURST);
		/* The compiler must believe that somebody reads the addresses. */
		__asm__ volatile("" : : "r"(iova) : "memory");
	}
}

static void
run_subject(void *arg, unsigned int n)
{
	translate(arg, 0, n);
}

static void
warm_subject(void *arg, unsigned int n)
{
	const struct subject *s = arg;
	unsigned int i;

	translate(s, N_TIMED, n);
	for (i = 0; i < n; i++)
		__asm__ volatile("" : : "r"(s->addresses->gpa[i]), "r"(s->addresses->len[i]));
}

/* A time is worth nothing if the answers are wrong. */
static int
verify(const struct subject *s)
{
	const struct addresses *a = s->addresses;
	uint64_t iova[IOVA_BURST] = {0}, want[IOVA_BURST] = {0}, done;
	unsigned int i, k, r;

	for (i = 0; i < N_ADDRESSES; i += IOVA_BURST) {
		for (k = 0; k < IOVA_BURST; k++) {
			for (r = 0; r < layout->n; r++) {
				const struct svq_gpa_row *row = &layout->rows[r];

				if (a->gpa[i + k] - row->gpa < row->size)
					want[k] = row->iova + (a->gpa[i + k] - row->gpa);
			}
		}
		done = s->method->burst(s->ctx, &a->gpa[i], &a->len[i], iova, IOVA_BURST);
		if (s->method != &iova_floor &&
			(done != UINT32_MAX || memcmp(iova, want, sizeof(want)) != 0)) {
			fprintf(stderr, "svq-bench: %s translates wrongly at %s regions\n",
				s->method->name, layout->name);
			return -EINVAL;
		}
	}
	return 0;
}

static void
report(const char *pattern, const struct bench_run *run, const struct bench_samples *samples,
	struct bench_json *json)
{
	unsigned int i, k;

	printf("\n%s regions (%s), %s addresses\n", layout->name, layout->what, pattern);
	printf("  %-22s %9s %9s %12s %12s\n", "", "min ns", "median ns", "/ ours", "/ scalar");
	for (i = 0; i < run->n_subjects; i++)
		printf("  %-22s %9.2f %9.2f %12.2f %12.2f\n", run->subjects[i].name,
			bench_min(samples, i), bench_median(samples, i),
			bench_ratio(samples, i, OURS), bench_ratio(samples, i, SCALAR));
	for (k = 0; k < N_OURS; k++) {
		for (i = k + 1; i < run->n_subjects; i++) {
			char name[64];

			snprintf(name, sizeof(name), "%s %s%s", pattern, layout->name,
				k == SCALAR ? " scalar" : "");
			bench_json_row(json,
				"\"name\": \"%s\", \"ours_ns\": %.3f, \"ours_min_ns\": %.3f, "
				"\"peer\": \"%s\", \"peer_ns\": %.3f, \"peer_min_ns\": %.3f, "
				"\"ratio\": %.3f",
				name, bench_median(samples, k), bench_min(samples, k),
				run->subjects[i].name, bench_median(samples, i),
				bench_min(samples, i), bench_ratio(samples, i, k));
			iova_reached(name, run->subjects[i].name, bench_ratio(samples, i, k));
		}
	}
}

static void
fill_one(void *arg)
{
	struct pattern *p = arg;

	p->fill(&p->addresses);
}

static int
bench_pattern(const struct bench_opts *opts, struct pattern *p, struct subject *s, unsigned int n,
	struct bench_json *json)
{
	struct bench_subject subjects[N_METHODS];
	struct bench_run run = {
		.subjects = subjects,
		.n_subjects = n,
		.rounds = p->rounds / (opts->quick ? 10 : 1),
		.step = IOVA_BURST,
		.max = N_TIMED,
		.prepare = fill_one,
		.arg = p,
	};
	struct bench_samples samples;
	unsigned int i;
	int ret = 0;

	p->fill(&p->addresses);
	for (i = 0; i < n && ret == 0; i++) {
		s[i].addresses = &p->addresses;
		subjects[i] =
			(struct bench_subject){s[i].method->name, warm_subject, run_subject, &s[i]};
		ret = verify(&s[i]);
	}
	if (ret < 0 || opts->check)
		return ret;
	ret = bench_measure(&run, &samples);
	if (ret < 0)
		return ret;
	report(p->name, &run, &samples, json);
	bench_samples_free(&samples);
	return 0;
}

static void
fill_all(void *arg)
{
	unsigned int i;

	RTE_SET_USED(arg);
	for (i = 0; i < N_PATTERNS; i++)
		patterns[i].fill(&patterns[i].addresses);
}

/* Ours with itself, on the patterns in turn: does any cost more than another? */
static int
compare_patterns(const struct bench_opts *opts, const struct subject *ours, struct bench_json *json)
{
	struct bench_subject subjects[N_PATTERNS];
	struct subject s[N_PATTERNS];
	struct bench_run run = {
		.subjects = subjects,
		.n_subjects = N_PATTERNS,
		.rounds = patterns[0].rounds / (opts->quick ? 10 : 1),
		.step = IOVA_BURST,
		.max = N_TIMED,
		.prepare = fill_all,
	};
	struct bench_samples samples;
	char name[64];
	unsigned int i;
	int ret;

	for (i = 0; i < N_PATTERNS; i++) {
		s[i] = *ours;
		s[i].addresses = &patterns[i].addresses;
		subjects[i] =
			(struct bench_subject){patterns[i].name, warm_subject, run_subject, &s[i]};
	}
	ret = bench_measure(&run, &samples);
	if (ret < 0)
		return ret;
	printf("\n%s regions, ours, beside random:", layout->name);
	snprintf(name, sizeof(name), "ours %s", layout->name);
	for (i = 1; i < N_PATTERNS; i++) {
		double ratio = bench_ratio(&samples, i, 0);

		printf(" %s %.2f", patterns[i].name, ratio);
		bench_json_row(json,
			"\"name\": \"%s\", \"ours_ns\": %.3f, \"peer\": \"%s\", "
			"\"peer_ns\": %.3f, \"ratio\": %.3f",
			name, bench_median(&samples, 0), patterns[i].name,
			bench_median(&samples, i), ratio);
		iova_reached(name, patterns[i].name, ratio);
	}
	putchar('\n');
	bench_samples_free(&samples);
	return 0;
}

static int
bench_layout(const struct bench_opts *opts, struct bench_json *json)
{
	struct subject subjects[N_METHODS];
	unsigned int i, n = 0, p;
	int ret = 0;

	for (i = 0; i < N_METHODS; i++) {
		subjects[n] =
			(struct subject){.method = methods[i], .ctx = methods[i]->create(layout)};
		if (subjects[n].ctx != NULL)
			n++;
		else if (i < N_OURS)
			ret = -ENOMEM;
	}
	for (p = 0; p < N_PATTERNS && ret == 0; p++)
		ret = bench_pattern(opts, &patterns[p], subjects, n, json);
	if (ret == 0 && !opts->check)
		ret = compare_patterns(opts, &subjects[OURS], json);
	for (i = 0; i < n; i++)
		subjects[i].method->destroy(subjects[i].ctx);
	return ret;
}

int
iova_bench_lookup(const struct bench_opts *opts, struct bench_json *json)
{
	static struct iova_layout guest;
	unsigned int i;
	int ret = 0;

	if (!opts->check)
		puts("== lookup: ns each, in bursts of 32, with the bounds check");
	bench_json_array(json, "cases");
	layout = &guest;
	for (i = 0; i < iova_n_layouts && ret == 0; i++) {
		ret = iova_layout(i, &guest);
		if (ret == 0)
			ret = bench_layout(opts, json);
	}
	return ret;
}
