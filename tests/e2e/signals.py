#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ALLOCTRACE_SIGNAL: thousands of signals to threads that allocate, fork and
load libraries. Nothing hangs, every dump is whole and can be loaded, and the
last one's figures are exactly those that the program counted itself.

    signals.py BUILD
"""
import os
import struct
import subprocess
import time

import e2e

TAG_STRINGS, TAG_FRAMES, TAG_TRACEBACKS, TAG_BLOCKS = 2, 4, 5, 11
TIMEOUT = 300  # seconds: it hangs
ENOUGH = "enough"  # the file that says so
N_EACH, N_SEEN = 50, 3  # dumps that a run is to have at least, less one


def read_tables(path):
    """The names of tracebacks' innermost functions, and the traces."""
    strings, frames, tracebacks, traces = [b""], [b""], [b""], []
    for tag, count, payload in e2e.read_records(path):
        if tag == TAG_STRINGS:
            at = 0
            for _ in range(count):
                size, = struct.unpack_from("<I", payload, at)
                strings.append(payload[at + 4:at + 4 + size])
                at += 4 + size
        elif tag == TAG_FRAMES:
            for i in range(count):
                function, = struct.unpack_from(
                    "<I", payload, i * (len(payload) // count) + 16)
                frames.append(strings[function])
        elif tag == TAG_TRACEBACKS:
            for i in range(count):
                frame, = struct.unpack_from(
                    "<I", payload, i * (len(payload) // count) + 4)
                tracebacks.append(frames[frame])
        elif tag == e2e.TAG_TRACES:
            size = len(payload) // count if count else 0
            traces += [struct.unpack_from("<4I4q", payload, i * size)
                       for i in range(count)]
    return tracebacks, traces


def sums_of(path, is_wanted):
    tracebacks, traces = read_tables(path)
    sums = [0] * 4
    for traceback, _, domain, _, *figures in traces:
        if is_wanted(tracebacks[traceback], domain):
            sums = [a + b for a, b in zip(sums, figures)]
    return sums


def check_blocks(path, name):
    """Nothing runs any more: the blocks are those that the traces count."""
    live, listed, addresses = {}, {}, set()
    for traceback, _, domain, _, n, size, *_ in read_tables(path)[1]:
        sums = live.setdefault((traceback, domain), [0, 0])
        sums[0] += n
        sums[1] += size
    for tag, count, payload in e2e.read_records(path):
        if tag != TAG_BLOCKS:
            continue
        e2e.check_equal(f"{name}: length", len(payload), count * 24)
        for address, size, traceback, domain in struct.iter_unpack(
                "<QQII", payload):
            sums = listed.setdefault((traceback, domain), [0, 0])
            sums[0] += 1
            sums[1] += size
            addresses.add((address, domain))
    live = {path: sums for path, sums in live.items() if sums != [0, 0]}
    for key in sorted(live.keys() | listed.keys()):
        e2e.check_equal(f"{name}: blocks and bytes of path and domain {key}",
                        listed.get(key), live.get(key))
    e2e.check_equal(f"{name}: addresses", len(addresses),
                    sum(sums[0] for sums in listed.values()))


def info(build, path, name):
    """What the command says of a dump: it is whole."""
    result = e2e.run([os.path.join(build, "bin", "alloctrace"), "info", path])
    e2e.check_equal(f"{name}: loading {os.path.basename(path)}",
                    (result.status, result.stderr), (0, b""))
    return result.stdout.decode()


def start(programs, directory, n_signals, **variables):
    return subprocess.Popen(
        [*programs, str(n_signals), ENOUGH], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=directory,
        env=e2e.environment(ALLOCTRACE="all", **variables))


def say_enough(directory):
    with open(os.path.join(directory, ENOUGH), "w", encoding="ascii"):
        pass


def finish(process, name, directory):
    """Waits for the program, which needs no more signals; gives what it
    counted."""
    say_enough(directory)
    try:
        output, messages = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise e2e.Failure(f"{name}: it hangs") from None
    e2e.check_equal(f"{name}: exit status and messages",
                    (process.returncode, messages), (0, b""))
    os.remove(os.path.join(directory, ENOUGH))
    return [list(map(int, line.split())) for line in output.splitlines()]


def check_totals(path, heap, tracked, name):
    e2e.check_equal(f"{name}: heap", sums_of(
        path, lambda function, domain: function == b"grab"), heap)
    e2e.check_equal(f"{name}: domain 7", sums_of(
        path, lambda function, domain: domain == 7), tracked)
    summary = e2e.read_summary(path)
    for field in ("dropped_blocks", "bad_frames", "collisions"):
        e2e.check_equal(f"{name}: {field}", summary[field], 0)


def check_each(build, programs, directory, blocks):
    """Each dump has a file of its own."""
    name = f"a file each, blocks {blocks}"
    process = start(programs, directory, 400, ALLOCTRACE_SIGNAL="USR2",
                    ALLOCTRACE_BLOCKS=blocks,
                    ALLOCTRACE_DUMP=os.path.join(directory, "%p.%n"))
    # Of files that are being written only names are read.
    while process.poll() is None and sum(
            file.startswith(f"{process.pid}.")
            for file in os.listdir(directory)) <= N_EACH + 1:
        time.sleep(0.01)
    heap, tracked, children = finish(process, name, directory)
    files = {}
    for file in os.listdir(directory):
        if file[0].isdigit():
            pid, number = map(int, file.split(".")) # no temporary files
            files.setdefault(pid, []).append(number)
    numbers = sorted(files.pop(process.pid))
    e2e.check_equal(f"{name}: numbers", numbers,
                    list(range(1, len(numbers) + 1)))
    e2e.check(len(numbers) > N_EACH, f"{name}: only {len(numbers)} dumps")
    # By the signal, and at their ends.
    e2e.check_equal(f"{name}: dumps of children",
                    {child: sorted(files[child]) for child in files},
                    {child: [1, 2] for child in children})
    paths = [os.path.join(directory, f"{process.pid}.{number}")
             for number in numbers]
    for path in paths[:-1]:
        e2e.check("(signal, " in info(build, path, name), "not by a signal")
    for child in children:
        info(build, os.path.join(directory, f"{child}.1"), name)
    e2e.check("(exit, " in info(build, paths[-1], name), "not at exit")
    check_totals(paths[-1], heap, tracked, name)
    if blocks == "1":
        check_blocks(paths[-1], name)
    print(f"{name}: {len(numbers)} dumps, {heap[2]} blocks, "
          f"{tracked[2]} tracked")
    for file in os.listdir(directory):
        if file[0].isdigit():
            os.remove(os.path.join(directory, file))


def check_one_name(build, programs, directory):
    """Each dump takes the earlier one's place: there is a whole one always."""
    path = os.path.join(directory, "one.alloctrace")
    process = start(programs, directory, 3000, ALLOCTRACE_SIGNAL="12",
                    ALLOCTRACE_DUMP=path)
    seen = set()
    while process.poll() is None and not os.path.exists(path):
        time.sleep(0.001)
    while process.poll() is None:
        seen.add(os.stat(path).st_mtime_ns)
        info(build, path, "one name")
        if len(seen) > N_SEEN:
            say_enough(directory)
    heap, tracked, children = finish(process, "one name", directory)
    for child in children: # have their own process id in their names
        os.remove(os.path.join(directory, f"one.{child}.alloctrace"))
    e2e.check(len(seen) > N_SEEN, f"only {len(seen)} dumps were seen")
    check_totals(path, heap, tracked, "one name")
    e2e.check_equal("files", sorted(os.listdir(directory)),
                    sorted(["one.alloctrace", *map(os.path.basename,
                                                   programs)]))
    print(f"one name: {len(seen)} dumps were looked at, {heap[2]} blocks")


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        programs = [
            e2e.compile_program(arguments.build, directory, "signalled.c",
                                "-O2", "-pthread"),
            e2e.compile_library(arguments.build, directory, "signalled.c",
                                "-O2", "-DLIBRARY")]
        for blocks in ("0", "1"):
            check_each(arguments.build, programs, directory, blocks)
        check_one_name(arguments.build, programs, directory)


e2e.main(test)
