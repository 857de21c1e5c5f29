/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef QUEUE_BURST_H
#define QUEUE_BURST_H

/**
 * @file
 * The relay's algorithm: one burst from the guest to the device, one burst back.
 *
 * Concepts
 *
 * To the device: gather the chains (copy and check), translate the burst in one call, write the
 * shadow descriptors, publish once, kick if the device asks. Back: take the used entries, check
 * each against what is in flight, write the guest's used entries, publish once, log, call if the
 * guest asks. Inline, so that an instance with constant operations has no indirect call.
 */

#include <errno.h>
#include <stdatomic.h>

#include <sys/eventfd.h>

#include <rte_cycles.h>

#include "queue_plain.h"
#include "queue_priv.h"
#include "shadow.h"
#include "table.h"

/* Bursts that are timed before only one in SVQ_TIMED_EVERY is, which then stands for as many. */
#define SVQ_TIMED_ALL	64
#define SVQ_TIMED_EVERY 61

/*
 * A burst that began at @p start, the @p bursts -th one, is over, and was timed. To read the clock
 * twice takes as long as to relay several packets. @return bursts before the next one that is.
 */
static __rte_always_inline uint32_t
svq_burst_timed(struct svq_queue *q, uint64_t bursts, uint64_t start)
{
	const uint32_t stands_for = bursts <= SVQ_TIMED_ALL ? 1 : SVQ_TIMED_EVERY;

	q->stats.cycles += stands_for * (rte_rdtsc() - start);
	return bursts < SVQ_TIMED_ALL ? 0 : SVQ_TIMED_EVERY - 1;
}

/* Whether a network device can use the chain: it would ask for a reset of all its queues if not. */
static __rte_always_inline enum svq_queue_error
svq_burst_check_net(const struct svq_queue *q, const struct svq_chain *chain, uint64_t *detail)
{
	bool tx = q->qid % 2 != 0;
	uint32_t right = tx ? chain->readable : chain->writable;
	uint32_t wrong = tx ? chain->writable : chain->readable;

	if (unlikely(wrong != 0)) {
		*detail = wrong;
		return SVQ_QUEUE_E_DIRECTION;
	}
	if (unlikely(right < q->net_header)) {
		*detail = right;
		return SVQ_QUEUE_E_SHORT;
	}
	return SVQ_QUEUE_OK;
}

/*
 * Gather up to @p n chains behind the plain ones. The error, if any, belongs to the chain after the
 * last gathered one.
 */
static __rte_always_inline enum svq_queue_error
svq_burst_gather(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_gpa_map *map,
	unsigned int n, uint64_t *detail)
{
	struct svq_gather *ga = &q->gather;
	enum svq_queue_error error;
	bool full = false;

	while (ga->n_chains < n) {
		struct svq_chain *chain = &ga->chain[ga->n_chains];

		error = g->gather(q, map, ga->n_plain + ga->n_chains, chain, &full, detail);
		if (unlikely(error != SVQ_QUEUE_OK))
			return error;
		if (full)
			break;
		if (q->net_header != 0) {
			error = svq_burst_check_net(q, chain, detail);
			if (unlikely(error != SVQ_QUEUE_OK))
				return error;
		}
		ga->n_descs = chain->first + chain->n;
		ga->places += chain->places;
		ga->n_chains++;
	}
	return SVQ_QUEUE_OK;
}

/* Translate all that was gathered but the plain chains. @return whether each entry lies in one
 * mapping. */
static __rte_always_inline bool
svq_burst_translate(struct svq_queue *q, const struct svq_gpa_map *map)
{
	struct svq_gather *ga = &q->gather;
	bool all = true;
	uint32_t i;

	for (i = 0; i < ga->n_descs; i += 64) {
		unsigned int n = RTE_MIN(ga->n_descs - i, 64u);
		uint64_t want = UINT64_MAX >> (64 - n);
		uint64_t got = svq_gpa_translate_burst(
			map, &ga->gpa[i], &ga->len[i], ga->writable[i / 64], &ga->iova[i], n);

		ga->translated[i / 64] = got;
		all &= (got & want) == want;
	}
	return all;
}

static __rte_always_inline void
svq_burst_kick(struct svq_queue *q, const struct svq_shadow_ops *s)
{
	uint32_t data = q->qid;

	if (q->notify_position)
		data |= (uint32_t)s->position(q) << 16;
	q->dev->ops->notify(q->dev, q->qid, data);
}

