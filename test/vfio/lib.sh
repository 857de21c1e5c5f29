# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# What the tests share that run in the machine with the virtual IOMMU (test/vm/bed); to be sourced as
# the first act, it sources ../system/lib.sh.
#
# The cards, by their PCI slots; behind each pair of them is a cable:
#   10 - 11   split rings
#   12 - 13   packed rings, too
#   14 - 15   two queue pairs, 15 with packed rings (only where the bed may make taps)
# All of them belong to vfio-pci, until kernel_card() takes one.

[ -n "${SVQ_BED:-}" ] || { echo "SKIP: runs in test/vm/bed only"; exit 77; }
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
. "$svq_top/test/system/frontend.sh"


pci()
{
	echo "0000:00:$1.0"
}

has_card()
{
	[ -e "/sys/bus/pci/devices/$(pci "$1")" ]
}

# bind SLOT DRIVER
bind()
{
	local dev

	dev=/sys/bus/pci/devices/$(pci "$1")
	echo "$2" >"$dev/driver_override"
	[ ! -e "$dev/driver" ] || echo "$(pci "$1")" >"$dev/driver/unbind"
	echo "$(pci "$1")" >/sys/bus/pci/drivers_probe
	[ "$(basename "$(readlink "$dev/driver")")" = "$2" ]
}

# kernel_card SLOT: the kernel's own driver gets the card until the test ends. Sets $kernel_if.
kernel_card()
{
	has_card "$1" || skip "the machine has no card $1"
	bind "$1" virtio-pci || fail "the kernel does not take card $1"
	defer bind "$1" vfio-pci
	wait_for "$settle" compgen -G "/sys/bus/pci/devices/$(pci "$1")/virtio*/net/*" >/dev/null ||
		fail "card $1 has no interface"
	kernel_if=$(basename /sys/bus/pci/devices/"$(pci "$1")"/virtio*/net/*)
	echo 1 >"/proc/sys/net/ipv6/conf/$kernel_if/disable_ipv6"
}

# reflect SLOT: whatever comes to that card, the kernel sends back. Unlike a guest that polls, it
# leaves the CPUs to the others.
reflect()
{
	kernel_card "$1"
	tc qdisc add dev "$kernel_if" root pfifo &&
		ip link set "$kernel_if" promisc on up &&
		tc qdisc add dev "$kernel_if" ingress &&
		tc filter add dev "$kernel_if" ingress matchall \
			action mirred egress redirect dev "$kernel_if" ||
		fail "cannot make $kernel_if a mirror"
}

# monitor COMMAND: of the QEMU that runs this machine.
monitor()
{
	printf '%s\r' "$1" >/dev/ttyS2
}

fault_lines()
{
	dmesg | grep -E 'DMAR: (DRHD: handling fault|\[DMA (Read|Write))'
}

# take_faults: the faults that the IOMMU reported, which are then gone from the kernel's log.
take_faults()
{
	local lines

	lines=$(fault_lines) || return
	dmesg -C
	printf '%s\n' "$lines"
}

# vdev N SLOT [ARGUMENT]: the device vdpa_svqN on the card; front-ends may ask for its link.
vdev()
{
	echo "vdpa_svq$1,device=virtio_pci,pci=$(pci "$2"),config=1${3:+,$3}"
}

# start_mirror NAME PORT [ARGUMENT [QUEUES]]: testpmd as the guest of a port, which sends back what it
# receives.
start_mirror()
{
	local queues=${4:-1}

	start_testpmd "$1" "$tmp/port$2.sock" "queues=$queues${3:+,$3}" \
		--rxq="$queues" --txq="$queues" --nb-cores=1
	ask "$1" "set fwd io" "start"
}

# start_cards SLOT SLOT [ARGUMENT]: a relay with the first card behind port 0, the second one behind
# port 1.
start_cards()
{
	has_card "$1" || skip "the machine has no card $1"
	start_relay relay --vdev "$(vdev 0 "$1" "${3:-}")" --vdev "$(vdev 1 "$2" "${3:-}")" -- \
		--iface "$tmp/port0.sock,dev=vdpa_svq0" --iface "$tmp/port1.sock,dev=vdpa_svq1" \
		--share-cores -i
}

# start_card SLOT [PORT-OPTION]: a relay with the card behind port 0.
start_card()
{
	has_card "$1" || skip "the machine has no card $1"
	start_relay relay --vdev "$(vdev 0 "$1")" -- \
		--iface "$tmp/port0.sock,dev=vdpa_svq0${2:+,$2}" --share-cores -i
}

# start_front_end NAME PORT [ARGUMENT...]: one that sends until it is told to end; and wait until its
# frames come back.
start_front_end()
{
	local name=$1 port=$2
	shift 2

	relay_cmd "port $port stats cleared" "clear port $port stats"
	start "$name" "$svq_frontend" "$tmp/port$port.sock" --traffic 3600 --window 16 --delay 200 "$@"
	wait_for "$settle" served "$port" || fail "$name: nothing passes: $figures"
}

# gone PORT: since its figures were cleared, a front-end has left.
gone()
{
	show "$1" && [ "$(figure port: disconnections)" -ge 1 ]
}

finish_relay()
{
	tell relay quit
	finish relay 20 || fail "the relay ended with status $?"
}
