#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# cycles.sh stop | kill | relay: 20 rounds under traffic, without a fault of the IOMMU.
#
# stop: the front-end stops and starts its queues at the base that it is given, with the status first
# as well, and reconnects: each resets the device. What is on the wire then may be lost.
# kill: the front-end is killed. relay: the relay is killed, and the next one finds all in order.

. "$(dirname "$0")/lib.sh"

rounds=20

reflect 11
case $1 in
stop)
	start_card 10
	for name in restart restart-status reconnect; do
		relay_cmd "port 0 stats cleared" "clear port 0 stats"
		frontend_run $name --attack $name --pairs 1 --window 16 --lossy || fail "see above"
		show 0
		unfaulted 0 $name || fail "$figures"
		[ "$(figure port: starts)" -gt $rounds ] || fail "only $(figure port: starts) starts"
		echo "ok: $name, $(figure port: starts) starts: $(tail -n 1 "$tmp/frontend.out")"
	done
	finish_relay
	;;
kill)
	start_card 10 irq=on
	for ((i = 1; i <= rounds; i++)); do
		start_front_end guest$i 0 --window 2
		kill -KILL "$(pid_of guest$i)"
		wait "$(pid_of guest$i)" 2>/dev/null
		wait_for "$settle" gone 0 || fail "front-end $i: the relay does not notice"
		[ "$(figure port: dma_maps)" -eq "$(figure port: dma_unmaps)" ] ||
			fail "front-end $i: something is still mapped: $figures"
	done
	echo "ok: $rounds front-ends killed under traffic"
	frontend_run "the last one" --packets 500 --window 16 --delay 100 || fail "see above"
	finish_relay
	;;
relay)
	# A small one is there sooner.
	export SVQ_RELAY_MIB=64
	for ((i = 1; i <= rounds; i++)); do
		start_card 10 irq=on
		start_front_end guest$i 0 --window 2
		kill -KILL "$(pid_of relay)"
		wait "$(pid_of relay)" 2>/dev/null
		kill -KILL "$(pid_of guest$i)"
		wait "$(pid_of guest$i)" 2>/dev/null
	done
	echo "ok: $rounds relays killed under traffic"
	start_card 10 irq=on
	frontend_run "the last one" --packets 500 --window 16 --delay 100 || fail "see above"
	finish_relay
	;;
esac
