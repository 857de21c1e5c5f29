#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# Guest memory where no IOMMU can map it one to one, with a device that reaches 39 bits; and a guest
# that names the relay's own memory and another guest's.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frontend.sh"
. "$(dirname "$0")/isolation.sh"

reach=apertures=1000-fedfffff+fef00000-7fffffffff
start_relay relay --vdev "vdpa_svq0,device=soft,$reach" --vdev "vdpa_svq1,device=soft,$reach" -- \
	--iface "$tmp/port0.sock,dev=vdpa_svq0" --iface "$tmp/port1.sock,dev=vdpa_svq1" \
	--share-cores -i
for args in "--max-frame 9000" "--ring 64 --mrg 0" "--log"; do
	# shellcheck disable=SC2086
	frontend_run "$args" --layout noident --packets 3000 $args && show 0 &&
		unfaulted 0 "$args" && ok "memory out of reach $args"
done
start neighbour "$svq_frontend" "$tmp/port1.sock" --traffic 3600 --layout regions --window 16
wait_for 10 served 1 || fail "the other guest's port passes nothing"
isolation 1
kill -TERM "$(pid_of neighbour)"
finish neighbour 20 || fail "the other guest lost frames"
show 1
unfaulted 1 neighbour
tell relay quit
finish relay 20 || fail "the relay ended with status $?"
[ $failures -eq 0 ] || fail "$failures cases"
