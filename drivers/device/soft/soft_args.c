/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_ether.h>
#include <rte_string_fns.h>

#include <svq_virtio.h>

#include "soft.h"

const char *const soft_arg_keys[] = {
	SOFT_ARG_QUEUES,
	SOFT_ARG_BACKEND,
	SOFT_ARG_PORT,
	SOFT_ARG_QUEUE_SIZE,
	SOFT_ARG_APERTURES,
	SOFT_ARG_MAC,
	SOFT_ARG_KICKS,
	SOFT_ARG_MISBEHAVE,
	SOFT_ARG_SEED,
	"packed",
	"indirect",
	"event_idx",
	"in_order",
	"order_platform",
	"notification_data",
	"ring_reset",
	"mrg_rxbuf",
	"offloads",
	NULL,
};

/* Features that an argument switches. */
static const struct {
	const char *key;
	uint64_t features;
	bool on; /* if nothing is said */
	const char *allowed;
} switches[] = {
	{"packed", RTE_BIT64(VIRTIO_F_RING_PACKED), false,
		"1 to offer packed rings, or 0 for split rings only"},
	{"indirect", RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC), true,
		"1 to take indirect descriptor tables, or 0 not to"},
	{"event_idx", RTE_BIT64(VIRTIO_RING_F_EVENT_IDX), true,
		"1 to offer event indices, or 0 for flags only"},
	{"in_order", RTE_BIT64(VIRTIO_F_IN_ORDER), true,
		"1 to offer to use buffers in order, with one used entry for several, or 0 not to"},
	{"order_platform", RTE_BIT64(VIRTIO_F_ORDER_PLATFORM), false,
		"1 to ask for the barriers of a device on a bus, or 0 not to"},
	{"notification_data", RTE_BIT64(VIRTIO_F_NOTIFICATION_DATA), true,
		"1 to take data with a notification, and check it, or 0 not to"},
	{"ring_reset", RTE_BIT64(VIRTIO_F_RING_RESET), true,
		"1 to offer the reset of single queues, or 0 not to"},
	{"mrg_rxbuf", RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF), true,
		"1 to offer to merge receive buffers, or 0 not to"},
	{"offloads", SOFT_OFFLOADS, true,
		"1 to offer checksum and segmentation offloads, or 0 not to"},
};

/* Like an x86 IOMMU: not the first page, not the interrupt window fee00000-feefffff, 48 bits. */
static const struct svq_iova_range default_apertures[] = {
	{.first = 0x1000, .last = 0xfedfffff},
	{.first = 0xfef00000, .last = (UINT64_C(1) << 48) - 1},
};

static int
bad_value(const char *name, const char *key, const char *value, const char *allowed)
{
	SOFT_LOG(ERR, name, "bad device argument %s=%s; give %s", key, value, allowed);
	return -EINVAL;
}

/* The value of a key that may be given once; NULL: it is not given. */
static int
get_value(const char *name, const struct rte_kvargs *kvargs, const char *key, const char **value)
{
	*value = NULL;
	if (rte_kvargs_count(kvargs, key) == 0)
		return 0;
	if (rte_kvargs_count(kvargs, key) > 1) {
		SOFT_LOG(ERR, name, "device argument %s= is given twice; give it once", key);
		return -EINVAL;
	}
	*value = rte_kvargs_get(kvargs, key);
	if (*value == NULL)
		*value = "";
	return 0;
}

/* A decimal number in 1..max, or 0. */
static unsigned long
parse_number(const char *value, unsigned long max)
{
	unsigned long number;
	char *end;

	if (value[0] < '0' || value[0] > '9')
		return 0;
	errno = 0;
	number = strtoul(value, &end, 10);
	return errno == 0 && *end == '\0' && number <= max ? number : 0;
}

static int
parse_queues(const char *name, const char *value, struct soft_args *args)
{
	args->pairs = (uint16_t)parse_number(value, SOFT_MAX_PAIRS);
	return args->pairs != 0
		? 0
		: bad_value(name, SOFT_ARG_QUEUES, value, "a number of queue pairs, 1 to 128");
}

static int
parse_queue_size(const char *name, const char *value, struct soft_args *args)
{
	unsigned long size = parse_number(value, 32768);

	args->queue_size = (uint16_t)size;
	return size >= 2 && rte_is_power_of_2((uint32_t)size)
		? 0
		: bad_value(name, SOFT_ARG_QUEUE_SIZE, value, "a power of two, 2 to 32768");
}

