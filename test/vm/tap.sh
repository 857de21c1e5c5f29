# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# The other end of a net_tap port: a network namespace of its own that the tap is moved into; to be
# sourced after ../system/lib.sh. Names carry our process id, so that several can run at once.

tap_ns=svq-$$
tap_if=svqt$$
tap_host=192.0.2.1
tap_guest=192.0.2.2

# tap_attach: once the relay has made $tap_if. It goes on working through the relay's descriptor.
tap_attach()
{
	wait_for 5 test -e "/sys/class/net/$tap_if" || fail "the relay made no tap $tap_if"
	ip netns add "$tap_ns" || fail "cannot make a network namespace"
	defer tap_detach
	ip link set "$tap_if" netns "$tap_ns" &&
		ip -n "$tap_ns" addr add "$tap_host/24" dev "$tap_if" &&
		ip -n "$tap_ns" link set lo up &&
		ip -n "$tap_ns" link set "$tap_if" up || fail "cannot set up the tap"
}

tap_detach()
{
	# Who still runs in there would keep it.
	ip netns pids "$tap_ns" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
	ip netns del "$tap_ns" 2>/dev/null
}
