/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * rte_hash keyed by the number of a 2 MiB frame of guest memory, one address at a time and in
 * bulk. It serves layouts in which no frame holds two rows, as these here are.
 */

#include <stdlib.h>

#include <rte_errno.h>
#include <rte_hash.h>

#include "iova.h"

#define FRAME_SHIFT 21

struct hash {
	struct rte_hash *table;
	struct svq_gpa_row rows[IOVA_ROWS_MAX];
};

static void
destroy(void *ctx)
{
	struct hash *hash = ctx;

	rte_hash_free(hash->table);
	free(hash);
}

static uint64_t
frames(const struct svq_gpa_row *row)
{
	return (row->size + (1 << FRAME_SHIFT) - 1) >> FRAME_SHIFT;
}

static void *
create(const struct iova_layout *layout)
{
	/* The table's name must be one of its own. */
	static unsigned int count;
	char name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters params = {
		.name = name, .key_len = sizeof(uint64_t), .socket_id = SOCKET_ID_ANY};
	struct hash *hash = calloc(1, sizeof(*hash));
	uint64_t frame, k;
	unsigned int i;
	int ret = 0;

	if (hash == NULL)
		return NULL;
	snprintf(name, sizeof(name), "frames%u", count++);
	/* Room to spare: a full table evades to other buckets. */
	for (i = 0; i < layout->n; i++)
		params.entries += 2 * frames(&layout->rows[i]);
	hash->table = rte_hash_create(&params);
	if (hash->table == NULL) {
		fprintf(stderr, "svq-bench: rte_hash of %u frames: %s\n", params.entries,
			rte_strerror(rte_errno));
		free(hash);
		return NULL;
	}
	for (i = 0; i < layout->n; i++) {
		hash->rows[i] = layout->rows[i];
		frame = layout->rows[i].gpa >> FRAME_SHIFT;
		for (k = 0; k < frames(&layout->rows[i]) && ret == 0; k++, frame++)
			ret = rte_hash_add_key_data(hash->table, &frame, &hash->rows[i]);
	}
	if (ret < 0) {
		destroy(hash);
		return NULL;
	}
	return hash;
}

/* Whether the buffer lies in the row, and where the device finds it. */
static inline uint64_t
check(const struct svq_gpa_row *row, uint64_t gpa, uint32_t len, uint64_t *iova)
{
	uint64_t off = gpa - row->gpa;

	*iova = row->iova + off;
	return (off < row->size) & (len <= row->size - off) & (len > 0);
}

static uint64_t
burst(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	const struct hash *hash = ctx;
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint64_t frame = gpa[i] >> FRAME_SHIFT;
		void *row;

		if (rte_hash_lookup_data(hash->table, &frame, &row) < 0)
			continue;
		done |= check(row, gpa[i], len[i], &iova[i]) << i;
	}
	return done;
}

static uint64_t
burst_bulk(void *ctx, const uint64_t *gpa, const uint32_t *len, uint64_t *iova, unsigned int n)
{
	uint64_t frame[RTE_HASH_LOOKUP_BULK_MAX], hits = 0, done = 0;
	const void *key[RTE_HASH_LOOKUP_BULK_MAX];
	void *row[RTE_HASH_LOOKUP_BULK_MAX];
	const struct hash *hash = ctx;
	unsigned int i;

	for (i = 0; i < n; i++) {
		frame[i] = gpa[i] >> FRAME_SHIFT;
		key[i] = &frame[i];
	}
	rte_hash_lookup_bulk_data(hash->table, key, n, &hits, row);
	for (i = 0; i < n; i++) {
		if (hits >> i & 1)
			done |= check(row[i], gpa[i], len[i], &iova[i]) << i;
	}
	return done;
}

const struct iova_method iova_rte_hash = {"rte_hash", create, destroy, burst};
const struct iova_method iova_rte_hash_bulk = {"rte_hash bulk", create, destroy, burst_bulk};
