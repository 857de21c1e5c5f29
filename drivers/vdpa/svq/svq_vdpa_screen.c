/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * Which messages librte_vhost may have. It runs in our process and trusts a front-end in places
 * where a wrong value crashes it, or would later crash or hang a worker; each check here names
 * what it prevents.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "svq_vdpa_priv.h"

#define PAGE 4096u

/* Where a message names its vring. */
enum names_vring {
	NO_VRING,
	IN_STATE,
	IN_ADDR,
	IN_U64,
};

static const struct {
	const char *name;
	uint32_t payload; /* least bytes: librte_vhost would use what an earlier message left */
	enum names_vring vring;
	bool refused; /* belongs to a feature that is not offered */
} messages[] = {
	[SVQ_VHOST_GET_FEATURES] = {"GET_FEATURES", 0, NO_VRING, false},
	[SVQ_VHOST_SET_FEATURES] = {"SET_FEATURES", 8, NO_VRING, false},
	[SVQ_VHOST_SET_OWNER] = {"SET_OWNER", 0, NO_VRING, false},
	[SVQ_VHOST_RESET_OWNER] = {"RESET_OWNER", 0, NO_VRING, false},
	[SVQ_VHOST_SET_MEM_TABLE] = {"SET_MEM_TABLE", 8, NO_VRING, false},
	[SVQ_VHOST_SET_LOG_BASE] = {"SET_LOG_BASE", 16, NO_VRING, false},
	[SVQ_VHOST_SET_LOG_FD] = {"SET_LOG_FD", 0, NO_VRING, false},
	[SVQ_VHOST_SET_VRING_NUM] = {"SET_VRING_NUM", 8, IN_STATE, false},
	[SVQ_VHOST_SET_VRING_ADDR] = {"SET_VRING_ADDR", 40, IN_ADDR, false},
	[SVQ_VHOST_SET_VRING_BASE] = {"SET_VRING_BASE", 8, IN_STATE, false},
	[SVQ_VHOST_GET_VRING_BASE] = {"GET_VRING_BASE", 8, IN_STATE, false},
	[SVQ_VHOST_SET_VRING_KICK] = {"SET_VRING_KICK", 8, IN_U64, false},
	[SVQ_VHOST_SET_VRING_CALL] = {"SET_VRING_CALL", 8, IN_U64, false},
	[SVQ_VHOST_SET_VRING_ERR] = {"SET_VRING_ERR", 8, IN_U64, false},
	[SVQ_VHOST_GET_PROTOCOL_FEATURES] = {"GET_PROTOCOL_FEATURES", 0, NO_VRING, false},
	[SVQ_VHOST_SET_PROTOCOL_FEATURES] = {"SET_PROTOCOL_FEATURES", 8, NO_VRING, false},
	[SVQ_VHOST_GET_QUEUE_NUM] = {"GET_QUEUE_NUM", 0, NO_VRING, false},
	[SVQ_VHOST_SET_VRING_ENABLE] = {"SET_VRING_ENABLE", 8, IN_STATE, false},
	[SVQ_VHOST_SEND_RARP] = {"SEND_RARP", 8, NO_VRING, false},
	[SVQ_VHOST_NET_SET_MTU] = {"NET_SET_MTU", 8, NO_VRING, false},
	[SVQ_VHOST_SET_BACKEND_REQ_FD] = {"SET_BACKEND_REQ_FD", 0, NO_VRING, false},
	[SVQ_VHOST_IOTLB_MSG] = {"IOTLB_MSG", 0, NO_VRING, true},
	[SVQ_VHOST_GET_CONFIG] = {"GET_CONFIG", SVQ_VHOST_CONFIG_HEAD, NO_VRING, false},
	[SVQ_VHOST_SET_CONFIG] = {"SET_CONFIG", 0, NO_VRING, true},
	[SVQ_VHOST_POSTCOPY_ADVISE] = {"POSTCOPY_ADVISE", 0, NO_VRING, true},
	[SVQ_VHOST_POSTCOPY_LISTEN] = {"POSTCOPY_LISTEN", 0, NO_VRING, true},
	[SVQ_VHOST_POSTCOPY_END] = {"POSTCOPY_END", 0, NO_VRING, true},
	[SVQ_VHOST_GET_INFLIGHT_FD] = {"GET_INFLIGHT_FD", 0, NO_VRING, true},
	[SVQ_VHOST_SET_INFLIGHT_FD] = {"SET_INFLIGHT_FD", 0, NO_VRING, true},
	[SVQ_VHOST_SET_STATUS] = {"SET_STATUS", 8, NO_VRING, false},
	[SVQ_VHOST_GET_STATUS] = {"GET_STATUS", 0, NO_VRING, false},
};

