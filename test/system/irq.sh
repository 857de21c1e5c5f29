#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# Ports that sleep (irq=on): bursts and silence of about the idle time, on several ports at once, lose
# no wake-up; an idle port is not woken and costs less than 1 % of a core; a busy one passes what a
# polled one does. The same for ports whose packets come from an ethdev: from a tap, whose queues are
# readable when packets wait; from a virtio device, whose queues count interrupts in eventfds; from a
# ring, which has neither, so that a timer looks at it.
#
# SVQ_SLEEP_SECONDS: how long bursts and silence alternate.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frontend.sh"

seconds=${SVQ_SLEEP_SECONDS:-60}

# One worker serves all of them: some sleep while others work. Devices and guests are split and packed,
# one wants kicks. Port 5 is polled once it has a front-end, port 6 sleeps only when it has been idle for long.
vdevs=() ifaces=()
for i in 0 1 2 3 4 5 6; do
	vdevs+=(--vdev "vdpa_svq$i,device=soft,queues=2,backend=loopback,packed=$((i < 5 && i % 2))")
	ifaces+=(--iface "$tmp/port$i.sock,dev=vdpa_svq$i,irq=on,idle_us=$((50 + 50 * (i / 2)))")
done
vdevs[9]+=,kicks=1
ifaces[11]="$tmp/port5.sock,dev=vdpa_svq5"
ifaces[13]="$tmp/port6.sock,dev=vdpa_svq6,irq=on,idle_us=1000000"
start_relay relay "${vdevs[@]}" -- "${ifaces[@]}" -i --share-cores