static int
parse_backend(const char *name, const char *value, struct soft_args *args)
{
	static const struct soft_backend *const backends[] = {&soft_loopback, &soft_null};
	unsigned int i;

	for (i = 0; i < RTE_DIM(backends); i++) {
		if (strcmp(value, backends[i]->name) == 0) {
			args->backend = backends[i];
			return 0;
		}
	}
	return bad_value(name, SOFT_ARG_BACKEND, value,
		"loopback or null, or leave it out and give port=NAME of an ethdev");
}

static int
parse_port(const char *name, const char *value, struct soft_args *args)
{
	if (value[0] == '\0' || rte_strscpy(args->port, value, sizeof(args->port)) < 0)
		return bad_value(name, SOFT_ARG_PORT, value,
			"the name of an ethdev, 1 to 63 characters, such as net_tap0");
	args->backend = &soft_ethdev;
	return 0;
}

static int
parse_mac(const char *name, const char *value, struct soft_args *args)
{
	struct rte_ether_addr mac;

	if (rte_ether_unformat_addr(value, &mac) != 0 || !rte_is_valid_assigned_ether_addr(&mac))
		return bad_value(name, SOFT_ARG_MAC, value,
			"a unicast address that is not all zeros, such as 02:00:00:00:00:01");
	memcpy(args->mac, mac.addr_bytes, sizeof(args->mac));
	return 0;
}

static int
parse_bool(const char *name, const char *key, const char *value, const char *allowed, bool *on)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return bad_value(name, key, value, allowed);
	*on = value[0] == '1';
	return 0;
}

static int
parse_kicks(const char *name, const char *value, struct soft_args *args)
{
	return parse_bool(name, SOFT_ARG_KICKS, value,
		"1 to look at a ring only when it was kicked, or 0 to poll", &args->kicks);
}

static int
parse_misbehave(const char *name, const char *value, struct soft_args *args)
{
	if (soft_misbehave_parse(value, &args->misbehave) < 0)
		return bad_value(name, SOFT_ARG_MISBEHAVE, value, SOFT_MISBEHAVE_USAGE);
	return 0;
}

static int
parse_seed(const char *name, const char *value, struct soft_args *args)
{
	args->misbehave.seed = parse_number(value, UINT32_MAX);
	return args->misbehave.seed != 0
		? 0
		: bad_value(name, SOFT_ARG_SEED, value, "a number, 1 to 4294967295");
}

/* Arguments that are right by themselves but not together. */
static int
check_misbehave(const char *name, const struct soft_args *args)
{
	bool packed = (args->features & RTE_BIT64(VIRTIO_F_RING_PACKED)) != 0;
	unsigned int i;

	for (i = 0; i < args->misbehave.n; i++) {
		const struct soft_fault *fault = &args->misbehave.faults[i];

		if (fault->qid >= 2 * args->pairs) {
			SOFT_LOG(ERR, name,
				"misbehave= names queue %d; with queues=%u there are 0 to %u",
				fault->qid, args->pairs, 2u * args->pairs - 1);
			return -EINVAL;
		}
		if (fault->kind == SOFT_FAULT_IDX_JUMP && packed) {
			SOFT_LOG(ERR, name,
				"misbehave=idx_jump: a packed ring has no index; give wrap, or "
				"packed=0");
			return -EINVAL;
		}
		if (fault->kind == SOFT_FAULT_WRAP && !packed) {
			SOFT_LOG(ERR, name,
				"misbehave=wrap: a split ring has no wrap counter; give idx_jump, "
				"or packed=1");
			return -EINVAL;
		}
	}
	return 0;
}

