/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>

#include <svq_virtio.h>

#include "autotest.h"
#include "relay_bed.h"
#include "relay_events.h"

/*
 * A guest, a relay and a device that do random things; a naive model says what may happen. Each
 * chain that the guest made available reaches the device once between two resets, whole, and
 * comes back to the guest once. What either side negotiated is drawn at random, and each uses it.
 */

#define MAX_RING 256
#define STEPS	 200000
#define HEADER	 12

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
/* The packed driver: where it adds and reaps next, with its wrap counters. */
static unsigned int add_pos, reap_pos, places_free;
static bool add_wrap, reap_wrap, packed, device_packed;
static bool tx; /* a network device's transmit queue */
/* The chains that the guest has out, oldest first, by head. */
static uint16_t order[MAX_RING];
static unsigned int next_desc; /* of an in-order driver with a split ring */

#define BIT(n) (1ULL << (n))

static bool
guest_has(unsigned int feature)
{
	return b.features >> feature & 1;
}

static bool
device_has(unsigned int feature)
{
	return b.device_features >> feature & 1;
}

/* Long runs of single descriptors, taken in turn: what drivers do under load, and the relay has
 * ways of its own for. */
static bool trains;

static void
model_reset(void)
{
	unsigned int i;

	memset(model, 0, sizeof(model));
	n_taken = n_outstanding = 0;
	add_pos = reap_pos = 0;
	add_wrap = reap_wrap = true;
	places_free = b.guest_size;
	next_desc = 0;
	for (n_free = 0, i = 0; i < b.guest_size; i++)
		free_desc[n_free++] = i;
}

/* The buffers of a chain, of which the first tells whose it is. */
struct buffer {
	uint64_t gpa;
	uint32_t len;
	bool in; /* the device writes it */
};

static unsigned int
random_buffers(struct buffer *buffers, unsigned int n, unsigned int head, unsigned int longest)
{
	unsigned int n_in = tx ? 0 : rand() % (n + 1), total = 0, i;

	for (i = 0; i < n; i++) {
		struct buffer *p = &buffers[i];

		p->gpa = i == 0 ? SLOT_GPA(head) : 0x40000 + 64ull * (rand() % 100);
		p->len = (i == 0 ? HEADER : 1) + rand() % 48;
		p->in = i >= n - n_in;
		if (rand() % 4 == 0)
			p->gpa += BED_ALIAS;
		/* Across the border, if the longer chain may still fit the shadow ring. */
		if (i != 0 && total + (n - i) + 1 <= longest && rand() % 8 == 0) {
			p->gpa = BED_HIGH - 10;
			p->len = 30;
			total++;
		}
		total++;
		*(p->in ? &model[head].writable : &model[head].readable) += p->len;
	}
	return total;
}

static uint16_t
buffer_flags(const struct buffer *p, bool next)
{
	return (next ? VRING_DESC_F_NEXT : 0) | (p->in ? VRING_DESC_F_WRITE : 0);
}

/* In the guest's table at @p at, or in an indirect table. */
static void
put_split(const struct buffer *p, unsigned int n, const uint16_t *at, uint64_t table_gpa)
{
	struct vring_desc *table = table_gpa != 0 ? bed_ptr(&b, table_gpa) : b.desc;
	unsigned int i;

	for (i = 0; i < n; i++)
		table[table_gpa != 0 ? i : at[i]] = (struct vring_desc){
			.addr = p[i].gpa,
			.len = p[i].len,
			.flags = buffer_flags(&p[i], i + 1 < n),
			.next = i + 1 == n	 ? 0
				: table_gpa != 0 ? i + 1
						 : at[i + 1],
		};
	if (table_gpa != 0)
		bed_desc(&b, at[0], table_gpa, 16 * n, VRING_DESC_F_INDIRECT, 0);
	bed_avail(&b, at[0]);
}

