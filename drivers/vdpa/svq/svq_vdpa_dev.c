/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * The vdev driver: from "--vdev 'vdpa_svq0,device=soft,queues=4,...'" to a registered vDPA device,
 * and back.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_alarm.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_kvargs.h>
#include <rte_malloc.h>
#include <rte_string_fns.h>

#include "svq_vdpa_lifecycle.h"

#define ARG_DEVICE     "device"
#define ARG_QUEUES     "queues"
#define ARG_QUEUE_SIZE "queue_size"
#define ARG_CONFIG     "config"

#define DEFAULT_DEVICE "soft"
#define DEFAULT_QUEUES 1

RTE_LOG_REGISTER(svq_vdpa_logtype, svq.vdpa, NOTICE);

static const char *const own_args[] = {ARG_DEVICE, ARG_QUEUES, ARG_QUEUE_SIZE, ARG_CONFIG, NULL};

static bool
listed(const char *const *list, const char *key)
{
	for (; *list != NULL; list++) {
		if (strcmp(*list, key) == 0)
			return true;
	}
	return false;
}

static void
append(char *text, size_t size, const char *word)
{
	if (text[0] != '\0')
		strlcat(text, ", ", size);
	strlcat(text, word, size);
}

struct type_names {
	char text[256];
};

static void
append_type(const struct svq_device_driver *driver, void *arg)
{
	struct type_names *names = arg;

	append(names->text, sizeof(names->text), driver->name);
}

/* Each key is known and given once. */
static int
check_keys(const char *name, const struct rte_kvargs *args, const struct svq_device_driver *driver)
{
	const char *const *key;
	char valid[512] = "";
	unsigned int i;

	for (i = 0; i < args->count; i++) {
		if (!listed(own_args, args->pairs[i].key) &&
			!listed(driver->args, args->pairs[i].key))
			break;
		if (rte_kvargs_count(args, args->pairs[i].key) > 1) {
			VDPA_LOG(ERR, "%s: %s is given more than once", name, args->pairs[i].key);
			return -EINVAL;
		}
	}
	if (i == args->count)
		return 0;
	for (key = own_args; *key != NULL; key++)
		append(valid, sizeof(valid), *key);
	for (key = driver->args; *key != NULL; key++) {
		if (!listed(own_args, *key))
			append(valid, sizeof(valid), *key);
	}
	VDPA_LOG(ERR, "%s: unknown argument %s; device=%s takes: %s", name, args->pairs[i].key,
		driver->name, valid);
	return -EINVAL;
}

/* @return 0, @p value unchanged if the key is not given. */
static int
get_number(const char *name, const struct rte_kvargs *args, const char *key, unsigned long min,
	unsigned long max, unsigned long *value)
{
	const char *text = rte_kvargs_get(args, key);
	unsigned long n;
	char *end;

	if (rte_kvargs_count(args, key) == 0)
		return 0;
	errno = 0;
	n = text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
	if (n < min || n > max || errno != 0 || *end != '\0') {
		VDPA_LOG(ERR, "%s: %s=%s: a number from %lu to %lu is expected", name, key,
			text != NULL ? text : "", min, max);
		return -EINVAL;
	}
	*value = n;
	return 0;
}

static int
get_sizes(struct svq_vdpa *d, const struct rte_kvargs *args)
{
	const struct svq_device_info *info = &d->dev->info;
	unsigned long pairs = DEFAULT_QUEUES;
	unsigned long size = 0, config = 0;
	int ret;

	ret = get_number(
		d->name, args, ARG_QUEUES, 1, RTE_MIN(info->max_pairs, SVQ_VDPA_MAX_PAIRS), &pairs);
	if (ret == 0)
		ret = get_number(d->name, args, ARG_QUEUE_SIZE, 2, info->max_queue_size, &size);
	if (ret == 0)
		ret = get_number(d->name, args, ARG_CONFIG, 0, 1, &config);
	if (ret != 0)
		return ret;
	if ((size & (size - 1)) != 0) {
		VDPA_LOG(ERR, "%s: %s=%lu: a power of two is expected", d->name, ARG_QUEUE_SIZE,
			size);
		return -EINVAL;
	}
	d->max_pairs = (uint16_t)pairs;
	d->queue_size = (uint16_t)size;
	d->offer_config = config != 0;
	return 0;
}

/* Open the device behind the vDPA device. */
static int
open_device(struct svq_vdpa *d, const char *text)
{
	const struct svq_device_driver *driver;
	struct rte_kvargs *args;
	const char *type;
	int ret;

	args = rte_kvargs_parse(text, NULL);
	if (args == NULL) {
		VDPA_LOG(ERR, "%s: cannot parse '%s': key=value,key=value,... is expected", d->name,
			text);
		return -EINVAL;
	}
	type = rte_kvargs_get(args, ARG_DEVICE);
	if (type == NULL)
		type = DEFAULT_DEVICE;
	driver = svq_device_driver_find(type);
	if (driver == NULL) {
		struct type_names names = {""};

		svq_device_driver_walk(append_type, &names);
		VDPA_LOG(ERR, "%s: unknown device type %s; there are: %s", d->name, type,
			names.text);
		ret = -EINVAL;
		goto out;
	}
	ret = check_keys(d->name, args, driver);
	if (ret != 0)
		goto out;
	/* It says itself what is wrong. */
	ret = driver->open(d->name, args, svq_worker_qsbr(), &d->dev);
	if (ret != 0)
		goto out;
	ret = get_sizes(d, args);
	if (ret != 0) {
		d->dev->ops->close(d->dev);
		d->dev = NULL;
	}
out:
	rte_kvargs_free(args);
	return ret;
}

