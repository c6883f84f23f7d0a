#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs examples/benchmark.cc by the commands of its head comment, and
compares Google Benchmark's memory figures with what the program's loops
allocate, counted here; of a program that is traced already as well. Without the
plugin there are no figures. The same of the example of docs/library.md.

    check_benchmark.py BUILD
"""
import json
import os
import re
import shutil
import sys

import pages
from pages import e2e

EXAMPLE = os.path.join(pages.TOP, "examples", "benchmark.cc")
RUN = "./benchmark --benchmark_format=json --benchmark_min_time=0.02"
KEYS = ("allocs_per_iter", "max_bytes_used", "total_allocated_bytes",
        "net_heap_growth")
ITERATIONS = 16  # of a run whose memory is looked at, or fewer
NUMBER = 4  # bytes
VECTOR = 24
SKIPPED = 77
# The part of Google Benchmark that the adapter meets; %s is what to define.
LIBRARY = """
#include <cstdint>
namespace benchmark
{
class MemoryManager
{
  public:
    struct Result {
        int64_t num_allocs, max_bytes_used, total_allocated_bytes,
            net_heap_growth;
    };
    virtual ~MemoryManager() {}
    virtual void Start() = 0;
    %s
};
void RegisterMemoryManager(MemoryManager *);
}
"""
PROGRAM = """
#include <alloctrace/benchmark.hpp>
#include <cstdio>
#include <cstdlib>
static void *volatile block;
static void look(benchmark::MemoryManager &manager)
{
    benchmark::MemoryManager::Result result = {};
    const int before = alloctrace_is_tracing();
    int inside;
    manager.Start();
    inside = alloctrace_is_tracing();
    block = std::malloc(100);
    std::free(block);
    block = std::malloc(10);
    manager.STOP;
    std::printf("%d %d %d: %d %d %d %d\\n", before, inside,
                alloctrace_is_tracing(), (int)result.num_allocs,
                (int)result.total_allocated_bytes, (int)result.max_bytes_used,
                (int)result.net_heap_growth);
}
int main()
{
    alloctrace::MemoryManager manager;
    look(manager);
    alloctrace_start(1);
    look(manager);
}
"""
VERSIONS = {"before 1.6": "#define STOP Stop(&result)\n"
                          "virtual void Stop(Result *) = 0;",
            "1.6": "#define STOP Stop(result)\n"
                   "virtual void Stop(Result *) = 0;"
                   "virtual void Stop(Result &result) { Stop(&result); }",
            "from 1.8 on": "#define STOP Stop(result)\n"
                           "virtual void Stop(Result &) = 0;"}


# What so many iterations allocate: blocks, bytes at once, bytes, bytes left.


def expect_nothing(_, __):
    return 0, 0, 0, 0


def expect_filled(n, size):
    """Doubles: old and new room are there at once."""
    rooms = [1]
    while rooms[-1] < size:
        rooms.append(2 * rooms[-1])
    return (n * len(rooms), (rooms[-1] + rooms[-2]) * NUMBER,
            n * sum(rooms) * NUMBER, 0)


def expect_reserved(n, size):
    return n, size * NUMBER, n * size * NUMBER, 0


def expect_kept(n, size):
    total = n * (size * NUMBER + VECTOR)
    return 2 * n, total, total, total


def figures(output):
    """{name: (iterations that were looked at, figures)}; no figures where there
    are none. A machine that is busy may do with few iterations."""
    return {one["run_name"].replace("/iterations:1000", ""):
            (min(one["iterations"], ITERATIONS),
             tuple(one[key] for key in KEYS if key in one))
            for one in json.loads(output)["benchmarks"]}


def totals(found):
    """The same figures, none of them by iterations."""
    n, (blocks, *others) = found
    return round(blocks * n), *others


def check_figures(what, output):
    """All figures less those of the empty benchmark are the program's."""
    found = figures(output)
    e2e.check_equal(f"{what}: benchmarks", len(found), 8)
    for name, one in found.items():
        function, size = name.split("/")
        own = totals(found[f"nothing/{size}"])
        actual = tuple(value - its for value, its in zip(totals(one), own))
        e2e.check_equal(f"{what}: {name}", actual,
                        globals()["expect_" + function](one[0], int(size)))
    return found


