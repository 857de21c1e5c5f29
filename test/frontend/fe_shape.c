/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fe_shape.h"

/* Most bytes left out before a buffer, so that buffers begin at any alignment. */
#define GAP	     15u
#define HEADER_PARTS 4u

uint64_t
fe_shape_bytes(const struct fe_net_conf *conf, uint32_t len)
{
	return 16 + (sizeof(struct fe_desc) + GAP) * conf->max_parts + len;
}

static unsigned int
min_uint(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Cut @p len bytes into @p n parts of at least one byte. */
static void
cut(struct fe_seg *segs, unsigned int n, uint32_t len, uint64_t *random)
{
	uint32_t most;

	for (; n > 1; n--, segs++) {
		most = 2 * (len / n);
		if (most > len - (n - 1))
			most = len - (n - 1);
		segs->len = fe_random_in(random, 1, most > 0 ? most : 1);
		len -= segs->len;
	}
	segs->len = len;
}

/* Cut the header off into buffers of its own. @return how many. */
static unsigned int
cut_header(struct fe_seg *segs, enum fe_header_shape shape, uint32_t hdr, unsigned int max_parts,
	uint64_t *random)
{
	unsigned int n;

	if (shape == FE_HEADER_ANY)
		shape = fe_random_in(random, FE_HEADER_SHARED, FE_HEADER_SPLIT);
	if (shape == FE_HEADER_SHARED || max_parts < 2)
		return 0;
	n = 1;
	if (shape == FE_HEADER_SPLIT && max_parts >= 3)
		n = fe_random_in(random, 2, min_uint(HEADER_PARTS, max_parts - 1));
	cut(segs, n, hdr, random);
	return n;
}

void
fe_shape(struct fe_buf *buf, const struct fe_net_conf *conf, uint64_t *random, uint32_t hdr,
	uint32_t len, unsigned int max_parts, bool write)
{
	uint64_t at = buf->at + 16 + sizeof(struct fe_desc) * conf->max_parts;
	unsigned int n, i;

	n = cut_header(buf->segs, conf->header, hdr, max_parts, random);
	if (n > 0)
		len -= hdr;
	/* A shared header leaves at least a byte for each further buffer. */
	i = fe_random_in(random, 1, min_uint(max_parts - n, n > 0 ? len : len - hdr));
	if (n == 0 && conf->header == FE_HEADER_SHARED && i > 1) {
		/* The header, and at least a byte of data, in the first buffer. */
		buf->segs[0].len = fe_random_in(random, hdr + 1, len - (i - 1));
		cut(&buf->segs[1], i - 1, len - buf->segs[0].len, random);
	} else {
		cut(&buf->segs[n], i, len, random);
	}
	buf->n_segs = n + i;
	buf->table = (buf->at + 15) & ~15ull;
	for (i = 0; i < buf->n_segs; i++) {
		at += fe_random_in(random, 0, GAP);
		buf->segs[i].gpa = at;
		buf->segs[i].write = write;
		at += buf->segs[i].len;
	}
}

static void
shuffle(unsigned int *order, unsigned int n, uint64_t *random)
{
	unsigned int i, j, t;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n; i > 1; i--) {
		j = fe_random_in(random, 0, i - 1);
		t = order[i - 1];
		order[i - 1] = order[j];
		order[j] = t;
	}
}

/* A span with @p size bytes left, chosen with a chance in proportion to what is left. */
static struct fe_span *
choose_span(struct fe_span *spans, unsigned int n, uint64_t size, uint64_t *random)
{
	uint64_t room = 0, pick;
	unsigned int i;

	for (i = 0; i < n; i++)
		room += spans[i].size >= size ? spans[i].size : 0;
	if (room == 0)
		return NULL;
	pick = fe_random(random) % room;
	for (i = 0; i < n; i++) {
		if (spans[i].size < size)
			continue;
		if (pick < spans[i].size)
			return &spans[i];
		pick -= spans[i].size;
	}
	return NULL;
}

int
fe_place(const struct fe_mem *mem, const uint64_t *sizes, unsigned int n, uint64_t *random,
	uint64_t *gpas)
{
	struct fe_span spans[FE_MAX_SPANS], *span;
	unsigned int *order = calloc(n, sizeof(*order));
	unsigned int i;
	int rc = 0;

	if (order == NULL)
		return -ENOMEM;
	memcpy(spans, mem->data, sizeof(spans));
	shuffle(order, n, random);
	for (i = 0; i < n && rc == 0; i++) {
		span = choose_span(spans, mem->n_data, sizes[order[i]], random);
		if (span == NULL) {
			rc = -ENOSPC;
			break;
		}
		gpas[order[i]] = span->gpa;
		span->gpa += sizes[order[i]];
		span->size -= sizes[order[i]];
	}
	free(order);
	return rc;
}
