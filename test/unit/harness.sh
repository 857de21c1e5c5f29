#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# harness.sh PROGRAM EAL-ARGUMENT...: the harness as seen from outside: names, prompt, exit status.
set -uo pipefail

program=("$@")
unset DPDK_TEST
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# gives STATUS TEXT [ARGUMENT...]: with standard input ours; TEXT has to be in the output.
gives()
{
	local status=$1 text=$2 rc
	shift 2

	"${program[@]}" "$@" >"$out" 2>&1
	rc=$?
	if [ $rc -ne "$status" ] || ! grep -q -- "$text" "$out"; then
		echo "FAIL: status $rc, expected $status and '$text' of: $*"
		cat "$out"
		exit 1
	fi
}

gives 0 '^Test harness_autotest: OK' -- harness_autotest </dev/null
gives 77 '^SKIP: it always is' -- harness_skipped_autotest </dev/null
gives 1 '^Test harness_failing_autotest: Failed' -- harness_failing_autotest </dev/null
gives 1 '^Test harness_empty_autotest: Failed' -- harness_empty_autotest </dev/null
gives 0 '^Test harness_skipped_autotest: Skipped' -- harness_skipped_autotest harness_autotest </dev/null
gives 1 'no test named' -- harness_autotest nosuch </dev/null
DPDK_TEST='harness_skipped_autotest,harness_skipped_autotest' gives 77 'SKIP' </dev/null
DPDK_TEST=' ' gives 1 'no test was named' </dev/null
gives 0 'harness_autotest$' <<<list
gives 0 '^Test harness_autotest: OK' <<<$'harness_autotest\nquit\nnosuch'
gives 1 'no test named' <<<$'nosuch\nharness_autotest'
