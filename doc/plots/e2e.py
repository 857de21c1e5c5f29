#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
"""Draw doc/e2e.svg from the figures of `svq-bench e2e --json` and put them, and those of
`svq-bench pair --json`, into the tables of doc/performance.md.

usage: doc/plots/e2e.py    (from doc/plots/e2e.json and doc/plots/pair.json)
"""

import json

from svg import DOC, HERE, Svg, fill_in, machine_line, number

BOTH = [("ours", "ours", "#c8391d"), ("vhost", "net_vhost", "#1f4e79")]


def draw(figures, path):
    rows = figures["cases"]
    left, top, width, height, bar = 60, 50, 840, 240, 34
    svg = Svg(left + width + 130, top + height + 60, "End to end: million packets a second")
    high = max(max(r["ours_mpps"], r["vhost_mpps"]) for r in rows) * 1.12
    svg.text(left, 24, "Million packets a second at a testpmd guest", extra=' font-weight="bold"')
    step = 5 if high > 12 else 2 if high > 5 else 1
    for tick in range(0, int(high) + 1, step):
        y = top + height - tick / high * height
        svg.line(left, y, left + width, y, "#ddd")
        svg.text(left - 6, y + 4, str(tick), "end")
    group = width / len(rows)
    for i, r in enumerate(rows):
        x = left + i * group + (group - 2 * bar) / 2
        for k, (key, _, colour) in enumerate(BOTH):
            mpps = r[f"{key}_mpps"]
            tall = mpps / high * height
            svg.bar(x + k * bar, top + height - tall, bar - 4, tall, colour)
            svg.text(x + k * bar + (bar - 4) / 2, top + height - tall - 4, number(mpps), "middle", extra=' font-size="10"')
        svg.text(left + (i + 0.5) * group, top + height + 18, f"{r['ring']} {r['job']}", "middle", extra=' font-size="11"')
        svg.text(left + (i + 0.5) * group, top + height + 34, f"{r['bytes']} bytes", "middle", extra=' font-size="11"')
    for k, (_, label, colour) in enumerate(BOTH):
        svg.bar(left + width + 16, top + 10 + k * 20, 12, 12, colour)
        svg.text(left + width + 34, top + 20 + k * 20, label, colour=colour)
    svg.write(path)


def e2e_table(rows):
    out = ["| ring, job, bytes | ours, Mpps | net_vhost, Mpps | ratio | ours, busy ns | net_vhost, busy ns | ratio | a line, ns "
           "| disturbed samples |", "|---" * 9 + "|"]
    for r in rows:
        out.append(f"| {r['ring']}, {r['job']}, {r['bytes']} | {number(r['ours_mpps'])} | {number(r['vhost_mpps'])} "
                   f"| **{number(r['ratio'])}x** | {number(r['ours_ns'])} | {number(r['vhost_ns'])} | {number(r['ns_ratio'])}x "
                   f"| {r['line_ns']:.0f} | {r['disturbed']} of {r['samples']} |")
    return out


def target_table(figures):
    out = ["| end to end beside net_vhost | wanted | reached | |", "|---|---|---|---|"]
    for t in figures["targets"]:
        met = "met" if t["reached"] >= t["want"] else "**not met**"
        out.append(f"| {t['name']} | at least {t['want']:g}x | {number(t['reached'])}x | {met} |")
    return out


def pair_table(figures):
    one = {c["name"]: c for c in figures["cases"] if c.get("cores", 1) == 1}
    two = {c["name"]: c for c in figures["cases"] if c.get("cores", 1) == 2}
    out = ["| ring, job, bytes | relay, to the device | device | relay, back | ours, one core | net_vhost | ratio "
           "| ours, Mpps on two cores | net_vhost | ratio |", "|---" * 10 + "|"]
    for name, c in one.items():
        t = two.get(name)
        cores = f"| {number(t['mpps'])} | {number(t['vhost_mpps'])} | **{number(t['ratio'])}x** |" if t else "| | | |"
        out.append(f"| {name.replace(' ', ', ')} | {number(c['avail_ns'])} | {number(c['device_ns'])} | {number(c['used_ns'])} "
                   f"| {number(c['ns'])} | {number(c['vhost_ns'])} | {number(c['ratio'])}x " + cores)
    return out


def main():
    e2e, pair = (json.loads((HERE / f"{name}.json").read_text()) for name in ("e2e", "pair"))
    fill_in({"e2e machine": machine_line(e2e), "e2e": e2e_table(e2e["cases"]),
             "e2e apart": e2e_table(e2e["apart"]), "e2e targets": target_table(e2e), "pair": pair_table(pair)})
    draw(e2e, DOC / "e2e.svg")


if __name__ == "__main__":
    main()
