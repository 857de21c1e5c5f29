/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Creating devices and ports: what is refused, and that nothing is left behind then.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_string_fns.h>

#include "autotest.h"
#include "vdpa_rig.h"

static struct rte_vdev_device vdev;
static char dir[32];
static char path[SVQ_VDPA_PATH_MAX];

static void
make_dir(void)
{
	strcpy(dir, "/tmp/svq-port-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
}

static int
listen_at(const char *at, int type)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	strlcpy(un.sun_path, at, sizeof(un.sun_path));
	CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	if (type == SOCK_STREAM)
		CU_ASSERT_EQUAL(listen(fd, 1), 0);
	return fd;
}

static void
test_arguments(void)
{
	static const char *const bad[] = {
		"device=soap",
		"device=",
		"device=mock,color=red",
		"device=mock,queues=0",
		"device=mock,queues=5",
		"device=mock,queues=two",
		"device=mock,queues=2x",
		"device=mock,queues=",
		"device=mock,queues=-1",
		"device=mock,queues=99999999999999999999",
		"device=mock,queues=1,queues=2",
		"device=mock,queue_size=1",
		"device=mock,queue_size=100",
		"device=mock,queue_size=2048",
		"device=mock,=,",
	};
	unsigned int i;

	memset(&mock, 0, sizeof(mock));
	for (i = 0; i < RTE_DIM(bad); i++) {
		CU_ASSERT(rig_vdev_add(&vdev, "vdpa_svq0", bad[i]) < 0);
		CU_ASSERT_FALSE(mock.open);
		CU_ASSERT_EQUAL(svq_vdpa_list(NULL, 0), 0);
	}
	mock.fail = MOCK_OPEN;
	CU_ASSERT_EQUAL(rig_vdev_add(&vdev, "vdpa_svq0", "device=mock"), -EIO);
	mock.fail = MOCK_NONE;
	CU_ASSERT_EQUAL(svq_vdpa_list(NULL, 0), 0);
}

