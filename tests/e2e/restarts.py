#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tracing that a program starts and stops itself, in every mode: each time the
dump has what was done in that time and nothing of another one, and the modes
are those that the environment asks for.

    restarts.py BUILD
"""
import json
import os

import e2e
import traces

SOURCE = os.path.join(e2e.HERE, "programs", "restarts.c")
N_TIMES = 4
PAGE = 4096
# By mark: blocks, bytes; blocks and bytes that are left at the dump.
EXPECTED = {
    "kept": (1, 1000, 1, 1000),
    "temporary": (10, 240, 0, 0),
    "begun": (1, 100, 0, 0),
    "grown": (1, 3000, 1, 3000),
    "thread": (1, 50, 0, 0),
}
# From the second time on, as it is of what the one before has left.
LATER = {"again": (1, 5000, 0, 0)}
MAPPED = {"mapped": (1, 4 * PAGE, 1, 3 * PAGE)}
MODES = ({}, {"ALLOCTRACE_DETAIL": "1"}, {"ALLOCTRACE_MMAP": "1"},
         {"ALLOCTRACE_DETAIL": "1", "ALLOCTRACE_MMAP": "1"},
         {"ALLOCTRACE_BLOCKS": "1"}, {"ALLOCTRACE_VERIFY": "1"},
         # So short a period that each block is chosen and stands for itself.
         {"ALLOCTRACE_SAMPLE": "1B", "ALLOCTRACE_SAMPLE_SEED": "1"},
         {"ALLOCTRACE_SAMPLE": "1B", "ALLOCTRACE_SAMPLE_SEED": "1",
          "ALLOCTRACE_MMAP": "1"})
# Temporary blocks of each mark with details.
TEMPORARY = {"temporary": 10, "thread": 1, "again": 0}


def found_at(dump, marks):
    """{mark: figures} of a dump, by the line that asked."""
    names = {str(line): mark for mark, line in marks.items()}
    found = {}
    for (domain, path), value in traces.read(dump).items():
        mark = names.get(path.split(" < ")[0].rpartition(":")[2])
        if mark:
            e2e.check_equal(f"domain of {mark}", domain,
                            "mmap" if mark == "mapped" else "")
            e2e.check(mark not in found, f"{mark} stands twice in {dump}")
            found[mark] = (value.total_blocks, value.total_bytes,
                           value.live_blocks, value.live_bytes)
    return found


def expected(mode, time):
    wanted = {**EXPECTED, **(LATER if time else {})}
    if "ALLOCTRACE_MMAP" in mode:
        wanted.update(MAPPED)
    return wanted


def check_details(name, tool, dump, wanted):
    """Temporary blocks of {line: number}; None: there are no details."""
    result = e2e.run([tool, "stats", "--metric", "total", "--format", "json",
                      dump])
    e2e.check_equal(f"{name}: stats", (result.status, result.stderr), (0, b""))
    found = {}
    for group in json.loads(result.stdout)["statistics"]:
        e2e.check_equal(f"{name}: are there details", "details" in group,
                        wanted is not None)
        if wanted is not None:
            found[group["traceback"][-1].get("line")] = \
                group["details"]["temporary_blocks"]
    for line, n_blocks in (wanted or {}).items():
        e2e.check_equal(f"{name}: temporary blocks of line {line}",
                        found.get(line), n_blocks)


def check_mode(build, program, directory, is_traced, mode):
    name = " ".join(f"{key}={value}" for key, value in mode.items()) + (
        " from the beginning" if is_traced else "")
    name = name.strip() or "plain"
    dumps = [os.path.join(directory, f"{time}.alloctrace")
             for time in range(N_TIMES)]
    result = e2e.run([program, *dumps], e2e.environment(
        ALLOCTRACE="all" if is_traced else "0",
        ALLOCTRACE_DUMP=os.path.join(directory, "exit"), **mode))
    e2e.check_equal(f"{name}: status and messages",
                    (result.status, result.stderr), (0, b""))
    marks = traces.marks(SOURCE)
    for time, dump in enumerate(dumps):
        wanted = expected(mode, time)
        e2e.check_equal(f"{name}, time {time}", found_at(dump, marks), wanted)
        e2e.check_equal(f"{name}, time {time}: dropped blocks",
                        e2e.read_summary(dump)["dropped_blocks"], 0)
        check_details(
            f"{name}, time {time}", os.path.join(build, "bin", "alloctrace"),
            dump, {marks[mark]: n_blocks
                   for mark, n_blocks in TEMPORARY.items() if mark in wanted}
            if "ALLOCTRACE_DETAIL" in mode else None)
    print(f"{name}: {N_TIMES} times the same", flush=True)


def test():
    build = e2e.parse_arguments().build
    with e2e.scratch() as directory:
        for level in e2e.LEVELS:
            program = e2e.compile_program(build, directory, "restarts.c",
                                          "-pthread", "-fno-inline",
                                          f"-{level}")
            for is_traced in (False, True):
                for mode in MODES:
                    check_mode(build, program, directory, is_traced, mode)


e2e.main(test)
