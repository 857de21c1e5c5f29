/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdio.h>
#include <string.h>

#include "autotest.h"
#include "relay_twin.h"

void
twin_must(const struct twin *t, bool ok, const char *what)
{
	const struct bed_conf *c = &t->conf;

	if (!ok)
		printf("%s; guest %u%s, device %u%s, qid %u, header %u, epoch %u, %u steps left\n",
			what, c->guest_size, c->guest_features & TWIN_IN_ORDER ? " in order" : "",
			c->device_size, c->device_features & TWIN_IN_ORDER ? " in order" : "",
			c->qid, c->net_header, t->epoch, t->left);
	CU_ASSERT_FATAL(ok);
}

/* ---- Both are alike ---- */

static void
same(const struct twin *t, const void *a, const void *b, size_t size, const char *what)
{
	twin_must(t, memcmp(a, b, size) == 0, what);
}

void
twin_compare(const struct twin *t)
{
	const struct bed *a = &t->bed[0], *b = &t->bed[1];
	struct svq_queue_stats stats[2];
	struct svq_queue_layout l;

	twin_must(t, svq_queue_error(a->q) == svq_queue_error(b->q), "error");
	svq_queue_stats(a->q, &stats[0]);
	svq_queue_stats(b->q, &stats[1]);
	stats[0].cycles = stats[1].cycles = 0;
	same(t, &stats[0], &stats[1], sizeof(stats[0]), "statistics");
	twin_must(t, svq_queue_inflight(a->q) == svq_queue_inflight(b->q), "chains in flight");
	twin_must(t, svq_queue_stocked(a->q) == svq_queue_stocked(b->q), "stock");
	twin_must(t, svq_queue_base(a->q) == svq_queue_base(b->q), "base");
	twin_must(t, a->notified == b->notified && a->notify_data == b->notify_data, "kicks");
	svq_queue_layout(t->conf.device_features, t->conf.device_size, &l);
	same(t, a->sdesc, b->sdesc, l.desc.bytes, "descriptors before the device");
	same(t, a->savail, b->savail, l.avail.bytes, "available ring before the device");
	same(t, a->sused, b->sused, l.used.bytes, "used ring before the device");
	svq_queue_layout(t->conf.guest_features, t->conf.guest_size, &l);
	same(t, a->desc, b->desc, l.desc.bytes, "guest's descriptors");
	same(t, a->avail, b->avail, l.avail.bytes, "guest's available ring");
	same(t, a->used, b->used, l.used.bytes, "guest's used ring");
	/* The whole of it at a recall. */
	same(t, t->log[0], t->log[1], TWIN_LOG_NEAR, "dirty log");
	same(t, &t->log[0][TWIN_LOG_ALIAS], &t->log[1][TWIN_LOG_ALIAS],
		TWIN_LOG_BYTES - TWIN_LOG_ALIAS, "dirty log of ALIAS");
}

bool
twin_broken(const struct twin *t)
{
	return svq_queue_error(t->bed[0].q) != SVQ_QUEUE_OK;
}

/* ---- The guest ---- */

static void
guest_step(const struct twin *t, unsigned int *pos, bool *wrap, unsigned int n)
{
	*pos += n;
	if (*pos >= t->conf.guest_size) {
		*pos -= t->conf.guest_size;
		*wrap = !*wrap;
	}
}

/* Behind the ring's end lies what would go on there. */
static void
bait_packed(const struct bed *b, const struct twin_chain *c, uint16_t flags)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)b->desc + b->guest_size;
	unsigned int i;

	for (i = 0; i < 8; i++)
		ring[i] = (struct vring_packed_desc){
			.addr = c->gpa[0],
			.len = c->len[0],
			.id = c->id[0] + 1 + i,
			.flags = flags,
		};
}

static void
bait_split(const struct bed *b, uint16_t id)
{
	/* The first one is the index that the guest asks for. */
	unsigned int i = b->features >> VIRTIO_RING_F_EVENT_IDX & 1;

	for (; i < 8; i++)
		b->avail->ring[b->guest_size + i] = id + 1 + i;
}