def check_comment(text, found):
    """What the comment shows of filled/64."""
    shown = tuple(float(re.search(rf'"{key}": ([-+.\de]+)', text).group(1))
                  for key in KEYS)
    if found["filled/64"][0] == ITERATIONS:
        e2e.check_equal("the comment", found["filled/64"][1], shown)


def check_versions(build, directory):
    """The class can be used whatever Stop is declared as, and stops what it has
    started."""
    os.mkdir(os.path.join(directory, "benchmark"))
    with open(os.path.join(directory, "manager.cc"), "w",
              encoding="utf-8") as file:
        file.write(PROGRAM)
    for version, stop in VERSIONS.items():
        with open(os.path.join(directory, "benchmark", "benchmark.h"), "w",
                  encoding="utf-8") as file:
            file.write(LIBRARY % stop)
        pages.shell(build, directory, "alloctrace-g++ -std=c++14 -Wall -Wextra "
                    "-Wshadow -Woverloaded-virtual -Werror -I. manager.cc "
                    "-o manager")
        e2e.check_equal(version, pages.shell(build, directory, "./manager"),
                        "0 1 0: 2 110 100 10\n1 1 1: 2 110 100 10\n")


def check_page(build, directory):
    """The example of docs/library.md, and what the page says that it prints."""
    with open(os.path.join(pages.TOP, "docs", "library.md"),
              encoding="utf-8") as file:
        page = file.read()
    code = re.search(r"^```c\+\+\n(.*?)^```$", page, re.M | re.S).group(1)
    with open(os.path.join(directory, "fill.cc"), "w",
              encoding="utf-8") as file:
        file.write(code)
    command = re.search(r"`(alloctrace-g\+\+ .*?) && \./fill\n"
                        "--benchmark_format=json`", page).group(1)
    pages.shell(build, directory, command)
    found = figures(pages.quiet(build, directory,
                                RUN.replace("./benchmark", "./fill")))
    shown = tuple(float(re.search(rf'`"{key}":\s+([-+.\de]+)`',
                                  page).group(1)) for key in KEYS[:2])
    if found["fill"][0] == ITERATIONS:
        e2e.check_equal("docs/library.md", found["fill"][1][:2], shown)


def test():
    build = os.path.abspath(sys.argv[1])
    with open(EXAMPLE, encoding="utf-8") as file:
        text = file.read()
    commands = re.findall(r"^ \*     ((?:alloctrace-)?g\+\+ .*)", text, re.M)
    e2e.check_equal("commands", len(commands), 2)
    with e2e.scratch() as directory:
        check_versions(build, directory)
    if not os.path.exists("/usr/include/benchmark/benchmark.h"):
        print("skipped: libbenchmark-dev is not installed")
        sys.exit(SKIPPED)
    with e2e.scratch() as directory:
        shutil.copy(EXAMPLE, directory)
        for command, standard in zip(commands, ("c++14", "c++20")):
            strict = f" -std={standard} -Wall -Wextra -Werror -o "
            pages.shell(build, directory, command.replace(" -o ", strict))
            found = check_figures(command, pages.quiet(build, directory, RUN))
        check_comment(text, found)
        check_figures("traced", pages.quiet(
            build, directory, RUN, ALLOCTRACE="all",
            ALLOCTRACE_DUMP="/dev/null"))
        check_page(build, directory)
        pages.shell(build, directory, "g++ -O2 -Wall -Wextra -Werror "
                    "benchmark.cc -o benchmark -lbenchmark")
        plain = figures(pages.quiet(build, directory, RUN))
        e2e.check_equal("without the plugin",
                        {one for _, one in plain.values()}, {()})


if __name__ == "__main__":
    e2e.main(test)
