/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vdpa_stub_conn.h"

/* What a message does to its connection, and a connection's end. */

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = STUB_UNSET_FD;
}

static void
mem_free(struct stub_conn *c)
{
	unsigned int i;

	for (i = 0; c->mem != NULL && i < c->mem->nregions; i++) {
		munmap(c->mem->regions[i].mmap_addr, c->mem->regions[i].mmap_size);
		close(c->mem->regions[i].fd);
	}
	free(c->mem);
	c->mem = NULL;
}

static void
log_free(struct stub_conn *c)
{
	if (c->log_base != 0)
		munmap((void *)(uintptr_t)c->log_base, c->log_size);
	c->log_base = 0;
}

/* End of service, as at the first GET_VRING_BASE. */
static void
notify_destroy(struct stub_conn *c)
{
	if (!c->running)
		return;
	c->closes++;
	c->vdpa->ops->dev_close(c->vid);
	c->running = false;
}

static void
backend_cleanup(struct stub_conn *c)
{
	c->cleanups++;
	c->vdpa->ops->dev_cleanup(c->vid);
	mem_free(c);
	log_free(c);
}

void
stub_conn_destroy(struct stub_conn *c)
{
	unsigned int i;

	notify_destroy(c);
	backend_cleanup(c);
	for (i = 0; i < STUB_VRINGS; i++) {
		close_fd(&c->vring[i].kickfd);
		close_fd(&c->vring[i].callfd);
	}
	c->open = false;
}

/* ---- messages ---- */

/* Where librte_vhost has a front-end's address; NULL: nowhere. */
static void *
translate(const struct stub_conn *c, uint64_t qva, uint64_t len)
{
	unsigned int i;

	for (i = 0; c->mem != NULL && i < c->mem->nregions; i++) {
		const struct rte_vhost_mem_region *r = &c->mem->regions[i];

		if (qva - r->guest_user_addr < r->size &&
			len <= r->size - (qva - r->guest_user_addr))
			return (void *)(uintptr_t)(r->host_user_addr + (qva - r->guest_user_addr));
	}
	return NULL;
}

static void
vring_translate(struct stub_conn *c, struct stub_vring *v)
{
	if (v->desc != NULL && v->avail != NULL && v->used != NULL)
		return;
	v->desc = translate(c, v->addr.desc_user_addr, 16ULL * v->size);
	if (v->desc == NULL)
		return;
	v->avail = translate(c, v->addr.avail_user_addr, 4 + 2ULL * v->size);
	if (v->avail == NULL)
		return;
	v->used = translate(c, v->addr.used_user_addr, 4 + 8ULL * v->size);
}

static void
vring_invalidate(struct stub_vring *v)
{
	v->desc = v->avail = v->used = NULL;
}

