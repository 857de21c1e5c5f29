# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What whole-system tests and the demo share; to be sourced by a bash script as its first act:
#
#     . "$(dirname "$0")/../system/lib.sh"
#
# It makes sure of hugepages (SVQ_HUGE_MIB, 0 if there are none), makes a directory $tmp, and sees
# to it that everything started through it is gone when the script ends, however it ends.
#
# Exit status: 0 passed, 1 failed, 77 skipped (then "SKIP: reason" is printed). What failed is said
# again at the very end, for whoever sees only the last lines.

set -uo pipefail

svq_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
svq_build=${SVQ_BUILD:-$svq_top/build}
dpdk_svq=${DPDK_SVQ:-$svq_build/app/dpdk-svq/dpdk-svq}

if [ -z "${SVQ_HUGE_MIB+set}" ]; then
	exec "$svq_top/config/with-hugepages.sh" 1536 "$0" "$@"
fi
# Fewer than relay and guest need between them are of no use.
[ "$SVQ_HUGE_MIB" -ge 768 ] || SVQ_HUGE_MIB=0

# start() preloads stdbuf's library, which a sanitized program would take exception to.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0

# Seconds that a program may take to start or to answer; more where the machine is emulated.
settle=${SVQ_SETTLE:-20}

tmp=$(mktemp -d /tmp/svq-XXXXXX)
at_exit=()
failed_cases=()

# defer COMMAND [ARG...]: run it when the script ends, the last one first.
defer()
{
	at_exit+=("$(printf '%q ' "$@")")
}

