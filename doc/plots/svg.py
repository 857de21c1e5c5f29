# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 dpdk-svq authors
"""What the plots share: SVG by hand, logarithmic axes, and the tables of doc/performance.md."""

import json
import math
import pathlib
import sys
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).resolve().parent
DOC = HERE.parent
FONT = "DejaVu Sans, Helvetica, Arial, sans-serif"


class Svg:
    def __init__(self, width, height, title):
        self.out = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            "<!-- SPDX-License-Identifier: BSD-3-Clause -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="{FONT}" font-size="12">',
            f"  <title>{escape(title)}</title>",
            f'  <rect width="{width}" height="{height}" fill="#fff"/>',
        ]

    def text(self, x, y, text, anchor="start", colour="#333", extra=""):
        self.out.append(f'  <text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
                        f'fill="{colour}"{extra}>{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour, width=1.0):
        self.out.append(f'  <path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" '
                        f'stroke-width="{width}"/>')

    def curve(self, points, colour, width):
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.out.append(f'  <path d="M{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        for x, y in points:
            self.out.append(f'  <circle cx="{x:.1f}" cy="{y:.1f}" r="{width + 0.6:.1f}" fill="{colour}"/>')

    def write(self, path):
        path.write_text("\n".join(self.out + ["</svg>"]) + "\n")


    def bar(self, x, y, width, height, colour):
        self.out.append(f'  <rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>')


class LogAxis:
    """Nanoseconds upwards, by decades."""

    def __init__(self, low, high, bottom, top):
        self.low, self.high, self.bottom, self.top = math.log10(low), math.log10(high), bottom, top

    def y(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def grid(self, svg, left, right, label):
        for decade in range(math.ceil(self.low), math.floor(self.high) + 1):
            y = self.y(10 ** decade)
            svg.line(left, y, right, y, "#ddd")
            if label:
                svg.text(left - 6, y + 4, f"{10 ** decade:g}", "end")


def apart(labels, gap):
    """Shift labels, given as [y, ...] lists, down until none covers another."""
    labels.sort(key=lambda item: item[0])
    for above, below in zip(labels, labels[1:]):
        below[0] = max(below[0], above[0] + gap)
    return labels


def number(value):
    """Three digits that count, without exponents."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def load(name):
    """The figures that the command line names, by default those that are kept beside the plots."""
    return json.loads((pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / f"{name}.json").read_text())


def machine_line(figures):
    m = figures["machine"][0]
    cores = {1: "one core", 2: "two cores"}.get(m.get("cores", 2), f"{m.get('cores', 2)} cores")
    compiler = f", compiler {m['compiler']}" if "compiler" in m else ""
    # What ran before the benchmark began; where nobody noted it, it was not alone.
    quiet = m.get("load", 9) < 0.3 * m.get("cores", 2)
    return [f"A virtual machine with {cores}: {m['cpu']}, family {m.get('family', 6)}, model {m['model']}, {float(m['mhz']):.0f} MHz nominal, "
            f"last-level cache {m['cache']}; Linux {m['kernel']}, {m['dpdk']}{compiler}. "
            + ("Nothing else was at work on it." if quiet else "Others were at work on it at the same time.")]


def fill_in(tables):
    """Replace what stands between <!-- figures NAME --> and <!-- end --> in doc/performance.md."""
    path = DOC / "performance.md"
    text = path.read_text()
    for name, lines in tables.items():
        begin, end = f"<!-- figures {name} -->\n", "<!-- end -->"
        head, rest = text.split(begin, 1)
        text = head + begin + "".join(line + "\n" for line in lines) + end + rest.split(end, 1)[1]
    path.write_text(text)
