#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares tracebacks with gdb's, frame by frame, at randomly chosen
allocations of a program: function and line, inlined functions included.

    compare_gdb.py PROGRAM LEVEL BUILD

Both must show the same frames but for these rules.

Tail calls. The function that makes one leaves the stack:
  - alloctrace marks a call that was made as a tail call `[tail call]`; gdb
    does not show the function that made it, nor the functions that it was
    inlined into: they were one function on the machine;
  - gdb shows, as frames of the kind "tail call", functions that it worked out
    to lie between two others because there is a single way of tail calls from
    the one to the other. No record was kept of them.

Split functions. GCC may move a part of a function out of it, to inline the
rest. The call of that part stands in no line of the source. gdb shows two
frames of one function, the outer at a line that does not call it ("split");
alloctrace shows the inner one.

Lines. gdb keeps the line of an inlined call in 16 bits, so for a frame into
which the next one is inlined, lines are compared modulo 65536.

The programs are built with -fno-crossjumping: else GCC lets branches that end
in the same call share it, and gdb cannot tell which branch was taken. And with
-gno-statement-frontiers: else gdb passes over the lines of calls that do not
begin a statement.

Every other difference is a failure. ALLOCTRACE_SEED sets the seed ("random"
takes another each time), ALLOCTRACE_SAMPLES how many allocations are compared.
"""
import json
import os
import random
import re
import struct
import subprocess

import e2e

SEED = os.environ.get("ALLOCTRACE_SEED", "1")
SAMPLES = int(os.environ.get("ALLOCTRACE_SAMPLES", "20"))
ARGUMENTS = {
    "lua": [os.path.join(e2e.TOP, "examples", "workload.lua"), "1"],
    "sqlite": ["--memdb", "--size", "1", "--testset", "main"],
}
ENTRIES = ("malloc", "calloc", "realloc")
TAG_STRINGS, TAG_FRAMES, TAG_TRACEBACKS = 2, 4, 5
LINE = re.compile(r'^  File "(.*)", line (\d+), in (.*?)( \[tail call\])?$')


def read_strings(payload, count):
    offset = 0
    for _ in range(count):
        size, = struct.unpack_from("<I", payload, offset)
        yield payload[offset + 4:offset + 4 + size].decode()
        offset += 4 + size


def count_calls(command, directory):
    """How often each entry is called: by the names of what was called in the
    innermost frames of a dump."""
    dump = os.path.join(directory, "count.alloctrace")
    e2e.run(command, e2e.environment(ALLOCTRACE="all", ALLOCTRACE_DUMP=dump))
    strings, callees, innermost = [""], [""], [0]
    calls = dict.fromkeys(ENTRIES, 0)
    for tag, count, payload in e2e.read_records(dump):
        size = len(payload) // count if count else 0
        if tag == TAG_STRINGS:
            strings += read_strings(payload, count)
            continue
        for at in range(0, count * size, size or 1):
            if tag == TAG_FRAMES:
                callee = struct.unpack_from("<Q8I", payload, at)[8]
                callees.append(strings[callee])
            elif tag == TAG_TRACEBACKS:
                innermost.append(struct.unpack_from("<II", payload, at)[1])
            elif tag == e2e.TAG_TRACES:
                traceback, = struct.unpack_from("<I", payload, at)
                total, = struct.unpack_from("<Q", payload, at + 32)
                callee = callees[innermost[traceback]]
                if callee in calls:
                    calls[callee] += total
    return calls


def choose_calls(calls, generator):
    """Some of all the calls, by entry."""
    every = [(name, n + 1) for name in ENTRIES for n in range(calls[name])]
    chosen = generator.sample(every, min(SAMPLES, len(every)))
    return {name: sorted(n for entry, n in chosen if entry == name)
            for name in ENTRIES if any(entry == name for entry, _ in chosen)}


def run_gdb(command, calls, directory):
    file = os.path.join(directory, "tracebacks")
    with open(file, "w", encoding="utf-8"):
        pass
    orders = {"calls": calls, "arguments": command[1:], "file": file}
    script = os.path.join(e2e.HERE, "gdb_frames.py")
    result = subprocess.run(
        ["gdb", "-batch", "-nx", "-x", script, command[0]],
        env=e2e.environment(ALLOCTRACE="all", ALLOCTRACE_DUMP="/dev/null",
                            ALLOCTRACE_GDB=json.dumps(orders)),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    stops = [json.loads(line) for line in result.stdout.splitlines()
             if line.startswith("{")]
    n_expected = sum(map(len, calls.values()))
    e2e.check(len(stops) == n_expected and "error" not in stops[-1],
              f"gdb stopped {len(stops)} times instead of {n_expected}: "
              f"{stops[-1:]} {result.stderr}")
    return stops


def parse_traceback(text):
    lines = text.splitlines()
    e2e.check(lines and lines[0] ==
              "Memory block allocated at (most recent call first):",
              f"no traceback: {text!r}")
    frames = []
    for line in lines[1:]:
        match = LINE.match(line)
        e2e.check(match, f"not understood: {line!r}")
        frames.append((match.group(3), int(match.group(2)),
                       bool(match.group(4))))
    return frames


def is_same(frame, ours):
    """Do gdb's frame and ours agree?"""
    name, line, has_short_line = frame
    our_name, our_line, _ = ours
    if has_short_line:
        our_line %= 65536
    return (name, line) == (our_name, our_line)


