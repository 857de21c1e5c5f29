/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sys/eventfd.h>

#include "soft.h"

static const char *const kind_names[] = {
	[SOFT_FAULT_BAD_ID] = "bad_id",
	[SOFT_FAULT_ID_TWICE] = "id_twice",
	[SOFT_FAULT_IDX_JUMP] = "idx_jump",
	[SOFT_FAULT_BAD_LEN] = "bad_len",
	[SOFT_FAULT_WRAP] = "wrap",
	[SOFT_FAULT_SILENT] = "silent",
	[SOFT_FAULT_IRQ_STORM] = "irq_storm",
	[SOFT_FAULT_NEEDS_RESET] = "needs_reset",
	[SOFT_FAULT_RANDOM] = "random",
};

/* What a pair's thread keeps. */
struct pair_state {
	uint64_t random;  /* state of the generator */
	uint64_t next_at; /* packets of the pair before the next random fault */
	enum soft_fault_kind next;
} __rte_cache_aligned;

struct soft_misbehave {
	unsigned int (*poll)(struct svq_device *dev, uint16_t pair); /* what is wrapped */
	atomic_bool silent, storm;
	atomic_bool done[SOFT_MAX_FAULTS];
	_Atomic uint64_t n_done;
	struct pair_state pairs[];
};

/* A ring behind a poll. */
struct shown {
	struct soft_ring *ring;
	uint16_t qid;
	uint16_t old;	 /* position up to which the driver could see before the poll */
	uint32_t random; /* which of several ways */
};

/* ---- arguments ---- */

static int
parse_kind(const char **at, enum soft_fault_kind *kind)
{
	size_t len = strcspn(*at, "@:+");
	unsigned int i;

	for (i = 0; i < RTE_DIM(kind_names); i++) {
		if (strlen(kind_names[i]) == len && strncmp(*at, kind_names[i], len) == 0) {
			*kind = i;
			*at += len;
			return 0;
		}
	}
	return -EINVAL;
}

static int
parse_number(const char **at, uint64_t max, uint64_t *number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoull(*at, &end, 10);
	*at = end;
	return errno == 0 && *number <= max ? 0 : -EINVAL;
}

int
soft_misbehave_parse(const char *value, struct soft_misbehave_args *args)
{
	const char *at = value;
	uint64_t qid;

	args->n = 0;
	do {
		struct soft_fault *fault = &args->faults[args->n];

		if (args->n++ == RTE_DIM(args->faults) || parse_kind(&at, &fault->kind) < 0)
			return -EINVAL;
		fault->after = fault->kind == SOFT_FAULT_RANDOM ? 1000 : 0;
		fault->qid = -1;
		if (*at == '@' && (at++, parse_number(&at, UINT32_MAX, &fault->after) < 0))
			return -EINVAL;
		if (*at == ':') {
			at++;
			if (parse_number(&at, 2 * SOFT_MAX_PAIRS - 1, &qid) < 0)
				return -EINVAL;
			fault->qid = (int)qid;
		}
	} while (*at++ == '+');
	return at[-1] == '\0' ? 0 : -EINVAL;
}

/* ---- what is spoiled ---- */

static uint16_t
shown_upto(const struct soft_ring *ring)
{
	return ring->is_packed ? ring->packed.shown : ring->split.used_shown;
}

static struct vring_used_elem *
split_elem(const struct soft_ring *ring, uint16_t idx)
{
	return &ring->split.used->ring[idx & (ring->size - 1)];
}

static struct vring_packed_desc *
packed_desc(const struct soft_ring *ring, uint16_t at)
{
	return &ring->packed.desc[at & ~SOFT_PACKED_WRAP];
}

static bool
spoil_id(const struct shown *s)
{
	const struct soft_ring *ring = s->ring;
	struct vring_used_elem *elem;

	if (ring->is_packed) {
		packed_desc(ring, s->old)->id = s->random % 2 ? UINT16_MAX : ring->size;
		return true;
	}
	elem = split_elem(ring, s->old);
	switch (s->random % 3) {
	case 0:
		elem->id = ring->size;
		break;
	case 1:
		elem->id = UINT32_MAX;
		break;
	default: /* right for whoever looks at 16 bits */
		elem->id |= 0x10000;
	}
	return true;
}

