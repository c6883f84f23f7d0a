#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds real programs from Debian's source packages, plain and with
alloctrace, tests and runs both, and reports all of them in a table. Run by
scripts/programs, which installs and builds what it takes.

    scripts/programs [--list] [--no-tests] [--no-measure] [--measure-only]
                     [--runs N] [--record DIR] [--build DIR] [NAME...]
    scripts/programs --page

Sources are fetched to build/sources, unchanged; each program is built twice by
its own build system in build/programs, with CC, CXX and FC set. Its tests run
plain and traced, with every frame; they have to pass and fail alike, and no
warning may be added. What is measured is run plain, compiled in but off, traced
and sampled, in turn. It is refused if its traced build left no dump, or none
with a traceback of the program's own files.

Results stay in build/programs/programs-built.json, and in DIR with --record:
there, too, a run replaces what it found out and leaves the rest. So tests may
run while the machine is busy, and measuring (--measure-only) may wait.
docs/programs.md is written from what is in docs/performance, by --page and by
every run that records there.
"""
import argparse
import contextlib
import datetime
import fcntl
import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
from known_types import count_kinds  # noqa: E402
from programs_copy import (TOP, WORK, Copy, fetch, measure,  # noqa: E402
                           version)
from programs_list import PROGRAMS  # noqa: E402
import programs_page as page  # noqa: E402
import record  # noqa: E402

# Variables of each; "plain" is the other build.
VARIANTS = {
    "plain": "",
    "off": "",
    "traced": "ALLOCTRACE=all ALLOCTRACE_DUMP={dump}",
    "sampled": "ALLOCTRACE=all ALLOCTRACE_SAMPLE=512KiB ALLOCTRACE_DUMP={dump}",
}


def say(text):
    print(f"==> {text}", flush=True)


def stamp():
    """When, where and with what: a row's parts may be of several runs."""
    everything = record.environment()
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"date": now.date().isoformat(),
            **{key: everything[key] for key in
               ("processor", "processors", "system", "compiler", "alloctrace")}}


def find_warnings(plain, traced):
    added = traced.warnings() - plain.warnings()
    return sorted(added.elements())


def build(program, copies):
    """The row's first columns."""
    for copy in copies:
        say(f"{program.name}: building it {copy.kind}")
        copy.build()
    return {"built": True, "why_not": None,
            "warnings_added": find_warnings(*copies)}


def describe_tests(tests):
    return {"is_well": tests.is_well, "passed": len(tests.passed),
            "failed": tests.failed, "dumps": tests.dumps}


def test(program, copies):
    """The tests' columns; None if the program has none."""
    if not program.test:
        return {"tests": None}
    say(f"{program.name}: testing it")
    results = {copy.kind: copy.test() for copy in copies}
    return {"tests": {
        **{kind: describe_tests(tests) for kind, tests in results.items()},
        "same": results["plain"].same(results["traced"]), "when": stamp()}}


def describe_dump(tree, dump, owns):
    """Allocations, those whose type is known, those of the program's files."""
    def groups(key):
        return page.ask(tree, "stats", dump, "--group-by", key, "--metric",
                        "total", "--fold-wrappers")["statistics"]

    kinds = count_kinds((group["key"], group["count"])
                        for group in groups("type"))
    return {"allocations": sum(kinds.values()), "kinds": kinds,
            "own": sum(group["count"] for group in groups("filename")
                       if owns(group["traceback"][0]["file"]))}


def trace(program, traced, usage):
    say(f"{program.name}: tracing it")
    if os.path.exists(traced.dump):
        os.remove(traced.dump)
    traced.run(usage, VARIANTS["traced"].format(dump=traced.dump))
    if not os.path.exists(traced.dump):
        raise measure.RunError("it left no dump: is it instrumented?")
    found = describe_dump(traced.tree, traced.dump, traced.owns)
    if not found["own"]:
        raise measure.RunError("no traceback has a file of the program's own")
    return found


