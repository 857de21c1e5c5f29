#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What a front-end may do while traffic runs, 20 times each: memory tables, queues, descriptors,
# stops and starts, dirty logs, reconnections. Every frame comes back once, unchanged and in order;
# every base that is handed back loses and repeats nothing; the log names every page written.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frontend.sh"

# cycle NAME [ARGUMENT...]: and the relay counts no error.
cycle()
{
	local name=$1

	next_victim
	frontend_run "$*" --attack "$@" || return
	show "$victim"
	unfaulted "$victim" "$*" || return
	ok "$*"
}

start_relay_and_bystander 1

for layout in simple regions alias; do
	for name in mem-same mem-change enable call-change kick-change restart reconnect \
		reset-owner dirty-log; do
		cycle $name --layout $layout
	done
done
for name in restart restart-status reconnect dirty-log; do
	cycle $name --layout cross --max-frame 9000 --rx-buf 1024
	cycle $name --ring 8 --event-idx 0
done
cycle later
cycle rarp
cycle reboot
cycle mem-remove-used
for name in mem-same mem-change enable restart restart-status reconnect reset-owner dirty-log; do
	cycle $name --packed --layout alias
	cycle $name --packed --ring 10 --event-idx 0
done
cycle later --packed
cycle reboot --packed

finish_bystander
