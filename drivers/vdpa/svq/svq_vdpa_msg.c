/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * librte_vhost shows us each message before and after it handles it. Before: refuse what it could
 * not stand, note which message the operations that follow are about, and go over to a new dirty
 * log, of which no operation tells: afterwards the answer has been sent. After: what it accepted
 * is in force.
 *
 * The log is mapped by us because librte_vhost unmaps its own at the next SET_LOG_BASE without
 * notice, and adds the offset into the file to its address.
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <svq_guest_guard.h>

#include "svq_vdpa_lifecycle.h"

static void
log_unmap(struct svq_dirty_log *log, int guard)
{
	if (log->base != NULL) {
		svq_guest_guard_del(guard);
		munmap(log->base, log->size);
	}
	log->base = NULL;
	log->size = 0;
}

static void
log_map(struct svq_vdpa *d, const struct svq_vhost_msg_ctx *ctx)
{
	uint64_t size = ctx->payload.log.size;
	void *p;

	d->log = (struct svq_dirty_log){0};
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ctx->fds[0],
		(off_t)ctx->payload.log.offset);
	if (p == MAP_FAILED) {
		VDPA_LOG(ERR,
			"%s: dirty log of 0x%" PRIx64 " bytes: mmap: %s; migration will not see "
			"what is written",
			d->where, size, strerror(errno));
		return;
	}
	d->log.base = p;
	d->log.size = size;
	/* Pages that the front-end takes away later log nothing: it has itself to blame. */
	d->log_guard = svq_guest_guard_add(p, RTE_ALIGN_CEIL(size, 4096), 4096, &d->lib_lost);
}

/* The front-end reads the old log for the last time when it has the answer to SET_LOG_BASE, so
 * nobody may write there any more by then. */
static void
log_switch(struct svq_vdpa *d, const struct svq_vhost_msg_ctx *ctx)
{
	struct svq_dirty_log old = d->log;
	int old_guard = d->log_guard;

	log_map(d, ctx);
	svq_vdpa_on_log(d);
	log_unmap(&old, old_guard);
	VDPA_LOG(DEBUG, "%s: dirty log of 0x%" PRIx64 " bytes", d->where, d->log.size);
}

/* librte_vhost does nothing with the descriptor but to close it. */
static void
err_switch(struct svq_vdpa *d, const struct svq_vhost_msg_ctx *ctx)
{
	uint16_t qid = ctx->payload.u64 & SVQ_VHOST_VRING_MASK;
	bool none = ctx->payload.u64 & SVQ_VHOST_VRING_NOFD || ctx->fd_num != 1;

	svq_vdpa_vring_set_err(d, qid, none ? -1 : ctx->fds[0]);
}

void
svq_vdpa_msg_reset(struct svq_vdpa *d)
{
	d->request = 0;
	d->lib_mem = false;
	d->backend_channel = false;
	svq_vdpa_mem_unguard(d);
	log_unmap(&d->log, d->log_guard);
}

/* Of a message that librte_vhost does not get: it would leave them open. */
static void
close_fds(struct svq_vhost_msg_ctx *ctx)
{
	int i;

	for (i = 0; i < ctx->fd_num && i < SVQ_VHOST_MAX_REGIONS; i++) {
		if (ctx->fds[i] >= 0)
			close(ctx->fds[i]);
		ctx->fds[i] = -1;
	}
	ctx->fd_num = 0;
}

bool
svq_vdpa_may_complain(struct svq_vdpa *d)
{
	return svq_complain(&d->complaints, d->where[0] != '\0' ? d->where : d->name);
}

/*
 * Refuse a message. The front-end learns it if it asked for a reply. If it did not, librte_vhost
 * ends the connection; a bad ring does not deserve that: the vring just never gets ready.
 */
static enum rte_vhost_msg_result
refuse(struct svq_vdpa *d, struct svq_vhost_msg_ctx *ctx, const struct svq_vdpa_refusal *why)
{
	char buf[32];

	if (svq_vdpa_may_complain(d))
		VDPA_LOG(ERR, "%s: refused %s: %s", d->where,
			svq_vdpa_screen_name(ctx->request, buf), why->reason);
	d->stats.bad_messages++;
	if (why->qid >= 0) {
		d->stats.bad_rings++;
		d->vrings[why->qid].refused = true;
	}
	close_fds(ctx);
	d->request = 0;
	if (why->qid >= 0 && !(ctx->flags & SVQ_VHOST_NEED_REPLY))
		return RTE_VHOST_MSG_RESULT_OK;
	return RTE_VHOST_MSG_RESULT_ERR;
}

static void
channel_switch(struct svq_vdpa *d, const struct svq_vhost_msg_ctx *ctx)
{
	d->backend_channel = ctx->fd_num == 1;
	if (d->backend_channel)
		svq_vdpa_socket_limit_channel(ctx->fds[0]);
}

static enum rte_vhost_msg_result
pre_msg(int vid, void *msg)
{
	struct svq_vhost_msg_ctx *ctx = msg;
	enum rte_vhost_msg_result ret = RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	struct svq_vdpa *d = svq_vdpa_enter_or_claim(vid);
	struct svq_vdpa_refusal why;

	if (d == NULL) {
		close_fds(ctx);
		return RTE_VHOST_MSG_RESULT_ERR;
	}
	d->handlers = true;
	if (!svq_vdpa_screen(d, ctx, &why)) {
		ret = refuse(d, ctx, &why);
	} else {
		d->request = ctx->request;
		if (ctx->request == SVQ_VHOST_SET_MEM_TABLE)
			d->lib_mem = false;
		else if (ctx->request == SVQ_VHOST_SET_LOG_BASE)
			log_switch(d, ctx);
		else if (ctx->request == SVQ_VHOST_SET_VRING_ERR)
			err_switch(d, ctx);
		else if (ctx->request == SVQ_VHOST_GET_CONFIG)
			ret = svq_vdpa_config_reply(d, ctx);
		else if (ctx->request == SVQ_VHOST_SET_BACKEND_REQ_FD)
			channel_switch(d, ctx);
	}
	svq_vdpa_leave(d);
	return ret;
}

/* Called for what librte_vhost accepted, and for what we refused in silence (request is 0). */
static enum rte_vhost_msg_result
post_msg(int vid, void *msg)
{
	struct svq_vdpa *d = svq_vdpa_enter(vid);

	RTE_SET_USED(msg);
	if (d == NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	if (d->request == SVQ_VHOST_SET_MEM_TABLE) {
		d->lib_mem = true;
		svq_vdpa_mem_guard(d);
	}
	d->request = 0;
	svq_vdpa_leave(d);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static const struct rte_vhost_user_extern_ops handlers = {
	.pre_msg_handle = pre_msg,
	.post_msg_handle = post_msg,
};

int
svq_vdpa_msg_register(struct svq_vdpa *d, int vid)
{
	if (rte_vhost_extern_callback_register(vid, &handlers, NULL) == 0)
		return 0;
	VDPA_LOG(ERR, "device %s: librte_vhost does not show its messages", d->name);
	return -EIO;
}
