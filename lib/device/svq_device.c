/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <string.h>

#include <svq_device.h>

/* Ascending by name, so that what is shown does not depend on link order. Filled by constructors
 * only, read afterwards: no lock. */
static struct svq_device_driver *drivers;

void
svq_device_driver_register(struct svq_device_driver *driver)
{
	struct svq_device_driver **at = &drivers;

	while (*at != NULL && strcmp((*at)->name, driver->name) < 0)
		at = &(*at)->next;
	driver->next = *at;
	*at = driver;
}

const struct svq_device_driver *
svq_device_driver_find(const char *name)
{
	const struct svq_device_driver *driver;

	for (driver = drivers; driver != NULL; driver = driver->next) {
		if (strcmp(driver->name, name) == 0)
			return driver;
	}
	return NULL;
}

void
svq_device_driver_walk(void (*cb)(const struct svq_device_driver *driver, void *arg), void *arg)
{
	const struct svq_device_driver *driver;

	for (driver = drivers; driver != NULL; driver = driver->next)
		cb(driver, arg);
}

bool
svq_device_break(struct svq_device *dev)
{
	if (__atomic_exchange_n(&dev->broken, true, __ATOMIC_RELAXED))
		return false;
	if (dev->on_break != NULL)
		dev->on_break(dev->on_break_arg);
	return true;
}

void
svq_device_mend(struct svq_device *dev)
{
	__atomic_store_n(&dev->broken, false, __ATOMIC_RELAXED);
}
