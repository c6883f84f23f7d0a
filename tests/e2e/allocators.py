#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other allocators than the C library's: whatever way they come into the
process, and however close they place their blocks, the figures are those that
the program counted itself, in the middle and at the end.

    allocators.py BUILD
"""
import os

import e2e

DEBIAN = {"jemalloc": "libjemalloc.so.2", "mimalloc": "libmimalloc.so.2.0",
          "tcmalloc": "libtcmalloc_minimal.so.4"}
FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
           "/usr/lib", "/lib"]
ARCHIVES = {"libjemalloc.a": ["-lm", "-lstdc++"], "libmimalloc.a": [],
            "libtcmalloc_minimal.a": ["-lstdc++"]}
SPACINGS = [["-DSPACING=8"], ["-DSPACING=8", "-DNESTED", "-DEAGER"],
            ["-DSPACING=16", "-DROUNDED"]]
SETTINGS = [  # of the C library's own
    {}, {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"},
    {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=4096"},
    {"GLIBC_TUNABLES": "glibc.malloc.arena_max=1"},
    {"MALLOC_PERTURB_": "165"}, {"MALLOC_TRIM_THRESHOLD_": "0"}]
FIELDS = ("live_blocks", "live_bytes", "total_blocks", "total_bytes")
SOURCES = os.path.join(e2e.HERE, "programs")


def find_library(name):
    for folder in FOLDERS:
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    return None


def check_run(name, program, directory, **variables):
    dumps = [os.path.join(directory, f"{when}.alloctrace")
             for when in ("before", "middle", "after", "exit")]
    result = e2e.run(["timeout", "120", program, *dumps[:3]], e2e.environment(
        ALLOCTRACE="16", ALLOCTRACE_DUMP=dumps[3], **variables))
    e2e.check_equal(f"{name}: exit status and messages",
                    (result.status, result.stderr), (0, b""))
    before, *others, _ = map(e2e.read_summary, dumps)
    for line, summary in zip(result.stdout.splitlines(), others):
        e2e.check_equal(f"{name}: {FIELDS}", tuple(
            summary[field] - before[field] for field in FIELDS),
            tuple(map(int, line.split())))
        for field in ("dropped_blocks", "bad_frames"):
            e2e.check_equal(f"{name}: {field}", summary[field], 0)
        e2e.check_equal(f"{name}: unknown frees", summary["unknown_frees"],
                        before["unknown_frees"])
    print(f"{name}: {result.stdout.splitlines()[0].decode()}")


def compile_with(compiler, directory, name, *arguments):
    path = os.path.join(directory, name)
    result = e2e.run([compiler, "-O2", "-g", "-Wall", "-pthread", "-o", path,
                      *arguments])
    e2e.check(result.status == 0, f"{arguments}: {result}")
    return path


def test():
    arguments = e2e.parse_arguments()
    gcc = os.path.join(arguments.build, "bin", "alloctrace-gcc")
    source = os.path.join(SOURCES, "allocators.c")
    spacing = os.path.join(SOURCES, "spacing.c")

    def both_ways(name, library, directory):
        check_run(f"{name}, preloaded", program, directory, LD_PRELOAD=library)
        linked = compile_with(gcc, directory, "linked", source, library,
                              f"-Wl,-rpath,{os.path.dirname(library)}")
        check_run(f"{name}, linked", linked, directory)

    with e2e.scratch() as directory:
        program = compile_with(gcc, directory, "program", source)
        for variables in SETTINGS:
            check_run(f"glibc {variables}", program, directory, **variables)
        for name, file in DEBIAN.items():
            library = find_library(file)
            if library:
                both_ways(name, library, directory)
            else:
                print(f"{name}: skipped, it is not installed")
        for file, others in ARCHIVES.items():
            library = find_library(file)
            if not library:
                print(f"{file}: skipped, it is not installed")
                continue
            linked = compile_with(gcc, directory, "archive", source, library,
                                  *others)
            check_run(file, linked, directory)
        for flags in SPACINGS:
            name = " ".join(flags)
            library = compile_with("gcc", directory, "libspacing.so",
                                   "-shared", "-fPIC", "-fno-builtin", *flags,
                                   spacing)
            both_ways(name, library, directory)
            for visibility in ([], ["-fvisibility=hidden", "-DEXPORT="]):
                object_ = compile_with("gcc", directory, "spacing.o", "-c",
                                       "-fno-builtin", *flags, *visibility,
                                       spacing)
                own = compile_with(gcc, directory, "own", source, object_)
                check_run(f"{name} {visibility}, in the program", own,
                          directory)


e2e.main(test)
