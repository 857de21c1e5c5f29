#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# traffic.sh SLOT SLOT FRAMES PEER PAIRS [ARGUMENT...]: verified frames from our own front-end through the
# relay, a card and the cable to another card and back. Each has a sequence number and a checksum; none
# is lost, altered, doubled or overtaken. ARGUMENT: the front-end's.
#
# PEER, who sends them back: split or packed, testpmd with such rings behind the relay; or kernel, its
# own driver.

. "$(dirname "$0")/lib.sh"

slot=$1 other=$2 frames=$3 peer=$4 pairs=$5
shift 5
ports=(0 1)
case $peer in
kernel)
	reflect "$other"
	start_card "$slot"
	ports=(0)
	;;
packed | split)
	start_cards "$slot" "$other" "queues=$pairs"
	start_mirror mirror 1 "packed_vq=$([ "$peer" = split ]; echo $?)" "$pairs"
	;;
esac

# received: the buffers that the other card has filled, of each of its receive queues, into $received.
received()
{
	local i

	show 1
	received=()
	for ((i = 0; i < pairs; i++)); do
		received+=("$(figure "queue $((2 * i)) " used)")
	done
}

# parted BEFORE...: whether each of them has more than before.
parted()
{
	local before=("$@") i

	received
	for ((i = 0; i < pairs; i++)); do
		[ "${received[i]}" -gt "${before[i]}" ] || return
	done
}

# By a hash of its flow, with a seed of its host's own, the cable makes out which of the other card's queues
# a frame is for. So look for flows that it parts.
flows=0
while [ "$pairs" -gt 1 ] && [ $flows -lt 32 ]; do
	received
	before=("${received[@]}")
	frontend_run traffic --packets 64 --pairs "$pairs" --flows $flows "$@" || fail "flows $flows"
	parted "${before[@]}" && break
	flows=$((flows + 1))
done
frontend_run traffic --packets "$frames" --pairs "$pairs" --flows $flows "$@" || {
	for port in "${ports[@]}"; do
		show "$port"
		echo "$figures"
	done
	fail "see above"
}
grep '^sent' "$tmp/frontend.out"
for port in "${ports[@]}"; do
	show "$port"
	unfaulted "$port" "port $port" || fail "$figures"
	for key in tx_chains rx_chains; do
		[ "$(figure "summary port $port" $key)" -ge "$frames" ] ||
			fail "port $port: $key $(figure "summary port $port" $key)"
	done
	grep '^summary\|^queue' <<<"$figures"
done
for ((i = 0; i < 2 * pairs; i++)); do
	# Every queue has its share.
	[ "$(figure "queue $i " chains)" -ge $((frames / pairs / 2)) ] || fail "queue $i: $figures"
done
echo "ok: $frames frames each way, $(sed -n 's/.*longest pause/longest pause/p' "$tmp/frontend.out")"
finish_relay
