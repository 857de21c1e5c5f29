#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# Ports that sleep (irq=on): bursts and silence of about the idle time, on several ports at once, lose
# no wake-up; an idle port costs less than 1 % of a core; a busy one passes what a polled one does.
#
# SVQ_SLEEP_SECONDS: how long bursts and silence alternate.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frontend.sh"

seconds=${SVQ_SLEEP_SECONDS:-60}

# One worker serves all of them: some sleep while others work. Devices are split and packed, one wants
# kicks. Port 5 is polled once it has a front-end, port 6 sleeps only when it has been idle for long.
vdevs=() ifaces=()
for i in 0 1 2 3 4 5 6; do
	vdevs+=(--vdev "vdpa_svq$i,device=soft,queues=2,backend=loopback,packed=$((i < 5 && i % 2))")
	ifaces+=(--iface "$tmp/port$i.sock,dev=vdpa_svq$i,irq=on,idle_us=$((50 + 50 * (i / 2)))")
done
vdevs[9]+=,kicks=1
ifaces[11]="$tmp/port5.sock,dev=vdpa_svq5"
ifaces[13]="$tmp/port6.sock,dev=vdpa_svq6,irq=on,idle_us=1000000"
start_relay relay "${vdevs[@]}" -- "${ifaces[@]}" -i --share-cores

# measure SECONDS: microseconds that all threads of the relay run in them, in $used of $took.
measure()
{
	local from ran=$EPOCHREALTIME

	from=$(cat /proc/"$(pid_of relay)"/task/*/schedstat | awk '{ n += $1 } END { printf "%.0f", n }')
	sleep "$1"
	used=$(cat /proc/"$(pid_of relay)"/task/*/schedstat |
		awk -v from="$from" '{ n += $1 } END { printf "%.0f", (n - from) / 1000 }')
	took=$((${EPOCHREALTIME/./} - ${ran/./}))
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
measure 2
[ $((used * 100)) -lt $took ] || not_ok 'without a front-end' "used $used us of $took us"
ok "without a front-end: $used us of CPU time in $took us"

# ---- bursts and silence

pids=()
for i in 0 1 2 3 4; do
	"$svq_frontend" "$tmp/port$i.sock" --traffic "$seconds" --silence $((100 + 100 * i)) \
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
	sleeps=$(queue_figure $i sleeps)
	[ "$(queue_figure $i mode)" = irq ] || not_ok "bursts on port $i" 'its mode is not irq'
	[ "$sleeps" -ge $((seconds * 5)) ] || not_ok "bursts on port $i" "slept $sleeps times only"
	ok "bursts on port $i: $(grep '^sent' "$tmp/burst$i.log"), slept $sleeps times"
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
sleep 0.3
measure 5
[ $((used * 100)) -lt $took ] ||
	not_ok 'idle ports' "used $used us of $took us, more than 1 % of a core"
ok "four idle ports: $used us of CPU time in $took us"
for i in 0 1 2 3; do
	stop "${pids[i]}"
done

# ---- busy: the same as a port that is polled

# busy PORT: frames in two seconds, added to $frames[PORT].
busy()
{
	"$svq_frontend" "$tmp/port$1.sock" --traffic 2 --max-frame 60 --max-parts 1 --chains direct \
		>"$tmp/busy.log" 2>&1 || not_ok "busy port $1" "$(tail -n 3 "$tmp/busy.log")"
	frames[$1]=$((${frames[$1]:-0} + $(awk '$1 == "sent" { print $4 }' "$tmp/busy.log")))
}
frames=()
for ((i = 0; i < 3; i++)); do
	busy 6
	busy 5
done
# The front-end shares the CPUs with the relay and with whatever else runs, so this tells no more
# than that nothing is badly wrong.
[ $((frames[6] * 2)) -gt "${frames[5]}" ] ||
	not_ok 'busy port' "${frames[6]} frames with irq=on, ${frames[5]} polled"
ok "busy port: ${frames[6]} frames with irq=on, ${frames[5]} polled"
[ "$(queue_figure 5 mode)" = polling ] || not_ok 'polled port' 'its mode is not polling'

for i in 0 1 2 3 4 5 6; do
	show $i
	unfaulted $i "port $i"
done
tell relay quit
finish relay 20 || not_ok relay "ended with status $?"

# ---- an idle port whose packets come from a polled ethdev: a timer

if [ -c /dev/net/tun ] && [ "$(id -u)" -eq 0 ]; then
	start_relay relay --vdev "net_tap0,iface=svqirq$((BASHPID % 10000))" \
		--vdev vdpa_svq0,device=soft,port=net_tap0 -- \
		--iface "$tmp/tap.sock,dev=vdpa_svq0,irq=on" -i --share-cores
	# Nothing returns what it sends: it gives up waiting after a while, and stays.
	"$svq_frontend" "$tmp/tap.sock" --packets 1 --hold 60 >"$tmp/tap.log" 2>&1 &
	defer stop $!
	wait_for 30 grep -q '^sent' "$tmp/tap.log" || fail 'the tap port is not served'
	[ "$(queue_figure 0 mode)" = timer ] || not_ok 'idle tap' 'its mode is not timer'
	measure 5
	[ $((used * 100)) -lt $took ] ||
		not_ok 'idle tap' "used $used us of $took us, more than 1 % of a core"
	ok "idle tap: $used us of CPU time in $took us"
fi
[ $failures -eq 0 ] || fail "$failures cases failed"
