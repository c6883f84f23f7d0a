#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole programs, plain and instrumented: the number of allocations and the
bytes requested are exactly what valgrind counts in the plain program, and
nothing else that the program does is changed.

    totals.py PROGRAM BUILD
"""
import os
import re

import e2e


def without_timings(result):
    """sqlite's speedtest1 prints how long each test took."""
    result.stdout = re.sub(rb"\d+\.\d+s", b"#s", result.stdout)
    return result


def check_same_behaviour(command_of, variables):
    plain = without_timings(e2e.run(command_of("plain")))
    e2e.check_equal("the plain program's exit status", plain.status, 0)
    e2e.check_equal("the instrumented program",
                    without_timings(e2e.run(command_of("trace"))), plain)
    e2e.check_equal("the traced program", without_timings(
        e2e.run(command_of("trace"), variables)), plain)


def check_totals(command_of, variables, dump):
    counted = e2e.valgrind_totals(command_of("plain"), variables)
    e2e.run(command_of("trace"), e2e.valgrind_environment(variables))
    summary = e2e.read_summary(dump)
    traced = summary["total_blocks"], summary["total_bytes"]
    print(f"  valgrind {counted[0]} allocations, {counted[1]} bytes; "
          f"alloctrace {traced[0]}, {traced[1]}", flush=True)
    e2e.check_equal("allocations and bytes", traced, counted)
    e2e.check_equal("dropped blocks", summary["dropped_blocks"], 0)
    e2e.check_equal("bad frames", summary["bad_frames"], 0)


def test():
    arguments = e2e.parse_arguments("program")
    with e2e.scratch() as directory:
        for level in e2e.LEVELS:
            print(f"{arguments.program} -{level}")
            dump = os.path.join(directory, f"{level}.alloctrace")
            variables = e2e.environment(ALLOCTRACE="all", ALLOCTRACE_DUMP=dump)

            def command_of(variant):
                return [e2e.program_path(arguments.build, arguments.program,
                                         level, variant),
                        *e2e.PROGRAMS[arguments.program]]
            check_same_behaviour(command_of, variables)
            os.remove(dump)
            check_totals(command_of, variables, dump)


test.needs = ["valgrind"]
e2e.main(test)