static void
put_packed(const struct twin *t, struct bed *b, const struct twin_chain *c)
{
	struct vring_packed_desc *ring = (struct vring_packed_desc *)b->desc;
	unsigned int pos = t->add, i;
	bool wrap = t->add_wrap;

	for (i = 0; i < c->n; i++) {
		ring[pos] = (struct vring_packed_desc){
			.addr = c->gpa[i],
			.len = c->len[i],
			.id = c->id[0],
			.flags = c->flags[i] | (i + 1 < c->n ? VRING_DESC_F_NEXT : 0) |
				(wrap ? TWIN_AVAIL : TWIN_USED),
		};
		if (pos + 1 == b->guest_size)
			bait_packed(b, c, ring[pos].flags);
		guest_step(t, &pos, &wrap, 1);
	}
}

static void
put_split(struct bed *b, const struct twin_chain *c, bool again)
{
	unsigned int i;

	for (i = 0; !again && i < c->n && c->id[i] < b->guest_size; i++) {
		const bool next = i + 1 < c->n;

		/* Without a next one the field means nothing. */
		bed_desc(b, c->id[i], c->gpa[i], c->len[i],
			c->flags[i] | (next ? VRING_DESC_F_NEXT : 0),
			next ? c->id[i + 1] : (uint16_t)c->gpa[i]);
	}
	if ((b->avail_idx + 1) % b->guest_size == 0)
		bait_split(b, c->id[0]);
	bed_avail(b, c->id[0]);
}

void
twin_post(struct twin *t, const struct twin_chain *c, bool again)
{
	const bool packed = t->bed[0].packed;
	unsigned int i;

	twin_must(t, t->n_out < TWIN_MAX_OUT, "the test's own bound");
	for (i = 0; i < 2; i++) {
		if (packed)
			put_packed(t, &t->bed[i], c);
		else
			put_split(&t->bed[i], c, again);
	}
	if (packed)
		guest_step(t, &t->add, &t->add_wrap, c->n);
	t->out[t->n_out++] = *c;
	t->places_free -= (int)c->n;
	for (i = 0; i < (packed ? 1 : c->n); i++)
		t->uses[c->id[i]]++;
}

/* The guest has the @p k -th of those that are out back. */
static void
retire(struct twin *t, unsigned int k)
{
	const struct twin_chain *c = &t->out[k];
	unsigned int i;

	t->places_free += (int)c->n;
	for (i = 0; i < (t->bed[0].packed ? 1 : c->n); i++)
		t->uses[c->id[i]]--;
	t->n_out--;
	memmove(&t->out[k], &t->out[k + 1], (t->n_out - k) * sizeof(t->out[0]));
}

bool
twin_free_id(const struct twin *t, unsigned int from, uint16_t *id)
{
	unsigned int i;

	for (i = 0; i < t->conf.guest_size; i++) {
		*id = (from + i) % t->conf.guest_size;
		if (t->uses[*id] == 0)
			return true;
	}
	return false;
}

/* ---- The relay ---- */

unsigned int
twin_avail(struct twin *t)
{
	unsigned int n = svq_queue_avail(t->bed[0].q);

	twin_must(t, svq_queue_avail(t->bed[1].q) == n, "chains moved to the device");
	twin_compare(t);
	return n;
}

/* A used entry of a packed ring: beside it stands an address that the guest gave, with the chain
 * that stood there or with the one that came back, and vectors write the latter. Once it is known
 * to be that, it is no difference. */
static void
settle(struct twin *t, const struct twin_chain *c)
{
	struct vring_packed_desc *a = (struct vring_packed_desc *)t->bed[0].desc + t->reap;
	struct vring_packed_desc *b = (struct vring_packed_desc *)t->bed[1].desc + t->reap;

	twin_must(t, b->addr == a->addr || b->addr == c->gpa[0], "address beside a used entry");
	b->addr = a->addr;
}

