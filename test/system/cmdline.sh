#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
#
# The launcher's command line, signals and prompt.
# shellcheck disable=SC2154 # lib.sh sets tmp and others
. "$(dirname "$0")/lib.sh"

prefix=svqcmd$$
small=(--no-huge -m 128 --no-pci --file-prefix "$prefix")
eal=("${small[@]}" --lcores "0@$cpu_a,1@$cpu_b")
soft=(--vdev 'vdpa_svq0,device=soft')
sock=$tmp/s.sock
iface=(--iface "$sock,dev=vdpa_svq0")
defer rm -rf "/var/run/dpdk/$prefix"

ok()
{
	echo "ok: $*"
}

# What a run that failed may leave: nothing in our directory but logs, no hugepage file.
leftovers()
{
	find "$tmp" -mindepth 1 ! -name '*.out' ! -name '*.log' ! -name 'keep*'
	awk '$3 == "hugetlbfs" { print $2 }' /proc/mounts | while read -r dir; do
		find "$dir" -maxdepth 1 -name "*$prefix*"
	done
}

# refused NAME CAUSE CURE ARGUMENT...: status 1, one line of ours, the last, that says both.
refused()
{
	local name=$1 cause=$2 cure=$3 before rc line
	shift 3

	before=$(leftovers)
	timeout 30 "$dpdk_svq" "$@" >"$tmp/run.out" 2>"$tmp/run.log" </dev/null
	rc=$?
	[ $rc -eq 1 ] || fail "$name: exit status $rc, not 1"
	[ "$(grep -c '^dpdk-svq: ' "$tmp/run.log")" -eq 1 ] || fail "$name: not one line of ours"
	# EAL prints its own usage there.
	[ ! -s "$tmp/run.out" ] || [ "$name" = 'EAL option' ] || fail "$name: wrote to standard output"
	line=$(tail -n 1 "$tmp/run.log")
	case $line in
	"dpdk-svq: "*"$cause"*"$cure"*) ;;
	*) fail "$name: last line is: $line" ;;
	esac
	[ "$(leftovers)" = "$before" ] || fail "$name: left behind: $(leftovers)"
	ok "refused: $name"
}

# ---- bad command lines ----
long=$tmp/$(printf 'p%.0s' {1..108})
refused 'nothing to do' 'nothing to do' '--iface PATH,dev=NAME' "${eal[@]}"
refused 'unknown option' '--frob' '--help' "${eal[@]}" -- -i --frob
refused 'option of ours before --' 'nothing to do' 'behind a --' "${iface[@]}"
refused 'bad --stats-period' '--stats-period 0' '1 to 3600' "${eal[@]}" -- -i --stats-period 0
refused 'no device in --iface' 'no device' 'dev=NAME' "${eal[@]}" -- --iface "$sock"
refused 'socket path too long' 'bytes' 'shorter' "${eal[@]}" "${soft[@]}" -- \
	--iface "$long,dev=vdpa_svq0"
refused 'duplicate socket' 'given twice' 'of its own' "${eal[@]}" "${soft[@]}" -- "${iface[@]}" \
	--iface "$sock,dev=vdpa_svq1"
refused 'device used twice' 'used twice' 'of its own' "${eal[@]}" "${soft[@]}" -- "${iface[@]}" \
	--iface "$tmp/t.sock,dev=vdpa_svq0"
refused 'unknown device' 'no device vdpa_svq7' '--vdev vdpa_svq7' "${eal[@]}" "${soft[@]}" -- \
	--iface "$sock,dev=vdpa_svq7"
refused 'one device of two unknown' 'no device vdpa_svq7' '--vdev vdpa_svq7' "${eal[@]}" \
	"${soft[@]}" -- "${iface[@]}" --iface "$tmp/t.sock,dev=vdpa_svq7"
refused 'unknown device type' 'no device vdpa_svq0' 'correct its --vdev' "${eal[@]}" \
	--vdev 'vdpa_svq0,device=nonsense' -- "${iface[@]}"
refused 'unknown backend' 'no device vdpa_svq0' 'correct its --vdev' "${eal[@]}" \
	--vdev 'vdpa_svq0,device=soft,backend=nonsense' -- "${iface[@]}"
refused 'no worker lcore' 'no worker lcore' 'two lcores' --no-huge -m 128 --no-pci -l 0 \
	--file-prefix "$prefix" "${soft[@]}" -- "${iface[@]}"
refused 'EAL option' 'EAL did not start' 'above' --no-such-eal-option -- "${iface[@]}"
refused 'directory missing' 'does not exist' 'create it' "${eal[@]}" "${soft[@]}" -- \
	--iface "$tmp/none/s.sock,dev=vdpa_svq0"

