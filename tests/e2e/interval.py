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
# Bytes that churn allocates between two looks at the sums, at the most. The
# program sleeps a millisecond each 10 MiB; the machine may be busy.
CHURN_SLACK = 400 * MIB


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
    """At 50 ms: not more dumps than fit into the time, and most of those."""
    for way in ("sleep", "poll", "compute"):
        begin = time.monotonic()
        output, dumps = run(program, directory, "50ms", way, "300")
        most = int((time.monotonic() - begin) / 0.050)
        totals = check_order(way, dumps)
        print(f"{way}: {len(dumps) - 1} dumps, {output.strip()}")
        e2e.check(2 <= len(dumps) - 1 <= most,
                  f"{way}: {len(dumps) - 1} dumps, at most {most}")
        e2e.check(min(totals) >= 12345, f"{way}: totals {totals}")
        clear(directory)
        e2e.check_equal(f"{way}: said without an interval", output,
                        run(program, directory, None, way, "300")[0])
        clear(directory)


def check_bytes(program, directory):
    """Blocks that are freed at once count: each multiple has its dump, not
    before it is reached and soon after."""
    _, dumps = run(program, directory, "512MiB", "churn", "2048")
    totals = check_order("bytes", dumps)
    e2e.check(2 <= len(totals) - 1 <= 4, f"bytes: dumps at {totals}")
    reached = 0
    for total in totals[:-1]:
        e2e.check(total // (512 * MIB) > reached, f"bytes: dumps at {totals}")
        reached = total // (512 * MIB)
        e2e.check(total % (512 * MIB) < CHURN_SLACK, f"bytes: {totals}")
    print(f"bytes: {[round(total / MIB) for total in totals]} MiB")
    clear(directory)


def check_last_thread(program, directory):
    """The process ends with its last thread, though ours is there."""
    _, dumps = run(program, directory, "50ms", "leave", "200")
    check_order("leave", dumps)
    clear(directory)


def check_child(program, directory):
    """A child has an interval of its own, and holds no file open that it has
    closed: the output ends with the parent. It sleeps for a second and a half,
    and writes meanwhile: a dump is read when it has its name."""
    begin = time.monotonic()
    run_only(program, directory, "50ms", "detach", "1500")
    passed = time.monotonic() - begin
    e2e.check(passed < 1.3, f"the output ended after {passed} s")
    clear(directory)
    while sum(name.count(".") == 3 for name in os.listdir(directory)) < 3:
        e2e.check(time.monotonic() < begin + 20, "the child has no dumps: "
                  f"{os.listdir(directory)}")
        time.sleep(0.02)
    print(f"child: {sorted(os.listdir(directory))[:3]}")
    while not any(name.count(".") == 2 and not name.endswith("tmp") and
                  e2e.read_process(os.path.join(directory, name))[2] == "exit"
                  for name in os.listdir(directory)):
        e2e.check(time.monotonic() < begin + 20, "the child does not end")
        time.sleep(0.02)


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
