#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""C++'s operators new and delete: exactly what valgrind counts; replaced by
the program, with malloc or without; over another malloc; in a library that a
program in C loads. Whoever served a call without us serves it still.

    operators.py BUILD
"""
import os

import e2e
import traces

SOURCE = os.path.join(e2e.HERE, "programs", "operators.cc")
JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
PLAIN = "operator new(unsigned long)"
ARRAY = "operator new[](unsigned long)"
# What the program does by itself: traceback => (blocks, bytes, live blocks).
CALLS = {
    "main:@int": (1, 4, 0),
    "main:@text": (1, 30, 0),
    "main:@wide": (1, 128, 0),
    "fail():@after < main:@fail": (1, 2, 0),
    "construct(int):@fragile < main:@good": (1, 4, 0),
    "construct(int):@fragile < main:@bad": (1, 4, 0),
    "main:@empty": (1, 0, 1),
}


def expand(path, lines):
    for name in sorted(lines, key=len, reverse=True):
        path = path.replace("@" + name, str(lines[name]))
    return path


def below(path):
    """How a call looks whose operator is the program's own, with malloc."""
    if path == "main:@text":
        return f"{PLAIN}:@inside < {ARRAY}:@array_inside < {path}"
    return f"{PLAIN}:@inside < {path}"


def same(path):
    return path


def through(path):
    """In a static program, where the library's own operator cannot be told
    from another one, and over jemalloc: the operator itself is called, and
    where it calls aligned_alloc, that is seen below its address."""
    return f"? < {path}" if path == "main:@wide" else path


def run_traced(command, directory, **variables):
    dump = os.path.join(directory, "a.alloctrace")
    result = e2e.run(command, e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP=dump, **variables))
    e2e.check_equal(f"{command}: status, messages",
                    (result.status, result.stderr), (0, b""))
    return result, dump


def check_calls(name, dump, domain, where, exceptions=()):
    """Each call is in the domain on its path, `where` of it, alone."""
    lines = traces.marks(SOURCE)
    found = traces.read(dump)
    for path, expected in CALLS.items():
        wanted = "" if path in exceptions else domain
        key = wanted, expand(where(path), lines)
        figures = found.get(key)
        actual = figures and (figures.total_blocks, figures.total_bytes,
                              figures.live_blocks)
        e2e.check_equal(f"{name}: {key}", actual, expected)
        # Nothing of the operators' own insides is shown as a place.
        e2e.check_equal(f"{name}: paths of {path}", [
            k for k in found if k[1].endswith(expand(path, lines)) and
            "fragile::" not in k[1]], [key])
    enormous = [key for key in found
                if expand("fail():@enormous", lines) in key[1] and
                found[key].total_bytes >= 1 << 60]
    e2e.check_equal(f"{name}: what failed", enormous, [])
    summary = e2e.read_summary(dump)
    e2e.check_equal(f"{name}: dropped, bad frames, collisions",
                    (summary["dropped_blocks"], summary["bad_frames"],
                     summary["collisions"]), (0, 0, 0))


class Programs:
    def __init__(self, build, directory):
        self.build, self.directory = build, directory

    def make(self, *flags):
        """The program, instrumented, after a check that it prints the same
        as without."""
        plain = os.path.join(self.directory, "plain")
        traced = os.path.join(self.directory, "trace")
        for compiler, output in (("g++", plain), (os.path.join(
                self.build, "bin", "alloctrace-g++"), traced)):
            result = e2e.run([compiler, "-std=c++17", "-O1", "-Wno-alloc-size-"
                              "larger-than", *flags, SOURCE, "-o", output])
            e2e.check(result.status == 0 and not result.stderr,
                      f"{compiler} {flags}: {result.stderr.decode()}")
        for variables in (e2e.environment(), e2e.environment(
                ALLOCTRACE="all", ALLOCTRACE_DUMP="/dev/null")):
            e2e.check_equal(f"{flags}: what it prints",
                            e2e.run([traced], variables), e2e.run([plain]))
        return plain, traced


def check_library_own(programs):
    for flags in ((), ("-O0",), ("-O2", "-flto"), ("-fno-pie", "-no-pie"),
                  ("-static",), ("-static-pie",)):
        _, traced = programs.make(*flags)
        _, dump = run_traced([traced], programs.directory,
                             ALLOCTRACE_VERIFY="1")
        check_calls(f"own {flags}", dump, "",
                    through if "-static" in " ".join(flags) else same)


