#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Paths that explode: a tree that two calls of one function build, and a
recursive-descent parser of hostile input. Totals are exact whatever is kept of
the paths; with a limit the tracebacks are exactly those that arithmetic gives;
without, what the tables take is bounded, and what was cut is reported.

    explode.py WHAT BUILD        WHAT: tree, deep_tree or parser
"""
import os
import random

import e2e
import traces

NODE = 16  # bytes of a node of programs/tree.c
MIB = 1 << 20
# The tracer's memory that is not of the tables: the memo, the map of a small
# heap, the first tables and chunks of two threads, which are had in any case.
FIXED = 3 * MIB
SUMS = ("total_blocks", "total_bytes", "live_blocks", "live_bytes")


def run(program, arguments, dump, **variables):
    """The program's output and its dump's summary."""
    result = e2e.run([program, *arguments], e2e.environment(
        ALLOCTRACE_DUMP=dump, **variables))
    e2e.check_equal(f"{variables}: status and messages",
                    (result.status, result.stderr), (0, b""))
    summary = e2e.read_summary(dump)
    e2e.check_equal(f"{variables}: dropped, bad frames, collisions",
                    [summary[name] for name in (
                        "dropped_blocks", "bad_frames", "collisions")],
                    [0, 0, 0])
    print(f"{variables}: {summary['total_blocks']} blocks, "
          f"{summary['cut_blocks']} cut, overhead "
          f"{summary['overhead_bytes'] >> 10} KiB", flush=True)
    return result.stdout, summary


def windows(depth, limit):
    """The tracebacks of the tree, cut to a limit, with how many nodes each
    has: a node at level d is reached by d choices of two calls. 0: no limit."""
    found = {}
    for level in range(depth):
        kept = level if limit == 0 else min(level, limit - 1)
        whole = kept == level and (limit == 0 or level + 2 <= limit)
        for choices in range(1 << kept):
            path = tuple("RL"[choices >> i & 1] for i in range(kept))
            found[path, whole] = (found.get((path, whole), 0) +
                                  (1 << (level - kept)))
    return found


def read_windows(dump, marks):
    """The same of a dump."""
    names = {f"build:{marks['LEFT']}": "L", f"build:{marks['RIGHT']}": "R"}
    found = {}
    for (domain, path), figures in traces.read(dump).items():
        if path.startswith("build:"):
            leaf, *frames = path.split(" < ")
            e2e.check_equal(path, (domain, leaf),
                            ("", f"build:{marks['NODE']}"))
            whole = bool(frames) and frames[-1] == f"main:{marks['MAIN']}"
            key = tuple(names[name]
                        for name in frames[:-1 if whole else None]), whole
            e2e.check(key not in found, f"{path} stands twice")
            e2e.check_equal(f"{path}: bytes and live", (
                figures.total_bytes, figures.live_blocks),
                (NODE * figures.total_blocks, 0))
            found[key] = figures.total_blocks
    return found


def check_tree(directory, program, depth, limit, cap, **variables):
    dump = os.path.join(directory, "tree.alloctrace")
    marks = traces.marks(os.path.join(e2e.HERE, "programs", "tree.c"))
    _, summary = run(program, [str(depth)], dump, ALLOCTRACE=str(limit or
                     "all"), ALLOCTRACE_MAX_MEMORY=str(cap), **variables)
    n = (1 << depth) - 1
    e2e.check_equal("blocks, bytes, live, peak", [summary[name] for name in (
        "total_blocks", "total_bytes", "live_blocks", "peak_bytes")],
        [n, n * NODE, 0, depth * NODE])
    e2e.check(summary["overhead_bytes"] <= cap + FIXED,
              f"{summary['overhead_bytes']} bytes, of {cap}")
    return summary, read_windows(dump, marks)


def test_tree(directory, build):
    program = e2e.compile_program(build, directory, "tree.c", "-O2")
    for depth, limit in ((14, 1), (14, 2), (14, 5), (11, 12), (11, 13),
                         (14, 0)):
        for verify in ("0", "1"):
            summary, found = check_tree(directory, program, depth, limit,
                                        64 * MIB, ALLOCTRACE_VERIFY=verify)
            e2e.check(found == windows(depth, limit),
                      f"depth {depth}, limit {limit}: the tracebacks differ")
            e2e.check_equal("cut", summary["cut_blocks"], 0)
    # Half of the tables is filled with whole paths; then recursion is folded.
    summary, found = check_tree(directory, program, 18, 0, 4 * MIB)
    e2e.check_equal("all are counted", sum(found.values()), (1 << 18) - 1)
    e2e.check(len(found) < 1 << 16, f"{len(found)} tracebacks")
    # A limit is kept to as long as there is room; then paths are cut.
    summary, found = check_tree(directory, program, 16, 14, 2 * MIB,
                                ALLOCTRACE_VERIFY="1")
    e2e.check(0 < summary["cut_blocks"] < summary["total_blocks"],
              f"{summary['cut_blocks']} were cut")
    # Nearly nothing is kept.
    summary, found = check_tree(directory, program, 14, 0, 1)
    e2e.check_equal("cut", summary["cut_blocks"], (1 << 14) - 1)


def test_deep_tree(directory, build):
    program = e2e.compile_program(build, directory, "tree.c", "-O2")
    for limit in (1, 5):
        _, found = check_tree(directory, program, 24, limit, 64 * MIB)
        e2e.check(found == windows(24, limit), f"{limit}: tracebacks differ")
    check_tree(directory, program, 24, 0, 64 * MIB)


def grow(source, depth):
    """A random well-formed expression, at most so deep."""
    kind = source.random()
    if depth == 0 or kind < .15:
        return str(source.randrange(10))
    if kind < .4:
        return f"({grow(source, depth - 1)})"
    if kind < .5:
        return f"-{grow(source, depth - 1)}"
    if kind < .7:
        return "[" + ",".join(grow(source, depth - 1) for _ in range(
            source.randrange(3))) + "]"
    return (grow(source, depth - 1) + source.choice("+-*/") +
            grow(source, source.randrange(depth)))


def hostile(source):
    """Lines that nest in all the ways of the grammar, whole and broken."""
    n = 2000
    opening = "([-"
    yield "(" * n + "1" + ")" * n
    yield "[" * n + "]" * n
    yield "-" * 10000 + "7"
    yield "([" * n
    yield "[1," * n + "2" + "]" * n
    yield "1+(2*(" * n + "3" + "))" * n
    yield "]" * n
    for length in (10, 100, 1000, 3000):
        for _ in range(5):
            yield "".join(source.choice(opening) for _ in range(length)) + "1"
            yield "".join(source.choice("([1+*-,])") for _ in range(length))
    for depth in (5, 10, 15, 20, 25):
        for _ in range(20):
            yield grow(source, depth)


def library_sums(dump):
    """What the C library allocated for itself, of a dump without cut paths:
    it is the same each time."""
    sums = [0] * len(SUMS)
    for (_, path), figures in traces.read(dump).items():
        if not path.startswith("make:"):
            sums = [a + getattr(figures, name) for a, name in zip(sums, SUMS)]
    return sums


def test_parser(directory, build):
    program = e2e.compile_program(build, directory, "parser.c", "-O2",
                                  "-pthread")
    lines = os.path.join(directory, "lines")
    dump = os.path.join(directory, "parser.alloctrace")
    with open(lines, "w", encoding="ascii") as file:
        for line in hostile(random.Random(4)):
            file.write(line + "\n")
    others = None
    for limit, cap, verify in (
            ("all", 4 * MIB, "0"), ("all", MIB, "0"), ("all", MIB // 4, "0"),
            ("1", MIB, "1"), ("5", 4 * MIB, "1"), ("60", 4 * MIB, "1"),
            ("128", MIB // 2, "0"), ("1000", 4 * MIB, "0")):
        output, summary = run(
            program, [lines], dump, ALLOCTRACE=limit,
            ALLOCTRACE_MAX_MEMORY=str(cap), ALLOCTRACE_VERIFY=verify)
        counted = list(map(int, output.split()))
        if others is None:
            others = library_sums(dump)
        e2e.check_equal(
            f"{limit}, {cap}: total and live, less the C library's",
            [summary[name] - other for name, other in zip(SUMS, others)],
            counted)
        live = counted[3]
        heap = live * 2  # with the C library's own share
        e2e.check(summary["overhead_bytes"] <= cap + FIXED + heap,
                  f"{summary['overhead_bytes']} bytes, of {cap}")
        e2e.check(summary["cut_blocks"] > 0 or cap >= MIB,
                  "there was room for all")


def test():
    arguments = e2e.parse_arguments("what")
    with e2e.scratch() as directory:
        globals()["test_" + arguments.what](directory, arguments.build)


e2e.main(test)
