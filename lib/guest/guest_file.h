/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef GUEST_FILE_H
#define GUEST_FILE_H

/**
 * @file
 * The mappings of a guest's backing files.
 *
 * A file is known by device and inode, which cannot be used anew while the file is mapped. It is
 * mapped whole at its size of that moment. If it has grown when a later region needs more, a
 * further mapping shows the larger file and the older one stays for the rows that use it.
 */

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include <svq_guest.h>

struct guest_mapping {
	struct guest_mapping *next;
	dev_t dev;
	ino_t ino;
	uint32_t file; /* the file's number within the guest */
	uint64_t page; /* page size of the file, bytes */
	uint64_t hva;
	uint64_t size; /* bytes, whole pages */
	int guard;     /* svq_guest_guard.h, negative: none */
};

struct guest_files {
	struct guest_mapping *mappings; /* oldest first */
	uint32_t next_file;
	atomic_bool lost; /* the front-end took away memory that is mapped */
};

/*
 * The oldest mapping that shows [offset, offset+size) of the file, a new one if there is none: the
 * same range is found at the same address as long as its mapping lives.
 * Returns 0; -EFBIG (the file ends before); -EBADF; -ENOMEM or another errno of mmap().
 */
int guest_files_get(struct guest_files *files, int fd, uint64_t offset, uint64_t size,
	const struct guest_mapping **mapping);

/* Unmap what none of the rows uses. */
void guest_files_sweep(struct guest_files *files, const struct svq_guest_row *rows, unsigned int n);

#endif /* GUEST_FILE_H */
