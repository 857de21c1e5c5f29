/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "pair.h"

/* Buffers: more than rings and loop hold; addresses of a direction: more than its ring holds. */
#define BUFFERS 1024
#define POOL	512
/* As mbufs lie: the frame begins a cache line, its header ends the one before. */
#define FIRST  ((1u << 20) + 128 - RELAY_HEADER)
#define STRIDE 2368
#define BUFFER 2048
#define BURST  32
/* Packets that go round at once. */
#define ROUND 128

uint64_t
pair_guest_ring(unsigned int queue)
{
	return queue * UINT64_C(0x10000);
}

/* On a hugepage if there is one, as guests are. */
static int
map_memory(struct pair_guest *g)
{
	unsigned int huge;

	for (huge = 1;; huge--) {
		g->fd = memfd_create(
			"guest", MFD_CLOEXEC | (huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0));
		if (g->fd >= 0 && ftruncate(g->fd, PAIR_MEMORY) == 0) {
			g->memory = mmap(
				NULL, PAIR_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
			if (g->memory != MAP_FAILED)
				return 0;
		}
		if (g->fd >= 0)
			close(g->fd);
		g->fd = -1;
		g->memory = NULL;
		if (huge == 0)
			return -ENOMEM;
	}
}

/* Where the address of a direction's chain stands, by the number of chains before it. */
static uint64_t *
place(struct pair_guest *g, const struct relay_driver *d, unsigned int chain)
{
	return &g->gpa[(d == &g->rx ? 0 : POOL) + (chain & (POOL - 1))];
}

int
pair_guest_open(struct pair_guest *g, const struct pair_case *conf)
{
	struct relay_buffers buffers = {.n = POOL};
	struct relay_ring ring;
	unsigned int order[BUFFERS], i;
	int ret;

	*g = (struct pair_guest){.conf = conf};
	ret = map_memory(g);
	if (ret < 0)
		return ret;
	g->gpa = malloc((2 * POOL + BUFFERS) * sizeof(*g->gpa));
	if (g->gpa == NULL)
		return -ENOMEM;
	g->pool = g->gpa + 2 * POOL;
	for (i = 0; i < BUFFERS; i++)
		order[i] = i;
	bench_shuffle(order, BUFFERS);
	for (i = 0; i < BUFFERS; i++)
		g->pool[i] = FIRST + (uint64_t)order[i] * STRIDE;
	g->n_pool = BUFFERS;
	buffers.memory = g->memory;
	buffers.gpa = g->gpa;
	buffers.len = BUFFER;
	buffers.used_len = RELAY_HEADER + conf->bytes;
	buffers.writable = true;
	relay_ring_init(&ring, g->memory + pair_guest_ring(0), PAIR_RING, conf->packed);
	relay_driver_init(&g->rx, &ring, &buffers, 1, false);
	buffers.gpa += POOL;
	buffers.len = RELAY_HEADER + conf->bytes;
	buffers.used_len = 0;
	buffers.writable = false;
	relay_ring_init(&ring, g->memory + pair_guest_ring(1), PAIR_RING, conf->packed);
	relay_driver_init(&g->tx, &ring, &buffers, 1, false);
	/* What goes round. */
	while (conf->loopback && g->ready < ROUND)
		*place(g, &g->tx, g->ready++) = g->pool[--g->n_pool];
	/* Frames for a MAC address that does not matter, from another one. */
	for (i = 0; i < BUFFERS; i++)
		memset(g->memory + FIRST + i * STRIDE + RELAY_HEADER, 0x02, conf->bytes);
	return 0;
}

void
pair_guest_close(struct pair_guest *g)
{
	free(g->gpa);
	if (g->memory != NULL)
		munmap(g->memory, PAIR_MEMORY);
	if (g->fd >= 0)
		close(g->fd);
}

/* Send what was received, or, where nothing comes back, from the pool. */
static void
send(struct pair_guest *g, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && !g->conf->loopback; i++)
		*place(g, &g->tx, g->tx.posted + i) = g->pool[--g->n_pool];
	n = relay_driver_post(&g->tx, n);
	g->sent += n;
}

/* What came goes out again: its buffers are put where those to send are taken from. */
static void
receive(struct pair_guest *g)
{
	unsigned int from = g->rx.reaped, n = relay_driver_reap(&g->rx, BURST), i;

	for (i = 0; i < n; i++)
		*place(g, &g->tx, g->ready++) = *place(g, &g->rx, from + i);
	g->received += n;
}

void
pair_guest_run(struct pair_guest *g)
{
	unsigned int from = g->tx.reaped, n, i;

	receive(g);
	/* The buffers that were used last are taken first, as from a mempool's cache. */
	n = relay_driver_reap(&g->tx, BURST);
	for (i = 0; i < n; i++)
		g->pool[g->n_pool++] = *place(g, &g->tx, from + i);
	n = g->tx.chains - (g->tx.posted - g->tx.reaped);
	if (g->conf->loopback)
		send(g, RTE_MIN(g->ready - g->tx.posted, (unsigned int)BURST));
	else if (n >= BURST)
		send(g, BURST);
	if (g->rx.chains - (g->rx.posted - g->rx.reaped) >= BURST) {
		for (i = 0; i < BURST; i++)
			*place(g, &g->rx, g->rx.posted + i) = g->pool[--g->n_pool];
		relay_driver_post(&g->rx, BURST);
	}
}
