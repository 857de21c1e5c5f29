/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_cycles.h>
#include <rte_log.h>

#include <svq_patience.h>

#include "autotest.h"
#include "relay_bed.h"

/* What a fault leaves behind: one line, not too many of them, and a signal to the front-end. */

#define F_SPLIT	 (1ULL << VIRTIO_F_VERSION_1)
#define F_PACKED (F_SPLIT | 1ULL << VIRTIO_F_RING_PACKED)

static struct bed b;
static struct svq_complaints complaints;
static char *text;
static size_t text_size;
static FILE *stream;

static void
listen_log(void)
{
	stream = open_memstream(&text, &text_size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	rte_openlog_stream(stream);
}

/* What was logged, until the next call of listen_log(). */
static void
heard_log(void)
{
	rte_openlog_stream(NULL);
	fclose(stream);
}

static unsigned int
lines(const char *what)
{
	unsigned int n = 0;
	const char *at = text;

	while ((at = strstr(at, what)) != NULL) {
		at += strlen(what);
		n++;
	}
	return n;
}

static void
open_bed(uint64_t guest, uint64_t device)
{
	memset(&complaints, 0, sizeof(complaints));
	bed_open_conf(&b,
		&(struct bed_conf){
			.guest_size = 16,
			.device_size = 16,
			.guest_features = guest,
			.device_features = device,
			.complaints = &complaints,
		});
}

/* Two good chains, and one at GPA 0xdead000, which is outside of memory. */
static void
give_bad(void)
{
	bed_desc(&b, 0, 0x1000, 64, 0, 0);
	bed_desc(&b, 1, 0x2000, 64, 0, 0);
	bed_desc(&b, 2, 0xdead000, 64, 0, 0);
	bed_avail(&b, 0);
	bed_avail(&b, 1);
	bed_avail(&b, 2);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
}

static void
test_line_guest(void)
{
	char entry[64];

	open_bed(F_SPLIT, F_SPLIT);
	listen_log();
	give_bad();
	heard_log();
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_ADDRESS);
	CU_ASSERT_EQUAL(lines("\n"), 1);
	/* Queue, reason, address, index, and where to look. */
	snprintf(entry, sizeof(entry), "at index 2, ring entry at GPA 0x%" PRIx64, b.avail_gpa + 8);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "queue 0 (rx): "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "address 0xdead000"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, entry));
	free(text);
	bed_close(&b);
}

static void
test_line_packed(void)
{
	struct vring_packed_desc *ring;
	char entry[64];

	open_bed(F_PACKED, F_SPLIT);
	ring = (struct vring_packed_desc *)b.desc;
	ring[0] = (struct vring_packed_desc){.addr = 0x1000, .len = 64, .id = 0};
	ring[1] = (struct vring_packed_desc){.addr = 0xdead000, .len = 64, .id = 1};
	ring[0].flags = ring[1].flags = 1 << VRING_PACKED_DESC_F_AVAIL;
	listen_log();
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 1);
	heard_log();
	snprintf(entry, sizeof(entry), "at index 1, ring entry at GPA 0x%" PRIx64, b.desc_gpa + 16);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "address 0xdead000"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, entry));
	free(text);
	bed_close(&b);
}

static void
test_line_device(void)
{
	struct svq_device_queue sq;
	struct bed_chain chain;
	char entry[64];

	open_bed(F_SPLIT, F_SPLIT);
	svq_queue_device(b.q, &sq);
	bed_desc(&b, 0, 0x1000, 64, 0, 0);
	bed_desc(&b, 1, 0x1000, 64, 0, 0);
	bed_avail(&b, 0);
	bed_avail(&b, 1);
	CU_ASSERT_EQUAL(svq_queue_avail(b.q), 2);
	CU_ASSERT_FATAL(bed_device_take(&b, &chain));
	bed_device_return(&b, chain.head, 0);
	bed_device_return(&b, 15, 0);
	listen_log();
	svq_queue_used(b.q);
	heard_log();
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_USED_ID);
	snprintf(entry, sizeof(entry), "at index 1, ring entry at IOVA 0x%" PRIx64,
		sq.used_iova + 4 + 8);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "0xf, "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, entry));
	free(text);
	bed_close(&b);
}