# cpu_time: of all threads of the relay, in ns.
cpu_time()
{
	cat /proc/"$(pid_of relay)"/task/*/schedstat | awk '{ n += $1 } END { printf "%.0f", n }'
}

# measure SECONDS: the CPU time that all threads of the relay take in each of them, in $used: the
# median, in us a second. What else runs on the machine makes some seconds dearer, and none cheaper.
measure()
{
	local from ran i

	used=$(for ((i = 0; i < $1; i++)); do
		from=$(cpu_time)
		ran=$EPOCHREALTIME
		sleep 1
		echo $((($(cpu_time) - from) * 1000 / (${EPOCHREALTIME/./} - ${ran/./})))
	done | sort -n | sed -n "$((($1 + 1) / 2))p")
}

# cheap LABEL: what was measured is less than 1 % of a core.
cheap()
{
	[ "$used" -lt 10000 ] || not_ok "$1" "$used us of CPU time a second, more than 1 % of a core"
}

# sleeps PORT...: how often all their pairs went to sleep.
sleeps()
{
	local port

	for port; do
		query relay "show port $port queues"
	done | awk '$1 == "queue" {
		for (i = 1; i < NF; i++)
			if ($i == "sleeps")
				n += $(i + 1)
	} END { print n + 0 }'
}

# idle LABEL SECONDS PORT...: these have a front-end that is silent. They sleep on, at no cost.
idle()
{
	local label=$1 seconds=$2 before after
	shift 2

	sleep 0.3
	before=$(sleeps "$@")
	measure "$seconds"
	after=$(sleeps "$@")
	ok "$label: $used us of CPU time a second"
	[ "$after" = "$before" ] || not_ok "$label" "woke and slept again $((after - before)) times"
	cheap "$label"
}

# queue_figure PORT KEY: of its first queue.
queue_figure()
{
	query relay "show port $1 queues" | awk -v key="$2" '$1 == "queue" && $2 == 0 {
		for (i = 1; i < NF; i++)
			if ($i == key)
				print $(i + 1)
	}'
}

# ---- nothing is connected

sleep 0.3
measure 3
cheap 'without a front-end'
ok "without a front-end: $used us of CPU time a second"

# ---- bursts and silence

pids=()
for i in 0 1 2 3 4; do
	format=()
	[ $((i % 3)) -ne 1 ] || format=(--packed)
	"$svq_frontend" "$tmp/port$i.sock" --traffic "$seconds" --silence $((100 + 100 * i)) "${format[@]}" \
		--window 8 --pairs $((1 + i % 2)) --event-idx $((i / 2 % 2)) --seed $((i + 1)) \
		--layout alias >"$tmp/burst$i.log" 2>&1 &
	pids[i]=$!
	defer stop $!
done
for i in 0 1 2 3 4; do
	if ! wait "${pids[i]}"; then
		not_ok "bursts on port $i" "$(tail -n 3 "$tmp/burst$i.log" | tr '\n' ' ')"
		continue
	fi
	slept=$(queue_figure $i sleeps)
	[ "$(queue_figure $i mode)" = irq ] || not_ok "bursts on port $i" 'its mode is not irq'
	[ "$slept" -ge $((seconds * 5)) ] || not_ok "bursts on port $i" "slept $slept times only"
	ok "bursts on port $i: $(grep '^sent' "$tmp/burst$i.log"), slept $slept times"
done

# ---- from the prompt

relay_cmd 'port 7 created' 'device add vdpa_svq7,device=soft' \
	"port create $tmp/port7.sock vdpa_svq7 irq=on,idle_us=500"
query relay 'show ports' | grep -q '^port 7: .* irq on idle_us 500 ' ||
	not_ok 'port create' 'show ports does not tell of irq=on'
"$svq_frontend" "$tmp/port7.sock" --packets 1000 --silence 2000 >"$tmp/prompt.log" 2>&1 ||
	not_ok 'port create' "$(tail -n 1 "$tmp/prompt.log")"
[ "$(queue_figure 7 sleeps)" -gt 0 ] || not_ok 'port create' 'it never slept'
relay_cmd 'port 7 deleted' 'port delete 7'
ok 'a port that sleeps, from the prompt'

# ---- connected and silent

for i in 0 1 2 3; do
	"$svq_frontend" "$tmp/port$i.sock" --packets 1000 --pairs 2 --hold 60 >"$tmp/hold$i.log" 2>&1 &
	pids[i]=$!
	defer stop $!
	wait_for 20 grep -q '^sent' "$tmp/hold$i.log" || fail "port $i passes nothing"
done
idle 'four idle ports' 5 0 1 2 3
for i in 0 1 2 3; do
	stop "${pids[i]}"
done

# ---- busy: the same as a port that is polled

# busy PORT: frames in two seconds; the best of it in $frames[PORT]. The front-end shares the CPUs with
# the relay and with whatever else runs, which only ever makes it fewer.
busy()
{
	local n

	"$svq_frontend" "$tmp/port$1.sock" --traffic 2 --max-frame 60 --max-parts 1 --chains direct \
		>"$tmp/busy.log" 2>&1 || not_ok "busy port $1" "$(tail -n 3 "$tmp/busy.log")"
	n=$(awk '$1 == "sent" { print $4 }' "$tmp/busy.log")
	[ "${n:-0}" -le "${frames[$1]:-0}" ] || frames[$1]=$n
}
frames=()
for ((i = 0; i < 3; i++)); do
	busy 6
	busy 5
done
[ $((${frames[6]:-0} * 2)) -gt "${frames[5]:-0}" ] ||
	not_ok 'busy port' "${frames[6]:-0} frames with irq=on, ${frames[5]:-0} polled"
ok "busy port: ${frames[6]:-0} frames with irq=on, ${frames[5]:-0} polled"
[ "$(queue_figure 5 mode)" = polling ] || not_ok 'polled port' 'its mode is not polling'

for i in 0 1 2 3 4 5 6; do
	show $i
	unfaulted $i "port $i"
done
tell relay quit
finish relay 20 || not_ok relay "ended with status $?"

# ---- packets from an ethdev

# echo_tap: the tap's other end, in a network namespace where nobody else talks, returns what it gets.
echo_tap()
{
	ip netns add "$tap_ns" || return
	defer ip netns del "$tap_ns"
	# A kernel without IPv6 has no such file, and nothing to say either.
	ip netns exec "$tap_ns" sh -c \
		'cd /proc/sys/net/ipv6/conf/default 2>/dev/null || exit 0; echo 1 >disable_ipv6' &&
		ip link set "$tap_if" netns "$tap_ns" &&
		ip -n "$tap_ns" link set "$tap_if" up &&
		tc -n "$tap_ns" qdisc add dev "$tap_if" clsact &&
		tc -n "$tap_ns" filter add dev "$tap_if" ingress protocol all u32 match u32 0 0 \
			action mirred egress redirect dev "$tap_if"
}

# ether_bursts LABEL PORT SECONDS SILENCE: bursts and silence; all comes back.
ether_bursts()
{
	local label=$1 port=$2

	"$svq_frontend" "$tmp/port$port.sock" --traffic "$3" --silence "$4" --window 8 \
		>"$tmp/ether$port.log" 2>&1 ||
		not_ok "$label" "$(tail -n 3 "$tmp/ether$port.log" | tr '\n' ' ')"
	ok "$label: $(grep '^sent' "$tmp/ether$port.log"), slept $(queue_figure "$port" sleeps) times"
}

# ether_idle LABEL PORT MODE: connected and silent, with receive buffers.
ether_idle()
{
	local label=$1 port=$2 mode

	"$svq_frontend" "$tmp/port$port.sock" --packets 100 --hold 60 >"$tmp/ether$port.log" 2>&1 &
	holder=$!
	defer stop $holder
	wait_for 30 grep -q '^sent' "$tmp/ether$port.log" || fail "$label: it is not served"
	idle "$label" 3 "$port"
	mode=$(queue_figure "$port" mode)
	[ "$mode" = "$3" ] || not_ok "$label" "its mode is $mode, not $3"
}

# received DEVICE: packets that it handed to its driver.
received()
{
	query relay 'show devices' | awk -v device="device $1:" 'index($0, "device ") == 1 {
		mine = index($0, device) == 1
	}
	mine && $1 == "packets:" { print $3 }'
}

got()
{
	[ "$(received "$1")" -ge "$2" ]
}

# tap_frames N: one after the other, from the tap's other end, each to a port that sleeps.
tap_frames()
{
	local i before slept

	before=$(received vdpa_svq0)
	slept=$(sleeps 0)
	for ((i = 1; i <= $1; i++)); do
		printf '%060d' $i | ip netns exec "$tap_ns" socat -u - "INTERFACE:$tap_if"
		if ! wait_for 5 got vdpa_svq0 $((before + i)); then
			not_ok 'frames to an idle tap' "frame $i of $1 woke nobody"
			return
		fi
	done
	sleep 0.1
	slept=$(($(sleeps 0) - slept))
	[ $slept -gt 0 ] || not_ok 'frames to an idle tap' 'its port did not sleep again'
	ok "frames to an idle tap: $1, its port woke"
}

if [ -c /dev/net/tun ] && [ "$(id -u)" -eq 0 ]; then
	tap_if=svqirq$((BASHPID % 10000))
	tap_ns=svq-irq-$$
	start_relay relay --vdev "net_tap0,iface=$tap_if" --vdev net_ring0 \
		--vdev vdpa_svq0,device=soft,port=net_tap0 \
		--vdev vdpa_svq1,device=soft,port=net_ring0 -- \
		--iface "$tmp/port0.sock,dev=vdpa_svq0,irq=on" \
		--iface "$tmp/port1.sock,dev=vdpa_svq1,irq=on" -i --share-cores
	if echo_tap >"$tmp/echo.log" 2>&1; then
		# What the kernel said while the tap was in its own namespace, and the front-end sees as corrupt.
		"$svq_frontend" "$tmp/port0.sock" --packets 1 >"$tmp/ether0.log" 2>&1
		ether_bursts 'bursts on a tap' 0 5 300
		[ "$(queue_figure 0 sleeps)" -ge 25 ] || not_ok 'bursts on a tap' 'it hardly slept'
		ether_idle 'idle tap' 0 irq
		tap_frames 10
		stop $holder
	else
		echo "SKIP: a tap that echoes: $(tail -n 1 "$tmp/echo.log")"
	fi
	# What is sent on this one comes back on it.
	ether_bursts 'bursts on a ring' 1 2 3000
	ether_idle 'idle ring' 1 timer
	stop $holder
	for i in 0 1; do
		show $i
		unfaulted $i "ethdev port $i"
	done
	tell relay quit
	finish relay 20 || not_ok relay "ended with status $?"

	# The virtio device is a port of another relay.
	start_relay far --vdev vdpa_svq0,device=soft -- --iface "$tmp/far.sock,dev=vdpa_svq0,irq=on" \
		-i --share-cores
	files=()
	[ "$SVQ_HUGE_MIB" -eq 0 ] || files=(--single-file-segments)
	start_relay relay "${files[@]}" --vdev "net_virtio_user0,path=$tmp/far.sock" \
		--vdev vdpa_svq0,device=soft,port=net_virtio_user0 -- \
		--iface "$tmp/port0.sock,dev=vdpa_svq0,irq=on" -i --share-cores
	ether_bursts 'bursts on virtio' 0 3 300
	ether_idle 'idle virtio' 0 irq
	stop $holder
	show 0
	unfaulted 0 'ethdev port on virtio'
	tell relay quit
	finish relay 20 || not_ok relay "ended with status $?"
	tell far quit
	finish far 20 || not_ok far "ended with status $?"
else
	echo 'SKIP: a tap: needs root and /dev/net/tun'
fi
[ $failures -eq 0 ] || fail "$failures cases failed"
