#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recursion a million deep: the traceback is whole, from end to end, and what
it takes to trace and to read grows with the depth, not with its square.

    deep.py BUILD
"""
import json
import os
import subprocess

import e2e

DEPTH = 1000000
# At most: seconds of processor time (a level of a million takes microseconds,
# squares would take hours) and resident bytes, some hundreds a level.
MAX_SECONDS = 60
MAX_BYTES = 400 << 20


def run_limited(name, command, output, **variables):
    """Runs a command; checks what it used."""
    process = subprocess.Popen(command, env=e2e.environment(**variables),
                               stdout=output, stderr=subprocess.PIPE)
    messages = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    seconds = usage.ru_utime + usage.ru_stime
    print(f"{name}: {seconds:.1f} s, {usage.ru_maxrss >> 10} MiB",
          flush=True)
    e2e.check_equal(f"{name}: status and messages", (status, messages),
                    (0, b""))
    e2e.check(seconds <= MAX_SECONDS, f"{name} took {seconds} s")
    e2e.check(usage.ru_maxrss << 10 <= MAX_BYTES,
              f"{name} took {usage.ru_maxrss} KiB")


def expected(caller, depth):
    """The frames of the block at a depth, the oldest first; lines of
    programs/deep.c: (where it keeps a block, where it calls)."""
    lines = {"even": (31, 33), "odd": (40, 42)}
    names = (("even", "odd") * (depth // 2 + 1))[:depth + 1]
    return ([caller] + [(name, lines[name][1]) for name in names[:-1]] +
            [(names[-1], lines[names[-1]][0]), ("keep", 18)])


def check_tracebacks(name, stats, dump, directory, n_wanted, first_depth):
    """The first tracebacks that are reported, whole."""
    path = os.path.join(directory, "stats.json")
    with open(path, "wb") as output:
        run_limited(f"{name}, stats", [*stats, "--limit", str(n_wanted), dump],
                    output)
    in_child(check_groups, name, path, n_wanted, first_depth)


def in_child(function, *arguments):
    """A child's resident bytes begin with those of its parent: this process
    has to stay small."""
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
            os._exit(0)
        except e2e.Failure as failure:
            print(failure, flush=True)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    e2e.check(status == 0, "see above")


def check_groups(name, path, n_wanted, first_depth):
    with open(path, encoding="utf-8") as text:
        groups = json.load(text)["statistics"]
    e2e.check_equal(f"{name}: groups", len(groups), n_wanted)
    for group in groups:
        found = [(frame["function"], frame["line"])
                 for frame in group["traceback"]]
        depth = len(found) - 3
        e2e.check_equal(f"{name}: block", (group["size"], group["count"]),
                        (8, 1))
        e2e.check(found == expected(("thread", 48), depth),
                  f"{name}: the traceback at depth {depth} is wrong")
        e2e.check(first_depth in (None, depth), f"{name}: depth {depth}")


def test():
    arguments = e2e.parse_arguments()
    stats = [os.path.join(arguments.build, "bin", "alloctrace"), "stats",
             "--group-by", "traceback", "--format", "json"]
    with e2e.scratch() as directory:
        program = e2e.compile_program(arguments.build, directory, "deep.c",
                                      "-O2", "-pthread")
        dump = os.path.join(directory, "deep.alloctrace")
        for each, n_blocks, n_groups in ((0, 1, 1), (1, DEPTH + 1, 3)):
            name = "a block at every level" if each else "one at the bottom"
            run_limited(f"{name}, program", [program, str(DEPTH), str(each)],
                        subprocess.DEVNULL, ALLOCTRACE="all",
                        ALLOCTRACE_DUMP=dump)
            summary = e2e.read_summary(dump)
            e2e.check_equal(f"{name}: live, dropped, bad frames", [
                summary["live_blocks"], summary["dropped_blocks"],
                summary["bad_frames"]], [n_blocks, 0, 0])
            check_tracebacks(name, stats, dump, directory, n_groups,
                             None if each else DEPTH)


e2e.main(test)