/* At the driver's place in the ring, the first descriptor's flags last. */
static void
put_packed(const struct buffer *p, unsigned int n, uint16_t id, uint64_t table_gpa)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)b.desc, *table;
	unsigned int places = table_gpa != 0 ? 1 : n, pos = add_pos, i;
	uint16_t first_flags = 0, first = add_pos;
	bool wrap = add_wrap;

	for (i = 0; table_gpa != 0 && i < n; i++) {
		table = bed_ptr(&b, table_gpa);
		table[i] = (struct vring_packed_desc){
			.addr = p[i].gpa, .len = p[i].len, .flags = buffer_flags(&p[i], false)};
	}
	for (i = 0; i < places; i++) {
		uint16_t flags =
			table_gpa != 0 ? VRING_DESC_F_INDIRECT : buffer_flags(&p[i], i + 1 < n);

		flags |= wrap ? 1 << VRING_PACKED_DESC_F_AVAIL : 1 << VRING_PACKED_DESC_F_USED;
		ring[pos].addr = table_gpa != 0 ? table_gpa : p[i].gpa;
		ring[pos].len = table_gpa != 0 ? 16 * n : p[i].len;
		/* Only the last descriptor's id counts. */
		ring[pos].id = i + 1 < places ? rand() : id;
		if (i == 0)
			first_flags = flags;
		else
			ring[pos].flags = flags;
		if (++pos == b.guest_size) {
			pos = 0;
			wrap = !wrap;
		}
	}
	ring[first].flags = first_flags;
	add_pos = pos;
	add_wrap = wrap;
	places_free -= places;
}

static void
guest_add(unsigned int longest)
{
	const bool plain = trains && rand() % 256 != 0;
	unsigned int n = plain ? 1 : 1 + rand() % longest, i, places;
	bool indirect = !plain && guest_has(VIRTIO_RING_F_INDIRECT_DESC) && rand() % 3 == 0;
	unsigned int room = packed ? places_free : n_free;
	struct buffer buffers[8];
	uint16_t at[8], head;
	uint64_t table;

	if (room == 0 || n_free == 0)
		return;
	if (!indirect)
		n = RTE_MIN(n, room);
	places = indirect ? 1 : n;
	for (i = 0; i < (packed ? 1 : places); i++) {
		at[i] = free_desc[trains ? 0 : n_free - 1];
		n_free--;
		if (trains)
			memmove(free_desc, &free_desc[1], n_free * sizeof(free_desc[0]));
		/* In order: through the table from its start, and round (virtio 1.2, 2.7.5). */
		if (!packed && guest_has(VIRTIO_F_IN_ORDER))
			at[i] = next_desc++ % b.guest_size;
	}
	head = at[0];
	memset(&model[head], 0, sizeof(model[head]));
	model[head].direct = places;
	model[head].n = random_buffers(buffers, n, head, longest);
	table = indirect ? TABLE_GPA(head) + (rand() % 2 ? BED_ALIAS : 0) : 0;
	if (packed)
		put_packed(buffers, n, head, table);
	else
		put_split(buffers, n, at, table);
	model[head].outstanding = true;
	order[n_outstanding++] = head;
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

/* One used entry stands for several chains, if both sides know that they come in order. */
static unsigned int
device_return_batch(void)
{
	unsigned int n = 1 + rand() % RTE_MIN(n_taken, 5u), i;
	uint16_t heads[5];

	for (i = 0; i < n; i++) {
		unsigned int head = taken[i].guest_head;

		heads[i] = taken[i].shadow_head;
		model[head].returned = true;
		/* Those that are skipped are taken to be written throughout. */
		model[head].returned_len = model[head].writable;
		if (i + 1 == n)
			model[head].returned_len = rand() % (model[head].writable + 1);
	}
	bed_device_return_batch(&b, heads, n, model[taken[n - 1].guest_head].returned_len);
	return n;
}

static void
device_return(bool in_order)
{
	unsigned int at = in_order ? 0 : rand() % RTE_MAX(n_taken, 1u), n = 1, head;

	if (n_taken == 0)
		return;
	if (device_has(VIRTIO_F_IN_ORDER)) {
		at = 0;
		n = device_return_batch();
	} else {
		head = taken[at].guest_head;
		model[head].returned_len = rand() % (model[head].writable + 1);
		model[head].returned = true;
		bed_device_return(&b, taken[at].shadow_head, model[head].returned_len);
	}
	n_taken -= n;
	memmove(&taken[at], &taken[at + n], (n_taken - at) * sizeof(taken[0]));
}

/* Descriptors of the chains up to that of @p id, which a used entry for it stands for; @p k is the
 * oldest one's place in the order. */
static unsigned int
batch_places(unsigned int *k, uint16_t id)
{
	unsigned int places = 0;

	if (!guest_has(VIRTIO_F_IN_ORDER))
		return model[id].direct;
	do {
		CU_ASSERT_FATAL(*k < n_outstanding);
		places += model[order[*k]].direct;
	} while (order[(*k)++] != id);
	return places;
}

/* What the relay returned and the guest has not reaped, in descriptors or entries. */
static struct relay_progress
used_progress(void)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)b.desc;
	struct relay_progress at = {.pos = reap_pos, .wrap = reap_wrap};
	unsigned int k = 0;

	if (!packed) {
		at.pos = b.used->idx;
		at.n = (uint16_t)(at.pos - b.seen_used);
		return at;
	}
	while (at.n < b.guest_size &&
		!!(d[at.pos].flags & 1 << VRING_PACKED_DESC_F_USED) == at.wrap &&
		!!(d[at.pos].flags & 1 << VRING_PACKED_DESC_F_AVAIL) == at.wrap) {
		unsigned int places = batch_places(&k, d[at.pos].id);

		at.n += places;
		at.pos += places;
		if (at.pos >= b.guest_size) {
			at.pos -= b.guest_size;
			at.wrap = !at.wrap;
		}
	}
	return at;
}

