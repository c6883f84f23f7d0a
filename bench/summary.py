# SPDX-License-Identifier: MIT
"""The part of README.md on costs, from results: pictures, a short table, a line
for each thing else that was measured. It stands between two marks.
"""
import re

from building import Builds
from charts import limit_cases, limit_ratios, machine_text
from figures import (METRICS, TRACING, by_variant, byte_text, count_text,
                     difference, geometric_mean, groups, growth_rows, median,
                     programs, second_text, three_digits, two_digits, unique)
from losses import AIMS
from parts import bold, pictures, table, text_of

BEGIN = "<!-- bench/report writes from here -->\n"
END = "<!-- to here -->\n"
MARKED = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)


def tool_table(tools):
    """Means of each tool, the cheapest first; ours before all."""
    order = [(tool, tools.mean(tool, "cpu")) for tool in tools.tools]
    order.sort(key=lambda one: ("," in one[0] or one[0] != TRACING
                                if one[0].startswith(TRACING) else 2,
                                one[1] or 0))
    yield from table(
        ("mean of the programs, times plain", "wall", "CPU", "memory",
         "programs"),
        ((bold(tool), *(text_of(tools.mean(tool, metric))
                        for metric in METRICS),
          max(len(tools.usable(tool, metric)) for metric in METRICS))
         for tool, _ in order))


# ---- A line each ----

# Of pairs => in words.
VARIANTS = (("off", "compiled in but off"),
            ("stack", "knowing the call path alone"),
            ("sampling", "sampled"), ("tracing", "traced"))


def pair_line(results):
    variants = by_variant(results.rows("pairs"), "depth")
    plain = variants.get("plain", {})
    texts = []
    for variant, name in VARIANTS:
        found = [difference(plain[x], row, "ns")
                 for x, row in variants.get(variant, {}).items() if x in plain]
        found = [figure.value for figure in found
                 if figure and not figure.is_refused()]
        if found:
            texts.append(f"{name} {span(found, two_digits, '+')}")
    if texts:
        yield f"- A malloc and free pair, {min(plain)} to {max(plain)} " \
              f"frames deep, takes {span_of_plain(plain)} ns in the plain " \
              f"program; {', '.join(texts)} ns " \
              f"(`{results.command('pairs')}`)."


def span(values, text, *more):
    """From the least to the greatest, as they are printed."""
    low, high = text(min(values), *more), text(max(values), *more)
    return low if low == high else f"{low} to {high}"


def span_of_plain(plain):
    return span([median(row, "ns") for row in plain.values()], three_digits)


def limit_line(results):
    found = [ratios for ratios in map(limit_ratios,
                                      limit_cases(results).values()) if ratios]
    if found:
        ideal, own = map(geometric_mean, zip(*found))
        yield "- What no tool that counts as much can do without, written " \
              f"by hand into the program, takes {three_digits(ideal)} times " \
              f"the plain time where alloctrace takes {three_digits(own)} " \
              f"(`{results.command('limit')}`)."


def snapshot_line(results):
    """Of the most call paths, and of the most blocks, that were tried."""
    rows = [row for row in results.rows("snapshots")
            if median(row, "seconds") and row["what"] == "dump"]
    for group in ("contexts", "blocks"):
        last = max((row for row in rows if row["group"] == group),
                   key=lambda row: (row["x"], row["blocks"],
                                    row["contexts"]), default=None)
        if last:
            yield f"- A dump while the program runs, of " \
                  f"{count_text(last['contexts'])} call paths with " \
                  f"{count_text(last['blocks'])} live blocks, takes " \
                  f"{second_text(median(last, 'seconds'))} and " \
                  f"{byte_text(median(last, 'file'))} " \
                  f"(`{results.command('snapshots')}`)."


def analysis_line(results):
    rows = {(row["traces"], row["operation"], row["library"]):
            median(row, "seconds") for row in results.rows("analysis")}
    texts = [*load_text(rows), *beside_text(rows)]
    if texts:
        yield f"- {'; '.join(texts)} (`{results.command('analysis')}`)."


def load_text(rows):
    most = max((traces for traces, operation, library in rows
                if operation == "load" and library == "alloctrace"),
               default=None)
    if rows.get((most, "load", "alloctrace")):
        yield f"Loading a dump of {count_text(most)} call paths takes " \
              f"{second_text(rows[most, 'load', 'alloctrace'])}"


def beside_text(rows):
    """Of as many as both were given."""
    most = max((traces for traces, _, library in rows
                if library == "tracemalloc"), default=None)
    factors = []
    for operation in unique(operation for _, operation, _ in rows):
        own, other = (rows.get((most, operation, library))
                      for library in ("alloctrace", "tracemalloc"))
        if own and other:
            factors.append(other / own)
    if factors:
        yield f"CPython's tracemalloc takes {span(factors, three_digits)} " \
              f"times as long to look into {count_text(most)}"


def compile_line(results):
    builds = Builds(results.rows("builds"))
    time, runtime = builds.mean_time(), builds.runtime("text")
    parts = [f"takes {three_digits(time)} times as long"] if time else []
    if runtime:
        parts += [f"gives {three_digits(builds.mean_size('text'))} times the "
                  f"code and constants, to which come {byte_text(runtime)} of "
                  "the runtime"]
    if parts:
        yield f"- Compiling {' and '.join(parts)} " \
              f"(`{results.command('builds')}`)."


def growth_line(results):
    """Bytes a call path and a live block, of the largest that was tried."""
    for group, name in (("contexts", "call paths"), ("blocks", "live blocks")):
        rows = largest(growth_rows(results), group)
        own = median(rows[max(rows)], "own") if rows else None
        if own:
            yield f"- {count_text(max(rows))} {name} take " \
                  f"{byte_text(own)} of its own memory, " \
                  f"{byte_text(own / max(rows))} each " \
                  f"(`{results.command('growth')}`)."


def largest(rows, group):
    """{x: row} of the first kind of the group."""
    for found in groups(rows):
        if found.split(":")[0] == group:
            return by_variant(rows, found).get("tracing", {})
    return {}


LINES = (pair_line, limit_line, growth_line, snapshot_line, analysis_line,
         compile_line)


def block(results, pictures_folder, page):
    """What stands between the marks, with them; None if no programs were
    measured."""
    tools = programs(results)
    if not tools.rows:
        return None
    lines = [f"CPU time, wall time and peak memory beside the plain -O2 "
             f"program, medians of runs in turn on "
             f"{machine_text(results, 'programs')} "
             f"(`{results.command('programs')}`).", "",
             *pictures(results, pictures_folder, "time-by-tool",
                       "memory-by-tool"), *tool_table(tools)]
    lines += [text for line in LINES for text in line(results)]
    aims = "; ".join(map(str, AIMS))
    lines += ["", f"What it aims at: {aims}. [{page}]({page}) begins with "
              "where it is behind, and has each program, the servers, and "
              "how all this grows."]
    return BEGIN + "\n".join(lines) + "\n" + END


def with_block(text, new):
    """README.md's text with the block in place; as it is without one."""
    return text if new is None else MARKED.sub(lambda _: new, text)
