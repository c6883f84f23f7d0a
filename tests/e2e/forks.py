#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that the traced program makes: each one that ends as a copy of it
writes a dump of its own, which holds what it and its ancestors had asked for;
one that runs another program, or borrows its parent's memory to do so, writes
nothing and takes nothing from its parent.

    forks.py BUILD
"""
import os
import time

import e2e

# Way => how many dumps there are.
DUMPS = {
    "fork": 2, "generations": 3, "exec": 1, "failed_exec": 2, "fault": 2,
    "vfork": 1, "spawn": 1, "clone": 1, "system_call": 2,
    "library_daemon": 1, "daemon": 3,
}
# Pattern => names of the starter's dump and of its children's.
PATTERNS = {
    "a.alloctrace": ("a.alloctrace", "a.{}.alloctrace"),
    "plain": ("plain", "plain.{}"),
    "p.%p": ("p.{}", "p.{}"),
    "n.%n.x": ("n.1.x", "n.1.{}.x"),
}
N_FORKS = 30
LIMIT = 120  # seconds; a busy machine takes some


def run(program, way, directory, pattern):
    """Output and exit status; the program must be done in time."""
    result = e2e.run([program, way], e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP=pattern), cwd=directory, timeout=LIMIT)
    return result.stderr.decode(), result.stdout.decode(), result.status


def wait_for_files(directory, count):
    """A daemon's dump comes when its starter is gone: reads names until there
    are `count` whole ones, and not for long."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        names = sorted(os.listdir(directory))
        if len(names) >= count and not any(n.endswith(".tmp") for n in names):
            break
        time.sleep(0.01)
    return names


def starter(way, said):
    """The process that was started, which has the plain name."""
    if way == "library_daemon": # it ends inside the C library
        return None
    return said[0][0] if way == "daemon" else said[-1][0]


def check_way(way, program, directory, pattern):
    message, output, status = run(program, way, directory, pattern)
    said = [tuple(map(int, line.split())) for line in output.splitlines()]
    names = wait_for_files(directory, DUMPS[way])
    by_pid = {}
    for name in names:
        path = os.path.join(directory, name)
        pid, number, reason = e2e.read_process(path)
        summary = e2e.read_summary(path)
        by_pid[pid] = (name, summary["total_bytes"])
        e2e.check_equal(f"{way}: dropped", summary["dropped_blocks"], 0)
        e2e.check_equal(f"{way}: number", number, 1)
        e2e.check(reason in ("exit", "SIGABRT"), f"{way}: reason {reason}")
        os.remove(path)
    is_daemon = "daemon" in way
    e2e.check_equal(f"{way}: messages", message, "")
    e2e.check_equal(f"{way}: status", status, 0 if is_daemon else 3)
    e2e.check_equal(f"{way}: number of dumps", len(names), DUMPS[way])
    for pid, size in said:
        is_child = pid != starter(way, said)
        expected = PATTERNS[pattern][is_child].format(pid), size
        e2e.check_equal(f"{way}, {pattern}: dump of {pid}", by_pid[pid],
                        expected)
    print(f"{way}, {pattern}: {len(names)} dumps")


def check_many(program, directory):
    """No child waits for ever, and each one's own megabyte is in its dump. Of
    copies that nobody announced some have no dump, but none is broken."""
    for way in ("many", "many_system_calls"):
        _, output, status = run(program, way, directory, "%p")
        e2e.check_equal(f"{way}: status", status, 3)
        names = os.listdir(directory)
        for name in names:
            summary = e2e.read_summary(os.path.join(directory, name))
            least = 1010000 if way == "many" and \
                name != output.split()[0] else 10000
            e2e.check(summary["total_bytes"] >= least, f"{way}: {summary}")
            os.remove(os.path.join(directory, name))
        print(f"{way}: {len(names)} dumps")
        e2e.check(len(names) == N_FORKS + 1 if way == "many" else
                  0 < len(names) <= N_FORKS + 1, f"{way}: {names}")


def check_failure(way, program, directory, reason):
    message, _, status = run(program, way, directory, "a")
    if status == 97:
        print(f"{way}: skipped, it is not allowed here")
        os.remove(os.path.join(directory, "a")) # of its end, which went well
        return
    e2e.check_equal(f"{way}: status", status, 3)
    e2e.check(message.count("\n") == 1 and reason in message,
              f"{way}: {message!r}")
    e2e.check_equal(f"{way}: files", os.listdir(directory), [])


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as outer:
        program = e2e.compile_program(arguments.build, outer, "forks.c", "-O1")
        directory = os.path.join(outer, "run")
        os.mkdir(directory)
        for way in DUMPS:
            check_way(way, program, directory, "a.alloctrace")
        for pattern in PATTERNS:
            check_way("generations", program, directory, pattern)
        check_many(program, directory)
        check_failure("chroot", program, directory,
                      "No such file or directory")
        check_failure("no_descriptors", program, directory,
                      "Too many open files")


e2e.main(test)
