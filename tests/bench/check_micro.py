#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench/pairs, snapshot, analysis, growth, scaling, merge and filters work, and
what they record obeys the schema of bench/record.py; bench/instructions refuses
a count that is not the table's.

    check_micro.py BUILD

Tiny inputs, once. No time is looked at, but that there is one.
"""
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BENCH = os.path.join(TOP, "bench")
VARIANTS = {"plain", "stack", "off", "tracing", "sampling"}
N_BLOCKS = 2000
BLOCK_BYTES = 16  # of the list, at least: an address and a path
N_TRACES = 1000


def check(condition, message):
    if not condition:
        sys.exit(f"check_micro: {message}")


def recorded(build, command, *arguments):
    """The rows that a benchmark records."""
    with tempfile.TemporaryDirectory(prefix="alloctrace-bench.") as folder:
        result = subprocess.run(
            [sys.executable, "-B", os.path.join(BENCH, command), *arguments,
             "--build", build, "--record", folder], capture_output=True,
            text=True, check=False)
        check(result.returncode == 0, f"{command}: {result.stderr}")
        [name] = os.listdir(folder)
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            record = json.load(file)
    check(record["command"][0] == f"bench/{command}", f"{command}: command")
    return record["rows"]


def check_pairs(build):
    rows = recorded(build, "pairs", "fresh", "threads", "--quick")
    found = {(row["group"], row["x"], row["variant"]): row["ns"]
             for row in rows}
    cases = [("fresh", x) for x in (0, 1, 2, 4, 6, 10)] + \
            [("threads", x) for x in (1, 2, 4, 8)]
    check(set(found) == {(*case, variant) for case in cases
                         for variant in VARIANTS}, f"pairs: {list(found)}")
    check(all(len(ns) == 2 and min(ns) > 0 for ns in found.values()),
          f"pairs: {found}")


def check_snapshot(build):
    rows = recorded(build, "snapshot", "--paths", "10,100", "--blocks",
                    str(N_BLOCKS), "--runs", "2")
    files = {(row["x"], row["what"]): row["file"] for row in rows}
    check(all(len(row["seconds"]) == len(row["cpu"]) == 2 and
              min(row["seconds"]) > 0 for row in rows), f"snapshot: {rows}")
    for paths in (10, 100):
        check(files[paths, "dump with blocks"] - files[paths, "dump"] >=
              N_BLOCKS * BLOCK_BYTES, f"snapshot: no list: {files}")
    check(files[100, "dump"] > files[10, "dump"], f"snapshot: {files}")


def check_analysis(build):
    rows = recorded(build, "analysis", "--traces", str(N_TRACES), "--runs", "1")
    names = {library: {row["operation"] for row in rows
                       if row["library"] == library}
             for library in ("alloctrace", "tracemalloc")}
    check(len(names["tracemalloc"]) == 14 and
          names["tracemalloc"] < names["alloctrace"], f"analysis: {names}")
    check(all(row["traces"] == N_TRACES and len(row["seconds"]) == 1 and
              row["memory"] > 0 for row in rows), f"analysis: {rows}")


def samples_are(row, n, *names):
    return all(len(row[name]) == n and min(row[name]) > 0 for name in names)


def check_growth(build):
    """Of call paths, and of sites with their compiling and starting."""
    rows = recorded(build, "growth", "--quick", "--group", "contexts,sites")
    found = {(row["group"], row["x"], row["variant"], row["what"]): row
             for row in rows}
    for x in (10, 200, 2000):
        build_rows = [found["sites", x, variant, "build"]
                      for variant in ("plain", "tracing")]
        check(all(samples_are(row, 1, "seconds", "file")
                  for row in build_rows), f"growth: {build_rows}")
        plain, traced = (row["file"][0] for row in build_rows)
        check(plain < traced, f"growth: {x} sites: {plain}, {traced} bytes")
        for variant in ("plain", "tracing"):
            check(samples_are(found["sites", x, variant, "start"], 11,
                              "seconds", "memory"), f"growth: start: {rows}")
    for x in (10, 100, 1000, 10000, 100000):
        check(samples_are(found["contexts", x, "tracing", "program"], 1,
                          "seconds", "memory", "own"), f"growth: {rows}")
        check(samples_are(found["contexts", x, "tracing", "dump"], 1,
                          "seconds", "file"), f"growth: {rows}")
    row = found["contexts", 100000, "default limit", "program"]
    check(row["cut"] == [0] and row["own"][0] > 0, f"growth: {row}")


def check_scaling(build):
    rows = recorded(build, "scaling", "--runs", "2", "--events", "20000",
                    "--threads", "2")
    check({(row["group"], row["x"], row["variant"]) for row in rows} ==
          {(group, x, variant) for group in ("local", "queue")
           for x in (1, 2) for variant in ("plain", "tracing")} and
          all(samples_are(row, 2, "wall", "cpu") for row in rows),
          f"scaling: {rows}")


def check_merge(build):
    """What files share is in the result once, what they do not, each time."""
    rows = recorded(build, "merge", "--files", "32", "--contexts", "100",
                    "--runs", "2")
    check(all(samples_are(row, 2, "seconds", "memory", "file")
              for row in rows), f"merge: {rows}")
    sizes = {(row["kind"], row["files"]): row["file"][0] for row in rows}
    check(set(sizes) == {(kind, files) for kind in ("shared", "distinct")
                         for files in (2, 8, 32)}, f"merge: {sizes}")
    check(sizes["distinct", 32] > 2 * sizes["distinct", 8] and
          sizes["shared", 32] < 2 * sizes["shared", 8], f"merge: {sizes}")


def check_filters(build):
    """A filter of nothing passes all."""
    rows = recorded(build, "filters", "--traces", "2000", "--runs", "2")
    check({(row["frames"], row["limit"], row["traces"]) for row in rows} ==
          {(2, 0, 20), (20, 0, 200), (200, 0, 2000), (200, 20, 2000),
           (2000, 0, 2000)}, f"filters: {rows}")
    for row in rows:
        check(len(row["seconds"]) == 2 and min(row["seconds"]) >= 0 and
              row["what"] in ("raw", "folded") and
              row["passed"] <= row["traces"], f"filters: {row}")
        check(row["filter"] != "nothing" or row["passed"] == row["traces"],
              f"filters: {row}")


def instructions():
    """bench/instructions as a module."""
    loader = importlib.machinery.SourceFileLoader(
        "instructions", os.path.join(BENCH, "instructions"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def check_instructions():
    """Of each figure but plain ones: a half per cent more is not told, two per
    cent and two instructions are, less as well; a plain column takes nothing."""
    module = instructions()
    for section, rows in module.read_table().items():
        for row, figures in rows.items():
            slack = module.SLACKS.get(row, module.SLACK)
            for column in set(figures) - {"plain"}:
                own = figures[column] - figures.get("plain", 0)
                for more, is_told in ((0.005 * own, False),
                                      (0.02 * own + slack + 1, True),
                                      (-0.02 * own - slack - 1, True)):
                    other = {**figures, column: figures[column] + more}
                    told = list(module.differences(section, row, other,
                                                   figures))
                    check(bool(told) == is_told,
                          f"instructions: {row}, {column}, {more}: {told}")
            moved = {column: figure + 500 for column, figure in figures.items()}
            check("plain" not in figures or not list(
                module.differences(section, row, moved, figures)),
                f"instructions: {row}: the plain column is in it")


def main():
    sys.dont_write_bytecode = True
    sys.path.insert(0, BENCH)
    check_instructions()
    check_pairs(sys.argv[1])
    check_snapshot(sys.argv[1])
    check_analysis(sys.argv[1])
    check_growth(sys.argv[1])
    check_scaling(sys.argv[1])
    check_merge(sys.argv[1])
    check_filters(sys.argv[1])


main()
