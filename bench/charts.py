# SPDX-License-Identifier: MIT
"""Which pictures the results give, and what each shows; pictures.py draws them.
Standard library only: the page names a picture if and only if it is here.
"""
from dataclasses import dataclass, field
import re

from figures import (TRACING, by_variant, extra, groups, growth_rows, is_own,
                     median, programs, quotient)

# What the files are called: "*" stands for a group.
NAMES = ("time-by-tool", "memory-by-tool", "pairs-by-*", "limit",
         "growth-by-*")


@dataclass
class Bar:
    label: str
    value: float
    dots: list  # single programs
    is_own: bool


@dataclass
class Line:
    label: str
    points: list  # (x, y), x ascending
    is_own: bool = True


@dataclass
class Stack:
    label: str
    parts: list  # (name, length) from left to right


@dataclass
class Plot:
    """Axes with lines."""
    y_label: str
    lines: list
    is_linear_shown: bool = False  # the line y = c x as well


@dataclass
class Chart:
    kind: str  # "bars", "stacks", "lines", "growth" (many plots)
    name: str  # of the file, without .svg
    title: str
    x_label: str
    source: str
    notes: str = ""
    bars: list = field(default_factory=list)
    plots: list = field(default_factory=list)
    stacks: list = field(default_factory=list)

    def path(self, folder):
        return f"{folder}/{self.name}.svg"

    def alternative(self):
        """What stands for the picture where there is none."""
        return self.title.replace("[", "(").replace("]", ")")


def machine_text(results, name):
    """Machine and versions in a line."""
    machine = results.environment(name)
    parts = (f"{machine.get('processors')} × {machine.get('processor')}",
             machine.get("system"), compiler_name(machine.get("compiler")),
             f"alloctrace {machine.get('alloctrace')}")
    return ", ".join(part for part in parts if part)


def source(results, name):
    """The same with the date, for a picture."""
    return f"{machine_text(results, name)}, " \
        f"{results.files[name]['date'][:10]}"


def compiler_name(text):
    """gcc (Debian 12.2.0-14) 12.2.0 as GCC 12.2.0."""
    return text and "GCC " + text.split()[-1]


# ---- Whole programs ----

def bars_of(results, metric):
    """A bar a tool, shortest first: mean and the single programs."""
    table, result = programs(results), []
    for tool in table.tools:
        cells = table.usable(tool, metric)
        if cells:
            result.append(Bar(
                tool_label(table, tool, cells), table.mean(tool, metric),
                [cell.value for cell in cells.values()], is_own(tool)))
    return sorted(result, key=lambda bar: bar.value)


def tool_label(table, tool, cells):
    label = tool
    if any(cell.mark for cell in cells.values()):
        label += " *"
    if len(cells) < len(table.names):
        label += f" ({len(cells)} of {len(table.names)})"
    return label


def tool_chart(results, metric, name, title):
    bars = bars_of(results, metric)
    if not bars:
        return
    notes = ["Bar: geometric mean; dots: single programs."]
    if any("(" in bar.label for bar in bars):
        notes.append("(3 of 7): programs of those measured.")
    if any("*" in bar.label for bar in bars):
        notes.append("*: small input, for some.")
    yield Chart("bars", name, title, "times the plain program",
                source(results, "programs"), " ".join(notes), bars=bars)


def time_chart(results):
    yield from tool_chart(results, "wall", "time-by-tool",
                          "Wall time of whole programs, by tool")


def memory_chart(results):
    yield from tool_chart(results, "memory", "memory-by-tool",
                          "Peak resident memory of whole programs, by tool")


# ---- Pairs ----

PAIRS = {"depth": ("by the depth of the call path", "frames"),
         "fresh": ("by frames entered anew for each pair", "frames"),
         "live": ("by the number of live blocks", "live blocks"),
         "threads": ("by the number of threads", "threads"),
         "random": ("with a random one of many blocks freed", "live blocks")}


def is_shown(variant):
    return variant != "stack"


def variant_name(variant):
    return {"tracing": "alloctrace", "plain": "plain (C library)"}.get(
        variant, f"alloctrace, {variant}" if is_own_variant(variant)
        else variant)


def is_own_variant(variant):
    return variant in ("tracing", "off", "sampling", "stack")


