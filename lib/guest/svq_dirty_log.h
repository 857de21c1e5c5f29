/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_DIRTY_LOG_H
#define SVQ_DIRTY_LOG_H

/**
 * @file
 * The vhost-user dirty log: one bit per 4 KiB page of guest-physical memory.
 *
 * Concepts
 *
 * While a guest migrates, the front-end shares a bitmap and fetches and clears its words
 * atomically. Whoever writes guest memory sets the page's bit *after* the write. The bit is set
 * with one atomic OR, and only if it is not set already; for that test to be sound, the writes must
 * be ordered before it: call svq_dirty_log_begin() once, after the writes of a burst and before its
 * marks.
 *
 * Follows the vhost-user protocol, "Migration" (page size 4096, byte page/8, bit page%8).
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of guest memory that one bit stands for. */
#define SVQ_DIRTY_LOG_PAGE 4096

/** A bitmap shared with the front-end. base is NULL while nothing is logged. */
struct svq_dirty_log {
	uint8_t *base; /**< first byte of the bitmap, or NULL */
	uint64_t size; /**< bytes of the bitmap */
};

/** Eight bytes of a bitmap, from any byte on. Little-endian, so bit n is page n. */
struct svq_dirty_log_word {
	uint64_t bits;
} __attribute__((packed, may_alias));

/** Order what this thread wrote to guest memory before the marks that follow. */
static inline void
svq_dirty_log_begin(void)
{
	/* Pairs with the front-end's atomic fetch-and-clear before it copies the page. */
	atomic_thread_fence(memory_order_seq_cst);
}

/**
 * The same for what a device wrote, or another thread: behind the read of what it published its
 * writes by. They were visible to all before that was, so it is enough to read the bits later.
 */
static inline void
svq_dirty_log_seen(void)
{
	/* Pairs as above. */
	atomic_thread_fence(memory_order_acquire);
}

/* Set the bits of pages @p page to @p last. */
static inline void
svq_dirty_log_set(const struct svq_dirty_log *log, uint64_t page, uint64_t last)
{
	for (; page <= last && page / 8 < log->size; page++) {
		_Atomic uint8_t *byte = (_Atomic uint8_t *)(log->base + page / 8);
		uint8_t bit = (uint8_t)(1u << (page % 8));

		if (!(atomic_load_explicit(byte, memory_order_relaxed) & bit))
			atomic_fetch_or_explicit(byte, bit, memory_order_relaxed);
	}
}

/**
 * Whether a range of guest memory is marked already, as those are that were written before: without
 * a loop, and without a branch that depends on where in a page it begins.
 *
 * @return false also for what is too long or lies too near the bitmap's end to be told at once.
 */
static inline bool
svq_dirty_log_is_marked(const struct svq_dirty_log *log, uint64_t gpa, uint64_t len)
{
	uint64_t page = gpa / SVQ_DIRTY_LOG_PAGE, at = page / 8, word, want;

	/* Eight bytes from the first page's on: its bit is one of the first eight, and as many more
	 * pages as here may be written have theirs in the rest. */
	if (at + sizeof(word) > log->size || len - 1 >= 55 * (uint64_t)SVQ_DIRTY_LOG_PAGE)
		return false;
	want = (gpa + len - 1) / SVQ_DIRTY_LOG_PAGE - page;
	want = ((UINT64_C(2) << want) - 1) << (page % 8);
	word = ((const volatile struct svq_dirty_log_word *)(log->base + at))->bits;
	return (word & want) == want;
}

/**
 * Mark a guest range as written. A part beyond the bitmap is ignored.
 *
 * @param log
 *   log->base must not be NULL.
 * @param gpa
 *   First byte written.
 * @param len
 *   Bytes written; 0 marks nothing.
 */
static inline void
svq_dirty_log_mark(const struct svq_dirty_log *log, uint64_t gpa, uint64_t len)
{
	uint64_t last;

	/* Nearly always its pages are marked already. */
	if (len == 0 || svq_dirty_log_is_marked(log, gpa, len))
		return;
	last = len - 1 > UINT64_MAX - gpa ? UINT64_MAX : gpa + (len - 1);
	svq_dirty_log_set(log, gpa / SVQ_DIRTY_LOG_PAGE, last / SVQ_DIRTY_LOG_PAGE);
}

#ifdef __cplusplus
}
#endif

#endif /* SVQ_DIRTY_LOG_H */