/* What a burst moved to the device, and what ended it. */
struct svq_burst_sum {
	unsigned int plain;
	unsigned int chains; /* these among them */
	enum svq_queue_error fault;
	uint64_t detail;
};

/*
 * Write the chains behind the plain ones, those from @p i on. @return why it went no further, of
 * which one reason is that the queue has to leave the mode where ids are kept.
 */
static __rte_always_inline enum svq_queue_error
svq_burst_put_from(struct svq_queue *q, const struct svq_shadow_ops *s,
	const struct svq_gpa_map *map, bool simple, struct svq_burst_sum *sum, unsigned int *i,
	bool kept, bool *leave)
{
	for (; *i < q->gather.n_chains; ++*i) {
		struct svq_chain *chain = &q->gather.chain[*i];

		chain->pieces = chain->n;
		if (unlikely(!simple)) {
			enum svq_queue_error error = svq_chain_slots(q, map, chain, &sum->detail);

			if (error != SVQ_QUEUE_OK)
				return error;
		}
		if (unlikely(chain->pieces > q->size)) {
			sum->detail = chain->pieces;
			return SVQ_QUEUE_E_TOO_LONG;
		}
		chain->slots = svq_table_suits(q, chain, kept) ? 1 : chain->pieces;
		if (kept && unlikely(!svq_shadow_fits_kept(q, chain))) {
			*leave = true;
			return SVQ_QUEUE_OK;
		}
		if (unlikely(chain->slots > q->shadow.n_free)) {
			/* What is behind it waits too, and so does its fault. */
			q->wanted = chain->slots;
			q->stats.stalls++;
			return SVQ_QUEUE_OK;
		}
		/* Two chains of one id could not be told apart. */
		if (unlikely(!svq_shadow_claim(q, chain, kept))) {
			sum->detail = chain->id;
			return SVQ_QUEUE_E_HEAD;
		}
		s->put(q, map, chain, sum->chains, kept);
		sum->chains++;
		q->stats.descs += chain->n - 1;
		q->stats.bytes += chain->readable;
		q->stats.indirect += chain->indirect;
	}
	return sum->fault;
}

/* Write the chains behind the plain ones. What ended their gathering stands if all are written. */
static __rte_always_inline void
svq_burst_put(struct svq_queue *q, const struct svq_shadow_ops *s, const struct svq_gpa_map *map,
	struct svq_burst_sum *sum, bool kept)
{
	bool simple = svq_burst_translate(q, map), leave = false;
	enum svq_queue_error fault;
	unsigned int i = 0;

	fault = svq_burst_put_from(q, s, map, simple, sum, &i, kept, &leave);
	if (kept && unlikely(leave)) {
		svq_slots_leave_kept(q);
		fault = svq_burst_put_from(q, s, map, simple, sum, &i, false, &leave);
	}
	sum->fault = fault;
}

/* What is not moved at once in vector registers: up to @p n chains in all. @p ended: what comes
 * next cannot be. */
static __rte_always_inline void
svq_burst_avail_rest(struct svq_queue *q, const struct svq_guest_ops *g,
	const struct svq_shadow_ops *s, const struct svq_vector_ops *v,
	const struct svq_gpa_map *map, unsigned int n, bool ended, enum svq_slots_mode mode,
	struct svq_burst_sum *sum)
{
	struct svq_gather *ga = &q->gather;
	unsigned int plain = sum->plain;

	if (v != NULL) {
		while (!ended && plain < n && g->more(q, plain)) {
			struct svq_vector_moved m = v->avail(q, map, plain, n - plain, mode);

			plain += m.n;
			ended = m.ended;
		}
		/* No more than a look, if all of a packed ring has been taken. */
		if (plain != 0 && plain < n && !g->more(q, plain))
			n = plain;
	}
	if (plain < n)
		plain += svq_plain_avail(q, g, s, map, plain, n - plain, mode);
	sum->plain = sum->chains = plain;
	if (plain == n || !g->more(q, plain))
		return;
	ga->n_plain = ga->places = plain;
	ga->n_chains = ga->n_descs = 0;
	sum->fault = svq_burst_gather(q, g, map, n - plain, &sum->detail);
	svq_burst_put(q, s, map, sum, mode == SVQ_SLOTS_KEPT);
}

/* svq_burst_avail_rest() of an instance. */
typedef void (*svq_burst_rest_t)(struct svq_queue *q, const struct svq_gpa_map *map, unsigned int n,
	bool ended, struct svq_burst_sum *sum);

