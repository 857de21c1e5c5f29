/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The life cycle, events by states:
 *
 *              | IDLE          | CONNECTED          | RUNNING             | PAUSED
 * -------------+---------------+--------------------+---------------------+---------------------
 * first message| -> CONNECTED  | refused            | refused             | refused
 * features     | -             | noted              | logging on or off   | logging on or off
 * vring ready  | noted         | noted              | attach, serve       | noted
 * vring stops  | noted         | noted              | stop serving        | noted
 * device breaks| -             | -                  | reset the device    | reset the device
 * conf         | refused       | memory, start      | pause, then as in   | memory difference,
 *              |               | -> RUNNING         | PAUSED              | resume -> RUNNING
 * close for a  | -             | -                  | pause -> PAUSED     | stop -> CONNECTED
 *   new table  |               |                    |                     |
 * close        | -             | -                  | stop -> CONNECTED   | stop -> CONNECTED
 * device's     | -             | -                  | passed on           | passed on
 *   config     |               |                    |                     |
 * log changes  | noted         | noted              | pause, switch, on   | switch
 * RESET_OWNER  | -             | forget memory      | stop, then as in    | stop, then as in
 *   (cleanup)  |               |                    | CONNECTED           | CONNECTED
 * cleanup      | -             | forget memory      | stop, then as in    | stop, then as in
 *              |               | -> IDLE            | CONNECTED           | CONNECTED
 *
 * start: shadow queues, device features, rings and DRIVER_OK; then every ready vring is attached
 *   and its pair given to a worker. A failure undoes all of it but the memory and leaves
 *   CONNECTED.
 * stop: no worker serves a pair; what the device can still complete within DRAIN_STOP_US is
 *   returned to the guest; the device is reset; what it did not complete becomes available to the
 *   guest again; librte_vhost learns the position of every vring.
 * pause: no worker serves a pair. The device keeps running with the buffers it has, and the vrings
 *   stay attached to our own mapping of guest memory, which outlives librte_vhost's.
 * resume: if a buffer in flight lies in a region that goes, the device gets DRAIN_RESUME_US to
 *   complete it, else that queue is reset, or the device stopped and started; then the difference
 * is applied and each vring is attached where it lies now.
 *
 * SVQ_VDPA_BROKEN is no state of its own: it is what RUNNING is called once the device broke a rule
 * or asks to be reset. As soon as that is known no worker serves a pair and the device is reset, so
 * that it touches no memory; the queues stay attached. The front-end's stop and start mend it.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_cycles.h>
#include <rte_pause.h>

#include <svq_patience.h>

#include "svq_vdpa_features.h"
#include "svq_vdpa_lifecycle.h"

#define DRAIN_STOP_US	10000
#define DRAIN_RESUME_US 50000

const char *
svq_vdpa_state_name(enum svq_vdpa_state state)
{
	static const char *const names[] = {
		[SVQ_VDPA_IDLE] = "idle",
		[SVQ_VDPA_CONNECTED] = "connected",
		[SVQ_VDPA_RUNNING] = "running",
		[SVQ_VDPA_PAUSED] = "paused",
		[SVQ_VDPA_BROKEN] = "broken",
	};

	return (unsigned int)state < RTE_DIM(names) ? names[state] : "?";
}

void
svq_vdpa_conf_fail(const struct svq_vdpa *d, int error, const char *fmt, ...)
{
	char what[192];
	va_list ap;

	if (error == d->conf_error)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	VDPA_LOG(ERR, "%s: not started: %s: %s", d->where, what, strerror(-error));
}

static bool
device_failed(const struct svq_vdpa *d)
{
	return svq_device_broken(d->dev) ||
		(d->dev->ops->status(d->dev) & SVQ_DEVICE_S_NEEDS_RESET);
}

bool
svq_vdpa_is_broken(const struct svq_vdpa *d)
{
	return d->state == SVQ_VDPA_RUNNING && device_failed(d);
}

