/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

/*
 * All devices, in order of creation. A device that is in use cannot be taken out, so a pointer
 * from svq_vdpa_get*() is good until svq_vdpa_put().
 */

#include <errno.h>
#include <string.h>

#include <rte_string_fns.h>

#include "svq_vdpa_priv.h"

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct svq_vdpa *devices;

typedef bool (*match_fn)(const struct svq_vdpa *d, const void *key);

static bool
match_name(const struct svq_vdpa *d, const void *key)
{
	return strcmp(d->name, key) == 0;
}

static bool
match_vdpa(const struct svq_vdpa *d, const void *key)
{
	return d->vdpa == key;
}

static bool
match_path(const struct svq_vdpa *d, const void *key)
{
	return d->path[0] != '\0' && strcmp(d->path, key) == 0;
}

/* The registry's lock is held. */
static struct svq_vdpa *
find(match_fn match, const void *key)
{
	struct svq_vdpa *d;

	for (d = devices; d != NULL && !match(d, key); d = d->next)
		;
	return d;
}

static struct svq_vdpa *
get(match_fn match, const void *key)
{
	struct svq_vdpa *d;

	pthread_mutex_lock(&registry_lock);
	d = find(match, key);
	if (d != NULL)
		d->users++;
	pthread_mutex_unlock(&registry_lock);
	return d;
}

struct svq_vdpa *
svq_vdpa_get(const char *name)
{
	return get(match_name, name);
}

struct svq_vdpa *
svq_vdpa_get_by_vdpa(const struct rte_vdpa_device *vdpa)
{
	return vdpa == NULL ? NULL : get(match_vdpa, vdpa);
}

struct svq_vdpa *
svq_vdpa_get_by_path(const char *path)
{
	return get(match_path, path);
}

void
svq_vdpa_put(struct svq_vdpa *d)
{
	pthread_mutex_lock(&registry_lock);
	d->users--;
	pthread_mutex_unlock(&registry_lock);
}

int
svq_vdpa_registry_add(struct svq_vdpa *d)
{
	struct svq_vdpa **at;
	int ret = 0;

	pthread_mutex_lock(&registry_lock);
	for (at = &devices; *at != NULL && ret == 0; at = &(*at)->next) {
		if (strcmp((*at)->name, d->name) == 0)
			ret = -EEXIST;
	}
	if (ret == 0) {
		d->next = NULL;
		*at = d;
	}
	pthread_mutex_unlock(&registry_lock);
	return ret;
}

int
svq_vdpa_registry_del(struct svq_vdpa *d)
{
	struct svq_vdpa **at;
	int ret = 0;

	pthread_mutex_lock(&registry_lock);
	if (d->path[0] != '\0' || d->users != 0) {
		ret = -EBUSY;
	} else {
		for (at = &devices; *at != NULL && *at != d; at = &(*at)->next)
			;
		if (*at == d)
			*at = d->next;
	}
	pthread_mutex_unlock(&registry_lock);
	return ret;
}

int
svq_vdpa_registry_port_add(struct svq_vdpa *d, const char *path, bool client)
{
	int ret = 0;

	pthread_mutex_lock(&registry_lock);
	if (d->path[0] != '\0') {
		ret = -EBUSY;
	} else if (find(match_path, path) != NULL) {
		ret = -EEXIST;
	} else {
		strlcpy(d->path, path, sizeof(d->path));
		d->client = client;
		d->closing = false;
	}
	pthread_mutex_unlock(&registry_lock);
	return ret;
}

int
svq_vdpa_registry_port_close(struct svq_vdpa *d)
{
	int ret = -ENOENT;

	pthread_mutex_lock(&registry_lock);
	if (d->path[0] != '\0' && !d->closing) {
		d->closing = true;
		ret = 0;
	}
	pthread_mutex_unlock(&registry_lock);
	return ret;
}

void
svq_vdpa_registry_port_del(struct svq_vdpa *d)
{
	pthread_mutex_lock(&registry_lock);
	d->path[0] = '\0';
	d->client = false;
	d->closing = false;
	pthread_mutex_unlock(&registry_lock);
}

void
svq_vdpa_registry_port(const struct svq_vdpa *d, char *path, bool *client)
{
	pthread_mutex_lock(&registry_lock);
	strlcpy(path, d->path, SVQ_VDPA_PATH_MAX);
	*client = d->client;
	pthread_mutex_unlock(&registry_lock);
}

unsigned int
svq_vdpa_list(char (*names)[SVQ_VDPA_NAME_MAX], unsigned int max)
{
	const struct svq_vdpa *d;
	unsigned int n = 0;

	pthread_mutex_lock(&registry_lock);
	for (d = devices; d != NULL; d = d->next, n++) {
		if (n < max)
			strlcpy(names[n], d->name, SVQ_VDPA_NAME_MAX);
	}
	pthread_mutex_unlock(&registry_lock);
	return n;
}
