# SPDX-License-Identifier: MIT
"""Servers under load, as programs of bench/run: Redis and memcached of Debian's
sources, and one of our own whose work is allocating.

A server runs under a tool on one processor (usage.c), its clients on the
others: its processor time and its peak memory are its own, and `wall` is what
the same fixed load takes. It is asked to end over its own protocol, so a tool
sees an ordinary exit. Clients are plain always.

    redis              single-threaded; one or some blocks a request
    redis, jemalloc    the same with the allocator that comes with it, linked
                       in under its own names (je_malloc): alloctrace sees them
                       by their attributes, a tool that stands in for the C
                       library's malloc sees next to nothing
    memcached          four threads; items lie in slabs of its own, so no tool
                       has much to do: what it costs to be there
    documents          programs/server.c, four threads; some dozens of blocks a
                       request, many of them freed by another thread
"""
import contextlib
from dataclasses import dataclass, field, replace
import fcntl
import glob
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import time

from loopback import NotMeasured, Process, exchange, last_lines, run_load
from measure import Usage, run_usage
from tools import PLAIN, compiler
from variants import HERE, TOP

SOURCES = os.path.join(TOP, "build", "sources", "unpatched")
# What compiles and links the instrumented builds: they are made anew with it.
INSTRUMENTERS = ("lib/liballoctrace.a", "lib/alloctrace/plugin/*/*.so",
                 "bin/alloctrace-gcc")
# Newer than what they are made from, so that nothing is remade.
CONFIGURE = """
cd source
find . \\( -name aclocal.m4 -o -name configure -o -name '*.in' \\) \\
    -exec touch {} +
./configure
"""
SMALL = 10  # times less, for tools that take minutes
TINY = 100  # the same to show that it works
REQUEST_LIMIT = 60  # seconds
THREADS = 4  # of servers that have some, and of client.c
CONNECTIONS = 2  # of each of the client's
MEMCACHED_REQUESTS = 100000  # of each of the client's threads
DOCUMENTS_REQUESTS = 150000


def fingerprint(tree, words, paths):
    """Of what a build is made by and from: its command, the compiler in it if
    that is a script, what that instruments with, and files."""
    tools = [path for pattern in INSTRUMENTERS
             for path in sorted(glob.glob(os.path.join(tree, pattern)))]
    scripts = [word for word in (word.removeprefix("CC=") for word in words)
               if word.startswith(tree) and os.path.isfile(word)]
    digest = hashlib.sha256("\0".join(words).encode())
    for path in [*scripts, *(tools if scripts else []), *paths]:
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


@dataclass
class Executable:
    """Something that is built with a compiler, once, in a folder of its own:
    of our own `sources`, or by what a subclass says."""
    name: str
    packages: list = field(default_factory=list)  # Debian's, to build it
    sources: list = field(default_factory=list)  # in bench/programs

    result = "program"  # the path that `words` make, in the folder

    def paths(self):
        return [os.path.join(HERE, "programs", name) for name in self.sources]

    def folder(self, tree, built):
        return os.path.join(tree, "bench", "servers",
                            re.sub(r"\W+", "-", self.name), built)

    def executable(self, tree, built):
        return os.path.join(self.folder(tree, built), self.result)

    def prepare(self, folder):
        """What there is to do before compiling."""

    def words(self, compiler_path, jobs):
        """What compiles it in its folder, with so many processes."""
        del jobs
        return [compiler_path, "-O2", "-g", "-pthread", "-o", self.result,
                *(path for path in self.paths() if path.endswith(".c"))]

    def build_one(self, tree, built):
        """One command at a time does so."""
        folder = self.folder(tree, built)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        with open(folder + ".lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.build_locked(tree, built, folder)

    def build_locked(self, tree, built, folder):
        words = self.words(compiler(tree, built), os.cpu_count())
        made = fingerprint(tree, words, self.paths())
        stamp = os.path.join(folder, "stamp")
        if read_text(stamp) == made:
            return
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.prepare(folder)
        run_step(folder, words)
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(made)

    def compile(self, usage, tree, built, folder):
        """What compiling takes, with one process; and the executable."""
        self.prepare(folder)
        used = run_usage(usage, self.words(compiler(tree, built), 1),
                         build_environment(), folder)
        return used, os.path.join(folder, self.result)


@dataclass
class Server(Executable):
    """A program for bench/run. Subclasses say how it is loaded, how it greets,
    and how it is asked to end."""
    language: str = "C"
    by_default: bool = True
    divisor: int = 1  # of the load

    kind = "server"
    compiles_quickly = False

    def with_tiny_input(self):
        return replace(self, divisor=TINY)

    def build(self, tree, tool):
        """Builds what the tool runs, and the client, unless they are there."""
        for built in (tool.built, PLAIN.built):
            self.build_one(tree, built)
        CLIENT.build_one(tree, PLAIN.built)

    @contextlib.contextmanager
    def running(self, usage, tree, tool, out):
        """A Process that is ready for its load."""
        with Process(usage) as process:
            command = [self.executable(tree, tool.built),
                       *self.arguments(process.port)]
            process.start(tool.words(command, out), tool.environment(out))
            process.wait_ready(*self.greeting)
            try:
                yield process
            except NotMeasured as error:
                if process.has_died():
                    raise NotMeasured("the server ended under its load, " +
                                      process.describe_end()) from error
                raise

    def measure(self, usage, tree, tool, out, small):
        """What one run used; NotMeasured says why there is none."""
        with self.running(usage, tree, tool, out) as process:
            begin = time.monotonic()
            self.load(tree, process.port,
                      max(self.divisor, SMALL if small else 1))
            wall = time.monotonic() - begin
            _, cpu, kib = process.end(self.farewell)
        return Usage(wall, cpu, kib << 10)


def build_environment():
    """A leak of what configure or make run is none of ours."""
    return {**os.environ, "LSAN_OPTIONS": "detect_leaks=0",
            "ASAN_OPTIONS": "detect_leaks=0"}


def run_step(folder, words):
    """A step of building, in the folder; its output is in build.log there."""
    log = os.path.join(folder, "build.log")
    with open(log, "ab") as file:
        status = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL,
                                stdout=file, stderr=file, check=False,
                                env=build_environment()).returncode
    if status:
        raise NotMeasured(f"does not build: {last_lines(read_text(log))}")