/*
 * Return to the guest what the device completes, and give it nothing new, until @p done or the
 * time is over. Nobody serves the pairs.
 */
static bool
drain(struct svq_vdpa *d, uint64_t us, bool (*done)(const struct svq_vdpa *d, const void *arg),
	const void *arg)
{
	uint64_t end = rte_get_timer_cycles() + us * rte_get_timer_hz() / 1000000;
	bool over = done(d, arg);
	uint16_t i;

	svq_patience_begin();
	while (!over && rte_get_timer_cycles() <= end && !device_failed(d)) {
		for (i = 0; i < d->n_pairs; i++) {
			if (d->enabled[i] && d->dev->ops->poll != NULL)
				d->dev->ops->poll(d->dev, i);
		}
		for (i = 0; i < 2 * d->n_pairs; i++) {
			if (d->vrings[i].started)
				svq_queue_used(d->vrings[i].queue);
		}
		rte_pause();
		over = done(d, arg);
	}
	svq_patience_end();
	return over;
}

/* RX buffers stay at the device until packets come: only what the guest sends can be waited for. */
static bool
nothing_sent_in_flight(const struct svq_vdpa *d, const void *arg)
{
	uint16_t i;

	RTE_SET_USED(arg);
	for (i = 0; i < d->n_pairs; i++) {
		const struct svq_vdpa_vring *tx = &d->vrings[2 * i + 1];

		if (tx->started && d->enabled[i] && svq_queue_inflight(tx->queue) != 0)
			return false;
	}
	return true;
}

/* A region that goes with a buffer of this queue in flight, or NULL. */
static const struct svq_guest_row *
removed_under(const struct svq_vdpa *d, const struct svq_guest_diff *diff, uint16_t qid)
{
	unsigned int i;

	for (i = 0; i < diff->n_removed; i++) {
		if (svq_queue_inflight_overlaps(
			    d->vrings[qid].queue, diff->removed[i].gpa, diff->removed[i].size))
			return &diff->removed[i];
	}
	return NULL;
}

static bool
nothing_removed_in_flight(const struct svq_vdpa *d, const void *arg)
{
	uint16_t i;

	for (i = 0; i < 2 * d->n_pairs; i++) {
		if (removed_under(d, arg, i) != NULL)
			return false;
	}
	return true;
}

/* No worker serves a pair. */
static void
reset(struct svq_vdpa *d)
{
	d->dev->ops->stop(d->dev);
	svq_device_mend(d->dev);
	d->quarantined = false;
	svq_vdpa_vrings_recall(d);
	svq_vdpa_vrings_destroy(d);
	memset(d->enabled, 0, sizeof(d->enabled));
	d->state = SVQ_VDPA_CONNECTED;
}

static void
stop(struct svq_vdpa *d)
{
	uint16_t i;

	svq_vdpa_pairs_unserve(d);
	drain(d, DRAIN_STOP_US, nothing_sent_in_flight, NULL);
	svq_patience_begin();
	/* What the drain returned is the last that the device completed: after the reset the shadow
	 * rings say nothing any more. */
	for (i = 0; i < 2 * d->n_pairs; i++)
		svq_vdpa_vring_finish(d, i);
	svq_patience_end();
	reset(d);
	VDPA_LOG(INFO, "%s: stopped", d->where);
}

void
svq_vdpa_on_break(struct svq_vdpa *d)
{
	uint16_t i;

	if (d->quarantined || !svq_device_broken(d->dev) ||
		(d->state != SVQ_VDPA_RUNNING && d->state != SVQ_VDPA_PAUSED))
		return;
	svq_vdpa_pairs_unserve(d);
	d->dev->ops->stop(d->dev);
	for (i = 0; i < 2 * d->n_pairs; i++)
		svq_queue_break(d->vrings[i].queue, SVQ_QUEUE_E_DEVICE);
	d->quarantined = true;
	d->stats.device_breaks++;
	if (svq_vdpa_may_complain(d))
		VDPA_LOG(ERR,
			"%s: device %s broke and was reset: no queue of it is served until the "
			"guest resets it",
			d->where, d->name);
}

