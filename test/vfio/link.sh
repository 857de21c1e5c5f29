#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# The card's link goes down and comes up again: the relay logs and counts it, and the guest is told.

. "$(dirname "$0")/lib.sh"

reflect 11
start_card 10
start guest "$svq_frontend" "$tmp/port0.sock" --attack link --pairs 1 --window 16 --lossy
# told UP_OR_DOWN TIMES
told()
{
	[ "$(grep -c "^link $1" "$tmp/guest.log")" -ge "$2" ] || dead "$(pid_of guest)"
}
wait_for "$settle" told up 1 && logged guest '^link up' || fail "the guest sees no link"
for round in 1 2 3; do
	monitor "set_link nic10 off"
	wait_for "$settle" told down "$round" || fail "the guest does not see the link go down, $round"
	monitor "set_link nic10 on"
	wait_for "$settle" told up $((round + 1)) || fail "the guest does not see the link come up, $round"
done
alive "$(pid_of guest)" || fail "the guest is gone"
show 0
[ "$(figure port: link_changes)" = 6 ] || fail "$figures"
grep 'the link of device' "$tmp/relay.log" | head -n 2
tell guest ""
finish guest 60 || fail "the guest: $(tail -n 2 "$tmp/guest.log")"
echo "ok: the guest saw the link go down and come up 3 times"
finish_relay
