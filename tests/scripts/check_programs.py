#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does scripts/programs say what is so, and notice what differs?

    check_programs.py page             what is written of rows; the page is that
                                       of the results
    check_programs.py types BUILD      known types are counted as the source and
                                       the raw records have them
    check_programs.py differences BUILD
                                       made-up programs that a traced build
                                       changes, or that are not traced at all
"""
import os
import re
import subprocess
import sys
import tempfile
import types

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SCRIPTS = os.path.join(TOP, "scripts")
sys.path[:0] = [SCRIPTS, os.path.join(TOP, "tests", "e2e")]
sys.dont_write_bytecode = True

import e2e  # noqa: E402
import programs_copy  # noqa: E402
from programs_list import PROGRAMS, Program, find_names  # noqa: E402
import programs_page as page  # noqa: E402
import programs_run as command  # noqa: E402
import record  # noqa: E402


# ---- The page ----

BUILT = {"program": "lua", "system": "Make", "version": "5.4", "built": True,
         "why_not": None, "warnings_added": []}
STEADY = {"plain": [1.0, 1.01, 1.0, 0.99], "off": [1.1, 1.111, 1.1, 1.089],
          "traced": [1.2, 1.212, 1.2, 1.188],
          "sampled": [1.15, 1.1615, 1.15, 1.1385]}


def check_merge():
    """What a run did not ask for stays; what it found out anew replaces."""
    first = page.merge([], {**BUILT, "program": "gawk"})
    second = page.merge(first, {**BUILT, "tests": None})
    third = page.merge(second, {"program": "lua", "cpu": STEADY,
                                "version": "5.5"})
    e2e.check_equal("programs", [row["program"] for row in third],
                    ["lua", "gawk"])
    e2e.check_equal("lua", third[0], {**BUILT, "tests": None, "cpu": STEADY,
                                      "version": "5.5"})
    text = page.text(third)
    e2e.check(all(f"\n| {program.name} |" in text for program in PROGRAMS),
              "a program of which nothing is known is left out")


def check_columns():
    e2e.check_equal("not measured", page.columns(BUILT)[-3:],
                    [page.NOT_YET] * 3)
    e2e.check_equal("not run", page.columns(BUILT)[5:7], ["not run yet"] * 2)
    e2e.check_equal("measured", page.columns({**BUILT, "cpu": STEADY})[-3:],
                    ["1.10", "1.20", "1.15"])
    wild = {**STEADY, "plain": [1.0, 1.5, 0.9, 1.2]}
    e2e.check(all(re.fullmatch(r"spread \d+ %", text) for text in
                  page.columns({**BUILT, "cpu": wild})[-3:]),
              "plain runs far apart are compared with")
    kinds = {"typed": 1998, "bytes": 1, "unknown": 1}
    e2e.check_equal("types", page.columns(
        {**BUILT, "allocations": 2000, "kinds": kinds})[7:10],
        ["2,000", "99.9 %", "0.0 %"])
    e2e.check("not built" in page.table([{
        **BUILT, "built": False, "why_not": "not built plain"}]),
        "what does not build is not said")


def check_page():
    check_merge()
    check_columns()
    known = record.read(page.FOLDER, page.RESULTS)
    e2e.check(known, "docs/performance has no results")
    with open(page.PAGE, encoding="utf-8") as file:
        e2e.check(file.read() == page.text(known["rows"]),
                  "docs/programs.md: run scripts/programs --page")


# ---- Types ----

def raw_unknown(dump, build):
    """Allocations of tracebacks without any type, of the raw records; frames of
    this program have no inlined callers with a type of their own."""
    text = subprocess.run([os.path.join(build, "bin", "alloctrace"), "dump",
                           dump], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    records = {}
    for line in text.splitlines():
        heading = re.match(r"([A-Z]+) tag=", line)
        if heading:
            kind = records.setdefault(heading.group(1), {})
        elif line.startswith("  ") and "=" in line:
            number, *fields = line.split()
            kind[number] = dict(field.split("=", 1) for field in fields)

    def has_type(traceback):
        while traceback != "0":
            step = records["TRACEBACKS"][traceback]
            if records["FRAMES"][step["frame"]]["type"] != "0":
                return True
            traceback = step["parent"]
        return False

    return sum(int(trace["total_blocks"])
               for trace in records["TRACES"].values()
               if not has_type(trace["traceback"]))


def check_types(build):
    with tempfile.TemporaryDirectory() as folder:
        program, dump = (os.path.join(folder, name) for name in "ad")
        subprocess.run([os.path.join(build, "bin", "alloctrace-gcc"), "-O2",
                        os.path.join(HERE, "types.c"), "-o", program],
                       check=True)
        subprocess.run([program], check=True, env=e2e.environment(
            ALLOCTRACE="all", ALLOCTRACE_DUMP=dump))
        found = command.describe_dump(build, dump,
                                      lambda file: file.endswith("types.c"))
        strange = command.describe_dump(build, dump, lambda file: False)
        e2e.check_equal("raw records", raw_unknown(dump, build), 12)
    e2e.check_equal("types", found, {
        "allocations": 42, "own": 42,
        "kinds": {"typed": 20, "bytes": 10, "unknown": 12}})
    e2e.check_equal("of other files", strange["own"], 0)


# ---- Differences ----

# What allocates; a Makefile's `all` makes it.
SOURCE = """#include <stdlib.h>
int *volatile block;
int main(void) { block = malloc(sizeof *block); free(block); return 0; }
"""
COMPILE = "$CC -O2 a.c -o a"
TEST = "./a && echo pass: works"


def made_up(name, build=COMPILE, test=TEST):
    return Program(name, "made-up", "sh", build=build, test=test,
                   run="$TRACED ./a", passed=r"^pass: (.*)",
                   failed=r"^fail: (.*)")


def examine(program, build):
    options = types.SimpleNamespace(build=build, tests=True, measure=True,
                                    runs=2)
    usage = command.measure.usage_program(build)
    row = {}
    for part in command.examine(program, options, usage):
        row.update(part)
    return row


def make_sources(folder):
    programs_copy.SOURCES = os.path.join(folder, "sources")
    programs_copy.WORK = os.path.join(folder, "work")
    package = os.path.join(folder, "sources", "unpatched", "made-up")
    os.makedirs(os.path.join(package, "debian"))
    for name, text in (("debian/changelog", "made-up (1.2-3) stable; low\n"),
                       ("a.c", SOURCE)):
        with open(os.path.join(package, name), "w",
                  encoding="utf-8") as file:
            file.write(text)


def check_bad(build):
    """(name, row) of programs that are not as without alloctrace."""
    warn = COMPILE + "; echo a.c:1: warning: old; case $CC in " \
        "*alloctrace*) echo a.c:2: warning: new; esac"
    untraced = "[ -z \"$ALLOCTRACE\" ] && echo pass: works || echo fail: works"
    half = TEST + "; [ \"$ALLOCTRACE\" ] || echo pass: more"
    rows = {name: examine(made_up(name, *rest), build) for
            name, *rest in (("deaf", "gcc a.c -o a"), ("warns", warn),
                            ("fails", COMPILE, untraced),
                            ("fewer", COMPILE, half),
                            ("silent", COMPILE, "echo pass: works"),
                            ("broken", "false"))}
    for name, row in rows.items():
        e2e.check(not command.is_well(row), f"{name}: taken for well: {row}")
    e2e.check("left no dump" in rows["deaf"]["why_not"], rows["deaf"])
    e2e.check_equal("warnings", rows["warns"]["warnings_added"],
                    ["a.c:2: warning: new"])
    e2e.check_equal("failed", rows["fails"]["tests"]["traced"]["failed"],
                    ["works"])
    e2e.check(not rows["fewer"]["tests"]["same"], rows["fewer"])
    e2e.check_equal("dumps", rows["silent"]["tests"]["traced"]["dumps"], 0)
    e2e.check("not built plain" in rows["broken"]["why_not"], rows["broken"])


def check_differences(build):
    with tempfile.TemporaryDirectory() as folder:
        make_sources(folder)
        row = examine(made_up("good"), build)
        e2e.check(command.is_well(row), f"not taken for well: {row}")
        e2e.check_equal("version", row["version"], "1.2-3")
        e2e.check_equal("allocations", (row["allocations"], row["own"]),
                        (1, 1))
        e2e.check_equal("dumps", row["tests"]["traced"]["dumps"], 1)
        e2e.check_equal("runs", {key: len(value) for key, value in
                                 row["cpu"].items()},
                        {"plain": 2, "off": 2, "traced": 2, "sampled": 2})
        check_bad(build)


def test():
    what, *build = sys.argv[1:]
    e2e.check_equal("names", find_names(r"a(b)?|c", "ab a c"), ["b", "a", "c"])
    {"page": check_page, "types": check_types,
     "differences": check_differences}[what](*map(os.path.abspath, build))


if __name__ == "__main__":
    e2e.main(test)
