# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: the programs under test, running them,
reading the totals of a dump and of valgrind.

The dump is read here anew from the description in format.h, so that a wrong
figure is not hidden by a reader that is wrong in the same way.
"""
import argparse
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LEVELS = ("O0", "O2", "O3")

# Arguments of the programs; sizes that valgrind runs in a few seconds.
PROGRAMS = {
    "lua": [os.path.join(TOP, "examples", "workload.lua"), "8"],
    "sqlite": ["--memdb", "--size", "5", "--verify"],
    "gawk": ["-f", os.path.join(HERE, "programs", "words.awk"),
             os.path.join(TOP, "LICENSES", "GPL-3.0-or-later.txt")],
}

SUMMARY = ("live_blocks live_bytes total_blocks total_bytes peak_bytes "
           "peak_slack dropped_blocks dropped_bytes unknown_frees "
           "overhead_bytes bad_frames collisions cut_blocks cut_bytes"
           ).split()
TRACE = ("live_blocks live_bytes total_blocks total_bytes peak_blocks "
         "peak_bytes").split()
TAG_PROCESS, TAG_STRINGS, TAG_TRACES, TAG_SUMMARY = 1, 2, 7, 8
TAG_TRAILER = 0xffffffff


class Failure(Exception):
    """What is wrong, for the one who reads the test's output."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def check_equal(name, actual, expected):
    check(actual == expected, f"{name}: {actual!r} instead of {expected!r}")


def parse_arguments(*names):
    """Reads the positional arguments `names` and BUILD, the build tree."""
    parser = argparse.ArgumentParser()
    for name in names:
        parser.add_argument(name)
    parser.add_argument("build", type=os.path.abspath)
    return parser.parse_args()


def program_path(build, program, level, variant):
    """Paths of the variants "plain" and "trace" have the same length: programs
    copy their names, which takes memory."""
    return os.path.join(build, "e2e", program, level, variant, program)


def environment(**variables):
    """A small environment that is the same on every machine."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/nonexistent",
            **variables}


def compile_library(build, directory, source, *flags):
    """The same of a shared library."""
    return compile_program(build, directory, source, "-shared", "-fPIC",
                           *flags, suffix=".so")


def compile_program(build, directory, source, *flags, suffix=""):
    """Compiles programs/SOURCE instrumented; returns the executable."""
    program = os.path.join(directory, os.path.splitext(source)[0] + suffix)
    result = run([os.path.join(build, "bin", "alloctrace-gcc"), "-g", "-Wall",
                  "-Wextra", *flags, "-o", program,
                  os.path.join(HERE, "programs", source)])
    messages = result.stderr.decode()
    check(result.status == 0 and not messages,
          f"compiling {source}: {messages}")
    return program


class Result:
    def __init__(self, process):
        self.status = process.returncode
        self.stdout = process.stdout
        self.stderr = process.stderr

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        return f"status {self.status}, {self.stdout!r}, {self.stderr!r}"


def run(command, variables=None, **options):
    return Result(subprocess.run(command, env=variables or environment(),
                                 stdin=subprocess.DEVNULL,
                                 capture_output=True, check=False, **options))


def read_records(path):
    """Yields (tag, count, payload) of a dump."""
    with open(path, "rb") as file:
        data = file.read()
    check(data[:8] == b"\x89ATR\r\n\x1a\n", f"{path}: no dump")
    offset = 16
    while offset < len(data):
        tag, count, length = struct.unpack_from("<IIQ", data, offset)
        yield tag, count, data[offset + 16:offset + 16 + length]
        offset += 16 + (length + 7) // 8 * 8
    check(tag == TAG_TRAILER and offset == len(data),
          f"{path}: the dump is incomplete")


def read_summary(path):
    """The dump's summary, after a check that the traces add up to it."""
    sums = dict.fromkeys(TRACE, 0)
    summary = None
    for tag, count, payload in read_records(path):
        size = len(payload) // count if count else 0
        for i in range(count if tag == TAG_TRACES else 0):
            for name, value in zip(TRACE, struct.unpack_from(
                    "<6q", payload, i * size + 16)):
                sums[name] += value
        if tag == TAG_SUMMARY:
            summary = dict(zip(SUMMARY, struct.unpack_from(
                f"<{len(SUMMARY)}q", payload)))
    check(summary is not None, f"{path}: no summary")
    for name in TRACE:
        if name in summary and name != "peak_bytes":
            check_equal(f"sum of the traces' {name}", sums[name],
                        summary[name])
    # Exact with one thread; 0 where the peak's composition is not kept.
    check(abs(summary["peak_bytes"] - sums["peak_bytes"]) <=
          summary["peak_slack"] or sums["peak_bytes"] == 0,
          f"the traces' peak {sums['peak_bytes']} is not within the slack "
          f"{summary['peak_slack']} of {summary['peak_bytes']}")
    return summary


