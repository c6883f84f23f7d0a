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
RUN = "./benchmark --benchmark_format=json --benchmark_min_time=0.001"
KEYS = ("allocs_per_iter", "max_bytes_used", "total_allocated_bytes",
        "net_heap_growth")
ITERATIONS = 16  # of a run whose memory is looked at
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
VERSIONS = {"before 1.6": "virtual void Stop(Result *) = 0;",
            "1.6": "virtual void Stop(Result *) = 0;"
                   "virtual void Stop(Result &result) { Stop(&result); }",
            "from 1.8 on": "virtual void Stop(Result &) = 0;"}


def expect_nothing(_):
    return 0, 0, 0, 0


def expect_filled(size):
    """Doubles: old and new room are there at once."""
    rooms = [1]
    while rooms[-1] < size:
        rooms.append(2 * rooms[-1])
    return (len(rooms), (rooms[-1] + rooms[-2]) * NUMBER,
            ITERATIONS * sum(rooms) * NUMBER, 0)


def expect_reserved(size):
    return 1, size * NUMBER, ITERATIONS * size * NUMBER, 0


def expect_kept(size):
    total = ITERATIONS * (size * NUMBER + VECTOR)
    return 2, total, total, total


def figures(output):
    """{name: figures}; no figures where there are none."""
    return {one["run_name"].replace("/iterations:1000", ""):
            tuple(one[key] for key in KEYS if key in one)
            for one in json.loads(output)["benchmarks"]}


def check_figures(what, output):
    """All figures less those of the empty benchmark are the program's."""
    found = figures(output)
    e2e.check_equal(f"{what}: benchmarks", len(found), 8)
    for name, values in found.items():
        function, size = name.split("/")
        own = found[f"nothing/{size}"]
        actual = tuple(value - its for value, its in zip(values, own))
        e2e.check_equal(f"{what}: {name}", actual,
                        globals()["expect_" + function](int(size)))
    return found


def check_comment(text, found):
    """What the comment shows of filled/64."""
    shown = tuple(float(re.search(rf'"{key}": ([-+.\de]+)', text).group(1))
                  for key in KEYS)
    e2e.check_equal("the comment", found["filled/64"], shown)


def check_versions(directory):
    """The class can be used whatever Stop is declared as."""
    os.mkdir(os.path.join(directory, "benchmark"))
    for version, stop in VERSIONS.items():
        with open(os.path.join(directory, "benchmark", "benchmark.h"), "w",
                  encoding="utf-8") as file:
            file.write(LIBRARY % stop)
        result = e2e.run(
            ["sh", "-c", "printf '#include <alloctrace/benchmark.hpp>\\n"
             "alloctrace::MemoryManager manager;\\n' | g++ -x c++ -std=c++14 "
             "-fsyntax-only -Wall -Wextra -Wshadow -Woverloaded-virtual "
             f"-Werror -I. -I{pages.TOP}/include -D__ALLOCTRACE__ -"],
            cwd=directory)
        e2e.check_equal(version, (result.status, result.stderr), (0, b""))
    shutil.rmtree(os.path.join(directory, "benchmark"))


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
    e2e.check_equal("docs/library.md", found["fill"][:2], shown)


def test():
    build = os.path.abspath(sys.argv[1])
    with open(EXAMPLE, encoding="utf-8") as file:
        text = file.read()
    commands = re.findall(r"^ \*     ((?:alloctrace-)?g\+\+ .*)", text, re.M)
    e2e.check_equal("commands", len(commands), 2)
    with e2e.scratch() as directory:
        check_versions(directory)
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
        e2e.check_equal("without the plugin", set(figures(pages.quiet(
            build, directory, RUN)).values()), {()})


if __name__ == "__main__":
    e2e.main(test)
