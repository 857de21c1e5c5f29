#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# A device that is led to memory that is not mapped: the addresses of the shadow ring's receive
# descriptors are overwritten in the relay's memory. The IOMMU must refuse and the kernel must log it
# (which proves that the bed would notice a fault), the device asks for a reset (NEEDS_RESET), the
# relay says so, and the front-end's next start mends it.

. "$(dirname "$0")/lib.sh"

unmapped=0x6f0f000000

# Every host-only table that the device only reads begins with descriptors: their addresses go.
spoil_descriptors()
{
	local hvas

	hvas=$(query relay "show port 0 iova" | tr -d '\r' |
		awk '/^Host-only/ { own = 1 } own && $5 == "r" { print $4 }')
	[ -n "$hvas" ] || fail "no host-only tables"
	# shellcheck disable=SC2086
	perl -e 'my ($mem, $addr, @hvas) = @ARGV;
		open(my $f, "+<", $mem) or die "$mem: $!";
		for my $hva (map { hex } @hvas) {
			for my $i (0 .. 255) {
				sysseek($f, $hva + 16 * $i, 0) or die "seek: $!";
				syswrite($f, pack("Q<", hex $addr)) == 8 or die "write: $!";
			}
		}' "/proc/$(pid_of relay)/mem" $unmapped $hvas || fail "cannot write the relay's memory"
}

asks_for_reset()
{
	show 0
	[ "$(awk '/needs_reset/' <<<"$figures")" ]
}

reflect 11
start_card 10
start_front_end guest 0
# Nothing is on its way while the descriptors change.
kill -STOP "$(pid_of guest)"
sleep 0.5
spoil_descriptors
kill -CONT "$(pid_of guest)"
wait_for "$settle" fault_lines >"$tmp/faults" || fail "no fault in the kernel's log"
wait_for "$settle" asks_for_reset || fail "the relay does not notice: $figures"
faults=$(take_faults)
echo "ok: $(head -n 2 <<<"$faults" | tr '\n' ' ')"
grep -q "fault addr ${unmapped}" <<<"$faults" || fail "not the address that was written: $faults"
grep -i "reset" "$tmp/relay.log" | tail -n 3
kill -KILL "$(pid_of guest)"
wait "$(pid_of guest)" 2>/dev/null
sleep 0.5
relay_cmd "port 0 stats cleared" "clear port 0 stats"
frontend_run "after the reset" --packets 500 --window 16 --delay 100 || fail "see above"
show 0
unfaulted 0 "after the reset" || fail "$figures"
echo "ok: the next front-end's start mends it"
finish_relay
