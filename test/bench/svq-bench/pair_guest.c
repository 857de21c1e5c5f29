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

/* Buffers of either direction: more than a ring holds, as many as a guest has at work. */
#define POOL   512
#define FIRST  (1u << 20)
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

int
pair_guest_open(struct pair_guest *g, const struct pair_case *conf)
{
	struct relay_buffers buffers = {.n = POOL};
	struct relay_ring ring;
	unsigned int order[2 * POOL], i;
	int ret;

	*g = (struct pair_guest){.conf = conf, .credit = ROUND};
	ret = map_memory(g);
	if (ret < 0)
		return ret;
	g->gpa = malloc(2 * POOL * sizeof(*g->gpa));
	if (g->gpa == NULL)
		return -ENOMEM;
	for (i = 0; i < 2 * POOL; i++)
		order[i] = i;
	bench_shuffle(order, 2 * POOL);
	for (i = 0; i < 2 * POOL; i++)
		g->gpa[i] = FIRST + (uint64_t)order[i] * STRIDE;
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
	/* Frames for a MAC address that does not matter, from another one. */
	for (i = 0; i < POOL; i++)
		memset(g->memory + buffers.gpa[i] + RELAY_HEADER, 0x02, conf->bytes);
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

void
pair_guest_run(struct pair_guest *g)
{
	unsigned int n;

	n = relay_driver_reap(&g->rx, BURST);
	g->received += n;
	if (g->conf->loopback)
		g->credit += n;
	else
		g->credit = BURST;
	relay_driver_reap(&g->tx, BURST);
	n = g->tx.chains - (g->tx.posted - g->tx.reaped);
	if (g->conf->loopback ? g->credit != 0 : n >= BURST) {
		n = relay_driver_post(&g->tx, RTE_MIN(g->credit, (unsigned int)BURST));
		g->credit -= n;
		g->sent += n;
	}
	if (g->rx.chains - (g->rx.posted - g->rx.reaped) >= BURST)
		relay_driver_post(&g->rx, BURST);
}
