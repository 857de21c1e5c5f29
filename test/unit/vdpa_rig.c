/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_alarm.h>

#include "autotest.h"
#include "vdpa_rig.h"

#define FILE_SIZE (8ULL << 20)
#define QVA	  UINT64_C(0x600000000000)

struct svq_vhost_msg_ctx rig_msg;
struct svq_vdpa_port_conf rig_port_conf;

/* ---- the virtual bus and the port ---- */

static struct rte_vdev_device vdev;
static struct rte_devargs devargs;
static char dir[] = "/tmp/svq-vdpa-XXXXXX";
static char path[64];

int
rig_vdev_add(struct rte_vdev_device *v, const char *name, const char *args)
{
	memset(v, 0, sizeof(*v));
	devargs.args = (char *)(uintptr_t)args;
	v->device.name = name;
	v->device.numa_node = -1;
	v->device.devargs = &devargs;
	return stub_vdev_driver->probe(v);
}

static void
remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

const char *
rig_path(void)
{
	if (path[0] == '\0') {
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
		snprintf(path, sizeof(path), "%s/rig.sock", dir);
		atexit(remove_dir);
	}
	return path;
}

void
rig_open(struct rig *r, const char *args)
{
	static const struct rig_region regions[] = {
		{0, 2 << 20, 0, 0},
		{0x100000000, 2 << 20, 4 << 20, 0},
	};
	unsigned int i;

	memset(r, 0, sizeof(*r));
	vdpa_mock_clear();
	r->vid = -1;
	for (i = 0; i < RIG_QUEUES; i++)
		r->callfd[i] = -1;
	for (i = 0; i < 2; i++) {
		r->memfd[i] = memfd_create("guest", 0);
		CU_ASSERT_EQUAL_FATAL(ftruncate(r->memfd[i], FILE_SIZE), 0);
		r->mem[i] =
			mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->memfd[i], 0);
		CU_ASSERT_FATAL(r->mem[i] != MAP_FAILED);
	}
	memcpy(r->region, regions, sizeof(regions));
	r->n_regions = RTE_DIM(regions);
	CU_ASSERT_EQUAL_FATAL(rig_vdev_add(&vdev, "vdpa_svq0", args), 0);
	CU_ASSERT_EQUAL_FATAL(svq_vdpa_port_open(rig_path(), "vdpa_svq0", &rig_port_conf), 0);
	r->d = svq_vdpa_get("vdpa_svq0");
	svq_vdpa_put(r->d);
}

void
rig_close(struct rig *r)
{
	struct svq_worker_info info[4];
	unsigned int i, n;

	CU_ASSERT_EQUAL(svq_vdpa_port_close(rig_path()), 0);
	CU_ASSERT_EQUAL(mock.m.n_maps, 0);
	CU_ASSERT_EQUAL(stub_sockets(), 0);
	n = svq_worker_info(info, RTE_DIM(info));
	for (i = 0; i < RTE_MIN(n, RTE_DIM(info)); i++)
		CU_ASSERT_EQUAL(info[i].pairs, 0);
	CU_ASSERT_EQUAL(stub_vdev_driver->remove(&vdev), 0);
	CU_ASSERT_FALSE(mock.open);
	CU_ASSERT_EQUAL(svq_vdpa_list(NULL, 0), 0);
	for (i = 0; i < 2; i++) {
		munmap(r->mem[i], FILE_SIZE);
		close(r->memfd[i]);
	}
	for (i = 0; i < RIG_QUEUES; i++) {
		if (r->callfd[i] >= 0)
			close(r->callfd[i]);
	}
}

