#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds in which lines have moved: compared by line they have little in
common, with --ignore-lines only what one of them allocates besides.

    moved_lines.py BUILD
"""
import json
import os
import re

import e2e

GROUPINGS = ("lineno", "traceback")


def run_version(build, directory, source, *flags):
    """Builds and runs a version under the same names; returns its dump."""
    os.mkdir(directory)
    with open(os.path.join(directory, "moved.c"), "w") as file:
        file.write(source)
    result = e2e.run([os.path.join(build, "bin", "alloctrace-gcc"), "-g",
                      *flags, "-o", "moved", "moved.c"], cwd=directory)
    e2e.check_equal("compiling", (result.status, result.stderr), (0, b""))
    dump = os.path.join(directory, "moved.alloctrace")
    result = e2e.run([os.path.join(directory, "moved")], e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP=dump))
    e2e.check_equal("running", (result.status, result.stderr), (0, b""))
    return dump


def differences(build, old, new, *options):
    """[(function, bytes more, blocks more)] of groups that changed, and how
    many groups there are."""
    result = e2e.run([os.path.join(build, "bin", "alloctrace"), "diff", old,
                      new, "--format", "json", *options])
    e2e.check_equal("diff", (result.status, result.stderr), (0, b""))
    groups = json.loads(result.stdout)["statistics"]
    return [(group["traceback"][-1]["function"], group["size_diff"],
             group["count_diff"]) for group in groups
            if group["size_diff"] or group["count_diff"]], len(groups)


def check_level(build, directory, level):
    with open(os.path.join(e2e.HERE, "programs", "moved.c")) as file:
        source = file.read()
    moved, count = re.subn(r"/\* moved: (\d+) \*/",
                           lambda found: "\n" * int(found[1]), source)
    e2e.check(count == 6, "the program has other marks")
    old, new, more = (
        run_version(build, os.path.join(directory, level + name), text,
                    "-" + level, *flags)
        for name, text, flags in (("old", source, ()), ("new", moved, ()),
                                  ("more", moved, ("-DMORE",))))
    for grouping in GROUPINGS:
        by = ("--group-by", grouping)
        name = f"{level} by {grouping}"
        by_line, _ = differences(build, old, new, *by)
        e2e.check(len(by_line) > 4, f"{name}: lines did not move: {by_line}")
        ignored, n_groups = differences(build, old, new, *by,
                                        "--ignore-lines")
        e2e.check_equal(f"{name}: nothing but lines changed", ignored, [])
        e2e.check(n_groups >= 6, f"{name}: only {n_groups} places")
        ignored, _ = differences(build, old, more, *by, "--ignore-lines")
        e2e.check_equal(f"{name}: one allocation more", ignored,
                        [("table_fill", 5000, 1)])
        print(f"{name}: {n_groups} places, passed", flush=True)


def test():
    build = e2e.parse_arguments().build
    with e2e.scratch() as directory:
        for level in e2e.LEVELS:
            check_level(build, directory, level)


e2e.main(test)