static int
parse_switches(const char *name, const struct rte_kvargs *kvargs, struct soft_args *args)
{
	unsigned int i;
	int ret;

	for (i = 0; i < RTE_DIM(switches); i++) {
		bool on = switches[i].on;
		const char *value;

		ret = get_value(name, kvargs, switches[i].key, &value);
		if (ret == 0 && value != NULL)
			ret = parse_bool(name, switches[i].key, value, switches[i].allowed, &on);
		if (ret < 0)
			return ret;
		args->features |= on ? switches[i].features : 0;
	}
	return 0;
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct svq_iova_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* One range "first-last" in hexadecimal; the text behind it, or NULL. */
static const char *
parse_range(const char *text, struct svq_iova_range *range)
{
	char *end;

	errno = 0;
	if (strspn(text, "0123456789abcdefABCDEF") == 0)
		return NULL;
	range->first = strtoull(text, &end, 16);
	if (errno != 0 || *end != '-' || strspn(end + 1, "0123456789abcdefABCDEF") == 0)
		return NULL;
	range->last = strtoull(end + 1, &end, 16);
	if (errno != 0 || range->last < range->first)
		return NULL;
	return end;
}

/* Sort, merge ranges that touch. Returns -1 where two overlap. */
static int
merge_ranges(struct svq_iova_range *ranges, unsigned int *n)
{
	unsigned int i, last = 0;

	qsort(ranges, *n, sizeof(ranges[0]), compare_ranges);
	for (i = 1; i < *n; i++) {
		if (ranges[i].first <= ranges[last].last)
			return -1;
		if (ranges[i].first == ranges[last].last + 1)
			ranges[last].last = ranges[i].last;
		else
			ranges[++last] = ranges[i];
	}
	*n = last + 1;
	return 0;
}

static int
parse_apertures(const char *name, const char *value, struct soft_args *args)
{
	const char *at = value;
	unsigned int n = 0;

	do {
		if (n == RTE_DIM(args->apertures))
			goto bad;
		at = parse_range(at, &args->apertures[n++]);
		if (at == NULL)
			goto bad;
	} while (*at++ == '+');
	if (at[-1] != '\0' || merge_ranges(args->apertures, &n) < 0)
		goto bad;
	args->n_apertures = n;
	return 0;

bad:
	return bad_value(name, SOFT_ARG_APERTURES, value,
		"1 to 32 ranges FIRST-LAST in hexadecimal, joined by '+', that do not overlap");
}

/* Locally administered, and the same at each start: from the instance's name (FNV-1a). */
static void
default_mac(const char *name, uint8_t mac[6])
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	mac[0] = 0x02;
	mac[1] = 'S';
	mac[2] = (uint8_t)(hash >> 24);
	mac[3] = (uint8_t)(hash >> 16);
	mac[4] = (uint8_t)(hash >> 8);
	mac[5] = (uint8_t)hash;
}

int
soft_args_parse(const char *name, const struct rte_kvargs *kvargs, struct soft_args *args)
{
	static const struct {
		const char *key;
		int (*parse)(const char *name, const char *value, struct soft_args *args);
	} parsers[] = {
		{SOFT_ARG_QUEUES, parse_queues},
		{SOFT_ARG_QUEUE_SIZE, parse_queue_size},
		{SOFT_ARG_BACKEND, parse_backend},
		{SOFT_ARG_PORT, parse_port},
		{SOFT_ARG_APERTURES, parse_apertures},
		{SOFT_ARG_MAC, parse_mac},
		{SOFT_ARG_KICKS, parse_kicks},
		{SOFT_ARG_MISBEHAVE, parse_misbehave},
		{SOFT_ARG_SEED, parse_seed},
	};
	unsigned int i;
	int ret;

	memset(args, 0, sizeof(*args));
	args->backend = &soft_loopback;
	args->pairs = 1;
	args->queue_size = 32768;
	args->misbehave.seed = 1;
	memcpy(args->apertures, default_apertures, sizeof(default_apertures));
	args->n_apertures = RTE_DIM(default_apertures);
	default_mac(name, args->mac);

	for (i = 0; i < RTE_DIM(parsers); i++) {
		const char *value;

		ret = get_value(name, kvargs, parsers[i].key, &value);
		if (ret == 0 && value != NULL)
			ret = parsers[i].parse(name, value, args);
		if (ret < 0)
			return ret;
	}
	ret = parse_switches(name, kvargs, args);
	if (ret < 0)
		return ret;
	if (rte_kvargs_count(kvargs, SOFT_ARG_PORT) != 0 &&
		rte_kvargs_count(kvargs, SOFT_ARG_BACKEND) != 0) {
		SOFT_LOG(ERR, name,
			"device arguments backend=%s and port=%s exclude each other; give one of "
			"them",
			rte_kvargs_get(kvargs, SOFT_ARG_BACKEND), args->port);
		return -EINVAL;
	}
	if (args->kicks && args->port[0] != '\0') {
		SOFT_LOG(ERR, name,
			"device arguments kicks=1 and port=%s exclude each other: nobody kicks for "
			"what a port receives; leave one of them out",
			args->port);
		return -EINVAL;
	}
	return check_misbehave(name, args);
}
