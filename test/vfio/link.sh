#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# link.sh SLOT SLOT [mend]: the first card's link goes down and comes up again under traffic. The relay
# logs and counts it, the guest is told, and frames pass each time that the link is up.
#
# mend: the device may break by that, as packed rings of QEMU 7.2 do ("Virtqueue size exceeded"). Then
# the relay has to notice, and the front-end's next start mends it.

. "$(dirname "$0")/lib.sh"

slot=$1
rounds=5

reflect "$2"
start_card "$slot"
start guest "$svq_frontend" "$tmp/port0.sock" --attack link --pairs 1 --window 16 --delay 200 --lossy

# said LINE TIMES
said()
{
	[ "$(grep -c "^$1" "$tmp/guest.log")" -ge "$2" ] || dead "$(pid_of guest)"
}

# says LINE TIMES WHAT
says()
{
	wait_for "$settle" said "$1" "$2" && alive "$(pid_of guest)" && return
	show 0
	query relay "show port 0 queues"
	fail "$3: $(tail -n 2 "$tmp/guest.log"): $figures"
}

needs_reset()
{
	show 0
	grep -q 'needs_reset 1' <<<"$figures"
}

passes_or_breaks()
{
	[ "$(grep -c '^passes' "$tmp/guest.log")" -ge 2 ] || needs_reset
}

says passes 1 "nothing passes"
if [ "${3:-}" = mend ]; then
	monitor "set_link nic$slot off"
	says 'link down' 1 "the guest does not see the link go down"
	sleep 0.1
	monitor "set_link nic$slot on"
	says 'link up' 2 "the guest does not see the link come up"
	wait_for "$settle" passes_or_breaks || fail "nothing passes, and nothing tells why: $figures"
	needs_reset && echo "ok: the device broke, and the relay noticed"
	kill -KILL "$(pid_of guest)"
	wait "$(pid_of guest)" 2>/dev/null
	wait_for "$settle" gone 0 || fail "the relay does not notice the front-end's end"
	relay_cmd "port 0 stats cleared" "clear port 0 stats"
	frontend_run "after the flap" --packets 500 --window 16 --delay 300 || fail "see above"
	show 0
	unfaulted 0 "after the flap" || fail "$figures"
	echo "ok: frames pass"
	finish_relay
	exit
fi
for ((round = 1; round <= rounds; round++)); do
	monitor "set_link nic$slot off"
	says 'link down' "$round" "the guest does not see the link go down, $round"
	# What is sent now is lost.
	sleep 0.1
	monitor "set_link nic$slot on"
	says 'link up' $((round + 1)) "the guest does not see the link come up, $round"
	says passes $((round + 1)) "nothing passes when the link is up again, $round"
done
show 0
[ "$(figure port: link_changes)" = $((2 * rounds)) ] || fail "$figures"
unfaulted 0 link || fail "$figures"
grep 'the link of device' "$tmp/relay.log" | head -n 2
tell guest ""
finish guest 60 || fail "the guest: $(tail -n 2 "$tmp/guest.log")"
echo "ok: the guest saw the link go down and come up $rounds times;" \
	"$(grep '^passes' "$tmp/guest.log" | tail -n 1)"
finish_relay