static __rte_always_inline unsigned int
svq_burst_avail(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	const struct svq_vector_ops *v, svq_burst_rest_t rest, enum svq_slots_mode mode)
{
	const bool timed = q->avail_untimed == 0;
	uint64_t start = unlikely(timed) ? rte_rdtsc() : 0;
	struct svq_vector_moved first = {0};
	struct svq_burst_sum sum = {0};
	const struct svq_gpa_map *map;
	enum svq_queue_error fault;
	unsigned int n;

	fault = g->available(q, &n);
	if (likely(fault == SVQ_QUEUE_OK && n == 0))
		return 0;
	if (unlikely(fault != SVQ_QUEUE_OK)) {
		svq_queue_fault(q, fault, n);
		return 0;
	}
	/* A long chain that waits is not to cost the worker's other pairs time at every poll. */
	if (unlikely(q->wanted > q->shadow.n_free)) {
		q->stats.stalls++;
		return 0;
	}

	q->wanted = 0;
	map = svq_queue_map(q);
	if (v != NULL)
		first = v->avail_first(q, map, n, mode);
	sum.plain = sum.chains = first.n;
	if (v == NULL || unlikely(first.n < n && (first.n == 0 || g->more(q, first.n)))) {
		struct svq_burst_sum all = sum; /* so that the rule's is not in memory */

		rest(q, map, n, first.ended, &all);
		sum = all;
	}

	g->taken(q, sum.plain, sum.chains);
	if (likely(sum.chains != 0)) {
		/* Not behind the barrier, which lets nothing begin before all is written. */
		q->inflight += sum.chains;
		q->stats.chains += sum.chains;
		q->stats.bursts++;
		q->avail_untimed--;
		if (s->publish(q, sum.chains)) {
			svq_burst_kick(q, s);
			q->stats.kicks++;
		}
		if (unlikely(timed))
			q->avail_untimed = svq_burst_timed(q, q->stats.bursts, start);
	}
	if (unlikely(sum.fault != SVQ_QUEUE_OK))
		svq_queue_fault(q, sum.fault, sum.detail);
	return sum.chains;
}

/* Log what the device wrote of a chain: the first bytes of its writable slots. */
static inline void
svq_burst_log(const struct svq_queue *q, const struct svq_used *u)
{
	uint32_t len = u->len;
	unsigned int i;
	struct svq_slot plain;
	const struct svq_slot *slot = svq_flight_pieces(&q->shadow, u->head, &i, &plain);

	for (; i != 0 && len != 0; i--) {
		if (slot->writable) {
			uint32_t part = RTE_MIN(len, slot->len);

			svq_dirty_log_mark(&q->log, slot->gpa, part);
			len -= part;
		}
		slot = &q->shadow.slot[slot->next];
	}
}

/*
 * Call the guest. EAGAIN: its counter is full, so it has been called and has not looked; EINTR: as
 * before, but the front-end made the descriptor blocking (svq_patience.h), and may do so again.
 */
static __rte_always_inline enum svq_queue_error
svq_burst_call(const struct svq_queue *q, enum svq_queue_error fault, uint64_t *detail)
{
	if (likely(eventfd_write(q->guest.callfd, 1) == 0 || errno != EINTR ||
		    fault != SVQ_QUEUE_OK))
		return fault;
	*detail = EINTR;
	return SVQ_QUEUE_E_CALL;
}

/* One burst on its way back. */
struct svq_burst_back {
	uint64_t start;
	bool timed;
	unsigned int taken; /* chains taken from the device */
	unsigned int done;  /* chains returned to the guest */
	enum svq_queue_error fault;
	uint64_t detail;
};

/* Begin. @return false: the device has returned nothing. */
static __rte_always_inline bool
svq_burst_back_begin(struct svq_queue *q, const struct svq_shadow_ops *s, struct svq_burst_back *b,
	unsigned int *n)
{
	*b = (struct svq_burst_back){.timed = q->used_untimed == 0};
	if (unlikely(b->timed))
		b->start = rte_rdtsc();
	b->fault = s->used(q, n);
	if (likely(b->fault == SVQ_QUEUE_OK && *n == 0))
		return false;
	if (unlikely(b->fault != SVQ_QUEUE_OK)) {
		svq_queue_fault(q, b->fault, *n);
		return false;
	}
	if (unlikely(q->log.base != NULL) && q->dev_is_ours)
		svq_dirty_log_begin();
	return true;
}

/* Take the next entry. @return false: there is none, or it is at fault. */
static __rte_always_inline bool
svq_burst_back_take(struct svq_queue *q, const struct svq_shadow_ops *s, struct svq_burst_back *b,
	struct svq_used *u)
{
	bool none;

