#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# virtio_user.sh SLOT SLOT FRAMES [ARGUMENT]: DPDK's net_virtio_user as both guests, who send each other's
# frames back and forth through the relay and the two cards. Every frame that one counts as sent the
# other counts as received. ARGUMENT: of net_virtio_user.

. "$(dirname "$0")/lib.sh"

frames=$3
args=${4:+,$4}

start_cards "$1" "$2"
defer rm -rf "/var/run/dpdk/svq-guests-$$"
start testpmd dpdk-testpmd --lcores "0@$cpu_b,1@$cpu_a" --no-pci --no-telemetry \
	--file-prefix "svq-guests-$$" --in-memory --single-file-segments -m 256 \
	--vdev "net_virtio_user0,path=$tmp/port0.sock$args" \
	--vdev "net_virtio_user1,path=$tmp/port1.sock$args" -- -i --total-num-mbufs=8192
wait_for "$settle" testpmd_settled testpmd && alive "$(pid_of testpmd)" || fail "testpmd did not start"

# counts: frames sent and received, of port 0 and of port 1, in $sent0 .. $received1.
counts()
{
	ask testpmd "show port stats all"
	read -r received0 sent0 received1 sent1 < <(tac "$tmp/testpmd.log" |
		sed '/NIC statistics for port 0/q' | tac |
		awk '/RX-packets:/ { printf "%s ", $2 } /TX-packets:/ { printf "%s ", $2 }')
}

enough()
{
	counts
	[ "$received0" -ge "$frames" ] && [ "$received1" -ge "$frames" ]
}

all_there()
{
	counts
	[ "$sent0" -eq "$received1" ] && [ "$sent1" -eq "$received0" ]
}

ask testpmd "start tx_first"
wait_for 200 enough || fail "port 0 received $received0, port 1 $received1 of $frames"
# Let no frame go round any more, and take what is on its way.
ask testpmd "stop" "set fwd rxonly" "start"
wait_for 20 all_there || fail "0 to 1: sent $sent0, received $received1; 1 to 0: sent $sent1, received $received0"
tell testpmd quit
finish testpmd 20 || fail "testpmd ended with status $?"
for port in 0 1; do
	show $port
	unfaulted $port "port $port" || fail "$figures"
done
echo "ok: 0 to 1: $received1 frames, 1 to 0: $received0, none lost"
finish_relay
