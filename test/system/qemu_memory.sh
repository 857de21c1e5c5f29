#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# A real guest whose memory changes under traffic: Linux under QEMU has its host bridge open and
# close the SMRAM, which makes a part of the first region appear at a second guest-physical address,
# 50 times; then it gets 512 MiB more, twice. Guest and host ping each other all the while, and none
# of the pings is lost. What stayed in the memory table is not mapped anew.

. "$(dirname "$0")/lib.sh"
. "$svq_top/test/vm/guest.sh"
. "$svq_top/test/vm/tap.sh"

[ "$(id -u)" -eq 0 ] || skip "needs root, for a tap and a network namespace"

rounds=50
alias_gpa=0x00000000feda0000

# Pings run in short series: one that is broken off would lose its last packet.
cat >"$tmp/pinger" <<P
while [ ! -e \$2 ]; do
	busybox ping -q -c 50 -i 0.01 -W 10 \$1
done
P

# The guest waits for a cue from the host after each phase. q35's PCI configuration: 0x9d is SMRAM,
# 0x9e is ESMRAMC, both of the host bridge.
cat >"$tmp/guest-script" <<G
poke()
{
	printf "\\\\\$2" | dd of=/sys/bus/pci/devices/0000:00:00.0/config bs=1 seek=\$1 conv=notrunc 2>/tmp/dd ||
		cat /tmp/dd
}
opened()
{
	poke 157 112
}
closed()
{
	poke 157 002
}
phase()
{
	echo "phase \$1"
	nc -l -p 7000 </dev/null
}
pages()
{
	awk '/^MemTotal/ { print int(\$2 / 1024) }' /proc/meminfo
}
plugged()
{
	for block in /sys/devices/system/memory/memory*/state; do
		grep -q offline \$block && echo online_kernel >\$block
	done
	[ \$(pages) -gt \$1 ]
}
plug()
{
	n=0
	until plugged \$1; do
		n=\$((n + 1))
		[ \$n -lt 300 ] || { echo "no new memory"; exit 1; }
		sleep 0.1
	done
	echo "memory \$(pages) MiB"
}
ip addr add $tap_guest/24 dev eth0
ip link set eth0 up
cat >/tmp/pinger <<P
$(sed 's/[$`\\]/\\&/g' "$tmp/pinger")
P
sh /tmp/pinger $tap_host /tmp/stop >/tmp/pings &
poke 158 270
phase before
opened
phase open
closed
phase closed
n=0
while [ \$n -lt $rounds ]; do
	opened
	sleep 0.03
	closed
	sleep 0.03
	n=\$((n + 1))
done
phase rounds
plug 500
phase plugged
plug 1000
phase plugged-again
touch /tmp/stop
wait
cat /tmp/pings
G

# reach PHASE: wait until the guest is there; SECONDS for its boot are in it.
reach()
{
	wait_for "${2:-60}" reached "$1" && grep -q "^phase $1" "$tmp/guest.out" ||
		fail "the guest does not reach phase $1: $(tail -n 3 "$tmp/guest.out")"
}

reached()
{
	grep -q "^phase $1" "$tmp/guest.out" 2>/dev/null || dead "$(pid_of guest)"
}

# cue: let the guest go on.
cue()
{
	wait_for 20 ip netns exec "$tap_ns" busybox nc "$tap_guest" 7000 </dev/null 2>/dev/null ||
		fail "the guest cannot be reached"
}

# look NAME: the relay's tables and figures, into $tmp/NAME-*.
look()
{
	query relay "show port 0 iova" >"$tmp/$1-iova"
	query relay "show port 0 memory" >"$tmp/$1-memory"
	query relay "show port 0 stats" >"$tmp/$1-stats"
}

# rows NAME: GPA, IOVA and HVA of each region.
rows()
{
	awk '/^Host-only/ { exit } guest && /^  0x/ { print $1, $4, $5 } /^Guest/ { guest = 1 }' \
		"$tmp/$1-iova"
}

# count NAME KEY: of the line "port:".
count()
{
	awk -v key="$2" '$1 == "port:" { for (i = 1; i < NF; i++) if ($i == key) print $(i + 1) }' \
		"$tmp/$1-stats"
}

# grew FROM TO KEY WANT
grew()
{
	local by=$(($(count "$2" "$3") - $(count "$1" "$3")))

	[ $by -eq "$4" ] || fail "$3 grew by $by from '$1' to '$2', not by $4"
}

