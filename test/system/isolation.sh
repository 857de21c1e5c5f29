# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# A guest that knows the relay's own addresses; to be sourced after frontend.sh. The relay has two
# ports, on the second of which another guest has its memory.

# look PORT: take down what `show port PORT iova` says, for rows().
look()
{
	tables[$1]=$(query relay "show port $1 iova" | tr -d '\r')
}

# rows PORT TITLE: the table of that title.
tables=()
rows()
{
	awk -v title="$2" '
		$0 == title { mine = 1; getline; next }
		/^[A-Z]/ { mine = 0 }
		mine && $1 ~ /^0x/' <<<"${tables[$1]}"
}

# foreign_addresses: what a guest on port 0 must not reach: IOVAs and HVAs of the relay's own rings and
# control buffers, the first and a middle byte of each; IOVAs and HVAs of the other guest.
foreign_addresses()
{
	local addr size rest hva

	while read -r addr size rest; do
		hva=0x${rest#*0x}
		hva=${hva%% *}
		printf '0x%x\n' "$addr" $((addr + size * 512)) "$hva" $((hva + size * 512))
	done < <(rows 0 "Host-only memory")
	while read -r _ _ _ addr hva _; do
		printf '0x%x\n' "$addr" "$hva"
	done < <(rows 1 "Guest memory")
}

# own ADDRESS: whether it happens to be a GPA of the guest on port 0, too.
own()
{
	local gpa size unit

	while read -r gpa size unit _; do
		case $unit in
		KiB) size=$((size << 10)) ;;
		MiB) size=$((size << 20)) ;;
		GiB) size=$((size << 30)) ;;
		esac
		[ $(($1 - gpa)) -ge 0 ] && [ $(($1 - gpa)) -lt $size ] && return
	done < <(rows 0 "Guest memory")
	return 1
}

# no_shared_hva: no byte of one port's memory is mapped for the other port's device.
no_shared_hva()
{
	{
		rows 0 "Guest memory" | awk '{ print $5, $2, $3, 0 }'
		rows 1 "Guest memory" | awk '{ print $5, $2, $3, 1 }'
	} | while read -r hva size unit port; do
		case $unit in
		KiB) size=$((size << 10)) ;;
		MiB) size=$((size << 20)) ;;
		GiB) size=$((size << 30)) ;;
		esac
		echo "$((hva)) $((hva + size)) $port"
	done | sort -n | awk '
		{
			for (i = 0; i < n; i++)
				if (port[i] != $3 && $1 < end[i])
					shared = 1
			end[n] = $2
			port[n++] = $3
		}
		END { exit shared || n < 2 }'
}

# faulted N: each queue of port 0 counts N addresses that it refused.
faulted()
{
	show 0
	[ "$(figure "queue 0 rx" "(address")" = "$1" ] && [ "$(figure "queue 1 tx" "(address")" = "$1" ]
}

# isolation [STEP [ARGUMENT...]]: a guest on port 0 tries them all, or every STEP-th, by both of its
# queues. ARGUMENT: the front-end's.
isolation()
{
	local tried=() addresses addr step=${1:-1}

	shift
	relay_cmd "port 0 stats cleared" "clear port 0 stats"
	start intruder "$svq_frontend" "$tmp/port0.sock" --attack foreign --layout noident --pairs 1 "$@"
	look 1
	while wait_for "$settle" awaits_address $((${#tried[@]} + 1)); do
		look 0
		no_shared_hva || fail "both ports map the same memory"
		# The memory is another one after each reboot.
		mapfile -t addresses < <(foreign_addresses)
		addr=${addresses[${#tried[@]} * step]:-}
		[ -n "$addr" ] || break
		if own "$addr"; then
			tried+=("")
			tell intruder 0xfffffffffffff000
		else
			tried+=("$addr")
			tell intruder "$addr"
		fi
		wait_for "$settle" faulted "${#tried[@]}" || fail "$addr: not refused: $figures"
	done
	[ "${#tried[@]}" -ge 8 ] || fail "only ${#tried[@]} addresses tried"
	tell intruder ""
	finish intruder 20 || fail "svq-frontend ended with status $?"
	show 0
	[ "$(figure device: iommu_faults)" = 0 ] && [ "$(figure device: ring_errors)" = 0 ] ||
		fail "the device saw one of them: $figures"
	echo "ok: ${#tried[@]} foreign addresses refused on either queue: ${tried[*]}"
}

awaits_address()
{
	[ "$(grep -c '^ready' "$tmp/intruder.log")" -ge "$1" ] || dead "$(pid_of intruder)"
}
