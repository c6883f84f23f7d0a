# SPDX-License-Identifier: MIT
"""Where alloctrace loses or misses what it aims at, derived from the results by
rules: each is a function that yields sentences, RULES lists them with their
titles. docs/performance.md begins with what they say.

A figure is behind another if it is so as it is printed: what differs in the
third digit is within what the layout of the code does.
"""
from dataclasses import dataclass

from building import Builds
from charts import limit_cases
from detail import SITE_TABLES, site_extra
from exponent import MOST, exponent, is_linear
from figures import (BENCHMARKS, METRICS, SAMPLING, TRACING, by_variant,
                     byte_text, count_text, difference, extra, groups,
                     growth_rows, input_mark, is_own, is_server, median,
                     percent_text, programs, ratio, rival,
                     samples, second_text, three_digits, two_digits)
from others import KINDS, merge_power
from scales import scales


@dataclass(frozen=True)
class Aim:
    what: str
    most: float
    text: str  # of `most`
    source: str

    def __str__(self):
        return f"{self.what}: {self.text}"


DESIGN = 'docs/design.md, "Aims"'
TRACING_AIM = Aim("CPU time with every allocation traced, mean of the "
                  "programs", 1.06, "1.06 of the plain one", DESIGN)
SAMPLING_AIM = Aim("CPU time sampled, mean of the programs", 1.01,
                   "1.01 of the plain one", DESIGN)
PAIR_AIM = Aim("a malloc and free pair traced, however deep", 2.0,
               "2 ns more", DESIGN)
COMPILE_AIM = Aim("time of compiling, mean of the programs", 1.05,
                  "1.05 of the plain one", DESIGN)
AIMS = (TRACING_AIM, SAMPLING_AIM, PAIR_AIM, COMPILE_AIM)


def behind(value, other, text=three_digits):
    """Is a figure the greater one as it is printed?"""
    return value > other and text(value) != text(other)


def missed(aim, value, text=three_digits):
    if value is not None and behind(value, aim.most, text):
        yield f"{aim.what}: {text(value)}; the aim is {aim.text} " \
              f"({aim.source})"


# ---- What was not measured ----

def benchmarks_missing(results):
    for name in results.missing():
        yield f"not measured: {name} (`{BENCHMARKS[name]}`)"


def ours_missing(results):
    """Programs that were not measured with alloctrace, and why."""
    for row in results.not_measured("programs"):
        if is_own(row["tool"]):
            yield f"{row['program']} with {row['tool']}: {row['why_not']}"
    for name in ("builds", "pairs", "limit", "snapshots", "analysis",
                 "growth"):
        for row in results.not_measured(name):
            if is_own(row.get("library", row.get("compiler", "alloctrace"))) \
                    and is_ours_or_plain(row.get("variant", "plain")):
                yield f"{name}: {place(row)}: {row['why_not']}"


def is_ours_or_plain(variant):
    return variant in ("plain", "stack", "off", "tracing", "sampling",
                       "ideal", "alloctrace")


def place(row):
    """What a row is of, in words."""
    words = [str(row[key]) for key in ("program", "compiler", "case", "group",
                                       "x", "what", "operation", "variant")
             if key in row]
    return ", ".join(words) or "a row"


def conditions(results):
    """Runs that are no measurement."""
    for name in BENCHMARKS:
        if results.is_quick(name):
            yield f"{name}: recorded with --quick, for orientation only"
    dirty = [name for name in BENCHMARKS if results.files[name] and str(
        results.environment(name).get("alloctrace")).endswith("-dirty")]
    if dirty:
        yield "measured with changes that are in no commit: " + \
            ", ".join(dirty)


def different_machines(results):
    found = {}
    for name in BENCHMARKS:
        if results.files[name]:
            one = results.environment(name)
            key = tuple(str(one.get(field)) for field in (
                "processor", "processors", "memory", "compiler", "alloctrace"))
            found.setdefault(key, []).append(name)
    if len(found) > 1:
        yield "recorded on different machines or of different versions: " + \
            "; ".join(", ".join(names) for names in found.values())


# ---- Aims ----

def mean_of(tool, aim):
    def rule(results):
        yield from missed(aim, programs(results).mean(tool, "cpu"))
    return rule


def more_nanoseconds(value):
    return f"{two_digits(value, '+')} ns"


def pairs_aim(results):
    rows = results.rows("pairs")
    variants = by_variant(rows, "depth")
    found = {}
    for x, row in variants.get("tracing", {}).items():
        figure = difference(variants.get("plain", {}).get(x, {}), row, "ns")
        if figure and not figure.is_refused():
            found[x] = figure.value
    worst = max(found, key=found.get, default=None)
    for text in missed(PAIR_AIM, found.get(worst), more_nanoseconds):
        yield f"{text}; that is {worst} frames deep, the least " \
              f"{more_nanoseconds(min(found.values()))}"


