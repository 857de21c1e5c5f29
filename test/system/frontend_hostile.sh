#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What a hostile front-end or guest can do. Each case must leave a clear line in the log
# and a count, stop no queue but its own, and leave the port fit for the next front-end; the
# bystander must not notice.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/frontend.sh"

# Arguments that choose the ring format of the front-end that attacks.
format=

# hostile NAME LINE LINES COUNT...: run case NAME. The log must have LINES lines that match LINE
# ("-": any number from 1); each COUNT is "PREFIX KEY" and must be above 0, or
# "PREFIX KEY=N".
hostile()
{
	local name=$1 pattern=$2 lines=$3 from got count want value label="$1${format:+ $format}"
	shift 3

	# Ports take turns, for the relay limits the lines that one port may cause.
	next_victim
	from=$(wc -l <"$tmp/relay.log")
	# shellcheck disable=SC2086
	frontend_run "$label" --attack "$name" $format || return
	# The port forgets a front-end when it notices that it is gone.
	frontend_run "$label, the next front-end" --packets 200 --pairs 2 || return
	if [ "$lines" != 0 ]; then
		got=$(tail -n +$((from + 1)) "$tmp/relay.log" | grep -cE "$pattern")
		if [ "$got" -eq 0 ] || { [ "$lines" != - ] && [ "$got" -ne "$lines" ]; }; then
			not_ok "$label" "$got lines in the log match '$pattern', expected $lines"
			return
		fi
	fi
	show "$victim"
	for count in "$@" "device: iommu_faults=0" "device: ring_errors=0"; do
		want=${count#*=}
		count=${count%=*}
		value=$(figure "${count% *}" "${count##* }")
		if [ "$want" != "$count" ]; then
			[ "${value:-none}" = "$want" ] && continue
		elif [ "${value:-0}" -gt 0 ]; then
			continue
		fi
		not_ok "$label" "the relay counts ${count##* } ${value:-nothing}"
		return
	done
	ok "$label"
}

# On the socket: librte_vhost hangs up on what it cannot read, our screening on the rest.
socket()
{
	hostile "$1" "$2" - "port: disconnections"
}

refused()
{
	hostile "$1" "refused $2" "${3:--}" "port: bad_messages"
}

# A vring that cannot be served; the rest of the port can.
bad_ring()
{
	hostile "$1" "refused $2" 1 "port: bad_rings"
}

# A fault in a ring: once in a transmit and once in a receive queue, which stop.
stops()
{
	hostile "$1" "queue [01] \((rx|tx)\): .*$2.*queue stopped" 2 \
		"queue 0 rx ($3=1" "queue 1 tx ($3=1" "queue 2 rx: errors=0" "queue 3 tx: errors=0"
}

# Likewise, in a receive or in a transmit queue only.
stops_rx()
{
	hostile "$1" "queue 0 \(rx\): .*$2.*queue stopped" 1 \
		"queue 0 rx ($3=1" "queue 1 tx: errors=0" "queue 2 rx: errors=0" "queue 3 tx: errors=0"
}

stops_tx()
{
	hostile "$1" "queue 1 \(tx\): .*$2.*queue stopped" 1 \
		"queue 0 rx: errors=0" "queue 1 tx ($3=1" "queue 2 rx: errors=0" "queue 3 tx: errors=0"
}

# What rings of both formats may hold.
rings()
{
	local name id='made available a head'

	[ -z "$format" ] || id="guest's buffer id is"
	for name in desc-outside desc-end desc-wrap desc-huge table-outside table-desc-outside; do
		stops $name 'descriptor lies outside its memory' address
	done
	for name in table-long table-size table-empty table-nested table-chained table-unasked; do
		stops $name 'indirect table is malformed' indirect
	done
	stops head-range "$id beyond its .*in flight already, 0x100" head
	stops head-max "$id beyond its .*in flight already, 0xffff" head
	stops head-twice "$id beyond its .*in flight already" head
	stops zero-len 'descriptor has length 0' zero_len
	stops zero-len-middle 'descriptor has length 0' zero_len
	stops order 'readable descriptor follows a writable one' order
	stops total 'chain exceeds 4 GiB' total_len
	stops short 'shorter than the header' short
	stops wrong-way 'goes the wrong way' direction
	hostile rewrite '' 0 "queue 2 rx: errors=0" "queue 3 tx: errors=0"
	hostile rewrite-flags '' 0 "queue 2 rx: errors=0" "queue 3 tx: errors=0"
	hostile mem-truncated 'queue [01] .*queue stopped' 2
	hostile log-truncated '' 0
}

start_relay_and_bystander 12

socket random-bytes 'VHOST_CONFIG: .*invalid msg size'
socket half-header 'VHOST_CONFIG: .*header size'
socket half-payload 'VHOST_CONFIG: .*message.*failed'
socket huge-size 'VHOST_CONFIG: .*invalid msg size: -1'
socket fds-many 'VHOST_CONFIG: .*truncated control data'
hostile stall-payload '' 0 "port: disconnections"
hostile stall-answers '' 0 "port: disconnections"
hostile silent '' 0
socket second 'refused a second front-end'
refused unknown-request 'request 4711: unknown message' 2
refused bad-version 'SET_FEATURES: protocol version 2' 2
refused short-payload 'SET_VRING_ADDR: 8 bytes' 2
refused fds-unasked 'GET_FEATURES: 8 descriptors, none expected' 2
refused fds-reset 'RESET_OWNER: 1 descriptors, none expected' 2
refused garbage-amid 'request 4711: unknown message' 1

for size in 0 3 255 65536; do
	bad_ring size-$size "SET_VRING_NUM: queue 2: size $size is no power of two"
done
bad_ring desc-table-outside 'SET_VRING_ADDR: queue 2: descriptor ring .* outside guest memory'
bad_ring avail-outside 'SET_VRING_ADDR: queue 2: available ring .* outside guest memory'
bad_ring used-outside 'SET_VRING_ADDR: queue 2: used ring .* outside guest memory'
bad_ring ring-end 'SET_VRING_ADDR: queue 2: descriptor ring .* outside guest memory'
bad_ring ring-wrap 'SET_VRING_ADDR: queue 2: used ring .* outside guest memory'
bad_ring ring-unaligned 'SET_VRING_ADDR: queue 2: descriptor ring .* not aligned'
hostile ring-grown '' 0
hostile base-ahead '' 0
refused vring-index 'SET_VRING_.*: queue (100|255): the device has 8' 14
hostile no-memory 'SET_VRING_ADDR: queue [01]: no memory table yet' 2 "port: bad_rings"
refused call-pipe 'SET_VRING_CALL: the descriptor is no eventfd' 1
hostile disconnect '' 0 "port: disconnections"
hostile disconnect-half '' 0 "port: disconnections"

refused mem-overlap 'SET_MEM_TABLE: regions 0 and 1 overlap' 2
refused mem-too-many 'SET_MEM_TABLE: 40 regions' 2
refused mem-count 'SET_MEM_TABLE: 268435457 regions' 2
refused mem-none 'SET_MEM_TABLE: 0 regions' 2
refused mem-no-fds 'SET_MEM_TABLE: 0 descriptors for 1 regions' 2
refused mem-beyond-file 'SET_MEM_TABLE: region 0: ends .* bytes into a file' 2
refused mem-unaligned 'SET_MEM_TABLE: region 0: .* not whole pages' 2
refused mem-empty 'SET_MEM_TABLE: region 0: .* not whole pages' 2
refused mem-gpa-wrap 'SET_MEM_TABLE: region 0: wraps' 2
refused mem-offset-wrap 'SET_MEM_TABLE: region 0: wraps' 2
refused mem-no-file 'SET_MEM_TABLE: region 0: ends .* into a file of 0x0' 2
refused log-beyond 'SET_LOG_BASE: .* ends beyond its file' 2
refused log-offset 'SET_LOG_BASE: size .*, offset 0x18' 2
refused log-huge 'SET_LOG_BASE: .* ends beyond its file' 2
refused log-no-file 'SET_LOG_BASE: .* ends beyond its file' 2
refused log-no-fd 'SET_LOG_BASE: 0 descriptors, 1 expected' 2

rings
for name in loop-self loop-two loop-table; do
	stops $name 'chain loops' loop
done
stops idx-jump 'avail->idx jumped' avail_idx
stops idx-back 'avail->idx jumped' avail_idx
stops next-range 'next beyond its table, 0x100' next
stops table-next 'next beyond its table, 0x2' next

format=--packed
rings
stops_tx loop-ring 'longer than its ring' loop
stops_rx lap 'more descriptors available than its ring has' avail_idx
stops_rx lap-chain 'more descriptors available than its ring has' avail_idx
stops table-behind 'indirect table is malformed' indirect
hostile wrap-flipped '' 0 "queue 0 rx: errors=0" "queue 1 tx: errors=0" "queue 2 rx: errors=0"

# Last: these use up all lines that their ports may cause for a while.
for format in '' --packed; do
	hostile random-messages '' 0
done

finish_bystander
