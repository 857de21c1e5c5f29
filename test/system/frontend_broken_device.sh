#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What a broken device can do to its relay: each fault has a clear line and a count, stops that device
# and nothing else, and is gone with the guest's reset; the bystander must not notice.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frontend.sh"

# Rounds of random faults, on split and on packed rings.
rounds=${SVQ_RANDOM_ROUNDS:-6}

# The cases' ports: KIND, the queue that it strikes, the error that the relay finds, more arguments.
cases=(
	"bad_id 0 used_id packed=0"
	"bad_id 3 used_id packed=1"
	"id_twice 2 used_id packed=0"
	"id_twice 0 used_id packed=1"
	"idx_jump 1 used_idx packed=0"
	"idx_jump 2 used_idx packed=0"
	"wrap 0 used_wrap packed=1"
	"wrap 3 used_wrap packed=1"
	"bad_len 0 used_len packed=0"
	"bad_len 1 used_len packed=1"
	"needs_reset 0 needs_reset packed=0"
	"silent 0 - packed=0"
	"silent 1 - packed=1"
	"irq_storm 0 - packed=1"
)
after=2000

state_of()
{
	query relay "show ports" | grep -F "port$1.sock" | grep -oE 'state [a-z]+'
}

in_state()
{
	[ "$(state_of "$1")" = "state $2" ]
}

# lines FROM PATTERN: how many of the relay's log since line FROM match.
lines()
{
	tail -n +$(($1 + 1)) "$tmp/relay.log" | grep -cE "$2"
}

# counts LABEL "LINE KEY=N"...: of the victim.
counts()
{
	local label=$1 count want value
	shift

	show "$victim"
	for count; do
		want=${count#*=}
		count=${count%=*}
		value=$(figure "${count% *}" "${count##* }")
		[ "${value:-none}" = "$want" ] && continue
		not_ok "$label" "the relay counts ${count##* } ${value:-nothing} in '${count% *}', expected $want"
		return 1
	done
}

# The next guest passes packets, and all is well with them.
recovers()
{
	frontend_run "$1, after the reset" --packets 2000 --pairs 2 || return
	counts "$1, after the reset" "device: iommu_faults=0" "device: ring_errors=0"
}

# A device that asks for a reset is broken from then on; a worker has to notice that.
was_reset()
{
	show "$victim" && [ "$(figure port: device_breaks)" -eq 1 ]
}

# traffic: a front-end on the victim's port, in the background; it would wait long for what a broken device
# keeps, so it is killed.
traffic()
{
	"$svq_frontend" "$tmp/port$victim.sock" --traffic 60 --pairs 2 --seed "${SVQ_TEST_SEED:-1}" \
		>"$tmp/frontend.out" 2>&1 &
	guest=$!
	defer stop $guest
}

kill_traffic()
{
	kill -KILL "$guest"
	wait "$guest" 2>/dev/null
}

# breaks KIND QUEUE ERROR: the device is stopped, and only for that.
breaks()
{
	local label="$1 on queue $2" where="queue $2 rx" from error=$3

	[ $(($2 % 2)) -eq 0 ] || where="queue $2 tx"
	# Any pair's look at the device's status may be the first to find it, and one queue tells it for all.
	[ "$error" != needs_reset ] || where="queue"
	from=$(wc -l <"$tmp/relay.log")
	traffic
	if ! wait_for 20 was_reset || ! in_state "$victim" broken; then
		not_ok "$label" "the port is not broken: $(state_of "$victim")"
		kill_traffic
		return 1
	fi
	counts "$label" "$where ($error=1" "port: device_breaks=1" "device: iommu_faults=0" \
		"device: ring_errors=0" "summary port $victim: errors=1"
	query relay "show port $victim queues" >"$tmp/queues"
	[ "$(grep -c 'error device' "$tmp/queues")" -eq 7 ] || not_ok "$label" "its other queues do not say 'device'"
	kill_traffic
	[ "$(lines "$from" "queue stopped until")" -eq 1 ] || not_ok "$label" "not one line on the queue"
	[ "$(lines "$from" "device vdpa_svq$victim broke and was reset")" -eq 1 ] ||
		not_ok "$label" "not one line on the device"
	recovers "$label"
}

# A device that says nothing any more: what it holds comes back at the guest's stop, which it must not hold up.
falls_silent()
{
	local label="silent after queue $1" begin

	traffic
	wait_for 20 logged relay "vdpa_svq$victim: misbehaves as it was told: silent" || not_ok "$label" "it is not silent"
	in_state "$victim" running || not_ok "$label" "$(state_of "$victim")"
	begin=${EPOCHREALTIME/./}
	kill_traffic
	wait_for 5 in_state "$victim" idle || not_ok "$label" "$(state_of "$victim")"
	[ $((${EPOCHREALTIME/./} - begin)) -lt 5000000 ] || not_ok "$label" "its end took more than 5 s"
	recovers "$label" && ok "$label"
}

# Interrupts without end: the port sleeps no more, and that is all.
storms()
{
	frontend_run "interrupts without end" --traffic 3 --pairs 2 || return
	logged relay "vdpa_svq$victim: misbehaves as it was told: irq_storm" ||
		not_ok "interrupts without end" "there were none"
	counts "interrupts without end" "summary port $victim: errors=0" &&
		recovers "interrupts without end" && ok "interrupts without end"
}

for ((i = 0; i < ${#cases[@]}; i++)); do
	read -r kind queue _ more <<<"${cases[i]}"
	device_args[i]="misbehave=$kind@$after:$queue,$more"
	[ "$kind" != irq_storm ] || port_args[i]=irq=on
done
random_ports=("$i" "$((i + 1))")
device_args[i]="misbehave=random@3000,seed=${SVQ_TEST_SEED:-1}"
device_args[i + 1]="misbehave=random@3000,seed=${SVQ_TEST_SEED:-1},packed=1"
start_relay_and_bystander $((${#cases[@]} + 2))

for ((i = 0; i < ${#cases[@]}; i++)); do
	read -r kind queue error _ <<<"${cases[i]}"
	victim=$i
	case $kind in
	silent) falls_silent "$queue" ;;
	irq_storm) storms ;;
	*) breaks "$kind" "$queue" "$error" && ok "$kind on queue $queue: $error" ;;
	esac
done

# At random: a guest loses packets by such a device; the relay holds out.
broken=0
for ((i = 0; i < 2 * rounds; i++)); do
	victim=${random_ports[i % 2]}
	traffic
	wait_for 1 in_state "$victim" broken && broken=$((broken + 1))
	kill_traffic
done
for victim in "${random_ports[@]}"; do
	counts "at random" "device: iommu_faults=0" "device: ring_errors=0" &&
		ok "at random: port: device_breaks $(figure port: device_breaks), errors $(figure "summary port $victim:" errors)"
done
[ $broken -gt 0 ] || not_ok "at random" "nothing happened"

finish_bystander