/* The second used descriptor of the poll, or NULL. */
static struct vring_packed_desc *
packed_second(const struct shown *s)
{
	uint16_t at = soft_packed_advance(s->ring, s->old, 1);

	for (; at != s->ring->next; at = soft_packed_advance(s->ring, at, 1)) {
		struct vring_packed_desc *desc = packed_desc(s->ring, at);
		bool wrap = (at & SOFT_PACKED_WRAP) != 0;

		if (!!(desc->flags & SOFT_PACKED_AVAIL) == wrap &&
			!!(desc->flags & SOFT_PACKED_USED) == wrap)
			return desc;
	}
	return NULL;
}

/* Repeat the first id of the poll: in the second used entry, or in one more, in place of a chain
 * that the driver still has there. Reading the driver's index anew would see no more than is. */
static bool
spoil_id_twice(const struct shown *s)
{
	struct soft_ring *ring = s->ring;
	struct vring_packed_desc *second;

	if (ring->is_packed) {
		uint16_t id = packed_desc(ring, s->old)->id;

		second = packed_second(s);
		if (second == NULL) {
			if (!soft_packed_ready(ring, ring->next))
				return false;
			soft_packed_used(ring, ring->next, id, 0);
			soft_ring_publish(ring);
		} else {
			second->id = id;
		}
		return true;
	}
	if (!ring->in_order && (uint16_t)(ring->split.used_shown - s->old) >= 2) {
		split_elem(ring, s->old + 1)->id = split_elem(ring, s->old)->id;
		return true;
	}
	if (ring->next == ring->split.end)
		return false;
	soft_split_used(ring, (uint16_t)split_elem(ring, s->old)->id, 0, 1);
	soft_ring_publish(ring);
	return true;
}

static bool
spoil_idx(const struct shown *s)
{
	const struct soft_split *split = &s->ring->split;

	if (s->ring->is_packed)
		return false;
	/* Forwards or backwards; either is more than can be in flight. */
	__atomic_store_n(&split->used->idx,
		(uint16_t)(s->random % 2 ? s->old - 1 : split->used_shown + s->ring->size),
		__ATOMIC_RELEASE);
	return true;
}

static bool
spoil_len(const struct shown *s)
{
	/* No buffer that is sent can be written to. */
	uint32_t len = s->qid % 2 != 0 ? 1 : s->random % 2 ? UINT32_MAX : 0x80000000;

	if (s->ring->is_packed) {
		packed_desc(s->ring, s->old)->len = len;
		packed_desc(s->ring, s->old)->flags |= VRING_DESC_F_WRITE;
	} else {
		split_elem(s->ring, s->old)->len = len;
	}
	return true;
}

static bool
spoil_wrap(const struct shown *s)
{
	if (!s->ring->is_packed)
		return false;
	packed_desc(s->ring, s->old)->flags ^= SOFT_PACKED_AVAIL | SOFT_PACKED_USED;
	return true;
}

/* Do one thing wrong. Returns false if it cannot be done now. */
static bool
spoil(struct soft_dev *soft, enum soft_fault_kind kind, const struct shown *s)
{
	switch (kind) {
	case SOFT_FAULT_BAD_ID:
		return spoil_id(s);
	case SOFT_FAULT_ID_TWICE:
		return spoil_id_twice(s);
	case SOFT_FAULT_IDX_JUMP:
		return spoil_idx(s);
	case SOFT_FAULT_BAD_LEN:
		return spoil_len(s);
	case SOFT_FAULT_WRAP:
		return spoil_wrap(s);
	case SOFT_FAULT_SILENT:
		atomic_store(&soft->misbehave->silent, true);
		return true;
	case SOFT_FAULT_IRQ_STORM:
		atomic_store(&soft->misbehave->storm, true);
		return true;
	case SOFT_FAULT_NEEDS_RESET:
		atomic_fetch_or(&soft->status, SVQ_DEVICE_S_NEEDS_RESET);
		soft_dev_config_changed(soft);
		return true;
	default:
		return false;
	}
}

static bool
misbehave(struct soft_dev *soft, enum soft_fault_kind kind, const struct shown *s, uint64_t packets)
{
	if (!spoil(soft, kind, s))
		return false;
	atomic_fetch_add(&soft->misbehave->n_done, 1);
	SOFT_LOG(NOTICE, soft->dev.name,
		"misbehaves as it was told: %s on queue %u after %" PRIu64 " packets",
		kind_names[kind], s->qid, packets);
	return true;
}

/* ---- when ---- */

static uint64_t
packets_of(const struct soft_pair *pair, int qid)
{
	uint64_t rx = atomic_load_explicit(&pair->counters.rx_packets, memory_order_relaxed);
	uint64_t tx = atomic_load_explicit(&pair->counters.tx_packets, memory_order_relaxed);

	if (qid < 0)
		return rx + tx;
	return qid % 2 == 0 ? rx : tx;
}