/* The guest takes back @p n chains. */
static void
reap(struct twin *t, uint64_t n)
{
	const bool in_order = t->conf.guest_features & TWIN_IN_ORDER;
	/* One entry for all of them, the last one's. */
	const bool batch = in_order && t->conf.net_header != 0 && t->conf.qid % 2 != 0;
	const struct bed *b = &t->bed[1];
	const struct vring_packed_desc *ring = (const struct vring_packed_desc *)b->desc;
	uint16_t id = 0;
	uint64_t i;

	for (i = 0; i < n; i++) {
		unsigned int k = 0, places;

		if (i == 0 || !batch)
			id = b->packed ? ring[t->reap].id
				       : b->used->ring[t->reap % t->conf.guest_size].id;
		while (!in_order && k < t->n_out && t->out[k].id[0] != id)
			k++;
		twin_must(t, k < t->n_out, "id of a used entry");
		if (!batch || i + 1 == n)
			twin_must(t, t->out[k].id[0] == id, "id of a used entry in order");
		if (b->packed && !batch)
			settle(t, &t->out[k]);
		places = t->out[k].n;
		retire(t, k);
		if (b->packed)
			guest_step(t, &t->reap, &t->reap_wrap, places);
		else
			t->reap++;
	}
}

void
twin_used(struct twin *t)
{
	struct svq_queue_stats before, after;
	unsigned int n;

	svq_queue_stats(t->bed[0].q, &before);
	n = svq_queue_used(t->bed[0].q);
	twin_must(t, svq_queue_used(t->bed[1].q) == n, "chains taken from the device");
	svq_queue_stats(t->bed[0].q, &after);
	reap(t, after.used - before.used);
	twin_compare(t);
}

/* ---- The device ---- */

void
twin_take(struct twin *t, unsigned int n)
{
	for (; n != 0 && !t->astray; n--) {
		struct bed_chain c[2];
		bool more = bed_device_take(&t->bed[0], &c[0]);

		twin_must(t, bed_device_take(&t->bed[1], &c[1]) == more, "chains at the device");
		if (!more)
			return;
		same(t, &c[0], &c[1], offsetof(struct bed_chain, desc), "chain at the device");
		twin_must(t, t->bed[0].bad_iova == 0 && t->bed[1].bad_iova == 0,
			"addresses at the device");
		twin_must(t, t->n_has < TWIN_MAX_RING, "chains at the device");
		t->has[t->n_has].head = c[0].head;
		t->has[t->n_has++].writable = c[0].writable;
	}
}

static void
flip_flags(struct bed *b, uint16_t at, uint16_t flip)
{
	if (b->dev_packed)
		((struct vring_packed_desc *)b->sdesc)[at].flags ^= flip;
}

void
twin_return(struct twin *t, uint32_t id, uint32_t len, uint16_t flip)
{
	struct bed *b;

	for (b = t->bed; b < t->bed + 2; b++) {
		uint16_t at = b->dev_used;

		bed_device_return(b, id, len);
		flip_flags(b, at, flip);
	}
}

void
twin_return_oldest(struct twin *t, unsigned int n, uint32_t len, uint16_t flip)
{
	uint16_t ids[TWIN_MAX_RING];
	unsigned int i;

	for (i = 0; i < n; i++)
		ids[i] = t->has[i].head;
	if (n == 1)
		twin_return(t, ids[0], len, flip);
	for (i = 0; n > 1 && i < 2; i++) {
		uint16_t at = t->bed[i].dev_used;

		bed_device_return_batch(&t->bed[i], ids, n, len);
		flip_flags(&t->bed[i], at, flip);
	}
	t->n_has -= n;
	memmove(t->has, &t->has[n], t->n_has * sizeof(t->has[0]));
}

/* ---- Attach, recall ---- */