def read_strings(count, payload):
    """The strings of a record, the first one with the number 1."""
    strings = [""]
    offset = 0
    for _ in range(count):
        size, = struct.unpack_from("<I", payload, offset)
        strings.append(payload[offset + 4:offset + 4 + size].decode())
        offset += 4 + size
    return strings


def read_process(path):
    """(process id, number of the dump, reason) of a dump."""
    strings = []
    entry = None
    for tag, count, payload in read_records(path):
        if tag == TAG_STRINGS:
            strings += read_strings(count, payload)[bool(strings):]
        elif tag == TAG_PROCESS:
            entry = struct.unpack_from("<4I2Q4I", payload)
    check(entry, f"{path}: no process")
    return entry[0], entry[3], strings[entry[9]]


def compile_plain(directory, source, *flags):
    """The same as compile_program without the plugin, to compare with."""
    program = os.path.join(directory, "plain." + os.path.splitext(source)[0])
    result = run(["gcc", "-g", *flags, "-o", program,
                  os.path.join(HERE, "programs", source)])
    check_equal(f"compiling {source}", result.status, 0)
    return program


def run_to_status(command, variables=None, **options):
    """(what the program printed, its status as waitpid gives it)."""
    with subprocess.Popen(command, env=variables or environment(),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options) as process:
        output = process.stdout.read()
        _, status = os.waitpid(process.pid, 0)
        process.returncode = status
    return output, status


def valgrind_environment(variables):
    """What a program sees that valgrind runs in the environment `variables`:
    some programs copy it, which takes memory. The preloaded libraries are
    replaced by as many separators."""
    shown = run(["valgrind", "-q", "env"], variables).stdout.decode()
    seen = dict(line.split("=", 1) for line in shown.splitlines())
    seen.pop("_", None)
    seen["LD_PRELOAD"] = " " * len(seen["LD_PRELOAD"])
    return seen


def valgrind_totals(command, variables):
    """(allocations, bytes requested) of a program, as memcheck counts."""
    with tempfile.NamedTemporaryFile("r") as log:
        run(["valgrind", "--leak-check=no", "--undef-value-errors=no",
             f"--log-file={log.name}", *command], variables)
        text = log.read()
    match = re.search(r"total heap usage: ([\d,]+) allocs, [\d,]+ frees, "
                      r"([\d,]+) bytes", text)
    check(match, f"valgrind printed no totals: {text}")
    return tuple(int(group.replace(",", "")) for group in match.groups())


def scratch():
    """A directory for the test's files, removed at its end."""
    return tempfile.TemporaryDirectory(prefix="alloctrace-e2e.")


def main(test):
    """Runs a test; prints what failed; gives ctest its exit status. Programs
    that are to crash leave no cores beside their dumps, whatever the machine's
    limits are; a test that wants one raises the limit."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    try:
        for tool in getattr(test, "needs", ()):
            check(shutil.which(tool), f"{tool} is not installed")
        test()
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
    print("passed")
