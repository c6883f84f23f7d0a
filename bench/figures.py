# SPDX-License-Identifier: MIT
"""From recorded samples (record.py) to figures: medians, ratios to the plain
runs beside, what is refused because those were not quiet, and how figures are
written. Nothing here measures, and no figure stands here.
"""
from dataclasses import dataclass
import math
import shlex
import statistics

from measure import SPREAD, median_difference, median_ratio, spread
import record

# What is recorded => the command that does it.
BENCHMARKS = {
    "programs": "bench/run", "builds": "bench/run", "pairs": "bench/pairs",
    "limit": "bench/limit", "snapshots": "bench/snapshot",
    "analysis": "bench/analysis", "growth": "bench/growth",
    "scaling": "bench/scaling", "merge": "bench/merge",
    "filters": "bench/filters",
}
# What a row says of the machine's place, not of the measurement.
PLACES = ("--record", "--build")
TRACING = "alloctrace"
SAMPLING = "alloctrace, sampling"
METRICS = {"wall": "wall time", "cpu": "CPU time",
           "memory": "peak resident memory"}


@dataclass(frozen=True)
class Figure:
    """A value and how far its plain runs were apart. `value` is None if that
    was too far for any."""
    value: float
    spread: float = 0.0
    mark: str = ""  # "small", "tiny": of an input that is not the full one

    def is_refused(self):
        return self.value is None


class Results:
    """What was recorded, {benchmark: file}; what is not there has no rows."""

    def __init__(self, files):
        self.files = {name: files.get(name) for name in BENCHMARKS}

    @classmethod
    def read(cls, folder):
        return cls({name: record.read(folder, name) for name in BENCHMARKS})

    def missing(self):
        return [name for name, file in self.files.items() if not file]

    def all_rows(self, name):
        return self.files[name]["rows"] if self.files[name] else []

    def rows(self, name):
        """Those that were measured."""
        return [row for row in self.all_rows(name) if not row.get("why_not")]

    def not_measured(self, name):
        return [row for row in self.all_rows(name) if row.get("why_not")]

    def command(self, name):
        """What was typed, without the paths of that machine."""
        if not self.files[name]:
            return BENCHMARKS[name]
        words, result = iter(self.files[name]["command"]), []
        for word in words:
            if word in PLACES:
                next(words, None)
            elif not word.startswith(tuple(one + "=" for one in PLACES)):
                result.append(word)
        return shlex.join(result)

    def is_quick(self, name):
        return bool(self.files[name]) and \
            "--quick" in self.files[name]["command"]

    def environment(self, name):
        return self.files[name]["environment"]


def samples(row, name):
    """The samples of a field: none if it was not measured; what is measured
    once is one sample."""
    value = row.get(name)
    if value is None:
        return []
    return [one for one in value if one is not None] \
        if isinstance(value, list) else [value]


def median(row, name):
    values = samples(row, name)
    return statistics.median(values) if values else None


def is_noisy(plain):
    return spread(plain) > SPREAD


def refuse_or(value, plain, mark=""):
    return Figure(None if is_noisy(plain) else value, spread(plain), mark)


def input_mark(row):
    return "" if row.get("input", "full") == "full" else row["input"]


def ratio(row, metric):
    """Of a program with a tool to the plain runs beside each of its; None if
    not measured."""
    plain, own = samples(row, "plain_" + metric), samples(row, metric)
    if not plain or not own:
        return None
    return refuse_or(median_ratio(plain, own) if all(plain) else None, plain,
                     input_mark(row))


def difference(plain, row, name):
    """What a row has more than the plain one beside it, run by run."""
    first, second = samples(plain, name), samples(row, name)
    if not first or not second:
        return None
    return refuse_or(median_difference(first, second), first)


def quotient(plain, row, name):
    first, second = samples(plain, name), samples(row, name)
    if not first or not second:
        return None
    return refuse_or(median_ratio(first, second), first)


def geometric_mean(values):
    """Of figures greater than 0; None of none."""
    values = list(values)
    if not values:
        return None
    return math.exp(statistics.fmean(math.log(value) for value in values))


def unique(values):
    """Each once, in the order of the first."""
    return list(dict.fromkeys(values))


def is_own(tool):
    return tool.split(",")[0] == "alloctrace"


# ---- Whole programs ----

def is_server(row):
    return row.get("kind") == "server"


