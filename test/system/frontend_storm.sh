#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# Guests that are well-formed and a nuisance: one kicks without end, one never takes what is used, one
# makes its call descriptor impossible to write. On a port that is polled and on one that sleeps; the
# bystander, which the same worker serves, must not notice.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frontend.sh"

# By how much a storm may slow the worker down, percent: by what the bystander gets for a second of the
# worker's CPU time. That depends on what else the machine does, too, so storm and calm take turns.
max_cost=50
rounds=3

# mark: what the bystander's port has moved, and how long threads of the relay have run: $moved, and
# in microseconds $worked and $others.
mark()
{
	show "$n_victims"
	moved=$(figure "summary port $n_victims" tx_chains)
	worked=$(awk '{ printf "%d", $1 / 1000 }' "$(worker_of relay)/schedstat")
	others=$(cat /proc/"$(pid_of relay)"/task/*/schedstat |
		awk -v worked="$worked" '{ n += $1 } END { printf "%d", n / 1000 - worked }')
}

# measure KIND ARGUMENT...: run svq-frontend; add what the three have grown by meanwhile to
# ${sum_moved[KIND]}, ...
declare -A sum_moved sum_worked sum_others
measure()
{
	local kind=$1 from_moved from_worked from_others
	shift

	mark
	from_moved=$moved from_worked=$worked from_others=$others
	frontend_run "$*" "$@" || return
	mark
	sum_moved[$kind]=$((sum_moved[$kind] + moved - from_moved))
	sum_worked[$kind]=$((sum_worked[$kind] + worked - from_worked))
	sum_others[$kind]=$((sum_others[$kind] + others - from_others))
}

# slept: the queue that is kicked, between two kicks.
slept()
{
	query relay "show port $victim queues" | grep -q '^queue 0 .* sleeps [1-9]'
}

# storm LABEL [ARGUMENT...]: compared with a storm that costs this machine as much, but is not on the
# port's descriptors.
storm()
{
	local label="a million kicks a second, $1" kind calm gain i
	shift

	relay_cmd "port $victim stats cleared" "clear port $victim stats"
	for kind in calm storm; do
		sum_moved[$kind]=0 sum_worked[$kind]=0 sum_others[$kind]=0
	done
	for ((i = 0; i < rounds; i++)); do
		measure calm --attack kick-storm-elsewhere "$@" || return
		measure storm --attack kick-storm "$@" || return
	done
	calm=$((sum_moved[calm] * 1000000 / sum_worked[calm]))
	gain=$((sum_moved[storm] * 1000000 / sum_worked[storm]))
	show "$victim"
	unfaulted "$victim" "$label" || return
	if [ "${port_args[victim]}" != "" ] && ! slept; then
		not_ok "$label" "the port never slept"
	elif [ $((gain * 100)) -lt $((calm * (100 - max_cost))) ]; then
		not_ok "$label" "$gain chains for a second of the worker, $calm without the storm"
	elif [ "${sum_others[storm]}" -gt $((sum_worked[storm] / 5)) ]; then
		not_ok "$label" "threads other than the worker ran for ${sum_others[storm]} us"
	else
		ok "$label: $(cat "$tmp/frontend.out"), $gain chains for a second of the worker, $calm without"
	fi
}

# nuisance LABEL NAME ERRORS [ARGUMENT...]: ERRORS: what the first transmit queue counts, or nothing.
nuisance()
{
	local label="$2, $1" name=$2 error=$3 queue value
	shift 3

	relay_cmd "port $victim stats cleared" "clear port $victim stats"
	frontend_run "$label" --attack "$name" "$@" || return
	frontend_run "$label, the next front-end" --packets 200 --pairs 2 || return
	show "$victim"
	for queue in "queue 0 rx" "queue 1 tx" "queue 2 rx" "queue 3 tx"; do
		value=$(figure "$queue" errors)
		if [ -n "$error" ] && [ "$queue" = "queue 1 tx" ]; then
			[ "$(figure "$queue" "($error")" = 1 ] && continue
		elif [ "$value" = 0 ]; then
			continue
		fi
		not_ok "$label" "$queue has $value errors"
		return
	done
	ok "$label"
}

port_args=("" "irq=on,idle_us=50")
modes=(polled asleep)
start_relay_and_bystander 2
for victim in 0 1; do
	for format in "" --packed; do
		label="${modes[victim]}${format:+, packed}"
		# shellcheck disable=SC2086
		{
			storm "$label" $format
			nuisance "$label" never-take "" $format
			nuisance "$label" call-full call $format
		}
	done
done
finish_bystander
