#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads that free one another's blocks: what the dumps say changed while
they worked is exactly what the program counted itself.

    threads.py BUILD
"""
import os

import e2e

ROUNDS = 3


def test():
    arguments = e2e.parse_arguments()
    for level in e2e.LEVELS:
        with e2e.scratch() as directory:
            program = e2e.compile_program(arguments.build, directory,
                                          "exchange.c", f"-{level}", "-pthread")
            for number in range(ROUNDS):
                check_round(program, directory, f"-{level}, run {number}")


def check_round(program, directory, name):
    dumps = [os.path.join(directory, f"{when}.alloctrace")
             for when in ("before", "after", "exit")]
    result = e2e.run([program, *dumps[:2]], e2e.environment(
        ALLOCTRACE="16", ALLOCTRACE_DUMP=dumps[2]))
    e2e.check_equal("exit status and messages",
                    (result.status, result.stderr), (0, b""))
    counted = tuple(map(int, result.stdout.split()))
    before, after, _ = map(e2e.read_summary, dumps)
    traced = tuple(after[field] - before[field] for field in (
        "live_blocks", "live_bytes", "total_blocks", "total_bytes"))
    print(f"{name}: live {traced[0]} blocks, {traced[1]} bytes; total "
          f"{traced[2]} blocks, {traced[3]} bytes")
    e2e.check_equal("what the threads did", traced, counted)
    for field in ("dropped_blocks", "bad_frames", "collisions"):
        e2e.check_equal(field, after[field], 0)


e2e.main(test)
