# SPDX-License-Identifier: MIT
"""Servers under load, as programs of bench/run: Redis and memcached of Debian's
sources, and one of our own whose work is allocating.

A server runs under a tool on one processor (usage.c), its clients on the others:
its processor time and its peak memory are its own, and `wall` is what the same
fixed load takes. It is asked to end over its own protocol, so a tool sees an
ordinary exit. Clients are plain always.

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
from dataclasses import dataclass, field
import glob
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import time

from loopback import NotMeasured, Process, exchange, last_lines, run_load
from measure import Usage
import tools
from tools import BUILDS, PLAIN

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
PROGRAMS = os.path.join(HERE, "programs")
SOURCES = os.path.join(TOP, "build", "sources", "unpatched")
# What compiles and links the instrumented builds: they are made anew with it.
INSTRUMENTERS = ("lib/liballoctrace.a", "lib/alloctrace/plugin/*/*.so",
                 "bin/alloctrace-gcc")
# What is made by other programs stands as it came: nothing of it is remade.
UNCHANGED = ("find . \\( -name aclocal.m4 -o -name configure -o -name '*.in' \\) "
             "-exec touch {} +")
SMALL = 10  # times less
REQUEST_LIMIT = 60  # seconds
THREADS = 4  # of servers that have some, and of client.c
CONNECTIONS = 2  # of each of the client's
MEMCACHED_REQUESTS = 400000  # of each of the client's threads
DOCUMENTS_REQUESTS = 200000


def compiler(tree, built):
    """Its words, to compile and to link with."""
    if built not in BUILDS:
        return [tools.compiler(tree, built)]
    prefix, flags = BUILDS[built]
    path = os.path.join(tree, "bin", prefix + "gcc") if prefix else "gcc"
    return [path, *flags]


def fingerprint(tree, words, sources):
    """Of what a build is made by and from."""
    digest = hashlib.sha256("\0".join(words).encode())
    tools = [path for name in INSTRUMENTERS
             for path in sorted(glob.glob(os.path.join(tree, name)))]
    for path in [*sources, *(tools if words[0] != "gcc" else [])]:
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
    """Something that is built with a compiler, once, in a folder of its own."""
    name: str
    packages: list = field(default_factory=list)  # Debian's, to build it
    sources: list = field(default_factory=list)  # files of our own

    def folder(self, tree, built):
        return os.path.join(tree, "bench", "servers",
                            re.sub(r"\W+", "-", self.name), built)

    def executable(self, tree, built):
        return os.path.join(self.folder(tree, built), "program")

    def compile(self, folder, words):
        """Makes FOLDER/program with the compiler's `words`."""
        run_step(folder, *words, "-O2", "-g", "-pthread", "-o",
                 os.path.join(folder, "program"), *self.sources)

    def build_one(self, tree, built):
        folder = self.folder(tree, built)
        words = compiler(tree, built)
        made = fingerprint(tree, words, self.sources)
        stamp = os.path.join(folder, "stamp")
        if read_text(stamp) == made:
            return
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        need_packages(self.packages)
        self.compile(folder, words)
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(made)


@dataclass
class Server(Executable):
    """A program for bench/run. Subclasses say what it is built from and run
    with, how it is loaded, how it greets, and how it is asked to end."""
    language: str = "C"
    allocations: str = None

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
            yield process

    def measure(self, usage, tree, tool, out, small):
        """What one run used; NotMeasured says why there is none."""
        with self.running(usage, tree, tool, out) as process:
            begin = time.monotonic()
            self.load(tree, process.port, SMALL if small else 1)
            wall = time.monotonic() - begin
            _, cpu, kib = process.end(self.farewell)
        return Usage(wall, cpu, kib << 10)


def need_packages(packages):
    if packages:
        subprocess.run(["sh", "-eu", "-c", '. "$0/scripts/lib.sh"; '
                        'need_packages "$@"', TOP, *packages], check=True)


def run_step(folder, *command, **more):
    """A step of building, its output in FOLDER/build.log. A leak of what
    configure or make run is none of ours."""
    log = os.path.join(folder, "build.log")
    variables = {**os.environ, "LSAN_OPTIONS": "detect_leaks=0",
                 "ASAN_OPTIONS": "detect_leaks=0"}
    with open(log, "ab") as file:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file,
                                stderr=file, env=variables, check=False,
                                **more).returncode
    if status:
        raise NotMeasured(f"it could not be built: "
                          f"{last_lines(read_text(log))}: see {log}")


