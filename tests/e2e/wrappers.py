#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who answers for an allocation, from the compiler to the report: wrappers of
a program are accounted to their callers, and are there when they are not.

    wrappers.py BUILD
"""
import json
import os

import e2e

FOLDED = {"keep_a": 100, "keep_b": 50, "keep_c": 7}
RAW = {"xmalloc": 150, "keep_c": 7}


def by_function(build, dump, option):
    """function => bytes, of the program's own file."""
    result = e2e.run([os.path.join(build, "bin", "alloctrace"), "stats", dump,
                      "--group-by", "function", "--format", "json", option],
                     e2e.environment())
    e2e.check_equal("status and messages", (result.status, result.stderr),
                    (0, b""))
    frames = ((group["traceback"][-1], group["size"])
              for group in json.loads(result.stdout)["statistics"])
    return {frame["function"]: size for frame, size in frames
            if frame["file"].endswith("wrappers.c")}


def test():
    arguments = e2e.parse_arguments()
    for level in e2e.LEVELS:
        with e2e.scratch() as directory:
            program = e2e.compile_program(arguments.build, directory,
                                          "wrappers.c", f"-{level}")
            dump = os.path.join(directory, "dump.alloctrace")
            result = e2e.run([program], e2e.environment(
                ALLOCTRACE="all", ALLOCTRACE_DUMP=dump))
            e2e.check_equal("exit status", result.status, 0)
            e2e.check_equal(
                f"-{level}, folded",
                by_function(arguments.build, dump, "--fold-wrappers"), FOLDED)
            e2e.check_equal(
                f"-{level}, raw",
                by_function(arguments.build, dump, "--no-fold-wrappers"), RAW)
            print(f"-{level}: {FOLDED}, raw {RAW}")


e2e.main(test)