	b->fault = s->get_used(q, b->taken, u, &none);
	if (none)
		return false;
	if (unlikely(b->fault != SVQ_QUEUE_OK)) {
		b->detail = b->fault == SVQ_QUEUE_E_USED_LEN ? u->len : u->head;
		return false;
	}
	/* Logged before the guest can learn of it: it may be stopped and copied right after. */
	if (unlikely(q->log.base != NULL)) {
		svq_dirty_log_seen();
		svq_burst_log(q, u);
	}
	return true;
}

/* Return a chain to the guest. @p id: what the guest knows it by. */
static __rte_always_inline void
svq_burst_back_put(struct svq_queue *q, const struct svq_guest_ops *g, struct svq_burst_back *b,
	const struct svq_used *u, uint16_t id)
{
	g->put_used(q, b->done, id,
		likely(!u->flight.origin) ? 1 : q->shadow.origin[u->head].places, u->len);
	q->stats.bytes += u->len;
	b->done++;
}

static __rte_always_inline void
svq_burst_back_end(struct svq_queue *q, const struct svq_guest_ops *g,
	const struct svq_shadow_ops *s, struct svq_burst_back *b)
{
	if (likely(b->taken != 0))
		s->taken(q, b->taken);
	if (likely(b->done != 0)) {
		const int callfd = q->guest.callfd;

		g->publish_used(q, b->done);
		q->inflight -= b->done;
		q->stats.used += b->done;
		q->stats.used_bursts++;
		q->used_untimed--;
		/*
		 * Orders used->idx before the read of what the guest asked for; pairs with the
		 * driver's full barrier between enabling calls and reading used->idx. It also
		 * stands for svq_dirty_log_begin().
		 */
		atomic_thread_fence(memory_order_seq_cst);
		if (unlikely(q->log.base != NULL))
			g->log_used(q, b->done);
		if (callfd >= 0 && g->wants_call(q, b->done)) {
			b->fault = svq_burst_call(q, b->fault, &b->detail);
			q->stats.calls++;
		}
		if (unlikely(b->timed))
			q->used_untimed = svq_burst_timed(q, q->stats.used_bursts, b->start);
	}
	if (unlikely(b->fault != SVQ_QUEUE_OK))
		svq_queue_fault(q, b->fault, b->detail);
}

/* What is not returned at once in vector registers, of @p n chains in all. @p ended: what comes
 * next cannot be. */
static __rte_always_inline void
svq_burst_used_rest(struct svq_queue *q, const struct svq_guest_ops *g,
	const struct svq_shadow_ops *s, const struct svq_vector_ops *v, unsigned int n, bool ended,
	enum svq_slots_mode mode, struct svq_burst_back *b)
{
	const bool kept = mode == SVQ_SLOTS_KEPT;
	unsigned int took;
	struct svq_used u;
	uint16_t last;

	while (b->done < n && (b->done == 0 || s->more_used(q, b->done))) {
		if (unlikely(q->log.base != NULL))
			took = svq_plain_back(q, g, s, v, ended, true, b->done, b->done,
				n - b->done, mode, true, &last);
		else
			took = svq_plain_back(q, g, s, v, ended, true, b->done, b->done,
				n - b->done, mode, false, &last);
		if (unlikely(took == 0))
			break;
		b->done += took;
		ended = false;
	}
	b->taken = b->done;
	/* No more than a look, if all of a packed ring has been taken. */
	if (b->taken != 0 && b->taken < n && !s->more_used(q, b->taken))
		n = b->taken;
	while (b->taken < n && svq_burst_back_take(q, s, b, &u)) {
		b->taken++;
		svq_burst_back_put(q, g, b, &u, kept ? u.head : u.flight.id);
		svq_shadow_release(q, &u, kept);
	}
}

/* svq_burst_used_rest() of an instance. */
typedef void (*svq_burst_back_rest_t)(
	struct svq_queue *q, unsigned int n, bool ended, struct svq_burst_back *b);

