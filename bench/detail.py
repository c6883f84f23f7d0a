# SPDX-License-Identifier: MIT
"""Sections of docs/performance.md: pairs, the limit, dumps, the analysis,
growth.
"""
import re

from charts import GROWTH, PAIRS, growth_name, limit_cases, variant_name
from exponent import MOST, exponent
from figures import (by_variant, byte_text, count_text, difference,
                     extra, groups, growth_rows, median, samples, second_text,
                     three_digits, two_digits, unique)
from measure import SPREAD, median_difference, median_ratio
from parts import (NOTHING, cell, not_measured, pictures, power_text, reasons,
                   repeat, section, size_or_nothing, table)

# ---- Pairs ----

@section("A malloc and free pair", "pairs")
def pairs(results, rows, folder):
    yield "Nanoseconds: the plain program's median, then what the others " \
          "take more (median of the differences to the plain run beside)."
    yield ""
    yield from repeat(results, "pairs")
    for group in groups(rows):
        title = PAIRS.get(group, (f"({group})", "x"))
        yield f"### {title[0][0].upper()}{title[0][1:]}"
        yield ""
        yield from pictures(results, folder, f"pairs-by-{group}")
        yield from pair_table(rows, group, title[1])
    yield from reasons(results.not_measured("pairs"))


def pair_table(rows, group, unit):
    variants = by_variant(rows, group)
    plain = variants.pop("plain", {})
    xs = sorted({x for points in [plain, *variants.values()] for x in points})
    yield from table((unit, "plain", *map(variant_name, variants)), (
        (count_text(x), size_or_nothing(plain.get(x), "ns", three_digits),
         *(pair_cell(plain.get(x, {}), points.get(x, {}))
           for points in variants.values())) for x in xs))


def pair_cell(plain, row):
    return cell(difference(plain, row, "ns"),
                lambda value: two_digits(value, "+"))


# ---- The limit ----

def limit(results, folder):
    yield "## The limit"
    yield ""
    yield from not_measured(results, "limit")
    cases = limit_cases(results)
    if not cases:
        return
    yield "An ideal tool, written by hand into the program, does what none " \
          "can do without, and counts the same (bench/README.md). The plain " \
          "program, what each variant takes more (medians of differences to " \
          "the plain run beside), and how far alloctrace is from the ideal."
    yield ""
    yield from repeat(results, "limit")
    yield from pictures(results, folder, "limit")
    for unit in LIMIT_UNITS:
        yield from limit_table(cases, unit)


LIMIT_UNITS = {"ns": ("ns a pair", three_digits, lambda value:
                      two_digits(value, "+")),
               "seconds": ("time", second_text, lambda value:
                           f"{value:+.3f} s"),
               "instructions": ("instructions a pair", three_digits,
                                lambda value: f"{value:+.0f}")}


def limit_table(cases, unit):
    variants = [name for name in unique(
        name for rows in cases.values() for name in rows) if name != "plain"]
    head, whole, more = LIMIT_UNITS[unit]
    rows = [(case, size_or_nothing(found["plain"], unit, whole),
             *(cell(difference(found["plain"], found.get(name, {}), unit),
                    more) for name in variants),
             *distance(found, unit, more))
            for case, found in cases.items()
            if {"plain", "ideal", "alloctrace"} <= set(found)
            and median(found["plain"], unit) is not None]
    yield from table((head, "plain", *variants, "distance", "times ideal"),
                     rows)


def distance(found, unit, more):
    """From ideal to alloctrace; refused as all else beside those plain runs."""
    ideal, own = found["ideal"], found["alloctrace"]
    is_refused = difference(found["plain"], ideal, unit).is_refused()
    return (NOTHING, NOTHING) if is_refused else (
        more(median_difference(samples(ideal, unit), samples(own, unit))),
        three_digits(median_ratio(samples(ideal, unit), samples(own, unit))))


# ---- Dumps, analysis ----

@section("Dumps", "snapshots")
def snapshots(results, rows, _):
    yield "Medians. Each more: the difference to the row above, by that of " \
          "the numbers. Pause: the longest that another thread, which " \
          "allocates meanwhile, was stopped for, and its longest without " \
          "dumps."
    yield ""
    yield from repeat(results, "snapshots")
    for group in groups(rows):
        name = GROWTH.get(group, group)
        yield from table((name, "what", "time", "each more", "file",
                          "each more", "pause", "without"),
                         snapshot_rows(rows, group))


