# SPDX-License-Identifier: MIT
"""Sections of docs/performance.md: threads at once, merging dumps, filters.
"""
from exponent import exponent
from figures import (byte_text, count_text, median, percent_text,
                     second_text, three_digits, unique)
from parts import (NOTHING, power_text, repeat, section, size_or_nothing,
                   table)
from scales import scales

KINDS = {"local": "stay with their thread", "queue": "freed by the next thread"}


@section("Threads at once", "scaling")
def scaling(results, rows, _):
    yield "What all threads do, times what one does, by the clock; and the " \
          "traced program's by the plain one's: 1 is perfect."
    yield ""
    yield from repeat(results, "scaling")
    yield from table(("blocks", "threads", "plain", "traced",
                      "traced by plain", "traced, times plain, one thread",
                      "all threads"),
                     (scaling_cells(rows, group)
                      for group in unique(row["group"] for row in rows)
                      if scales(rows, group)))


def scaling_cells(rows, group):
    found = scales(rows, group)
    name = KINDS.get(group, group)
    if found.is_refused():
        return (name, found.threads, *[
            f"(spread {percent_text(found.spread)})"] * 5)
    return (name, found.threads, *map(three_digits, (
        found.plain, found.traced, found.relative, found.one, found.all)))


@section("Merging dumps", "merge")
def merge(results, rows, _):
    yield "Files whose call paths are the same, and, the worst case, files " \
          "that have none in common. Medians of CPU time; power as in " \
          "\"Growth\", by the number of files."
    yield ""
    yield from repeat(results, "merge")
    yield from table(("call paths", "files", "of so many paths", "time",
                      "a file", "memory", "result", "power"), (
        (row["kind"], count_text(row["files"]), count_text(row["contexts"]),
         size_or_nothing(row, "seconds", second_text),
         second_text(median(row, "seconds") / row["files"]),
         size_or_nothing(row, "memory", byte_text),
         size_or_nothing(row, "file", byte_text), power_text(
             merge_power(rows, row["kind"])) if is_last(rows, row) else "")
        for row in rows))


def is_last(rows, row):
    return row["files"] == max(one["files"] for one in rows
                               if one["kind"] == row["kind"])


def merge_power(rows, kind):
    return exponent((row["files"], median(row, "seconds")) for row in rows
                    if row["kind"] == kind)


@section("Filters", "filters")
def filters(results, rows, _):
    yield "CPU time of a filter over all traces of a snapshot with a tenth " \
          "as many frames, raw and with wrappers folded. Traces are in " \
          "random order: where the processor's caches no longer hold the " \
          "snapshot each takes longer."
    yield ""
    yield from repeat(results, "filters")
    rows = growing_filters(rows)
    sizes = sorted({row["traces"] for row in rows})
    yield from table(("filter", "", *(f"{count_text(size)} traces"
                                      for size in sizes), "a trace"),
                     (filter_cells(rows, sizes, *key) for key in unique(
                         (row["filter"], row["what"]) for row in rows)))


def growing_filters(rows):
    """Those of the same shape: paths are whole, frames a tenth of traces."""
    return [row for row in rows if row["limit"] == 0 and
            row["frames"] * 10 == row["traces"]]


def filter_cells(rows, sizes, name, what):
    by_size = {row["traces"]: row for row in rows
               if (row["filter"], row["what"]) == (name, what)}
    most = by_size.get(sizes[-1])
    return (name.replace("*", "\\*"), what,
            *(size_or_nothing(by_size.get(size), "seconds", second_text)
              for size in sizes),
            second_text(median(most, "seconds") / sizes[-1]) if most
            else NOTHING)
