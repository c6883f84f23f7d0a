#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Values of the environment variables: the good ones work; a bad one is one
line on standard error and the program runs on untraced.

    settings.py BUILD
"""
import os

import e2e

OFF = [{}, {"ALLOCTRACE": ""}, {"ALLOCTRACE": "0"}]
ON = [{"ALLOCTRACE": value} for value in ("1", "25", "65535", "all")] + [
    {"ALLOCTRACE": "1", "ALLOCTRACE_AT_PEAK": "0"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_AT_CRASH": "0"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_INTERVAL": "0"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_INTERVAL": "1h"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_VERIFY": "1"},
    {"ALLOCTRACE": "all", "ALLOCTRACE_MAX_MEMORY": "0"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_MAX_MEMORY": "512KiB"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_MAX_MEMORY": "1%"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_BLOCKS": "1"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_SIGNAL": "SIGUSR2"}]
# The variable that is wrong comes last.
BAD = [{"ALLOCTRACE": value} for value in (
    "-1", "65536", "x", "1x", " 1", "1 ", "0x10", "ALL", "1.5", "+1",
    "99999999999999999999", "a" * 5000)] + [
    {"ALLOCTRACE": "1", "ALLOCTRACE_AT_PEAK": "2"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_AT_PEAK": "yes"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_AT_CRASH": "2"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_INTERVAL": "10"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_INTERVAL": "1.5s"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_VERIFY": "x"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_MAX_MEMORY": "1Mb"},
    {"ALLOCTRACE": "1", "ALLOCTRACE_BLOCKS": "yes"}] + [
    {"ALLOCTRACE": "1", "ALLOCTRACE_SIGNAL": value} for value in (
        "KILL", "SIGSEGV", "usr2", "0", "65", "USR2x")]
ACCEPTED = {"ALLOCTRACE": "65535", "ALLOCTRACE_INTERVAL": "64MiB",
            "ALLOCTRACE_MAX_MEMORY": "MiB", "ALLOCTRACE_SIGNAL": "USR2"}


def run(program, directory, settings):
    result = e2e.run([program], e2e.environment(**settings), cwd=directory)
    dumps = [name for name in os.listdir(directory)
             if "alloctrace" in name]
    for name in dumps:
        os.remove(os.path.join(directory, name))
    e2e.check_equal(f"{settings}: output and exit status",
                    (result.stdout, result.status), (b"hello\n", 7))
    return result.stderr.decode(), dumps


def check_bad(settings, message, dumps):
    variable, value = list(settings.items())[-1]
    lines = message.splitlines()
    e2e.check(len(lines) == 1 and message.endswith("\n"),
              f"{settings}: {len(lines)} lines: {message!r}")
    e2e.check(lines[0].startswith("alloctrace: "),
              f"{settings}: does not say who speaks: {message!r}")
    e2e.check(variable in lines[0] and value[:100] in lines[0],
              f"{settings}: does not name variable and value: {message!r}")
    accepted = ACCEPTED.get(variable, "0 or 1")
    e2e.check(accepted in lines[0] or len(value) > 1000,
              f"{settings}: does not say what is accepted: {message!r}")
    e2e.check_equal(f"{settings}: dumps", dumps, [])


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as outer:
        program = e2e.compile_program(arguments.build, outer, "hello.c", "-O2")
        directory = os.path.join(outer, "run")
        os.mkdir(directory)
        for settings in OFF:
            e2e.check_equal(f"{settings}", run(program, directory, settings),
                            ("", []))
        for settings in ON:
            message, dumps = run(program, directory, settings)
            e2e.check_equal(f"{settings}: message", message, "")
            e2e.check(len(dumps) == 1 and dumps[0].startswith(
                "alloctrace.hello."), f"{settings}: dumps {dumps}")
        for settings in BAD:
            check_bad(settings, *run(program, directory, settings))
        print(f"{len(OFF) + len(ON) + len(BAD)} settings")


e2e.main(test)
