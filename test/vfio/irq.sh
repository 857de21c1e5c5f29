#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# irq.sh SLOT SLOT: a port with irq=on sleeps on the function's own interrupts, an MSI-X vector a queue:
# bursts and silence lose no wake-up, and silence is slept through.

. "$(dirname "$0")/lib.sh"

frames=5000

# queue_figure KEY: of the first queue in $tmp/queues.
queue_figure()
{
	sed -n "s/.* $1 \([0-9]*\) .*/\1/p" "$tmp/queues" | head -n 1
}

reflect "$2"
start_card "$1" irq=on
start guest "$svq_frontend" "$tmp/port0.sock" --packets $frames --silence 3000 --window 32 --delay 300 \
	--hold 3600
all_back()
{
	logged guest '^sent' || dead "$(pid_of guest)"
}
wait_for 120 all_back && logged guest "^sent $frames received $frames lost 0 corrupt 0" || {
	show 0
	query relay "show port 0 queues"
	fail "$(tail -n 2 "$tmp/guest.log"): $figures"
}
logged guest 'missed 0' || fail "the guest was not called: $(tail -n 2 "$tmp/guest.log")"

query relay "show devices" | grep -q 'vectors in use: 3' || fail "not an interrupt for each queue"
query relay "show port 0 queues" >"$tmp/queues"
[ "$(grep -c 'mode irq' "$tmp/queues")" = 2 ] || fail "it does not sleep on interrupts: $(cat "$tmp/queues")"
sleeps=$(queue_figure sleeps)
[ "$sleeps" -ge 100 ] || fail "it slept only $sleeps times"
from=$(queue_figure asleep_us)
sleep 2
query relay "show port 0 queues" >"$tmp/queues"
asleep=$(($(queue_figure asleep_us) - from))
[ $asleep -ge 1900000 ] || fail "an idle port slept only $asleep us in 2 s"
kill -TERM "$(pid_of guest)"
finish guest 20 || fail "the guest: $(tail -n 2 "$tmp/guest.log")"
show 0
unfaulted 0 irq || fail "$figures"
echo "ok: $frames frames in bursts, slept $sleeps times; idle: asleep $asleep us of 2 s and some"
finish_relay
