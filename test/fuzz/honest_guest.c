/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <linux/virtio_config.h>

#include <rte_common.h>

#include "fuzz_bed.h"

/*
 * What the relay owes such a guest, whatever the device does: a buffer comes back once, after it
 * was given, with no more bytes written than it holds; the device sees each chain whole, and once
 * between two resets; and no fault is laid at the guest's door.
 */

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)

#define LONGEST 8u

/* Where an id's first buffer lies: tells the chain at the device. */
#define SLOT_GPA(id)  (0x1000 + 64ull * (id))
#define TABLE_GPA(id) (FUZZ_TABLES + 16ull * LONGEST * (id))

static struct {
	bool outstanding, at_device;
	unsigned int n; /* of the device's descriptors */
	uint32_t readable, writable;
	uint16_t places; /* descriptors of the ring that it holds */
} chains[FUZZ_RING];

static uint16_t free_ids[FUZZ_RING]; /* split: free descriptors */
static unsigned int n_free, n_outstanding;
static uint16_t order[FUZZ_RING]; /* as they were given, from the oldest on */
static uint16_t next_desc;	  /* split, in order */
/* Packed. */
static unsigned int add_pos, reap_pos, places_free;
static bool add_wrap, reap_wrap;

void
honest_guest_begin(struct bed *b)
{
	memset(chains, 0, sizeof(chains));
	n_outstanding = add_pos = reap_pos = 0;
	next_desc = 0;
	add_wrap = reap_wrap = true;
	places_free = b->guest_size;
	for (n_free = 0; n_free < b->guest_size; n_free++)
		free_ids[n_free] = n_free;
}

unsigned int
honest_guest_outstanding(void)
{
	return n_outstanding;
}

void
honest_guest_device_reset(void)
{
	unsigned int i;

	for (i = 0; i < FUZZ_RING; i++)
		chains[i].at_device = false;
}

struct buffer {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags;
};

static void
make_buffers(const struct bed *b, struct buffer *p, unsigned int n, uint16_t id)
{
	unsigned int n_in = b->net_header != 0 ? (b->qid % 2 == 0 ? n : 0) : fuzz_below(n + 1);
	unsigned int longest = RTE_MIN(b->device_size, LONGEST), i;

	chains[id].n = chains[id].readable = chains[id].writable = 0;
	for (i = 0; i < n; i++) {
		p[i].gpa = i == 0 ? SLOT_GPA(id) : 0x40000 + 64ull * fuzz_below(100);
		p[i].len = 12 + fuzz_below(48);
		p[i].flags = i >= n - n_in ? VRING_DESC_F_WRITE : 0;
		/* Across the border, if the longer chain still fits the device's ring. */
		if (i != 0 && chains[id].n + (n - i) + 1 <= longest && fuzz_below(8) == 0) {
			p[i].gpa = BED_HIGH - 10;
			p[i].len = 30;
			chains[id].n++;
		}
		chains[id].n++;
		*(p[i].flags ? &chains[id].writable : &chains[id].readable) += p[i].len;
	}
}

static void
write_table(struct bed *b, uint64_t gpa, const struct buffer *p, unsigned int n)
{
	struct vring_desc *table = bed_ptr(b, gpa);
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint16_t flags = p[i].flags;

		table[i] = (struct vring_desc){.addr = p[i].gpa, .len = p[i].len};
		if (b->packed)
			table[i].next = flags;
		else
			table[i].flags = flags | (i + 1 < n ? VRING_DESC_F_NEXT : 0);
		if (!b->packed)
			table[i].next = i + 1;
	}
}

static void
put_split(struct bed *b, const struct buffer *p, const uint16_t *at, unsigned int n, uint64_t table)
{
	unsigned int i;

	for (i = 0; i < (table != 0 ? 1 : n); i++) {
		if (table != 0)
			bed_desc(b, at[i], table, 16 * n, VRING_DESC_F_INDIRECT, 0);
		else
			bed_desc(b, at[i], p[i].gpa, p[i].len,
				p[i].flags | (i + 1 < n ? VRING_DESC_F_NEXT : 0),
				i + 1 < n ? at[i + 1] : 0);
	}
	bed_avail(b, at[0]);
}

static void
put_packed(struct bed *b, const struct buffer *p, uint16_t id, unsigned int n, uint64_t table)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)b->desc;
	unsigned int first = add_pos, i;
	uint16_t first_flags = 0;

	for (i = 0; i < (table != 0 ? 1 : n); i++) {
		uint16_t flags = add_wrap ? AVAIL : USED;

		flags |= table != 0 ? VRING_DESC_F_INDIRECT
				    : p[i].flags | (i + 1 < n ? VRING_DESC_F_NEXT : 0);
		ring[add_pos].addr = table != 0 ? table : p[i].gpa;
		ring[add_pos].len = table != 0 ? 16 * n : p[i].len;
		ring[add_pos].id = id;
		if (i == 0)
			first_flags = flags;
		else
			ring[add_pos].flags = flags;
		if (++add_pos == b->guest_size) {
			add_pos = 0;
			add_wrap = !add_wrap;
		}
		places_free--;
	}
	ring[first].flags = first_flags;
}

static bool
in_order(const struct bed *b)
{
	return b->features & UINT64_C(1) << VIRTIO_F_IN_ORDER;
}

