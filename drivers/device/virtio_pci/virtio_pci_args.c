/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ether.h>

#include "virtio_pci.h"

const char *const vpci_arg_keys[] = {
	VPCI_ARG_PCI,
	VPCI_ARG_PACKED,
	VPCI_ARG_MAC,
	NULL,
};

static int
bad_value(const char *name, const char *key, const char *value, const char *allowed)
{
	VPCI_LOG(ERR, name, "bad device argument %s=%s; give %s", key, value, allowed);
	return -EINVAL;
}

static int
parse_pci(const char *name, const char *value, struct vpci_args *args)
{
	return svq_vfio_pci_parse(value, args->pci) == 0
		? 0
		: bad_value(name, VPCI_ARG_PCI, value,
			  "the PCI address of a virtio-net function, such as 0000:03:00.0");
}

static int
parse_packed(const char *name, const char *value, struct vpci_args *args)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return bad_value(name, VPCI_ARG_PACKED, value,
			"1 to use packed rings where the device has them, or 0 for split rings "
			"only");
	args->packed = value[0] == '1';
	return 0;
}

static int
parse_mac(const char *name, const char *value, struct vpci_args *args)
{
	struct rte_ether_addr mac;

	if (rte_ether_unformat_addr(value, &mac) != 0 || !rte_is_valid_assigned_ether_addr(&mac))
		return bad_value(name, VPCI_ARG_MAC, value,
			"a unicast address that is not all zeros, such as 02:00:00:00:00:01");
	memcpy(args->mac, mac.addr_bytes, sizeof(args->mac));
	args->set_mac = true;
	return 0;
}

int
vpci_args_parse(const char *name, struct rte_kvargs *kvargs, struct vpci_args *args)
{
	static const struct {
		const char *key;
		int (*parse)(const char *name, const char *value, struct vpci_args *args);
	} parsers[] = {
		{VPCI_ARG_PCI, parse_pci},
		{VPCI_ARG_PACKED, parse_packed},
		{VPCI_ARG_MAC, parse_mac},
	};
	unsigned int i;
	int ret = 0;

	memset(args, 0, sizeof(*args));
	args->packed = true;
	if (rte_kvargs_count(kvargs, VPCI_ARG_PCI) == 0) {
		VPCI_LOG(ERR, name,
			"device=virtio_pci needs " VPCI_ARG_PCI
			"=, the PCI address of a virtio-net function, such as 0000:03:00.0");
		return -EINVAL;
	}
	for (i = 0; ret == 0 && i < RTE_DIM(parsers); i++) {
		const char *value = rte_kvargs_get(kvargs, parsers[i].key);

		if (rte_kvargs_count(kvargs, parsers[i].key) != 0)
			ret = parsers[i].parse(name, value != NULL ? value : "", args);
	}
	return ret;
}
