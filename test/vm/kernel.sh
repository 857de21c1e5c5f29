#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# kernel.sh DIR [FLAVOUR...]: fetch Debian's newest 6.1 kernel and unpack it into DIR, unless one is
# there. Nothing is installed on the host. Prints the kernel's version; the image is then
# DIR/boot/vmlinuz-VERSION, the modules DIR/lib/modules/VERSION.
#
# The first FLAVOUR that Debian has is taken. cloud-amd64 is a third of the size and has every virtio
# driver; amd64 has 9p, too.
set -euo pipefail

dir=$1
shift
[ $# -gt 0 ] || set -- cloud-amd64 amd64
flavours=("$@")

version()
{
	basename "$(compgen -G "$dir/lib/modules/*/modules.dep.bin" | head -n 1 | xargs -r dirname)"
}

newest()
{
	local flavour

	for flavour in "${flavours[@]}"; do
		apt-cache pkgnames linux-image-6.1.0- | grep -xE "linux-image-6\.1\.0-[0-9]+-$flavour" |
			sort -V | tail -n 1 | grep . && return
	done
	return 1
}

download()
{
	local package

	package=$(newest) && echo "fetching $package" >&2 &&
		# _apt, to whom apt would drop its rights, may not be able to write here.
		(cd "$dir.new" && apt-get -q -o APT::Sandbox::User=root download "$package" >&2)
}

fetch()
{
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	# A new machine has no list of packages, an old one may name what is gone.
	download || { apt-get -q update >&2 && download; } || {
		echo "kernel.sh: cannot fetch a linux-image-6.1.0-* of ${flavours[*]}" >&2
		exit 1
	}
	(cd "$dir.new" && dpkg -x ./*.deb . && rm -rf ./*.deb usr/share)
	depmod -b "$dir.new" "$(basename "$dir.new"/lib/modules/*)"
	rm -rf "$dir"
	mv "$dir.new" "$dir"
}

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9
compgen -G "$dir/lib/modules/*/modules.dep.bin" >/dev/null || fetch
version
