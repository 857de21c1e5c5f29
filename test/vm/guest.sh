# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# A Linux guest under QEMU on a vhost-user socket; to be sourced after ../system/lib.sh.
#
# The guest is Debian's kernel (kernel.sh) with an initramfs made of busybox, the virtio modules and
# a script of the caller's. It is emulated (TCG): nothing but QEMU is asked of the host.

svq_vm=$svq_top/test/vm
svq_kernel=$svq_top/build-test/vm/kernel
guest_modules=(virtio_pci virtio_net)

# guest_initramfs VERSION SCRIPT IMAGE
guest_initramfs()
{
	local version=$1 script=$2 image=$3 root=$3.d module path

	mkdir -p "$root/bin" "$root/modules" || return
	cp "$svq_vm/init" "$root/init" &&
		cp "$script" "$root/run.sh" &&
		cp "$(command -v busybox)" "$root/bin/busybox" || return
	for module in "${guest_modules[@]}"; do
		modprobe -d "$svq_kernel" -S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r path; do
			cp "$path" "$root/modules/" && basename "$path"
		done >"$root/modules.list"
	[ -s "$root/modules.list" ] || return
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$image"
}

# guest_start NAME SOCKET SCRIPT [QEMU-ARGUMENT...]: boot; SCRIPT is run by the guest's shell, its
# only network interface is eth0. Console in $tmp/NAME-console.log, SCRIPT's output in $tmp/NAME.out.
guest_start()
{
	local name=$1 sock=$2 script=$3 version mem=${SVQ_GUEST_MIB:-384}
	shift 3

	version=$("$svq_vm/kernel.sh" "$svq_kernel") || fail "no kernel for the guest"
	guest_initramfs "$version" "$script" "$tmp/$name.cpio" || fail "no initramfs for the guest"
	# vectors=0: QEMU 7.2 under TCG crashes with MSI-X over vhost-user.
	start "$name" qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none \
		-accel tcg,thread=multi -cpu qemu64 -smp 1 -m "$mem" \
		-object "memory-backend-memfd,id=mem,size=${mem}M,share=on" \
		-machine q35,memory-backend=mem \
		-kernel "$svq_kernel/boot/vmlinuz-$version" -initrd "$tmp/$name.cpio" \
		-append "console=ttyS0 loglevel=4 panic=-1 tsc=unstable" \
		-serial "file:$tmp/$name-console.log" -serial "file:$tmp/$name.out" \
		-chardev "socket,id=c0,path=$sock" -netdev "vhost-user,id=n0,chardev=c0" \
		-device "virtio-net-pci,netdev=n0,mac=52:54:00:00:00:01,vectors=0" "$@"
}

guest_up()
{
	grep -q '^guest: up' "$tmp/$1.out" 2>/dev/null || dead "$(pid_of "$1")"
}

# guest_finish NAME SECONDS: wait for the guest's power-off; the exit status of its script, or 124.
guest_finish()
{
	local rc

	finish "$1" "$2" || return 124
	rc=$(tr -d '\r' <"$tmp/$1.out" | sed -n 's/^guest: exit //p')
	return "${rc:-125}"
}
