# SPDX-License-Identifier: MIT
"""Results: what a benchmark measured, kept so that the report and its pictures
can be made of it, and anyone can see under what it was measured.

A file BENCHMARK.json holds one run of one benchmark:

    benchmark    its name: programs, pairs, limit, growth, ...
    command      what was typed: ["bench/run", "--quick"]
    date         of its end, UTC, ISO 8601
    environment  machine and versions: see `environment`
    rows         [{...}]: what was measured, as the benchmark's table says

Rows hold samples, not medians, in the order in which they were taken: a list
beside another of the same row belongs together run by run. Times are seconds (`seconds`,
`wall`, `cpu`) or nanoseconds a pair (`ns`), sizes bytes: KiB and MiB are for
readers. A row that was not measured has no samples but `why_not`, a sentence.

programs   program, language, kind ("server" of servers, otherwise absent; wall
           is that of the load there), allocations, tool, wall, cpu, memory
           (peak resident), file (bytes written, or null), plain_wall, plain_cpu,
           plain_memory (means of the plain runs directly before and after
           each), beside (what these are: "plain", or for a profiler that is
           part of an allocator "plain, ALLOCATOR"), input ("full"; "small"
           where the tool takes minutes otherwise; "tiny" with --quick), own
           (the tracer's own bytes) and live (blocks at the peak) with
           alloctrace itself, sets (of runs, if the first was not quiet: this
           is the one whose plain runs were closest), why_not
builds     program, language, compiler ("plain", "alloctrace"), seconds (of the
           processor, for compiling), text, data, file (bytes of the binary),
           why_not
pairs      group ("depth", "fresh", "live", "threads", "random"), x (frames,
           frames entered anew, live blocks, threads), variant ("plain", "off",
           "tracing", ...), ns
limit      case, variant ("plain", "ideal, header", "ideal, map", "ideal",
           "alloctrace"), ns, instructions (a pair; if they were counted)
snapshots  group ("contexts", "blocks"), x, blocks and contexts (how many there
           are), what ("dump", "dump with blocks"), seconds, cpu, file, pause
           and pause_alone (the longest of another thread while dumps were
           written, and without), in seconds
analysis   traces, operation, library ("alloctrace", "tracemalloc"), seconds
           (of the processor), memory (resident at most, over what was before)
growth     group ("contexts", "blocks", "depth", "threads", "sites"), kind (of
           the group: "of 1000 paths", ...), x, variant ("plain", "tracing",
           "default limit": of ALLOCTRACE_MAX_MEMORY), what ("program", "dump",
           "load", "statistics", "tracebacks": statistics by traceback, "build",
           "start"), seconds (of the processor), memory, own (the tracer's own
           bytes), file (bytes of the dump, of the binary), cut (blocks that
           "default limit" counts under a part of their path)
scaling    group ("local": blocks stay with their thread, "queue": the next one
           frees them), x (threads, each of which does as much), variant
           ("plain", "tracing"), wall, cpu (of the processor, of a thread)
merge      kind ("shared": files have their call paths in common, "distinct"),
           files, contexts (call paths a file), seconds (of the processor),
           memory (peak resident), file (bytes of the result)
filters    filter, what ("raw", "folded"), traces, frames, limit (frames of a
           path at most, 0: any), passed (traces), seconds (of the processor)
programs-built    of scripts/programs; see scripts/programs_page.py
"""
import datetime
import json
import os
import platform
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)


def first_line(*command):
    """What a command says first; None if it is not there."""
    try:
        output = subprocess.run(command, capture_output=True, text=True,
                                check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    lines = (output.stdout or output.stderr).splitlines()
    return lines[0].strip() if lines else None


def read_field(path, name):
    """The value of the first line `name : value` of a file of /proc."""
    with open(path, encoding="utf-8") as file:
        found = re.search(rf"^{re.escape(name)}\s*:\s*(.*)$", file.read(),
                          re.MULTILINE)
    return found.group(1).strip() if found else None


def package_version(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name) or None


def version():
    """The commit, with -dirty if there are changes of what is measured: of
    anything but the documents, which recording changes."""
    commit = first_line("git", "-C", TOP, "describe", "--always")
    changes = first_line("git", "-C", TOP, "status", "--porcelain",
                         "--untracked-files=no", "--", ".", ":!docs",
                         ":!README.md")
    return f"{commit}-dirty" if commit and changes else commit


def environment(packages=()):
    """The machine, the compilers, Debian's versions of `packages`."""
    return {
        "processor": read_field("/proc/cpuinfo", "model name"),
        "processors": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME"),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "compiler": first_line("gcc", "--version"),
        "alloctrace": version(),
        "packages": {name: package_version(name) for name in packages},
    }


def command():
    """What was typed, with paths in the project from its top: another machine
    has it elsewhere."""
    words = [os.path.relpath(os.path.abspath(sys.argv[0]), TOP)]
    for word in sys.argv[1:]:
        words.append(os.path.relpath(word, TOP)
                     if word.startswith(TOP + os.sep) else word)
    return words


def write(folder, benchmark, rows, packages=()):
    """Writes BENCHMARK.json, over an earlier one, and says so."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, benchmark + ".json")
    now = datetime.datetime.now(datetime.timezone.utc)
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump({"benchmark": benchmark, "command": command(),
                   "date": now.isoformat(timespec="seconds"),
                   "environment": environment(packages), "rows": rows}, file,
                  indent=1)
        file.write("\n")
    os.replace(path + ".tmp", path)
    print(f"recorded in {os.path.relpath(path)}")


def read(folder, benchmark):
    """What `write` wrote; None if there is none."""
    try:
        with open(os.path.join(folder, benchmark + ".json"),
                  encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None