def check_totals(programs):
    plain, traced = programs.make("-DNEVER_FAIL")
    dump = os.path.join(programs.directory, "a.alloctrace")
    variables = e2e.environment(ALLOCTRACE="all", ALLOCTRACE_DUMP=dump)
    counted = e2e.valgrind_totals([plain], variables)
    e2e.run([traced], e2e.valgrind_environment(variables))
    summary = e2e.read_summary(dump)
    print(f"  valgrind counts {counted[0]} allocations, {counted[1]} bytes")
    e2e.check_equal("allocations and bytes",
                    (summary["total_blocks"], summary["total_bytes"]),
                    counted)


def check_replaced(programs):
    for flags in ((), ("-O2",), ("-O2", "-flto"), ("-static",)):
        _, traced = programs.make("-DOWN_MALLOC", *flags)
        _, dump = run_traced([traced], programs.directory)
        check_calls(f"operators with malloc {flags}", dump, "",
                    lambda path, inner=through if "-static" in flags
                    else same: below(path) if path != "main:@wide"
                    else inner(path))
    for flags in ((), ("-O2",), ("-O2", "-flto"), ("-no-pie", "-fno-pie")):
        _, traced = programs.make("-DOWN_POOL", *flags)
        _, dump = run_traced([traced], programs.directory)
        check_calls(f"operators with a pool {flags}", dump, "operator new",
                    lambda path: f"{ARRAY}:@array_inside < {path}"
                    if path == "main:@text" else path, ["main:@wide"])
    _, traced = programs.make("-DOWN_PLAIN")
    _, dump = run_traced([traced], programs.directory)
    check_calls("operator new alone", dump, "", lambda path: path if path ==
                "main:@wide" else f"{PLAIN}:@inside < {path}")


def check_replaced_heap(programs):
    _, traced = programs.make("-DOWN_HEAP")
    _, dump = run_traced([traced], programs.directory)
    found = traces.read(dump)
    lines = traces.marks(SOURCE)
    e2e.check_equal("own malloc and operators: the domains",
                    {domain for domain, _ in found}, {""})
    figures = found["", expand("main:@int", lines)]
    e2e.check_equal("own malloc and operators: an int",
                    (figures.total_blocks, figures.total_bytes,
                     figures.live_blocks), (1, 4, 0))


def check_preloaded(programs):
    if not os.path.exists(JEMALLOC):
        print("jemalloc: skipped, it is not installed")
        return
    for flags in ((), ("-fno-pie", "-no-pie")):
        _, traced = programs.make(*flags)
        _, dump = run_traced([traced], programs.directory,
                             LD_PRELOAD=JEMALLOC)
        check_calls(f"jemalloc {flags}", dump, "", through)


def check_loaded(programs):
    sources = os.path.join(e2e.HERE, "programs")
    library, program = (os.path.join(programs.directory, name)
                        for name in ("plugged.so", "loader"))
    binaries = os.path.join(programs.build, "bin")
    for command in (
            [os.path.join(binaries, "alloctrace-g++"), "-O1", "-shared",
             "-fPIC", os.path.join(sources, "plugged.cc"), "-o", library],
            [os.path.join(binaries, "alloctrace-gcc"), "-O1",
             os.path.join(sources, "loader.c"), "-o", program]):
        result = e2e.run(command)
        e2e.check(result.status == 0, result.stderr.decode())
    _, dump = run_traced([program, library], programs.directory)
    lines = {**traces.marks(os.path.join(sources, "plugged.cc")),
             **traces.marks(os.path.join(sources, "loader.c"))}
    summary = e2e.read_summary(dump)
    e2e.check_equal("a library that is loaded: dropped, unknown",
                    (summary["dropped_blocks"], summary["unknown_frees"]),
                    (0, 0))
    found = {key: value for key, value in traces.read(dump).items()
             if "make" in key[1]}
    path = "make(int):@make < plugged:@%s < main:@load"
    e2e.check_equal("a library that is loaded", {
        key: (value.total_bytes, value.live_bytes)
        for key, value in found.items()}, {
            ("", expand(path % "plugged", lines)): (12, 0),
            ("", expand(path % "kept", lines)): (16, 16)})


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        programs = Programs(arguments.build, directory)
        for check in (check_library_own, check_totals, check_replaced,
                      check_replaced_heap, check_preloaded, check_loaded):
            print(check.__name__, flush=True)
            check(programs)


test.needs = ["valgrind"]
e2e.main(test)