/* A guest that breaks its queue and resets it without end. */
static void
test_limit(void)
{
	struct svq_queue_stats stats;
	unsigned int i;

	open_bed(F_SPLIT, F_SPLIT);
	listen_log();
	give_bad();
	for (i = 1; i < 1000; i++) {
		svq_queue_recall(b.q);
		svq_queue_avail(b.q);
	}
	heard_log();
	svq_queue_stats(b.q, &stats);
	CU_ASSERT_EQUAL(stats.errors[SVQ_QUEUE_E_ADDRESS], 1000);
	CU_ASSERT_EQUAL(lines("address 0xdead000"), SVQ_COMPLAINTS_MAX);
	CU_ASSERT_EQUAL(lines("only counted for 10 s"), 1);
	free(text);
	/* After the period there are lines again. */
	atomic_store(&complaints.from,
		rte_get_timer_cycles() - (SVQ_COMPLAINTS_PERIOD + 1) * rte_get_timer_hz());
	listen_log();
	svq_queue_recall(b.q);
	svq_queue_avail(b.q);
	heard_log();
	CU_ASSERT_EQUAL(lines("address 0xdead000"), 1);
	free(text);
	bed_close(&b);
}

static unsigned int
signals(int fd)
{
	eventfd_t n = 0;

	return eventfd_read(fd, &n) == 0 ? (unsigned int)n : 0;
}

static void
test_signal(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	open_bed(F_SPLIT, F_SPLIT);
	svq_queue_set_errfd(b.q, fd);
	CU_ASSERT_EQUAL(signals(fd), 0);
	give_bad();
	CU_ASSERT_EQUAL(signals(fd), 1);
	/* Once a break. */
	svq_queue_avail(b.q);
	svq_queue_break(b.q, SVQ_QUEUE_E_MEMORY_LOST);
	CU_ASSERT_EQUAL(signals(fd), 0);
	svq_queue_recall(b.q);
	svq_queue_break(b.q, SVQ_QUEUE_E_DEVICE);
	CU_ASSERT_EQUAL(signals(fd), 1);
	svq_queue_recall(b.q);
	svq_queue_set_errfd(b.q, -1);
	svq_queue_break(b.q, SVQ_QUEUE_E_MEMORY_LOST);
	CU_ASSERT_EQUAL(signals(fd), 0);
	bed_close(&b);
	close(fd);
}

/* The front-end fills the counter and makes the write wait: it gets no more than a worker's
 * patience. */
static void
test_signal_blocks(void)
{
	int fd = eventfd(0, 0);
	uint64_t start;

	open_bed(F_SPLIT, F_SPLIT);
	CU_ASSERT_EQUAL(eventfd_write(fd, UINT64_MAX - 1), 0);
	svq_queue_set_errfd(b.q, fd);
	CU_ASSERT_EQUAL(svq_patience_begin(), 0);
	start = rte_get_timer_cycles();
	give_bad();
	CU_ASSERT(rte_get_timer_cycles() - start < 5 * rte_get_timer_hz());
	svq_patience_end();
	CU_ASSERT_EQUAL(svq_queue_error(b.q), SVQ_QUEUE_E_ADDRESS);
	bed_close(&b);
	close(fd);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("queue faults", NULL, NULL);

	autotest_add(s, "a guest's fault in the log", test_line_guest);
	autotest_add(s, "a guest's fault in the log, packed", test_line_packed);
	autotest_add(s, "a device's fault in the log", test_line_device);
	autotest_add(s, "lines are limited", test_limit);
	autotest_add(s, "the front-end is told", test_signal);
	autotest_add(s, "a front-end that blocks", test_signal_blocks);
}

REGISTER_AUTOTEST(queue_fault_autotest, fill)
