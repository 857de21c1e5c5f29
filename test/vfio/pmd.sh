#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# pmd.sh SLOT SLOT [QUEUES]: the bed itself. DPDK's own driver passes packets between two cards
# through VFIO and the IOMMU; none is lost.

. "$(dirname "$0")/lib.sh"

queues=${3:-1}
has_card "$1" || skip "the machine has no card $1"
start testpmd dpdk-testpmd --lcores 0@0,1@1 -a "$(pci "$1")" -a "$(pci "$2")" --no-telemetry \
	--file-prefix pmd -m 256 -- -i --total-num-mbufs=8192 --rxq="$queues" --txq="$queues"
wait_for 60 testpmd_settled testpmd && alive "$(pid_of testpmd)" || fail "testpmd did not start"
ask testpmd "show port info all" "start tx_first"
sleep 3
ask testpmd "stop" "set fwd rxonly" "start"
sleep 1
ask testpmd "stop" "show port stats all"
read -r sent received < <(sed -n '/NIC statistics for port/,$p' "$tmp/testpmd.log" |
	awk '/RX-packets:/ { rx += $2 } /TX-packets:/ { tx += $2 } END { print tx, rx }')
tell testpmd quit
finish testpmd 20 || fail "testpmd ended with status $?"
grep -h "VFIO\|IOVA" "$tmp/testpmd.log"
[ "$sent" -gt 10000 ] && [ "$sent" -eq "$received" ] || fail "sent $sent, received $received"
echo "ok: $sent packets"
