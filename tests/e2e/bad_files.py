#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tool on files that it cannot use: one line that names the file and says
what is wrong, exit status 2, nothing on standard output.

    bad_files.py BUILD
"""
import os
import random
import struct

import e2e

COMMANDS = (["stats"], ["info"], ["dump"], ["stats", "--format", "json"],
            ["export", "--format", "tracemalloc"])


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def foreign_files(directory, dump):
    """Yields (what, path) of files that are no dumps at all."""
    yield "no such file", os.path.join(directory, "none.alloctrace")
    yield "a directory", directory
    yield "empty", write(os.path.join(directory, "empty"), b"")
    yield "text", write(os.path.join(directory, "text"), b"hello\n" * 100)
    yield "an executable", "/bin/true"
    yield "another version", write(
        os.path.join(directory, "version"),
        dump[:8] + struct.pack("<I", 99) + dump[12:])


def damaged_files(directory, dump):
    """Yields (what, path): cut off, or with bits turned over."""
    generator = random.Random(1)
    path = os.path.join(directory, "damaged")
    sizes = sorted({1, 7, 8, 15, 16, 31, len(dump) - 1, len(dump) - 8,
                    *(generator.randrange(len(dump)) for _ in range(20))})
    for size in sizes:
        yield f"the first {size} bytes", write(path, dump[:size])
    for _ in range(40):
        bit = generator.randrange(8 * len(dump))
        changed = bytearray(dump)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} turned over", write(path, changed)
    yield "bytes behind its end", write(path, dump + b"\0" * 8)


def check_refused(tool, command, what, path):
    result = e2e.run([tool, *command, path])
    message = result.stderr.decode(errors="replace")
    name = f"{' '.join(command)} on a file that is {what}"
    e2e.check_equal(f"{name}: exit status ({message!r})", result.status, 2)
    e2e.check(message.count("\n") == 1 and
              message.startswith(f"alloctrace: {path}: "),
              f"{name}: not one line that names the file: {message!r}")
    return result.stdout


def test():
    arguments = e2e.parse_arguments()
    tool = os.path.join(arguments.build, "bin", "alloctrace")
    count = 0
    with e2e.scratch() as directory:
        program = e2e.compile_program(arguments.build, directory, "hello.c")
        path = os.path.join(directory, "good.alloctrace")
        e2e.run([program], e2e.environment(ALLOCTRACE="all",
                                           ALLOCTRACE_DUMP=path))
        with open(path, "rb") as file:
            dump = file.read()
        for command in COMMANDS:
            e2e.check_equal(f"{command} on the whole file",
                            e2e.run([tool, *command, path]).status, 0)
            for what, bad in (*foreign_files(directory, dump),
                              *damaged_files(directory, dump)):
                output = check_refused(tool, command, what, bad)
                # `dump` prints the records up to the damage.
                e2e.check(not output or command == ["dump"],
                          f"{command} on a file that is {what}: {output!r}")
                count += 1
    print(f"{count} refused")


e2e.main(test)
