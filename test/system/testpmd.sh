#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# DPDK's own virtio driver as the guest (testpmd, net_virtio_user), one front-end after the other on
# a relay that stays up: 1 and 4 queue pairs, mergeable buffers on and off, frames from 64 to 9000
# bytes, split and packed rings, features that the two sides have or lack, stops and starts, and 20
# front-ends that are killed.
#
# Every packet that a guest sends is looped back to it; nothing may be lost, by anybody's count.
#
# testpmd.sh short: fewer rounds, and no look at the relay's memory mappings, for a relay under
# AddressSanitizer, which makes mappings of its own.

. "$(dirname "$0")/lib.sh"

# Ports: 0 what is counted exactly; 1, packed at the device, too, frames that take several RX buffers, so that chains are no
# count of packets; 2 front-ends that are killed; 3 and 4 devices that lack features that guests have.
exact=0 jumbo=1 killed=2 plain=3 odd=4
kills=20 rounds=3 pairs=(1 4) short=${1:-}
if [ "$short" = short ]; then
	kills=3 rounds=1 pairs=(2)
fi
sent=(0 0 0 0 0) received=(0 0 0 0 0)

sock()
{
	echo "$tmp/port$1.sock"
}

# What must be the same once a front-end has gone: descriptors, mappings, hugepage memory.
footprint()
{
	local pid

	pid=$(pid_of relay)
	echo "fds $(find "/proc/$pid/fd" -mindepth 1 | wc -l)"
	[ "$short" = short ] || echo "maps $(wc -l <"/proc/$pid/maps")" \
		"huge $(awk '/_Hugetlb:/ { n += $2 } END { print n }' "/proc/$pid/smaps_rollup") kB"
}

back_to()
{
	[ "$(footprint)" = "$1" ]
}

# settled FOOTPRINT WHAT: the relay has let go of all that the front-end brought.
settled()
{
	wait_for 5 back_to "$1" || fail "$2: the relay had $1, has $(footprint)"
}

came_home()
{
	sent_now=$(port_stat guest TX-packets) received_now=$(port_stat guest RX-packets)
	[ "$sent_now" -eq "$received_now" ]
}

# circulate LABEL PORT BURSTS: packets go round for a while, then all have to come home.
circulate()
{
	local label=$1 port=$2

	ask guest "clear port stats 0" "set fwd io" "start tx_first $3"
	sleep 0.6
	ask guest "stop" "set fwd rxonly" "start"
	wait_for 5 came_home || fail "$label: sent $sent_now, came home $received_now"
	ask guest "stop"
	alive "$(pid_of relay)" || fail "$label: the relay has gone"
	[ "$received_now" -gt $((32 * $3)) ] || fail "$label: only $received_now packets came home"
	[ "$(fwd_drops guest)" -eq 0 ] || fail "$label: the guest's TX ring was full"
	sent[port]=$((sent[port] + sent_now))
	received[port]=$((received[port] + received_now))
	echo "ok: $label: $received_now packets"
}

leave()
{
	tell guest quit
	finish guest 20 || fail "testpmd ended with status $?"
	settled "$idle" "after a front-end left"
}

# frames QUEUES MRG PACKED: small and large ones, the large ones in one buffer and in several.
frames()
{
	local queues=$1 mrg=$2 vdev="queues=$1,mrg_rxbuf=$2,packed_vq=$3"
	local label="pairs $1, mrg_rxbuf $2, packed $3"
	local rings=(--rxq="$queues" --txq="$queues" --nb-cores=1)

	start_testpmd guest "$(sock $exact)" "$vdev" "${rings[@]}"
	circulate "$label, 64 bytes" $exact 2
	ask guest "set txpkts 1518"
	circulate "$label, 1518 bytes" $exact 2
	leave

	if [ "$mrg" -eq 1 ]; then
		start_testpmd guest "$(sock $jumbo)" "$vdev" "${rings[@]}" \
			--max-pkt-len=9018 --enable-scatter
		ask guest "set txpkts 2000,2000,2000,2000,1000"
		# Five RX buffers a packet: one burst is all that the ring of 256 holds.
		circulate "$label, 9000 bytes in 5 buffers" $jumbo 1
	else
		start_testpmd guest "$(sock $exact)" "$vdev" "${rings[@]}" \
			--max-pkt-len=9018 --mbuf-size=10240
		ask guest "set txpkts 9000"
		circulate "$label, 9000 bytes in 1 buffer" $exact 2
	fi
	leave
}

