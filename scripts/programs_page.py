# SPDX-License-Identifier: MIT
"""What is known of the programs that were built: rows, the table, the page.

A row of RESULTS (bench/record.py has the file's schema) has what is known of a
program so far; a part that was not asked for yet is not there:

    program, package, version, system
    built, why_not      False and a sentence: what does not work
    warnings_added      lines that the plain build did not print
    tests               None, or of "plain" and "traced": is_well, passed (how
                        many), failed (names), dumps (of traced processes); and
                        "same" (did the same pass and fail?), "when"
    allocations         of the traced run; `kinds` of their types, `own`: those
                        whose innermost frame is in the program's own files
    cpu                 seconds of the program, run by run, of each variant
    measured            when and where `cpu` was
"""
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "bench"))
import measure  # noqa: E402
from programs_list import PROGRAMS  # noqa: E402
import record  # noqa: E402

RESULTS = "programs-built"
FOLDER = os.path.join(TOP, "docs", "performance")
PAGE = os.path.join(TOP, "docs", "programs.md")
NOT_YET = "not measured yet"
HEAD = ("program", "Debian's version", "build system", "built",
        "warnings added", "tests plain", "tests traced", "allocations",
        "types known", "of these bytes", "off", "traced", "sampled")
VARIANTS = ("off", "traced", "sampled")


def ask(tree, *arguments):
    """What the tool of the build `tree` answers."""
    text = subprocess.run([os.path.join(tree, "bin", "alloctrace"),
                           *arguments, "--format", "json"],
                          check=True, stdout=subprocess.PIPE).stdout
    return json.loads(text)


def merge(rows, new):
    """Rows with what is new of one program; programs in their order."""
    known = {row["program"]: row for row in rows}
    known[new["program"]] = {**known.get(new["program"], {}), **new}
    return [known[program.name] for program in PROGRAMS
            if program.name in known]


def complete(rows):
    """Rows with those of the programs of which nothing is known yet."""
    known = {row["program"]: row for row in rows}
    return [known.get(program.name, {"program": program.name,
                                     "system": program.system})
            for program in PROGRAMS]


def describe_tests(tests):
    text = f"{tests['passed']:,} passed"
    if tests["failed"]:
        text += f", {len(tests['failed'])} failed"
    elif not tests["is_well"]:
        text += ", status not 0"
    return text


def test_columns(row):
    if "tests" not in row:
        return ["not run yet"] * 2
    if row["tests"] is None:
        return ["has none"] * 2
    columns = [describe_tests(row["tests"][kind])
               for kind in ("plain", "traced")]
    if not row["tests"]["same"]:
        columns[1] += " (others)"
    return columns


def share(part, total):
    """Never 100 % of what is not all."""
    return f"{part * 1000 // total / 10:.1f} %"


def trace_columns(row):
    if not row.get("allocations"):
        return ["", "", ""]
    kinds, total = row["kinds"], row["allocations"]
    return [f"{total:,}", share(total - kinds["unknown"], total),
            share(kinds["bytes"], total)]


def cost_columns(row):
    if not row.get("cpu"):
        return [NOT_YET] * len(VARIANTS)
    plain = row["cpu"]["plain"]
    spread = measure.spread(plain)
    if spread > measure.SPREAD:
        return [f"spread {spread * 100:.0f} %"] * len(VARIANTS)
    return [f"{measure.median_ratio(plain, row['cpu'][variant]):.2f}"
            for variant in VARIANTS]


def columns(row):
    first = [row["program"], row.get("version", ""), row["system"]]
    if not row.get("built"):
        return first + [row.get("why_not") or "not yet"] + 9 * [""]
    return (first + [f"yes, but {row['why_not']}" if row["why_not"] else "yes",
                     str(len(row["warnings_added"]))] +
            test_columns(row) + trace_columns(row) + cost_columns(row))


def table(rows):
    lines = [HEAD, ["---"] * len(HEAD), *map(columns, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def sentence(verb, stamps):
    """When and where something was done, if it was; of several, the last."""
    if not stamps:
        return ""
    last = max(stamps, key=lambda stamp: stamp["date"])
    return (f"{verb} {last['date']}, alloctrace {last['alloctrace']}, "
            f"{last['processors']} x {last['processor']}, {last['system']}, "
            f"{last['compiler']}.")


def failures(rows):
    """What failed plain and traced alike, or not."""
    for row in rows:
        tests = row.get("tests")
        if not tests:
            continue
        names = tests["plain"]["failed"]
        if names and tests["same"]:
            yield (f"{row['program']}: without alloctrace, too, fail "
                   f"{', '.join(names)}.")
        elif not tests["same"]:
            yield (f"{row['program']}: failed plain: "
                   f"{', '.join(names) or 'none'}; traced: "
                   f"{', '.join(tests['traced']['failed']) or 'none'}.")


TEXT = """# Real programs

Written by `scripts/programs` from docs/performance/{results}.json; do not edit.

Programs of Debian 12, built from their unchanged source packages by their own
build systems, with `CC=alloctrace-gcc`, `CXX=alloctrace-g++` and
`FC=alloctrace-gfortran`, and nothing else:

{table}

- **warnings added**: lines with a warning that the plain build does not print.
- **tests**: the program's own, or a selection that takes minutes; traced, they
  run with `ALLOCTRACE=all` and each process writes its dump. Names are
  compared, not only how many.
- **allocations**, of the run that is measured, and the share of them whose type
  is known, be it only that they are bytes.
- **off**, **traced**, **sampled** (512 KiB): time of the processor that the
  program itself takes, over the plain build's run beside it; median of
  interleaved runs. It is not given if the middle half of the plain runs spans
  more than {spread:.0%} of their median.

{notes}

```
scripts/programs                    # all of it; installs what it needs
scripts/programs --list             # what there is, and what it needs
scripts/programs --no-measure gawk  # one: built, tested, traced
scripts/programs --measure-only --record docs/performance
```
"""


def text(rows):
    notes = [*failures(rows),
             sentence("Tested", [row["tests"]["when"] for row in rows
                                 if row.get("tests")]),
             sentence("Measured", [row["measured"] for row in rows
                                   if row.get("measured")])]
    return TEXT.format(results=RESULTS, table=table(complete(rows)),
                       spread=measure.SPREAD,
                       notes="\n\n".join(filter(None, notes)))


def write():
    known = record.read(FOLDER, RESULTS)
    if not known:
        measure.fail(f"{FOLDER} has no {RESULTS}.json")
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text(known["rows"]))
