/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>

#include "autotest.h"
#include "relay_bed.h"

/*
 * A guest, a relay and a device that do random things; a naive model says what may happen. Each
 * chain that the guest made available reaches the device once between two resets, whole, and
 * comes back to the guest once.
 */

#define MAX_RING 256
#define STEPS	 200000

/* Where a head's first descriptor points: tells the chain at the device. */
#define SLOT_GPA(head)	(0x1000 + 64ull * (head))
#define TABLE_GPA(head) (0x100000 + 1024ull * (head))

static struct bed b;

/* The model. */
static struct {
	bool outstanding, at_device;
	unsigned int n; /* device descriptors expected */
	uint32_t readable, writable;
	uint32_t returned_len;
	bool returned;
	uint16_t direct; /* entries of the guest's table that it holds */
} model[MAX_RING];
static uint16_t free_desc[MAX_RING];
static unsigned int n_free, n_outstanding;
static struct {
	uint16_t shadow_head, guest_head;
} taken[MAX_RING];
static unsigned int n_taken;
static uint64_t completed;

static void
model_reset(void)
{
	unsigned int i;

	memset(model, 0, sizeof(model));
	n_taken = n_outstanding = 0;
	for (n_free = 0, i = 0; i < b.guest_size; i++)
		free_desc[n_free++] = i;
}

static void
guest_add(unsigned int longest)
{
	struct vring_desc *table;
	bool indirect = rand() % 3 == 0;
	unsigned int n = 1 + rand() % longest, n_in = rand() % (n + 1), i, total;
	uint16_t at[8], head;

	if (!indirect && n > n_free)
		n = n_in = n_free;
	if (n_free == 0)
		return;
	for (i = 0; i < (indirect ? 1 : n); i++)
		at[i] = free_desc[--n_free];
	head = at[0];
	memset(&model[head], 0, sizeof(model[head]));
	model[head].direct = indirect ? 1 : n;
	table = indirect ? bed_ptr(&b, TABLE_GPA(head)) : b.desc;
	for (total = 0, i = 0; i < n; i++) {
		bool in = i >= n - n_in;
		struct vring_desc d = {
			.addr = i == 0 ? SLOT_GPA(head) : 0x40000 + 64ull * (rand() % 100),
			.len = 1 + rand() % 60,
			.flags =
				(i + 1 < n ? VRING_DESC_F_NEXT : 0) | (in ? VRING_DESC_F_WRITE : 0),
			.next = i + 1 == n ? 0
				: indirect ? i + 1
					   : at[i + 1],
		};

		if (rand() % 4 == 0)
			d.addr += BED_ALIAS;
		/* Across the border, if the longer chain may still fit the shadow ring. */
		if (i != 0 && total + (n - i) + 1 <= longest && rand() % 8 == 0) {
			d.addr = BED_HIGH - 10;
			d.len = 30;
			total++;
		}
		total++;
		*(in ? &model[head].writable : &model[head].readable) += d.len;
		table[indirect ? i : at[i]] = d;
	}
	if (indirect)
		bed_desc(&b, head, TABLE_GPA(head) + (rand() % 2 ? BED_ALIAS : 0), 16 * n,
			VRING_DESC_F_INDIRECT, 0);
	model[head].n = total;
	model[head].outstanding = true;
	n_outstanding++;
	bed_avail(&b, head);
}

static void
device_take(void)
{
	struct bed_chain chain;
	uint64_t at;
	unsigned int head;

	if (!bed_device_take(&b, &chain))
		return;
	at = chain.desc[0].addr - (uintptr_t)bed_ptr(&b, SLOT_GPA(0));
	head = at / 64;
	CU_ASSERT_FATAL(at % 64 == 0 && head < b.guest_size);
	CU_ASSERT_FATAL(model[head].outstanding && !model[head].at_device);
	CU_ASSERT_EQUAL_FATAL(chain.n, model[head].n);
	CU_ASSERT_EQUAL_FATAL(chain.readable, model[head].readable);
	CU_ASSERT_EQUAL_FATAL(chain.writable, model[head].writable);
	model[head].at_device = true;
	taken[n_taken].shadow_head = chain.head;
	taken[n_taken++].guest_head = head;
}

