#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# Verified frames through the relay: both ring formats, all layouts of guest memory, ring sizes,
# chain shapes, queue pairs, with and without mergeable buffers, EVENT_IDX and a dirty log. None is
# lost, altered, doubled or overtaken.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frontend.sh"

# traffic ARGUMENT...: and the relay must agree that nothing was wrong.
traffic()
{
	next_victim
	frontend_run "$*" "$@" || return
	show "$victim"
	unfaulted "$victim" "$*" || return
	ok "$*: $(grep '^sent' "$tmp/frontend.out")"
}

# splits ARGUMENT...: the same, and buffers must have been split at region borders.
splits()
{
	traffic "$@"
	[ "$(awk '$1 == "queue" { for (i = 1; i < NF; i++) if ($i == "splits") n += $(i + 1) }
		END { print n + 0 }' <<<"$figures")" -gt 0 ] ||
		not_ok "$*" "no buffer was split at a region border"
}

# formats SIZE...: all that both ring formats have, and rings of these sizes; $format chooses one.
formats()
{
	local size layout mrg header

	for size; do
		traffic $format --packets 2000 --ring "$size"
		traffic $format --packets 2000 --ring "$size" --event-idx 0 --pairs 2 --layout regions
	done
	for layout in simple regions alias cross; do
		for mrg in 0 1; do
			traffic $format --packets 2000 --layout $layout --mrg $mrg --max-frame 65000 \
				--max-parts 8 --rx-buf 4096 --window 32
			traffic $format --packets 2000 --layout $layout --mrg $mrg --max-parts 19 --rx-buf 256 \
				--chains direct --pairs 2
			traffic $format --packets 2000 --layout $layout --mrg $mrg --max-frame 9000 \
				--max-parts 16 --rx-buf 1500 --chains indirect --event-idx 0
		done
		traffic $format --packets 2000 --layout $layout --log --pairs 4
	done
	splits $format --packets 3000 --layout cross --max-frame 65000 --mrg 0 --max-parts 3
	splits $format --packets 3000 --layout cross --max-frame 9000 --log
	for header in shared own split; do
		traffic $format --packets 2000 --header $header --layout cross
		traffic $format --packets 2000 --header $header --max-parts 256 --chains direct --mrg 0
	done
	traffic $format --packets 2000 --max-parts 256 --chains indirect --max-frame 65000 --mrg 0
	traffic $format --packets 2000 --ring 16 --max-parts 16 --layout cross
	traffic $format --packets 2000 --min-frame 60 --max-frame 60
	traffic $format --packets 2000 --min-frame 65000 --max-frame 65000 --rx-buf 2048
}

start_relay_and_bystander 1

format=
formats 2 4 16 1024 32768
format=--packed
formats 2 3 16 1000 32768

# The relay as the client: the front-end listens, goes, and listens again.
relay_cmd "port 2 created" "device add vdpa_svq2,device=soft,queues=2,backend=loopback" \
	"port create $tmp/port2.sock vdpa_svq2 client"
victim=2
for round in 1 2; do
	frontend_run "relay as client, $round" --server --packets 2000 --pairs 2 &&
		ok "relay as client, $round: $(grep '^sent' "$tmp/frontend.out")"
done

finish_bystander
