#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scopes of one thread against what programs count themselves: in all modes,
with other allocators, without tracing, without the plugin; and that nothing is
left of a scope that has ended: a block costs the instructions that it did.

    scopes.py BUILD
"""
import os
import re
import sys

import e2e

PROGRAMS = os.path.join(e2e.HERE, "programs")
ALLOCATORS = ("jemalloc.so.2", "mimalloc.so.2.0", "tcmalloc_minimal.so.4")
MODES = ({}, {"ALLOCTRACE": "1"}, {"ALLOCTRACE": "3"},
         {"ALLOCTRACE_DETAIL": "1"}, {"ALLOCTRACE_VERIFY": "1"},
         {"ALLOCTRACE_BLOCKS": "1"}, {"ALLOCTRACE_MMAP": "1"})


def preloads():
    """Paths of the allocators that are installed."""
    directory = "/usr/lib/x86_64-linux-gnu"
    return [path for path in (os.path.join(directory, "lib" + name)
                              for name in ALLOCATORS) if os.path.exists(path)]


class Work:
    def __init__(self, build, directory):
        self.build = build
        self.directory = directory

    def compile(self, compiler, source, name, *options):
        if compiler.startswith("alloctrace"):
            compiler = os.path.join(self.build, "bin", compiler)
        result = e2e.run([compiler, "-g", "-Wall", "-Wextra", "-Werror",
                          "-pthread", "-I", os.path.join(e2e.TOP, "include"),
                          *options, os.path.join(PROGRAMS, source), "-o",
                          os.path.join(self.directory, name)])
        e2e.check_equal(f"{compiler} {source}",
                        (result.status, result.stderr.decode()), (0, ""))

    def run(self, name, *arguments, **variables):
        variables = {"ALLOCTRACE": "all", "ALLOCTRACE_DUMP": "/dev/null",
                     **variables}
        result = e2e.run([os.path.join(self.directory, name), *arguments],
                         e2e.environment(**variables))
        e2e.check_equal(f"{name} {arguments} {variables}",
                        (result.status, result.stderr.decode()), (0, ""))

    def count(self, *arguments):
        """Instructions of a run."""
        result = e2e.run(
            ["valgrind", "--tool=callgrind",
             "--callgrind-out-file=/dev/null",
             os.path.join(self.directory, "scopes"), *arguments],
            e2e.environment(ALLOCTRACE="all", ALLOCTRACE_DUMP="/dev/null"))
        match = re.search(r"Collected : (\d+)", result.stderr.decode())
        e2e.check(match, result.stderr.decode())
        return int(match.group(1))

    def cost(self, kind):
        """Instructions of a malloc and free pair."""
        return (self.count(kind, "3000") - self.count(kind, "1000")) / 2000


def check_costs(work):
    before, after, inside = map(work.cost, ("cost", "cost-after", "cost-in"))
    print(f"a pair: {before:.1f} instructions, after scopes {after:.1f}, "
          f"in a scope {inside:.1f}")
    e2e.check(abs(after - before) < 1, "scopes leave something behind")
    e2e.check(inside < before + 200, "a block in a scope costs too much")


def test():
    with e2e.scratch() as directory:
        work = Work(os.path.abspath(sys.argv[1]), directory)
        work.compile("alloctrace-gcc", "scopes.c", "scopes", "-O2")
        for seed, variables in enumerate(MODES):
            work.run("scopes", "work", str(seed), **variables)
        for preload in preloads():
            work.run("scopes", "work", "99", LD_PRELOAD=preload)
        work.run("scopes", "cases")
        work.run("scopes", "cases", ALLOCTRACE_DETAIL="1")
        work.run("scopes", "maps", ALLOCTRACE_MMAP="1")
        work.run("scopes", "off", ALLOCTRACE="0")
        work.run("scopes", "estimate", ALLOCTRACE_SAMPLE="64KiB",
                 ALLOCTRACE_SAMPLE_SEED="1")
        work.compile("alloctrace-gcc", "scopes.c", "static", "-O0", "-static")
        work.run("static", "work", "7")
        work.run("static", "cases")
        work.compile("gcc", "scopes.c", "plain", "-O2")
        work.run("plain", "off")
        for standard in ("c++14", "c++17"):
            work.compile("alloctrace-g++", "scopes.cc", "moments",
                         "-O2", "-faligned-new", "-std=" + standard)
            work.run("moments")
        check_costs(work)


if __name__ == "__main__":
    e2e.main(test)
