/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "fe_watch.h"

#define NOTE_MS 100

void
fe_watch_open(struct fe_watch *watch, const char *other)
{
	*watch = (struct fe_watch){
		.self = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC),
		.other = other != NULL ? open(other, O_RDONLY | O_CLOEXEC) : -1,
	};
	if (other != NULL && watch->other < 0)
		perror(other);
}

void
fe_watch_close(struct fe_watch *watch)
{
	if (watch->self >= 0)
		close(watch->self);
	if (watch->other >= 0)
		close(watch->other);
}

static uint64_t
waited(int fd)
{
	uint64_t ran, wait = 0;
	char text[96];
	ssize_t n;

	n = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : 0;
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%" SCNu64 " %" SCNu64, &ran, &wait) == 2 ? wait : 0;
}

void
fe_watch_note(struct fe_watch *watch, uint64_t now_ms)
{
	if (now_ms - watch->noted_ms < NOTE_MS)
		return;
	watch->noted_ms = now_ms;
	watch->waited_ns = waited(watch->self) + waited(watch->other);
}

uint64_t
fe_watch_waited(const struct fe_watch *watch)
{
	uint64_t now = waited(watch->self) + waited(watch->other);

	return now > watch->waited_ns ? (now - watch->waited_ns) / 1000000 : 0;
}