int
rig_fds(void)
{
	int n = 0, fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* ---- the front-end ---- */

enum stub_result
rig_send(struct rig *r, uint32_t request, const void *payload, uint32_t size)
{
	return rig_send_fd(r, request, payload, size, -1);
}

enum stub_result
rig_send_fd(struct rig *r, uint32_t request, const void *payload, uint32_t size, int fd)
{
	unsigned int i;

	memset(&rig_msg, 0, sizeof(rig_msg));
	rig_msg.request = request;
	rig_msg.flags = SVQ_VHOST_NEED_REPLY;
	rig_msg.size = size;
	if (size != 0)
		memcpy(&rig_msg.payload, payload, size);
	for (i = 0; i < SVQ_VHOST_MAX_REGIONS; i++)
		rig_msg.fds[i] = -1;
	if (fd >= 0) {
		rig_msg.fds[0] = fd;
		rig_msg.fd_num = 1;
	}
	return stub_send(r->vid, &rig_msg);
}

enum stub_result
rig_u64(struct rig *r, uint32_t request, uint64_t u64)
{
	return rig_send(r, request, &u64, sizeof(u64));
}

enum stub_result
rig_state(struct rig *r, uint32_t request, uint32_t qid, uint32_t num)
{
	struct vhost_vring_state state = {.index = qid, .num = num};

	return rig_send(r, request, &state, sizeof(state));
}

bool
rig_connect(struct rig *r)
{
	r->vid = stub_connect(rig_path(), NULL);
	return r->vid >= 0;
}

/* One place in the front-end for each file, so that aliases have one address too. */
static uint64_t
qva_of(const struct rig_region *region, uint64_t gpa)
{
	return QVA + (uint64_t)region->file * (1ULL << 40) + region->offset + (gpa - region->gpa);
}

enum stub_result
rig_mem_table(struct rig *r)
{
	struct svq_vhost_mem_table t = {.n = r->n_regions};
	unsigned int i;

	memset(&rig_msg, 0, sizeof(rig_msg));
	rig_msg.request = SVQ_VHOST_SET_MEM_TABLE;
	rig_msg.flags = SVQ_VHOST_NEED_REPLY;
	rig_msg.size = 8 + r->n_regions * sizeof(t.regions[0]);
	rig_msg.fd_num = r->n_regions;
	for (i = 0; i < r->n_regions; i++) {
		t.regions[i].gpa = r->region[i].gpa;
		t.regions[i].size = r->region[i].size;
		t.regions[i].offset = r->region[i].offset;
		t.regions[i].qva = qva_of(&r->region[i], r->region[i].gpa);
		rig_msg.fds[i] = dup(r->memfd[r->region[i].file]);
	}
	memcpy(&rig_msg.payload, &t, sizeof(t));
	return stub_send(r->vid, &rig_msg);
}

static const struct rig_region *
region_of(const struct rig *r, uint64_t gpa)
{
	unsigned int i;

	for (i = 0; i < r->n_regions; i++) {
		if (gpa - r->region[i].gpa < r->region[i].size)
			return &r->region[i];
	}
	CU_FAIL_FATAL("no such guest memory");
	return NULL;
}

void *
rig_ptr(struct rig *r, uint64_t gpa)
{
	const struct rig_region *region = region_of(r, gpa);

	return r->mem[region->file] + region->offset + (gpa - region->gpa);
}

/* A vring lies in the first region: table, available and used ring a page each. */
static uint64_t
ring_gpa(uint16_t qid)
{
	return 0x10000 + qid * 0x4000ULL;
}

enum stub_result
rig_vring_addr(struct rig *r, uint16_t qid)
{
	uint64_t qva = qva_of(region_of(r, ring_gpa(qid)), ring_gpa(qid));
	struct vhost_vring_addr addr = {
		.index = qid,
		.desc_user_addr = qva,
		.avail_user_addr = qva + 0x1000,
		.used_user_addr = qva + 0x2000,
	};

	return rig_send(r, SVQ_VHOST_SET_VRING_ADDR, &addr, sizeof(addr));
}

void
rig_vring_call(struct rig *r, uint16_t qid)
{
	uint64_t index = qid;

	if (r->callfd[qid] >= 0)
		close(r->callfd[qid]);
	r->callfd[qid] = eventfd(0, EFD_NONBLOCK);
	CU_ASSERT_EQUAL(rig_send_fd(r, SVQ_VHOST_SET_VRING_CALL, &index, sizeof(index),
				dup(r->callfd[qid])),
		STUB_OK);
}

void
rig_vring(struct rig *r, uint16_t qid, bool enable)
{
	uint64_t index = qid;

	CU_ASSERT_EQUAL(rig_state(r, SVQ_VHOST_SET_VRING_NUM, qid, RIG_RING), STUB_OK);
	CU_ASSERT_EQUAL(rig_state(r, SVQ_VHOST_SET_VRING_BASE, qid, r->avail[qid]), STUB_OK);
	CU_ASSERT_EQUAL(rig_vring_addr(r, qid), STUB_OK);
	rig_vring_call(r, qid);
	CU_ASSERT_EQUAL(rig_send_fd(r, SVQ_VHOST_SET_VRING_KICK, &index, sizeof(index),
				eventfd(0, EFD_NONBLOCK)),
		STUB_OK);
	if (enable)
		CU_ASSERT_EQUAL(rig_state(r, SVQ_VHOST_SET_VRING_ENABLE, qid, 1), STUB_OK);
}

void
rig_start(struct rig *r, uint64_t features, uint16_t queues)
{
	uint16_t i;

	if (r->vid < 0 || !stub_conn(r->vid)->open)
		CU_ASSERT_FATAL(rig_connect(r));
	CU_ASSERT_EQUAL(rig_u64(r, SVQ_VHOST_SET_FEATURES, features), STUB_OK);
	CU_ASSERT_EQUAL(rig_mem_table(r), STUB_OK);
	for (i = 0; i < queues; i++)
		rig_vring(r, i, true);
}

uint16_t
rig_stop_vring(struct rig *r, uint16_t qid)
{
	CU_ASSERT_EQUAL(rig_state(r, SVQ_VHOST_GET_VRING_BASE, qid, 0), STUB_REPLIED);
	return (uint16_t)rig_msg.payload.state.num;
}

/* ---- alarms, in EAL's place ---- */

static struct {
	rte_eal_alarm_callback fn;
	void *arg;
} alarms[4];

int
rte_eal_alarm_set(uint64_t us, rte_eal_alarm_callback fn, void *arg)
{
	unsigned int i;

	RTE_SET_USED(us);
	for (i = 0; i < RTE_DIM(alarms); i++) {
		if (alarms[i].fn != NULL)
			continue;
		alarms[i].fn = fn;
		alarms[i].arg = arg;
		return 0;
	}
	return -ENOMEM;
}

int
rte_eal_alarm_cancel(rte_eal_alarm_callback fn, void *arg)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < RTE_DIM(alarms); i++) {
		if (alarms[i].fn != fn || alarms[i].arg != arg)
			continue;
		alarms[i].fn = NULL;
		n++;
	}
	return n;
}