def comparable(theirs):
    """gdb's frames that alloctrace must have: function, line, and whether the
    line has 16 bits."""
    for name, line, kind, has_inlined in theirs:
        if kind not in ("tail call", "split"):
            yield name, line, has_inlined


def first_difference(theirs, ours):
    """What the first difference is; None if there is none."""
    left = list(ours)
    for frame in comparable(theirs):
        while left and left[0][2] and not is_same(frame, left[0]):
            left.pop(0)
        if not left or not is_same(frame, left[0]):
            return f"gdb has {frame[0]}:{frame[1]}, alloctrace " + (
                "{}:{}".format(*left[0][:2]) if left else "nothing")
        left.pop(0)
    return f"only alloctrace has {left[0]}" if left else None


def print_difference(stop, difference):
    print(f"call {stop['call']} of {stop['entry']}: {difference}\ngdb:")
    for name, line, kind, _ in stop["gdb"]:
        print(f"  {name}:{line} {kind}")
    print(f"alloctrace:\n{stop['alloctrace']}")


def compare(stops):
    """Returns how many frames agree, and how many left by tail calls."""
    n_frames = n_tail = 0
    differences = []
    for stop in stops:
        ours = parse_traceback(stop["alloctrace"])
        difference = first_difference(stop["gdb"], ours)
        if difference:
            differences.append(difference)
            if len(differences) <= 3:
                print_difference(stop, difference)
        n_frames += len(ours)
        n_tail += sum(tail for _, _, tail in ours)
    for difference in sorted(set(differences)):
        print(f"{differences.count(difference)} times: {difference}")
    e2e.check(not differences,
              f"{len(differences)} of {len(stops)} tracebacks differ")
    return n_frames, n_tail


def test():
    arguments = e2e.parse_arguments("program", "level")
    seed = str(random.randrange(1 << 32)) if SEED == "random" else SEED
    print(f"seed {seed}")
    command = [e2e.program_path(arguments.build, arguments.program,
                                arguments.level, "trace"),
               *ARGUMENTS[arguments.program]]
    with e2e.scratch() as directory:
        calls = count_calls(command, directory)
        chosen = choose_calls(calls, random.Random(seed))
        stops = run_gdb(command, chosen, directory)
        n_frames, n_tail = compare(stops)
    print(f"{arguments.program} -{arguments.level}: {len(stops)} of "
          f"{sum(calls.values())} allocations, {n_frames} frames agree, "
          f"{n_tail} of them left by tail calls")


test.needs = ["gdb"]
e2e.main(test)
