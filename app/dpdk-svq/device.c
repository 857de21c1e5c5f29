/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_string_fns.h>

#include <svq_vdpa.h>

#include "device.h"
#include "port.h"

/* EAL takes a second device of one name for the first one and says nothing. */
static bool
device_exists(const char *name)
{
	struct svq_vdpa_info info;
	uint16_t port;

	return svq_vdpa_info_get(name, &info) == 0 ||
		rte_eth_dev_get_port_by_name(name, &port) == 0;
}

int
svq_app_device_add(const char *devargs, struct svq_app_err *err)
{
	size_t len = strcspn(devargs, ",");
	char name[SVQ_VDPA_NAME_MAX];
	int ret;

	if (len == 0 || len >= sizeof(name))
		return svq_app_err(err, -EINVAL,
			"a device name has 1 to %zu bytes, as in vdpa_svq1,device=soft",
			sizeof(name) - 1);
	strlcpy(name, devargs, len + 1);
	if (device_exists(name))
		return svq_app_err(
			err, -EEXIST, "device %s exists already; use another name", name);
	ret = rte_eal_hotplug_add("vdev", name, devargs[len] == ',' ? devargs + len + 1 : "");
	if (ret < 0)
		return svq_app_err(err, ret,
			"device %s was not created (its driver's or EAL's message is above); a "
			"name "
			"begins with its driver's, as vdpa_svq1 does",
			name);
	return 0;
}

int
svq_app_device_del(const char *name, struct svq_app_err *err)
{
	struct svq_vdpa_info info;
	unsigned int n;
	int ret;

	if (svq_vdpa_info_get(name, &info) < 0)
		return svq_app_err(err, -ENODEV, "no device %s; 'show devices' lists them", name);
	n = svq_app_port_by_dev(name);
	if (n < SVQ_APP_PORTS_MAX)
		return svq_app_err(
			err, -EBUSY, "device %s has port %u; 'port delete %u' first", name, n, n);
	ret = rte_eal_hotplug_remove("vdev", name);
	if (ret < 0)
		return svq_app_err(err, ret, "device %s was not removed: %s", name, strerror(-ret));
	return 0;
}

void
svq_app_device_del_all(void)
{
	char(*names)[SVQ_VDPA_NAME_MAX];
	struct svq_app_err err;
	unsigned int n, max;

	max = svq_vdpa_list(NULL, 0);
	names = calloc(max + 1, sizeof(*names));
	if (names == NULL)
		return;
	n = RTE_MIN(svq_vdpa_list(names, max), max);
	while (n-- > 0) {
		if (svq_app_device_del(names[n], &err) < 0)
			fprintf(stderr, "dpdk-svq: %s\n", err.msg);
	}
	free(names);
}
