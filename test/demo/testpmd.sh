# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# The demo's guest: dpdk-testpmd with net_virtio_user, whose packets the device sends back. Sourced
# by demo/run.

# What is on its way at once. It has to fit the guest's rings with room to spare: what a full ring
# does not take, testpmd drops.
bursts=2

# judge SENT RECEIVED DROPPED TX RX DROPS: all sent packets have come back by now, and the relay
# counted the same.
judge()
{
	local sent=$1 received=$2 dropped=$3 tx=$4 rx=$5 drops=$6 lost=$(($1 - $2))

	say "lost             $lost of $sent that the guest sent; dropped by the device $drops," \
		"by the guest $dropped"
	if [ $lost -ne 0 ] || [ "$drops" -ne 0 ] || [ "$dropped" -ne 0 ]; then
		say "FAILED: packets were lost"
		return 1
	fi
	if [ "$tx" -ne "$sent" ] || [ "$rx" -ne "$received" ]; then
		say "FAILED: the guest counts $sent sent and $received received, the relay differs"
		return 1
	fi
}

demo()
{
	local sent received

	say "guest     dpdk-testpmd, net_virtio_user; the device loops its packets back"
	say
	start_relay relay --vdev vdpa_svq0,device=soft,queues=1,backend=loopback -- \
		--iface "$tmp/svq.sock,dev=vdpa_svq0" --share-cores --stats-period 1
	start_testpmd guest "$tmp/svq.sock" queues=1 --forward-mode=io
	show_table
	ask guest "start tx_first $bursts"
	sleep "$seconds"
	# What is on its way when forwarding stops comes home to a guest that only receives.
	ask guest "stop" "set fwd rxonly" "start"
	sleep 0.5
	ask guest "stop"
	end_table
	sent=$(port_stat guest TX-packets)
	received=$(port_stat guest RX-packets)
	tell guest quit
	finish guest 10 || fail "testpmd ended with status $?"
	stop "$(pid_of relay)"
	report "$sent" "$received" "$(fwd_drops guest)"
}