def snapshot_rows(rows, group):
    for what in unique(row["what"] for row in rows):
        last = {}
        for row in sorted((row for row in rows if row["group"] == group
                           and row["what"] == what),
                          key=lambda row: row["x"]):
            yield (count_text(row["x"]), what,
                   *(text for name, unit in (("seconds", second_text),
                                             ("file", byte_text))
                     for text in quantity(last.get("x"), median(last, name),
                                          row["x"], median(row, name), unit)),
                   size_or_nothing(row, "pause", second_text),
                   size_or_nothing(row, "pause_alone", second_text))
            last = row


def quantity(last_x, last, x, value, text):
    """(value, what each more takes than at the last x)"""
    if value is None:
        return NOTHING, NOTHING
    if last is None or x == last_x:
        return text(value), NOTHING
    return text(value), text((value - last) / (x - last_x))


def analysis(results, _):
    yield "## Looking into dumps, beside tracemalloc"
    yield ""
    yield from not_measured(results, "analysis")
    rows = {(row["traces"], row["operation"], row["library"]): row
            for row in results.rows("analysis")}
    if not rows:
        return
    yield "The same traces, in alloctrace's library and in CPython's " \
          "tracemalloc; medians of CPU time. Times: how much longer " \
          "tracemalloc takes."
    yield ""
    yield from repeat(results, "analysis")
    most = max(traces for traces, _, library in rows
               if library == "tracemalloc" or not has_tracemalloc(rows))
    operations = unique(operation for _, operation, _ in rows)
    yield from table(
        (f"{count_text(most)} traces", "alloctrace", "tracemalloc", "times",
         "memory", "tracemalloc's"),
        (analysis_cells(rows, most, operation) for operation in operations))
    yield "By the number of traces, alloctrace alone; power as in \"Growth\":"
    yield ""
    sizes = sorted({traces for traces, *_ in rows})
    yield from table(("traces", *map(count_text, sizes), "power"), (
        size_cells(rows, sizes, operation) for operation in operations))


def has_tracemalloc(rows):
    return any(library == "tracemalloc" for *_, library in rows)


def size_cells(rows, sizes, operation):
    points = {size: median(rows.get((size, operation, "alloctrace"), {}),
                           "seconds") for size in sizes}
    found = exponent((size, value) for size, value in points.items() if value)
    return (operation, *(NOTHING if value is None else second_text(value)
                         for value in points.values()),
            power_text(found))


def analysis_cells(rows, traces, operation):
    ours, theirs = (rows.get((traces, operation, library), {})
                    for library in ("alloctrace", "tracemalloc"))
    own, other = median(ours, "seconds"), median(theirs, "seconds")
    return (operation,
            size_or_nothing(ours, "seconds", second_text),
            size_or_nothing(theirs, "seconds", second_text),
            three_digits(other / own) if own and other else NOTHING,
            size_or_nothing(ours, "memory", byte_text),
            size_or_nothing(theirs, "memory", byte_text))


# ---- Growth ----

def growth(results, folder):
    yield "## Growth"
    yield ""
    yield from not_measured(results, "growth")
    rows = growth_rows(results)
    if not rows:
        return
    yield "What tracing takes more than the plain program beside, its own " \
          "memory, dumping, the file, and what the tool takes to load and " \
          "sum it up. Each more: the difference to the row " \
          "above, by that of the numbers. Power: of the number, that each " \
          "grows with over the last hundredfold; 1 is linear, less is better, " \
          f"and up to {MOST} is called linear: what a processor's caches no " \
          "longer hold takes longer, once."
    yield ""
    yield from repeat(results, "growth")
    for group in groups(rows):
        name = growth_name(group)
        yield f"### By {name}"
        yield ""
        yield from pictures(results, folder, "growth-by-" +
                            re.sub(r"\W+", "-", group))
        yield from growth_table(rows, group, name.split(" (")[0])
        if group == "contexts":
            yield from default_limit(results, rows)
        if group == "sites":
            yield from site_tables(results)