static void
device_return(bool in_order)
{
	unsigned int at, head;

	if (n_taken == 0)
		return;
	at = in_order ? 0 : rand() % n_taken;
	head = taken[at].guest_head;
	model[head].returned_len = rand() % (model[head].writable + 1);
	model[head].returned = true;
	bed_device_return(&b, taken[at].shadow_head, model[head].returned_len);
	memmove(&taken[at], &taken[at + 1], (--n_taken - at) * sizeof(taken[0]));
}

static void
guest_reap(void)
{
	struct vring_used_elem elem;
	uint16_t i;
	unsigned int k;

	if (!bed_reap(&b, &elem))
		return;
	CU_ASSERT_FATAL(elem.id < b.guest_size);
	CU_ASSERT_FATAL(model[elem.id].outstanding && model[elem.id].returned);
	CU_ASSERT_EQUAL_FATAL(elem.len, model[elem.id].returned_len);
	model[elem.id].outstanding = false;
	n_outstanding--;
	completed++;
	for (i = elem.id, k = model[elem.id].direct; k != 0; k--) {
		free_desc[n_free++] = i;
		i = b.desc[i].next;
	}
}

/* The device is reset: what it returned and the relay did not take yet was never returned. */
static void
reset(bool reattach)
{
	unsigned int i;
	uint16_t base;

	while (svq_queue_used(b.q) != 0)
		;
	svq_queue_recall(b.q);
	base = svq_queue_base(b.q);
	CU_ASSERT_EQUAL_FATAL(base, b.used->idx);
	if (reattach) {
		svq_queue_detach(b.q);
		CU_ASSERT_EQUAL_FATAL(bed_attach(&b, base), 0);
	}
	bed_device_reset(&b);
	n_taken = 0;
	for (i = 0; i < b.guest_size; i++)
		model[i].at_device = model[i].returned;
}

static void
step(unsigned int longest, bool in_order)
{
	switch (rand() % 16) {
	case 0 ... 3:
		guest_add(longest);
		break;
	case 4 ... 5:
		svq_queue_avail(b.q);
		break;
	case 6 ... 8:
		device_take();
		break;
	case 9 ... 11:
		device_return(in_order);
		break;
	case 12:
		svq_queue_used(b.q);
		break;
	case 13 ... 14:
		guest_reap();
		guest_reap();
		guest_reap();
		break;
	default:
		if (rand() % 50 == 0)
			reset(rand() % 2);
		break;
	}
}

static void
run(uint32_t guest_size, uint16_t device_size, bool in_order)
{
	uint64_t features = (1ULL << VIRTIO_F_VERSION_1) | (1ULL << VIRTIO_RING_F_INDIRECT_DESC) |
		(rand() % 2 ? 1ULL << VIRTIO_RING_F_EVENT_IDX : 0);
	unsigned int longest = RTE_MIN(guest_size, device_size), i;

	longest = RTE_MIN(longest, 8u);
	bed_open(&b, guest_size, device_size, features);
	model_reset();
	completed = 0;
	for (i = 0; i < STEPS; i++)
		step(longest, in_order);
	for (i = 0; i < 100000 && n_outstanding != 0; i++) {
		svq_queue_avail(b.q);
		device_take();
		device_return(in_order);
		svq_queue_used(b.q);
		guest_reap();
	}
	CU_ASSERT_EQUAL(n_outstanding, 0);
	CU_ASSERT_EQUAL(n_free, guest_size);
	CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_OK);
	CU_ASSERT_EQUAL(b.bad_iova, 0);
	CU_ASSERT(completed > STEPS / 100);
	bed_close(&b);
}

static void
test_random(void)
{
	static const uint16_t sizes[] = {2, 8, 256};
	unsigned int i, k;

	srand(autotest_seed());
	for (i = 0; i < RTE_DIM(sizes); i++) {
		for (k = 0; k < RTE_DIM(sizes); k++) {
			run(sizes[i], sizes[k], true);
			run(sizes[i], sizes[k], false);
		}
	}
}

static void
fill(void)
{
	autotest_add(autotest_suite("queue against a model", NULL, NULL),
		"random guest, device and resets", test_random);
}

REGISTER_AUTOTEST(queue_random_autotest, fill)