def compile_aim(results):
    yield from missed(COMPILE_AIM, Builds(results.rows("builds")).mean_time())


# ---- Peers ahead ----

def program_peers(results):
    """Peers that cost less than alloctrace with some program."""
    table = programs(results)
    for tool in (tool for tool in table.tools if not is_own(tool)):
        for metric, title in METRICS.items():
            ahead = ahead_in(table, tool, metric)
            if ahead:
                yield f"{title}, {tool} beside {rival(tool)}: " + \
                    "; ".join(ahead)


def ahead_in(table, tool, metric):
    ours, result = table.usable(rival(tool), metric), []
    for name, cell in table.usable(tool, metric).items():
        if name in ours and behind(ours[name].value, cell.value):
            result.append(
                f"{name} {three_digits(cell.value)} against "
                f"{three_digits(ours[name].value)}" +
                (f" ({cell.mark} input)" if cell.mark else ""))
    return result


def file_peers(results):
    """Peers whose files are smaller."""
    table = programs(results)
    for tool in (tool for tool in table.tools if not is_own(tool)):
        ahead = []
        for name in table.names:
            its = median(table.rows.get((name, tool), {}), "file")
            own = median(table.rows.get((name, rival(tool)), {}), "file")
            if its and own and its < own and \
                    not input_mark(table.rows[name, tool]) and \
                    byte_text(its) != byte_text(own):
                ahead.append(f"{name} {byte_text(its)} against "
                             f"{byte_text(own)}")
        if ahead:
            yield f"size of files, {tool}: " + "; ".join(ahead)


def server_peers(results):
    """The same of servers, whose wall time is that of their load."""
    rows = {(row["program"], row["tool"]): row
            for row in results.rows("programs") if is_server(row)}
    for (program, tool), row in rows.items():
        own = rows.get((program, rival(tool)))
        if is_own(tool) or not own:
            continue
        for metric, title in METRICS.items():
            its, ours = ratio(row, metric), ratio(own, metric)
            if its and ours and not its.is_refused() and \
                    not ours.is_refused() and behind(ours.value, its.value):
                yield f"{program}, {title}, {tool}: " \
                      f"{three_digits(its.value)} against " \
                      f"{three_digits(ours.value)}"


def pair_peers(results):
    """Peers that cost fewer nanoseconds a pair."""
    rows = results.rows("pairs")
    for group in groups(rows):
        variants = by_variant(rows, group)
        for variant, points in variants.items():
            if is_ours_or_plain(variant):
                continue
            own = variants.get("sampling" if "sampl" in variant
                               else "tracing", {})
            for x, row in points.items():
                its, ours = median(row, "ns"), median(own.get(x, {}), "ns")
                if its and ours and behind(ours, its, two_digits):
                    yield f"ns a pair, {group} {count_text(x)}, {variant}: " \
                          f"{two_digits(its)} against {two_digits(ours)}"


def tracemalloc_ahead(results):
    rows = {(row["traces"], row["operation"], row["library"]): row
            for row in results.rows("analysis")}
    for (traces, operation, library), row in rows.items():
        own = rows.get((traces, operation, "alloctrace"))
        if library == "alloctrace" or not own:
            continue
        for name, text in (("seconds", second_text), ("memory", byte_text)):
            its, ours = median(row, name), median(own, name)
            if its and ours and behind(ours, its, text):
                yield f"{operation} of {count_text(traces)} traces, {name}, " \
                      f"{library}: {text(its)} against {text(ours)}"


# ---- Refused ----

def refused_programs(results):
    """Ratios that are not printed, for their plain runs were too far apart."""
    found = {}
    for row in results.rows("programs"):
        for metric, title in METRICS.items():
            figure = ratio(row, metric)
            if figure and figure.is_refused():
                found.setdefault((row["program"], title), []).append(
                    (row["tool"], figure.spread))
    for (program, title), tools in found.items():
        most = max(spread for _, spread in tools)
        who = ", ".join(tool for tool, _ in tools)
        yield f"{program}, {title}, with {who}: spread " \
              f"{percent_text(most)}" + \
              (" at most" if len(tools) > 1 else "")