GROWING = {"seconds": second_text, "own": byte_text, "dump": second_text,
           "file": byte_text, "load": second_text, "statistics": second_text,
           "tracebacks": second_text}
TITLES = {"seconds": "time", "own": "own memory", "dump": "dumping",
          "file": "file", "load": "loading", "statistics": "statistics",
          "tracebacks": "by traceback"}


def growth_table(rows, group, name):
    columns = {field: extra(rows, group, field) for field in GROWING}
    columns = {field: found for field, found in columns.items() if found}
    xs = sorted({x for column in columns.values() for x in column})
    lines = [[count_text(x), *(text for field, column in columns.items()
                               for text in growth_cells(
                                   column, x, GROWING[field]))] for x in xs]
    if lines:
        lines.append(["power", *(text for column in columns.values()
                                 for text in (power(column), ""))])
    yield from table((name, *(text for field in columns
                              for text in (TITLES[field], "each more"))),
                     lines)


def growth_cells(column, x, text):
    figure = column.get(x)
    if figure is None or figure.is_refused():
        return cell(figure), NOTHING
    before = [one for one in column
              if one < x and not column[one].is_refused()]
    last_x = max(before, default=None)
    return quantity(last_x, column[last_x].value if before else None, x,
                    figure.value, text)


def power(column):
    found = exponent((x, figure.value) for x, figure in column.items()
                     if not figure.is_refused())
    return power_text(found)


def default_limit(results, rows):
    """What ALLOCTRACE_MAX_MEMORY does unless it is set, beside without."""
    whole = by_variant(rows, "contexts").get("tracing", {})
    for row in results.rows("growth"):
        if row["variant"] == "default limit":
            beside = whole.get(row["x"])
            yield f"With the default `ALLOCTRACE_MAX_MEMORY`, " \
                  f"{count_text(row['x'])} call paths take {taken(row)}" \
                  f"{f'; with all of memory {taken(beside)}' if beside else ''}. " \
                  f"{cut_text(row)}Totals are exact."
            yield ""


def taken(row):
    return f"{size_or_nothing(row, 'own', byte_text)} of its own memory and " \
        f"{size_or_nothing(row, 'seconds', second_text)} for the whole program"


def cut_text(row):
    cut = median(row, "cut")
    if cut is None:
        return ""
    return f"{count_text(round(cut)) if cut else 'No'} blocks stand under a " \
        "part of their path. "


# Step, field, title, text.
SITE_TABLES = (("build", "seconds", "compiling", second_text),
               ("build", "file", "binary", byte_text),
               ("start", "seconds", "start", second_text))


def site_rows(results, step):
    """{variant: {x: row}} of what is measured once a number of sites."""
    return by_variant([row for row in results.rows("growth")
                       if row["what"] == step], "sites")


def site_extra(results, step, field):
    """{x: Figure}: what the traced one takes more, where it is more than what
    two plain ones may differ by."""
    plain = site_rows(results, step).get("plain", {})
    found = extra([row for row in results.rows("growth")
                   if row["what"] == step], "sites", field)
    return {x: figure for x, figure in found.items()
            if not figure.is_refused() and x in plain
            and figure.value > SPREAD * median(plain[x], field)}


def site_tables(results):
    """Compiling and starting: a row a number of sites, the power below."""
    columns = [(title, text, *(site_rows(results, step).get(variant, {})
                               for variant in ("plain", "tracing")), field,
                site_extra(results, step, field))
               for step, field, title, text in SITE_TABLES]
    xs = sorted({x for column in columns for x in column[3]})
    lines = [[count_text(x), *(cell_text for column in columns
                               for cell_text in site_cells(column, x))]
             for x in xs]
    if lines:
        lines.append(["power of what is more", *(
            cell_text for column in columns
            for cell_text in ("", power(column[5])))])
    yield from table(("call sites", *(name for column in columns for name in (
        f"{column[0]}, plain", f"{column[0]}, traced"))), lines)


def site_cells(column, x):
    _, text, plain, traced, field, _ = column
    return [size_or_nothing(rows.get(x), field, text)
            for rows in (plain, traced)]
