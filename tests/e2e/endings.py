#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The ways in which a process can end: one dump each, which holds all that the
program asked for by then, and an output and a status, as waitpid gives it with
its core flag, that are those of the program without the plugin.

    endings.py BUILD
"""
import concurrent.futures
import os
import re
import resource
import select
import time

import e2e

# Way => why the dump was written; None: none is.
REASONS = {
    "exit": "exit", "_exit": "exit", "_Exit": "exit", "quick_exit": "exit",
    "handlers": "exit", "inside_handler": "exit", "last_thread": "exit",
    "many_threads": "exit", "signal_handler": "exit", "no_files": "exit", "late": "exit", "writer": "exit",
    "elsewhere": "exit", "survive_abort": "exit", "survive_fault": "exit",
    "ignore_abort": "exit", "abort": "SIGABRT", "double_free": "SIGABRT",
    "segv": "SIGSEGV", "kill": "SIGSEGV", "many_faults": "SIGSEGV",
    "bus": "SIGBUS", "fpe": "SIGFPE", "ill": "SIGILL",
    "syscall": None, "overflow": None,
}
PIPE_SIZE = 65536 # what a pipe holds before who writes must wait
# Seconds in which a program gets to its dump, however busy the machine is.
LIMIT = 120
STACK = 8 << 20 # bytes, to be overrun
# Threads: the C library allocates for them, as much as it likes.
INEXACT = {"writer", "last_thread", "many_threads", "many_faults"}


def set_limits():
    """Cores as large as may be; a stack that has an end."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard == resource.RLIM_INFINITY or hard >= STACK:
        resource.setrlimit(resource.RLIMIT_STACK, (STACK, hard))


def run(program, way, directory, **variables):
    return e2e.run_to_status([program, way], e2e.environment(**variables),
                             cwd=directory, preexec_fn=set_limits)


def take_dumps(directory):
    """Names and paths of what was written there, but for cores."""
    return {name: os.path.join(directory, name)
            for name in sorted(os.listdir(directory))
            if not name.startswith("core")}


def check_dump(way, path, output):
    expected = int(output.split()[0])
    summary = e2e.read_summary(path)
    _, number, reason = e2e.read_process(path)
    total = summary["total_bytes"] + summary["dropped_bytes"]
    e2e.check_equal(f"{way}: reason", reason, REASONS[way])
    e2e.check_equal(f"{way}: number", number, 1)
    if way in INEXACT:
        e2e.check(expected <= total < expected + 100000,
                  f"{way}: {total} bytes instead of {expected}")
    else:
        e2e.check_equal(f"{way}: bytes", total, expected)


def check_way(way, plain, traced, directory):
    expected = run(plain, way, directory)
    actual = run(traced, way, directory, ALLOCTRACE="all",
                 ALLOCTRACE_DUMP="a.alloctrace")
    dumps = take_dumps(directory)
    e2e.check_equal(f"{way}: output and status", actual, expected)
    e2e.check_equal(f"{way}: files", list(dumps),
                    ["a.alloctrace"] if REASONS[way] else [])
    for path in dumps.values():
        check_dump(way, path, actual[0])
        os.remove(path)
    return actual[1]


def check_slow_reader(way, plain, traced, directory):
    """The dump goes to a pipe that is read late, so that it takes its time:
    meanwhile no other thread ends the process or writes into the dump."""
    pipe, copy = (os.path.join(directory, name) for name in ("pipe", "copy"))
    expected = run(plain, way, directory)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with concurrent.futures.ThreadPoolExecutor() as executor:
        actual = executor.submit(run, traced, way, directory,
                                 ALLOCTRACE="all", ALLOCTRACE_DUMP=pipe)
        # Read before the other end is open, it would be at its end.
        has_begun, _, _ = select.select([reader], [], [], LIMIT)
        time.sleep(0.3)
        os.set_blocking(reader, True)
        with open(reader, "rb") as source, open(copy, "wb") as target:
            target.write(source.read())
    e2e.check(has_begun, f"{way}, slowly: no dump has begun")
    e2e.check_equal(f"{way}, slowly: output and status", actual.result(),
                    expected)
    e2e.check(os.path.getsize(copy) > 2 * PIPE_SIZE,
              f"{way}, slowly: {os.path.getsize(copy)} bytes")
    check_dump(way, copy, actual.result()[0])
    os.remove(pipe)
    os.remove(copy)


def check_crash_off(traced, directory):
    """Nothing is written, and no handler is there to be seen."""
    _, status = run(traced, "segv", directory, ALLOCTRACE="all",
                    ALLOCTRACE_AT_CRASH="0")
    e2e.check_equal("at_crash=0: files", take_dumps(directory), {})
    e2e.check_equal("at_crash=0: signal", os.WTERMSIG(status), 11)


def fault(program, directory, **variables):
    """What gdb says of the core: the fault's address and the line."""
    for name in os.listdir(directory):
        os.remove(os.path.join(directory, name))
    run(program, "segv", directory, **variables)
    cores = [name for name in os.listdir(directory)
             if name.startswith("core")]
    if len(cores) != 1:
        return None
    text = e2e.run(["gdb", "-batch", "-nx", "-ex",
                    "p $_siginfo._sifields._sigfault.si_addr", "-ex",
                    "p $_siginfo.si_code", "-ex", "frame", program, cores[0]],
                   cwd=directory).stdout.decode()
    return re.findall(r"^\$\d = .*|^\d+\t.*|end_by_segv", text, re.M)


def check_core(plain, traced, directory):
    expected = fault(plain, directory)
    if expected is None:
        print("core: skipped, none is left in the directory here")
        return
    e2e.check("end_by_segv" in expected, f"the plain core says {expected}")
    e2e.check_equal("core", fault(traced, directory, ALLOCTRACE="all"),
                    expected)


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as outer:
        plain = e2e.compile_plain(outer, "endings.c", "-O1", "-w")
        traced = e2e.compile_program(arguments.build, outer, "endings.c",
                                     "-O1", "-w")
        directory = os.path.join(outer, "run")
        os.mkdir(directory)
        for way in REASONS:
            status = check_way(way, plain, traced, directory)
            print(f"{way}: status {status:#x}, {REASONS[way]}")
        for way in ("many_threads", "writer"):
            check_slow_reader(way, plain, traced, directory)
        check_crash_off(traced, directory)
        check_core(plain, traced, directory)


test.needs = ("gdb",)
e2e.main(test)
