#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tracemalloc's vectors R1 to R14 in a traced process, in C and in C++, as the
project has it and as CPython does.

    vectors.py BUILD
"""
import os

import e2e

SOURCE = os.path.join(e2e.HERE, "programs", "vectors.c")
NAMES = [f"R{i}" for i in range(1, 15)]
VARIANTS = {
    "C": ["alloctrace-gcc", "-O1"],
    "C, optimised": ["alloctrace-gcc", "-O3", "-flto"],
    "C, static": ["alloctrace-gcc", "-O1", "-static"],
    "C++": ["alloctrace-g++", "-O1", "-x", "c++"],
    "C, as CPython": ["alloctrace-gcc", "-DALLOCTRACE_LIKE_CPYTHON_API"],
    "C++, as CPython": ["alloctrace-g++", "-x", "c++",
                        "-DALLOCTRACE_LIKE_CPYTHON_API"],
}


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        program = os.path.join(directory, "vectors")
        for variant, (compiler, *flags) in VARIANTS.items():
            result = e2e.run([os.path.join(arguments.build, "bin", compiler),
                              "-g", "-Wall", "-Wextra", *flags, SOURCE, "-o",
                              program], cwd=directory)
            e2e.check_equal(f"{variant}: compiling ({result})",
                            (result.status, result.stderr), (0, b""))
            for name in NAMES:
                result = e2e.run([program, name], cwd=directory)
                e2e.check_equal(f"{variant}: {name}: "
                                f"{result.stderr.decode()}", result.status, 0)
                print(f"{variant}: {name} holds")


e2e.main(test)
