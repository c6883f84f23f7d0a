# SPDX-License-Identifier: MIT
"""Made-up results for the test of bench/report: no figure in here was ever
measured. They are of the form that bench/record.py describes.

    made_up.py FOLDER      writes them, to look at the page and the pictures

Each program's samples are a plain value times factors that are the same in
every run, so that the medians of the ratios are the factors.
"""
import json
import os
import sys

WOBBLE = [1.0, 1.004, 0.997, 1.01, 0.995]  # of a quiet machine
NOISE = [1.0, 1.3, 0.8, 1.2, 0.7]  # of one that is not
PROGRAMS = {  # name: (language, allocations, seconds, bytes)
    "made-up lua": ("C", 18_000_000, 1.0, 20 << 20),
    "made-up gawk": ("C", 14_000_000, 0.8, 8 << 20),
    "made-up sqlite": ("C", 340_000, 0.9, 30 << 20),
    "made-up zstd": ("C", 120, 1.4, 60 << 20),
    "made-up parser": ("C++", 2_300_000, 0.7, 12 << 20),
    "made-up bodies": ("Fortran", 40, 2.0, 90 << 20),
}
TOOLS = {  # name: (time, memory) of those programs, in their order
    "alloctrace": ((1.05, 1.04, 1.01, 1.00, 1.06, 1.00),
                   (1.15, 1.32, 1.16, 1.01, 1.20, 1.01)),
    "alloctrace, sampling": ((1.02, 1.01, 1.00, 1.00, 1.01, 1.00),
                             (1.05, 1.1, 1.02, 1.01, 1.03, 1.01)),
    "alloctrace, off": ((1.01, 1.01, 1.00, 1.00, 1.00, 1.00),
                        (1.02, 1.04, 1.01, 1.0, 1.01, 1.0)),
    "heaptrack": ((7.3, 6.1, 1.7, 1.1, 3.0, 1.5),
                  (2.7, 4.9, 2.9, 1.3, 8.0, 2.6)),
    "heaptrack, raw": ((5.2, 4.0, 1.22, 1.03, 2.4, 1.2),
                       (1.55, 2.0, 1.27, 1.1, 3.0, 1.2)),
    "LeakSanitizer": ((1.70, 1.6, 1.3, 1.02, 1.4, 1.34),
                      (1.6, 3.0, 1.9, 1.2, 5.9, 3.0)),
    "AddressSanitizer": ((3.56, 3.1, 2.96, 2.0, 2.65, 2.02),
                         (10, 12, 11, 3, 75, 3.2)),
    "jemalloc, sampling": ((1.08, 1.05, 1.01, 1.02, 1.04, 1.01),
                           (1.4, 1.6, 1.3, 1.1, 1.4, 1.1)),
    "massif": ((15, 13, 31, 28, 15, 54), (4, 9, 5, 2, 7, 2)),
    "DHAT": ((57, 51, 63, 70, 52, 87), (6, 12, 7, 3, 9, 3)),
    "jemalloc": ((52, 49, 2.97, 1.2, 16, 1.2),
                 (63, 12, 4.0, 1.1, 15, 1.1)),
    "gperftools, sampling": ((1.04, 1.03, 1.03, 1.02, 1.03, 1.02),
                             (1.4, 1.5, 1.3, 1.1, 1.4, 1.1)),
    "memcheck": ((42, 40, 78, 75, 37, 122), (6, 10, 8, 4, 9, 3)),
    "gperftools": ((50, None, 5.0, 1.3, 38, 1.7),
                   (3, None, 2, 1.2, 4, 1.3)),
}
SMALL = ("massif", "DHAT", "jemalloc", "memcheck", "gperftools")
FILES = (300000, 20000)  # of others, and of ours
ENVIRONMENT = {
    "processor": "Made-up(R) Processor(R) Platinum 9000C CPU @ 3.00GHz",
    "processors": 2,
    "memory": 8 << 30, "system": "Made-up GNU/System 12 (madeup)",
    "kernel": "6.1.0",
    "libc": "glibc 2.36", "compiler": "gcc (Made-up 12.2.0-14) 12.2.0",
    "alloctrace": "v0.0-1234-g0000000", "packages": {"heaptrack": "1.4.0"},
}


def times(value, factors=WOBBLE):
    return [value * factor for factor in factors]