def copy_source(package, folder):
    """Debian's source package, unchanged, fetched once, to FOLDER/source."""
    run_step(folder, [os.path.join(TOP, "scripts", "fetch-source"),
                      "--unpatched", package, SOURCES])
    shutil.copytree(os.path.join(SOURCES, package),
                    os.path.join(folder, "source"), symlinks=True)


# Keys and members out of so many, with values of each size: so many requests
# of each kind, 16 at a time; and fewer one at a time, as of clients that wait
# for each answer. redis-benchmark draws them from another seed each time; there
# are so many draws that the work is the same.
REDIS_KINDS = ("set", "get", "lpush", "lpop", "hset", "zadd")
REDIS_KEYS = 20000
REDIS_SIZES = (16, 100, 700)  # bytes
REDIS_PIPELINED = 80000
REDIS_SINGLE = 10000


@dataclass
class Redis(Server):
    allocator: str = "libc"
    greeting = b"PING\r\nQUIT\r\n", b"+PONG"
    farewell = b"SHUTDOWN NOSAVE\r\n"

    result = "source/src/redis-server"

    def prepare(self, folder):
        copy_source("redis", folder)

    def words(self, compiler_path, jobs):
        return ["make", "-C", "source/src", f"-j{jobs}", f"CC={compiler_path}",
                f"MALLOC={self.allocator}", "redis-server", "redis-benchmark"]

    def arguments(self, port):
        return ["--bind", "127.0.0.1", "--port", str(port), "--save", "",
                "--appendonly", "no", "--loglevel", "warning"]

    def load(self, tree, port, divisor):
        client = os.path.join(os.path.dirname(
            self.executable(tree, PLAIN.built)), "redis-benchmark")
        parts = [(REDIS_PIPELINED // divisor, 16, size) for size in REDIS_SIZES]
        parts.append((REDIS_SINGLE // divisor, 1, REDIS_SIZES[1]))
        for n, pipelined, size in parts:
            run_load([client, "-p", str(port), "-c", "32", "-q",
                      "-t", ",".join(REDIS_KINDS), "-r", str(REDIS_KEYS),
                      "-n", str(n), "-P", str(pipelined), "-d", str(size)])
        check_redis(port, sum(n for n, _, _ in parts))


def check_redis(port, expected):
    """The server has done so many of each kind, and none was an error."""
    text = exchange(port, b"INFO commandstats\r\nQUIT\r\n",
                    REQUEST_LIMIT).decode()
    found = {kind: (int(calls), int(rejected), int(failed))
             for kind, calls, rejected, failed in re.findall(
                 r"cmdstat_(\w+):calls=(\d+),.*rejected_calls=(\d+),"
                 r"failed_calls=(\d+)", text)}
    for kind in REDIS_KINDS:
        if found.get(kind) != (expected, 0, 0):
            raise NotMeasured(
                f"Redis has done {found.get(kind)} {kind} (calls, rejected, "
                f"failed) instead of {expected}")


def load_documents(tree, port, requests, threads=THREADS,
                   connections=CONNECTIONS):
    """By client.c, which compares each answer; what it says that it did."""
    return run_load([CLIENT.executable(tree, PLAIN.built), str(port),
                     str(threads), str(connections), str(requests)])


@dataclass
class Memcached(Server):
    greeting = b"version\r\nquit\r\n", b"VERSION"
    farewell = b"shutdown\r\n"

    result = "source/memcached"

    def prepare(self, folder):
        """Configured plain: what is asked there is what the system can do."""
        copy_source("memcached", folder)
        run_step(folder, ["sh", "-e", "-c", CONFIGURE])

    def words(self, compiler_path, jobs):
        return ["make", "-C", "source", f"-j{jobs}", f"CC={compiler_path}",
                "memcached"]

    def arguments(self, port):
        return ["-l", "127.0.0.1", "-p", str(port), "-t", str(THREADS),
                "-m", "256", "-A", "-u", pwd.getpwuid(os.getuid()).pw_name]

    def load(self, tree, port, divisor):
        load_documents(tree, port, MEMCACHED_REQUESTS // divisor)


@dataclass
class Documents(Server):
    compiles_quickly = True
    greeting = Memcached.greeting
    farewell = Memcached.farewell

    def arguments(self, port):
        return [str(port), str(THREADS)]

    def load(self, tree, port, divisor):
        load_documents(tree, port, DOCUMENTS_REQUESTS // divisor)


CLIENT = Executable("client", sources=["client.c"])
FETCHING = ["dpkg-dev", "xz-utils"]
SERVERS = [
    Redis("redis", packages=FETCHING),
    Redis("redis, jemalloc", packages=FETCHING, by_default=False,
          allocator="jemalloc"),
    Memcached("memcached", packages=[*FETCHING, "libevent-dev"]),
    Documents("documents",
              sources=["server.c", "document.c", "document.h"]),
]
