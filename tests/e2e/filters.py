#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares filters with tracemalloc.Snapshot.filter_traces.

    filters.py [--seed N] [--count N] BUILD

Random blocks and lists of up to five filters. Block i has 2**i bytes, so that
the sum says which blocks were let through. Exit status: 0 = all agree.
"""
import argparse
import os
import random
import subprocess
import sys
import tracemalloc
import warnings

N_BLOCKS = 40
N_LISTS = 20
NAMES = ["a.c", "b.c", "ab.c", "dir/a.c", "a.py", "a.pyc", "b.pyo", "a]",
         "<unknown>"]
PATTERNS = ["*", "a*", "*.c", "?.c", "[ab].c", "[!a].c", "a.c", "a.py",
            "a.pyc", "*.py", "*.pyc", "dir*", "*/*", "*]", "a[]]", "[a-b]*",
            "[b-a]*", "<unknown>", "nothing", "[", "**.c"]


def random_block(source, number):
    """As in a snapshot: domain, size, frames (the most recent first), total."""
    frames = tuple((source.choice(NAMES), source.randint(0, 3))
                   for _ in range(source.randint(1, 4)))
    return source.randint(0, 2), 1 << number, frames, len(frames)


def random_filter(source):
    """(inclusive, pattern or None, line, all frames, domain)"""
    inclusive = source.random() < 0.5
    if source.random() < 0.15:
        return inclusive, None, None, False, source.randint(0, 3)
    return (inclusive, source.choice(PATTERNS),
            source.randint(0, 3) if source.random() < 0.3 else None,
            source.random() < 0.5,
            source.randint(0, 3) if source.random() < 0.3 else None)


def python_filter(given):
    inclusive, pattern, line, all_frames, domain = given
    if pattern is None:
        return tracemalloc.DomainFilter(inclusive, domain)
    return tracemalloc.Filter(inclusive, pattern, line, all_frames, domain)


def python_sum(blocks, filters):
    snapshot = tracemalloc.Snapshot(blocks, 1)
    filtered = snapshot.filter_traces([python_filter(f) for f in filters])
    return sum(trace.size for trace in filtered.traces)


def or_dash(value):
    return "-" if value is None else str(value)


def request(blocks, lists):
    for domain, size, frames, _ in blocks:
        path = " ".join(f"{name}:{line}" for name, line in frames)
        yield f"t {domain} {size} {path}\n"
    for filters in lists:
        for inclusive, pattern, line, all_frames, domain in filters:
            yield (f"f {int(inclusive)} {or_dash(pattern)} {or_dash(line)} "
                   f"{int(all_frames)} {or_dash(domain)}\n")
        yield "r\n"
    yield "n\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=37)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("build")
    arguments = parser.parse_args()
    driver = os.path.join(arguments.build, "bin", "filter_driver")
    source = random.Random(arguments.seed)
    warnings.simplefilter("ignore")  # "possible nested set"
    cases = [([random_block(source, i) for i in range(N_BLOCKS)],
              [[random_filter(source) for _ in range(source.randint(0, 5))]
               for _ in range(N_LISTS)]) for _ in range(arguments.count)]
    done = subprocess.run(
        [driver], check=True, text=True, stdout=subprocess.PIPE,
        input="".join(line for case in cases for line in request(*case)))
    sums = list(map(int, done.stdout.split()))
    expected = [(blocks, filters) for blocks, lists in cases
                for filters in lists]
    if len(sums) != len(expected):
        sys.exit(f"{len(sums)} sums of {len(expected)}")
    for (blocks, filters), found in zip(expected, sums):
        wanted = python_sum(blocks, filters)
        if found != wanted:
            sys.exit(f"{blocks}\n{filters}\n{found:b}, in Python {wanted:b}")
    print(f"{len(sums)} lists of filters agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