static bool
known(uint32_t request)
{
	return request < RTE_DIM(messages) && messages[request].name != NULL;
}

const char *
svq_vdpa_screen_name(uint32_t request, char *buf)
{
	if (known(request))
		return messages[request].name;
	snprintf(buf, 32, "request %u", request);
	return buf;
}

/* librte_vhost refuses descriptors with other messages, too, but only after we saw them: a
 * RESET_OWNER refused so would be taken for the cause of the cleanup at the connection's end. */
static bool
takes_fds(uint32_t request)
{
	switch (request) {
	case SVQ_VHOST_SET_MEM_TABLE:
	case SVQ_VHOST_SET_LOG_BASE:
	case SVQ_VHOST_SET_LOG_FD:
	case SVQ_VHOST_SET_VRING_KICK:
	case SVQ_VHOST_SET_VRING_CALL:
	case SVQ_VHOST_SET_VRING_ERR:
	case SVQ_VHOST_SET_BACKEND_REQ_FD:
		return true;
	default:
		return false;
	}
}

__rte_format_printf(2, 3) static bool refuse(struct svq_vdpa_refusal *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->reason, sizeof(why->reason), fmt, ap);
	va_end(ap);
	return false;
}

static bool
overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a - b < b_size || b - a < a_size;
}

/* The file of region @p i holds it and can be mapped the way librte_vhost does. */
static bool
region_maps(const struct svq_vhost_mem_region *r, unsigned int i, int fd, struct stat *st,
	struct svq_vdpa_refusal *why)
{
	uint64_t len = r->offset + r->size;
	void *p;

	if (fstat(fd, st) != 0)
		return refuse(why, "region %u: fstat: %s", i, strerror(errno));
	/* Beyond the end of the file every access is a SIGBUS. */
	if (!S_ISREG(st->st_mode) || len > (uint64_t)st->st_size)
		return refuse(why, "region %u: ends 0x%" PRIx64 " bytes into a file of 0x%" PRIx64,
			i, len, S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0);
	len = RTE_ALIGN_CEIL(len, (uint64_t)st->st_blksize);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return refuse(
			why, "region %u: mmap of 0x%" PRIx64 " bytes: %s", i, len, strerror(errno));
	munmap(p, len);
	return true;
}

/* A table that librte_vhost cannot take leaves it with the old one unmapped and a null pointer. */
static bool
mem_table_ok(const struct svq_vhost_msg_ctx *ctx, struct svq_vdpa_refusal *why)
{
	struct stat st[SVQ_VHOST_MAX_REGIONS];
	struct svq_vhost_mem_table t;
	unsigned int i, k;

	memcpy(&t, &ctx->payload.mem, sizeof(t));
	if (t.n == 0 || t.n > SVQ_VHOST_MAX_REGIONS)
		return refuse(why, "%u regions, 1 to %u can be served", t.n, SVQ_VHOST_MAX_REGIONS);
	if (ctx->size < 8 + t.n * sizeof(t.regions[0]))
		return refuse(why, "%u bytes for %u regions", ctx->size, t.n);
	if (ctx->fd_num < 0 || (unsigned int)ctx->fd_num != t.n)
		return refuse(why, "%d descriptors for %u regions", ctx->fd_num, t.n);
	for (i = 0; i < t.n; i++) {
		const struct svq_vhost_mem_region *r = &t.regions[i];

		if (r->size == 0 || (r->gpa | r->size | r->offset) % PAGE != 0)
			return refuse(why,
				"region %u: GPA 0x%" PRIx64 ", size 0x%" PRIx64
				", offset 0x%" PRIx64 " are not whole pages",
				i, r->gpa, r->size, r->offset);
		if (r->gpa + (r->size - 1) < r->gpa || r->qva + (r->size - 1) < r->qva ||
			r->offset + r->size < r->offset)
			return refuse(why, "region %u: wraps past 2^64", i);
		if (!region_maps(r, i, ctx->fds[i], &st[i], why))
			return false;
		for (k = 0; k < i; k++) {
			const struct svq_vhost_mem_region *o = &t.regions[k];

			if (overlap(r->gpa, r->size, o->gpa, o->size))
				return refuse(why, "regions %u and %u overlap", k, i);
			/* Aliases show one piece of a file; other memory cannot have one address.
			 */
			if (overlap(r->qva, r->size, o->qva, o->size) &&
				(r->qva - o->qva != r->offset - o->offset ||
					st[i].st_dev != st[k].st_dev ||
					st[i].st_ino != st[k].st_ino))
				return refuse(why,
					"regions %u and %u are different memory at one front-end "
					"address",
					k, i);
		}
	}
	return true;
}

