#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A chain of calls that are all jumps, down to the allocator: they stay jumps,
and the report says where frames are missing.

    tail_calls.py BUILD
"""
import os
import re
import subprocess

import e2e

# The whole traceback, as it is printed; lines of programs/tail.c.
EXPECTED = """\
#0 tail.c:8 my_malloc
[tail call in mid]
#1 tail.c:23 outer
#2 tail.c:31 main
"""
# Without jumps every function is there.
UNOPTIMISED = """\
#0 tail.c:8 my_malloc
#1 tail.c:13 last
#2 tail.c:18 mid
#3 tail.c:23 outer
#4 tail.c:31 main
"""
CHAIN = {"my_malloc": "__alloctrace_malloc", "last": "my_malloc",
         "mid": "last"}


def check_jumps(program):
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program],
                          check=True, capture_output=True, text=True).stdout
    for function, target in CHAIN.items():
        body = re.search(rf"<{function}>:\n(.*?)\n\n", text, re.S)[1]
        e2e.check(re.search(rf"jmp\s+\w+ <{target}>", body) and
                  "call" not in body, f"{function} does not jump: {body}")


def traceback_of(build, program, directory):
    dump = os.path.join(directory, "tail.alloctrace")
    result = e2e.run([program], e2e.environment(ALLOCTRACE="all",
                                                ALLOCTRACE_DUMP=dump))
    e2e.check_equal("exit status and messages",
                    (result.status, result.stderr), (0, b""))
    result = e2e.run([os.path.join(build, "bin", "alloctrace"), "stats",
                      "--no-fold-wrappers", "--group-by", "traceback", dump])
    e2e.check_equal("status of stats", result.status, 0)
    lines = [line for line in result.stdout.decode().splitlines()
             if line.startswith("      ")]
    return "".join(re.sub(r"\S*/", "", re.sub(r"\s+", " ", line.strip()))
                   + "\n" for line in lines)


def test():
    arguments = e2e.parse_arguments()
    for level, expected in (("O2", EXPECTED), ("Os", EXPECTED),
                            ("O0", UNOPTIMISED)):
        with e2e.scratch() as directory:
            program = e2e.compile_program(arguments.build, directory, "tail.c",
                                          f"-{level}")
            if level == "O2":
                check_jumps(program)
            found = traceback_of(arguments.build, program, directory)
            e2e.check_equal(f"-{level}", found, expected)
            print(f"-{level}:\n{found}")


test.needs = ("objdump",)
e2e.main(test)