static __rte_always_inline unsigned int
svq_burst_used(struct svq_queue *q, const struct svq_guest_ops *g, const struct svq_shadow_ops *s,
	const struct svq_vector_ops *v, svq_burst_back_rest_t rest)
{
	struct svq_vector_moved first = {0};
	struct svq_burst_back b;
	unsigned int n;
	uint16_t last;

	if (likely(!svq_burst_back_begin(q, s, &b, &n)))
		return 0;
	if (v != NULL && likely(q->log.base == NULL))
		first = v->used_first(q, n);
	else if (v != NULL)
		first = v->used(q, true, 0, 0, n, SVQ_SLOTS_KEPT, true, &last);
	b.done = b.taken = first.n;
	if (v == NULL || unlikely(b.done < n && (b.done == 0 || s->more_used(q, b.done)))) {
		struct svq_burst_back all = b; /* so that the rule's is not in memory */

		rest(q, n, first.ended, &all);
		b = all;
	}
	svq_burst_back_end(q, g, s, &b);
	return b.done;
}

/**
 * Define those of a pairing.
 *
 * @param vector
 *   What it does in vector registers, or NULL. Slots that are a stack follow no order, so then it
 *   is of no use.
 * @param how
 *   Attributes of the functions.
 * @param apart
 *   Those of the functions for what is not done in vector registers: where it is the exception, it
 *   is not to be in the way.
 */
#define SVQ_INSTANCES(name, guest, shadow, vector, how, apart)                                     \
	static __rte_always_inline how void rest_stack(struct svq_queue *q,                        \
		const struct svq_gpa_map *map, unsigned int n, bool ended,                         \
		struct svq_burst_sum *sum)                                                         \
	{                                                                                          \
		svq_burst_avail_rest(q, guest, shadow, NULL, map, n, ended, SVQ_SLOTS_STACK, sum); \
	}                                                                                          \
	static apart how void rest_kept(struct svq_queue *q, const struct svq_gpa_map *map,        \
		unsigned int n, bool ended, struct svq_burst_sum *sum)                             \
	{                                                                                          \
		svq_burst_avail_rest(                                                              \
			q, guest, shadow, vector, map, n, ended, SVQ_SLOTS_KEPT, sum);             \
	}                                                                                          \
	static apart how void rest_ring(struct svq_queue *q, const struct svq_gpa_map *map,        \
		unsigned int n, bool ended, struct svq_burst_sum *sum)                             \
	{                                                                                          \
		svq_burst_avail_rest(                                                              \
			q, guest, shadow, vector, map, n, ended, SVQ_SLOTS_RING, sum);             \
	}                                                                                          \
	static __rte_always_inline how void back_rest_stack(                                       \
		struct svq_queue *q, unsigned int n, bool ended, struct svq_burst_back *b)         \
	{                                                                                          \
		svq_burst_used_rest(q, guest, shadow, NULL, n, ended, SVQ_SLOTS_STACK, b);         \
	}                                                                                          \
	static apart how void back_rest_kept(                                                      \
		struct svq_queue *q, unsigned int n, bool ended, struct svq_burst_back *b)         \
	{                                                                                          \
		svq_burst_used_rest(q, guest, shadow, vector, n, ended, SVQ_SLOTS_KEPT, b);        \
	}                                                                                          \
	static how unsigned int avail_stack(struct svq_queue *q)                                   \
	{                                                                                          \
		return svq_burst_avail(q, guest, shadow, NULL, rest_stack, SVQ_SLOTS_STACK);       \
	}                                                                                          \
	static how unsigned int avail_kept(struct svq_queue *q)                                    \
	{                                                                                          \
		return svq_burst_avail(q, guest, shadow, vector, rest_kept, SVQ_SLOTS_KEPT);       \
	}                                                                                          \
	static how unsigned int avail_ring(struct svq_queue *q)                                    \
	{                                                                                          \
		return svq_burst_avail(q, guest, shadow, vector, rest_ring, SVQ_SLOTS_RING);       \
	}                                                                                          \
	static how unsigned int used_stack(struct svq_queue *q)                                    \
	{                                                                                          \
		return svq_burst_used(q, guest, shadow, NULL, back_rest_stack);                    \
	}                                                                                          \
	static how unsigned int used_kept(struct svq_queue *q)                                     \
	{                                                                                          \
		return svq_burst_used(q, guest, shadow, vector, back_rest_kept);                   \
	}                                                                                          \
	static how unsigned int used_ring(struct svq_queue *q)                                     \
	{                                                                                          \
		return svq_burst_used_ordered(q, guest, shadow, vector);                           \
	}                                                                                          \
	const struct svq_instance name[SVQ_SLOTS_MODES] = {                                        \
		[SVQ_SLOTS_STACK] = {avail_stack, used_stack},                                     \
		[SVQ_SLOTS_KEPT] = {avail_kept, used_kept},                                        \
		[SVQ_SLOTS_RING] = {avail_ring, used_ring},                                        \
	}

#endif /* QUEUE_BURST_H */
