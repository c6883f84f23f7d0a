#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tracing that is started, stopped, cleared and dumped by four threads while
eight others allocate: no block is counted by half, and totals are exact again
as soon as nobody disturbs.

    storm.py BUILD
"""
import os

import e2e

ROUNDS = 2


def check_round(program, directory, name, **variables):
    empty, counted = [os.path.join(directory, f"{what}.alloctrace")
                      for what in ("empty", "counted")]
    result = e2e.run([program, empty, counted], e2e.environment(**variables))
    e2e.check_equal(f"{name}: exit status and messages",
                    (result.status, result.stderr), (0, b""))
    summary = e2e.read_summary(empty)
    e2e.check_equal(f"{name}: what is left after the storm",
                    (summary["live_blocks"], summary["live_bytes"]), (0, 0))
    e2e.check(summary["total_blocks"] > 100000,
              f"{name}: hardly anything was traced: {summary}")
    expected = tuple(map(int, result.stdout.split()))
    summary = e2e.read_summary(counted)
    found = tuple(summary[field] for field in (
        "live_blocks", "live_bytes", "total_blocks", "total_bytes"))
    print(f"{name}: live {found[0]} blocks, {found[1]} bytes; total "
          f"{found[2]} blocks, {found[3]} bytes")
    e2e.check_equal(f"{name}: what the threads did", found, expected)
    for field in ("dropped_blocks", "bad_frames", "collisions",
                  "unknown_frees"):
        e2e.check_equal(f"{name}: {field}", summary[field], 0)


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        program = e2e.compile_program(arguments.build, directory, "storm.c",
                                      "-O2", "-pthread")
        for number in range(ROUNDS):
            check_round(program, directory, f"started by itself, {number}")
            check_round(program, directory, f"traced from the start, {number}",
                        ALLOCTRACE="all",
                        ALLOCTRACE_DUMP=os.path.join(directory, "exit"))


e2e.main(test)
