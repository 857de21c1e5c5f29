#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What the relay does when guest memory changes under verified traffic, to the mapping: an alias of
# the first region that comes and goes 50 times, with buffers that go by either address; memory that
# is plugged and unplugged; and memory that goes while the device holds buffers in it.

. "$(dirname "$0")/lib.sh"

svq_frontend=${SVQ_FRONTEND:-$svq_build/test/frontend/svq-frontend}
rounds=50

# run CASE [ARGUMENT...]: a front-end's whole life on the port; then the figures are in $stats.
run()
{
	query relay "clear port 0 stats" >/dev/null
	timeout 100 "$svq_frontend" "$tmp/svq.sock" --attack "$@" >"$tmp/$1.log" 2>&1 ||
		fail "$*: svq-frontend ended with status $?"
	wait_for 5 gone || fail "$*: the relay does not notice the front-end's end"
	cat "$tmp/$1.log"
}

gone()
{
	stats=$(query relay "show port 0 stats")
	[ "$(figure port: disconnections)" = 1 ]
}

# figure LINE KEY: the number behind KEY in the line that begins with LINE.
figure()
{
	awk -v line="$1" -v key="$2" 'index($0, line) == 1 {
		for (i = 1; i < NF; i++)
			if ($i == key) {
				print $(i + 1)
				exit
			}
	}' <<<"$stats"
}

# is LINE KEY WANT
is()
{
	local got

	got=$(figure "$1" "$2")
	[ "$got" = "$3" ] || fail "$1 $2 is ${got:-missing}, expected $3: $stats"
}

# well: nothing was lost and nobody complained.
well()
{
	for key in errors iommu_faults tx_drops rx_drops; do
		is "summary port 0:" $key 0
	done
	is port: starts 1
	is port: mem_restarts 0
	echo "ok: $1: $(figure port: mem_changes) tables, paused $(figure port: mem_pause_us) us in all," \
		"$(figure port: mem_pause_max_us) us at most"
}

start_relay relay --vdev vdpa_svq0,device=soft,queues=2,backend=loopback -- \
	--iface "$tmp/svq.sock,dev=vdpa_svq0" --share-cores -i

run mem-same --layout smram
well "the same table"
# The first table is one, too.
is port: mem_changes 1
maps=$(figure port: dma_maps)
[ "$maps" = "$(figure port: dma_unmaps)" ] || fail "$maps maps, $(figure port: dma_unmaps) unmaps"

run smram
well "an alias of the first region"
is port: mem_changes $((1 + 2 * rounds))
is port: mem_kept $((2 * rounds * 2))
is port: dma_maps $((maps + rounds))
is port: dma_unmaps $((maps + rounds))

run smram --packed
well "an alias of the first region, packed rings"
is port: mem_changes $((1 + 2 * rounds))

run mem-change --layout smram
well "memory plugged and unplugged"
plugged=$((($(figure port: mem_changes) - 1) / 2))
is port: dma_maps $((maps + plugged))
is port: dma_unmaps $((maps + plugged))

run mem-remove-held
is port: mem_restarts 0
is port: mem_queue_resets 1
is port: starts 1
is device: iommu_faults 0
is device: ring_errors 0
is "queue 0 rx" "(address" "1)"
for queue in "queue 1 tx" "queue 2 rx" "queue 3 tx"; do
	is "$queue" errors 0
done
grep "that queue was reset" "$tmp/relay.log"
[ "$(grep -c 'GPA 0xfeda0000, .* of queue 0, .* that queue was reset' "$tmp/relay.log")" -eq 1 ] ||
	fail "not one line tells of the reset"
[ "$(grep -c 'queue stopped' "$tmp/relay.log")" -eq 1 ] || fail "not one queue was stopped"
echo "ok: buffers in memory that goes, a queue reset"

tell relay quit
finish relay 10 || fail "the relay ended with status $?"

# A device that cannot reset one queue alone.
start_relay relay --vdev vdpa_svq0,device=soft,queues=2,backend=loopback,ring_reset=0 -- \
	--iface "$tmp/svq.sock,dev=vdpa_svq0" --share-cores -i
run mem-remove-held
is port: mem_restarts 1
is port: mem_queue_resets 0
is port: starts 2
is device: iommu_faults 0
is "queue 0 rx" "(address" "1)"
[ "$(grep -c 'GPA 0xfeda0000, .* of queue 0, .* restarting the device' "$tmp/relay.log")" -eq 1 ] ||
	fail "not one line tells of the restart"
echo "ok: buffers in memory that goes, the device restarted"

tell relay quit
finish relay 10 || fail "the relay ended with status $?"
