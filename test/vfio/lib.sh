# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What the tests share that run in the machine with the virtual IOMMU (test/vm/bed); to be sourced as
# the first act, it sources ../system/lib.sh.
#
# The cards, by their PCI slots; behind each pair of them is a cable:
#   10 - 11   split rings
#   12 - 13   packed rings, too
#   14 - 15   two queue pairs, 15 with packed rings (only where the bed may make taps)
#   16 - 17   17 is the kernel's own, eth0

[ -n "${SVQ_BED:-}" ] || { echo "SKIP: runs in test/vm/bed only"; exit 77; }
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"

svq_frontend=$svq_build/test/frontend/svq-frontend

pci()
{
	echo "0000:00:$1.0"
}

has_card()
{
	[ -e "/sys/bus/pci/devices/$(pci "$1")" ]
}

# monitor COMMAND: of the QEMU that runs this machine.
monitor()
{
	printf '%s\r' "$1" >/dev/ttyS2
}

fault_lines()
{
	dmesg | grep -E 'DMAR: (DRHD: handling fault|\[DMA (Read|Write))'
}

# take_faults: the faults that the IOMMU reported, which are then gone from the kernel's log.
take_faults()
{
	local lines

	lines=$(fault_lines) || return
	dmesg -C
	printf '%s\n' "$lines"
}