/* What a worker would find out soon; it is told on one queue, as the worker would. */
static void
notice_break(struct svq_vdpa *d)
{
	uint16_t i;

	if (!device_failed(d))
		return;
	svq_vdpa_pairs_unserve(d);
	for (i = 0; i < 2 * d->n_pairs && !svq_device_broken(d->dev); i++)
		svq_queue_break(d->vrings[i].queue, SVQ_QUEUE_E_NEEDS_RESET);
	svq_device_break(d->dev);
	svq_vdpa_on_break(d);
}

static void
pause_serving(struct svq_vdpa *d)
{
	d->paused_at = rte_get_timer_cycles();
	svq_vdpa_pairs_unserve(d);
	d->state = SVQ_VDPA_PAUSED;
}

/* Traffic runs again. */
static void
count_pause(struct svq_vdpa *d)
{
	uint64_t us = (rte_get_timer_cycles() - d->paused_at) * 1000000 / rte_get_timer_hz();

	d->stats.mem_pause_us += us;
	d->stats.mem_pause_max_us = RTE_MAX(d->stats.mem_pause_max_us, us);
}

static void
choose_numa_node(struct svq_vdpa *d)
{
	int guest = svq_guest_numa_node(d->guest);
	int dev = d->dev->info.numa_node;

	d->numa_node = dev >= 0 ? dev : guest;
	if (dev >= 0 && guest >= 0 && dev != guest)
		VDPA_LOG(WARNING,
			"%s: device %s is on NUMA node %d, the guest's memory on node %d: bind the "
			"guest to the device's node to spare the crossing",
			d->where, d->name, dev, guest);
}

/* The front-end tells its guest how long packets may be; a longer one would be lost at the device.
 */
static void
check_mtu(const struct svq_vdpa *d)
{
	uint16_t guest, dev;

	if (!(d->features & 1ULL << VIRTIO_NET_F_MTU) || rte_vhost_get_mtu(d->vid, &guest) != 0 ||
		d->dev->ops->get_config(
			d->dev, offsetof(struct virtio_net_config, mtu), &dev, sizeof(dev)) != 0)
		return;
	if (guest > dev)
		VDPA_LOG(WARNING,
			"%s: the front-end gives its guest an MTU of %u, device %s has %u: longer "
			"packets will be lost; give the front-end the device's (QEMU: host_mtu=%u)",
			d->where, guest, d->name, dev, dev);
}

/* Memory is in place. */
static int
start(struct svq_vdpa *d)
{
	uint64_t features = svq_vdpa_features_accept(d->dev->info.features, d->features);
	uint16_t i;
	int ret;

	d->n_pairs = d->features & 1ULL << VIRTIO_NET_F_MQ ? d->max_pairs : 1;
	choose_numa_node(d);

	ret = d->dev->ops->set_features(d->dev, features);
	if (ret != 0) {
		svq_vdpa_conf_fail(
			d, ret, "device %s refuses features 0x%" PRIx64, d->name, features);
		goto fail;
	}
	check_mtu(d);
	svq_vdpa_config_start(d);
	ret = svq_vdpa_vrings_create(d, features);
	if (ret != 0)
		goto fail;
	ret = d->dev->ops->start(d->dev);
	if (ret != 0) {
		svq_vdpa_conf_fail(d, ret, "device %s does not start", d->name);
		goto fail;
	}
	/* A vring that cannot be attached is logged and goes without service: the guest's other
	 * vrings are not to suffer. */
	for (i = 0; i < 2 * d->n_pairs; i++) {
		if (d->vrings[i].ready)
			svq_vdpa_vring_attach(d, i);
	}
	svq_vdpa_vrings_set_log(d);
	ret = svq_vdpa_pairs_serve(d);
	if (ret != 0)
		goto fail;
	d->state = SVQ_VDPA_RUNNING;
	d->stats.starts++;
	VDPA_LOG(INFO,
		"%s: running on %s, features 0x%" PRIx64 " with the guest, 0x%" PRIx64
		" with the device",
		d->where, d->name, d->features, features);
	return 0;

fail:
	svq_vdpa_pairs_unserve(d);
	reset(d);
	return ret;
}

