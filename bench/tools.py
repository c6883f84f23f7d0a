# SPDX-License-Identifier: MIT
"""The tools that programs are measured with: alloctrace in its variants, and
its peers, each used as its own documentation says.

A tool takes one of the executables that a program is built as (`BUILDS`), the
words that stand before the command, and variables. What it is compared with is
the plain program, or, for a profiler that is part of an allocator, the plain
program with that allocator: what another allocator costs or saves is not the
profiler's doing.
"""
from dataclasses import dataclass, field
import glob
import os
import re
import subprocess

from measure import RunError
from variants import stack_compiler

# How a program's executables are built: name => (compilers' prefix of
# alloctrace or "", further flags). "stack" besides: see `compiler`.
BUILDS = {
    "plain": ("", []),
    "trace": ("alloctrace-", []),
    # The wiki of LeakSanitizer and AddressSanitizer: "-fno-omit-frame-pointer"
    # for tracebacks, since allocations are unwound by frame pointers.
    "lsan": ("", ["-fsanitize=leak", "-fno-omit-frame-pointer"]),
    "asan": ("", ["-fsanitize=address", "-fno-omit-frame-pointer"]),
}
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
JEMALLOC = os.path.join(LIBRARIES, "libjemalloc.so.2")
TCMALLOC = os.path.join(LIBRARIES, "libtcmalloc.so.4")


def compiler(tree, built, name="gcc"):
    """One word that compiles as BUILDS says: for gcc, g++ or gfortran. Flags
    stand in a script, as makefiles want one word too."""
    if built == "stack":  # the shadow stack without the runtime: variants.py
        if name != "gcc":
            raise RunError("the shadow stack alone is for C")
        return stack_compiler(tree)
    prefix, flags = BUILDS[built]
    if prefix:
        return os.path.join(tree, "bin", prefix + name)
    if not flags:
        return name
    path = os.path.join(tree, "bench", f"{built}-{name}")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.{os.getpid()}", "w", encoding="utf-8") as script:
        script.write(f'#!/bin/sh\nexec {name} {" ".join(flags)} "$@"\n')
    os.chmod(script.name, 0o755)
    os.replace(script.name, path)
    return path


