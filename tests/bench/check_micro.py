#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench/pairs, bench/snapshot and bench/analysis work, and what they record
obeys the schema of bench/record.py; bench/instructions refuses a count that is
not the table's.

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


main()
