#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
"""Draw doc/relay.svg and doc/relay-cores.svg from the figures of `svq-bench relay --json`, and put
them into the tables of doc/performance.md.

usage: doc/plots/relay.py [JSON]    (doc/plots/relay.json by default)
"""

from svg import DOC, LogAxis, Svg, apart, fill_in, load, machine_line, number

DESCS = [1, 2, 8]
REGIONS = [3, 8, 64]
# Name in the figures, label, colour, width of the line.
SERIES = [
    ("QEMU", "QEMU's algorithm", "#1f4e79", 1.8),
    ("split-split", "split-split", "#c8391d", 2.6),
    ("split-packed", "split-packed", "#a67c00", 1.8),
    ("packed-split", "packed-split", "#8f6bb0", 1.8),
    ("packed-packed", "packed-packed", "#3f7d3f", 2.6),
    ("packed-packed scalar", "packed-packed, no vectors", "#9cc29c", 1.8),
]


def present(figures):
    names = {case["name"] for case in figures["cases"]}
    return [series for series in SERIES if series[0] in names]


def one_core(figures):
    """{(name, descriptors, regions): row}"""
    return {(c["name"], c["descs"], c["regions"]): c for c in figures["cases"] if c.get("cores", 1) == 1}


def two_cores(figures):
    return {(c["name"], c["descs"], c["regions"]): c for c in figures["cases"] if c.get("cores", 1) == 2}


def draw_lines(figures, path):
    rows, series = one_core(figures), present(figures)
    left, top, panel, gap, height = 60, 60, 230, 22, 340
    svg = Svg(left + 3 * (panel + gap) + 170, top + height + 70, "Nanoseconds a chain, there and back")
    axis = LogAxis(1, 2000, top + height, top)
    svg.text(left, 24, "ns of one core for a chain, there and back (median; logarithmic)", extra=' font-weight="bold"')
    for place, descs in enumerate(DESCS):
        x0 = left + place * (panel + gap)
        axis.grid(svg, x0, x0 + panel, place == 0)
        svg.text(x0 + panel / 2, top - 12, f"{descs} descriptor{'s' if descs > 1 else ''} a chain", "middle")
        xs = [x0 + 26 + i * (panel - 52) / (len(REGIONS) - 1) for i in range(len(REGIONS))]
        for x, regions in zip(xs, REGIONS):
            svg.text(x, top + height + 18, str(regions), "middle")
        svg.text(x0 + panel / 2, top + height + 38, "regions of guest memory", "middle")
        labels = []
        for name, label, colour, width in series:
            points = [(x, axis.y(rows[name, descs, r]["ns"])) for x, r in zip(xs, REGIONS)]
            svg.curve(points, colour, width)
            labels.append([points[-1][1], label, colour, points[-1][0]])
        if place == len(DESCS) - 1:
            for y, label, colour, x in apart(labels, 14):
                svg.text(x + 12, y + 4, label, colour=colour)
    svg.text(left, top + height + 62, "guest's - device's ring; rings of 256, bursts of 32; " + svg_machine(figures), colour="#777")
    svg.write(path)


def svg_machine(figures):
    machine = figures["machine"][0]
    return f"{machine['cpu']} (model {machine['model']}), {machine['dpdk']}"


