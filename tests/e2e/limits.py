#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generated programs (tests/plugin/generate.py), traced with all frames and
with N: what the second run keeps is what the first kept, cut to N frames, with
the same figures. The dumps are read and cut here, not by the reader.

    limits.py BUILD
"""
import collections
import os
import sys

import e2e
import traces

PLUGIN = os.path.join(e2e.TOP, "tests", "plugin")
sys.path.append(PLUGIN)
from generate import Program  # pylint: disable=wrong-import-position

SEEDS = range(500, 506)
MAX_INLINED = 12
LIMITS = (1, 2, 3, 5, 8, 20, 128, 1000)


def build(build_tree, directory, seed, level):
    source = os.path.join(directory, f"random{seed}.c")
    program = source[:-2] + level
    paths = os.path.join(directory, "path.o")
    with open(source, "w", encoding="ascii") as file:
        file.write(Program(seed, True, True).write())
    if not os.path.exists(paths):
        result = e2e.run(["gcc", "-O2", "-c", "-o", paths,
                          os.path.join(PLUGIN, "path.c")])
        e2e.check_equal("path.c", result.status, 0)
    result = e2e.run([os.path.join(build_tree, "bin", "alloctrace-gcc"), level,
                      "-w", f"-I{PLUGIN}", "-o", program, source, paths])
    e2e.check(result.status == 0, result.stderr.decode())
    return program


def run(program, dump, limit, **variables):
    """The traces of a run: {(domain, traceback): Figures}."""
    result = e2e.run([program, "gaps"], e2e.environment(
        ALLOCTRACE=limit, ALLOCTRACE_DUMP=dump, **variables))
    e2e.check_equal(f"{program}: status and messages",
                    (result.status, result.stderr), (0, b""))
    summary = e2e.read_summary(dump)
    e2e.check_equal("collisions, cut", [
        summary["collisions"], summary["cut_blocks"]], [0, 0])
    return traces.read(dump)


def cut(found, limit):
    """The same for the innermost frames: live and total figures."""
    sums = collections.Counter()
    for (domain, path), figures in found.items():
        key = domain, tuple(path.split(" < ")[:limit])
        for name in e2e.TRACE[:4]:
            sums[key, name] += getattr(figures, name)
    return +sums


def check_lengths(found, limit):
    """Kept are no more frames than the limit, but for those that the
    outermost kept call was inlined into."""
    longest = max(path.count(" < ") + 1 for _, path in found)
    e2e.check(longest <= limit + MAX_INLINED,
              f"limit {limit}: a traceback of {longest} frames")


def test():
    arguments = e2e.parse_arguments()
    n_compared = 0
    with e2e.scratch() as directory:
        dump = os.path.join(directory, "dump")
        for seed in SEEDS:
            program = build(arguments.build, directory, seed,
                            "-O3" if seed % 2 else "-O1")
            whole = run(program, dump, "all")
            for limit in LIMITS:
                for verify in ("0", "1"):
                    found = run(program, dump, str(limit),
                                ALLOCTRACE_VERIFY=verify)
                    wanted = cut(whole, limit)
                    e2e.check(cut(found, limit) == wanted,
                              f"seed {seed}, limit {limit}: not what is cut")
                    n_compared += len(wanted)
                    check_lengths(found, limit)
            print(f"seed {seed}: {len(whole)} tracebacks", flush=True)
    print(f"{n_compared} figures compared")


e2e.main(test)