def pair_chart(results, group):
    title, x_label = PAIRS[group]
    lines = []
    for variant, rows in by_variant(results.rows("pairs"), group).items():
        points = [(x, median(row, "ns")) for x, row in rows.items()
                  if median(row, "ns")]
        if len(points) > 1 and is_shown(variant):
            lines.append(Line(variant_name(variant), points,
                              is_own_variant(variant)))
    if lines:
        yield Chart("lines", f"pairs-by-{group}",
                    f"A malloc and free pair, {title}",
                    x_label, source(results, "pairs"),
                    plots=[Plot("ns a pair", lines)])


def pair_charts(results):
    for group in PAIRS:
        yield from pair_chart(results, group)


# ---- Limit ----

def unit_of(row):
    return "ns" if row.get("ns") is not None else "seconds"


def limit_cases(results):
    """{case: {variant: row}}."""
    cases = {}
    for row in results.rows("limit"):
        cases.setdefault(row["case"], {})[row["variant"]] = row
    return cases


def limit_ratios(variants):
    """Times the plain program: (ideal, alloctrace), or None if one was not
    measured or the plain runs were too far apart."""
    found = [quotient(variants["plain"], variants[name],
                      unit_of(variants["plain"]))
             for name in ("ideal", "alloctrace")
             if "plain" in variants and name in variants]
    if len(found) < 2 or not all(found) or found[0].is_refused():
        return None
    return [figure.value for figure in found]


def limit_chart(results):
    stacks = []
    for case, variants in limit_cases(results).items():
        ratios = limit_ratios(variants)
        if ratios:
            ideal, own = ratios
            stacks.append(Stack(case, [
                ("the plain program", 1),
                ("what an ideal tool must pay", max(ideal - 1, 0)),
                ("what alloctrace pays more", max(own - max(ideal, 1), 0))]))
    if stacks:
        yield Chart("stacks", "limit",
                    "What an ideal tool must pay, and alloctrace",
                    "times the plain program", source(results, "limit"),
                    "To the right: ideal → alloctrace.", stacks=stacks)


# ---- Growth ----

GROWTH = {"contexts": "call paths", "blocks": "live blocks",
          "depth": "frames a call path", "threads": "threads",
          "sites": "call sites"}
# Groups whose quantities should be a constant times x.
LINEAR = ("contexts", "blocks", "depth", "sites")
TIMES = (("s", 1), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("bytes", 1))
QUANTITIES = {"seconds": ("time more than plain", TIMES),
              "own": ("own memory", SIZES), "dump": ("dumping", TIMES),
              "file": ("dump", SIZES)}
MOST_PLOTS = 3  # side by side


def growth_plots(rows, group):
    for name, (label, units) in QUANTITIES.items():
        points = [(x, figure.value)
                  for x, figure in extra(rows, group, name).items()
                  if not figure.is_refused() and x > 0 and figure.value > 0]
        if len(points) > 1:
            # A unit in which most of the line is neither tiny nor huge.
            middle = points[len(points) // 2][1]
            unit, scale = next((one for one in units if middle >= one[1]),
                               units[-1])
            yield Plot(f"{label}, {unit}",
                       [Line(TRACING, [(x, y / scale) for x, y in points])],
                       group.split(":")[0] in LINEAR)


def growth_chart(results, group):
    plots = list(growth_plots(growth_rows(results), group))[:MOST_PLOTS]
    if plots:
        what = growth_name(group)
        yield Chart("growth", "growth-by-" + re.sub(r"\W+", "-", group),
                    f"What tracing takes, by {what}",
                    what.split(" (")[0], source(results, "growth"),
                    plots=plots)


def growth_name(group):
    """ "depth: recursion" as "frames a call path (recursion)"."""
    name, _, kind = group.partition(": ")
    name = GROWTH.get(name, name)
    return f"{name} ({kind})" if kind else name


def growth_charts(results):
    for group in groups(growth_rows(results)):
        yield from growth_chart(results, group)


def charts(results):
    """All of them, in the order of the page."""
    return [chart for kind in (time_chart, memory_chart, pair_charts,
                               limit_chart, growth_charts)
            for chart in kind(results)]


def ticks(count):
    """For axes of counts: 1000 as "1k", 1000000 as "1M"."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            return f"{count / unit:g}{name}"
    return f"{count:g}"
