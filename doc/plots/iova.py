#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
"""Draw doc/iova-lookup.svg and doc/iova-churn.svg from the figures of `svq-bench iova --json`, and
put them into the tables of doc/performance.md.

usage: doc/plots/iova.py [JSON]    (doc/plots/iova.json by default)
"""

from svg import DOC, LogAxis, Svg, apart, fill_in, load, machine_line, number

REGIONS = ["2", "3", "8", "64", "512"]
PATTERNS = ["random", "sequential", "alternating"]
# Name in the figures, label, colour, width of the line.
SERIES = [
    ("ours", "ours", "#c8391d", 3),
    ("ours-scalar", "ours, no vectors", "#e8927c", 2.2),
    ("QEMU (GTree foreach)", "QEMU (GTree foreach)", "#1f4e79", 1.6),
    ("GTree lookup", "GTree lookup", "#5b9bd5", 1.6),
    ("librte_vhost (scan)", "librte_vhost (scan)", "#3f7d3f", 1.6),
    ("RB tree", "RB tree", "#8f6bb0", 1.6),
    ("rte_hash", "rte_hash", "#a67c00", 1.6),
    ("rte_hash bulk", "rte_hash bulk", "#d9b84a", 1.6),
    ("floor (one add)", "floor: one addition", "#999999", 1.4),
]
CHURN_COLOURS = ["#c8391d", "#1f4e79", "#3f7d3f"]


def lookup_table(figures):
    """{(pattern, regions): {method: median ns}}"""
    table = {}
    for case in figures["cases"]:
        words = case["name"].split()
        if len(words) != 2 or words[0] not in PATTERNS:
            continue
        row = table.setdefault((words[0], words[1]), {})
        row["ours"] = case["ours_ns"]
        row[case["peer"]] = case["peer_ns"]
    return table


def draw_lookup(figures, path):
    table = lookup_table(figures)
    left, top, panel, gap, height = 60, 60, 245, 22, 400
    svg = Svg(left + 3 * (panel + gap) + 150, top + height + 70,
              "Nanoseconds a lookup, by method and number of regions")
    axis = LogAxis(0.1, 3000, top + height, top)
    svg.text(left, 24, "ns for one address -> IOVA with bounds check, in bursts of 32 (median; logarithmic)",
             extra=' font-weight="bold"')
    for number, pattern in enumerate(PATTERNS):
        x0 = left + number * (panel + gap)
        axis.grid(svg, x0, x0 + panel, number == 0)
        svg.text(x0 + panel / 2, top - 12, f"{pattern} addresses", "middle")
        xs = [x0 + 22 + i * (panel - 44) / (len(REGIONS) - 1) for i in range(len(REGIONS))]
        for x, regions in zip(xs, REGIONS):
            svg.text(x, top + height + 18, regions, "middle")
        svg.text(x0 + panel / 2, top + height + 38, "regions", "middle")
        labels = []
        for name, label, colour, width in reversed(SERIES):
            points = [(x, axis.y(table[pattern, r][name])) for x, r in zip(xs, REGIONS)]
            svg.curve(points, colour, width)
            labels.append([points[-1][1], label, colour, points[-1][0]])
        if number == len(PATTERNS) - 1:
            for y, label, colour, x in apart(labels, 14):
                svg.text(x + 12, y + 4, label, colour=colour)
    machine = figures["machine"][0]
    svg.text(left, top + height + 62, f"{machine['cpu']} (model {machine['model']}), {machine['dpdk']}, "
             f"compiler {machine['compiler']}", colour="#777")
    svg.write(path)


