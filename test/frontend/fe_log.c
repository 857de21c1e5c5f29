/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "fe_log.h"

#define LOG_PAGE 4096

int
fe_log_init(struct fe_log *log, uint64_t end)
{
	void *base, *want;

	memset(log, 0, sizeof(*log));
	/* Whole pages, as mmap(2) on the other side wants them. */
	log->size = (end / LOG_PAGE / 8 + LOG_PAGE) / LOG_PAGE * LOG_PAGE;
	log->fd = memfd_create("svq-dirty-log", MFD_CLOEXEC);
	if (log->fd < 0)
		return -errno;
	if (ftruncate(log->fd, (off_t)log->size) < 0) {
		fe_log_free(log);
		return -ENOMEM;
	}
	base = mmap(NULL, log->size, PROT_READ | PROT_WRITE, MAP_SHARED, log->fd, 0);
	want = mmap(NULL, log->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base != MAP_FAILED)
		log->base = base;
	if (want != MAP_FAILED)
		log->want = want;
	if (log->base == NULL || log->want == NULL) {
		fe_log_free(log);
		return -ENOMEM;
	}
	return 0;
}

void
fe_log_free(struct fe_log *log)
{
	if (log->base != NULL)
		munmap(log->base, log->size);
	if (log->want != NULL)
		munmap(log->want, log->size);
	if (log->size != 0 && log->fd >= 0)
		close(log->fd);
	memset(log, 0, sizeof(*log));
	log->fd = -1;
}

void
fe_log_want(struct fe_log *log, uint64_t gpa, uint64_t len)
{
	uint64_t page;

	if (len == 0)
		return;
	for (page = gpa / LOG_PAGE; page <= (gpa + len - 1) / LOG_PAGE; page++) {
		if (page / 8 < log->size)
			log->want[page / 8] |= (uint8_t)(1u << (page % 8));
	}
}

uint64_t
fe_log_check(const struct fe_log *log, const struct fe_log *also, uint64_t *wanted, uint64_t *set)
{
	uint64_t i, missing = 0;
	uint8_t have, lack;

	*wanted = *set = 0;
	for (i = 0; i < log->size; i++) {
		*wanted += (uint64_t)__builtin_popcount(log->want[i]);
		*set += (uint64_t)__builtin_popcount(log->base[i]);
		have = log->base[i];
		if (also != NULL && i < also->size)
			have |= also->base[i];
		lack = log->want[i] & (uint8_t)~have;
		if (lack != 0 && missing == 0)
			fprintf(stderr, "dirty log misses GPA 0x%" PRIx64 "\n",
				(i * 8 + (uint64_t)__builtin_ctz(lack)) * LOG_PAGE);
		missing += (uint64_t)__builtin_popcount(lack);
	}
	return missing;
}
