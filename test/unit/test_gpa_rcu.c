/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>
#include <rte_rcu_qsbr.h>

#include <svq_iova.h>

#include "autotest.h"
#include "random.h"

/*
 * Readers translate while the main thread adds, removes and publishes. A row's IOVA and memory
 * follow from its GPA, so a reader can tell any answer for right or wrong; and the writer frees a
 * row's memory once it is published away, so a translation that outlives its mapping is a use
 * after free, which the readers provoke by reading through it.
 */

#define N_READERS    2
#define N_ROWS	     24
#define SIZE	     256   /* bytes a row */
#define ROUNDS	     20000 /* at most */
#define SECONDS	     2	   /* at most: a publish waits for a reader that may not be running */
#define IOVA_OF(gpa) ((gpa) + UINT64_C(0x100000000))

struct shared {
	struct rte_rcu_qsbr *qsbr;
	struct svq_gpa_table *table;
	atomic_bool stop;
	pthread_barrier_t online;
};

struct reader {
	struct shared *shared;
	unsigned int id;
	uint64_t seed;
	uint64_t found;
	uint64_t bad;
	pthread_t thread;
};

/* Row i begins at i * SIZE, so rows touch. Its bytes are all i. */
static void
look_up(struct reader *r, const struct svq_gpa_map *map)
{
	uint64_t gpa[8], iova[8], done;
	uint32_t len[8];
	unsigned char byte;
	unsigned int i;

	for (i = 0; i < RTE_DIM(gpa); i++) {
		gpa[i] = random_below(&r->seed, N_ROWS * SIZE);
		len[i] = 1 + random_below(&r->seed, SIZE / 2);
	}
	done = svq_gpa_translate_burst(map, gpa, len, 0, iova, RTE_DIM(gpa));
	for (i = 0; i < RTE_DIM(gpa); i++) {
		if (!(done >> i & 1))
			continue;
		r->found++;
		r->bad += iova[i] != IOVA_OF(gpa[i]);
		r->bad += svq_gpa_read(map, gpa[i], &byte, 1) != 0 || byte != gpa[i] / SIZE;
	}
}

static void *
read_all(void *arg)
{
	struct reader *r = arg;
	struct shared *s = r->shared;

	rte_rcu_qsbr_thread_register(s->qsbr, r->id);
	rte_rcu_qsbr_thread_online(s->qsbr, r->id);
	pthread_barrier_wait(&s->online);
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		look_up(r, svq_gpa_table_map(s->table));
		rte_rcu_qsbr_quiescent(s->qsbr, r->id);
	}
	rte_rcu_qsbr_thread_offline(s->qsbr, r->id);
	rte_rcu_qsbr_thread_unregister(s->qsbr, r->id);
	return NULL;
}

static void
add(struct shared *s, unsigned int i, unsigned char **memory)
{
	struct svq_gpa_row row = {
		.gpa = i * SIZE, .size = SIZE, .iova = IOVA_OF(i * SIZE), .perm = SVQ_PERM_R};

	memory[i] = malloc(SIZE);
	memset(memory[i], (int)i, SIZE);
	row.hva = (uintptr_t)memory[i];
	CU_ASSERT_EQUAL(svq_gpa_table_add(s->table, &row), 0);
}

/* Flip a few rows, publish, and only then free the memory of what went. */
static void
change(struct shared *s, uint64_t *seed, unsigned char **memory)
{
	unsigned char *gone[4];
	unsigned int n_gone = 0, k;

	for (k = 0; k < RTE_DIM(gone); k++) {
		unsigned int i = random_below(seed, N_ROWS);

		if (memory[i] == NULL) {
			add(s, i, memory);
		} else {
			CU_ASSERT_EQUAL(svq_gpa_table_del(s->table, i * SIZE, SIZE, NULL), 0);
			gone[n_gone++] = memory[i];
			memory[i] = NULL;
		}
	}
	CU_ASSERT_EQUAL(svq_gpa_table_publish(s->table), 0);
	while (n_gone > 0) {
		n_gone--;
		memset(gone[n_gone], 0xff, SIZE);
		free(gone[n_gone]);
	}
}

static struct rte_rcu_qsbr *
create_qsbr(void)
{
	size_t size = RTE_CACHE_LINE_ROUNDUP(rte_rcu_qsbr_get_memsize(N_READERS));
	struct rte_rcu_qsbr *qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(qsbr);
	CU_ASSERT_EQUAL(rte_rcu_qsbr_init(qsbr, N_READERS), 0);
	return qsbr;
}

static void
test_readers(void)
{
	struct shared s = {.qsbr = create_qsbr()};
	struct reader readers[N_READERS];
	unsigned char *memory[N_ROWS] = {0};
	uint64_t seed = autotest_seed();
	unsigned int i;
	time_t end;

	pthread_barrier_init(&s.online, NULL, N_READERS + 1);
	CU_ASSERT_EQUAL_FATAL(svq_gpa_table_create(s.qsbr, &s.table), 0);
	for (i = 0; i < N_ROWS / 2; i++)
		add(&s, i, memory);
	for (i = 0; i < N_READERS; i++) {
		readers[i] = (struct reader){.shared = &s, .id = i, .seed = random_u64(&seed)};
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&readers[i].thread, NULL, read_all, &readers[i]), 0);
	}
	pthread_barrier_wait(&s.online);
	end = time(NULL) + SECONDS;
	for (i = 0; i < ROUNDS && time(NULL) <= end; i++)
		change(&s, &seed, memory);
	atomic_store(&s.stop, true);
	for (i = 0; i < N_READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		CU_ASSERT(readers[i].found > 0);
		CU_ASSERT_EQUAL(readers[i].bad, 0);
	}
	svq_gpa_table_destroy(s.table);
	for (i = 0; i < N_ROWS; i++)
		free(memory[i]);
	pthread_barrier_destroy(&s.online);
	free(s.qsbr);
}

static void
fill(void)
{
	autotest_add(autotest_suite("GPA table, RCU", NULL, NULL), "readers against a writer",
		test_readers);
}

REGISTER_AUTOTEST(gpa_rcu_autotest, fill)
