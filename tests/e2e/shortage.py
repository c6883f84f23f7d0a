#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program that is refused memory: one dump before it learns of it, written
without a byte to be had, which holds what filled the memory; the program sees
NULL and errno as without the plugin.

    shortage.py BUILD
"""
import os
import resource

import e2e

WAYS = ("malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign",
        "strdup")
ENOMEM = 12
LIMIT_SECONDS = 120 # a busy machine takes some
LIMIT = 1 << 28 # bytes of addresses that the program may have


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


def run(program, way, directory, **variables):
    result = e2e.run([program, way], e2e.environment(**variables),
                     cwd=directory, timeout=LIMIT_SECONDS, preexec_fn=limit_memory)
    e2e.check_equal(f"{way}: status and messages",
                    (result.status, result.stderr), (3, b""))
    return list(map(int, result.stdout.split()))


def recorded(path, reason, number):
    """Bytes that a dump says are held, and whether they were recorded: the
    runtime too is short of memory in the end."""
    e2e.check_equal(f"{path}: number and reason", e2e.read_process(path)[1:],
                    (number, reason))
    summary = e2e.read_summary(path)
    return summary["live_bytes"] + summary["dropped_bytes"]


def check_way(way, program, directory):
    n_bytes, error, is_error_again = run(
        program, way, directory, ALLOCTRACE="all", ALLOCTRACE_DUMP="a.x")
    e2e.check_equal(f"{way}: error", (error, is_error_again), (ENOMEM, 1))
    e2e.check_equal(f"{way}: files", sorted(os.listdir(directory)),
                    ["a.1.x", "a.x"])
    then = recorded(os.path.join(directory, "a.1.x"), "out-of-memory", 1)
    last = recorded(os.path.join(directory, "a.x"), "exit", 2)
    print(f"{way}: {then} bytes when refused, {last} at exit")
    e2e.check_equal(f"{way}: bytes at exit", last, n_bytes)
    e2e.check(n_bytes - 256 * 1024 <= then <= n_bytes,
              f"{way}: {then} bytes when refused of {n_bytes}")
    for name in os.listdir(directory):
        os.remove(os.path.join(directory, name))


def check_other_refusals(program, directory):
    e2e.check_equal("refused otherwise", run(
        program, "otherwise", directory, ALLOCTRACE="all",
        ALLOCTRACE_DUMP="a.x"), [1])
    e2e.check_equal("refused otherwise: files", os.listdir(directory),
                    ["a.x"])


def check_untraced(program, directory):
    run(program, "malloc", directory)
    e2e.check_equal("untraced: files", os.listdir(directory), [])


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as outer:
        program = e2e.compile_program(arguments.build, outer, "shortage.c",
                                      "-O1", "-w")
        directory = os.path.join(outer, "run")
        os.mkdir(directory)
        check_untraced(program, directory)
        for way in WAYS:
            check_way(way, program, directory)
        check_other_refusals(program, directory)


e2e.main(test)
