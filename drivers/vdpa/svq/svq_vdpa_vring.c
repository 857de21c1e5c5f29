/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The guest's vrings, the shadow queues behind them, and the pairs that workers serve.
 *
 * A vring is attached when it first becomes ready after the device's start, and from then on its
 * position is ours. When it stops being ready it is only no longer served: it stays attached, so
 * that what is in flight can be returned or recalled later. That is sound because its memory is
 * our own mapping and its call descriptor our own duplicate.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_common.h>

#include <svq_patience.h>

#include "svq_vdpa_features.h"
#include "svq_vdpa_priv.h"

/* Smaller rings save nothing and make a device wait. */
#define MIN_SHADOW_SIZE 256u

/*
 * A chain may be as long as the guest's ring, so a shadow ring that is at least as large takes
 * every chain. A vring whose size librte_vhost does not know yet is taken to be like the others.
 */
static uint16_t
shadow_size(const struct svq_vdpa *d)
{
	uint32_t size = MIN_SHADOW_SIZE;
	uint16_t i;

	if (d->queue_size != 0)
		return d->queue_size;
	for (i = 0; i < 2 * d->n_pairs; i++) {
		struct rte_vhost_vring v;

		if (rte_vhost_get_vhost_vring(d->vid, i, &v) == 0)
			size = RTE_MAX(size, rte_align32pow2(v.size));
	}
	return (uint16_t)RTE_MIN(size, d->dev->info.max_queue_size);
}

/* The device's interrupts are for who sleeps: one that is polled cannot tell what it does not do.
 */
static bool
wants_interrupts(const struct svq_vdpa *d)
{
	const struct svq_device_ops *ops = d->dev->ops;

	return d->idle_us != 0 && ops->poll == NULL && ops->queue_irq != NULL;
}

/* Without an interrupt the queue's pair, when asleep, is looked at by a timer, and says so. */
static void
irq_open(const struct svq_vdpa *d, struct svq_vdpa_vring *vr)
{
	vr->irqfd = wants_interrupts(d) ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
}

static void
irq_close(struct svq_vdpa_vring *vr)
{
	if (vr->irqfd >= 0)
		close(vr->irqfd);
	vr->irqfd = -1;
}

int
svq_vdpa_vrings_create(struct svq_vdpa *d, uint64_t device_features)
{
	struct svq_device_queue setup;
	struct svq_queue_conf conf = {
		.name = d->where,
		.dma = d->dma,
		.size = shadow_size(d),
		.features = device_features,
		.numa_node = d->numa_node,
		.complaints = &d->complaints,
		.net_header = svq_vdpa_features_header(device_features),
	};
	int ret;

	for (conf.qid = 0; conf.qid < 2 * d->n_pairs; conf.qid++) {
		struct svq_vdpa_vring *vr = &d->vrings[conf.qid];

		irq_open(d, vr);
		conf.irqfd = vr->irqfd;
		ret = svq_queue_create(&conf, &vr->queue);
		if (ret != 0) {
			vr->queue = NULL;
			irq_close(vr);
			svq_vdpa_conf_fail(d, ret, "no shadow ring of %u descriptors for queue %u",
				conf.size, conf.qid);
			return ret;
		}
		svq_queue_set_errfd(vr->queue, vr->errfd);
		svq_queue_device(vr->queue, &setup);
		ret = d->dev->ops->queue_setup(d->dev, conf.qid, &setup);
		if (ret != 0) {
			svq_vdpa_conf_fail(d, ret, "device %s refuses the ring of queue %u",
				d->name, conf.qid);
			return ret;
		}
		if (vr->irqfd >= 0 && d->dev->ops->queue_irq(d->dev, conf.qid, vr->irqfd) != 0)
			VDPA_LOG(WARNING, "%s: device %s has no interrupt for queue %u", d->where,
				d->name, conf.qid);
	}
	return 0;
}

void
svq_vdpa_vring_set_err(struct svq_vdpa *d, uint16_t qid, int fd)
{
	struct svq_vdpa_vring *vr = &d->vrings[qid];
	bool served = d->served[qid / 2];
	int old = vr->errfd, flags;

	vr->errfd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	/* Whoever holds the other end must not be able to block a worker; see svq_patience.h. */
	flags = vr->errfd >= 0 ? fcntl(vr->errfd, F_GETFL) : -1;
	if (flags >= 0)
		fcntl(vr->errfd, F_SETFL, flags | O_NONBLOCK);
	if (vr->queue != NULL) {
		svq_vdpa_pair_unserve(d, qid / 2);
		svq_queue_set_errfd(vr->queue, vr->errfd);
		if (served)
			svq_vdpa_pair_serve(d, qid / 2);
	}
	if (old >= 0)
		close(old);
}