echo data >"$tmp/keep.file"
refused 'path is a file' 'no socket' 'remove it' "${eal[@]}" "${soft[@]}" -- \
	--iface "$tmp/keep.file,dev=vdpa_svq0"
[ "$(cat "$tmp/keep.file")" = data ] || fail 'path is a file: the file was touched'

# ---- help and version need nothing ----
"$dpdk_svq" --version >"$tmp/run.out" || fail '--version: status'
grep -q '^dpdk-svq [0-9.]* (DPDK ' "$tmp/run.out" || fail '--version'
for arg in '--help' '-h' '-- --help' '-- -h'; do
	# shellcheck disable=SC2086
	"$dpdk_svq" $arg >"$tmp/run.out" 2>"$tmp/run.log" || fail "$arg: status"
	for word in --iface irq=on idle_us= --interactive --stats-period --features --version device= queues= queue_size= \
		backend= port= apertures= mac= doc/options.md; do
		grep -q -e "$word" "$tmp/run.out" || fail "$arg does not tell of $word"
	done
	[ ! -s "$tmp/run.log" ] || fail "$arg: wrote to standard error"
done
ok 'help and version'

# ---- signals ----
# end NAME SIGNAL: it ends cleanly, and leaves nothing.
end()
{
	local rc

	kill -"$2" "$(pid_of "$1")"
	finish "$1" 20
	rc=$?
	[ $rc -eq 0 ] || fail "$1: exit status $rc after SIG$2"
	[ -z "$(leftovers)" ] || fail "$1: left behind after SIG$2: $(leftovers)"
}

run_relay()
{
	start relay "$dpdk_svq" "${eal[@]}" "${soft[@]}" -- "${iface[@]}" "$@"
	wait_for 20 relay_settled relay
	logged relay '^dpdk-svq: ready, 1 port(s), 1 worker(s)$' || fail 'it did not start'
	[ -S "$sock" ] || fail 'no socket while it runs'
}

for sig in INT TERM; do
	run_relay --stats-period 1
	if [ $sig = INT ]; then
		refused 'socket taken' 'taken' 'another path' "${small[@]}" "${soft[@]}" -- \
			"${iface[@]}"
		[ -S "$sock" ] || fail 'the live socket was removed'
	fi
	wait_for 5 logged relay '\[pkt/s\]' || fail 'no table after --stats-period'
	end relay $sig
	logged relay '^summary port 0: tx_chains 0 rx_chains 0 iommu_faults 0 ' || fail 'no summary'
	ok "SIG$sig stops it cleanly"
done

# A socket file that nobody listens on is replaced.
run_relay
kill -KILL "$(pid_of relay)"
finish relay 5
[ -S "$sock" ] || fail 'a killed relay leaves its socket file'
run_relay
end relay TERM
ok 'a stale socket is replaced'

# ---- the prompt ----
# prompt INPUT ARGUMENT...: run a batch, output in prompt.out.
prompt()
{
	local input=$1
	shift

	printf '%b' "$input" | timeout 60 "$dpdk_svq" "${eal[@]}" "$@" -i \
		>"$tmp/prompt.out" 2>"$tmp/prompt.log" || fail "prompt: status $?"
	[ -z "$(leftovers)" ] || fail "prompt: left behind: $(leftovers)"
}

# said PATTERN: the prompt's output has such a line.
said()
{
	grep -q -e "$1" "$tmp/prompt.out" || fail "prompt did not say: $1"
}

prompt 'help\nshow devices\nshow ports\nshow workers\nshow port 0 stats\nshow port 0 queues\n'\
'show port 0 memory\nshow port 0 iova\nclear port 0 stats\nquit\n' "${soft[@]}" -- "${iface[@]}"
for word in 'show devices|ports|workers' 'show port N stats|queues|memory|iova' \
	'clear port N stats' 'port create PATH DEV' 'port delete N' 'device add NAME' \
	'device del NAME' 'quit'; do
	said "^  $word"
done
said '^device vdpa_svq0: type soft port '
said "^port 0: path $sock dev vdpa_svq0 mode server state idle "
said '^worker 0: lcore 1 numa [0-9-]* pairs 0 polls '
said '^device: iommu_faults 0 translations 0 '
said '^port: connections 0 '
said '^summary port 0: tx_chains 0 rx_chains 0 '
said '^queue 0 rx: ready no attached no '
said '^queue 1 tx: ready no attached no '
said '^port 0 stats cleared$'
ok 'prompt: every show command'

prompt 'show port 0 iova\n' \
	--vdev vdpa_svq0,device=soft,apertures=100000-3fffffff+100000000-ffffffffff+20000000000-200000fffff \
	-- "${iface[@]}"
