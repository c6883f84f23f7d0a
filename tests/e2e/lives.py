#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Allocations at every moment of a process's, a thread's and a library's
life; libraries that come and go, in hosts that were not instrumented; programs
that have the runtime as a library, preloaded, or twice.

    lives.py BUILD
"""
import json
import os
import re

import e2e

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")

# Function of moments.cc => blocks, bytes. C libraries call a key's destructor
# at most four times.
MOMENTS = {
    "early_function()": (1, 1001),
    "Static::Static()": (1, 1002), "Static::~Static()": (1, 1003),
    "Local::Local()": (1, 1004), "Local::~Local()": (1, 1005),
    "at_thread_end(void*)": (4, 4 * 1006),
    "at_end()": (1, 1007), "last()": (1, 1008), "run(void*)": (1, 1009),
}

HOST = """
import ctypes
import sys
for path in sys.argv[1:]:
    library = ctypes.CDLL(path)
    library.plugin_make.restype = ctypes.c_void_p
    library.plugin_make.argtypes = [ctypes.c_size_t]
    for size in range(5):
        library.plugin_make(1000 + size)
"""


class Work:
    """Builds and runs in a scratch directory."""

    def __init__(self, build, directory):
        self.bin = os.path.join(build, "bin")
        self.lib = os.path.join(build, "lib")
        self.directory = directory
        self.dump = os.path.join(directory, "a.alloctrace")

    def execute(self, *command):
        result = e2e.run(list(command), cwd=self.directory)
        e2e.check(result.status == 0 and not result.stderr,
                  f"{command}: {result}")
        return result.stdout.decode()

    def build(self, compiler, source, output, *flags):
        if compiler.startswith("alloctrace"):
            compiler = os.path.join(self.bin, compiler)
        self.execute(compiler, "-O1", "-g", os.path.join(PROGRAMS, source),
                     "-o", output, *flags)

    def run(self, *command, **variables):
        """Runs it traced and gives what it printed and the dump's summary."""
        if os.path.exists(self.dump):
            os.remove(self.dump)
        environment = {"ALLOCTRACE": "all", "ALLOCTRACE_DUMP": self.dump,
                       **variables}
        result = e2e.run(list(command), e2e.environment(**environment),
                         cwd=self.directory)
        e2e.check_equal(f"{command}: {result}", (result.status, result.stderr),
                        (0, b""))
        summary = (e2e.read_summary(self.dump)
                   if os.path.exists(self.dump) else None)
        return result.stdout.decode(), summary

    def groups(self, key):
        """Of the last dump: name => (live blocks, live bytes)."""
        statistics = json.loads(self.execute(
            os.path.join(self.bin, "alloctrace"), "stats", self.dump,
            "--group-by", key, "--metric", "live", "--format", "json",
            "--no-fold-wrappers"))["statistics"]
        return {group["key"] if "key" in group
                else group["traceback"][-1].get(key):
                (group["count"], group["size"]) for group in statistics}


def moments(work):
    work.build("alloctrace-g++", "moments.cc", "moments", "-pthread")
    for name, arguments in (("", []), (", standard files closed", ["1"]),
                            (", the first thread ends first", ["1", "2"])):
        work.run("./moments", *arguments)
        found = work.groups("function")
        for function, figures in MOMENTS.items():
            e2e.check_equal(f"moments{name}: {function}",
                            found.get(function), figures)
        print(f"moments{name}: {len(MOMENTS)} functions")


def unloading(work):
    work.build("alloctrace-gcc", "plugin.c", "libplugin.so", "-shared", "-fPIC")
    work.build("alloctrace-gcc", "unloader.c", "traced", "-pthread")
    work.build("gcc", "unloader.c", "plain", "-pthread")
    library = os.path.join(work.directory, "libplugin.so")
    for host in ("./traced", "./plain"):
        work.run(host, library, "50")
        e2e.check_equal(f"{host}: the library's blocks",
                        work.groups("module").get(library), (50, 5000))
        e2e.check_equal(f"{host}: by function",
                        work.groups("function").get("allocate_1"), (50, 5000))
        print(f"{host}: 50 blocks of a library that is not there any more")