void
svq_vdpa_vrings_forget_err(struct svq_vdpa *d)
{
	uint16_t i;

	for (i = 0; i < RTE_DIM(d->vrings); i++) {
		if (d->vrings[i].errfd >= 0)
			close(d->vrings[i].errfd);
		d->vrings[i].errfd = -1;
	}
}

static void
vring_forget(struct svq_vdpa_vring *vr)
{
	svq_queue_detach(vr->queue);
	vr->started = false;
	if (vr->callfd >= 0)
		close(vr->callfd);
	if (vr->kickfd >= 0)
		close(vr->kickfd);
	vr->callfd = vr->kickfd = -1;
}

void
svq_vdpa_vrings_destroy(struct svq_vdpa *d)
{
	uint16_t i;

	for (i = 0; i < 2 * d->n_pairs; i++) {
		struct svq_vdpa_vring *vr = &d->vrings[i];

		if (vr->queue == NULL)
			continue;
		vring_forget(vr);
		svq_vdpa_stats_fold(vr);
		svq_queue_destroy(vr->queue);
		vr->queue = NULL;
		irq_close(vr);
	}
}

/* Where the rings of @p at lie in our mapping. */
static int
rings_find(const struct svq_vdpa *d, const struct svq_vdpa_rings *at, struct svq_queue_guest *guest)
{
	const struct svq_gpa_map *map = svq_dma_map(d->dma);
	struct svq_queue_layout l;

	if (svq_queue_layout(d->features, at->size, &l) != 0)
		return -EINVAL;
	guest->desc = svq_gpa_hva(map, at->desc_gpa, l.desc.bytes, SVQ_PERM_RW);
	guest->avail = svq_gpa_hva(map, at->avail_gpa, l.avail.bytes, SVQ_PERM_R);
	guest->used = svq_gpa_hva(map, at->used_gpa, l.used.bytes, SVQ_PERM_W);
	guest->desc_gpa = at->desc_gpa;
	guest->used_gpa = at->used_gpa;
	guest->avail_gpa = at->avail_gpa;
	guest->size = at->size;
	guest->features = d->features;
	if (guest->desc == NULL || guest->avail == NULL || guest->used == NULL ||
		(uintptr_t)guest->desc % l.desc.align != 0 ||
		(uintptr_t)guest->avail % l.avail.align != 0 ||
		(uintptr_t)guest->used % l.used.align != 0)
		return -EFAULT;
	return 0;
}

/* What librte_vhost says of a vring; the descriptors are librte_vhost's. */
static int
rings_read(const struct svq_vdpa *d, uint16_t qid, struct svq_vdpa_rings *at,
	struct svq_queue_guest *guest)
{
	struct svq_queue_layout l;
	struct rte_vhost_vring v;
	struct svq_vdpa_table t;
	uint16_t used;

	if (rte_vhost_get_vhost_vring(d->vid, qid, &v) != 0 ||
		rte_vhost_get_vring_base(d->vid, qid, &guest->base, &used) != 0)
		return -ENOENT;
	at->size = v.size;
	guest->callfd = v.callfd;
	guest->kickfd = v.kickfd;
	if (svq_queue_layout(d->features, v.size, &l) != 0)
		return -EINVAL;
	if (svq_vdpa_table_read(d, &t) != 0)
		return -ENOENT;
	if (svq_vdpa_table_hva(&t, (uintptr_t)v.desc, l.desc.bytes, &at->desc_gpa) != 0 ||
		svq_vdpa_table_hva(&t, (uintptr_t)v.avail, l.avail.bytes, &at->avail_gpa) != 0 ||
		svq_vdpa_table_hva(&t, (uintptr_t)v.used, l.used.bytes, &at->used_gpa) != 0)
		return -EFAULT;
	return 0;
}

