#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signal handlers that allocate, on an alternate stack, while the program and
the runtime are in the middle of anything: what is counted and what is dropped
add up to what the program counted itself, and no path is wrong.

    interrupt.py BUILD
"""
import os

import e2e

N_PATHS = 200000


def compile_allocator(directory):
    """The program's own allocator, which a signal may interrupt."""
    target = os.path.join(directory, "allocator.o")
    result = e2e.run(["gcc", "-O2", "-fno-builtin", "-DALLOCATOR", "-c",
                      os.path.join(e2e.HERE, "programs", "interrupt.c"),
                      "-o", target])
    e2e.check_equal("compiling the allocator", result.status, 0)
    return target


def check_run(program, directory, verify, name):
    dump = os.path.join(directory, "interrupt.alloctrace")
    result = e2e.run([program, str(N_PATHS)], e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP=dump, ALLOCTRACE_VERIFY=verify))
    e2e.check_equal("exit status and messages",
                    (result.status, result.stderr), (0, b""))
    n_blocks, n_bytes, n_turns = map(int, result.stdout.split())
    summary = e2e.read_summary(dump)
    print(f"{name}: {n_blocks} blocks, {n_turns} signals, "
          f"{summary['dropped_blocks']} blocks dropped")
    e2e.check(n_turns > 100, "hardly a signal came")
    # Handlers that came while a path was being recorded are not traced.
    e2e.check(summary["dropped_blocks"] > 0, "the runtime was not hit")
    e2e.check_equal("blocks", summary["total_blocks"] +
                    summary["dropped_blocks"], n_blocks)
    e2e.check_equal("bytes", summary["total_bytes"] +
                    summary["dropped_bytes"], n_bytes)
    e2e.check_equal("damaged frames", summary["bad_frames"], 0)
    e2e.check_equal("wrong paths", summary["collisions"], 0)


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        allocator = compile_allocator(directory)
        for level in ("O0", "O2"):
            program = e2e.compile_program(arguments.build, directory,
                                          "interrupt.c", f"-{level}",
                                          allocator)
            for verify in ("0", "1"):
                check_run(program, directory, verify,
                          f"-{level}, verify {verify}")


e2e.main(test)