void
rig_alarms(void)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(alarms); i++) {
		rte_eal_alarm_callback fn = alarms[i].fn;

		alarms[i].fn = NULL;
		if (fn != NULL)
			fn(alarms[i].arg);
	}
}

/* ---- the guest ---- */

void
rig_give(struct rig *r, uint16_t qid, uint64_t gpa, uint32_t len)
{
	struct vring_desc *desc = rig_ptr(r, ring_gpa(qid));
	struct vring_avail *avail = rig_ptr(r, ring_gpa(qid) + 0x1000);
	uint16_t head = r->avail[qid] % RIG_RING;

	desc[head] = (struct vring_desc){
		.addr = gpa, .len = len, .flags = qid % 2 == 0 ? VRING_DESC_F_WRITE : 0};
	avail->ring[head] = head;
	atomic_store((_Atomic uint16_t *)&avail->idx, ++r->avail[qid]);
}

uint16_t
rig_used(struct rig *r, uint16_t qid)
{
	struct vring_used *used = rig_ptr(r, ring_gpa(qid) + 0x2000);

	return used->idx;
}

void
rig_poll(struct rig *r, uint16_t pair)
{
	if (r->d->pairs[pair].lcore >= 0)
		svq_pair_poll(&r->d->pairs[pair]);
}

uint64_t
rig_calls(struct rig *r, uint16_t qid)
{
	uint64_t n = 0;

	return read(r->callfd[qid], &n, sizeof(n)) == sizeof(n) ? n : 0;
}

unsigned int
rig_guest_maps(const struct rig *r)
{
	const struct svq_guest_row *rows;
	unsigned int n = svq_guest_rows(r->d->guest, &rows), found = 0, i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < mock.m.n_maps; k++)
			found += mock.m.maps[k].hva == rows[i].hva &&
				mock.m.maps[k].size == rows[i].size;
	}
	return found;
}

void
rig_receive(struct rig *r, uint64_t gpa)
{
	rig_give(r, 0, gpa, 1500);
	rig_poll(r, 0);
	mock_return(0, mock_take(0), 100);
	rig_poll(r, 0);
}

enum svq_vdpa_state
rig_port_state(void)
{
	struct svq_vdpa_info info;

	CU_ASSERT_EQUAL(svq_vdpa_info_get("vdpa_svq0", &info), 0);
	return info.state;
}

struct svq_vdpa_port_stats
rig_port_stats(void)
{
	struct svq_vdpa_info info;

	CU_ASSERT_EQUAL(svq_vdpa_info_get("vdpa_svq0", &info), 0);
	return info.stats;
}
