#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Dumps each so many seconds or bytes: they come also while the program sleeps
or computes, and it notices nothing: no call returns early, no file number is
taken, it stays single-threaded for the C library, and its output ends when it
closes it.

    interval.py BUILD
"""
import os
import time

import e2e

MIB = 1 << 20
CHURN_STEP = 10 * MIB  # from one wait for a due dump to the next, as the program
N_DUMPS = 2  # that are to come within one call
# Seconds: how long a child lives that nobody ends, and how long its parent may
# take. A busy machine takes part of one.
CHILD_LIFE, PARENT_LIFE = 120, 100


def run_only(program, directory, interval, *arguments):
    """What the program says."""
    output, status = e2e.run_to_status([program, *arguments], e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP="a.x",
        **({"ALLOCTRACE_INTERVAL": interval} if interval else {})),
        cwd=directory)
    e2e.check_equal(f"{arguments}: status", status, 0)
    return output.decode()


def run(program, directory, interval, *arguments):
    """The same, and its dumps: [(number, path, reason)]."""
    output = run_only(program, directory, interval, *arguments)
    return output, read_dumps(directory)


def read_dumps(directory):
    dumps = []
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        pid, number, reason = e2e.read_process(path)
        expected = "a.x" if reason == "exit" else f"a.{number}.x"
        e2e.check(name in (expected, expected.replace("a.", f"a.{pid}.")),
                  f"number {number} is named {name}")
        dumps.append((number, path, reason))
    dumps.sort()
    return dumps


def clear(directory):
    """Removes the dumps; not one that a child is writing, which may have its
    name by then."""
    for name in os.listdir(directory):
        if not name.endswith(".tmp"):
            os.remove(os.path.join(directory, name))


def check_order(what, dumps):
    e2e.check_equal(f"{what}: numbers", [number for number, _, _ in dumps],
                    list(range(1, len(dumps) + 1)))
    e2e.check_equal(f"{what}: reasons", [reason for _, _, reason in dumps],
                    ["interval"] * (len(dumps) - 1) + ["exit"])
    totals = [e2e.read_summary(path)["total_bytes"] for _, path, _ in dumps]
    e2e.check_equal(f"{what}: totals", totals, sorted(totals))
    return totals


def check_seconds(program, directory):
    """At 50 ms: not more dumps than fit into the time, and some while a single
    call lasts."""
    for way in ("sleep", "poll", "compute"):
        begin = time.monotonic()
        output, dumps = run(program, directory, "50ms", way, "300",
                            str(N_DUMPS))
        most = int((time.monotonic() - begin) / 0.050)
        totals = check_order(way, dumps)
        print(f"{way}: {len(dumps) - 1} dumps, {output.strip()}")
        e2e.check(N_DUMPS <= len(dumps) - 1 <= most,
                  f"{way}: {len(dumps) - 1} dumps, at most {most}")
        # What main allocates comes before the call, but may come after others.
        e2e.check(min(totals[-1 - N_DUMPS:]) >= 12345,
                  f"{way}: totals {totals}")
        clear(directory)
        e2e.check_equal(f"{way}: said without an interval", output,
                        run(program, directory, None, way, "300", "0")[0])
        clear(directory)


def check_bytes(program, directory):
    """Blocks that are freed at once count: each multiple has its dump, and not
    before it is reached. The program waits for it."""
    _, dumps = run(program, directory, "510MiB", "churn", "2040", "510")
    totals = check_order("bytes", dumps)
    print(f"bytes: {[round(total / MIB) for total in totals]} MiB")
    e2e.check_equal("bytes: steps at the dumps",
                    [total // CHURN_STEP for total in totals],
                    [51, 102, 153, 204, 204])
    clear(directory)


def check_last_thread(program, directory):
    """The process ends with its last thread, though ours is there."""
    _, dumps = run(program, directory, "50ms", "leave", "200", "0")
    check_order("leave", dumps)
    clear(directory)


def wait_for_dump(directory, what, is_wanted):
    """Until a child has written one: only names are read of those that it may
    still be writing."""
    end = time.monotonic() + PARENT_LIFE
    while True:
        names = [name for name in os.listdir(directory) if name.endswith(".x")]
        if is_wanted(names):
            return sorted(names)
        e2e.check(time.monotonic() < end, f"{what}: {names}")
        time.sleep(0.02)


def check_child(program, directory):
    """A child has an interval of its own, and holds no file open that it has
    closed: the output ends with the parent. It lives on until it is told, and
    writes meanwhile: a dump is read when it has its name."""
    begin = time.monotonic()
    run_only(program, directory, "50ms", "detach", str(CHILD_LIFE * 1000), "0")
    passed = time.monotonic() - begin
    e2e.check(passed < PARENT_LIFE, f"the output ended after {passed} s")
    clear(directory)
    names = wait_for_dump(directory, "the child has no dumps", lambda names: sum(
        name.count(".") == 3 for name in names) >= 3)
    print(f"child: {names[:3]}")
    with open(os.path.join(directory, "end"), "w", encoding="ascii"):
        pass
    wait_for_dump(directory, "the child does not end", lambda names: any(
        name.count(".") == 2 and
        e2e.read_process(os.path.join(directory, name))[2] == "exit"
        for name in names))


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as outer:
        program = e2e.compile_program(arguments.build, outer, "interval.c",
                                      "-O1")
        directory = os.path.join(outer, "run")
        os.mkdir(directory)
        check_seconds(program, directory)
        check_bytes(program, directory)
        check_last_thread(program, directory)
        check_child(program, directory)


e2e.main(test)