# kept FROM TO: each region of FROM is in TO, IOVA and HVA unchanged.
kept()
{
	local lost

	lost=$(comm -23 <(rows "$1" | sort) <(rows "$2" | sort))
	[ -z "$lost" ] || fail "from '$1' to '$2' these regions moved or went: $lost"
	[ "$(rows "$2" | wc -l)" -eq $(($(rows "$1" | wc -l) + $3)) ] ||
		fail "from '$1' to '$2' the regions did not grow by $3"
}

# touched NAME OTHER: KiB of those regions that NAME has and OTHER has not, that the relay itself has
# read or written.
touched()
{
	local gpa iova hva

	comm -23 <(rows "$1" | sort) <(rows "$2" | sort) | while read -r gpa iova hva; do
		awk -v at="^${hva#0x0000}-" '/^[0-9a-f]+-/ { here = $0 ~ at } here && $1 == "Rss:" { print $2 }' \
			"/proc/$(pid_of relay)/smaps"
	done | awk '{ n += $1 } END { print n + 0 }'
}

start_relay relay --vdev "net_tap0,iface=$tap_if" --vdev vdpa_svq0,device=soft,port=net_tap0 -- \
	--iface "$tmp/svq.sock,dev=vdpa_svq0" --share-cores -i
tap_attach

guest_start guest "$tmp/svq.sock" "$tmp/guest-script" -m slots=2,maxmem=2G -monitor stdio
reach before 150
start pinger ip netns exec "$tap_ns" sh "$tmp/pinger" "$tap_guest" "$tmp/stop-pinging"
look before
cue

reach open
look open
kept before open 1
grep "$alias_gpa" "$tmp/open-iova"
grep -q "^  $alias_gpa  *128 KiB .*alias of 0x0$" "$tmp/open-iova" ||
	fail "the alias of the first region is not shown as one: $(cat "$tmp/open-iova")"
grep -q "^. *0xfeda0000 .* 0xa0000  *0$" "$tmp/open-memory" ||
	fail "the alias is not in the memory table: $(cat "$tmp/open-memory")"
grew before open dma_maps 1
grew before open dma_unmaps 0
cue

reach closed
look closed
kept closed before 0
grew open closed dma_maps 0
grew open closed dma_unmaps 1
cue

reach rounds
look rounds
kept rounds before 0
n=$(rows before | wc -l)
grew closed rounds mem_changes $((2 * rounds))
grew closed rounds mem_kept $((2 * rounds * n))
grew closed rounds dma_maps $rounds
grew closed rounds dma_unmaps $rounds
grew before rounds starts 0
cue

last=rounds
for stage in plugged plugged-again; do
	tell guest "object_add memory-backend-memfd,id=$stage,size=512M,share=on"
	tell guest "device_add pc-dimm,id=dimm-$stage,memdev=$stage"
	reach $stage
	look $stage
	kept $last $stage 1
	grew $last $stage dma_maps 1
	grew $last $stage dma_unmaps 0
	grew $last $stage mem_changes 1
	last=$stage
	[ $stage = plugged-again ] || cue
done
# A while on the new memory, before the pings end.
sleep 2
touched=$(touched plugged-again rounds)
touch "$tmp/stop-pinging"
finish pinger 30 || fail "the host's pings do not end"
cue
guest_finish guest 60
rc=$?
query relay "show port 0 stats" >"$tmp/end-stats"
tell relay quit
finish relay 10 || fail "the relay ended with status $?"
[ $rc -eq 0 ] || fail "the guest's script ended with status $rc"

tr -d '\r' <"$tmp/guest.out" >"$tmp/guest-out.log"
grep '^memory' "$tmp/guest-out.log"
echo "the relay moved packets in $touched KiB of the new memory"
[ "$touched" -gt 0 ] || fail "no packet was in the new memory"
grep '^summary' "$tmp/relay.log" | tail -n 1
for side in guest-out pinger; do
	read -r sent received < <(awk '/packets transmitted/ { s += $1; r += $4 } END { print s + 0, r + 0 }' \
		"$tmp/$side.log")
	echo "$side: $sent pings, $received answers, $((sent - received)) lost"
	[ "$sent" -gt 200 ] || fail "only $sent pings by $side"
	[ "$sent" -eq "$received" ] || fail "$((sent - received)) of $sent pings by $side were lost"
done
for key in iommu_faults errors rx_drops tx_drops; do
	[ "$(summary relay 0 $key | tail -n 1)" = 0 ] || fail "$key: $(summary relay 0 $key | tail -n 1)"
done
grew before end mem_restarts 0
echo "$(count end mem_changes) memory changes kept $(count end mem_kept) regions;" \
	"traffic paused for $(count end mem_pause_us) us in all, $(count end mem_pause_max_us) us at most"
