#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# Install the packages of config/packages.txt that are missing. Quick when none is.
set -euo pipefail

list=$(dirname "$0")/packages.txt
mapfile -t wanted < <(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$list")

if ! command -v dpkg-query >/dev/null; then
	echo "install-packages: no dpkg here; install what $list names with your package manager" >&2
	exit 0
fi

missing()
{
	local installed

	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
		sed -n 's/ installed$//p') || true
	comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(sort -u <<<"$installed")
}

mapfile -t need < <(missing)
[ "${#need[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "install-packages: not root, and these packages are missing; install them with" >&2
	echo "    sudo apt-get install --no-install-recommends ${need[*]}" >&2
	exit 1
fi

echo "installing: ${need[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Somebody else may hold dpkg's lock for a while, and a mirror may be slow to answer.
apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${need[@]}"; } \
	>"$log" 2>&1 </dev/null; then
	cat "$log" >&2
	echo "install-packages: apt-get failed, see above" >&2
	exit 1
fi
