#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# install-default.sh FILE TARGET: for meson install. What an operator has written is not written over.
set -eu

file=$1
target=${DESTDIR:-}$2
if [ -e "$target" ]; then
	echo "Keeping $target"
else
	echo "Installing $file to $target"
	mkdir -p "$(dirname "$target")"
	install -m 644 "$file" "$target"
fi
