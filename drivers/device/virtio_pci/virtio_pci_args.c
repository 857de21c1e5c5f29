/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 dpdk-svq authors
 */

#include <errno.h>
#include <string.h>

#include "virtio_pci.h"

const char *const vpci_arg_keys[] = {
	VPCI_ARG_PCI,
	VPCI_ARG_PACKED,
	NULL,
};

int
vpci_args_parse(const char *name, struct rte_kvargs *kvargs, struct vpci_args *args)
{
	const char *pci = rte_kvargs_get(kvargs, VPCI_ARG_PCI);
	const char *packed = rte_kvargs_get(kvargs, VPCI_ARG_PACKED);

	memset(args, 0, sizeof(*args));
	if (pci == NULL || svq_vfio_pci_parse(pci, args->pci) < 0) {
		VPCI_LOG(ERR, name,
			"%s%s: give " VPCI_ARG_PCI
			"= the PCI address of a virtio-net function, such as 0000:03:00.0",
			pci != NULL ? "bad device argument " VPCI_ARG_PCI "="
				    : "device=virtio_pci needs " VPCI_ARG_PCI "=",
			pci != NULL ? pci : "");
		return -EINVAL;
	}
	args->packed = true;
	if (rte_kvargs_count(kvargs, VPCI_ARG_PACKED) == 0)
		return 0;
	if (packed == NULL || (strcmp(packed, "0") != 0 && strcmp(packed, "1") != 0)) {
		VPCI_LOG(ERR, name,
			"bad device argument " VPCI_ARG_PACKED
			"=%s; give 1 to use packed rings where the device has them, or 0 for split "
			"rings only",
			packed != NULL ? packed : "");
		return -EINVAL;
	}
	args->packed = packed[0] == '1';
	return 0;
}