# sides PORT VDEV-ARGUMENTS: each side with features of its own.
sides()
{
	start_testpmd guest "$(sock "$1")" "queues=1,$2"
	ask guest "set txpkts 64,64,64"
	circulate "device $1, guest $2, 3 buffers a packet" "$1" 2
	leave
}

# restarts PACKED: the same front-end stops and starts, by halves and altogether.
restarts()
{
	local i packed=$1

	start_testpmd guest "$(sock $exact)" "queues=1,packed_vq=$packed"
	for ((i = 1; i <= rounds; i++)); do
		circulate "packed $packed: forwarding stopped and started, $i" $exact 2
	done
	for ((i = 1; i <= rounds; i++)); do
		ask guest "port stop 0" "port start 0"
		circulate "packed $packed: port stopped and started, $i" $exact 2
	done
	leave
}

flows()
{
	[ "$(port_stat guest RX-packets)" -gt 1000 ]
}

# kill -9 in full traffic, and the next one connects.
murders()
{
	local i

	for ((i = 1; i <= kills; i++)); do
		start_testpmd guest "$(sock $killed)" "queues=1,packed_vq=$((i % 2))"
		ask guest "start tx_first 2"
		wait_for 5 flows || fail "front-end $i: no traffic"
		kill -KILL "$(pid_of guest)"
		wait "$(pid_of guest)" 2>/dev/null
		finish guest 5
		alive "$(pid_of relay)" || fail "the relay has gone with front-end $i"
		settled "$idle" "after front-end $i was killed"
	done
	echo "ok: $kills front-ends killed"
}

start_relay relay \
	--vdev vdpa_svq0,device=soft,queues=4,backend=loopback \
	--vdev vdpa_svq1,device=soft,queues=4,backend=loopback,packed=1 \
	--vdev vdpa_svq2,device=soft,queues=1,backend=loopback \
	--vdev vdpa_svq3,device=soft,in_order=0,event_idx=0,notification_data=0,kicks=1 \
	--vdev vdpa_svq4,device=soft,packed=1,in_order=0,indirect=0,order_platform=1,kicks=1 -- \
	--iface "$(sock 0),dev=vdpa_svq0" --iface "$(sock 1),dev=vdpa_svq1" \
	--iface "$(sock 2),dev=vdpa_svq2" --iface "$(sock 3),dev=vdpa_svq3" \
	--iface "$(sock 4),dev=vdpa_svq4" --share-cores --stats-period 1

# The first front-end may leave what all later ones use again.
start_testpmd guest "$(sock $exact)" "queues=4" --rxq=4 --txq=4 --nb-cores=1
circulate "the first front-end" $exact 2
tell guest quit
finish guest 20 || fail "testpmd ended with status $?"
sleep 0.5
idle=$(footprint)

for queues in "${pairs[@]}"; do
	for mrg in 1 0; do
		frames $queues $mrg 0
	done
done
frames $queues 1 1
frames $queues 0 1
for packed in 0 1; do
	# On a device in order that indirect tables go to, a guest without order.
	sides $exact "in_order=0,packed_vq=$packed"
	[ "$short" = short ] && continue
	sides $plain "in_order=1,packed_vq=$packed"
	sides $odd "in_order=1,mrg_rxbuf=0,packed_vq=$packed"
done
restarts 0
restarts 1
murders

stop "$(pid_of relay)"
finish relay 5 || fail "the relay ended with status $?"
grep '^summary' "$tmp/relay.log"
for port in $exact $jumbo $killed $plain $odd; do
	for key in iommu_faults errors tx_drops rx_drops; do
		[ "$(summary relay $port $key)" = 0 ] || fail "port $port: $key $(summary relay $port $key)"
	done
done
for port in $exact $jumbo $plain $odd; do
	[ "$(summary relay $port tx_chains)" -eq "${sent[port]}" ] ||
		fail "port $port: guests sent ${sent[port]}, the relay counts otherwise"
done
[ "$(summary relay $exact rx_chains)" -eq "${received[exact]}" ] ||
	fail "guests received ${received[exact]}, the relay counts otherwise"
[ "$(summary relay $jumbo rx_chains)" -eq $((5 * received[jumbo])) ] ||
	fail "guests received ${received[jumbo]} packets of 5 buffers, the relay counts otherwise"
