#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# A guest that writes the IOVAs and HVAs of the relay's own rings and control buffers, and those of
# another guest, into its descriptors: refused and counted, and no IOMMU fault tells of a device that
# saw one.

. "$(dirname "$0")/lib.sh"
. "$svq_top/test/system/isolation.sh"

reflect 11
start_relay relay --vdev "$(vdev 0 10)" --vdev "$(vdev 1 12)" -- \
	--iface "$tmp/port0.sock,dev=vdpa_svq0,irq=on" --iface "$tmp/port1.sock,dev=vdpa_svq1,irq=on" \
	--share-cores -i
# It only has its memory there, and buffers at its device.
start neighbour "$svq_frontend" "$tmp/port1.sock" --packets 1 --delay 3600000 --layout regions
posted()
{
	local chains

	show 1 && chains=$(figure "queue 0 rx" chains) && [ "${chains:-0}" -gt 0 ]
}
wait_for "$settle" posted || fail "the other guest does not start: $figures"
isolation 3 --lossy
alive "$(pid_of neighbour)" || fail "the other guest: $(tail -n 2 "$tmp/neighbour.log")"
show 1
unfaulted 1 neighbour || fail "$figures"
finish_relay
