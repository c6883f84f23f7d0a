#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ALLOCTRACE_MMAP=1: what a program maps itself, by path; what the C library
and the runtime map is not counted; nothing is without the option.

    mappings.py BUILD
"""
import glob
import os

import e2e
import traces

SOURCE = os.path.join(e2e.HERE, "programs", "mappings.c")
# By mark, the most recent frame first: blocks, pages; blocks and pages that
# are left at the end.
EXPECTED = {
    "parts:@parts < main": (1, 20, 1, 20 - 2 - 1 - 2 - 2),
    "parts:@over < main": (1, 2, 1, 2),
    "whole:@whole < main": (1, 1, 0, 0),
    "whole:@two < main": (1, 1, 0, 0),
    "moves:@target < main": (1, 64, 1, 64 - 8),
    "moves:@block < main": (1, 3, 0, 0),
    "moves:@grown < main": (1, 9, 1, 1),
    "moves:@moved < main": (1, 8, 1, 8),
    "file:@file < main": (1, 1, 1, 1),
    "? < indirect:@pointer < main": (1, 7, 1, 7),
    "other_thread:@foreign < main": (1, 6, 0, 0),
}
PAGE = 4096


def read(dump):
    """Figures of the domain, without main's lines."""
    found = {}
    for (domain, path), value in traces.read(dump).items():
        if domain == "mmap":
            path = path.rsplit(":", 1)[0]
            found[path] = (value.total_blocks, value.total_bytes // PAGE,
                           value.live_blocks, value.live_bytes // PAGE)
    return found


def expected():
    lines = traces.marks(SOURCE)
    result = {}
    for path, value in EXPECTED.items():
        mark = path.split("@")[1].split()[0]
        result[path.replace("@" + mark, str(lines[mark]))] = value
    return result


def check_run(name, command, dump, **variables):
    result = e2e.run(command, e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP=dump, **variables))
    e2e.check_equal(f"{name}: the program",
                    (result.status, result.stdout, result.stderr),
                    (0, b"", b""))
    summary = e2e.read_summary(dump)
    e2e.check_equal(f"{name}: dropped", summary["dropped_blocks"], 0)
    return read(dump)


def check_level(build, directory, level):
    program = e2e.compile_program(build, directory, "mappings.c", "-pthread",
                                  "-fno-inline", "-Wno-stringop-overflow",
                                  f"-{level}")
    dump = os.path.join(directory, "a.alloctrace")
    e2e.check_equal(f"-{level}", check_run(
        f"-{level}", [program], dump, ALLOCTRACE_MMAP="1"), expected())
    e2e.check_equal(f"-{level}, off", check_run(
        f"-{level}, off", [program], dump), {})
    print(f"-{level}: passed", flush=True)


def check_preloaded(build, directory):
    """A program that was not instrumented: one frame each, by address."""
    program = os.path.join(directory, "plain")
    e2e.check_equal("gcc", e2e.run(["gcc", "-O1", "-w", "-pthread", "-o",
                                    program, SOURCE]).status, 0)
    library, = glob.glob(os.path.join(build, "lib", "liballoctrace.so"))
    found = check_run("preloaded", [program],
                      os.path.join(directory, "b.alloctrace"),
                      ALLOCTRACE_MMAP="1", LD_PRELOAD=library)
    sums = [sum(part) for part in zip(*EXPECTED.values())]
    e2e.check_equal("preloaded", [sum(part) for part in zip(*found.values())],
                    sums)
    print("preloaded: passed")


def test():
    build = e2e.parse_arguments().build
    with e2e.scratch() as directory:
        for level in e2e.LEVELS:
            check_level(build, directory, level)
        check_preloaded(build, directory)


e2e.main(test)