def measure_all(program, copies, usage, runs):
    """Seconds of the processor of each variant, run by run."""
    say(f"{program.name}: measuring it")
    plain, traced = copies

    def once(variant):
        copy = plain if variant == "plain" else traced
        return copy.run(usage, VARIANTS[variant].format(dump=copy.dump)).cpu

    return {"cpu": measure.in_turn(VARIANTS, runs, once), "measured": stamp()}


def examine(program, options, usage):
    """Yields what was found out, part by part; ends at what does not work."""
    yield {"program": program.name, "package": program.package,
           "system": program.system}
    fetch(program)
    copies = [Copy(program, kind, options.build) for kind in
              ("plain", "traced")]
    yield {"version": version(program)}
    try:
        yield build(program, copies)
    except measure.RunError as error:
        yield {"built": False, "why_not": str(error)}
        return
    try:
        if options.tests:
            yield test(program, copies)
        yield trace(program, copies[1], usage)
        if options.measure:
            yield measure_all(program, copies, usage, options.runs)
    except measure.RunError as error:
        yield {"why_not": str(error)}


def is_well(row):
    tests = row.get("tests")
    return (not row.get("why_not") and not row["warnings_added"] and
            (not tests or (tests["same"] and tests["traced"]["dumps"] > 0)))


@contextlib.contextmanager
def locked(name):
    """Another run of this script waits until this one is done with it."""
    os.makedirs(WORK, exist_ok=True)
    path = os.path.join(WORK, name + ".lock")
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep(folder, row):
    """Merges a row into those that are recorded, also by another run."""
    with locked("results"):
        earlier = record.read(folder, page.RESULTS) or {"rows": []}
        record.write(folder, page.RESULTS, page.merge(earlier["rows"], row))
        if os.path.abspath(folder) == page.FOLDER:
            page.write()


def install(programs):
    needs = sorted({package for program in programs
                    for package in program.needs})
    script = '. scripts/lib.sh; need_packages "$@"'
    subprocess.run(["sh", "-euc", "top=$PWD; " + script, "programs", *needs],
                   cwd=TOP, check=True)


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/programs", description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--no-tests", dest="tests", action="store_false")
    parser.add_argument("--no-measure", dest="measure", action="store_false")
    parser.add_argument("--measure-only", dest="tests", action="store_false")
    parser.add_argument("--record", metavar="DIR")
    parser.add_argument("--build", metavar="DIR", type=os.path.abspath,
                        default=os.path.join(TOP, "build", "release"))
    options = parser.parse_args()
    unknown = set(options.names) - {program.name for program in PROGRAMS}
    if unknown:
        parser.error(f"there is no program {sorted(unknown)[0]!r}")
    return options


def run(programs, options):
    install(programs)
    if not os.path.exists(os.path.join(options.build, "bin", "alloctrace")):
        measure.fail(f"{options.build} has no alloctrace")
    usage = measure.usage_program(options.build)
    rows = []
    for program in programs:
        row = {}
        with locked(program.package):
            for part in examine(program, options, usage):
                row.update(part)
        rows.append(row)
        for folder in filter(None, (WORK, options.record)):
            keep(folder, row)
        print(page.table([row]), flush=True)
    print("\n" + page.table(rows))
    failed = [row["program"] for row in rows if not is_well(row)]
    if failed:
        print("\nnot as without alloctrace: " + "; ".join(failed))
    return 1 if failed else 0


def main():
    # What it started ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse()
    if options.page:
        page.write()
        return 0
    programs = [program for program in PROGRAMS
                if not options.names or program.name in options.names]
    if options.list:
        for program in programs:
            print(f"{program.name}: {program.package}, {program.system}; "
                  f"needs {' '.join(program.needs) or 'nothing else'}")
        return 0
    return run(programs, options)


if __name__ == "__main__":
    sys.exit(main())
