# SPDX-License-Identifier: MIT
"""What the sections of docs/performance.md and README.md share: tables, cells,
what stands where nothing was measured.
"""
from charts import charts
from figures import (BENCHMARKS, is_own, median, percent_text, three_digits,
                     unique)

NOTHING = "–"


def table(head, rows):
    """Nothing without rows."""
    rows = list(rows)
    if rows:
        yield "| " + " | ".join(head) + " |"
        yield "|---" * len(head) + "|"
        for row in rows:
            yield "| " + " | ".join(map(str, row)) + " |"
        yield ""


def repeat(results, name):
    yield f"Repeat with `{results.command(name)}`."
    yield ""


def pictures(results, folder, *names):
    """Those of the named pictures that there are."""
    for chart in charts(results):
        if chart.name in names:
            yield f"![{chart.alternative()}]({chart.path(folder)})"
            yield ""


def not_measured(results, name):
    """True, after a line, if a benchmark has no results."""
    if not results.all_rows(name):
        yield f"Not measured (`{BENCHMARKS[name]} --record " \
              "docs/performance`)."
        yield ""


def cell(figure, text=three_digits):
    if figure is None:
        return NOTHING
    if figure.is_refused():
        return f"(spread {percent_text(figure.spread)})"
    return f"{text(figure.value)} {figure.mark}".rstrip()


def size_or_nothing(row, name, text):
    value = median(row or {}, name)
    return NOTHING if value is None else text(value)


def reasons(rows):
    """Why rows were not measured, those of one tool together."""
    found = {}
    for row in rows:
        found.setdefault((row.get("tool", row.get("variant", "")),
                          row["why_not"]), []).append(
            str(row.get("program", row.get("x", ""))))
    for (who, why), where in found.items():
        yield f"- {who}: {', '.join(unique(where))}: {why}"
    if found:
        yield ""


def bold(tool):
    return f"**{tool}**" if is_own(tool) else tool


def text_of(value):
    return NOTHING if value is None else three_digits(value)


def power_text(found):
    """Of exponent()."""
    return NOTHING if found is None else three_digits(found)


def section(title, name):
    """Decorates what yields a section's lines from the rows of a benchmark:
    its title, and what there is to say where nothing was measured."""
    def of(body):
        def lines(results, folder):
            yield f"## {title}"
            yield ""
            yield from not_measured(results, name)
            rows = results.rows(name)
            if rows:
                yield from body(results, rows, folder)
        return lines
    return of
