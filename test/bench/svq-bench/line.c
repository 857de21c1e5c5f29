/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * How far apart the two cores are: a line that both write goes back and forth. Two virtual CPUs may
 * share a cache now and lie on distant chips a moment later, as their host schedules them; whatever
 * passes from core to core then takes several times as long, for whoever is measured.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_pause.h>

#include "bench.h"
#include "line.h"

#define WARM  32
#define TRIPS 128

void
bench_line_answer(struct bench_line *line)
{
	uint32_t seen = atomic_load_explicit(&line->word, memory_order_acquire);

	if (seen % 2 != 0)
		atomic_store_explicit(&line->word, seen + 1, memory_order_release);
}

static void
go_back_and_forth(struct bench_line *line, unsigned int trips)
{
	uint32_t word = atomic_load_explicit(&line->word, memory_order_relaxed);
	unsigned int i;

	for (i = 0; i < trips; i++, word += 2) {
		atomic_store_explicit(&line->word, word + 1, memory_order_release);
		while (atomic_load_explicit(&line->word, memory_order_acquire) != word + 2)
			;
	}
}

double
bench_line_ns(struct bench_line *line)
{
	double begin;

	go_back_and_forth(line, WARM);
	begin = bench_now();
	go_back_and_forth(line, TRIPS);
	return (bench_now() - begin) / TRIPS / 2;
}

/* ---- the command ---- */

struct far_side {
	struct bench_line line;
	atomic_bool stop;
};

static void *
answer(void *arg)
{
	struct far_side *far = arg;

	while (!atomic_load_explicit(&far->stop, memory_order_relaxed))
		bench_line_answer(&far->line);
	return NULL;
}

static int
run(const struct bench_opts *opts)
{
	struct far_side *far;
	float ns[33];
	pthread_t thread;
	unsigned int i;
	int ret;

	RTE_SET_USED(opts);
	if (bench_other_core() < 0) {
		fputs("svq-bench: line: there is one core only\n", stderr);
		return -ENODEV;
	}
	far = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*far));
	if (far == NULL)
		return -ENOMEM;
	memset(far, 0, sizeof(*far));
	ret = bench_thread_create(&thread, answer, far);
	if (ret == 0)
		ret = bench_use_core();
	if (ret < 0) {
		fprintf(stderr, "svq-bench: line: %s\n", strerror(-ret));
		free(far);
		return ret;
	}
	for (i = 0; i < RTE_DIM(ns); i++)
		ns[i] = bench_line_ns(&far->line);
	atomic_store(&far->stop, true);
	pthread_join(thread, NULL);
	free(far);
	printf("%.1f\n", bench_median_of(ns, RTE_DIM(ns)));
	return 0;
}

const struct bench_command bench_line = {
	.name = "line",
	.help = "ns that a cache line takes from one core to another; over 100: they are far apart",
	.run = run,
};