static int
configure(struct svq_vdpa *d)
{
	struct svq_guest_diff diff;
	int ret;

	ret = svq_vdpa_mem_prepare(d, &diff);
	if (ret != 0)
		return ret;
	ret = svq_vdpa_mem_apply(d, &diff);
	if (ret != 0)
		return ret;
	svq_vdpa_mem_commit(d);
	return start(d);
}

/*
 * The device keeps buffers in memory that it is to lose: take them from it. Only the queues that
 * have them are reset, if the device can do that. @return whether it went on running.
 */
static bool
take_removed(struct svq_vdpa *d, const struct svq_guest_diff *diff)
{
	bool running = true, complain = svq_vdpa_may_complain(d);
	const struct svq_guest_row *row;
	uint16_t i;

	for (i = 0; running && i < 2 * d->n_pairs; i++) {
		row = removed_under(d, diff, i);
		if (row == NULL)
			continue;
		running = svq_vdpa_vring_reset(d, i) == 0;
		d->stats.mem_queue_resets += running;
		if (complain)
			VDPA_LOG(WARNING,
				"%s: the guest removes memory (GPA 0x%" PRIx64 ", 0x%" PRIx64
				" bytes) in which device %s holds buffers of queue %u, and %u ms "
				"did not bring them back: %s; a guest is to take its buffers back "
				"first",
				d->where, row->gpa, row->size, d->name, i, DRAIN_RESUME_US / 1000,
				running ? "that queue was reset" : "restarting the device");
	}
	if (running)
		return true;
	d->stats.mem_restarts++;
	stop(d);
	return false;
}

static int
resume(struct svq_vdpa *d)
{
	struct svq_guest_diff diff;
	bool restart;
	int ret;

	ret = svq_vdpa_mem_prepare(d, &diff);
	if (ret != 0)
		return ret;
	notice_break(d);
	/* A device that was reset needs no memory. */
	restart = !d->quarantined && !drain(d, DRAIN_RESUME_US, nothing_removed_in_flight, &diff) &&
		!take_removed(d, &diff);
	ret = svq_vdpa_mem_apply(d, &diff);
	if (ret != 0)
		return ret;
	/* From here on the rings are found by the new table; the old memory is still mapped, so
	 * that a vring can be detached from it. */
	if (!restart)
		svq_vdpa_vrings_relocate(d);
	svq_vdpa_mem_commit(d);
	if (restart) {
		ret = start(d);
	} else {
		svq_vdpa_vrings_set_log(d);
		ret = svq_vdpa_pairs_serve(d);
		if (ret == 0)
			d->state = SVQ_VDPA_RUNNING;
		else
			stop(d);
	}
	if (ret == 0)
		count_pause(d);
	return ret;
}

int
svq_vdpa_on_connect(struct svq_vdpa *d, int vid)
{
	if (d->state != SVQ_VDPA_IDLE)
		return -EBUSY;
	d->vid = vid;
	d->state = SVQ_VDPA_CONNECTED;
	d->features = 0;
	d->conf_error = 0;
	d->handlers = false;
	d->stats.connections++;
	VDPA_LOG(INFO, "%s: front-end connected", d->where);
	return 0;
}

