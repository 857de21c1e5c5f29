/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef BENCH_H
#define BENCH_H

/**
 * @file
 * What the benchmarks share.
 *
 * Concepts
 *
 * A command compares subjects, ours and its peers, that do the same work. They are timed in turn,
 * within each of many short rounds, so that whatever the machine does besides hits all of them; a
 * ratio is the median of the rounds' ratios. Figures go to a table on stdout and, if asked for, to
 * a JSON file.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct bench_opts {
	bool quick;	  /* fewer rounds: figures are rougher */
	bool check;	  /* only see that the subjects agree; time nothing */
	const char *json; /* file to write, or NULL */
};

struct bench_command {
	const char *name;
	const char *help;    /* one line */
	const char *options; /* lines on its own options, or NULL */
	/** Options of its own, as getopt_long()'s, ended by a zero entry; may be NULL. */
	const struct option *longopts;
	/** One of them. @return 0; -EINVAL, which is said. */
	int (*option)(int val, const char *arg);
	int (*run)(const struct bench_opts *opts);
};

extern const struct bench_command bench_iova, bench_relay, bench_pair, bench_e2e, bench_line;

struct bench_json;

/* ---- Measuring ---- */

/** Something to be timed. */
struct bench_subject {
	const char *name;
	/** Called before each sample, untimed, with its n; may be NULL. */
	void (*warm)(void *arg, unsigned int n);
	/** Do n operations; n is a multiple of the run's step, at most its max. */
	void (*run)(void *arg, unsigned int n);
	void *arg;
};

struct bench_run {
	const struct bench_subject *subjects;
	unsigned int n_subjects;
	unsigned int rounds;
	unsigned int step; /* operations that are done at once */
	unsigned int max;  /* most operations in a sample */
	/** Called before each round, untimed; may be NULL. */
	void (*prepare)(void *arg);
	void *arg;
};

/** Nanoseconds an operation, of each subject in each round. */
struct bench_samples {
	unsigned int n_subjects;
	unsigned int rounds;
	float *ns;
};

/** @return 0; -ENOMEM. */
int
bench_samples_alloc(struct bench_samples *samples, unsigned int n_subjects, unsigned int rounds);
/** @return 0; -ENOMEM. */
int bench_measure(const struct bench_run *run, struct bench_samples *samples);
void bench_samples_free(struct bench_samples *samples);
double bench_min(const struct bench_samples *samples, unsigned int subject);
double bench_median(const struct bench_samples *samples, unsigned int subject);
/** How many times what @p b costs @p a costs: the median over the rounds. */
double bench_ratio(const struct bench_samples *samples, unsigned int a, unsigned int b);
double bench_median_of(float *values, unsigned int n);

/** What is timed while another core works with it. */
struct bench_sides {
	/** A round of what is timed; @p busy: there was something to do. @return operations done.
	 */
	unsigned int (*near)(void *arg, bool *busy);
	/** A round of the other core. */
	void (*far)(void *arg);
	void *arg;
};

struct bench_flaws {
	unsigned int disturbed; /**< samples in which a core was lost */
	unsigned int apart;	/**< in which the cores were far apart */
	double line_ns;		/**< median of what a line took from core to core */
};

/**
 * Time several in turn: the near side runs here, the far side on bench_other_core(). A sample in
 * which either has lost its core to another program is taken again, and so is one in which the two
 * cores were far apart (line.h), as long as there is hope.
 *
 * @param[out] samples
 *   Nanoseconds an operation.
 * @param[out] busy
 *   Of these, those in rounds that did something.
 * @param[out] flaws
 *   What is wrong with the samples all the same.
 * @return 0; -ENOMEM.
 */
int bench_measure_two_cores(const struct bench_sides *sides, unsigned int n, unsigned int rounds,
	struct bench_samples *samples, struct bench_samples *busy, struct bench_flaws *flaws);

/** Say it, unless there is nothing to be said. */
void bench_flaws_report(const struct bench_flaws *flaws, const struct bench_samples *samples);

/** TSC ticks that two bench_clock() add to what lies between: the rule, not the exception. */
double bench_clock_ticks(void);
/** Clock in nanoseconds, for what takes longer than a sample. */
double bench_now(void);

/* ---- Random numbers: cheap, and repeatable ---- */

uint64_t bench_random(void);
uint64_t bench_random_below(uint64_t n);
/** Put the numbers of an array into random order. */
void bench_shuffle(unsigned int *order, unsigned int n);

/* ---- What is to be reached ---- */

/** A figure that the project wants to be at least, or at most, so much. */
struct bench_target {
	const char *name;
	const char *peer;
	bool at_most;
	double want;
	double reached;
	bool measured;
};

/** A figure, which may be one of the targets. */
void bench_reached(struct bench_target *targets, unsigned int n, const char *name, const char *peer,
	double value);
/** Say what was to be reached, and what was. */
void bench_targets(const struct bench_target *targets, unsigned int n, struct bench_json *json);

/* ---- JSON: an object of arrays of flat objects ---- */

/** @return NULL if @p path is, or if the file cannot be created, which is then said. */
struct bench_json *bench_json_open(const char *path, const char *command);
void bench_json_array(struct bench_json *json, const char *name);
/** A member: fmt makes its fields, as `"name": "x", "ns": 1.0`. NULL json: nothing is written. */
void
bench_json_row(struct bench_json *json, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** @return 0; -EIO, which is said: the file is not whole. */
int bench_json_close(struct bench_json *json);

/* ---- DPDK ---- */

/** Start EAL on one core without devices; with hugepages if asked for and free. @return 0; -EIO. */
int bench_eal_init(bool hugepages);
/** Cores that the process may use. */
unsigned int bench_n_cores(void);
/** One of them that EAL does not run on, or -1: there is none. */
int bench_other_core(void);
/** Stay on the core that EAL would run on. @return 0; a negative errno. */
int bench_use_core(void);
/** Start a thread on the other core. @return 0; a negative errno. */
int bench_thread_create(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif /* BENCH_H */