/* Have descriptors of our own: librte_vhost closes its when it pleases. */
static int
dup_fds(const struct svq_vdpa *d, struct svq_queue_guest *guest)
{
	int callfd = guest->callfd, kickfd = guest->kickfd;
	char what[64];

	guest->callfd = guest->kickfd = -1;
	if (callfd >= 0) {
		guest->callfd = fcntl(callfd, F_DUPFD_CLOEXEC, 0);
		if (guest->callfd < 0)
			return -errno;
	}
	/* Another kind of file could hold up whoever waits for it. */
	if (d->idle_us != 0 && kickfd >= 0 && svq_vdpa_is_eventfd(kickfd, what))
		guest->kickfd = fcntl(kickfd, F_DUPFD_CLOEXEC, 0);
	return 0;
}

static const char *
refusal(int error)
{
	switch (error) {
	case -EINVAL:
		return "the ring size must be a power of two, 2..32768 (packed: 1..32768), and "
		       "stay while buffers are "
		       "in "
		       "flight";
	case -EFAULT:
		return "its rings must lie in guest memory, aligned";
	case -ENOENT:
		return "librte_vhost does not know its rings";
	default:
		return strerror(-error);
	}
}

int
svq_vdpa_vring_attach(struct svq_vdpa *d, uint16_t qid)
{
	struct svq_vdpa_vring *vr = &d->vrings[qid];
	struct svq_vdpa_rings at = {0};
	struct svq_queue_guest guest;
	int ret;

	ret = rings_read(d, qid, &at, &guest);
	if (ret == 0)
		ret = rings_find(d, &at, &guest);
	if (ret == 0 && vr->started) {
		guest.base = svq_queue_base(vr->queue);
		if (at.size != vr->at.size && svq_queue_inflight(vr->queue) != 0)
			ret = -EINVAL;
	}
	if (ret == 0)
		ret = dup_fds(d, &guest);
	vr->bad = ret != 0;
	if (ret != 0)
		goto refuse;
	vring_forget(vr);
	vr->at = at;
	vr->callfd = guest.callfd;
	vr->kickfd = guest.kickfd;
	ret = svq_queue_attach(vr->queue, &guest);
	if (ret != 0) {
		vring_forget(vr);
		goto refuse;
	}
	vr->started = true;
	vr->refused = false;
	VDPA_LOG(DEBUG, "%s: queue %u attached: %u descriptors from index %u", d->where, qid,
		guest.size, guest.base);
	return 0;

refuse:
	d->stats.bad_rings += !vr->refused;
	/* One line for one fault: a message that was refused leaves such a vring. */
	if (vr->refused || !svq_vdpa_may_complain(d))
		return ret;
	VDPA_LOG(ERR, "%s: queue %u (size %u) is not served: %s", d->where, qid, at.size,
		refusal(ret));
	return ret;
}

void
svq_vdpa_vrings_relocate(struct svq_vdpa *d)
{
	uint16_t i;

	for (i = 0; i < 2 * d->n_pairs; i++) {
		struct svq_vdpa_vring *vr = &d->vrings[i];
		struct svq_queue_guest guest;

		if (vr->ready && svq_vdpa_vring_attach(d, i) == 0)
			continue;
		if (!vr->started)
			continue;
		/* Not served, but what is in flight is to be recalled some time. */
		guest.base = svq_queue_base(vr->queue);
		guest.callfd = vr->callfd;
		guest.kickfd = vr->kickfd;
		svq_queue_detach(vr->queue);
		if (rings_find(d, &vr->at, &guest) == 0 && svq_queue_attach(vr->queue, &guest) == 0)
			continue;
		VDPA_LOG(WARNING,
			"%s: the rings of queue %u went with the memory, and with them %u buffers "
			"that the device holds",
			d->where, i, svq_queue_inflight(vr->queue));
		vring_forget(vr);
	}
}

void
svq_vdpa_vrings_recall(struct svq_vdpa *d)
{
	uint16_t i;

	for (i = 0; i < 2 * d->n_pairs; i++) {
		if (d->vrings[i].started)
			d->stats.recalled += svq_queue_recall(d->vrings[i].queue);
	}
	svq_vdpa_vrings_set_bases(d);
}

void
svq_vdpa_vring_finish(struct svq_vdpa *d, uint16_t qid)
{
	struct svq_vdpa_vring *vr = &d->vrings[qid];
	uint32_t most = vr->started ? svq_queue_inflight(vr->queue) : 0;

	while (most-- > 0 && svq_queue_used(vr->queue) != 0)
		;
}