def copy_source(package, folder):
    """Debian's source package, unchanged, fetched once; where the copy is."""
    subprocess.run([os.path.join(TOP, "scripts", "fetch-source"), "--unpatched",
                    package, SOURCES], check=True)
    copy = os.path.join(folder, "source")
    shutil.copytree(os.path.join(SOURCES, package), copy, symlinks=True)
    return copy


def move_out(source, folder, names):
    """What of a source tree is kept: path => name in the folder."""
    for path, name in names.items():
        shutil.move(os.path.join(source, path), os.path.join(folder, name))
    shutil.rmtree(source)


def make(folder, source, words, *arguments):
    run_step(folder, "make", "-C", source, f"-j{os.cpu_count()}",
             f"CC={' '.join(words)}", *arguments)


# Keys and members out of so many, with values of each size: so many requests
# of each kind, 16 at a time; and fewer one at a time, as of clients that wait
# for each answer. redis-benchmark draws them from another seed each time; there
# are so many of them that the work is the same.
REDIS_KINDS = ("set", "get", "lpush", "lpop", "hset", "zadd")
REDIS_KEYS = 20000
REDIS_SIZES = (16, 100, 700)  # bytes
REDIS_PIPELINED = 200000
REDIS_SINGLE = 25000


@dataclass
class Redis(Server):
    allocator: str = "libc"
    greeting = b"PING\r\n", b"+PONG"
    farewell = b"SHUTDOWN NOSAVE\r\n"

    def compile(self, folder, words):
        source = copy_source("redis", folder)
        make(folder, os.path.join(source, "src"), words,
             f"MALLOC={self.allocator}", "redis-server", "redis-benchmark")
        move_out(source, folder, {"src/redis-server": "program",
                                  "src/redis-benchmark": "redis-benchmark"})

    def arguments(self, port):
        return ["--bind", "127.0.0.1", "--port", str(port), "--save", "",
                "--appendonly", "no", "--loglevel", "warning"]

    def load(self, tree, port, divisor):
        client = os.path.join(self.folder(tree, PLAIN.built), "redis-benchmark")
        parts = [(REDIS_PIPELINED // divisor, 16, size) for size in REDIS_SIZES]
        parts.append((REDIS_SINGLE // divisor, 1, REDIS_SIZES[1]))
        for n, pipelined, size in parts:
            run_load([client, "-p", str(port), "-c", "32", "-q",
                      "-t", ",".join(REDIS_KINDS), "-r", str(REDIS_KEYS),
                      "-n", str(n), "-P", str(pipelined), "-d", str(size)])
        check_redis(port, sum(n for n, _, _ in parts))


def check_redis(port, expected):
    """The server has done so many of each kind, and none was an error."""
    text = exchange(port, b"INFO commandstats\r\n", REQUEST_LIMIT).decode()
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
    greeting = b"version\r\n", b"VERSION"
    farewell = b"shutdown\r\n"

    def compile(self, folder, words):
        """Configured plain: what is asked there is what the system can do."""
        source = copy_source("memcached", folder)
        run_step(folder, "sh", "-c", UNCHANGED, cwd=source)
        run_step(folder, "./configure", cwd=source)
        make(folder, source, words, "memcached")
        move_out(source, folder, {"memcached": "program"})

    def arguments(self, port):
        return ["-l", "127.0.0.1", "-p", str(port), "-t", str(THREADS),
                "-m", "256", "-A", "-u", pwd.getpwuid(os.getuid()).pw_name]

    def load(self, tree, port, divisor):
        load_documents(tree, port, MEMCACHED_REQUESTS // divisor)


@dataclass
class Documents(Server):
    greeting = Memcached.greeting
    farewell = Memcached.farewell

    def arguments(self, port):
        return [str(port), str(THREADS)]

    def load(self, tree, port, divisor):
        load_documents(tree, port, DOCUMENTS_REQUESTS // divisor)


CLIENT = Executable("client", sources=[os.path.join(PROGRAMS, "client.c")])
SERVERS = [
    Redis("redis"),
    Redis("redis, jemalloc", allocator="jemalloc"),
    Memcached("memcached", packages=["libevent-dev"]),
    Documents("documents", sources=[os.path.join(PROGRAMS, name)
                                    for name in ("server.c", "document.c")]),
]
