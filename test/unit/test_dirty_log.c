/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <svq_dirty_log.h>

#include "autotest.h"
#include "random.h"

#define PAGES	512
#define PAGE	((uint64_t)SVQ_DIRTY_LOG_PAGE)
#define LOG_LEN (PAGES / 8)

/* Bytes beside the bitmap that no mark may touch. */
static uint8_t room[LOG_LEN + 16];
static struct svq_dirty_log dirty = {.base = room + 8, .size = LOG_LEN};

static unsigned int
n_marked(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += dirty.base[i / 8] >> (i % 8) & 1;
	return n;
}

static int
is_marked(uint64_t page)
{
	return dirty.base[page / 8] >> (page % 8) & 1;
}

static void
mark(uint64_t gpa, uint64_t len)
{
	memset(room, 0, sizeof(room));
	svq_dirty_log_begin();
	svq_dirty_log_mark(&dirty, gpa, len);
}

static void
test_pages(void)
{
	mark(0, 0);
	CU_ASSERT_EQUAL(n_marked(), 0);
	mark(0, 1);
	CU_ASSERT(n_marked() == 1 && is_marked(0));
	mark(PAGE - 1, 1);
	CU_ASSERT(n_marked() == 1 && is_marked(0));
	mark(PAGE - 1, 2);
	CU_ASSERT(n_marked() == 2 && is_marked(0) && is_marked(1));
	mark(9 * PAGE, PAGE);
	CU_ASSERT(n_marked() == 1 && is_marked(9));
	mark(7 * PAGE + 1, 10 * PAGE);
	CU_ASSERT(n_marked() == 11 && is_marked(7) && is_marked(17));
}

static void
test_marks_add_up(void)
{
	mark(3 * PAGE, 1);
	svq_dirty_log_mark(&dirty, 3 * PAGE, 1);
	svq_dirty_log_mark(&dirty, 4 * PAGE, 1);
	CU_ASSERT_EQUAL(dirty.base[0], 0x18);
}

static void
test_beyond_the_bitmap(void)
{
	static const uint8_t zero[8];

	mark(PAGES * PAGE, PAGE);
	CU_ASSERT_EQUAL(n_marked(), 0);
	mark((PAGES - 1) * PAGE, UINT64_MAX);
	CU_ASSERT(n_marked() == 1 && is_marked(PAGES - 1));
	mark(UINT64_MAX, 1);
	CU_ASSERT_EQUAL(n_marked(), 0);
	mark(UINT64_MAX, UINT64_MAX);
	CU_ASSERT_EQUAL(n_marked(), 0);
	mark(0, UINT64_MAX);
	CU_ASSERT_EQUAL(n_marked(), PAGES);
	CU_ASSERT_EQUAL(memcmp(room, zero, 8), 0);
	CU_ASSERT_EQUAL(memcmp(room + 8 + LOG_LEN, zero, 8), 0);
}

static void
test_against_model(void)
{
	uint64_t seed = autotest_seed(), page;
	unsigned int i, bad = 0;

	for (i = 0; i < 20000; i++) {
		uint64_t gpa = random_below(&seed, (PAGES + 8) * PAGE);
		uint64_t len = random_below(&seed, (UINT64_C(1) << random_below(&seed, 22)));

		mark(gpa, len);
		for (page = 0; page < PAGES; page++) {
			int hit = len > 0 && page >= gpa / PAGE && page <= (gpa + len - 1) / PAGE;

			bad += hit != is_marked(page);
		}
	}
	CU_ASSERT_EQUAL(bad, 0);
}

/* All is marked but one page, near or in the range: it must come, and only if it is in it. */
static void
test_the_one_missing(void)
{
	uint64_t seed = autotest_seed();
	unsigned int i, bad = 0;

	for (i = 0; i < 50000; i++) {
		uint64_t hole = random_below(&seed, PAGES);
		uint64_t len = 1 + random_below(&seed, 12 * PAGE);
		uint64_t gpa = random_below(&seed, 16 * PAGE) + (hole > 14 ? hole - 14 : 0) * PAGE;
		int hit = hole >= gpa / PAGE && hole <= (gpa + len - 1) / PAGE;

		memset(room, 0xff, sizeof(room));
		dirty.base[hole / 8] &= ~(1u << (hole % 8));
		svq_dirty_log_mark(&dirty, gpa, len);
		bad += is_marked(hole) != hit || n_marked() != PAGES - !hit;
	}
	CU_ASSERT_EQUAL(bad, 0);
}

static void
fill(void)
{
	CU_pSuite suite = autotest_suite("dirty log", NULL, NULL);

	autotest_add(suite, "pages", test_pages);
	autotest_add(suite, "marks add up", test_marks_add_up);
	autotest_add(suite, "beyond the bitmap", test_beyond_the_bitmap);
	autotest_add(suite, "against a model", test_against_model);
	autotest_add(suite, "the one missing", test_the_one_missing);
}

REGISTER_AUTOTEST(dirty_log_autotest, fill)