static bool
reap_packed(struct vring_used_elem *elem)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)b.desc + reap_pos;
	unsigned int k = 0;

	if (!!(d->flags & 1 << VRING_PACKED_DESC_F_USED) != reap_wrap ||
		!!(d->flags & 1 << VRING_PACKED_DESC_F_AVAIL) != reap_wrap)
		return false;
	elem->id = d->id;
	elem->len = d->len;
	CU_ASSERT_FATAL(elem->id < b.guest_size);
	reap_pos += batch_places(&k, d->id);
	if (reap_pos >= b.guest_size) {
		reap_pos -= b.guest_size;
		reap_wrap = !reap_wrap;
	}
	return true;
}

/* The guest has a chain back, the @p k -th in order. */
static void
reaped(unsigned int k, uint32_t len)
{
	uint16_t id = order[k], i = id;
	unsigned int n;

	CU_ASSERT_FATAL(model[id].outstanding && model[id].returned);
	CU_ASSERT_EQUAL_FATAL(len, model[id].returned_len);
	model[id].outstanding = false;
	n_outstanding--;
	memmove(&order[k], &order[k + 1], (n_outstanding - k) * sizeof(order[0]));
	completed++;
	if (packed) {
		free_desc[n_free++] = id;
		places_free += model[id].direct;
		return;
	}
	for (n = model[id].direct; n != 0; n--) {
		free_desc[n_free++] = i;
		i = b.desc[i].next;
	}
}

static void
guest_reap(void)
{
	struct vring_used_elem elem;
	unsigned int k;

	if (packed ? !reap_packed(&elem) : !bed_reap(&b, &elem))
		return;
	for (k = 0; k < n_outstanding && order[k] != elem.id; k++)
		;
	CU_ASSERT_FATAL(k < n_outstanding);
	/* In order, the entry stands for all before it, too: those are written throughout. */
	for (; guest_has(VIRTIO_F_IN_ORDER) && k > 0; k--) {
		CU_ASSERT_FATAL(tx);
		reaped(0, model[order[0]].writable);
		b.seen_used += !packed;
	}
	reaped(k, elem.len);
}

/* The relay's two halves; each notifies as it was asked to. */
static void
relay_avail(void)
{
	struct relay_progress from = relay_events_avail(&b), to;
	struct svq_queue_stats before, after;

	b.notified = 0;
	svq_queue_stats(b.q, &before);
	svq_queue_avail(b.q);
	svq_queue_stats(b.q, &after);
	to = relay_events_avail(&b);
	/* Two bursts, where the relay gave up its way with slots between them. */
	CU_ASSERT_FATAL(after.bursts - before.bursts <= 2);
	CU_ASSERT_FATAL(b.notified <= after.bursts - before.bursts);
	CU_ASSERT_EQUAL_FATAL(b.notified != 0, to.n != from.n && relay_events_kick(&b, &from, &to));
	if (b.notified == 1 && after.bursts - before.bursts == 1 &&
		device_has(VIRTIO_F_NOTIFICATION_DATA))
		CU_ASSERT_EQUAL_FATAL(b.notify_data >> 16,
			device_packed ? to.pos | (unsigned int)to.wrap << 15 : to.pos);
}

static unsigned int
relay_used(void)
{
	struct relay_progress from = used_progress(), to;
	unsigned int n;

	bed_calls(&b);
	n = svq_queue_used(b.q);
	to = used_progress();
	CU_ASSERT_EQUAL_FATAL(
		bed_calls(&b), to.n != from.n && relay_events_call(&b, &from, &to) ? 1 : 0);
	return n;
}

/*
 * What was returned but waits for an earlier chain, as the guest is to have them in order, is
 * available again.
 */
