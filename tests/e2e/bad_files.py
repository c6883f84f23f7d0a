#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tool on files that it cannot use: one line that names the file and says
what is wrong, exit status 2, nothing on standard output. On forged files, which
nothing shows to be damaged: the same, or success; never a signal.

    bad_files.py BUILD
"""
import os
import random
import struct

import e2e

# In place of BAD stands the file, of GOOD the one that it was made of.
BAD, GOOD = "BAD", "GOOD"
COMMANDS = (["stats", BAD], ["info", BAD], ["dump", BAD],
            ["stats", "--format", "json", BAD],
            ["diff", GOOD, BAD], ["diff", BAD, GOOD],
            ["merge", "-o", "-", GOOD, BAD], ["merge", "-o", "-", BAD, GOOD],
            ["export", "--format", "tracemalloc", BAD],
            ["export", "--format", "json", BAD],
            ["export", "--format", "csv", BAD])

CHECKSUM_SEED = 0x616c6c6f63747263
CHECKSUM_PRIME = 0x9e3779b97f4a7c15
TRAILER_SIZE = 40
N_FORGED = 12


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
                    *(generator.randrange(len(dump)) for _ in range(8))})
    for size in sizes:
        yield f"the first {size} bytes", write(path, dump[:size])
    for _ in range(12):
        bit = generator.randrange(8 * len(dump))
        changed = bytearray(dump)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} turned over", write(path, changed)
    yield "bytes behind its end", write(path, dump + b"\0" * 8)


def checksum(data):
    value = CHECKSUM_SEED
    for (word,) in struct.iter_unpack("<Q", data):
        value ^= word
        value = (value << 29 | value >> 35) * CHECKSUM_PRIME & (1 << 64) - 1
    return value


def forged_files(directory, dump):
    """Yields (what, path): words changed, with a checksum that is right."""
    generator = random.Random(2)
    path = os.path.join(directory, "forged")
    whole = dump[:-8] + struct.pack("<Q", checksum(dump[:-TRAILER_SIZE]))
    e2e.check_equal("the checksum that is made here", whole, dump)
    for _ in range(N_FORGED):
        changed = bytearray(dump[:-TRAILER_SIZE])
        place = generator.randrange(16, len(changed), 4)
        word = generator.choice((0, 1, 2, 0x7fffffff, 0xffffffff,
                                 generator.randrange(1 << 32)))
        changed[place:place + 4] = struct.pack("<I", word)
        trailer = dump[-TRAILER_SIZE:-8] + struct.pack("<Q", checksum(changed))
        yield f"{word} at {place}", write(path, changed + trailer)


def run(tool, command, good, bad):
    names = {GOOD: good, BAD: bad}
    return e2e.run([tool, *(names.get(word, word) for word in command)])


def check_forged(tool, command, what, good, path):
    result = run(tool, command, good, path)
    message = result.stderr.decode(errors="replace")
    name = f"{' '.join(command)} on a file with {what}"
    e2e.check(result.status in (0, 2),
              f"{name}: exit status {result.status} ({message!r})")
    if result.status == 2:
        e2e.check(message.count("\n") == 1,
                  f"{name}: not one line: {message!r}")


def check_refused(tool, command, what, good, path):
    result = run(tool, command, good, path)
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
                            run(tool, command, path, path).status, 0)
            for what, bad in (*foreign_files(directory, dump),
                              *damaged_files(directory, dump)):
                output = check_refused(tool, command, what, path, bad)
                # `dump` prints the records up to the damage.
                e2e.check(not output or command[0] == "dump",
                          f"{command} on a file that is {what}: {output!r}")
                count += 1
            for what, bad in forged_files(directory, dump):
                check_forged(tool, command, what, path, bad)
    print(f"{count} refused, {N_FORGED * len(COMMANDS)} forged")


e2e.main(test)
