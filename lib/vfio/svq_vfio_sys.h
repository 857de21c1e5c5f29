/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#ifndef SVQ_VFIO_SYS_H
#define SVQ_VFIO_SYS_H

/**
 * @file
 * The system calls of svq_vfio.h, in one table.
 *
 * Concepts
 *
 * Whatever the library asks of the kernel goes through this table: VFIO's files, the mappings of
 * BARs, and sysfs. A test puts a table of its own in place of the kernel's and so reaches every
 * path without a device.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Each member returns what the call of that name does, errno included. */
struct svq_vfio_sys {
	int (*open)(const char *path, int flags);
	int (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	void *(*mmap)(void *addr, size_t size, int prot, int flags, int fd, off_t offset);
	int (*munmap)(void *addr, size_t size);
	ssize_t (*pread)(int fd, void *dst, size_t size, off_t offset);
	ssize_t (*pwrite)(int fd, const void *src, size_t size, off_t offset);
	ssize_t (*readlink)(const char *path, char *dst, size_t size);
	int (*getrlimit)(int resource, struct rlimit *limit);
	/** Call @p cb for each entry of a directory but "." and "..". @return 0; -1 with errno. */
	int (*listdir)(const char *path, void (*cb)(const char *name, void *arg), void *arg);
};

/** The table in use; from start-up on the kernel's. To be changed while no device is open. */
extern const struct svq_vfio_sys *svq_vfio_sys;

/** The kernel's. */
extern const struct svq_vfio_sys svq_vfio_sys_kernel;

#ifdef __cplusplus
}
#endif

#endif /* SVQ_VFIO_SYS_H */