/* splitmix64 */
static uint64_t
pick(struct pair_state *state, uint64_t n)
{
	uint64_t z = state->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % n;
}

static void
random_fault(struct soft_dev *soft, const struct soft_fault *fault, const struct soft_pair *pair,
	struct shown *s)
{
	struct pair_state *state = &soft->misbehave->pairs[pair->index];
	uint64_t packets = packets_of(pair, -1);

	if (packets < state->next_at)
		return;
	s->random = (uint32_t)pick(state, UINT32_MAX);
	if (state->next_at != 0)
		misbehave(soft, state->next, s, packets);
	state->next = pick(state, SOFT_FAULT_RANDOM);
	state->next_at = packets + 1 + pick(state, 2 * fault->after + 1);
}

/* A ring of which the driver sees more now: is it time for something? */
static void
consider(struct soft_dev *soft, const struct soft_pair *pair, struct shown *s)
{
	const struct soft_misbehave_args *args = &soft->args.misbehave;
	unsigned int i;

	for (i = 0; i < args->n; i++) {
		const struct soft_fault *fault = &args->faults[i];
		uint64_t packets = packets_of(pair, fault->qid);

		s->random = 0;
		if (fault->qid >= 0 ? fault->qid != s->qid
				    : fault->kind != SOFT_FAULT_RANDOM && pair->index != 0)
			continue;
		if (fault->kind == SOFT_FAULT_RANDOM)
			random_fault(soft, fault, pair, s);
		else if (packets > fault->after && !atomic_load(&soft->misbehave->done[i]) &&
			misbehave(soft, fault->kind, s, packets))
			atomic_store(&soft->misbehave->done[i], true);
	}
}

static unsigned int
misbehaving_poll(struct svq_device *dev, uint16_t index)
{
	struct soft_dev *soft = (struct soft_dev *)dev;
	struct soft_misbehave *m = soft->misbehave;
	struct soft_pair *pair = &soft->pairs[index];
	struct shown shown[] = {
		{.ring = &pair->rx, .qid = 2 * index},
		{.ring = &pair->tx, .qid = 2 * index + 1},
	};
	unsigned int i, moved;

	for (i = 0; i < RTE_DIM(shown); i++) {
		if (atomic_load(&m->storm) && shown[i].ring->irqfd >= 0)
			(void)eventfd_write(shown[i].ring->irqfd, 1);
		shown[i].old = shown_upto(shown[i].ring);
	}
	if (atomic_load(&m->silent))
		return 0;
	moved = m->poll(dev, index);
	for (i = 0; i < RTE_DIM(shown); i++) {
		if (shown_upto(shown[i].ring) != shown[i].old)
			consider(soft, pair, &shown[i]);
	}
	return moved;
}

/* ---- open, close, reset ---- */

int
soft_misbehave_open(struct soft_dev *soft)
{
	struct soft_misbehave *m;
	uint16_t i;

	if (soft->args.misbehave.n == 0)
		return 0;
	m = aligned_alloc(RTE_CACHE_LINE_SIZE,
		RTE_ALIGN(
			sizeof(*m) + soft->args.pairs * sizeof(m->pairs[0]), RTE_CACHE_LINE_SIZE));
	if (m == NULL)
		return -ENOMEM;
	memset(m, 0, sizeof(*m) + soft->args.pairs * sizeof(m->pairs[0]));
	for (i = 0; i < soft->args.pairs; i++)
		m->pairs[i].random = soft->args.misbehave.seed + i;
	m->poll = soft->ops.poll;
	soft->ops.poll = misbehaving_poll;
	soft->misbehave = m;
	SOFT_LOG(WARNING, soft->dev.name, "misbehave= is given: this device is for tests only");
	return 0;
}

void
soft_misbehave_close(struct soft_dev *soft)
{
	free(soft->misbehave);
}

void
soft_misbehave_reset(struct soft_dev *soft)
{
	if (soft->misbehave == NULL)
		return;
	atomic_store(&soft->misbehave->silent, false);
	atomic_store(&soft->misbehave->storm, false);
}

void
soft_misbehave_dump(const struct soft_dev *soft, FILE *f)
{
	const struct soft_misbehave *m = soft->misbehave;

	if (m == NULL)
		return;
	fprintf(f, "  misbehaviour: %" PRIu64 " times%s%s\n", atomic_load(&m->n_done),
		atomic_load(&m->silent) ? ", silent" : "",
		atomic_load(&m->storm) ? ", interrupting" : "");
}
