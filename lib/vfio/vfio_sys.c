/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <svq_vfio_sys.h>

static int
sys_open(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC);
}

static int
sys_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static int
sys_getrlimit(int resource, struct rlimit *limit)
{
	return getrlimit(resource, limit);
}

static int
sys_listdir(const char *path, void (*cb)(const char *name, void *arg), void *arg)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);

	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			cb(entry->d_name, arg);
	}
	closedir(dir);
	return 0;
}

const struct svq_vfio_sys svq_vfio_sys_kernel = {
	.open = sys_open,
	.close = close,
	.ioctl = sys_ioctl,
	.mmap = mmap,
	.munmap = munmap,
	.pread = pread,
	.pwrite = pwrite,
	.readlink = readlink,
	.getrlimit = sys_getrlimit,
	.listdir = sys_listdir,
};

const struct svq_vfio_sys *svq_vfio_sys = &svq_vfio_sys_kernel;
