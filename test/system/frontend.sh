# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What the tests with our own front-end share; to be sourced after lib.sh.
#
# One relay stays up for all cases, which work on its first ports. On its last port a bystander passes
# verified frames all the time: whatever happens on the others, it must not lose one or wait for long.

svq_frontend=${SVQ_FRONTEND:-$svq_build/test/frontend/svq-frontend}
victim=0
# Longest time without a frame, in ms, that is not explained by the machine running others in place of
# the bystander or of the worker (svq-frontend --watch). A worker may be held up by several call and
# error descriptors in turn, each for SVQ_PATIENCE_MS.
max_pause=${SVQ_MAX_PAUSE:-1000}
failures=0

# More arguments of the ports' devices, and of the ports, by port.
device_args=()
port_args=()

# start_relay_and_bystander PORTS: that a case may work on, and one more.
start_relay_and_bystander()
{
	local i vdevs=() ifaces=()

	for ((i = 0; i <= $1; i++)); do
		vdevs+=(--vdev "vdpa_svq$i,device=soft,queues=4,backend=loopback${device_args[i]:+,${device_args[i]}}")
		ifaces+=(--iface "$tmp/port$i.sock,dev=vdpa_svq$i${port_args[i]:+,${port_args[i]}}")
	done
	n_victims=$1
	start_relay relay "${vdevs[@]}" -- "${ifaces[@]}" -i
	start bystander "$svq_frontend" "$tmp/port$n_victims.sock" --traffic 3600 --pairs 2 \
		--layout alias --window 16 --watch "$(worker_of relay)/schedstat"
	wait_for 10 served "$n_victims" || fail "the bystander's port passes nothing"
}

# worker_of NAME: /proc directory of a relay's first worker.
worker_of()
{
	local task

	for task in /proc/"$(pid_of "$1")"/task/*; do
		[[ $(<"$task/comm") == *worker-* ]] && echo "$task" && return
	done
}

# next_victim: another port, with its counters at 0.
next_victim()
{
	victim=$(((victim + 1) % n_victims))
	relay_cmd "port $victim stats cleared" "clear port $victim stats"
}

# relay_cmd ANSWER COMMAND...: tell the relay, and wait for a line that begins with ANSWER; what it
# said is in $answer.
relay_cmd()
{
	local from expect=$1 end=$((${EPOCHREALTIME/./} + settle * 250000)) line
	shift

	from=$(wc -l <"$tmp/relay.log")
	for line; do
		tell relay "$line"
	done
	# Often called, so more eager than wait_for.
	until answer=$(tail -n +$((from + 1)) "$tmp/relay.log" | tr -d '\r') &&
		[[ $'\n'$answer == *$'\n'"$expect"* ]]; do
		[ "${EPOCHREALTIME/./}" -lt $end ] ||
			fail "the relay was told '$line' and did not answer '$expect'"
		sleep 0.005
	done
}

# show N: the relay's figures of port N, into $figures.
show()
{
	relay_cmd "summary port $1:" "show port $1 stats"
	figures=$answer
}

# figure LINE KEY: the number behind KEY in the first line of $figures that begins with LINE.
figure()
{
	awk -v line="$1" -v key="$2" 'index($0, line) == 1 {
		for (i = 1; i < NF; i++)
			if ($i == key) {
				print $(i + 1) + 0
				exit
			}
	}' <<<"$figures"
}

served()
{
	show "$1" && [ "$(figure "summary port $1" tx_chains)" -gt 100 ]
}

ok()
{
	printf 'ok      %s\n' "$1"
}

not_ok()
{
	printf 'not ok  %s: %s\n' "$1" "$2"
	failed_cases+=("not ok  $1: $2")
	failures=$((failures + 1))
	if dead "$(pid_of relay)"; then
		fail "the relay is gone"
	fi
}

# frontend_run LABEL ARGUMENT...: our front-end on port $victim; its output in $tmp/frontend.out.
frontend_run()
{
	local label=$1 rc
	shift

	timeout "${SVQ_RUN_LIMIT:-60}" "$svq_frontend" "$tmp/port$victim.sock" --seed "${SVQ_TEST_SEED:-1}" "$@" \
		>"$tmp/frontend.out" 2>&1
	rc=$?
	[ $rc -eq 0 ] && return
	not_ok "$label" "svq-frontend $* ended with status $rc: $(tail -n 3 "$tmp/frontend.out" |
		tr '\n' ' ')"
	return 1
}

# unfaulted PORT LABEL: the relay must count no error there.
unfaulted()
{
	local key value

	for key in errors iommu_faults tx_drops rx_drops; do
		value=$(figure "summary port $1" $key)
		[ "$value" -eq 0 ] && continue
		not_ok "$2" "the relay counts $key: $value"
		return 1
	done
}

# finish_bystander: its verdict, and the test's.
finish_bystander()
{
	local summary pause

	kill -TERM "$(pid_of bystander)"
	finish bystander 20 || not_ok bystander "ended with status $?"
	summary=$(grep '^sent' "$tmp/bystander.log")
	pause=$(sed -n 's/.*longest pause .* unexplained \([0-9]*\) ms.*/\1/p' "$tmp/bystander.log")
	echo "bystander: $summary,$(sed -n 's/.*\( longest pause .*\)/\1/p' "$tmp/bystander.log")"
	[[ $summary =~ "lost 0 corrupt 0" ]] || not_ok bystander "$summary"
	[ "${pause:-$max_pause}" -lt "$max_pause" ] ||
		not_ok bystander "no frame for $pause ms without the machine being busy with others, $max_pause are allowed"
	show "$n_victims"
	unfaulted "$n_victims" bystander
	tell relay quit
	finish relay 20 || not_ok relay "ended with status $?"
	[ $failures -eq 0 ] || fail "$failures cases"
}
