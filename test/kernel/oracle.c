/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Linux's virtqueue driver as the guest of the relay, a device that is driven by hand behind it:
 * each buffer arrives whole, comes back once, with the bytes and the length that the device wrote,
 * and no call is missing that the driver has asked for.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "kernel_guest.h"
#include "random.h"
#include "relay_bed.h"

#define ARENA  (32ul << 20)
#define SLOTS  512u
#define BUFFER 256u
#define MOST   8u
#define BIT(n) (UINT64_C(1) << (n))

#define must(cond)                                                                            \
	do {                                                                                  \
		if (!(cond)) {                                                                \
			fprintf(stderr, "%s:%d: %s (%s)\n", __func__, __LINE__, #cond, what); \
			exit(1);                                                              \
		}                                                                             \
	} while (0)

static char what[80];
static struct bed b;
static uint8_t *arena;
static size_t arena_used;
static void *arena_free[64]; /* by the power of two that holds it */
static uint64_t state;

struct slot {
	bool given, taken, returned;
	uint32_t out, in, written;
	uint64_t serial;
	uint8_t *mem;
};
static struct slot slots[SLOTS];
static uint64_t serial;
static struct {
	uint16_t head;
	unsigned int slot;
	uint8_t *in[MOST];
	uint32_t in_len[MOST];
	unsigned int n_in;
} held[1024];
static unsigned int n_held;

static unsigned int
below(unsigned int n)
{
	return (unsigned int)random_below(&state, n);
}

static unsigned int
class_of(unsigned long size)
{
	return 64 - (unsigned int)__builtin_clzl(RTE_MAX(size, 64ul) - 1);
}

/* Whole pages are aligned to pages. */
void *
guest_malloc(unsigned long size)
{
	unsigned int c = class_of(size);
	void *p = arena_free[c];

	if (p != NULL) {
		arena_free[c] = *(void **)p;
		return p;
	}
	arena_used = RTE_ALIGN_CEIL(arena_used + 64, size >= 4096 ? 4096ul : 64ul);
	must(arena_used + (1ul << c) <= ARENA);
	p = arena + arena_used;
	*(unsigned int *)RTE_PTR_SUB(p, 64) = c;
	arena_used += 1ul << c;
	return p;
}

void
guest_free(void *p)
{
	unsigned int c;

	if (p == NULL)
		return;
	c = *(unsigned int *)RTE_PTR_SUB(p, 64);
	*(void **)p = arena_free[c];
	arena_free[c] = p;
}

static uint8_t
byte(uint64_t number, unsigned int i, bool in)
{
	return (uint8_t)(number * 31 + i * 7 + in * 101);
}

static void
guest_gives(void)
{
	struct kernel_guest_buffer buf[MOST];
	unsigned int k = below(SLOTS), n = 1 + below(MOST), out = below(n + 1), i, at;
	struct slot *s = &slots[k];

	if (s->given)
		return;
	if (out == 0)
		out = 1; /* its first bytes name the slot */
	*s = (struct slot){.given = true, .serial = ++serial, .mem = s->mem};
	for (i = 0; i < n; i++) {
		buf[i].addr = s->mem + i * BUFFER;
		buf[i].len = 4 + below(BUFFER - 4);
		*(i < out ? &s->out : &s->in) += buf[i].len;
	}
	for (i = 0, at = 0; i < out; at += buf[i++].len) {
		unsigned int j;

		for (j = 0; j < buf[i].len; j++)
			s->mem[i * BUFFER + j] = byte(s->serial, at + j, false);
	}
	memcpy(s->mem, &k, sizeof(k));
	if (kernel_guest_add(buf, out, n - out, s) < 0) {
		s->given = false;
		return;
	}
	kernel_guest_kick();
}

static void
device_takes(void)
{
	static struct bed_chain chain;
	unsigned int k, i, j, at = 0;
	struct slot *s;

	if (n_held == RTE_DIM(held) || !bed_device_take(&b, &chain))
		return;
	must(b.bad_iova == 0);
	memcpy(&k, (void *)(uintptr_t)chain.desc[0].addr, sizeof(k));
	must(k < SLOTS);
	s = &slots[k];
	must(s->given && !s->taken);
	must(chain.readable == s->out && chain.writable == s->in);
	s->taken = true;
	held[n_held].head = chain.head;
	held[n_held].slot = k;
	held[n_held].n_in = 0;
	for (i = 0; i < chain.n; i++) {
		uint8_t *p = (uint8_t *)(uintptr_t)chain.desc[i].addr;

		if (chain.desc[i].flags & VRING_DESC_F_WRITE) {
			held[n_held].in[held[n_held].n_in] = p;
			held[n_held].in_len[held[n_held].n_in++] = chain.desc[i].len;
			continue;
		}
		for (j = at == 0 ? 4 : 0; j < chain.desc[i].len; j++)
			must(p[j] == byte(s->serial, at + j, false));
		at += chain.desc[i].len;
	}
	n_held++;
}

static void
device_returns(void)
{
	unsigned int at, i, j, done = 0;
	struct slot *s;

	if (n_held == 0)
		return;
	at = below(2) ? 0 : below(n_held);
	s = &slots[held[at].slot];
	s->written = below(s->in + 1);
	s->returned = true;
	for (i = 0; i < held[at].n_in; i++) {
		for (j = 0; j < held[at].in_len[i] && done < s->written; j++)
			held[at].in[i][j] = byte(s->serial, done++, true);
	}
	bed_device_return(&b, held[at].head, s->written);
	held[at] = held[--n_held];
}

/* The buffers lie one behind the other, as long as they were given. */
static unsigned int
guest_reaps(void)
{
	unsigned int len = 0, n = 0;
	struct slot *s;

	while ((s = kernel_guest_get(&len)) != NULL) {
		must(s >= slots && s < slots + SLOTS);
		must(s->given && s->taken && s->returned);
		must(len == s->written);
		s->given = false;
		n++;
	}
	return n;
}

static void
open_guest(bool packed, uint64_t features, unsigned int size)
{
	struct svq_guest_region region = {.gpa = (uintptr_t)arena, .size = ARENA};
	struct svq_queue_guest conf = {.size = size, .features = features, .kickfd = -1};
	struct svq_guest_diff diff;
	void *area[3];
	unsigned int i;

	svq_queue_detach(b.q);
	region.fd = memfd_create("arena", 0);
	must(region.fd >= 0 && ftruncate(region.fd, ARENA) == 0);
	must(mmap(arena, ARENA, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, region.fd, 0) ==
		arena);
	must(svq_guest_prepare(b.guest, &region, 1, &diff) == 0);
	must(svq_dma_guest_apply(b.dma, &diff) == 0);
	svq_guest_commit(b.guest);
	close(region.fd);
	arena_used = 0;
	memset(arena_free, 0, sizeof(arena_free));
	must(kernel_guest_open(size, features, area) == 0);
	for (i = 0; i < SLOTS; i++)
		slots[i] = (struct slot){.mem = guest_malloc(MOST * BUFFER)};
	conf.desc = bed_ptr(&b, conf.desc_gpa = (uintptr_t)area[0]);
	conf.avail = bed_ptr(&b, conf.avail_gpa = (uintptr_t)area[1]);
	conf.used = bed_ptr(&b, conf.used_gpa = (uintptr_t)area[2]);
	conf.callfd = b.callfd;
	conf.base = packed ? 0x8000 : 0;
	must(svq_queue_attach(b.q, &conf) == 0);
}

static uint64_t
run(bool packed, bool device_packed, bool event, bool indirect, uint64_t buffers)
{
	uint64_t common = BIT(VIRTIO_F_VERSION_1) | (event ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
		(indirect ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0);
	uint64_t format = packed ? BIT(VIRTIO_F_RING_PACKED) : 0, done = 0;
	unsigned int size = 32u << below(4), i;
	struct bed_conf conf = {
		.guest_size = 256,
		.device_size = 32u << below(4),
		.guest_features = common | format,
		.device_features = common | (device_packed ? BIT(VIRTIO_F_RING_PACKED) : 0),
	};
	bool armed = false;

	snprintf(what, sizeof(what), "guest %s %u, device %s %u%s%s", packed ? "packed" : "split",
		size, device_packed ? "packed" : "split", conf.device_size,
		event ? ", event index" : "", indirect ? ", indirect" : "");
	bed_open_conf(&b, &conf);
	open_guest(packed, common | format, size);
	n_held = 0;
	while (done < buffers) {
		for (i = below(24); i != 0; i--)
			guest_gives();
		svq_queue_avail(b.q);
		for (i = below(24); i != 0; i--)
			device_takes();
		for (i = below(24); i != 0; i--)
			device_returns();
		if (!armed && below(4) == 0) {
			done += guest_reaps();
			armed = kernel_guest_enable_cb();
			bed_calls(&b);
		}
		if (svq_queue_used(b.q) != 0 && armed) {
			must(bed_calls(&b) != 0);
			kernel_guest_disable_cb();
			armed = false;
		}
		if (!armed)
			done += guest_reaps();
		must(svq_queue_error(b.q) == SVQ_QUEUE_OK);
	}
	svq_queue_recall(b.q);
	bed_device_reset(&b);
	kernel_guest_close();
	bed_close(&b);
	printf("ok %s\n", what);
	return done;
}

int
main(int argc, char **argv)
{
	char *eal[] = {"oracle", "--no-huge", "-m", "128", "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=*:4", "-l", "0"};
	uint64_t each = argc > 1 ? strtoull(argv[1], NULL, 0) : 250000, sum = 0;
	const char *seed = getenv("SVQ_TEST_SEED");
	unsigned int i;

	state = seed != NULL ? strtoull(seed, NULL, 0) : 1;
	/* The addresses of those shims have 32 bits. */
	arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (arena == MAP_FAILED || rte_eal_init(RTE_DIM(eal), eal) < 0)
		return 1;
	for (i = 0; i < 16; i++)
		sum += run(i & 1, i & 2, i & 4, i & 8, each);
	printf("%" PRIu64 " buffers there and back\n", sum);
	return 0;
}