def draw_churn(figures, path):
    kinds = {}
    for row in figures["changes"]:
        if row["name"].startswith("churn "):
            kinds.setdefault(row["name"][6:], []).append((row["live"], row["ns"]))
    left, top, width, height = 70, 50, 420, 260
    svg = Svg(left + width + 220, top + height + 60, "Allocator under random churn")
    axis = LogAxis(100, 100000, top + height, top)
    svg.text(left, 24, "ns for one range given back and one taken (logarithmic)", extra=' font-weight="bold"')
    axis.grid(svg, left, left + width, True)
    counts = sorted({live for points in kinds.values() for live, _ in points})
    at = {live: left + 30 + i * (width - 60) / max(len(counts) - 1, 1) for i, live in enumerate(counts)}
    for live, x in at.items():
        svg.text(x, top + height + 18, f"{live:,}", "middle")
    svg.text(left + width / 2, top + height + 40, "live allocations", "middle")
    labels = []
    for (name, points), colour in zip(kinds.items(), CHURN_COLOURS):
        curve = [(at[live], axis.y(ns)) for live, ns in points]
        svg.curve(curve, colour, 2)
        labels.append([curve[-1][1], name, colour])
    for y, label, colour in apart(labels, 15):
        svg.text(left + width - 18, y + 4, label, colour=colour)
    svg.write(path)


def ratio_table(figures, pattern):
    """{(regions, method): times what ours takes}"""
    return {(c["name"].split()[1], c["peer"]): c["ratio"] for c in figures["cases"]
            if c["name"].split()[0] == pattern and len(c["name"].split()) == 2}


def lookup_tables(figures):
    table = lookup_table(figures)
    out = []
    for pattern in PATTERNS:
        ratios = ratio_table(figures, pattern)
        out.append(f"| {pattern} |" + "".join(f" {r} |" for r in REGIONS))
        out.append("|---|" + "---|" * len(REGIONS))
        for name, label, _, _ in SERIES:
            cells = [f"**{table[pattern, r][name]:.2f}**" if name == "ours" else
                     f"{number(table[pattern, r][name])} ({number(ratios[r, name])})" for r in REGIONS]
            out.append(f"| {label} | " + " | ".join(cells) + " |")
        out.append("")
    return out[:-1]


def change_table(figures):
    changes = {row["name"]: row for row in figures["changes"]}
    memory = {row["name"]: row for row in figures["memory"]}
    out = ["| regions | map, us | unmap, us | bytes | on 2 MiB pages | on 1 GiB pages | placed plainly, on 2 MiB pages |",
           "|---" * 7 + "|"]
    for r in REGIONS:
        change, mem = changes[f"change {r}"], memory[f"memory {r}"]
        out.append(f"| {r} | {change['map_ns'] / 1000:.2f} | {change['unmap_ns'] / 1000:.2f} | {mem['bytes']:,} "
                   f"| {mem['share_2m']:.0f} % | {mem['share_1g']:.0f} % | {mem['plain_2m']:.0f} % |")
    return out


def churn_table(figures):
    kinds = {}
    for row in figures["changes"]:
        if row["name"].startswith("churn "):
            kinds.setdefault(row["name"][6:], {})[row["live"]] = row["ns"]
    counts = sorted(next(iter(kinds.values())))
    out = ["| ns, with so many live |" + "".join(f" {c:,} |" for c in counts), "|---" * (len(counts) + 1) + "|"]
    for name, ns in kinds.items():
        out.append(f"| {name} |" + "".join(f" {ns[c]:,} |" for c in counts))
    return out


def target_table(figures):
    out = ["| figure | wanted | reached |", "|---|---|---|"]
    for t in figures["targets"]:
        bound = "at most" if t["at_most"] else "at least"
        kind = t["name"].split()[0]
        if kind == "memory":
            what, wanted, reached = f"bytes of the tables, {t['peer']} regions", f"{t['want']:,.0f}", f"{t['reached']:,.0f}"
        else:
            what = f"{t['name']}, {t['peer']}"
            if kind == "ours":
                what = f"{t['peer']} beside random, {t['name'].split()[1]} regions"
            wanted, reached = f"{t['want']:g}x", f"{number(t['reached'])}x"
        out.append(f"| {what} | {bound} {wanted} | {reached} |")
    return out


def main():
    figures = load("iova")
    fill_in({"machine": machine_line(figures), "lookup": lookup_tables(figures), "targets": target_table(figures),
             "changes": change_table(figures), "churn": churn_table(figures)})
    draw_lookup(figures, DOC / "iova-lookup.svg")
    draw_churn(figures, DOC / "iova-churn.svg")


if __name__ == "__main__":
    main()