void
svq_vdpa_on_features(struct svq_vdpa *d)
{
	uint64_t features;
	uint16_t i;

	if (rte_vhost_get_negotiated_features(d->vid, &features) != 0)
		return;
	d->features = features;
	/* librte_vhost drops the other vrings then, without a word. */
	for (i = 2; i < RTE_DIM(d->vrings) && !(features & 1ULL << VIRTIO_NET_F_MQ); i++)
		d->vrings[i].ready = false;
	svq_vdpa_on_log(d);
}

void
svq_vdpa_on_vring(struct svq_vdpa *d, uint16_t qid, bool ready)
{
	d->vrings[qid].ready = ready;
	if (d->state != SVQ_VDPA_RUNNING || qid >= 2 * d->n_pairs)
		return;
	svq_vdpa_pair_unserve(d, qid / 2);
	if (ready)
		svq_vdpa_vring_attach(d, qid);
	svq_vdpa_pair_serve(d, qid / 2);
}

int
svq_vdpa_on_conf(struct svq_vdpa *d)
{
	int ret = -ENOTCONN;

	switch (d->state) {
	case SVQ_VDPA_IDLE:
		return ret;
	case SVQ_VDPA_CONNECTED:
		ret = configure(d);
		break;
	case SVQ_VDPA_RUNNING:
	case SVQ_VDPA_BROKEN:
		pause_serving(d);
		/* fallthrough */
	case SVQ_VDPA_PAUSED:
		ret = resume(d);
		break;
	}
	if (ret != 0)
		d->stats.start_failures++;
	d->conf_error = ret;
	return ret;
}

void
svq_vdpa_on_close(struct svq_vdpa *d)
{
	switch (d->state) {
	case SVQ_VDPA_IDLE:
	case SVQ_VDPA_CONNECTED:
		return;
	case SVQ_VDPA_RUNNING:
	case SVQ_VDPA_BROKEN:
		if (d->request == SVQ_VHOST_SET_MEM_TABLE) {
			pause_serving(d);
			svq_vdpa_vrings_set_bases(d);
			return;
		}
		/* fallthrough */
	case SVQ_VDPA_PAUSED:
		stop(d);
		return;
	}
}

void
svq_vdpa_on_log(struct svq_vdpa *d)
{
	switch (d->state) {
	case SVQ_VDPA_IDLE:
	case SVQ_VDPA_CONNECTED:
		return;
	case SVQ_VDPA_RUNNING:
	case SVQ_VDPA_BROKEN:
		svq_vdpa_pairs_unserve(d);
		svq_vdpa_vrings_set_log(d);
		svq_vdpa_pairs_serve(d);
		return;
	case SVQ_VDPA_PAUSED:
		svq_vdpa_vrings_set_log(d);
		return;
	}
}

void
svq_vdpa_on_config(struct svq_vdpa *d)
{
	if (d->state == SVQ_VDPA_IDLE || d->state == SVQ_VDPA_CONNECTED)
		return;
	svq_vdpa_config_changed(d);
	notice_break(d);
}

void
svq_vdpa_on_cleanup(struct svq_vdpa *d)
{
	bool reset_owner = d->request == SVQ_VHOST_RESET_OWNER;
	uint16_t i;

	if (d->state == SVQ_VDPA_RUNNING || d->state == SVQ_VDPA_PAUSED)
		stop(d);
	if (d->state == SVQ_VDPA_IDLE)
		return;
	svq_vdpa_mem_clear(d);
	svq_vdpa_msg_reset(d);
	svq_vdpa_vrings_forget_err(d);
	for (i = 0; i < RTE_DIM(d->vrings); i++) {
		d->vrings[i].ready = false;
		d->vrings[i].refused = false;
	}
	d->features = 0;
	d->conf_error = 0;
	if (reset_owner)
		return;
	d->state = SVQ_VDPA_IDLE;
	d->vid = -1;
	d->stats.disconnections++;
	VDPA_LOG(INFO, "%s: front-end gone", d->where);
}
