#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# queue_reset.sh SLOT SLOT: memory goes in which one queue of a card has receive buffers that nothing
# comes for. That queue alone is reset (VIRTIO_F_RING_RESET), and the other pair goes on.

. "$(dirname "$0")/lib.sh"

# is LINE KEY WANT
is()
{
	[ "$(figure "$1" "$2")" = "$3" ] || fail "$1 $2 is $(figure "$1" "$2"), expected $3: $figures"
}

has_card "$1" || skip "the machine has no card $1"
reflect "$2"
start_relay relay --vdev "$(vdev 0 "$1" queues=2)" -- \
	--iface "$tmp/port0.sock,dev=vdpa_svq0" --share-cores -i
frontend_run "memory goes" --attack mem-remove-held --window 16 --delay 300 || fail "see above"
show 0
is port: mem_queue_resets 1
is port: mem_restarts 0
is port: starts 1
# The guest left buffers where there is no memory any more.
is 'queue 0 rx' errors 1
for queue in 'queue 1 tx' 'queue 2 rx' 'queue 3 tx'; do
	is "$queue" errors 0
done
query relay "show devices" | grep -q 'of single queues 1;' || fail "the function was not told"
grep 'that queue was reset' "$tmp/relay.log" || fail "no line tells of it"
echo "ok: one queue was reset, the others went on"
finish_relay
