#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that look at themselves: snapshots among threads, in children, in
pauses and without memory; the same program without the plugin; and that
nothing of the library gets into programs that do not use it.

    live.py BUILD
"""
import os
import re

import e2e

SOURCE = os.path.join(e2e.HERE, "programs", "live.c")
API = os.path.join(e2e.TOP, "include", "alloctrace.h")
LIBRARY = """
#include <alloctrace.h>
#include <alloctrace/analysis.h>
#include <stdlib.h>
int look(void);
int look(void)
{
    alloctrace_snapshot *snapshot;
    void *volatile block;
    int result;
    if (alloctrace_start(ALLOCTRACE_ALL_FRAMES) < 0)
        return 1;
    block = malloc(10);
    result = alloctrace_take_snapshot(&snapshot);
    if (result == 0) {
        if (alloctrace_snapshot_trace_count(snapshot) == 0)
            result = 2;
        alloctrace_snapshot_free(snapshot);
    }
    free(block);
    return result;
}
"""
CALLER = """
#include <alloctrace/analysis.h>
int look(void);
int main(void)
{
    alloctrace_snapshot *snapshot;
    int result = look();
    if (result == 0)
        result = alloctrace_take_snapshot(&snapshot);
    if (result == 0)
        alloctrace_snapshot_free(snapshot);
    return result != 0;
}
"""
STRICT = ["-g", "-Wall", "-Wextra", "-Werror", "-pthread"]


class Work:
    def __init__(self, build, directory):
        self.build = build
        self.directory = directory

    def compile(self, compiler, *arguments):
        """Compiles to ./program; the compiler of the build, or a plain one."""
        if compiler.startswith("alloctrace"):
            compiler = os.path.join(self.build, "bin", compiler)
        result = e2e.run([compiler, *arguments, "-o", "program"],
                         cwd=self.directory)
        e2e.check_equal(f"{compiler} {' '.join(arguments)}",
                        (result.status, result.stderr.decode()), (0, ""))

    def run(self, *arguments):
        # What is in a thread's cache counts as in use.
        variables = e2e.environment(
            GLIBC_TUNABLES="glibc.malloc.tcache_count=0")
        result = e2e.run(["./program", *arguments], variables,
                         cwd=self.directory)
        e2e.check_equal(f"{arguments}: {result.stderr.decode()}",
                        result.status, 0)
        return result.stdout

    def symbols(self):
        result = e2e.run(["nm", "--defined-only", "program"],
                         cwd=self.directory)
        return {line.split()[-1] for line in result.stdout.decode()
                .splitlines()}

    def needed(self):
        result = e2e.run(["readelf", "-d", "program"], cwd=self.directory)
        return set(re.findall(r"\(NEEDED\).*\[(.*?)\.so",
                              result.stdout.decode()))


def modes(work):
    for compiler, *flags in (["alloctrace-gcc", "-O2"],
                             ["alloctrace-g++", "-O1", "-x", "c++"]):
        work.compile(compiler, *flags, *STRICT, SOURCE)
        for mode in ("untraced", "threads", "forks", "pauses", "scarcity"):
            work.run(mode)
            print(f"{compiler}: {mode}")


def without_the_plugin(work):
    """Everything of alloctrace.h is called, and no one can tell."""
    with open(API, encoding="utf-8") as file:
        names = set(re.findall(r"^[a-z].*?\b(alloctrace_\w+)\(", file.read(),
                               re.M)) - {"alloctrace_start_like_cpython"}
    with open(SOURCE, encoding="utf-8") as file:
        text = file.read()
    e2e.check(len(names) >= 20, f"{API}: only {names}")
    for name in sorted(names):
        e2e.check(f"{name}(" in text, f"{SOURCE} does not call {name}")
    plain = [f"-I{work.build}/include", f"-L{work.build}/lib"]
    library = ["-lalloctrace-analysis", "-lm",
               f"-Wl,-rpath,{work.build}/lib"]
    outputs = {}
    for compiler in ("gcc", "g++"):
        language = ["-x", "c++"] if compiler == "g++" else ["-x", "c"]
        for flags in ([], ["-static"], ["-flto", "-O2"]):
            for prefix, before, behind in (("", plain, library),
                                           ("alloctrace-", [], [])):
                name = f"{prefix}{compiler} {' '.join(flags)}"
                work.compile(prefix + compiler, *flags, *STRICT, *before,
                             *language, SOURCE, "-x", "none", *behind)
                outputs[name] = work.run("all")
                if prefix == "":
                    taken = [s for s in work.symbols()
                             if s.startswith("__alloctrace")]
                    e2e.check(not taken, f"{name} has {taken}")
    for name, output in outputs.items():
        e2e.check_equal(name, output, b"live\n")
        print(f"{name}: the same output")


def nothing_unused_is_linked(work):
    source = os.path.join(e2e.HERE, "programs", "hello.c")
    for flags in ([], ["-static"]):
        work.compile("alloctrace-gcc", *flags, source)
        taken = [name for name in work.symbols()
                 if re.match(r"(at_snapshot|alloctrace_(snapshot|statistics|"
                             r"builder|take))", name)]
        e2e.check(not taken, f"hello {flags} has {taken}")
        e2e.check("libm" not in work.needed(), f"hello {flags} needs libm")
    work.compile("alloctrace-gcc", *STRICT, SOURCE)
    e2e.check("alloctrace_take_snapshot" in work.symbols(),
              "live lacks alloctrace_take_snapshot")
    result = e2e.run(["nm", "-D", "--defined-only", "program"],
                     cwd=work.directory)
    e2e.check(b"alloctrace_dump_memory" in result.stdout and
              b"snapshot" not in result.stdout,
              f"live exports what it should not: {result.stdout.decode()}")


def libraries(work):
    """A library that looks at its process, and a program that does, too; one
    of them may be without the plugin."""
    for name, text in (("library.c", LIBRARY), ("caller.c", CALLER)):
        with open(os.path.join(work.directory, name), "w",
                  encoding="utf-8") as file:
            file.write(text)
    work.compile("alloctrace-gcc", "-shared", "-fPIC", "library.c")
    os.rename(os.path.join(work.directory, "program"),
              os.path.join(work.directory, "liblook.so"))
    link = ["caller.c", "-L.", "-llook", "-Wl,-rpath,$ORIGIN"]
    for compiler, *more in (["alloctrace-gcc"],
                            ["gcc", f"-I{work.build}/include",
                             f"-L{work.build}/lib", "-lalloctrace-analysis",
                             "-lm", f"-Wl,-rpath,{work.build}/lib"]):
        work.compile(compiler, *link, *more)
        work.run()
        print(f"{compiler}: a library that looks at its process")


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        work = Work(arguments.build, directory)
        for case in (nothing_unused_is_linked, libraries, without_the_plugin,
                     modes):
            case(work)


e2e.main(test)