said '^IOVA apertures of vdpa_svq0: 3, granule 4 KiB$'
said '^  0x0000000000100000  0x000000003fffffff  *1023 MiB$'
said '^  0x0000000040000000  0x00000000ffffffff  *3 GiB  hole$'
said '^  0x0000000100000000  0x000000ffffffffff  *1020 GiB$'
said '^  0x0000010000000000  0x000001ffffffffff  *1 TiB  hole$'
said '^  0x0000020000000000  0x00000200000fffff  *1 MiB$'
said '^  0 ranges in use, 0 B; free 1021 GiB; largest gap 1020 GiB$'
ok 'prompt: apertures, holes, free space and the largest gap'

b=$tmp/b.sock
prompt "device add vdpa_svq5,device=soft,queues=2\ndevice add vdpa_svq5,device=soft\n\
port create $b vdpa_svq5\nport create $tmp/c.sock vdpa_svq5\nport create $b vdpa_svq0\n\
device del vdpa_svq5\nshow ports\nport delete 0\nport create $b vdpa_svq5 client\nport delete 0\n\
device del vdpa_svq5\ndevice del vdpa_svq5\nshow ports\nshow devices\n" --
said '^device added$'
said '^device vdpa_svq5 exists already'
said '^port 0 created$'
said "^device vdpa_svq5 serves $b already"
said "^socket $b is taken"
said "^device vdpa_svq5 has port 0; 'port delete 0' first"
said "^port 0: path $b dev vdpa_svq5 mode server state idle pairs 0/2 "
said '^port 0 deleted$'
said '^device vdpa_svq5 removed$'
said "^no device vdpa_svq5; 'show devices'"
said "^no port; 'port create"
said "^no device; 'device add"
ok 'prompt: devices and ports come and go; the end of input quits'

prompt "nonsense\nshow\nshow port 9 stats\nshow port x stats\nport create\nport create $b none\n\
port create $long vdpa_svq0\nport delete 3\nclear port 4 stats\ndevice add\n\
device add vdpa_svq6,device=nonsense\ndevice add vdpa_svq6,device=soft,queues=0\ndevice del\n\
device del none\nquit now\n" "${soft[@]}" --
said "^unknown command 'nonsense'; 'help' lists the commands$"
said '^usage: show devices|ports|workers | show port N stats|queues|memory|iova$'
said "^no port 9; 'show ports' lists them$"
said '^usage: show port N stats|queues|memory|iova$'
said '^usage: port create PATH DEV | port create PATH DEV OPTION\[,OPTION...\]$'
said '^no device none; '
said "^no port 3; 'show ports'"
said "^no port 4; 'show ports'"
said '^usage: device add NAME,KEY=VALUE,...$'
said '^device vdpa_svq6 was not created '
said '^usage: device del NAME$'
said "^no device none; 'show devices'"
said '^usage: quit$'
ok 'prompt: wrong arguments get one line each'

# A signal ends the prompt too, while it waits for input.
run_relay -i
tell relay 'show ports'
wait_for 5 logged relay '^port 0: ' || fail 'the prompt did not answer'
end relay TERM
ok 'prompt: a signal ends it'

# ---- hugepages ----
if [ "$SVQ_HUGE_MIB" -gt 0 ]; then
	printf 'show ports\nquit\n' | timeout 60 "$dpdk_svq" -m 64 --no-pci --file-prefix "$prefix" \
		--lcores "0@$cpu_a,1@$cpu_b" "${soft[@]}" -- "${iface[@]}" -i \
		>"$tmp/prompt.out" 2>"$tmp/prompt.log" || fail "with hugepages: status $?"
	said '^port 0: '
	[ -z "$(leftovers)" ] || fail "with hugepages: left behind: $(leftovers)"
	ok 'no hugepage file is left'
else
	echo 'not checked: hugepage files (no free hugepages)'
fi

# ---- an ethdev behind the device ----
tap=svqt$$
if [ -c /dev/net/tun ] && [ "$(id -u)" -eq 0 ]; then
	prompt 'show devices\nquit\n' --vdev "net_tap0,iface=$tap" \
		--vdev 'vdpa_svq0,device=soft,port=net_tap0' -- "${iface[@]}"
	said '^device vdpa_svq0: type soft '
	said net_tap0
	ok 'port=net_tap0: the tap driver is found and used'
	refused 'port= before its ethdev' 'no device vdpa_svq0' 'message above' "${eal[@]}" \
		--vdev 'vdpa_svq0,device=soft,port=net_tap0' --vdev "net_tap0,iface=$tap" -- \
		"${iface[@]}"
else
	echo 'not checked: port=net_tap0 (needs root and /dev/net/tun)'
fi