@dataclass
class Tool:
    """{out} in words and variables is a path in an empty folder of each run's
    own: what the tool writes goes there and nowhere else."""
    name: str
    built: str = "plain"  # of BUILDS
    prefix: list = field(default_factory=list)  # words before the command
    variables: dict = field(default_factory=dict)
    packages: list = field(default_factory=list)  # Debian's, that it takes
    is_peer: bool = True  # False: of alloctrace's own
    needs_small: bool = False  # takes minutes, unless the input is small
    beside: "Tool" = None  # what it is compared with; None: PLAIN
    always_writes: bool = True  # a run that wrote nothing did not work
    by_default: bool = True

    @property
    def key(self):
        """For a command line."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower())

    @property
    def plain(self):
        return self.beside or PLAIN

    def words(self, command, out):
        return [word.replace("{out}", out) for word in self.prefix] + command

    def environment(self, out):
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith("ALLOCTRACE")}
        return {**clean, **{name: value.replace("{out}", out)
                            for name, value in self.variables.items()}}


def written_bytes(out):
    """What a run with that {out} wrote."""
    return sum(os.path.getsize(path) for path in
               glob.glob(os.path.join(os.path.dirname(out), "*")))


def missing_packages(packages):
    """Those that are not installed."""
    def is_there(name):
        state = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Status}", name],
            capture_output=True, text=True, check=False)
        return state.stdout == "installed"
    return [name for name in packages if not is_there(name)]


PLAIN = Tool("plain", is_peer=False, always_writes=False)

# jemalloc(3), "opt.prof": off unless it is asked for; so is tcmalloc's, by the
# pages on its heap profiler and on tcmalloc.
PLAIN_JEMALLOC = Tool("plain, jemalloc", variables={"LD_PRELOAD": JEMALLOC},
                      packages=["libjemalloc2"], always_writes=False)
PLAIN_TCMALLOC = Tool("plain, tcmalloc", variables={"LD_PRELOAD": TCMALLOC},
                      packages=["libgoogle-perftools4"], always_writes=False)


def jemalloc(name, lg_sample, **more):
    """jemalloc(3): prof, lg_prof_sample (19, 512 KiB, unless told; 0 records
    every block), prof_final (a profile at the end), prof_prefix. Debian's
    library is built with profiling ("config.prof: true")."""
    return Tool(name, variables={
        "LD_PRELOAD": JEMALLOC,
        "MALLOC_CONF": f"prof:true,lg_prof_sample:{lg_sample},"
                       "prof_final:true,prof_prefix:{out}"},
        packages=["libjemalloc2"], beside=PLAIN_JEMALLOC, **more)


def valgrind(name, *options):
    return Tool(name, prefix=["valgrind", *options], packages=["valgrind"],
                needs_small=True)


TRACING = Tool("alloctrace", "trace", is_peer=False, variables={
    "ALLOCTRACE": "all", "ALLOCTRACE_DUMP": "{out}"})

TOOLS = [
    TRACING,
    Tool("alloctrace, sampling", "trace", is_peer=False, variables={
        "ALLOCTRACE": "all", "ALLOCTRACE_SAMPLE": "512KiB",
        "ALLOCTRACE_DUMP": "{out}"}),
    Tool("alloctrace, off", "trace", is_peer=False, always_writes=False),
    Tool("alloctrace, stack", "stack", is_peer=False, always_writes=False,
         by_default=False),

    # heaptrack --help: -o names the output, -r leaves interpreting it for
    # later. It compresses with zstd if that is there and with gzip otherwise.
    Tool("heaptrack", prefix=["heaptrack", "-o", "{out}"],
         packages=["heaptrack", "zstd"]),
    Tool("heaptrack, raw", prefix=["heaptrack", "-r", "-o", "{out}"],
         packages=["heaptrack", "zstd"]),

    # GCC's manual, -fsanitize=leak, and the sanitizers' common flags: a leak
    # is no failure here (exitcode), and the report goes to a file (log_path),
    # which is written only if there is a leak.
    Tool("LeakSanitizer", "lsan", always_writes=False, variables={
        "LSAN_OPTIONS": "exitcode=0:log_path={out}"}),
    # It looks for errors in the first place.
    Tool("AddressSanitizer", "asan", always_writes=False, variables={
        "ASAN_OPTIONS": "detect_leaks=1:log_path={out}",
        "LSAN_OPTIONS": "exitcode=0"}, by_default=False),

    jemalloc("jemalloc", 0, needs_small=True),
    jemalloc("jemalloc, sampling", 19),

    # The page "Gperftools Heap Profiler": HEAPPROFILE is the profiles' prefix;
    # one is written for each GiB that was allocated, and one at the end.
    Tool("gperftools", needs_small=True, beside=PLAIN_TCMALLOC, variables={
        "LD_PRELOAD": TCMALLOC, "HEAPPROFILE": "{out}"},
        packages=["libgoogle-perftools4"]),
    # The page "TCMalloc": 524288 is what it recommends. The sample is given
    # when the program asks for it, so that nothing is written.
    Tool("gperftools, sampling", beside=PLAIN_TCMALLOC, always_writes=False,
         variables={"LD_PRELOAD": TCMALLOC,
                    "TCMALLOC_SAMPLE_PARAMETER": "524288"},
         packages=["libgoogle-perftools4"]),

    # Valgrind's manual, chapters "Massif", "DHAT" and "Quick start"
    # (--leak-check=yes); names of files have no % here.
    valgrind("massif", "--tool=massif", "--massif-out-file={out}"),
    valgrind("DHAT", "--tool=dhat", "--dhat-out-file={out}"),
    valgrind("memcheck", "--leak-check=yes", "--log-file={out}"),
]