static bool
post(struct bed *b, unsigned int longest)
{
	unsigned int n = 1 + fuzz_below(longest), i;
	bool indirect = b->features & UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC &&
		n <= b->guest_size && fuzz_below(3) == 0;
	unsigned int places = indirect ? 1 : n;
	struct buffer p[LONGEST];
	uint16_t at[LONGEST], id;

	if (n_free < (b->packed ? 1 : places) || (b->packed && places_free < places))
		return false;
	for (i = 0; i < (b->packed ? 1 : places); i++)
		at[i] = free_ids[--n_free];
	/* Through the table from its start, and round (virtio 1.2, 2.7.5). */
	for (i = 0; i < places && !b->packed && in_order(b); i++)
		at[i] = next_desc++ % b->guest_size;
	id = at[0];
	chains[id].outstanding = true;
	chains[id].at_device = false;
	chains[id].places = places;
	order[n_outstanding++] = id;
	make_buffers(b, p, n, id);
	if (indirect)
		write_table(b, TABLE_GPA(id), p, n);
	if (b->packed)
		put_packed(b, p, id, n, indirect ? TABLE_GPA(id) : 0);
	else
		put_split(b, p, at, n, indirect ? TABLE_GPA(id) : 0);
	return true;
}

static void
post_many(struct bed *b, unsigned int n, uint8_t how)
{
	unsigned int longest = RTE_MIN(b->guest_size, b->device_size);

	longest = RTE_MIN(longest, 1u << how % 4);
	while (n-- != 0 && post(b, longest))
		;
}

void
honest_guest_post(struct bed *b)
{
	unsigned int n = 1 + fuzz_take(1) % 64;
	uint8_t how = fuzz_take(1);

	fuzz_seed(fuzz_take(2));
	post_many(b, n, how);
}

void
honest_guest_traffic(struct bed *b, void (*device)(struct bed *b, unsigned int n))
{
	unsigned int rounds = 1 + fuzz_take(1) % 16, n = 1 + fuzz_take(1) % 64;
	uint8_t how = fuzz_take(1);

	fuzz_seed(fuzz_take(2));
	for (; rounds != 0; rounds--) {
		post_many(b, n, how);
		while (svq_queue_avail(b->q) != 0)
			;
		device(b, n);
		svq_queue_used(b->q);
		honest_guest_reap(b);
	}
}

void
honest_guest_seen(struct bed *b, const struct bed_chain *chain)
{
	uint64_t at = chain->desc[0].addr - (uintptr_t)bed_ptr(b, SLOT_GPA(0));
	unsigned int id = at / 64;

	fuzz_assert(at % 64 == 0 && id < b->guest_size);
	fuzz_assert(chains[id].outstanding && !chains[id].at_device);
	fuzz_assert(chain->n == chains[id].n);
	fuzz_assert(chain->readable == chains[id].readable);
	fuzz_assert(chain->writable == chains[id].writable);
	chains[id].at_device = true;
}

/* In order, a used entry of the transmit queue stands for the chains before its own, too. */
static unsigned int
used_at_once(const struct bed *b, uint16_t id)
{
	unsigned int k;

	for (k = 0; k < n_outstanding && order[k] != id; k++)
		;
	fuzz_assert(k < n_outstanding);
	if (!in_order(b))
		return 1;
	fuzz_assert(k == 0 || (b->net_header != 0 && b->qid % 2 != 0));
	return k + 1;
}

static bool
next_used(struct bed *b, struct vring_used_elem *elem)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)b->desc + reap_pos;
	unsigned int n, k;

	if (!b->packed) {
		if (!bed_reap(b, elem))
			return false;
		fuzz_assert(elem->id < b->guest_size && chains[elem->id].outstanding);
		b->seen_used += used_at_once(b, elem->id) - 1;
		return true;
	}
	if (!!(d->flags & AVAIL) != reap_wrap || !!(d->flags & USED) != reap_wrap ||
		n_outstanding == 0)
		return false;
	elem->id = d->id;
	elem->len = d->len;
	fuzz_assert(elem->id < b->guest_size && chains[elem->id].outstanding);
	n = used_at_once(b, elem->id);
	for (k = 0; k < n; k++) {
		uint16_t places = chains[n == 1 ? elem->id : order[k]].places;

		reap_pos += places;
		places_free += places;
	}
	if (reap_pos >= b->guest_size) {
		reap_pos -= b->guest_size;
		reap_wrap = !reap_wrap;
	}
	return true;
}

static void
have_back(const struct bed *b, uint16_t id)
{
	unsigned int k;
	uint16_t i;

	chains[id].outstanding = false;
	for (k = 0; order[k] != id; k++)
		;
	memmove(&order[k], &order[k + 1], (--n_outstanding - k) * sizeof(order[0]));
	for (i = id, k = b->packed ? 1 : chains[id].places; k != 0; k--) {
		free_ids[n_free++] = i;
		i = b->desc[i].next;
	}
}

void
honest_guest_reap(struct bed *b)
{
	struct vring_used_elem elem;

	while (next_used(b, &elem)) {
		unsigned int n = used_at_once(b, elem.id);

		fuzz_assert(elem.len <= chains[elem.id].writable);
		for (; n > 1; n--)
			have_back(b, order[0]);
		have_back(b, elem.id);
	}
}