def namespaces(work):
    """As often as there are namespaces, and more."""
    library = os.path.join(work.directory, "libplugin.so")
    for host in ("./traced", "./plain"):
        work.run(host, library, "40", "apart")
        e2e.check(os.path.exists(work.dump) == (host == "./traced"),
                  f"{host}: a dump of a namespace")
        print(f"{host}: 40 namespaces came and went")


def scripts(work):
    """Two libraries in an interpreter that knows nothing of it."""
    paths = []
    for number in (1, 2):
        paths.append(os.path.join(work.directory, f"libhosted{number}.so"))
        work.build("alloctrace-gcc", "plugin.c", paths[-1], "-shared", "-fPIC",
                   f"-DNUMBER={number}")
    work.run("/usr/bin/python3", "-B", "-c", HOST, *paths)
    e2e.check_equal("by function", work.groups("function"),
                    {f"allocate_{number}": (5, 5010) for number in (1, 2)})
    e2e.check_equal("by module", work.groups("module"),
                    {path: (5, 5010) for path in paths})
    print("python3: 5 blocks of each of 2 libraries")


def preloaded(work):
    library = os.path.join(work.lib, "liballoctrace.so")
    # A folder that nobody else writes to.
    output, summary = work.run("/bin/ls", PROGRAMS, LD_PRELOAD=library)
    plain = e2e.run(["/bin/ls", PROGRAMS], e2e.environment())
    e2e.check_equal("output of ls", output, plain.stdout.decode())
    e2e.check(summary["total_blocks"] > 10 and summary["bad_frames"] == 0,
              f"ls, preloaded: {summary}")
    lengths = {len(group["traceback"]) for group in json.loads(work.execute(
        os.path.join(work.bin, "alloctrace"), "stats", work.dump, "--group-by",
        "traceback", "--metric", "total", "--format", "json",
        "--no-fold-wrappers"))["statistics"]}
    e2e.check_equal("frames of ls's tracebacks", lengths, {1})
    print(f"ls, preloaded: {summary['total_blocks']} blocks")


def linked(work):
    """For the API alone: shared, from the archive, and both in one process."""
    include = "-I" + os.path.join(os.path.dirname(os.path.dirname(HERE)),
                                  "include")
    shared = [f"-L{work.lib}", "-lalloctrace", f"-Wl,-rpath,{work.lib}"]
    archive = [os.path.join(work.lib, "liballoctrace.a"),
               f"-L{work.lib}/alloctrace/flow"]
    for name, flags in (("shared", shared), ("archive", archive),
                        ("both", archive + ["-Wl,--no-as-needed"] + shared)):
        work.build("gcc", "api.c", name, include, *flags)
        for variables, is_traced, has_dump in (
                ({}, "1", True),
                ({"ALLOCTRACE": "0"}, "0", True),
                ({"ALLOCTRACE": "0", "ALLOCTRACE_DUMP": ""}, "0", False)):
            output, summary = work.run(f"./{name}", **variables)
            e2e.check_equal(f"{name}, {variables}: traced", output.strip(),
                            is_traced)
            e2e.check_equal(f"{name}, {variables}: dump", summary is not None,
                            has_dump)
            if summary:
                e2e.check_equal(f"{name}: live", (summary["live_blocks"],
                                                  summary["live_bytes"]),
                                (1, 77))
        e2e.check(not [file for file in os.listdir(work.directory)
                       if re.match(r"alloctrace\.", file)],
                  f"{name}: a dump that nobody asked for")
        print(f"{name}: starts and stops by itself")


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        work = Work(arguments.build, directory)
        for function in (moments, unloading, namespaces, scripts, preloaded,
                         linked):
            function(work)


e2e.main(test)
