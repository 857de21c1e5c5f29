#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# A real guest: Linux under QEMU talks through the relay and a net_tap port to a network namespace.
# 100 pings, none lost; 20 MB down and 20 MB up, each with the same checksum on both sides.

. "$(dirname "$0")/lib.sh"
. "$svq_top/test/vm/guest.sh"
. "$svq_top/test/vm/tap.sh"

[ "$(id -u)" -eq 0 ] || skip "needs root, for a tap and a network namespace"

pings=100
bytes=$((20 * 1000 * 1000))

cat >"$tmp/guest-script" <<G
ip addr add $tap_guest/24 dev eth0
ip link set eth0 up
ping -c $pings -i 0.05 -W 5 $tap_host
mkfifo /tmp/open
echo "down \$(nc $tap_host 7001 <>/tmp/open | sha256sum)"
head -c $bytes /dev/urandom >/tmp/up
echo "up \$(sha256sum </tmp/up)"
before=\$(cat /sys/class/net/eth0/statistics/tx_packets)
nc $tap_host 7000 </tmp/up
echo "upload \$((\$(cat /sys/class/net/eth0/statistics/tx_packets) - before)) packets"
echo "counters \$(cat /sys/class/net/eth0/statistics/tx_packets /sys/class/net/eth0/statistics/rx_packets | tr '\n' ' ')"
G

head -c $bytes /dev/urandom >"$tmp/blob"
down=$(sha256sum <"$tmp/blob")

start_relay relay --vdev "net_tap0,iface=$tap_if" --vdev vdpa_svq0,device=soft,port=net_tap0 -- \
	--iface "$tmp/svq.sock,dev=vdpa_svq0" --share-cores --stats-period 1
tap_attach
start upload ip netns exec "$tap_ns" sh -c "busybox nc -l -p 7000 >$tmp/up"
start download ip netns exec "$tap_ns" sh -c "busybox nc -l -p 7001 <$tmp/blob"

guest_start guest "$tmp/svq.sock" "$tmp/guest-script"
guest_finish guest 150
rc=$?
stop "$(pid_of relay)"
finish relay 5 || fail "the relay ended with status $?"
tr -d '\r' <"$tmp/guest.out" | tee "$tmp/guest.log"
grep '^summary' "$tmp/relay.log"

[ $rc -eq 0 ] || fail "the guest's script ended with status $rc"
grep -q "^$pings packets transmitted, $pings packets received, 0% packet loss" "$tmp/guest.log" ||
	fail "pings were lost"
grep -q "^down $down" "$tmp/guest.log" || fail "what came down is not what was sent: $down"
grep -q "^up $(sha256sum <"$tmp/up")" "$tmp/guest.log" || fail "what came up is not what was sent"
for key in iommu_faults errors tx_drops rx_drops; do
	[ "$(summary relay 0 $key)" = 0 ] || fail "$key: $(summary relay 0 $key)"
done
[ "$(summary relay 0 tx_chains)" -gt $pings ] && [ "$(summary relay 0 rx_chains)" -gt $pings ] ||
	fail "the traffic did not go through the relay"
