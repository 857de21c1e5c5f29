# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# The demo's guest: Linux under QEMU, which pings a network namespace through the relay and a
# net_tap port. Sourced by demo/run.

. "$svq_top/test/vm/guest.sh"
. "$svq_top/test/vm/tap.sh"

cost_note="each of them alone in its burst and with the waking of the guest"

# judge SENT RECEIVED DROPPED TX RX DROPS: no ping is without its answer. The packets that count are
# the pings: Linux sends others of its own accord.
judge()
{
	local sent=$1 received=$2 dropped=$3 tx=$4 rx=$5 drops=$6 lost=$(($1 - $2))

	say "lost             $lost of $sent pings; dropped by the device $drops, by the guest $dropped"
	if [ $lost -ne 0 ] || [ "$drops" -ne 0 ] || [ "$dropped" -ne 0 ] || [ "$sent" -eq 0 ]; then
		say "FAILED: packets were lost"
		return 1
	fi
	if [ "$tx" -lt "$sent" ] || [ "$rx" -lt "$received" ]; then
		say "FAILED: the pings did not go through the relay"
		return 1
	fi
}

demo()
{
	local rc sent received dropped

	[ "$(id -u)" -eq 0 ] || fail "needs root, for a tap and a network namespace"
	cat >"$tmp/guest-script" <<-G
		uname -sr
		ip addr add $tap_guest/24 dev eth0
		ip link set eth0 up
		ping -c $((seconds * 10)) -i 0.1 -W 5 $tap_host
		echo "dropped \$(cat /sys/class/net/eth0/statistics/rx_dropped)"
	G
	say "guest     Linux under QEMU, pinging $tap_host in namespace $tap_ns through $tap_if"
	say
	start_relay relay --vdev "net_tap0,iface=$tap_if" \
		--vdev vdpa_svq0,device=soft,port=net_tap0 -- \
		--iface "$tmp/svq.sock,dev=vdpa_svq0" --share-cores --stats-period 1
	tap_attach
	guest_start guest "$tmp/svq.sock" "$tmp/guest-script"
	show_table
	guest_finish guest $((seconds * 3 + 60))
	rc=$?
	end_table
	stop "$(pid_of relay)"
	tr -d '\r' <"$tmp/guest.out" >"$tmp/guest.log"
	[ $rc -eq 0 ] || fail "the guest's script ended with status $rc"
	say
	grep -vE 'seq=|^guest:|^$' "$tmp/guest.log" | sed 's/^/guest says: /'
	read -r sent received < <(awk '/packets transmitted/ { print $1, $4 }' "$tmp/guest.log")
	dropped=$(sed -n 's/^dropped //p' "$tmp/guest.log")
	report "${sent:-0}" "${received:-0}" "${dropped:-0}"
}