def draw_cores(figures, path):
    rows, series = two_cores(figures), present(figures)
    regions = [r for r in REGIONS if ("QEMU", 1, r) in rows]
    left, top, width, height, bar = 60, 50, 560, 240, 24
    svg = Svg(left + width + 230, top + height + 60, "Million chains a second on two cores")
    high = max(c["mpps"] for c in rows.values() if c["descs"] == 1) * 1.12
    svg.text(left, 24, "Million chains a second, driver and device on another core (one descriptor)",
             extra=' font-weight="bold"')
    step = 10 if high > 25 else 5
    for tick in range(0, int(high) + 1, step):
        y = top + height - tick / high * height
        svg.line(left, y, left + width, y, "#ddd")
        svg.text(left - 6, y + 4, str(tick), "end")
    group = width / max(len(regions), 1)
    for i, r in enumerate(regions):
        x = left + i * group + (group - bar * len(series)) / 2
        for k, (name, _, colour, _) in enumerate(series):
            mpps = rows[name, 1, r]["mpps"]
            tall = mpps / high * height
            svg.bar(x + k * bar, top + height - tall, bar - 4, tall, colour)
            svg.text(x + k * bar + (bar - 4) / 2, top + height - tall - 4, number(mpps), "middle", extra=' font-size="9"')
        svg.text(left + (i + 0.5) * group, top + height + 18, f"{r} regions", "middle")
    for k, (_, label, colour, _) in enumerate(series):
        svg.bar(left + width + 16, top + 10 + k * 20, 12, 12, colour)
        svg.text(left + width + 34, top + 20 + k * 20, label, colour=colour)
    svg.write(path)


def cell(row):
    return f"{number(row['avail_ns'])} + {number(row['used_ns'])} = **{number(row['ns'])}** ({number(row['ratio'])}x)"


def time_tables(figures):
    rows, out = one_core(figures), []
    for descs in DESCS:
        out.append(f"| {descs} descriptor{'s' if descs > 1 else ''} a chain | " + " | ".join(f"{r} regions" for r in REGIONS) + " |")
        out.append("|---" * (len(REGIONS) + 1) + "|")
        for name, label, _, _ in present(figures):
            out.append(f"| {label} | " + " | ".join(cell(rows[name, descs, r]) for r in REGIONS) + " |")
        out.append("")
    return out[:-1]


def variant_table(figures):
    """What a dirty log and notifications add, with 3 regions."""
    rows = one_core(figures)
    out = ["| 3 regions | 1 descriptor, with dirty log | 2, with log | 8, with log | 1 descriptor, with notifications |",
           "|---" * 5 + "|"]
    for name, label, _, _ in present(figures):
        if (name + " log", 1, 3) not in rows:
            continue
        log = [rows[name + " log", d, 3] for d in DESCS]
        cells = [f"{number(r['ns'])} ({number(r['log_ratio'])}x of without)" for r in log]
        notify = rows.get((name + " notify", 1, 3))
        cells.append(f"{number(notify['ns'])} ({number(notify['ratio'])}x)" if notify else "")
        out.append(f"| {label} | " + " | ".join(cells) + " |")
    return out


def core_table(figures):
    rows = two_cores(figures)
    shapes = [(d, r) for d in DESCS for r in REGIONS if ("QEMU", d, r) in rows]
    out = ["| Mpps | " + " | ".join(f"{d} desc., {r} reg." for d, r in shapes) + " |", "|---" * (len(shapes) + 1) + "|"]
    for name, label, _, _ in present(figures):
        cells = [f"{number(rows[name, d, r]['mpps'])} ({number(rows[name, d, r]['ratio'])}x)" for d, r in shapes]
        out.append(f"| {label} | " + " | ".join(cells) + " |")
    return out


def target_table(figures):
    out = ["| figure | wanted | reached | |", "|---|---|---|---|"]
    for t in figures["targets"]:
        bound = "at most" if t["at_most"] else "at least"
        met = t["reached"] <= t["want"] if t["at_most"] else t["reached"] >= t["want"]
        what = t["name"].replace(" log,", ", dirty log beside none,") if t["at_most"] else t["name"]
        out.append(f"| {what} | {bound} {t['want']:g}x | {number(t['reached'])}x | {'met' if met else '**not met**'} |")
    return out


def main():
    figures = load("relay")
    fill_in({"relay machine": machine_line(figures), "relay": time_tables(figures), "relay variants": variant_table(figures),
             "relay cores": core_table(figures), "relay targets": target_table(figures)})
    draw_lines(figures, DOC / "relay.svg")
    draw_cores(figures, DOC / "relay-cores.svg")


if __name__ == "__main__":
    main()
