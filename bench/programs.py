# SPDX-License-Identifier: MIT
"""The programs that are measured as a whole: how each is built for a tool, what
it is run with, and how one run is measured.

A program has a full input, which takes a second or so, a small one for tools
that are a hundred times as slow, and a tiny one, with which --quick and the
tests show that all of it works. `SERVERS` (servers.py) have the same members.
"""
from dataclasses import dataclass, field, replace
import glob
import os
import shutil
import subprocess

from measure import RunError, run_usage
from servers import SERVERS, NotMeasured  # for bench/run as well
from tools import compiler
from variants import HERE, TOP

FLAGS = ["-O2", "-g"]  # of every build
COMPILERS = {"c": "gcc", "cc": "g++", "f90": "gfortran"}  # by the file's name
EXAMPLES = os.path.join(TOP, "examples")


def here(name):
    return os.path.join(HERE, "programs", name)


def run_quietly(words, **variables):
    """RunError with the last line that it said, if it fails."""
    result = subprocess.run(words, env={**os.environ, **variables}, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        lines = result.stdout.strip().splitlines() or ["(it says nothing)"]
        raise RunError(f"does not build: {lines[-1]}")


@dataclass
class Program:
    """{tree} in arguments is the build directory."""
    name: str
    language: str
    full: list  # arguments
    small: list
    tiny: list
    packages: list = field(default_factory=list)  # Debian's, to build it
    by_default: bool = True

    compiles_quickly = False

    def with_tiny_input(self):
        return replace(self, full=self.tiny, small=self.tiny)

    def measure(self, usage, tree, tool, out, small):
        """One run of the built program."""
        arguments = [word.replace("{tree}", tree)
                     for word in (self.small if small else self.full)]
        command = [self.executable(tree, tool.built), *arguments]
        return run_usage(usage, tool.words(command, out),
                         tool.environment(out), os.path.dirname(out))


@dataclass
class Own(Program):
    """One file in bench/programs."""
    source: str = ""

    compiles_quickly = True

    def executable(self, tree, built):
        return os.path.join(tree, "bench", "programs", self.name, built,
                            self.name)

    def compile_words(self, tree, built, path):
        _, extension = self.source.rsplit(".", 1)
        return [compiler(tree, built, COMPILERS[extension]), *FLAGS, "-o",
                path, here(self.source)]

    def build(self, tree, tool):
        path = self.executable(tree, tool.built)
        new = f"{path}.{os.getpid()}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # Modules of Fortran are written to the folder where it is run.
        run_quietly(["env", "-C", os.path.dirname(path),
                     *self.compile_words(tree, tool.built, new)])
        os.replace(new, path)

    def compile(self, usage, tree, built, folder):
        """What building it takes, and the executable."""
        path = os.path.join(folder, self.name)
        return run_usage(usage, self.compile_words(tree, built, path),
                         dict(os.environ), folder), path


@dataclass
class Fetched(Program):
    """One of Debian's sources, by its own build system."""
    source: str = ""  # what tests/e2e/build_program.sh calls it

    def executable(self, tree, built):
        # Not where the end-to-end tests have theirs, which have other flags.
        return os.path.join(tree, "e2e", self.source, "O2", f"bench-{built}",
                            self.source)

    def build_words(self, tree, built, name):
        return ["env", "PROGRAM_FLAGS=" + " ".join(FLAGS[1:]),
                os.path.join(TOP, "tests/e2e/build_program.sh"), self.source,
                tree, name, compiler(tree, built)]

    def build(self, tree, tool):
        run_quietly(self.build_words(tree, tool.built, f"bench-{tool.built}"))

    def compile(self, usage, tree, built, folder):
        """The same; what there is besides compiling takes milliseconds."""
        path = self.executable(tree, "timed")
        shutil.rmtree(os.path.dirname(path), ignore_errors=True)
        return run_usage(usage, self.build_words(tree, built, "bench-timed"),
                         dict(os.environ), folder), path


@dataclass
class Zstd(Fetched):
    """Compresses text: its own sources, one after another. At level 19 they
    take a second."""

    def build(self, tree, tool):
        super().build(tree, tool)
        folder = os.path.join(TOP, "build", "sources", "libzstd", "lib")
        paths = glob.glob(os.path.join(folder, "**", "*.[ch]"), recursive=True)
        text = b"".join(contents(path) for path in sorted(paths))
        for name, size in (("text", len(text)), ("text.small", 5 << 16),
                           ("text.tiny", 1 << 15)):
            path = os.path.join(tree, "e2e", "zstd", name)
            with open(f"{path}.{os.getpid()}", "wb") as file:
                file.write(text[:size])
            os.replace(file.name, path)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def lua(name, script, full, small, tiny, **more):
    return Fetched(name, "C", *([script, size] for size in (full, small, tiny)),
                   source="lua", packages=["dpkg-dev", "xz-utils"], **more)


PROGRAMS = [
    Own("numbers", "C", ["1500000"], ["200000"], ["30000"],
        source="numbers.c"),
    lua("lua", os.path.join(EXAMPLES, "workload.lua"), "16", "12", "9"),
    lua("lua trees", here("trees.lua"), "15", "12", "8", by_default=False),
    lua("lua cpu", here("cpu.lua"), "30000000", "3000000", "300000",
        by_default=False),
    Fetched("gawk", "C", *(["-v", f"lines={n}", "-f", here("count.awk")]
                           for n in (400000, 50000, 5000)),
            source="gawk", packages=["dpkg-dev", "xz-utils"]),
    Fetched("sqlite", "C", *(["--memdb", "--size", size]
                             for size in ("50", "8", "1")),
            source="sqlite", packages=["dpkg-dev", "xz-utils", "tcl8.6"]),
    Zstd("zstd", "C", *(["-q", "-c", "-19", "{tree}/e2e/zstd/" + name]
                        for name in ("text", "text.small", "text.tiny")),
         source="zstd", packages=["dpkg-dev", "xz-utils"]),
    Own("index", "C++", ["20000"], ["3000"], ["500"], source="index.cc"),
    Own("sparse", "Fortran", ["60", "190"], ["60", "12"], ["30", "4"],
        source="sparse.f90", packages=["gfortran"]),
]

# The smallest program: what alloctrace takes whatever the program does.
HELLO = Own("hello", "C", [], [], [], source="hello.c")

# Why a program cannot be built or does not end well with a tool.
FAILURES = (RunError, NotMeasured)
