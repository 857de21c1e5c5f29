/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "bench.h"
#include "clock.h"

/* A sample is long beside reading the clock, and short beside a time slice. */
#define SAMPLE_NS 40000

double
bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double
clock_ticks_now(void)
{
	static float ticks[501];
	unsigned int i;

	for (i = 0; i < RTE_DIM(ticks); i++) {
		uint64_t begin = bench_clock();

		ticks[i] = bench_clock() - begin;
	}
	return bench_median_of(ticks, RTE_DIM(ticks));
}

/* The least of several moments: one at which others keep the machine busy would have all that is
 * timed come out too fast. */
double
bench_clock_ticks(void)
{
	static double least;
	unsigned int i;

	if (least != 0)
		return least;
	for (i = 0; i < 20; i++) {
		double ticks = clock_ticks_now();

		least = i == 0 ? ticks : RTE_MIN(least, ticks);
		usleep(5000);
	}
	return least;
}

static double
time_ns(const struct bench_subject *s, unsigned int n)
{
	uint64_t begin = rte_rdtsc_precise(), end;

	s->run(s->arg, n);
	end = rte_rdtsc_precise();
	return (double)(end - begin) * 1e9 / rte_get_tsc_hz();
}

static void
nothing(void *arg, unsigned int n)
{
	RTE_SET_USED(arg);
	RTE_SET_USED(n);
}

/* What reading the clock adds to a sample. */
static double
clock_cost(void)
{
	static const struct bench_subject idle = {.run = nothing};
	double best = 1e12;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		double ns = time_ns(&idle, 0);

		best = RTE_MIN(best, ns);
	}
	return best;
}

/* How many operations make a sample. */
static unsigned int
calibrate(const struct bench_run *run, const struct bench_subject *s)
{
	double best = 1e12;
	unsigned int i;
	uint64_t n;

	for (i = 0; i < 5; i++) {
		double ns = time_ns(s, run->step);

		best = RTE_MIN(best, ns);
	}
	n = (uint64_t)(SAMPLE_NS / RTE_MAX(best, 1.0)) * run->step;
	n = RTE_MIN(n, run->max / run->step * run->step);
	return RTE_MAX(n, run->step);
}

/* Nobody always follows the same one. */
void
bench_shuffle(unsigned int *order, unsigned int n)
{
	unsigned int i;

	for (i = n; i > 1; i--) {
		unsigned int k = bench_random_below(i), other = order[i - 1];

		order[i - 1] = order[k];
		order[k] = other;
	}
}

int
bench_samples_alloc(struct bench_samples *samples, unsigned int n_subjects, unsigned int rounds)
{
	*samples = (struct bench_samples){.n_subjects = n_subjects, .rounds = rounds};
	samples->ns = calloc((size_t)n_subjects * rounds, sizeof(*samples->ns));
	return samples->ns != NULL ? 0 : -ENOMEM;
}

int
bench_measure(const struct bench_run *run, struct bench_samples *samples)
{
	unsigned int *n = calloc(run->n_subjects, 2 * sizeof(*n)), *order = n + run->n_subjects;
	double clock_ns = clock_cost();
	unsigned int round, i;

	if (n == NULL || bench_samples_alloc(samples, run->n_subjects, run->rounds) < 0) {
		free(n);
		return -ENOMEM;
	}
	if (run->prepare != NULL)
		run->prepare(run->arg);
	for (i = 0; i < run->n_subjects; i++) {
		n[i] = calibrate(run, &run->subjects[i]);
		order[i] = i;
	}
	for (round = 0; round < run->rounds; round++) {
		if (run->prepare != NULL)
			run->prepare(run->arg);
		bench_shuffle(order, run->n_subjects);
		for (i = 0; i < run->n_subjects; i++) {
			unsigned int k = order[i];
			const struct bench_subject *s = &run->subjects[k];

			/* The one before has left its own data in the caches. */
			if (s->warm != NULL)
				s->warm(s->arg, n[k]);
			samples->ns[(size_t)k * run->rounds + round] =
				RTE_MAX(time_ns(s, n[k]) - clock_ns, 0.0) / n[k];
		}
	}
	free(n);
	return 0;
}

void
bench_samples_free(struct bench_samples *samples)
{
	free(samples->ns);
	samples->ns = NULL;
}

static int
compare(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double
bench_median_of(float *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static const float *
of_subject(const struct bench_samples *samples, unsigned int subject)
{
	return &samples->ns[(size_t)subject * samples->rounds];
}

double
bench_min(const struct bench_samples *samples, unsigned int subject)
{
	const float *ns = of_subject(samples, subject);
	float min = ns[0];
	unsigned int i;

	for (i = 1; i < samples->rounds; i++)
		min = RTE_MIN(min, ns[i]);
	return min;
}

/* Median of x, or of x / y, over the rounds. */
static double
median(const struct bench_samples *samples, const float *x, const float *y)
{
	float *values = malloc(samples->rounds * sizeof(*values));
	double ret;
	unsigned int i;

	if (values == NULL)
		return 0;
	for (i = 0; i < samples->rounds; i++)
		values[i] = y != NULL ? x[i] / y[i] : x[i];
	ret = bench_median_of(values, samples->rounds);
	free(values);
	return ret;
}

double
bench_median(const struct bench_samples *samples, unsigned int subject)
{
	return median(samples, of_subject(samples, subject), NULL);
}

double
bench_ratio(const struct bench_samples *samples, unsigned int a, unsigned int b)
{
	return median(samples, of_subject(samples, a), of_subject(samples, b));
}

uint64_t
bench_random(void)
{
	static uint64_t state = 1;
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
bench_random_below(uint64_t n)
{
	return bench_random() % n;
}
