#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recursion a million deep: what is kept of it is the way in and the first
rounds, how many frames there were besides is said, and blocks are counted where
the recursion stood. What it takes does not grow with the depth but for one walk.

Whole paths would be exact, too, but at 60 bytes a level and 200 with a block at
each, and where a function has two ways to call itself there are not depth but
2^depth of them (explode.py): so rounds are left out, here as there.

    deep.py BUILD
"""
import json
import os
import subprocess

import e2e

DEPTH = 1000000
ROUNDS = 200  # that are kept of each function
KEPT = 2 * ROUNDS  # calls: of even and odd
# At most: seconds of processor time (a level of a million takes microseconds,
# squares would take hours) and resident bytes, some tens a level: the program's
# own stack and blocks, and the list of the frames that are walked.
MAX_SECONDS = 60
MAX_BYTES = 200 << 20


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


def check_tracebacks(name, stats, dump, directory, wanted):
    """All tracebacks, whole. `wanted`: {depth: number of blocks}."""
    path = os.path.join(directory, "stats.json")
    with open(path, "wb") as output:
        run_limited(f"{name}, stats", [*stats, "--format", "json", dump],
                    output)
    in_child(check_groups, name, path, wanted)
    text = e2e.run([*stats, "--limit", "1", dump]).stdout.decode()
    line = f"... frames of recursion not kept, at most: {DEPTH - KEPT}"
    e2e.check(line in text, f"{name}: {line!r} is not said:\n{text}")


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


def check_groups(name, path, wanted):
    with open(path, encoding="utf-8") as text:
        groups = json.load(text)["statistics"]
    blocks = {}
    for group in groups:
        found = [(frame["function"], frame["line"])
                 for frame in group["traceback"]]
        depth = len(found) - 3
        blocks[depth] = group["count"]
        e2e.check_equal(f"{name}: size", group["size"], 8 * group["count"])
        e2e.check(found == expected(("thread", 48), depth),
                  f"{name}: the traceback at depth {depth} is wrong")
        # Both of the last two stand for all that was left out.
        n_more = group.get("total_nframe", len(found)) - len(found)
        deepest = DEPTH - (DEPTH - depth) % 2 if depth >= KEPT - 1 else depth
        e2e.check_equal(f"{name}: frames left out at depth {depth}", n_more,
                        deepest - depth)
    e2e.check(blocks == wanted, f"{name}: {blocks}, not {wanted}")


def blocks_by_depth():
    """With a block at every level: those that are left out stand in the last
    round that is kept, each where its own function calls."""
    wanted = dict.fromkeys(range(KEPT + 1), 1)
    for depth in range(KEPT + 1, DEPTH + 1):
        wanted[KEPT - depth % 2] += 1
    return wanted


def test():
    arguments = e2e.parse_arguments()
    stats = [os.path.join(arguments.build, "bin", "alloctrace"), "stats",
             "--group-by", "traceback"]
    with e2e.scratch() as directory:
        program = e2e.compile_program(arguments.build, directory, "deep.c",
                                      "-O2", "-pthread")
        dump = os.path.join(directory, "deep.alloctrace")
        for each, wanted in ((0, {KEPT: 1}), (1, blocks_by_depth())):
            name = "a block at every level" if each else "one at the bottom"
            run_limited(f"{name}, program", [program, str(DEPTH), str(each)],
                        subprocess.DEVNULL, ALLOCTRACE="all",
                        ALLOCTRACE_DUMP=dump)
            summary = e2e.read_summary(dump)
            e2e.check_equal(f"{name}: live, dropped, bad frames, cut", [
                summary["live_blocks"], summary["dropped_blocks"],
                summary["bad_frames"], summary["cut_blocks"]],
                [DEPTH + 1 if each else 1, 0, 0, 0])
            check_tracebacks(name, stats, dump, directory, wanted)


e2e.main(test)
