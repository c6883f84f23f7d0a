#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `alloctrace export` writes of a traced program: CPython's tracemalloc
loads it and sums it up as `alloctrace stats` does; sizes of blocks are those
that the program asked for; JSON and CSV have what the dump has.

    export.py BUILD
"""
import collections
import csv
import io
import json
import os
import resource
import shutil
import signal
import sys
import tracemalloc

import e2e
import traces

SOURCE = os.path.join(e2e.HERE, "programs", "export.c")
PYTHONS = [f"python3.{minor}" for minor in range(9, 15)]

# Sizes of the blocks that the program leaves, by mark.
LEFT = {
    "sizes": [i % 10 * 7 for i in range(1000) if i % 3],
    "calloc": [300000],
    "zero": [0],
    "depth": [16 * i for i in range(13)],
    "hand": list(range(40, 64)),
    "thread": [11] * 5,
    "map": [12288],
    "track": [100],
}

# The list of single blocks does not say whose they are. Of a thread that frees
# others' blocks less than none are live, which no tuple can say.
FILTERS = ([], ["--include", "*/export.c"], ["--exclude-thread", "other"],
           ["--domain", "7"], ["--exclude-function", "main", "--all-frames"],
           ["--include-thread", "other", "--include-function", "other_*"])

# What each object of the JSON document has: name => type, or a list with the
# type of its elements. A name that begins with "?" may be missing.
AMOUNT = {"blocks": int, "bytes": int}
CLASS = {"from": int, "to": int, "blocks": int, "bytes": int}
DETAILS = {**{name: int for name in (
    "total_blocks total_bytes temporary_blocks temporary_bytes resized_blocks "
    "resized_in_place moved_bytes grown_bytes shrunk_bytes smallest "
    "largest").split()}, "sizes": [CLASS]}
FRAME = {
    "file": str, "line": int, "function": str, "kind": str, "?via": str,
    "?inlined": bool, "?column": int, "?type": str, "?type_size": int,
    "?target": str, "?address": int, "?module": str, "?tail": bool,
    "?returned": bool, "?library": bool}
DOCUMENT = {
    "version": int,
    "?folded": bool,
    "?filtered": bool,
    "process": {
        "program": str, "arguments": [str], "host": str, "writer": str,
        "reason": str, "pid": int, "word_bits": int, "traceback_limit": int,
        "sequence": int, "sample": int, "start_ns": int, "dump_ns": int,
        "processes": int},
    "summary": {name: int for name in e2e.SUMMARY},
    "modules": [{"path": str, "build_id": str, "begin": int, "end": int,
                 "bias": int}],
    "threads": [{"thread": int, "tid": int, "name": str}],
    "domains": [{"domain": int, "name": str}],
    "attributes": {},
    "traces": [{
        "domain": int, "thread": int, "live": AMOUNT, "total": AMOUNT,
        "peak": AMOUNT, "type": str, "?temporary": AMOUNT, "?details": DETAILS,
        "total_nframe": int, "traceback": [FRAME]}],
    "blocks": [{"address": int, "size": int, "domain": int, "trace": int}],
}


def check_shape(where, value, shape):
    """Compares a JSON value with a description as those above."""
    if isinstance(shape, type):
        e2e.check(type(value) is shape,
                  f"{where} is {value!r}, no {shape.__name__}")
    elif isinstance(shape, list):
        e2e.check(isinstance(value, list), f"{where} is no array")
        for i, element in enumerate(value):
            check_shape(f"{where}[{i}]", element, shape[0])
    else:
        e2e.check(isinstance(value, dict), f"{where} is no object")
        names = {name.lstrip("?"): name for name in shape}
        e2e.check_equal(f"{where}: unknown members", set(value) - set(names),
                        set())
        for name, described in names.items():
            if name in value:
                check_shape(f"{where}.{name}", value[name], shape[described])
            else:
                e2e.check(described[0] == "?", f"{where} has no {name}")


class Dump:
    """A dump of the program, and the command on it."""

    def __init__(self, build, directory, program, **variables):
        self.tool = os.path.join(build, "bin", "alloctrace")
        self.path = os.path.join(directory, "dump.alloctrace")
        self.directory = directory
        result = e2e.run([program], e2e.environment(
            **{"ALLOCTRACE": "all", "ALLOCTRACE_DUMP": self.path,
               **variables}))
        e2e.check_equal("the program",
                        (result.status, result.stdout, result.stderr),
                        (0, b"", b""))

    def run(self, *command):
        result = e2e.run([self.tool, *command], e2e.environment())
        e2e.check_equal(f"{command}: status and messages",
                        (result.status, result.stderr), (0, b""))
        return result.stdout

    def stats(self, *options):
        """(size, count, frames) of each group."""
        document = json.loads(self.run(
            "stats", self.path, "--format", "json", *options))
        return [(group["size"], group["count"],
                 [(frame["file"], frame["line"])
                  for frame in group["traceback"]])
                for group in document["statistics"]]

    def pickle(self, *options):
        path = os.path.join(self.directory, "exported.pickle")
        self.run("export", self.path, "-o", path, *options)
        return path

    def json(self, *options):
        document = json.loads(self.run(
            "export", self.path, "--format", "json", *options))
        check_shape("document", document, DOCUMENT)
        return document

    def csv(self, *options):
        text = self.run("export", self.path, "--format", "csv",
                        *options).decode("utf-8", "surrogateescape")
        e2e.check_equal("ends of lines", text.count("\n"),
                        text.count("\r\n"))
        return list(csv.DictReader(io.StringIO(text, newline="")))


def groups(snapshot, key):
    """As Dump.stats."""
    return [(statistic.size, statistic.count,
             [(frame.filename, frame.lineno) for frame in statistic.traceback])
            for statistic in snapshot.statistics(key)]


def check_statistics(name, dump, *options):
    """tracemalloc's own statistics of what is exported are those of stats,
    order and all."""
    fold = ("--fold-wrappers" if "--fold-wrappers" in options
            else "--no-fold-wrappers")
    for metric in ("live", "peak", "total"):
        snapshot = tracemalloc.Snapshot.load(
            dump.pickle("--metric", metric, *options))
        for key in ("filename", "lineno", "traceback"):
            expected = dump.stats("--metric", metric, "--group-by", key,
                                  fold, *options)
            e2e.check(expected or options, f"{name}: nothing {metric}")
            e2e.check_equal(f"{name}: {metric} by {key}",
                            groups(snapshot, key), expected)


def check_sizes(name, dump, is_exact):
    """Sizes at each mark: those asked for, or the same spread evenly."""
    snapshot = tracemalloc.Snapshot.load(dump.pickle())
    lines = traces.marks(SOURCE)
    found = collections.defaultdict(list)
    domains = collections.defaultdict(set)
    for trace in snapshot.traces:
        frame = trace.traceback[-1]
        if frame.filename == SOURCE:
            found[frame.lineno].append(trace.size)
            domains[frame.lineno].add(trace.domain)
    for mark, sizes in LEFT.items():
        actual = sorted(found[lines[mark]])
        e2e.check_equal(f"{name}: blocks and bytes of {mark}",
                        (len(actual), sum(actual)), (len(sizes), sum(sizes)))
        if is_exact:
            e2e.check_equal(f"{name}: sizes of {mark}", actual, sorted(sizes))
        elif mark != "depth":
            e2e.check(actual[-1] - actual[0] <= 1,
                      f"{name}: {mark} is not spread evenly: {actual}")
    e2e.check_equal(f"{name}: domains", (domains[lines["track"]],
                                         domains[lines["zero"]]), ({7}, {0}))
    e2e.check_equal(f"{name}: highest domain", [
        trace.size for trace in snapshot.traces if trace.domain == 0x7fffffff],
        [1])


def check_limit(build, directory, program):
    """The frames that are kept, and how many there were."""
    dump = Dump(build, directory, program, ALLOCTRACE="2")
    snapshot = tracemalloc.Snapshot.load(dump.pickle())
    line = traces.marks(SOURCE)["depth"]
    found = [(len(trace.traceback), trace.traceback.total_nframe)
             for trace in snapshot.traces
             if trace.traceback[-1].lineno == line]
    e2e.check_equal("limit", snapshot.traceback_limit, 2)
    # main, then recurse once to 13 times; one path from the third call on, with
    # the total of the first of them.
    e2e.check_equal("frames kept, frames before", found,
                    [(2, 2)] + [(2, 3)] * 12)


def check_json(name, dump, is_listed):
    document = dump.json()
    summary = e2e.read_summary(dump.path)
    e2e.check_equal(f"{name}: summary", document["summary"], summary)
    e2e.check_equal(f"{name}: version", document["version"], 1)
    for kind in ("live", "total"):
        for unit in ("blocks", "bytes"):
            e2e.check_equal(
                f"{name}: {kind} {unit} of the traces",
                sum(trace[kind][unit] for trace in document["traces"]),
                summary[f"{kind}_{unit}"])
    listed = collections.Counter()
    for block in document["blocks"]:
        trace = document["traces"][block["trace"]]
        e2e.check_equal(f"{name}: domain of a block", block["domain"],
                        trace["domain"])
        listed[json.dumps(trace["traceback"]), trace["domain"]] += 1
    e2e.check_equal(f"{name}: are blocks listed", bool(listed), is_listed)
    live = collections.Counter()
    names = {entry["domain"]: entry["name"] for entry in document["domains"]}
    for trace in document["traces"]:
        if names.get(trace["domain"]) != "mmap":
            live[json.dumps(trace["traceback"]), trace["domain"]] += \
                trace["live"]["blocks"]
    if is_listed:
        e2e.check_equal(f"{name}: blocks of each path", dict(listed),
                        {key: n for key, n in live.items() if n})
    return document


def check_csv(name, dump, document):
    """CSV and JSON say the same."""
    rows = dump.csv()
    e2e.check_equal(f"{name}: rows", len(rows), len(document["traces"]))
    for row, trace in zip(rows, document["traces"]):
        frame = trace["traceback"][-1]
        expected = {
            "version": "1", "domain": str(trace["domain"]),
            "thread": str(trace["thread"]), "type": trace["type"],
            "file": frame["file"], "line": str(frame["line"]),
            "function": frame["function"],
            "total_nframe": str(trace["total_nframe"]),
            "path": ";".join(frame["function"] or frame["file"]
                             for frame in trace["traceback"])}
        for kind in ("live", "total", "peak"):
            for unit in ("blocks", "bytes"):
                expected[f"{kind}_{unit}"] = str(trace[kind][unit])
        e2e.check_equal(f"{name}: a row", {key: row[key] for key in expected},
                        expected)


def check_folded(build, directory):
    """Wrappers can be left out, of single blocks, too."""
    program = e2e.compile_program(build, directory, "wrappers.c")
    for blocks in ("0", "1"):
        dump = Dump(build, directory, program, ALLOCTRACE_BLOCKS=blocks)
        check_statistics(f"folded, blocks {blocks}", dump, "--fold-wrappers")
        e2e.check(dump.stats("--fold-wrappers") !=
                  dump.stats("--no-fold-wrappers"), "nothing was folded")
        folded, raw = dump.json("--fold-wrappers"), dump.json()
        e2e.check_equal("single blocks", bool(folded["blocks"]), blocks == "1")
        e2e.check_equal("blocks of a folded snapshot", folded["blocks"],
                        raw["blocks"])


def check_bytes_in_names(build, directory):
    """A file whose name is no UTF-8 is what CPython calls it."""
    path = os.path.join(os.fsencode(directory), b"caf\xe9-\xc3\xa9.c")
    shutil.copy(os.path.join(e2e.HERE, "programs", "hello.c"), path)
    program = os.path.join(directory, "odd")
    result = e2e.run([os.path.join(build, "bin", "alloctrace-gcc"), "-g", "-o",
                      program, path])
    e2e.check_equal("compiling it", result.status, 0)
    dump = os.path.join(directory, "odd.alloctrace")
    e2e.run([program], e2e.environment(ALLOCTRACE="all",
                                       ALLOCTRACE_DUMP=dump))
    result = e2e.run([os.path.join(build, "bin", "alloctrace"), "export", dump,
                      "--metric", "total", "-o", dump + ".pickle"])
    e2e.check_equal("exporting it", (result.status, result.stderr), (0, b""))
    names = {trace.traceback[-1].filename for trace in
             tracemalloc.Snapshot.load(dump + ".pickle").traces}
    e2e.check(os.fsdecode(path) in names, f"its name is not among {names}")


def forbid_large_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def check_full_disk(dump):
    """Half a file is none: one line, exit status 2, nothing left behind."""
    before = sorted(os.listdir(dump.directory))
    path = os.path.join(dump.directory, "cut")
    for name in ("tracemalloc", "json", "csv"):
        result = e2e.run([dump.tool, "export", dump.path, "--format", name,
                          "-o", path], preexec_fn=forbid_large_files)
        e2e.check_equal(
            f"{name} on a full disk", (result.status, result.stderr),
            (2, f"alloctrace: {path}: File too large\n".encode()))
        e2e.check_equal(f"{name}: files left behind",
                        sorted(os.listdir(dump.directory)), before)


def check_pythons(dump):
    """Other versions that are installed read the same."""
    path = dump.pickle()
    program = ("import sys, tracemalloc; print(tracemalloc.Snapshot.load("
               "sys.argv[1]).statistics('traceback'))")
    expected = e2e.run([sys.executable, "-c", program, path])
    versions = []
    for python in PYTHONS:
        result = (e2e.run([python, "-c", program, path], os.environ)
                  if shutil.which(python) else None)
        if not result or b"command not found" in result.stderr:
            continue
        e2e.check_equal(python, result, expected)
        versions.append(python)
    print("read by", sys.version.split()[0], *versions)


def test():
    build = e2e.parse_arguments().build
    with e2e.scratch() as directory:
        program = e2e.compile_program(build, directory, "export.c", "-pthread")
        for blocks in ("0", "1"):
            name = f"blocks {blocks}"
            dump = Dump(build, directory, program, ALLOCTRACE_BLOCKS=blocks,
                        ALLOCTRACE_MMAP="1", ALLOCTRACE_DETAIL="1")
            for options in FILTERS:
                check_statistics(f"{name}, {options}", dump, *options)
            check_sizes(name, dump, blocks == "1")
            document = check_json(name, dump, blocks == "1")
            check_csv(name, dump, document)
        check_full_disk(dump)
        check_pythons(dump)
        check_limit(build, directory, program)
        check_folded(build, directory)
        check_bytes_in_names(build, directory)


e2e.main(test)
