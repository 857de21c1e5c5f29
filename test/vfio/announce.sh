#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# announce.sh SLOT SLOT: a function that wishes its guest to announce itself (VIRTIO_NET_S_ANNOUNCE, as
# QEMU's announce_self has it) is answered on the control queue.

. "$(dirname "$0")/lib.sh"

# commands: of the control queue, that the function took.
commands()
{
	query relay "show devices" | sed -n 's/.* in use, \([0-9]*\) commands, 0 without success.*/\1/p'
}

answered()
{
	[ "$(commands)" -gt "$before" ]
}

reflect "$2"
start_card "$1"
start guest "$svq_frontend" "$tmp/port0.sock" --packets 200 --window 16 --delay 300 --hold 3600
passed()
{
	logged guest '^sent 200 received 200' || dead "$(pid_of guest)"
}
wait_for "$settle" passed && alive "$(pid_of guest)" || fail "$(tail -n 2 "$tmp/guest.log")"
before=$(commands)
[ -n "$before" ] || fail "no control queue"
monitor "announce_self nic$1"
wait_for "$settle" answered || fail "the function's wish is not answered: $(query relay "show devices")"
show 0
[ "$(figure port: config_changes)" -ge 1 ] || fail "$figures"
[ "$(figure port: link_changes)" = 0 ] || fail "$figures"
unfaulted 0 announce || fail "$figures"
echo "ok: answered $(($(commands) - before)) times"
kill -TERM "$(pid_of guest)"
finish guest 20 || fail "the guest: $(tail -n 2 "$tmp/guest.log")"
finish_relay