static void
test_devices(void)
{
	char names[2][SVQ_VDPA_NAME_MAX], longname[2 * SVQ_VDPA_NAME_MAX];
	struct rte_vdev_device twin;
	struct svq_vdpa_info info;
	FILE *null = fopen("/dev/null", "w");

	memset(&mock, 0, sizeof(mock));
	CU_ASSERT_EQUAL(rig_vdev_add(&vdev, "vdpa_svq0", "device=mock,queues=4,colour=red"), 0);
	CU_ASSERT_EQUAL(svq_vdpa_list(names, 2), 1);
	CU_ASSERT_STRING_EQUAL(names[0], "vdpa_svq0");
	CU_ASSERT_EQUAL(svq_vdpa_info_get("vdpa_svq0", &info), 0);
	CU_ASSERT_STRING_EQUAL(info.device, "mock");
	CU_ASSERT_STRING_EQUAL(info.path, "");
	CU_ASSERT_EQUAL(info.vid, -1);
	CU_ASSERT_EQUAL(info.max_pairs, 4);
	CU_ASSERT_EQUAL(info.state, SVQ_VDPA_IDLE);
	CU_ASSERT_EQUAL(svq_vdpa_info_get("vdpa_svq1", &info), -ENODEV);
	CU_ASSERT_EQUAL(svq_vdpa_memory_dump("vdpa_svq0", null), 0);
	CU_ASSERT_EQUAL(svq_vdpa_iova_dump("vdpa_svq0", null), 0);
	CU_ASSERT_EQUAL(svq_vdpa_device_dump("vdpa_svq0", null), 0);
	CU_ASSERT_EQUAL(svq_vdpa_device_dump("vdpa_svq1", null), -ENODEV);

	CU_ASSERT_EQUAL(rig_vdev_add(&twin, "vdpa_svq0", "device=soap"), -EINVAL);
	CU_ASSERT_EQUAL(svq_vdpa_list(names, 2), 1);
	memset(longname, 'x', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	CU_ASSERT_EQUAL(rig_vdev_add(&twin, longname, "device=mock"), -ENAMETOOLONG);
	CU_ASSERT_EQUAL(stub_vdev_driver->remove(&vdev), 0);
	CU_ASSERT_EQUAL(stub_vdev_driver->remove(&vdev), -ENODEV);
	CU_ASSERT_FALSE(mock.open);
	fclose(null);
}

static void
test_paths(void)
{
	const struct svq_vdpa_port_conf client = {.client = true};
	char sub[64], longpath[200];
	struct stat st;
	int fd;

	make_dir();
	memset(&mock, 0, sizeof(mock));
	CU_ASSERT_EQUAL(rig_vdev_add(&vdev, "vdpa_svq0", "device=mock"), 0);
	memset(longpath, 'x', sizeof(longpath) - 1);
	longpath[sizeof(longpath) - 1] = '\0';
	CU_ASSERT_EQUAL(svq_vdpa_port_open(longpath, "vdpa_svq0", NULL), -ENAMETOOLONG);
	CU_ASSERT_EQUAL(svq_vdpa_port_open("", "vdpa_svq0", NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_vdpa_port_open(path, "vdpa_svq9", NULL), -ENODEV);
	snprintf(sub, sizeof(sub), "%s/none/s", dir);
	CU_ASSERT_EQUAL(svq_vdpa_port_open(sub, "vdpa_svq0", NULL), -ENOENT);
	CU_ASSERT_EQUAL(svq_vdpa_port_open(dir, "vdpa_svq0", NULL), -ENOTSOCK);

	/* Somebody listens, or has a socket of another kind: left alone. */
	fd = listen_at(path, SOCK_STREAM);
	CU_ASSERT_EQUAL(svq_vdpa_port_open(path, "vdpa_svq0", NULL), -EADDRINUSE);
	CU_ASSERT_EQUAL(lstat(path, &st), 0);
	close(fd);
	/* Nobody does any more. */
	CU_ASSERT_EQUAL(svq_vdpa_port_open(path, "vdpa_svq0", NULL), 0);
	CU_ASSERT(lstat(path, &st) != 0);
	CU_ASSERT_EQUAL(svq_vdpa_port_close(path), 0);
	fd = listen_at(path, SOCK_DGRAM);
	CU_ASSERT_EQUAL(svq_vdpa_port_open(path, "vdpa_svq0", NULL), -EADDRINUSE);
	close(fd);
	unlink(path);
	/* A client does not care what is there. */
	CU_ASSERT_EQUAL(svq_vdpa_port_open(sub, "vdpa_svq0", &client), 0);
	CU_ASSERT_EQUAL(svq_vdpa_port_close(sub), 0);
	CU_ASSERT_EQUAL(stub_sockets(), 0);
	CU_ASSERT_EQUAL(stub_vdev_driver->remove(&vdev), 0);
	rmdir(dir);
}

static void
test_ports(void)
{
	const struct svq_vdpa_port_conf client = {.client = true};
	struct svq_vdpa_info info;

	make_dir();
	memset(&mock, 0, sizeof(mock));
	CU_ASSERT_EQUAL(rig_vdev_add(&vdev, "vdpa_svq0", "device=mock"), 0);
	CU_ASSERT_EQUAL(svq_vdpa_port_close(path), -ENOENT);
	for (stub_driver_fails = 1; stub_driver_fails <= 5; stub_driver_fails++) {
		CU_ASSERT_EQUAL(svq_vdpa_port_open(path, "vdpa_svq0", NULL), -EIO);
		CU_ASSERT_EQUAL(stub_sockets(), 0);
		CU_ASSERT_EQUAL(svq_vdpa_port_close(path), -ENOENT);
	}
	stub_driver_fails = 0;
	CU_ASSERT_EQUAL(svq_vdpa_port_open(path, "vdpa_svq0", &client), 0);
	CU_ASSERT_EQUAL(svq_vdpa_info_get("vdpa_svq0", &info), 0);
	CU_ASSERT_STRING_EQUAL(info.path, path);
	CU_ASSERT(info.client);
	CU_ASSERT_EQUAL(svq_vdpa_port_open(path, "vdpa_svq0", NULL), -EBUSY);
	CU_ASSERT_EQUAL(svq_vdpa_port_open("/tmp/x", "vdpa_svq0", NULL), -EBUSY);
	CU_ASSERT_EQUAL(svq_vdpa_port_close(path), 0);
	CU_ASSERT_EQUAL(svq_vdpa_port_close(path), -ENOENT);

	/* A device goes and takes its port along, with the front-end. */
	CU_ASSERT_EQUAL(svq_vdpa_port_open(path, "vdpa_svq0", NULL), 0);
	CU_ASSERT(stub_connect(path, NULL) >= 0);
	CU_ASSERT_EQUAL(stub_vdev_driver->remove(&vdev), 0);
	CU_ASSERT_EQUAL(stub_sockets(), 0);
	CU_ASSERT_FALSE(mock.open);
	rmdir(dir);
}

static void
test_remove_busy(void)
{
	struct svq_vdpa *d;
	struct rig r = {0};

	/* A socket of the application's own: only the application can close it. */
	memset(&mock, 0, sizeof(mock));
	CU_ASSERT_EQUAL(rig_vdev_add(&vdev, "vdpa_svq0", "device=mock"), 0);
	d = svq_vdpa_get("vdpa_svq0");
	svq_vdpa_put(d);
	r.vid = stub_connect(NULL, d->vdpa);
	CU_ASSERT_EQUAL(rig_u64(&r, SVQ_VHOST_SET_FEATURES, 0), STUB_OK);
	CU_ASSERT_EQUAL(stub_vdev_driver->remove(&vdev), -EBUSY);
	stub_disconnect(r.vid);
	CU_ASSERT_EQUAL(stub_vdev_driver->remove(&vdev), 0);
}

static void
fill(void)
{
	CU_pSuite s = autotest_suite("vdpa_port", NULL, NULL);

	autotest_add(s, "device arguments", test_arguments);
	autotest_add(s, "devices", test_devices);
	autotest_add(s, "socket paths", test_paths);
	autotest_add(s, "ports", test_ports);
	autotest_add(s, "removing a device in use", test_remove_busy);
}
REGISTER_AUTOTEST(vdpa_port_autotest, fill)