static enum rte_vhost_msg_result
set_mem_table(struct stub_conn *c, struct svq_vhost_msg_ctx *m)
{
	struct svq_vhost_mem_table t;
	unsigned int i;
	bool same;

	memcpy(&t, &m->payload, sizeof(t));
	same = c->mem != NULL && c->mem->nregions == t.n;
	for (i = 0; same && i < t.n; i++)
		same = c->mem->regions[i].guest_phys_addr == t.regions[i].gpa &&
			c->mem->regions[i].size == t.regions[i].size &&
			c->mem->regions[i].guest_user_addr == t.regions[i].qva;
	if (same) {
		for (i = 0; i < t.n; i++)
			close(m->fds[i]);
		return RTE_VHOST_MSG_RESULT_OK;
	}
	if (c->mem != NULL) {
		if (c->configured) {
			c->closes++;
			c->vdpa->ops->dev_close(c->vid);
		}
		c->configured = false;
		mem_free(c);
	}
	c->mem = calloc(1, sizeof(*c->mem) + t.n * sizeof(c->mem->regions[0]));
	for (i = 0; i < t.n; i++) {
		struct rte_vhost_mem_region *r = &c->mem->regions[i];

		r->guest_phys_addr = t.regions[i].gpa;
		r->guest_user_addr = t.regions[i].qva;
		r->size = t.regions[i].size;
		r->fd = m->fds[i];
		r->mmap_size = r->size + t.regions[i].offset;
		r->mmap_addr =
			mmap(NULL, r->mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
		if (r->mmap_addr == MAP_FAILED) {
			mem_free(c);
			return RTE_VHOST_MSG_RESULT_ERR;
		}
		r->host_user_addr = (uintptr_t)r->mmap_addr + t.regions[i].offset;
		c->mem->nregions++;
	}
	for (i = 0; i < c->n_vrings; i++) {
		if (c->vring[i].desc != NULL || c->vring[i].avail != NULL) {
			vring_invalidate(&c->vring[i]);
			vring_translate(c, &c->vring[i]);
		}
	}
	return RTE_VHOST_MSG_RESULT_OK;
}

static void
set_state(struct stub_conn *c, unsigned int qid, bool on)
{
	c->vring[qid].ready = on;
	c->states++;
	c->vdpa->ops->set_vring_state(c->vid, qid, on);
}

static enum rte_vhost_msg_result
set_fd(struct stub_conn *c, struct svq_vhost_msg_ctx *m, bool kick)
{
	unsigned int qid = m->payload.u64 & SVQ_VHOST_VRING_MASK;
	struct stub_vring *v = &c->vring[qid];
	int *fd = kick ? &v->kickfd : &v->callfd;

	if (kick)
		vring_translate(c, v);
	if (kick && !(c->features & 1ULL << VHOST_USER_F_PROTOCOL_FEATURES))
		v->enabled = true;
	if (v->ready)
		set_state(c, qid, false);
	close_fd(fd);
	*fd = m->payload.u64 & SVQ_VHOST_VRING_NOFD ? -1 : m->fds[0];
	return RTE_VHOST_MSG_RESULT_OK;
}

static enum rte_vhost_msg_result
get_vring_base(struct stub_conn *c, struct svq_vhost_msg_ctx *m)
{
	struct stub_vring *v = &c->vring[m->payload.state.index];

	notify_destroy(c);
	c->is_ready = false;
	c->configured = false;
	m->payload.state.num = v->base;
	close_fd(&v->kickfd);
	close_fd(&v->callfd);
	vring_invalidate(v);
	memset(&v->addr, 0, sizeof(v->addr));
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static enum rte_vhost_msg_result
set_features(struct stub_conn *c, uint64_t features)
{
	uint64_t offered;
	unsigned int i;

	c->vdpa->ops->get_features(c->vdpa, &offered);
	if ((features & ~offered) ||
		(c->running && ((c->features ^ features) & ~(1ULL << VHOST_F_LOG_ALL))))
		return RTE_VHOST_MSG_RESULT_ERR;
	c->features = features;
	if (!(features & 1ULL << VIRTIO_NET_F_MQ)) {
		for (i = 2; i < c->n_vrings; i++) {
			close_fd(&c->vring[i].kickfd);
			close_fd(&c->vring[i].callfd);
			memset(&c->vring[i], 0, sizeof(c->vring[i]));
			c->vring[i].kickfd = c->vring[i].callfd = STUB_UNSET_FD;
		}
		c->n_vrings = RTE_MIN(c->n_vrings, 2u);
	}
	return c->vdpa->ops->set_features(c->vid), RTE_VHOST_MSG_RESULT_OK;
}

static enum rte_vhost_msg_result
reset_owner(struct stub_conn *c)
{
	unsigned int i;

	notify_destroy(c);
	backend_cleanup(c);
	c->features = 0;
	c->is_ready = c->configured = c->running = false;
	for (i = 0; i < c->n_vrings; i++) {
		int callfd = c->vring[i].callfd;

		close_fd(&c->vring[i].kickfd);
		memset(&c->vring[i], 0, sizeof(c->vring[i]));
		c->vring[i].kickfd = STUB_UNSET_FD;
		c->vring[i].callfd = callfd;
	}
	return RTE_VHOST_MSG_RESULT_OK;
}

static enum rte_vhost_msg_result
set_log_base(struct stub_conn *c, struct svq_vhost_msg_ctx *m)
{
	void *p = mmap(NULL, m->payload.log.size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fds[0],
		(off_t)m->payload.log.offset);

	close(m->fds[0]);
	if (p == MAP_FAILED)
		return RTE_VHOST_MSG_RESULT_ERR;
	log_free(c);
	c->log_base = (uintptr_t)p;
	c->log_size = m->payload.log.size;
	return RTE_VHOST_MSG_RESULT_REPLY;
}

/* The number of descriptors is right; else they are closed. */
static bool
fds_ok(struct svq_vhost_msg_ctx *m)
{
	int expected = 0, i;

	switch (m->request) {
	case SVQ_VHOST_SET_MEM_TABLE:
		expected = (int)m->payload.mem.n;
		break;
	case SVQ_VHOST_SET_LOG_BASE:
		expected = 1;
		break;
	case SVQ_VHOST_SET_VRING_KICK:
	case SVQ_VHOST_SET_VRING_CALL:
	case SVQ_VHOST_SET_VRING_ERR:
		expected = m->payload.u64 & SVQ_VHOST_VRING_NOFD ? 0 : 1;
		break;
	case SVQ_VHOST_SET_BACKEND_REQ_FD:
		expected = 1;
		break;
	}
	for (i = 0; m->fd_num != expected && i < m->fd_num; i++)
		close(m->fds[i]);
	return m->fd_num == expected;
}

static enum rte_vhost_msg_result
handle(struct stub_conn *c, struct svq_vhost_msg_ctx *m)
{
	struct stub_vring *v = &c->vring[m->payload.state.index % STUB_VRINGS];
	uint64_t features = 0;

	if (!fds_ok(m))
		return RTE_VHOST_MSG_RESULT_ERR;
	switch (m->request) {
	case SVQ_VHOST_SET_FEATURES:
		return set_features(c, m->payload.u64);
	case SVQ_VHOST_RESET_OWNER:
		return reset_owner(c);
	case SVQ_VHOST_SET_MEM_TABLE:
		return set_mem_table(c, m);
	case SVQ_VHOST_SET_LOG_BASE:
		return set_log_base(c, m);
	case SVQ_VHOST_SET_VRING_NUM:
		v->size = m->payload.state.num;
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_SET_VRING_BASE:
		v->base = m->payload.state.num;
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_SET_VRING_ADDR:
		if (c->mem == NULL)
			return RTE_VHOST_MSG_RESULT_ERR;
		memcpy(&v->addr, &m->payload.addr, sizeof(v->addr));
		vring_invalidate(v);
		if (v->enabled)
			vring_translate(c, v);
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_SET_VRING_KICK:
	case SVQ_VHOST_SET_VRING_CALL:
		return set_fd(c, m, m->request == SVQ_VHOST_SET_VRING_KICK);
	case SVQ_VHOST_SET_VRING_ERR:
		if (!(m->payload.u64 & SVQ_VHOST_VRING_NOFD))
			close(m->fds[0]);
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_GET_VRING_BASE:
		return get_vring_base(c, m);
	case SVQ_VHOST_SET_VRING_ENABLE:
		v->enabled = m->payload.state.num != 0;
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_SET_PROTOCOL_FEATURES:
		c->protocol = m->payload.u64;
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_SET_BACKEND_REQ_FD:
		if (m->fd_num == 1)
			close(m->fds[0]);
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_SET_STATUS:
		c->status = (uint8_t)m->payload.u64;
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_SEND_RARP:
		c->vdpa->ops->migration_done(c->vid);
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_NET_SET_MTU:
		c->mtu = (uint16_t)m->payload.u64;
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_SET_OWNER:
		return RTE_VHOST_MSG_RESULT_OK;
	case SVQ_VHOST_GET_FEATURES:
		c->vdpa->ops->get_features(c->vdpa, &features);
		m->payload.u64 = features;
		return RTE_VHOST_MSG_RESULT_REPLY;
	default:
		return RTE_VHOST_MSG_RESULT_ERR;
	}
}

/* A message about a vring allocates it and those before it. */
static void
alloc_vrings(struct stub_conn *c, const struct svq_vhost_msg_ctx *m)
{
	unsigned int qid;

	switch (m->request) {
	case SVQ_VHOST_SET_VRING_KICK:
	case SVQ_VHOST_SET_VRING_CALL:
	case SVQ_VHOST_SET_VRING_ERR:
		qid = m->payload.u64 & SVQ_VHOST_VRING_MASK;
		break;
	case SVQ_VHOST_SET_VRING_NUM:
	case SVQ_VHOST_SET_VRING_BASE:
	case SVQ_VHOST_GET_VRING_BASE:
	case SVQ_VHOST_SET_VRING_ENABLE:
	case SVQ_VHOST_SET_VRING_ADDR:
		qid = m->payload.state.index;
		break;
	default:
		return;
	}
	if (qid < STUB_VRINGS)
		c->n_vrings = RTE_MAX(c->n_vrings, qid + 1);
}

static bool
vring_is_ready(const struct stub_vring *v)
{
	return v->desc != NULL && v->avail != NULL && v->used != NULL &&
		v->kickfd != STUB_UNSET_FD && v->callfd != STUB_UNSET_FD && v->enabled;
}

static bool
device_is_ready(struct stub_conn *c)
{
	if (c->is_ready)
		return true;
	if (c->n_vrings < 2 || !vring_is_ready(&c->vring[0]) || !vring_is_ready(&c->vring[1]))
		return false;
	if ((c->protocol & 1ULL << VHOST_USER_PROTOCOL_F_STATUS) && !(c->status & 4))
		return false;
	c->is_ready = true;
	return true;
}

enum stub_result
stub_send(int vid, struct svq_vhost_msg_ctx *m)
{
	enum rte_vhost_msg_result result = RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	struct stub_conn *c = stub_conn_find(vid);
	enum stub_result ret = STUB_OK;
	unsigned int i;

	if (c == NULL)
		return STUB_DROPPED;
	m->flags |= SVQ_VHOST_VERSION;
	alloc_vrings(c, m);
	if (c->handlers.pre_msg_handle != NULL)
		result = c->handlers.pre_msg_handle(vid, m);
	if (result == RTE_VHOST_MSG_RESULT_NOT_HANDLED)
		result = handle(c, m);
	if (result == RTE_VHOST_MSG_RESULT_REPLY) {
		ret = STUB_REPLIED;
		m->flags &= ~SVQ_VHOST_NEED_REPLY;
	}
	if (result != RTE_VHOST_MSG_RESULT_ERR && c->handlers.post_msg_handle != NULL)
		c->handlers.post_msg_handle(vid, m);
	if (result == RTE_VHOST_MSG_RESULT_ERR) {
		if (!(m->flags & SVQ_VHOST_NEED_REPLY)) {
			stub_conn_destroy(c);
			return STUB_DROPPED;
		}
		ret = STUB_NACK;
	}
	for (i = 0; i < c->n_vrings; i++) {
		if (vring_is_ready(&c->vring[i]) != c->vring[i].ready)
			set_state(c, i, !c->vring[i].ready);
	}
	if (!device_is_ready(c))
		return ret;
	c->running = true;
	if (!c->configured) {
		c->confs++;
		c->conf_result = c->vdpa->ops->dev_conf(vid);
		c->configured = c->conf_result == 0;
	}
	return ret;
}
