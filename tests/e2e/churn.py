#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads that come and go by the hundred thousand: the tracer's memory does
not grow, nothing is dropped, and what the threads of each name allocated is
what the program counted.

    churn.py BUILD
"""
import os
import struct

import e2e

N_THREADS = 100000
TAG_STRINGS, TAG_FRAMES, TAG_TRACEBACKS, TAG_THREADS = 2, 4, 5, 6
# What a run may add to the tracer's memory, in bytes: pages that are touched
# once more, no thread's share of N_THREADS.
GROWTH = 256 * 1024
KEYS = """
#include <pthread.h>
__attribute__((constructor)) static void take_keys(void)
{
    pthread_key_t key;

    for (int i = 0; i < 40; i++)
        pthread_key_create(&key, 0);
}
"""


def entries(payload, count):
    size = len(payload) // count if count else 0
    return [payload[i * size:(i + 1) * size] for i in range(count)]


def read_strings(payload, count):
    strings, at = [], 0
    for _ in range(count):
        size, = struct.unpack_from("<I", payload, at)
        strings.append(payload[at + 4:at + 4 + size].decode())
        at += 4 + size
    return strings


def by_name(path, function):
    """name => (blocks, bytes) that its threads allocated in FUNCTION, and the
    number of the threads that are listed."""
    strings, threads = [""], []
    functions, tracebacks, sums = [0], [0], {}
    for tag, count, payload in e2e.read_records(path):
        if tag == TAG_STRINGS:
            strings += read_strings(payload, count)
        elif tag == TAG_THREADS:
            threads += [strings[struct.unpack_from("<II", entry)[1]]
                       for entry in entries(payload, count)]
        elif tag == TAG_FRAMES:
            functions += [strings[struct.unpack_from("<I", entry, 16)[0]]
                          for entry in entries(payload, count)]
        elif tag == TAG_TRACEBACKS:
            tracebacks += [functions[struct.unpack_from("<II", entry)[1]]
                           for entry in entries(payload, count)]
        elif tag == e2e.TAG_TRACES:
            for entry in entries(payload, count):
                traceback, thread = struct.unpack_from("<II", entry)
                blocks, size = struct.unpack_from("<QQ", entry, 32)
                if tracebacks[traceback] == function:
                    old = sums.get(threads[thread - 1], (0, 0))
                    sums[threads[thread - 1]] = (old[0] + blocks,
                                                 old[1] + size)
    return {name: sum_ for name, sum_ in sums.items() if sum_[0]}, len(threads)


def check_run(name, program, directory, n_threads, **variables):
    dump = os.path.join(directory, "a.alloctrace")
    result = e2e.run([program, dump, str(n_threads)], e2e.environment(
        ALLOCTRACE="16", ALLOCTRACE_DUMP=f"{dump}.exit", **variables))
    e2e.check_equal(f"{name}: exit status and messages",
                    (result.status, result.stderr), (0, b""))
    memory, *lines = result.stdout.decode().splitlines()
    early, late = map(int, memory.split())
    expected = {name: (int(blocks), int(size)) for name, blocks, size in
                (line.split() for line in lines)}
    found, n_listed = by_name(dump, "allocate")
    e2e.check_equal(f"{name}: what each name allocated", found, expected)
    e2e.check(late <= early + GROWTH,
              f"{name}: the tracer's memory grew from {early} to {late}")
    e2e.check(n_listed <= 64, f"{name}: {n_listed} threads are listed")
    summary = e2e.read_summary(dump)
    for field in ("dropped_blocks", "bad_frames"):
        e2e.check_equal(f"{name}: {field}", summary[field], 0)
    # With many keys the C library frees what it allocated for the runtime's
    # own, at the very end of a thread.
    e2e.check(summary["unknown_frees"] <= (n_threads if variables else 0),
              f"{name}: {summary['unknown_frees']} unknown frees")
    print(f"{name}: {n_threads} threads, {n_listed} listed, tracer's memory "
          f"{early} and {late} bytes; {found}")


def compile_keys(directory):
    """A library that takes 40 keys before the runtime gets its own."""
    source = os.path.join(directory, "keys.c")
    library = os.path.join(directory, "libkeys.so")
    with open(source, "w", encoding="utf-8") as file:
        file.write(KEYS)
    result = e2e.run(["gcc", "-shared", "-fPIC", "-o", library, source])
    e2e.check_equal("compiling keys.c", result.status, 0)
    return library


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        # Not inlined: the figures are looked up by the function's name.
        program = e2e.compile_program(arguments.build, directory, "churn.c",
                                      "-O1", "-fno-inline", "-pthread")
        check_run("few keys", program, directory, N_THREADS)
        check_run("many keys", program, directory, N_THREADS // 20,
                  LD_PRELOAD=compile_keys(directory))


e2e.main(test)