unwind()
{
	local rc=$? i

	trap '' INT TERM HUP
	for ((i = ${#at_exit[@]} - 1; i >= 0; i--)); do
		eval "${at_exit[i]}"
	done
	if [ $rc -ne 0 ] && [ $rc -ne 77 ] && [ -n "${SVQ_KEEP:-}" ]; then
		echo "kept: $tmp"
	else
		rm -rf "$tmp"
	fi
	# Standard error: where the two are recorded apart, it is shown last.
	if [ $rc -ne 0 ] && [ $rc -ne 77 ] && [ $rc -ne 130 ]; then
		[ $rc -eq 1 ] && [ ${#failed_cases[@]} -gt 0 ] ||
			failed_cases+=("ended with status $rc")
		printf '%s\n' "---- what failed" "${failed_cases[@]}" >&2
	fi
	exit $rc
}
trap unwind EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The first two CPUs that we may use. A program that polls has its busy lcore on one of them and
# its idle main lcore on the other one's, so that relay and guest poll on a CPU each.
mapfile -t cpus < <(awk '/^Cpus_allowed_list/ {
	n = split($2, ranges, ",")
	for (i = 1; i <= n; i++) {
		if (split(ranges[i], ends, "-") < 2)
			ends[2] = ends[1]
		for (cpu = ends[1]; cpu <= ends[2]; cpu++)
			print cpu
	}
}' /proc/self/status)
cpu_a=${cpus[0]}
cpu_b=${cpus[1]:-${cpus[0]}}

skip()
{
	echo "SKIP: $*"
	exit 77
}

# fail MESSAGE: end the test, with the ends of all logs.
fail()
{
	local log

	failed_cases+=("FAIL: $*")
	echo "FAIL: $*"
	for log in "$tmp"/*.log; do
		[ -s "$log" ] || continue
		echo "---- ${log##*/}"
		tail -n "${SVQ_LOG_LINES:-40}" "$log"
	done
	exit 1
}

# wait_for SECONDS COMMAND [ARG...]: until COMMAND succeeds; 1 if it does not in time.
wait_for()
{
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift

	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt $end ] || return 1
		sleep 0.05
	done
}

alive()
{
	local state

	# "pid (name) state": one that has ended and was not waited for yet is Z.
	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [ "$state" != Z ]
}

dead()
{
	! alive "$1"
}

# stop PID: politely first.
stop()
{
	alive "$1" || return 0
	kill -TERM "$1" 2>/dev/null
	wait_for 5 dead "$1" && return
	kill -KILL "$1" 2>/dev/null
	wait_for 5 dead "$1"
}

# EAL arguments for memory: eal_memory MIB
eal_memory()
{
	if [ "$SVQ_HUGE_MIB" -gt 0 ]; then
		echo "-m $1"
	else
		echo "--no-huge -m $1"
	fi
}

# start NAME COMMAND [ARG...]: in the background, with its standard input at a pipe that `tell NAME`
# writes to, and its output in $tmp/NAME.log. Sets pid_NAME.
start()
{
	local name=$1 fd pid
	shift

	mkfifo "$tmp/$name.in"
	exec {fd}<>"$tmp/$name.in"
	# Before the job runs: it may come to open files only after we look at them. An earlier
	# job's log must not speak for this one.
	rm "$tmp/$name.in"
	: >"$tmp/$name.log"
	stdbuf -oL "$@" <&"$fd" >"$tmp/$name.log" 2>&1 {fd}>&- &
	pid=$!
	declare -g "pid_$name=$pid" "in_$name=$fd"
	defer stop $pid
}

# tell NAME LINE: to the standard input of what was started as NAME.
tell()
{
	local fd=in_$1

	printf '%s\n' "$2" >&"${!fd}"
}

# finish NAME SECONDS: wait for its end; its exit status, or 124 if it went on.
finish()
{
	local pid=pid_$1 in=in_$1 fd

	wait_for "$2" dead "${!pid}" || return 124
	fd=${!in}
	exec {fd}>&-
	wait "${!pid}"
}

logged()
{
	grep -q -- "$2" "$tmp/$1.log"
}

# ---- the relay

# start_relay NAME EAL-ARGUMENTS... -- APPLICATION-ARGUMENTS...: and wait until it is ready.
start_relay()
{
	local name=$1
	shift

	launch_relay "$name" "$@"
	wait_for "$settle" relay_settled "$name" && alive "$(pid_of "$name")" ||
		fail "dpdk-svq did not start"
}

launch_relay()
{
	local name=$1 prefix memory
	shift

	prefix=svq-$name-$$
	read -r -a memory <<<"$(eal_memory "${SVQ_RELAY_MIB:-256}")"
	defer rm -rf "/var/run/dpdk/$prefix"
	start "$name" "$dpdk_svq" --lcores "${SVQ_RELAY_LCORES:-0@$cpu_a,1@$cpu_b}" --no-pci \
		--file-prefix "$prefix" "${memory[@]}" "$@"
}

relay_settled()
{
	logged "$1" '^dpdk-svq: ready' || dead "$(pid_of "$1")"
}

# query NAME LINE: what a relay with -i answers.
query()
{
	# No command, and so answered after the one before it.
	local name=$1 line=$2 mark=mark${EPOCHREALTIME/./}

	tell "$name" "$line"
	tell "$name" "$mark"
	wait_for "$settle" logged "$name" "^svq> $mark$" || fail "the relay does not answer to: $line"
	awk -v line="svq> $line" -v end="svq> $mark" '
		$0 == line { answer = ""; next }
		$0 == end { printf "%s", answer; exit }
		{ answer = answer $0 "\n" }' "$tmp/$name.log"
}

pid_of()
{
	local pid=pid_$1

	echo "${!pid}"
}

# summary NAME PORT KEY: a figure of the line that the relay prints at its end.
summary()
{
	awk -v port="$2:" -v key="$3" '$1 == "summary" && $3 == port {
		for (i = 4; i < NF; i += 2)
			if ($i == key)
				print $(i + 1)
	}' "$tmp/$1.log"
}

# ---- testpmd as a guest

# start_testpmd NAME SOCKET VDEV-ARGUMENTS [TESTPMD-ARGUMENT...]: and wait for its prompt.
start_testpmd()
{
	local name=$1 sock=$2 args=$3 memory
	shift 3

	if [ "$SVQ_HUGE_MIB" -gt 0 ]; then
		memory=(--in-memory --single-file-segments -m "${SVQ_GUEST_MIB:-256}")
	else
		# One memfd, which EAL makes only in its legacy layout.
		memory=(--no-huge -m "${SVQ_GUEST_MIB:-256}")
	fi
	defer rm -rf "/var/run/dpdk/svq-$name-$$"
	start "$name" dpdk-testpmd --lcores "0@$cpu_b,1@$cpu_a" --no-pci --no-telemetry \
		--file-prefix "svq-$name-$$" "${memory[@]}" \
		--vdev "net_virtio_user0,path=$sock${args:+,$args}" -- \
		-i --total-num-mbufs="${SVQ_GUEST_MBUFS:-8192}" "$@"
	wait_for "$settle" testpmd_settled "$name" && alive "$(pid_of "$name")" ||
		fail "testpmd did not start"
}

testpmd_settled()
{
	logged "$1" '^testpmd> ' || dead "$(pid_of "$1")"
}

# ask NAME LINE...: tell testpmd, and wait until it has done what it was told.
marks=0
ask()
{
	local name=$1 line
	shift

	for line; do
		tell "$name" "$line"
	done
	marks=$((marks + 1))
	# No command, and so answered after those before it.
	tell "$name" "mark$marks"
	wait_for "$settle" logged "$name" "^testpmd> mark$marks" && sleep 0.05 ||
		fail "testpmd did not answer to: $*"
}

# port_stat NAME KEY: RX-packets, TX-packets, ... of testpmd's port 0, since it was started.
port_stat()
{
	ask "$1" "show port stats 0"
	awk -v key="$2:" '{
		for (i = 1; i < NF; i++)
			if ($i == key)
				value = $(i + 1)
	} END { print value }' < <(sed -n '/NIC statistics for port 0/,$p' "$tmp/$1.log" | tac |
		sed '/NIC statistics for port 0/q' | tac)
}

# fwd_drops NAME: what testpmd's forwarding could not send, in all of its runs.
fwd_drops()
{
	sed -n '/Forward statistics for port 0/,/----$/s/.*TX-packets: .*TX-dropped: *\([0-9]*\).*/\1/p' \
		"$tmp/$1.log" | awk '{ n += $1 } END { print n + 0 }'
}
