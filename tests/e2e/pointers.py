#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Blocks that are allocated through a pointer to the C library's function: the
call's own type is theirs, and its place stands in the path once. What code that
is not instrumented allocates in such a call keeps a place of its own.

    pointers.py BUILD
"""
import json
import os

import e2e

# size => type, functions from the allocation outwards.
C_BLOCKS = {
    101: ("struct node", ["main"]),
    202: ("struct node", ["main"]),
    303: ("struct node", ["main"]),
    404: ("struct node", ["inlined", "main"]),
    505: ("struct node", ["jump", "main"]),
    606: ("struct node", ["nested", "nested", "nested", "main"]),
    707: ("struct node", ["main"]),
    808: (None, ["plain_make", "main"]),
    909: (None, ["take", "take", "main"]),
    1000: (None, ["plain_make", "main"]),
    2000: (None, ["take", "take", "main"]),
}
CXX_BLOCKS = {
    101: ("space::node", ["space::make", "main"]),
    202: ("space::node", ["space::pool::take", "main"]),
    303: ("space::node", ["operator new", "space::pool::take", "main"]),
}


def short_name(name):
    """Without parameters and arguments of templates, the operator readable."""
    name = name.split("(")[0].split("<")[0].split(" ")[-1]
    return {"_Znwm": "operator new", "new": "operator new"}.get(name, name)


def blocks(build, directory, program):
    """size => type, functions; of paths that allocated one block."""
    dump = os.path.join(directory, "dump.alloctrace")
    result = e2e.run([program], e2e.environment(ALLOCTRACE="all",
                                                ALLOCTRACE_DUMP=dump))
    e2e.check_equal("exit status", result.status, 0)
    result = e2e.run([os.path.join(build, "bin", "alloctrace"), "export", dump,
                      "--format", "json"])
    e2e.check_equal("status and messages", (result.status, result.stderr),
                    (0, b""))
    return {trace["total"]["bytes"]:
            (trace.get("type"), [short_name(frame.get("function", "?"))
                                 for frame in reversed(trace["traceback"])])
            for trace in json.loads(result.stdout)["traces"]}


def check_blocks(name, found, expected):
    """What else is there is the C++ library's own."""
    for size, (kind, functions) in expected.items():
        e2e.check(size in found, f"{name}: no block of {size} bytes")
        found_kind, found_functions = found[size]
        if size == 505 and found_functions == ["main"]:
            functions = ["main"] # a jump leaves no frame
        e2e.check_equal(f"{name}, {size} bytes", (found_kind or None,
                                                  found_functions),
                        (kind, functions))
    print(f"{name}: {len(expected)} blocks")


def compile_with(compiler, directory, output, source, *flags):
    path = os.path.join(directory, output)
    result = e2e.run([compiler, "-Wall", "-Wextra", *flags, "-o", path,
                      os.path.join(e2e.HERE, "programs", source)])
    e2e.check_equal(f"compiling {source}", (result.status, result.stderr),
                    (0, b""))
    return path


def check_c(build, directory, level, debug):
    flags = [f"-{level}", debug]
    plain = compile_with("gcc", directory, "plain.o", "plain.c", "-c", *flags)
    program = compile_with(os.path.join(build, "bin", "alloctrace-gcc"),
                           directory, "pointers", "pointers.c", *flags, plain)
    check_blocks(" ".join(flags), blocks(build, directory, program), C_BLOCKS)


def check_cxx(build, directory, level):
    program = compile_with(os.path.join(build, "bin", "alloctrace-g++"),
                           directory, "pointers", "pointers.cc", f"-{level}",
                           "-g")
    check_blocks(f"C++ -{level}", blocks(build, directory, program),
                 CXX_BLOCKS)


def test():
    build = e2e.parse_arguments().build
    for level in e2e.LEVELS:
        for debug in ("-g", "-g0"): # lines, or nothing but symbols
            with e2e.scratch() as directory:
                check_c(build, directory, level, debug)
        with e2e.scratch() as directory:
            check_cxx(build, directory, level)


e2e.main(test)