static bool
config_ok(
	const struct svq_vdpa *d, const struct svq_vhost_msg_ctx *ctx, struct svq_vdpa_refusal *why)
{
	struct svq_vhost_config config;

	if (!d->offer_config)
		return refuse(why, "belongs to a feature that was not offered");
	memcpy(&config, &ctx->payload.config, sizeof(config));
	if (config.size > sizeof(config.region) || ctx->size != SVQ_VHOST_CONFIG_HEAD + config.size)
		return refuse(why, "%u bytes of the configuration in a message of %u", config.size,
			ctx->size);
	return true;
}

static bool
log_ok(const struct svq_vhost_msg_ctx *ctx, struct svq_vdpa_refusal *why)
{
	struct svq_vhost_log log;
	struct stat st;

	memcpy(&log, &ctx->payload.log, sizeof(log));
	if (ctx->fd_num != 1)
		return refuse(why, "%d descriptors, 1 expected", ctx->fd_num);
	if (log.size == 0 || log.offset % PAGE != 0 || log.offset + log.size < log.offset)
		return refuse(why, "size 0x%" PRIx64 ", offset 0x%" PRIx64, log.size, log.offset);
	if (fstat(ctx->fds[0], &st) != 0 || !S_ISREG(st.st_mode) ||
		log.offset + log.size > (uint64_t)st.st_size)
		return refuse(why,
			"size 0x%" PRIx64 " at offset 0x%" PRIx64 " ends beyond its file", log.size,
			log.offset);
	return true;
}

bool
svq_vdpa_is_eventfd(int fd, char *what)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, what, 63);
	what[n > 0 ? n : 0] = '\0';
	return strcmp(what, "anon_inode:[eventfd]") == 0;
}

/* A worker writes to this descriptor: a pipe without reader would kill the process by SIGPIPE, a
 * full one would hang the worker. */
static bool
call_ok(const struct svq_vhost_msg_ctx *ctx, struct svq_vdpa_refusal *why)
{
	char what[64];

	if (ctx->payload.u64 & SVQ_VHOST_VRING_NOFD || ctx->fd_num != 1 ||
		svq_vdpa_is_eventfd(ctx->fds[0], what))
		return true;
	return refuse(why, "the descriptor is no eventfd: %s", what);
}

static bool
num_ok(const struct svq_vdpa *d, uint32_t qid, uint32_t num, struct svq_vdpa_refusal *why)
{
	const struct svq_vdpa_vring *vr = &d->vrings[qid];
	struct svq_queue_layout l;

	why->qid = (int)qid;
	/* librte_vhost stores the size before it looks at it. */
	if (svq_queue_layout(d->features, num, &l) != 0)
		return refuse(why,
			"queue %u: size %u is no power of two, 2..32768 (packed: 1..32768)", qid,
			num);
	if (vr->started && num != vr->at.size)
		return refuse(
			why, "queue %u: is running with size %u, not %u", qid, vr->at.size, num);
	return true;
}

static bool
ring_part_ok(const struct svq_vdpa_table *t, uint32_t qid, const char *part, uint64_t qva,
	const struct svq_queue_area *area, uint64_t *gpa, struct svq_vdpa_refusal *why)
{
	if (qva % area->align != 0)
		return refuse(why, "queue %u: %s ring at 0x%" PRIx64 " is not aligned to %u", qid,
			part, qva, area->align);
	if (svq_vdpa_table_qva(t, qva, area->bytes, gpa) != 0)
		return refuse(why,
			"queue %u: %s ring at 0x%" PRIx64 ", %" PRIu64
			" bytes, is outside guest memory",
			qid, part, qva, area->bytes);
	return true;
}

