#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# with-hugepages.sh MIB COMMAND [ARG...]
#
# Run COMMAND with at least MIB mebibytes of free 2 MiB hugepages and a mounted hugetlbfs. What had
# to be reserved or mounted for it is given back when COMMAND ends, however it ends.
#
# COMMAND finds SVQ_HUGE_MIB in its environment: the mebibytes that it may count on; 0 if hugepages
# cannot be had here, which is for COMMAND to cope with.
#
# Several of these may run at once. Each leaves a claim in $state, a file named after its process
# with "wanted added" in pages. Pages that others claimed count as taken, whether they use them yet
# or not. A claim whose process is gone (kill -9) is settled by the next one that looks.
set -uo pipefail

sys=/sys/kernel/mm/hugepages/hugepages-2048kB
state=/run/dpdk-svq-hugepages
mnt=/dev/hugepages

# A caller without a standard input, such as a CI machine, is no reason to fail.
[ -e /proc/self/fd/0 ] || exec </dev/null

[ $# -ge 2 ] || { echo "usage: with-hugepages.sh MIB COMMAND [ARG...]" >&2; exit 2; }
want=$((($1 + 1) / 2))
shift

# Inside another with-hugepages.sh that claimed enough there is nothing to do.
if [ "${SVQ_HUGE_MIB:-0}" -ge $((want * 2)) ]; then
	exec "$@"
fi

unavailable()
{
	echo "with-hugepages: $1" >&2
	SVQ_HUGE_MIB=0 exec "${@:2}"
}

[ -d "$sys" ] || unavailable "this kernel has no 2 MiB hugepages" "$@"
[ -w "$sys/nr_hugepages" ] && mkdir -p "$state" 2>/dev/null ||
	unavailable "cannot reserve hugepages; needs root" "$@"

read_num()
{
	local n

	read -r n <"$1" && echo "$n"
}

# Change the number of reserved pages by $1; print by how many it really changed.
reserve()
{
	local before after

	before=$(read_num $sys/nr_hugepages)
	echo $((before + $1 > 0 ? before + $1 : 0)) >$sys/nr_hugepages 2>/dev/null || true
	after=$(read_num $sys/nr_hugepages)
	echo $((after - before))
}

# Give back what the claim $1 added, and forget it.
settle()
{
	local wanted added

	read -r wanted added <"$1" || added=0
	[ "$added" -le 0 ] || reserve "-$added" >/dev/null
	rm -f "$1"
}

settle_dead()
{
	local claim

	for claim in "$state"/[0-9]*; do
		[ -e "$claim" ] || continue
		[ -d "/proc/${claim##*/}" ] || settle "$claim"
	done
}

claimed()
{
	local claim wanted added sum=0

	for claim in "$state"/[0-9]*; do
		[ -e "$claim" ] || continue
		read -r wanted added <"$claim" && sum=$((sum + wanted))
	done
	echo $sum
}

mounted()
{
	awk '$3 == "hugetlbfs" && $4 ~ /pagesize=2M/ { found = 1 } END { exit !found }' /proc/mounts
}

claim()
{
	local unclaimed lack added=0

	settle_dead
	unclaimed=$(($(read_num $sys/free_hugepages) - $(claimed)))
	lack=$((want - (unclaimed > 0 ? unclaimed : 0)))
	if [ $lack -gt 0 ]; then
		added=$(reserve $lack)
		if [ "$added" -lt $lack ] && [ -w /proc/sys/vm/compact_memory ]; then
			# Memory is fragmented: drop clean caches, compact, and ask again.
			echo 3 >/proc/sys/vm/drop_caches
			echo 1 >/proc/sys/vm/compact_memory
			added=$((added + $(reserve $((lack - added)))))
		fi
	fi
	have=$want
	[ $lack -le 0 ] || have=$((want - lack + added))
	echo "$want $added" >"$state/$$"
	if ! mounted; then
		[ -d $mnt ] || { mkdir -p $mnt && : >"$state/made-dir"; }
		mount -t hugetlbfs -o pagesize=2M none $mnt && : >"$state/mounted"
	fi
	mounted || have=0
}

release()
{
	exec 9>"$state/lock" && flock 9
	[ ! -e "$state/$$" ] || settle "$state/$$"
	settle_dead
	if [ -z "$(compgen -G "$state/[0-9]*")" ]; then
		# Busy or not ours: then it stays.
		if [ -e "$state/mounted" ] && umount $mnt 2>/dev/null; then
			rm -f "$state/mounted"
			[ ! -e "$state/made-dir" ] || rmdir $mnt 2>/dev/null
			rm -f "$state/made-dir"
		fi
	fi
	exec 9>&-
}

have=0
exec 9>"$state/lock"
flock 9
trap release EXIT
claim
exec 9>&-

if [ $have -lt $want ]; then
	echo "with-hugepages: only $((have * 2)) of $((want * 2)) MiB of hugepages could be had" >&2
fi

# The terminal sends SIGINT to COMMAND itself; what only we get is passed on. Either way COMMAND
# ends first, then the claim. Bash would have a background process ignore SIGINT, hence env.
child=
trap '[ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM HUP
trap : INT
SVQ_HUGE_MIB=$((have * 2)) env --default-signal=INT,QUIT "$@" <&0 &
child=$!
while :; do
	wait "$child"
	rc=$?
	kill -0 "$child" 2>/dev/null || break
done
exit $rc