static void
forget_held(void)
{
	bool held = false;
	unsigned int i;

	for (i = 0; i < n_outstanding && guest_has(VIRTIO_F_IN_ORDER); i++) {
		held |= !model[order[i]].returned;
		if (held)
			model[order[i]].returned = false;
	}
}

/* The device is reset: what it returned and the relay did not take yet was never returned. */
static void
reset(bool reattach)
{
	unsigned int i;
	uint16_t base;

	while (relay_used() != 0)
		;
	forget_held();
	svq_queue_recall(b.q);
	base = svq_queue_base(b.q);
	if (!packed)
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
	unsigned int n = trains ? rand() % 40 : 1, i;

	switch (rand() % 16) {
	case 0 ... 3:
		for (i = 0; i < n; i++)
			guest_add(longest);
		break;
	case 4 ... 5:
		relay_avail();
		break;
	case 6 ... 8:
		for (i = 0; i < n; i++)
			device_take();
		break;
	case 9 ... 11:
		for (i = 0; i < n; i++)
			device_return(in_order);
		break;
	case 12:
		relay_used();
		relay_events_device_ask(&b);
		relay_events_guest_ask(&b);
		break;
	case 13 ... 14:
		for (i = 0; i < 3 * n; i++)
			guest_reap();
		break;
	default:
		if (rand() % 50 == 0)
			reset(rand() % 2);
		break;
	}
}

static uint64_t
random_features(bool of_packed)
{
	static const uint8_t bits[] = {VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX,
		VIRTIO_F_IN_ORDER, VIRTIO_F_ORDER_PLATFORM, VIRTIO_F_NOTIFICATION_DATA};
	uint64_t features = BIT(VIRTIO_F_VERSION_1) | (of_packed ? BIT(VIRTIO_F_RING_PACKED) : 0);
	unsigned int i;

	for (i = 0; i < RTE_DIM(bits); i++)
		features |= rand() % 2 ? BIT(bits[i]) : 0;
	return features;
}

static void
run(uint32_t guest_size, uint16_t device_size, bool in_order)
{
	uint64_t features = random_features(packed), device = random_features(device_packed);
	unsigned int longest = RTE_MIN(guest_size, device_size), steps, i;

	longest = RTE_MIN(longest, 8u);
	tx = rand() % 2;
	trains = rand() % 2;
	bed_open_conf(&b,
		&(struct bed_conf){
			.guest_size = guest_size,
			.device_size = device_size,
			.guest_features = features,
			.device_features = device,
			.qid = tx,
			.net_header = tx ? HEADER : 0,
			.scalar = rand() % 2,
		});
	model_reset();
	completed = 0;
	steps = trains ? STEPS / 8 : STEPS;
	for (i = 0; i < steps; i++)
		step(longest, in_order);
	for (i = 0; i < 100000 && n_outstanding != 0; i++) {
		relay_avail();
		device_take();
		device_return(in_order);
		relay_used();
		guest_reap();
	}
	CU_ASSERT_EQUAL(n_outstanding, 0);
	CU_ASSERT_EQUAL(n_free, guest_size);
	CU_ASSERT_EQUAL(svq_queue_inflight(b.q), 0);
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_OK);
	CU_ASSERT_EQUAL(b.bad_iova, 0);
	CU_ASSERT(completed > steps / 100);
	bed_close(&b);
}

static void
run_sizes(const uint16_t *sizes, unsigned int n)
{
	unsigned int i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++) {
			if ((sizes[k] & (sizes[k] - 1)) != 0 || sizes[k] < 2)
				continue;
			run(sizes[i], sizes[k], true);
			run(sizes[i], sizes[k], false);
		}
	}
}

static void
run_formats(bool guest, bool device)
{
	/* A guest's packed ring may have any size. */
	static const uint16_t sizes[] = {2, 8, 256, 1, 7, 200};

	srand(autotest_seed());
	packed = guest;
	device_packed = device;
	run_sizes(sizes, guest ? 6 : 3);
}

static void
test_split_split(void)
{
	run_formats(false, false);
}

static void
test_split_packed(void)
{
	run_formats(false, true);
}

static void
test_packed_split(void)
{
	run_formats(true, false);
}

static void
test_packed_packed(void)
{
	run_formats(true, true);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("queue against a model", NULL, NULL);

	autotest_add(s, "guest split, device split", test_split_split);
	autotest_add(s, "guest split, device packed", test_split_packed);
	autotest_add(s, "guest packed, device split", test_packed_split);
	autotest_add(s, "guest packed, device packed", test_packed_packed);
}

REGISTER_AUTOTEST(queue_random_autotest, fill)
