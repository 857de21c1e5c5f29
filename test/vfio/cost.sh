#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What the relay costs beside passing the cards through, as far as an emulated machine can tell: testpmd
# passes packets between two cards that are its own, and between two ports of a relay that has them.
# Rounds take turns, for the machine's speed changes all the time.

. "$(dirname "$0")/lib.sh"

seconds=5

# rate LABEL: packets that testpmd received a second.
rate()
{
	local received

	ask testpmd "clear port stats all" "start tx_first"
	sleep $seconds
	ask testpmd "stop" "show port stats all"
	received=$(sed -n '/NIC statistics for port/,$p' "$tmp/testpmd.log" |
		awk '/RX-packets:/ { n += $2 } END { print n }')
	tell testpmd quit
	finish testpmd 20 || fail "testpmd ended with status $?"
	echo "ok: $1: $((received / seconds)) packets/s"
}

wait_testpmd()
{
	wait_for "$settle" testpmd_settled testpmd && alive "$(pid_of testpmd)" ||
		fail "testpmd did not start"
}

for round in 1 2; do
	start testpmd dpdk-testpmd --lcores 0@0,1@1 -a "$(pci 10)" -a "$(pci 11)" --no-telemetry \
		--file-prefix "pmd$round" -m 256 -- -i --total-num-mbufs=8192
	wait_testpmd
	rate "passed through, round $round"

	start_cards 10 11
	start testpmd dpdk-testpmd --lcores "0@$cpu_b,1@$cpu_a" --no-pci --no-telemetry \
		--file-prefix "guest$round" --in-memory --single-file-segments -m 256 \
		--vdev "net_virtio_user0,path=$tmp/port0.sock" \
		--vdev "net_virtio_user1,path=$tmp/port1.sock" -- -i --total-num-mbufs=8192
	wait_testpmd
	rate "through the relay, round $round"
	for port in 0 1; do
		show $port
		grep '^summary' <<<"$figures"
	done
	finish_relay
done