int
svq_vdpa_vring_reset(struct svq_vdpa *d, uint16_t qid)
{
	const struct svq_device_ops *ops = d->dev->ops;
	struct svq_queue *queue = d->vrings[qid].queue;
	struct svq_device_queue setup;
	int ret;

	ret = ops->queue_reset != NULL ? ops->queue_reset(d->dev, qid) : -ENOTSUP;
	if (ret != 0)
		return ret;
	/* The reset leaves the shadow ring as the device last wrote it. */
	svq_patience_begin();
	svq_vdpa_vring_finish(d, qid);
	svq_patience_end();
	d->stats.recalled += svq_queue_recall(queue);
	svq_queue_device(queue, &setup);
	ret = ops->queue_setup(d->dev, qid, &setup);
	return ret == 0 ? ops->queue_restart(d->dev, qid) : ret;
}

/* A split ring's two indices are one: what is used is what need not be made available again. */
void
svq_vdpa_vrings_set_bases(struct svq_vdpa *d)
{
	uint16_t i;

	for (i = 0; i < 2 * d->n_pairs; i++) {
		uint16_t base;

		if (!d->vrings[i].started)
			continue;
		base = svq_queue_base(d->vrings[i].queue);
		if (rte_vhost_set_vring_base(d->vid, i, base, base) != 0)
			VDPA_LOG(ERR, "%s: queue %u: cannot hand back index %u", d->where, i, base);
	}
}

void
svq_vdpa_vrings_set_log(struct svq_vdpa *d)
{
	bool on = (d->features & 1ULL << VHOST_F_LOG_ALL) && d->log.base != NULL;
	uint16_t i;

	for (i = 0; i < 2 * d->n_pairs; i++) {
		if (d->vrings[i].queue != NULL)
			svq_queue_set_log(d->vrings[i].queue, on ? &d->log : NULL);
	}
}

static struct svq_queue *
servable(const struct svq_vdpa_vring *vr)
{
	return vr->ready && vr->started && !vr->bad ? vr->queue : NULL;
}

int
svq_vdpa_pair_serve(struct svq_vdpa *d, uint16_t index)
{
	struct svq_pair *pair = &d->pairs[index];
	bool on;
	int ret;

	if (d->quarantined)
		return 0;
	pair->dev = d->dev;
	pair->guest = d->guest;
	pair->index = index;
	pair->idle_us = d->idle_us;
	pair->rx = servable(&d->vrings[2 * index]);
	pair->tx = servable(&d->vrings[2 * index + 1]);
	on = pair->rx != NULL || pair->tx != NULL;
	if (on != d->enabled[index]) {
		ret = d->dev->ops->pair_enable(d->dev, index, on);
		if (ret != 0) {
			svq_vdpa_conf_fail(d, ret, "device %s does not switch queue pair %u %s",
				d->name, index, on ? "on" : "off");
			return ret;
		}
		d->enabled[index] = on;
	}
	if (!on)
		return 0;
	ret = svq_worker_add(pair, d->numa_node);
	if (ret != 0) {
		svq_vdpa_conf_fail(d, ret, "no worker for queue pair %u%s", index,
			ret == -ENODEV ? " (give EAL worker lcores, -l 0,1)" : "");
		return ret;
	}
	d->served[index] = true;
	return 0;
}

void
svq_vdpa_pair_unserve(struct svq_vdpa *d, uint16_t index)
{
	if (d->served[index])
		svq_worker_del(&d->pairs[index]);
	d->served[index] = false;
}

int
svq_vdpa_pairs_serve(struct svq_vdpa *d)
{
	int ret = 0, one;
	uint16_t i;

	for (i = 0; i < d->n_pairs; i++) {
		one = svq_vdpa_pair_serve(d, i);
		if (one != 0)
			ret = one;
	}
	return ret;
}

void
svq_vdpa_pairs_unserve(struct svq_vdpa *d)
{
	uint16_t i;

	for (i = 0; i < d->n_pairs; i++)
		svq_vdpa_pair_unserve(d, i);
}

void
svq_vdpa_vrings_kick(struct svq_vdpa *d)
{
	uint16_t i, q;

	for (i = 0; i < d->n_pairs; i++) {
		bool served = d->served[i];

		svq_vdpa_pair_unserve(d, i);
		for (q = 2 * i; q < 2 * i + 2; q++) {
			if (d->vrings[q].started)
				svq_queue_kick(d->vrings[q].queue);
		}
		if (served)
			svq_vdpa_pair_serve(d, i);
	}
}