static bool
addr_ok(const struct svq_vdpa *d, const struct vhost_vring_addr *addr, struct svq_vdpa_refusal *why)
{
	const struct svq_vdpa_vring *vr = &d->vrings[addr->index];
	struct svq_vdpa_rings at;
	struct rte_vhost_vring v;
	struct svq_queue_layout l;
	struct svq_vdpa_table t;

	why->qid = (int)addr->index;
	if (svq_vdpa_table_read(d, &t) != 0)
		return refuse(why, "queue %u: no memory table yet", addr->index);
	if (rte_vhost_get_vhost_vring(d->vid, addr->index, &v) != 0)
		return refuse(why, "queue %u: unknown", addr->index);
	/* The size may come later; the whole ring is checked again when it is attached. */
	if (svq_queue_layout(d->features, v.size != 0 ? v.size : 2, &l) != 0)
		return refuse(why, "queue %u: its size %u is not possible", addr->index, v.size);
	if (!ring_part_ok(&t, addr->index, "descriptor", addr->desc_user_addr, &l.desc,
		    &at.desc_gpa, why) ||
		!ring_part_ok(&t, addr->index, "available", addr->avail_user_addr, &l.avail,
			&at.avail_gpa, why) ||
		!ring_part_ok(
			&t, addr->index, "used", addr->used_user_addr, &l.used, &at.used_gpa, why))
		return false;
	/* librte_vhost would tell nobody that they moved. */
	if (vr->started &&
		(at.desc_gpa != vr->at.desc_gpa || at.avail_gpa != vr->at.avail_gpa ||
			at.used_gpa != vr->at.used_gpa))
		return refuse(why, "queue %u: its rings cannot move while it runs", addr->index);
	return true;
}

static bool
vring_known(
	const struct svq_vdpa *d, const struct svq_vhost_msg_ctx *ctx, struct svq_vdpa_refusal *why)
{
	uint32_t qid = 0;

	switch (messages[ctx->request].vring) {
	case NO_VRING:
		return true;
	case IN_STATE:
		qid = ctx->payload.state.index;
		break;
	case IN_ADDR:
		qid = ctx->payload.addr.index;
		break;
	case IN_U64:
		qid = ctx->payload.u64 & SVQ_VHOST_VRING_MASK;
		break;
	}
	if (qid >= 2u * d->max_pairs)
		return refuse(why, "queue %u: the device has %u", qid, 2 * d->max_pairs);
	return true;
}

bool
svq_vdpa_screen(
	const struct svq_vdpa *d, const struct svq_vhost_msg_ctx *ctx, struct svq_vdpa_refusal *why)
{
	struct vhost_vring_addr addr;

	why->qid = -1;
	if ((ctx->flags & SVQ_VHOST_VERSION_MASK) != SVQ_VHOST_VERSION)
		return refuse(why, "protocol version %u, 1 is known",
			ctx->flags & SVQ_VHOST_VERSION_MASK);
	if (!known(ctx->request))
		return refuse(why, "unknown message");
	if (messages[ctx->request].refused)
		return refuse(why, "belongs to a feature that was not offered");
	if (ctx->size < messages[ctx->request].payload)
		return refuse(
			why, "%u bytes, %u expected", ctx->size, messages[ctx->request].payload);
	if (ctx->fd_num != 0 && !takes_fds(ctx->request))
		return refuse(why, "%d descriptors, none expected", ctx->fd_num);
	if (!vring_known(d, ctx, why))
		return false;

	switch (ctx->request) {
	case SVQ_VHOST_SET_MEM_TABLE:
		return mem_table_ok(ctx, why);
	case SVQ_VHOST_SET_LOG_BASE:
		return log_ok(ctx, why);
	case SVQ_VHOST_GET_CONFIG:
		return config_ok(d, ctx, why);
	case SVQ_VHOST_SET_VRING_CALL:
	case SVQ_VHOST_SET_VRING_ERR:
		return call_ok(ctx, why);
	case SVQ_VHOST_SET_VRING_NUM:
		return num_ok(d, ctx->payload.state.index, ctx->payload.state.num, why);
	case SVQ_VHOST_SET_VRING_ADDR:
		memcpy(&addr, &ctx->payload.addr, sizeof(addr));
		return addr_ok(d, &addr, why);
	default:
		return true;
	}
}
