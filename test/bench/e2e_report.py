#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
"""Turn the samples of test/bench/e2e into its report: a table, the targets, a JSON file.

usage: e2e_report.py [--check] [--cores N] [--load L] [--near NS] [--json FILE] SAMPLES
"""

import argparse
import json
import pathlib
import platform
import re
import statistics
import subprocess
import sys

# Ratios of packets a second to net_vhost's.
TARGETS = [("split", "loopback", "64", 1.5), ("split", "loopback", "1500", 2.0),
           ("packed", "loopback", "64", 1.0), ("packed", "loopback", "1500", 1.0)]
# Below that share of a core a sample tells of other programs.
SHARE = 0.95


def tsc_mhz():
    """As the kernel found it: cycles are told in ticks of the TSC."""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("cpu MHz"):
            return float(line.split(":")[1])
    return 0.0


def last_cache(info):
    """The size of the last cache that a core's loads come to; /proc/cpuinfo has another's, on AMD."""
    sizes = sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"))
    return sizes[-1].read_text().strip() if sizes else info.get("cache size", "unknown")


def machine(cores, load):
    info = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M))
    dpdk = subprocess.run(["pkg-config", "--modversion", "libdpdk"], capture_output=True, text=True,
                          check=False).stdout.strip()
    return {"cpu": info.get("model name", "unknown"), "family": info.get("cpu family", "unknown"), "model": info.get("model", "unknown"),
            "mhz": info.get("cpu MHz", "0"), "cache": last_cache(info),
            "kernel": platform.release().split("-")[0], "dpdk": f"DPDK {dpdk}", "cores": cores, "load": load}


class Sample:
    def __init__(self, line):
        fields = line.rstrip("\n").split("\t")
        self.case, self.round, self.subject = tuple(fields[:3]), int(fields[3]), fields[4]
        self.pps, cycles, packets = (int(f) for f in fields[5:8])
        self.back_share, self.front_share = int(fields[8]) / 1000, int(fields[9]) / 1000
        self.lines = [float(f) for f in fields[10:12]]
        self.cycles = cycles / packets if packets > 0 else 0.0


def one_row(case, pairs):
    """Figures of one case: medians over the rounds, ratios of samples that followed each other."""
    ring, job, size = case
    row = {"name": f"{ring} {job} {size}", "ring": ring, "job": job, "bytes": int(size)}
    for subject, of in zip(("ours", "vhost"), zip(*pairs)):
        row[f"{subject}_mpps"] = statistics.median(s.pps for s in of) / 1e6
        row[f"{subject}_ns"] = statistics.median(s.cycles for s in of) * 1e3 / tsc_mhz()
        row[f"{subject}_share"] = min(min(s.back_share, s.front_share) for s in of)
    row["ratio"] = statistics.median(a.pps / max(b.pps, 1) for a, b in pairs)
    row["ns_ratio"] = statistics.median(b.cycles / a.cycles if a.cycles else 0 for a, b in pairs)
    both = [s for pair in pairs for s in pair]
    row["disturbed"] = sum(min(s.back_share, s.front_share) < SHARE for s in both)
    row["samples"] = len(both)
    row["line_ns"] = statistics.median(line for s in both for line in s.lines)
    return row


def summary(samples, near):
    """Rows of figures with the cores near each other, and with the cores apart. A round in which they were moved is in
    neither; a case that was never seen near is told as it was seen."""
    cases = {}
    for s in samples:
        cases.setdefault(s.case, {}).setdefault(s.round, {})[s.subject] = s
    rows, apart = [], []
    for case, rounds in cases.items():
        pairs = [(by["ours"], by["vhost"]) for by in rounds.values()]
        at = [[line > near for s in pair for line in s.lines] for pair in pairs]
        close = [pair for pair, far in zip(pairs, at) if not any(far)]
        far = [pair for pair, far in zip(pairs, at) if all(far)]
        rows.append(one_row(case, close or far or pairs))
        if close and far:
            apart.append(one_row(case, far))
    return rows, apart


def targets(rows):
    by = {(r["ring"], r["job"], str(r["bytes"])): r for r in rows}
    return [{"name": f"{ring} {job} {size}", "peer": "net_vhost", "at_most": False, "want": want,
             "reached": by[ring, job, size]["ratio"]} for ring, job, size, want in TARGETS if (ring, job, size) in by]


def show_rows(rows):
    print(f"  {'ring, job, bytes':24} {'ours Mpps':>10} {'vhost Mpps':>10} {'ratio':>7} "
          f"{'ours ns':>9} {'vhost ns':>9} {'ratio':>7} {'line ns':>8}  disturbed")
    for r in rows:
        print(f"  {r['name']:24} {r['ours_mpps']:10.2f} {r['vhost_mpps']:10.2f} {r['ratio']:6.2f}x "
              f"{r['ours_ns']:9.1f} {r['vhost_ns']:9.1f} {r['ns_ratio']:6.2f}x {r['line_ns']:8.0f}  {r['disturbed']} of {r['samples']}")


def show(rows, apart, wanted, cores):
    print(f"== end to end: net_virtio_user in testpmd on dpdk-svq, and on net_vhost in testpmd; {cores} cores")
    print("Mpps at the guest; ns a packet: the polling core's time in rounds that moved something;")
    print("line ns: what a cache line takes from core to core\n")
    show_rows(rows)
    if any(r["disturbed"] for r in rows):
        print(f"\n  disturbed: samples in which a polling thread had its core for less than {SHARE:.0%} of the time")
    if apart:
        print("\n== the same while the two cores were far apart\n")
        show_rows(apart)
    print("\n== what is to be reached")
    for t in wanted:
        ok = "ok" if t["reached"] >= t["want"] else "MISS"
        print(f"  {ok:4} {t['name']:24} {t['peer']:12} >= {t['want']:8.2f} {t['reached']:8.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--load", type=float, default=0, help="of the machine, before")
    parser.add_argument("--near", type=float, default=100, help="ns that a line takes at most between near cores")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("samples", type=pathlib.Path)
    args = parser.parse_args()
    samples = [Sample(line) for line in args.samples.read_text().splitlines()]
    idle = [s for s in samples if s.pps == 0 or s.cycles == 0]
    if not samples or idle:
        print("e2e: no packets:", ", ".join(" ".join((*s.case, s.subject)) for s in idle) or "no samples")
        return 1
    if args.check:
        print(f"e2e: all {len(samples)} combinations moved packets")
        return 0
    rows, apart = summary(samples, args.near)
    wanted = targets(rows)
    show(rows, apart, wanted, args.cores)
    if args.json:
        args.json.write_text(json.dumps({"command": "e2e", "machine": [machine(args.cores, args.load)], "cases": rows, "apart": apart,
                                         "targets": wanted}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
