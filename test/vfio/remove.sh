#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# A port is deleted under traffic, its device closed, the card given back to the kernel and taken
# again, all while the relay runs.

. "$(dirname "$0")/lib.sh"

reflect 11
start_card 10
for round in 1 2 3; do
	start_front_end guest 0
	relay_cmd "port 0 deleted" "port delete 0"
	finish guest 20
	alive "$(pid_of relay)" || fail "the relay has gone"
	[ ! -e "$tmp/port0.sock" ] || fail "the socket is still there"
	relay_cmd "device vdpa_svq0 removed" "device del vdpa_svq0"
	[ -z "$(find "/proc/$(pid_of relay)/fd" -lname '/dev/vfio/[0-9]*' 2>/dev/null)" ] ||
		fail "the relay still holds the group"
	bind 10 virtio-pci || fail "the kernel does not get the card"
	bind 10 vfio-pci || fail "the kernel does not give the card back"
	relay_cmd "port 0 created" "device add $(vdev 0 10)" \
		"port create $tmp/port0.sock vdpa_svq0"
	frontend_run "round $round" --packets 500 --window 16 --delay 100 || fail "see above"
	echo "ok: port deleted under traffic, device closed and opened again, $round"
done
show 0
unfaulted 0 "the last round" || fail "$figures"
finish_relay
