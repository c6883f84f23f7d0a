#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ALLOCTRACE_DETAIL=1: temporary blocks, classes of sizes and reallocs of a
program in which they are evident; all other figures are as without it.

    details.py BUILD
"""
import json
import os

import e2e
import traces

SOURCE = os.path.join(e2e.HERE, "programs", "details.c")
# What each line does to its blocks, by mark: temporary blocks, their bytes;
# reallocs of the blocks; bytes that those grew and shrank by; smallest and
# largest size; classes. What moved is the C library's choice.
EXPECTED = {
    "temporary": (100, 2400, 0, 0, 0, 24, 24, {6: (100, 2400)}),
    "first": (0, 0, 0, 0, 0, 40, 40, {7: (10, 400)}),
    "second": (10, 500, 0, 0, 0, 50, 50, {7: (10, 500)}),
    # The last one is the newest until it is freed.
    "sizes": (1, 4097, 0, 0, 0, 0, 4097,
              {0: (2, 0), 1: (1, 1), 2: (1, 2), 3: (2, 7), 4: (2, 13),
               5: (1, 9), 13: (1, 4096), 14: (1, 4097)}),
    "begin": (0, 0, 1, 0, 400, 1000, 1000, {11: (1, 1000)}),
    "behind": (0, 0, 0, 0, 0, 1000, 1000, {11: (1, 1000)}),
    # 600, 1200, 2400 ... 38400: each ends in the next one; the last is freed
    # as the newest.
    "grow": (7, 600 + 38400 * 2 - 1200, 6, 38400 - 600, 0, 600, 38400,
             {11: (1, 600), 12: (1, 1200), 13: (1, 2400), 14: (1, 4800),
              15: (1, 9600), 16: (1, 19200), 17: (1, 38400)}),
    "fail": (0, 0, 0, 0, 0, 70, 70, {8: (1, 70)}),
    "other": (1, 1, 0, 0, 0, 1, 1, {1: (1, 1)}),
    "thread": (7, 112, 0, 0, 0, 16, 16, {5: (7, 112)}),
    "foreign": (0, 0, 0, 0, 0, 80, 80, {8: (1, 80)}),
    "track": (1, 128, 0, 0, 0, 128, 128, {8: (1, 128)}),
}
FIELDS = ("temporary_blocks", "temporary_bytes", "resized_blocks",
          "grown_bytes", "shrunk_bytes", "smallest", "largest")


def class_of(size):
    """Number of a class of sizes, by its upper border."""
    return 0 if size["to"] == 0 else size["to"].bit_length()


def check_tool(build, name, dump, lines):
    """What the tool says of each line of the program."""
    result = e2e.run([os.path.join(build, "bin", "alloctrace"), "stats",
                      "--metric", "total", "--format", "json", dump])
    e2e.check_equal(f"{name}: stats", (result.status, result.stderr), (0, b""))
    found = {}
    for group in json.loads(result.stdout)["statistics"]:
        frame = group["traceback"][-1]
        if frame["file"].endswith("details.c"):
            detail = group["details"]
            found[frame["line"]] = tuple(detail[field] for field in FIELDS) + (
                {class_of(size): (size["blocks"], size["bytes"])
                 for size in detail["sizes"]},)
    for mark, value in EXPECTED.items():
        e2e.check_equal(f"{name}, @{mark}", found.pop(lines[mark], None),
                        value)
    e2e.check_equal(f"{name}: other lines", found, {})


def check_moves(name, dump, printed):
    """What realloc did, as the dump and as the program itself have it."""
    in_place = moved = 0
    for figures in traces.read_details(dump).values():
        in_place += figures["resized_in_place"]
        moved += figures["moved_bytes"]
    e2e.check_equal(f"{name}: in place, bytes moved", (in_place, moved),
                    tuple(map(int, printed.split())))


def check_build(build, directory, *flags):
    name = " ".join(flags)
    program = e2e.compile_program(
        build, directory, "details.c", "-pthread", "-fno-inline",
        "-I" + os.path.join(e2e.TOP, "include"), *flags)
    figures = []
    for mode in ("0", "1"):
        dump = os.path.join(directory, mode + ".alloctrace")
        result = e2e.run([program], e2e.environment(
            ALLOCTRACE="all", ALLOCTRACE_DETAIL=mode, ALLOCTRACE_DUMP=dump))
        e2e.check_equal(f"{name}: the program",
                        (result.status, result.stderr), (0, b""))
        figures.append({key: value[:4]
                        for key, value in traces.read(dump).items()})
    e2e.check_equal(f"{name}: figures without details", *figures)
    check_moves(name, dump, result.stdout)
    check_tool(build, name, dump, traces.marks(SOURCE))
    print(f"{name}: passed", flush=True)


def test():
    build = e2e.parse_arguments().build
    with e2e.scratch() as directory:
        for level in e2e.LEVELS:
            check_build(build, directory, f"-{level}")


e2e.main(test)