def refused_others(results):
    for program, figure in Builds(results.rows("builds")).times().items():
        if figure.is_refused():
            yield f"compiling {program}: spread {percent_text(figure.spread)}"
    for case, variants in limit_cases(results).items():
        row = variants.get("plain", {})
        figure = difference(row, row, "ns")
        if figure and figure.is_refused():
            yield f"limit, {case}: spread {percent_text(figure.spread)}"
    yield from refused_differences("pairs", results.rows("pairs"), "ns")
    yield from refused_differences("growth", growth_rows(results), "seconds")


def refused_differences(name, rows, field):
    """A line a group, with all its x."""
    for group in groups(rows):
        found = {}
        for x, row in by_variant(rows, group).get("plain", {}).items():
            figure = difference(row, row, field)
            if figure and figure.is_refused():
                found[x] = figure.spread
        if found:
            yield f"{name}, {group} {'; '.join(map(count_text, found))}: " \
                  f"spread {percent_text(max(found.values()))}" + \
                  (" at most" if len(found) > 1 else "")


# ---- Growth ----

GROWING = {"seconds": "time", "own": "own memory", "file": "file",
           "dump": "dumping", "load": "loading", "statistics": "statistics",
           "tracebacks": "statistics by traceback"}


def faster(what, power):
    """A sentence if something grows faster than in proportion."""
    if not is_linear(power):
        yield f"{what}: grows as x to the power of {three_digits(power)} " \
              f"(more than {MOST})"


def not_linear(results):
    rows = growth_rows(results)
    for group in groups(rows):
        for field, title in GROWING.items():
            figures = extra(rows, group, field)
            found = exponent((x, figure.value) for x, figure in figures.items()
                             if not figure.is_refused())
            yield from faster(f"{title} by {group}", found)


def snapshots_not_linear(results):
    rows = results.rows("snapshots")
    for group in groups(rows):
        for what in dict.fromkeys(row["what"] for row in rows):
            found = exponent((row["x"], median(row, "seconds")) for row in rows
                             if (row["group"], row["what"]) == (group, what)
                             and samples(row, "seconds"))
            yield from faster(f"{what} by {group}", found)


def analysis_not_linear(results):
    rows = [row for row in results.rows("analysis")
            if row["library"] == "alloctrace"]
    for operation in dict.fromkeys(row["operation"] for row in rows):
        found = exponent((row["traces"], median(row, "seconds"))
                         for row in rows if row["operation"] == operation
                         and samples(row, "seconds"))
        yield from faster(f"{operation} by traces", found)


# ---- Builds, threads, merging ----

def sites_not_linear(results):
    """Compiling and starting with many call sites."""
    for step, field, title, _ in SITE_TABLES:
        found = exponent((x, figure.value) for x, figure in site_extra(
            results, step, field).items())
        yield from faster(f"{title} by call sites", found)


# Of what the plain program's threads gain, traced ones gain so much at least.
LEAST_SCALING = 0.9


def threads_lose(results):
    rows = results.rows("scaling")
    for group in dict.fromkeys(row["group"] for row in rows):
        found = scales(rows, group)
        if found and not found.is_refused() and \
                found.relative < LEAST_SCALING:
            yield f"{found.threads} threads, blocks " \
                  f"{KINDS.get(group, group)}: " \
                  f"{three_digits(found.relative)} of the plain program's " \
                  f"scaling (less than {LEAST_SCALING})"


def refused_scaling(results):
    rows = results.rows("scaling")
    for group in dict.fromkeys(row["group"] for row in rows):
        found = scales(rows, group)
        if found and found.is_refused():
            yield f"scaling, {group}: spread {percent_text(found.spread)}"


def merge_not_linear(results):
    rows = results.rows("merge")
    for kind in dict.fromkeys(row["kind"] for row in rows):
        yield from faster(f"merging files, {kind} call paths",
                          merge_power(rows, kind))


RULES = (
    ("Threads slow one another", (threads_lose,)),
    ("Aims missed", (mean_of(TRACING, TRACING_AIM),
                     mean_of(SAMPLING, SAMPLING_AIM), pairs_aim,
                     compile_aim)),
    ("Peers ahead", (program_peers, file_peers, server_peers, pair_peers,
                     tracemalloc_ahead)),
    ("Not linear", (not_linear, sites_not_linear, snapshots_not_linear,
                    analysis_not_linear, merge_not_linear)),
    ("Not measured", (benchmarks_missing, ours_missing)),
    ("Refused: plain runs too far apart", (refused_programs,
                                           refused_others,
                                           refused_scaling)),
    ("Under what it was measured", (conditions, different_machines)),
)


def losses(results):
    """{title: [sentence]} of those rules that have found something."""
    found = {title: [text for rule in rules for text in rule(results)]
             for title, rules in RULES}
    return {title: texts for title, texts in found.items() if texts}