static void
break_alarm(void *arg)
{
	struct svq_vdpa *d = arg;

	pthread_mutex_lock(&d->lock);
	svq_vdpa_on_break(d);
	pthread_mutex_unlock(&d->lock);
}

/* By whoever found out, often a worker: the reset is for a thread that can wait. */
static void
on_break(void *arg)
{
	struct svq_vdpa *d = arg;

	if (rte_eal_alarm_set(1, break_alarm, d) != 0)
		VDPA_LOG(ERR, "%s: broke, and cannot be reset now: out of memory", d->name);
}

static void
destroy(struct svq_vdpa *d)
{
	rte_eal_alarm_cancel(break_alarm, d);
	svq_vdpa_config_close(d);
	svq_guest_destroy(d->guest);
	svq_dma_destroy(d->dma);
	if (d->dev != NULL)
		d->dev->ops->close(d->dev);
	pthread_mutex_destroy(&d->lock);
	rte_free(d);
}

static int
probe(struct rte_vdev_device *vdev)
{
	const char *args = vdev->device.devargs != NULL && vdev->device.devargs->args != NULL
		? vdev->device.devargs->args
		: "";
	struct svq_vdpa *d;
	unsigned int i;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		VDPA_LOG(ERR, "%s: not in a secondary process", vdev->device.name);
		return -ENOTSUP;
	}
	if (strlen(vdev->device.name) >= SVQ_VDPA_NAME_MAX) {
		VDPA_LOG(ERR, "%s: the name is too long, %d bytes are possible", vdev->device.name,
			SVQ_VDPA_NAME_MAX - 1);
		return -ENAMETOOLONG;
	}
	d = rte_zmalloc("svq_vdpa", sizeof(*d), RTE_CACHE_LINE_SIZE);
	if (d == NULL)
		return -ENOMEM;
	strlcpy(d->name, vdev->device.name, sizeof(d->name));
	pthread_mutex_init(&d->lock, NULL);
	d->vid = -1;
	d->config_fd = -1;
	d->numa_node = -1;
	for (i = 0; i < RTE_DIM(d->waiting); i++)
		d->waiting[i] = -1;
	for (i = 0; i < RTE_DIM(d->vrings); i++)
		d->vrings[i].callfd = d->vrings[i].kickfd = d->vrings[i].irqfd =
			d->vrings[i].errfd = -1;
	for (i = 0; i < RTE_DIM(d->pairs); i++)
		d->pairs[i].lcore = -1;

	ret = open_device(d, args);
	if (ret != 0)
		goto fail;
	d->dev->on_break = on_break;
	d->dev->on_break_arg = d;
	ret = svq_dma_create(d->dev, svq_worker_qsbr(), &d->dma);
	if (ret == 0)
		ret = svq_guest_create(&d->guest);
	if (ret == 0)
		ret = svq_vdpa_config_open(d);
	if (ret == 0)
		ret = svq_vdpa_registry_add(d);
	if (ret != 0) {
		VDPA_LOG(ERR, "%s: not created: %s", d->name, strerror(-ret));
		goto fail;
	}
	if (vdev->device.numa_node < 0)
		vdev->device.numa_node = d->dev->info.numa_node;
	d->vdpa = rte_vdpa_register_device(&vdev->device, &svq_vdpa_dev_ops);
	if (d->vdpa == NULL) {
		VDPA_LOG(ERR, "%s: librte_vhost does not take the device", d->name);
		svq_vdpa_registry_del(d);
		ret = -EIO;
		goto fail;
	}
	VDPA_LOG(INFO, "%s: device=%s, %u queue pairs", d->name, d->dev->type, d->max_pairs);
	return 0;

fail:
	destroy(d);
	return ret;
}

static int
remove_device(struct rte_vdev_device *vdev)
{
	struct svq_vdpa *d = svq_vdpa_get(vdev->device.name);
	char path[SVQ_VDPA_PATH_MAX];
	bool client, connected;
	int ret;

	if (d == NULL)
		return -ENODEV;
	svq_vdpa_registry_port(d, path, &client);
	if (path[0] != '\0')
		svq_vdpa_port_close(path);
	pthread_mutex_lock(&d->lock);
	connected = d->vid != -1;
	svq_vdpa_leave(d);
	ret = connected ? -EBUSY : svq_vdpa_registry_del(d);
	if (ret != 0) {
		VDPA_LOG(ERR, "%s: is in use: close the socket that it serves first",
			vdev->device.name);
		return ret;
	}
	rte_vdpa_unregister_device(d->vdpa);
	destroy(d);
	return 0;
}

static struct rte_vdev_driver driver_svq = {
	.probe = probe,
	.remove = remove_device,
};

RTE_PMD_REGISTER_VDEV(vdpa_svq, driver_svq);