void
twin_restart(struct twin *t, uint16_t base)
{
	struct svq_queue_layout l;
	struct bed *b;

	t->n_out = 0;
	memset(t->uses, 0, sizeof(t->uses));
	t->places_free = (int)t->conf.guest_size;
	if (t->bed[0].packed)
		base = (base & 0x8000) | (base & 0x7fff) % t->conf.guest_size;
	t->add = t->reap = t->bed[0].packed ? base & 0x7fff : base;
	t->add_wrap = t->reap_wrap = base >> 15;
	svq_queue_layout(t->conf.guest_features, t->conf.guest_size, &l);
	for (b = t->bed; b < t->bed + 2; b++) {
		svq_queue_detach(b->q);
		memset(b->desc, 0, l.desc.bytes);
		memset(b->avail, 0, l.avail.bytes);
		memset(b->used, 0, l.used.bytes);
		if (!b->packed)
			b->avail->idx = b->used->idx = b->avail_idx = base;
		twin_must(t, bed_attach(b, base) == 0, "attach");
	}
	twin_compare(t);
}

void
twin_reattach(struct twin *t)
{
	uint16_t base = svq_queue_base(t->bed[0].q);
	struct bed *b;

	for (b = t->bed; b < t->bed + 2; b++) {
		svq_queue_detach(b->q);
		twin_must(t, bed_attach(b, base) == 0, "attach anew");
	}
	twin_compare(t);
}

void
twin_recall(struct twin *t)
{
	uint32_t n = svq_queue_recall(t->bed[0].q);
	struct bed *b;

	twin_must(t, svq_queue_recall(t->bed[1].q) == n, "chains recalled");
	for (b = t->bed; b < t->bed + 2; b++) {
		bed_device_reset(b);
		svq_device_mend(&b->dev);
	}
	t->n_has = 0;
	t->astray = false;
	twin_compare(t);
	same(t, t->log[0], t->log[1], TWIN_LOG_BYTES, "whole dirty log");
	twin_must(t, bed_calls(&t->bed[0]) == bed_calls(&t->bed[1]), "calls");
}

void
twin_set_log(struct twin *t, uint64_t size)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct svq_dirty_log log = {.base = t->log[i], .size = size};

		memset(t->log[i], 0, sizeof(t->log[i]));
		svq_queue_set_log(t->bed[i].q, size != 0 ? &log : NULL);
	}
}

static void
add_regions(const struct twin *t, const struct bed *b)
{
	struct svq_guest_region r[3 + TWIN_MORE] = {
		{.gpa = BED_LOW, .size = BED_REGION, .fd = b->memfd},
		{.gpa = BED_HIGH, .size = BED_REGION, .offset = 2 * BED_REGION, .fd = b->memfd},
		{.gpa = BED_ALIAS, .size = BED_REGION, .fd = b->memfd},
	};
	struct svq_guest_diff diff;
	unsigned int i;

	for (i = 0; i < t->more; i++)
		r[3 + i] = (struct svq_guest_region){
			.gpa = TWIN_MORE_GPA(i),
			.size = TWIN_MORE_SIZE,
			.offset = i * TWIN_MORE_SIZE,
			.fd = b->memfd,
		};
	twin_must(t, svq_guest_prepare(b->guest, r, 3 + t->more, &diff) == 0, "memory table");
	twin_must(t, svq_dma_guest_apply(b->dma, &diff) == 0, "memory table");
	svq_guest_commit(b->guest);
}

void
twin_open(struct twin *t, unsigned int more)
{
	const struct bed *a = &t->bed[0], *b = &t->bed[1];
	unsigned int i;

	t->more = more;
	for (i = 0; i < 2; i++) {
		t->conf.scalar = i == 0;
		bed_open_conf(&t->bed[i], &t->conf);
		svq_queue_detach(t->bed[i].q);
		if (more != 0)
			add_regions(t, &t->bed[i]);
	}
	/* So that what is written before the device can be compared as it is. */
	twin_must(t, a->n_maps == b->n_maps, "mappings");
	for (i = 0; i < a->n_maps; i++)
		twin_must(t, a->map[i].iova == b->map[i].iova && a->map[i].size == b->map[i].size,
			"IOVA");
	t->n_has = 0;
	t->astray = false;
	twin_set_log(t, 0);
}

void
twin_close(struct twin *t)
{
	bed_close(&t->bed[0]);
	bed_close(&t->bed[1]);
}
