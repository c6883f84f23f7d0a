#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Allocators of the program's own, in domains of their own: known by
attributes, by options, by a file; wrappers of malloc are not counted twice;
resources that a program tracks itself.

    pools.py BUILD
"""
import os

import e2e
import traces

SOURCE = os.path.join(e2e.HERE, "programs", "pools.c")
LINES = """\
# what each function says
pool_alloc:1:pool_free
pool_zeroed:1:pool_free      # hands on
pool_resize:2:pool_resize

checked_malloc:1
checked_calloc:1*2:free
"""
# (domain, traceback) => (blocks, bytes, live blocks, live bytes)
EXPECTED = {
    ("pool_alloc", "main:@first"): (1, 10, 0, 0),
    ("pool_alloc", "pool_zeroed:@zeroed_inside < main:@zeroed"):
        (1, 20, 1, 20),
    ("pool_alloc", "pool_resize:@resize_inside < main:@resize"):
        (1, 40, 1, 40),
    ("pool_alloc", "many:@many < main:@call_many"): (300, 24000, 0, 0),
    ("pool_alloc", "main:@thread"): (1, 60, 0, 0),
    ("", "checked_malloc:@checked < main:@malloc"): (1, 30, 0, 0),
    ("", "checked_malloc:@checked < checked_calloc:@calloc_inside < "
         "main:@calloc"): (1, 40, 0, 0),
    ("", "pool_alloc:@chunk < main:@first"): (1, 8192, 1, 8192),
    ("7", "main:@track"): (1, 5000, 0, 0),
    ("7", "main:@update"): (1, 50, 1, 50),
    ("8", "main:@other"): (1, 1, 0, 0),
}


def expand(text, lines):
    for name in sorted(lines, key=len, reverse=True):
        text = text.replace("@" + name, str(lines[name]))
    return text


# While sampling the first call of an allocator in a thread is not recorded,
# and blocks of one byte would not all be chosen.
NOT_SAMPLED = [("pool_alloc", "main:@first"), ("8", "main:@other")]


def check_dump(name, dump, left_out=()):
    lines = traces.marks(SOURCE)
    # What the C library and the chunks of `many` take is not the question.
    found = {key: (value.total_blocks, value.total_bytes, value.live_blocks,
                   value.live_bytes)
             for key, value in traces.read(dump).items()
             if "?" not in key[1] and
             not (key[0] == "" and "many:" in key[1])}
    expected = {(domain, expand(path, lines)): value
                for (domain, path), value in EXPECTED.items()}
    for domain, path in left_out:
        found.pop((domain, expand(path, lines)), None)
        expected.pop((domain, expand(path, lines)))
    e2e.check_equal(name, found, expected)
    summary = e2e.read_summary(dump)
    e2e.check_equal(f"{name}: dropped, frees of unknown blocks",
                    (summary["dropped_blocks"], summary["unknown_frees"]),
                    (0, 0))


def check_build(build, directory, name, flags):
    program = e2e.compile_program(
        build, directory, "pools.c", "-Wno-attributes",
        "-I" + os.path.join(e2e.TOP, "include"), *flags)
    dump = os.path.join(directory, "a.alloctrace")
    for mode in ("0", "all"):
        result = e2e.run([program], e2e.environment(
            ALLOCTRACE=mode, ALLOCTRACE_DUMP=dump))
        e2e.check_equal(f"{name}, {mode}: the program",
                        (result.status, result.stdout, result.stderr),
                        (0, b"1\n", b""))
    check_dump(name, dump)
    # With so short a period each block of several bytes is chosen and stands
    # for itself alone.
    e2e.run([program], e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP=dump, ALLOCTRACE_SAMPLE="1B",
        ALLOCTRACE_SAMPLE_SEED="5"))
    check_dump(f"{name}, sampled", dump, NOT_SAMPLED)
    print(f"{name}: passed", flush=True)


def test():
    build = e2e.parse_arguments().build
    option = "-fplugin-arg-alloctrace-allocator"
    lines = [line.split("#")[0].strip() for line in LINES.splitlines()]
    with e2e.scratch() as directory:
        path = os.path.join(directory, "allocators.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(LINES)
        ways = {"attributes": ["-DATTRIBUTES"],
                "options": [f"{option}={line}" for line in lines if line],
                "a file": [f"{option}s={path}"]}
        for way, flags in ways.items():
            for level in (["-O0"], ["-O2"], ["-O3", "-fno-inline"],
                          ["-O2", "-flto"]):
                # Tail calls lose the callers that this test wants to see.
                check_build(build, directory, f"{way} {level}",
                            [*flags, *level, "-fno-optimize-sibling-calls"])


e2e.main(test)