class Programs:
    """The ratios of programs with tools: cell(program, tool, metric)."""

    def __init__(self, rows):
        self.rows = {(row["program"], row["tool"]): row for row in rows
                     if not row["tool"].startswith("plain")}
        self.names = unique(program for program, _ in self.rows)
        self.tools = unique(tool for _, tool in self.rows)
        self.tools.sort(key=lambda tool: not is_own(tool))  # ours first

    def cell(self, program, tool, metric):
        row = self.rows.get((program, tool))
        return ratio(row, metric) if row else None

    def usable(self, tool, metric):
        """{program: figure} of those that were not refused."""
        cells = {name: self.cell(name, tool, metric) for name in self.names}
        return {name: cell for name, cell in cells.items()
                if cell and not cell.is_refused()}

    def mean(self, tool, metric, names=None):
        """Over the named programs, or over all that the tool has."""
        cells = self.usable(tool, metric)
        return geometric_mean(cell.value for name, cell in cells.items()
                              if names is None or name in names)

    def beside(self, tool, other, metric):
        """(mean of the one, mean of the other, programs that both have)."""
        names = [name for name in self.usable(tool, metric)
                 if name in self.usable(other, metric)]
        return (self.mean(tool, metric, names),
                self.mean(other, metric, names), names)


def programs(results):
    return Programs([row for row in results.rows("programs")
                     if not is_server(row)])


def rival(tool):
    """Which of ours a peer stands beside: like with like."""
    return SAMPLING if "sampl" in tool else TRACING


# ---- Groups of x: pairs, growth, snapshots ----

def groups(rows):
    return unique(row["group"] for row in rows)


def by_variant(rows, group):
    """{variant: {x: row}} of a group, x ascending, plain first."""
    result = {}
    for row in sorted((row for row in rows if row["group"] == group),
                      key=lambda row: row["x"]):
        result.setdefault(row["variant"], {})[row["x"]] = row
    order = unique(row["variant"] for row in rows)
    return dict(sorted(result.items(), key=lambda item: (
        item[0] != "plain", order.index(item[0]))))


STEPS = ("dump", "load", "statistics", "tracebacks")


def growth_rows(results):
    """One row a case: of the program, with the size of its dump as `file` and
    what is done with that as fields of seconds. A group of several kinds is
    that many: "depth: recursion"."""
    kinds, cases = {}, {}
    for row in results.rows("growth"):
        kinds.setdefault(row["group"], set()).add(row.get("kind"))
    for row in results.rows("growth"):
        group, what = row["group"], row.get("what", "program")
        if len(kinds[group]) > 1:
            group = f"{group}: {row['kind']}"
        case = cases.setdefault((group, row["x"], row["variant"]), {
            "group": group, "x": row["x"], "variant": row["variant"]})
        if what == "program":
            case.update({name: row[name] for name in
                         ("seconds", "memory", "own", "file")
                         if row.get(name)})
        elif what in STEPS:
            case[what] = row["seconds"]
            if what == "dump":
                case["file"] = row["file"]
    return list(cases.values())


def extra(rows, group, name, variant="tracing"):
    """{x: Figure}: what a variant has more of a field than the plain one; of
    what only the variant has, that."""
    variants = by_variant(rows, group)
    result = {}
    for x, row in variants.get(variant, {}).items():
        plain = variants.get("plain", {}).get(x, {})
        if samples(plain, name):
            figure = difference(plain, row, name)
        else:
            value = median(row, name)
            figure = None if value is None else Figure(value)
        if figure:
            result[x] = figure
    return result


# ---- Writing figures ----

def three_digits(value):
    """Three significant digits, never more than two behind the point."""
    size = abs(value)
    return f"{value:.2f}" if size < 9.995 else f"{value:.1f}" \
        if size < 99.95 else f"{value:.0f}"


def two_digits(value, sign=""):
    size = abs(value)
    return f"{value:{sign}.1f}" if size < 9.95 else f"{value:{sign}.0f}"


def scaled(value, units, step):
    """With the greatest unit that leaves at least 1 of it."""
    size, index = abs(value), 0
    while index + 1 < len(units) and size >= step * 0.9995:
        size, index = size / step, index + 1
    sign = "-" if value < 0 else ""
    text = f"{size:.0f}" if index == 0 and size == int(size) else \
        f"{size:.2f}" if size < 9.995 else \
        f"{size:.1f}" if size < 99.95 else f"{size:.0f}"
    return f"{sign}{text} {units[index]}"


def byte_text(value):
    return scaled(value, ("B", "KiB", "MiB", "GiB", "TiB"), 1024)


def second_text(value):
    if abs(value) >= 0.9995:
        return f"{three_digits(value)} s"
    return scaled(value * 1e9, ("ns", "µs", "ms"), 1000)


def count_text(value):
    """1234567 as 1.23 million, 12345 as 12,345."""
    if value < 1e6:
        return f"{value:,}"
    millions = value / 1e6
    return (f"{millions:.3g}" if millions < 999.5 else f"{millions:,.0f}") + \
        " million"


def percent_text(value):
    return f"{100 * value:.0f} %" if value >= 0.0995 else \
        f"{100 * value:.1f} %"
