#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench/run works, and what it records obeys the schema of bench/record.py.

    check_run.py BUILD

A program of the project's own with tiny input, once; its allocations are
counted by valgrind as well. No time is looked at.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "bench"))
import programs  # noqa: E402

TOOLS = {"alloctrace": "alloctrace", "alloctrace-off": "alloctrace, off"}
PROGRAM = "numbers"
TEXTS = ("program", "language", "tool", "beside", "input")
SAMPLES = ("cpu", "wall", "memory", "plain_cpu", "plain_wall", "plain_memory")


def check(condition, message):
    if not condition:
        sys.exit(f"bench/run: {message}")


def bench_run(*arguments):
    return subprocess.run([os.path.join(TOP, "bench", "run"), *arguments],
                          capture_output=True, text=True, check=False)


def read(folder, benchmark):
    with open(os.path.join(folder, benchmark + ".json"),
              encoding="utf-8") as file:
        record = json.load(file)
    check(record["benchmark"] == benchmark, f"{benchmark}: is another")
    check(record["command"][0] == "bench/run", f"{benchmark}: its command")
    return record["rows"]


def check_program(row, n_allocations):
    name = row["tool"]
    check("why_not" not in row, f"{name}: {row.get('why_not')}")
    check(all(row[text] for text in TEXTS), f"{name}: a text is missing")
    check(row["input"] == "tiny" and row["beside"] == "plain",
          f"{name}: measured another way")
    for sample in SAMPLES:
        check(len(row[sample]) == 1 and row[sample][0] > 0,
              f"{name}: {sample} is {row[sample]}")
    check(row["allocations"] == n_allocations,
          f"{row['allocations']} allocations; valgrind: {n_allocations}")


def check_programs(rows, n_allocations):
    check([row["tool"] for row in rows] == list(TOOLS.values()),
          "not one row for each tool, in their order")
    for row in rows:
        check_program(row, n_allocations)
    traced, off = rows
    check(len(traced["file"]) == 1 and traced["file"][0] > 0, "no dump")
    check(traced["own"] > 0 and traced["live"] > 0, "no own memory")
    check(off["file"] is None and "own" not in off, "off has written")


def check_builds(rows):
    check([(row["program"], row["compiler"]) for row in rows] == [
        (name, compiler) for name in (PROGRAM, "hello")
        for compiler in ("plain", "alloctrace")],
          "builds: not one row for each program and compiler")
    for row in rows:
        check(len(row["seconds"]) == 1 and row["seconds"][0] > 0, "no seconds")
        check(row["text"] + row["data"] < row["file"], f"sizes are {row}")
    for plain, traced in (rows[:2], rows[2:]):
        check(plain["text"] < traced["text"], "instrumented code is no larger")


def count_by_valgrind(tree):
    """Blocks that the plain program of the run has allocated."""
    program, = (one for one in programs.PROGRAMS if one.name == PROGRAM)
    output = subprocess.run(
        ["valgrind", program.executable(tree, "plain"), *program.tiny],
        capture_output=True, text=True, check=True).stderr
    found = re.search(r"total heap usage: ([\d,]+) allocs", output)
    return int(found.group(1).replace(",", ""))


def main():
    tree = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        result = bench_run("--quick", "--tools", ",".join(TOOLS), PROGRAM,
                           "--runs", "1", "--build", tree, "--record", folder)
        check(result.returncode == 0, result.stderr)
        check_programs(read(folder, "programs"), count_by_valgrind(tree))
        check_builds(read(folder, "builds"))
    for text in ("numbers (C)", "alloctrace, off", "fixed cost"):
        check(text in result.stdout, f"no '{text}' in:\n{result.stdout}")
    wrong = bench_run("--build", tree, "--tools", "alloctrce", PROGRAM)
    check(wrong.returncode == 1 and "no tool 'alloctrce'; there are: "
          "alloctrace, " in wrong.stderr, wrong.stderr)


main()
