#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors

# The document's feature table is the program's.
# usage: features.sh DPDK-SVQ FEATURES.MD
set -eu
table=$(mktemp)
trap 'rm -f "$table"' EXIT
"$1" --features >"$table"
grep '^|' "$2" | diff "$table" - && exit 0
echo "$2: put the output of dpdk-svq --features in place of its table" >&2
exit 1