def program_row(name, tool, index):
    language, count, seconds, size = PROGRAMS[name]
    time, memory = (factors[index] for factors in TOOLS[tool])
    row = {"program": name, "language": language, "allocations": count,
           "tool": tool, "input": "small" if tool in SMALL else "full"}
    if time is None:
        return {**row, "why_not": "the made-up tool crashes with it"}
    if tool == "alloctrace":
        row.update(own=size // 2, live=size // 16)
    return {**row, "wall": times(seconds * time), "cpu": times(seconds * time),
            "memory": times(size * memory), "file": [FILES[tool.startswith("alloctrace")]],
            "plain_wall": times(seconds), "plain_cpu": times(seconds),
            "plain_memory": times(size)}


def program_rows():
    return [program_row(name, tool, index)
            for index, name in enumerate(PROGRAMS) for tool in TOOLS]


def server_row(tool, time, memory):
    return {**program_row("made-up lua", "alloctrace", 0), "kind": "server",
            "program": "made-up server", "tool": tool, "input": "full",
            "wall": times(time), "cpu": times(time),
            "memory": times(20 * memory * 1048576)}


RUNTIME = 150000  # bytes, of everything


def smallest_rows():
    return [{"program": "hello", "compiler": compiler, "seconds": times(0.05),
             **{section: 10000 + more
                for section in ("text", "data", "file")}}
            for compiler, more in (("plain", 0), ("alloctrace", RUNTIME))]


def build_rows():
    return smallest_rows() + [{"program": name, "compiler": compiler,
             "seconds": times(seconds * (1.04 if ours else 1)),
             "text": int(1e6 * (1.22 if ours else 1)) + RUNTIME * ours,
             "data": int(2e5 * (1.4 if ours else 1)) + RUNTIME * ours,
             "file": int(1.5e6 * (1.3 if ours else 1)) + RUNTIME * ours}
            for name, (_, _, seconds, _) in PROGRAMS.items()
            for ours, compiler in enumerate(("plain", "alloctrace"))]


def pair_rows():
    cost = {"plain": 0, "off": 0.1, "tracing": 1.9, "sampling": 1.1,
            "LeakSanitizer": 85, "heaptrack": 1140, "jemalloc": 3000,
            "massif": 615}
    by_x = {"depth": (5, 20, 100), "fresh": (0, 2, 6),
            "live": (1000, 100000, 10000000), "threads": (1, 2, 4)}
    slope = {"depth": 0.004, "fresh": 0.3, "live": 3e-8, "threads": 0.05}
    return [{"group": group, "x": x, "variant": variant,
             "ns": times(9.4 * (1 + 2 * slope[group] * x * (group != "depth"))
                         + cost[variant] *
                         (1 if variant == "tracing" and group == "depth"
                          else 1 + slope[group] * x))}
            for group, xs in by_x.items() for variant in cost for x in xs]


def limit_rows():
    return [{"case": case, "variant": variant, "ns": times(plain * factor),
             "instructions": round(100 * factor)}
            for case, plain, ideal, ours in (
                ("flat 5", 9.4, 1.12, 1.4), ("fresh 6", 20, 1.07, 1.2),
                ("random", 150, 1.1, 1.17), ("numbers", 10, 1.04, 1.15))
            for variant, factor in (("plain", 1), ("ideal, map", ideal - .01),
                                    ("ideal", ideal), ("alloctrace", ours))]


def snapshot_rows():
    return [{"group": group, "x": x, "what": what,
             "seconds": times(1e-8 * x * (3 if what != "dump" else 1) + 1e-4),
             "file": [int(20 * x + 5000)]}
            for group in ("contexts", "blocks")
            for what in ("dump", "dump with blocks")
            for x in (1000, 100000, 10000000)]


def analysis_rows():
    operations = {"load": 15, "dump": 20, "statistics lineno": 40,
                  "statistics traceback": 30, "filter": 60,
                  "compare lineno": 50}
    return [{"traces": traces, "operation": operation, "library": library,
             "seconds": times(5e-8 * traces * (factor if theirs else 1)),
             "memory": [traces * (900 if theirs else 90)]}
            for traces in (10000, 100000)
            for operation, factor in operations.items()
            for theirs, library in enumerate(("alloctrace", "tracemalloc"))]


def growth_case(group, kind, x):
    """Rows of the program plain and traced, of its dump, of loading that."""
    place = {"group": group, "kind": kind, "x": x}
    for traced, variant in enumerate(("plain", "tracing")):
        yield {**place, "variant": variant, "what": "program",
               "seconds": times(1e-7 * x * (1 + traced) + 0.01),
               "memory": times(1e7 + 100 * (1 + traced) * x),
               "own": [400000 + 100 * x] if traced else [], "file": []}
    for what, seconds in (("dump", 1e-8), ("load", 4e-8)):
        yield {**place, "variant": "tracing", "what": what,
               "seconds": times(seconds * x + 1e-4), "memory": [1e7],
               "own": [], "file": [5000 + 40 * x] if what == "dump" else []}


def growth_rows():
    kinds = {("contexts", "contexts"): (1000, 10000, 100000, 1000000, 10000000),
             ("blocks", "of one path"): (10000, 1000000, 100000000),
             ("blocks", "of 1000 paths"): (10000, 1000000),
             ("depth", "recursion"): (5, 50, 500, 5000),
             ("threads", "at once"): (1, 2, 4, 8, 64),
             ("sites", "sites"): (100, 10000, 100000)}
    return [row for (group, kind), xs in kinds.items() for x in xs
            for row in growth_case(group, kind, x)]


def results():
    """{benchmark: rows}, of a machine on which all aims are met."""
    return {"programs": program_rows() + [
                server_row("alloctrace", 1.02, 1.1),
                server_row("heaptrack", 3, 2)],
            "builds": build_rows(), "pairs": pair_rows(),
            "limit": limit_rows(), "snapshots": snapshot_rows(),
            "analysis": analysis_rows(), "growth": growth_rows()}


def recorded(results_, command=("bench/made-up", "--record", "/tmp/x"),
             **environment):
    """{benchmark: what its file says}"""
    return {name: {"benchmark": name, "command": list(command),
                   "date": "2001-02-03T04:05:06+00:00",
                   "environment": {**ENVIRONMENT, **environment},
                   "rows": rows} for name, rows in results_.items()}


def write(folder, files):
    os.makedirs(folder, exist_ok=True)
    for name, file in files.items():
        with open(os.path.join(folder, name + ".json"), "w",
                  encoding="utf-8") as out:
            json.dump(file, out)


if __name__ == "__main__":
    write(sys.argv[1], recorded(results()))
