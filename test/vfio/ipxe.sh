#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# A real guest driver: iPXE, in a QEMU inside this machine, boots from a network card that is the
# relay's socket. Behind it is card 16, and at the other end of its cable the kernel's own card, where
# a DHCP and an HTTP server answer. The guest gets an address, a script and a file through them.

. "$(dirname "$0")/lib.sh"

kernel_card 11
host=192.0.2.1
bytes=300000

mkdir "$tmp/www"
head -c $bytes /dev/urandom >"$tmp/www/blob"
cat >"$tmp/www/boot.ipxe" <<I
#!ipxe
imgfetch http://$host/blob
imgstat
echo guest has all
I
cat >"$tmp/udhcpd.conf" <<C
start 192.0.2.100
end 192.0.2.100
interface $kernel_if
lease_file $tmp/leases
pidfile $tmp/udhcpd.pid
option subnet 255.255.255.0
boot_file http://$host/boot.ipxe
C
: >"$tmp/leases"

ip addr add $host/24 dev $kernel_if && ip link set $kernel_if up || fail "cannot set up its interface"
defer ip addr flush dev $kernel_if
start udhcpd busybox udhcpd -f "$tmp/udhcpd.conf"
start httpd busybox httpd -f -v -p $host:80 -h "$tmp/www"

start_card 10 irq=on
start guest qemu-system-x86_64 -no-user-config -no-reboot -nographic -vga none -net none -monitor none \
	-accel tcg -cpu qemu64 -m 128 -object memory-backend-memfd,id=mem,size=128M,share=on \
	-machine q35,memory-backend=mem -serial stdio \
	-chardev "socket,id=c0,path=$tmp/port0.sock" -netdev vhost-user,id=n0,chardev=c0 \
	-device virtio-net-pci,netdev=n0,bootindex=0,vectors=0,mac=52:54:00:00:01:01
got_all()
{
	logged guest 'guest has all' || dead "$(pid_of guest)"
}
wait_for 200 got_all && logged guest 'guest has all' || fail "the guest does not boot from its card"
tr -d '\r' <"$tmp/guest.log" | grep -a "blob : $bytes bytes" ||
	fail "what the guest has is not what was sent"
show 0
unfaulted 0 ipxe || fail "$figures"
grep '^summary' <<<"$figures"
echo "ok: iPXE got an address by DHCP and $bytes bytes by HTTP"
stop "$(pid_of guest)"
finish_relay
