#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# Memory comes and goes under verified traffic: the relay maps and unmaps just the difference, what
# stays is not touched. An alias of the first region, then memory that is plugged and unplugged.

. "$(dirname "$0")/lib.sh"

# run CASE [ARGUMENT...]: a front-end's whole life; then its figures are in $figures.
run()
{
	relay_cmd "port 0 stats cleared" "clear port 0 stats"
	frontend_run "$1" --attack "$@" --pairs 1 --window 16 --layout smram --lossy || fail "see above"
	wait_for "$settle" gone 0 || fail "$1: the relay does not notice the front-end's end"
	unfaulted 0 "$1" || fail "$figures"
	is mem_restarts 0
	is starts 1
}

# is KEY WANT
is()
{
	[ "$(figure port: "$1")" = "$2" ] || fail "$1 is $(figure port: "$1"), expected $2: $figures"
}

reflect 11
start_card 10 irq=on

run mem-same
is mem_changes 1
maps=$(figure port: dma_maps)
is dma_unmaps "$maps"
echo "ok: $maps mappings for a guest of two regions, and the same table changes nothing"

run smram
shown=$((($(figure port: mem_changes) - 1) / 2))
[ "$shown" -ge 20 ] || fail "only $shown aliases"
is dma_maps $((maps + shown))
is dma_unmaps $((maps + shown))
is mem_kept $((4 * shown))
echo "ok: an alias shown and hidden $shown times, as many maps and unmaps"

run mem-change
plugged=$((($(figure port: mem_changes) - 1) / 2))
[ "$plugged" -ge 20 ] || fail "only $plugged regions"
is dma_maps $((maps + plugged))
is dma_unmaps $((maps + plugged))
is mem_kept $((4 * plugged))
echo "ok: memory plugged and unplugged $plugged times, as many maps and unmaps," \
	"paused $(figure port: mem_pause_max_us) us at most"
finish_relay
