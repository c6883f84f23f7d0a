# SPDX-License-Identifier: MIT
"""A copy of a program's sources: built one way, tested, run.

    build/programs/NAME/plain, NAME/traced    the copies
    build/programs/NAME/*.log                 what they printed
"""
import collections
import contextlib
from dataclasses import dataclass, field
import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "bench"))
import measure  # noqa: E402

SOURCES = os.path.join(TOP, "build", "sources")
WORK = os.path.join(TOP, "build", "programs")
INSTRUMENTERS = ("lib/liballoctrace.a", "lib/liballoctrace-analysis.a",
                 "lib/alloctrace/plugin/*/*.so", "bin/alloctrace-gcc")
# Seconds that a build or all tests of a program may take.
LIMIT = 3600
COMPILERS = {
    "plain": {"CC": "gcc", "CXX": "g++", "FC": "gfortran"},
    "traced": {"CC": "alloctrace-gcc", "CXX": "alloctrace-g++",
               "FC": "alloctrace-gfortran"},
}


@dataclass
class Tests:
    """What a program's tests said of themselves."""
    is_well: bool  # by the status of the command
    passed: list = field(default_factory=list)  # names, sorted
    failed: list = field(default_factory=list)
    dumps: int = 0  # left by traced processes

    def same(self, other):
        return (self.is_well == other.is_well and
                self.passed == other.passed and self.failed == other.failed)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def source_folder(program):
    return SOURCES if program.patched else os.path.join(SOURCES, "unpatched")


def fetch(program):
    options = [] if program.patched else ["--unpatched"]
    subprocess.run([os.path.join(TOP, "scripts", "fetch-source"), *options,
                    program.package, source_folder(program)], check=True)


def version(program):
    """Debian's, as the package's changelog begins."""
    text = read(os.path.join(source_folder(program), program.package, "debian",
                             "changelog"))
    return re.match(r"\S+ \(([^)]+)\)", text).group(1)


class Copy:
    """One program, built one way by the alloctrace in the folder `tree`."""

    def __init__(self, program, kind, tree):
        self.program = program
        self.kind = kind
        self.tree = tree
        self.home = os.path.join(WORK, re.sub(r"\W+", "-", program.name))
        self.folder = os.path.join(self.home, kind)
        self.dump = os.path.join(self.home, "dump.alloctrace")

    def log(self, step):
        return os.path.join(self.home, f"{self.kind}.{step}.log")

    def told(self, step):
        """The log, as results name it on any machine."""
        return os.path.join("build", "programs",
                            os.path.relpath(self.log(step), WORK))

    def environment(self, more):
        variables = {key: value for key, value in os.environ.items()
                     if not key.startswith("ALLOCTRACE")}
        variables.update(
            COMPILERS[self.kind], JOBS=str(os.cpu_count()), TOP=TOP,
            PATH=os.path.join(self.tree, "bin") + ":" + variables["PATH"],
            LC_ALL="C.UTF-8", PORT=str(20000 + os.getpid() % 10000), **more)
        return variables

    def shell(self, step, commands, **more):
        """Did shell commands end well? What they print is in the log. Those
        that are left over are ended: no server outlives this."""
        with open(self.log(step), "w", encoding="utf-8") as log, \
                subprocess.Popen(
                    ["sh", "-e", "-c", commands], cwd=self.folder,
                    stdin=subprocess.DEVNULL, env=self.environment(more),
                    stdout=log, stderr=subprocess.STDOUT,
                    start_new_session=True) as process:
            try:
                return process.wait(LIMIT) == 0
            except subprocess.TimeoutExpired:
                raise measure.RunError(f"took longer than {LIMIT} s: see "
                                       f"{self.told(step)}") from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _fingerprint(self):
        """What was built is kept until this changes."""
        digest = hashlib.sha256(self.program.build.encode())
        if self.kind == "traced":
            for name in INSTRUMENTERS:
                for path in sorted(glob.glob(os.path.join(self.tree, name))):
                    with open(path, "rb") as file:
                        digest.update(file.read())
        return digest.hexdigest()

    def build(self):
        stamp = os.path.join(self.home, f"{self.kind}.built")
        fingerprint = self._fingerprint()
        if os.path.exists(stamp) and read(stamp) == fingerprint:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.home, exist_ok=True)
        if os.path.exists(stamp):
            os.remove(stamp)
        shutil.copytree(os.path.join(source_folder(self.program),
                                     self.program.package),
                        self.folder, symlinks=True)
        if not self.shell("build", self.program.build):
            raise measure.RunError(
                f"not built {self.kind}: see {self.told('build')}")
        with open(stamp, "w", encoding="utf-8") as out:
            out.write(fingerprint)

    def warnings(self):
        """Those of building it, counted; the folder's name is left out."""
        text = read(self.log("build")).replace(self.folder, ".")
        return collections.Counter(re.findall(r"^.*\bwarning: .*", text, re.M))

    def test(self):
        """Runs its tests; traced ones with every frame, each process leaving a
        dump."""
        dumps = os.path.join(self.home, "dumps")
        shutil.rmtree(dumps, ignore_errors=True)
        os.makedirs(dumps)
        more = {} if self.kind == "plain" else {
            "ALLOCTRACE": "all",
            "ALLOCTRACE_DUMP": os.path.join(dumps, "%e.%p")}
        is_well = self.shell("test", self.program.test, **more)
        text = read(self.log("test"))
        failed = self.program.find_failed(text)
        passed = [name for name in self.program.find_passed(text)
                  if name not in failed]
        n_dumps = len(os.listdir(dumps))
        shutil.rmtree(dumps)
        return Tests(is_well, sorted(passed), sorted(failed), n_dumps)

    def run(self, usage, settings=""):
        """What the program itself used, whatever drives it left out; `usage` is
        measure.usage_program's, `settings` are words VARIABLE=VALUE."""
        record = os.path.join(self.home, "usage")
        traced = f"{usage} {record} /usr/bin/env {settings}"
        if os.path.exists(record):
            os.remove(record)
        if not self.shell("run", self.program.run, TRACED=traced):
            raise measure.RunError(f"it does not run: see {self.told('run')}")
        wall, cpu, kib, status = read(record).split()
        if status != "0":
            raise measure.RunError(
                f"it ended with {status}: see {self.told('run')}")
        return measure.Usage(float(wall), float(cpu), int(kib) << 10)

    def owns(self, file):
        """Is a file, as a traceback names it, one of the program's?"""
        if os.path.isabs(file):
            return os.path.normpath(file).startswith(self.folder + os.sep)
        if not hasattr(self, "_names"):
            self._names = {name for _, _, files in os.walk(self.folder)
                           for name in files}
        return os.path.basename(file) in self._names
