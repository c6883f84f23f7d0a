#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A threaded server under load, as bench/servers.py measures it: plain and
traced it gives the same answers, the dump is whole, and counts what valgrind
counts; and no server is left behind when something fails.

    check_servers.py BUILD
"""
import os
import re
import socket
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "bench"), os.path.join(TOP, "tests", "e2e")]
import e2e  # noqa: E402
import loopback  # noqa: E402
import measure  # noqa: E402
import servers  # noqa: E402
import tools  # noqa: E402

REQUESTS = 1000  # of each of the client's threads
# A thread's list of thread-local blocks, of the C library's, has one more place
# in the traced program: the runtime's own.
THREAD_LOCAL = 16

TRACED = tools.Tool("traced", "trace", variables={
    "ALLOCTRACE": "all", "ALLOCTRACE_DUMP": "{out}"})
# Its --log-file is a file of its own.
VALGRIND = tools.Tool("valgrind", prefix=[
    "valgrind", "--leak-check=no", "--undef-value-errors=no",
    "--log-file={out}"])
BROKEN = tools.Tool("broken", prefix=["false"])


class Bench:
    """The server that is loaded, and where."""

    def __init__(self, build, directory):
        self.build = build
        self.directory = directory
        self.usage = measure.usage_program(build)
        self.server = next(server for server in servers.SERVERS
                           if server.name == "documents")
        self.server.build(build, TRACED)

    def out(self, tool):
        return os.path.join(self.directory, tool.name)

    def run(self, tool):
        """What the client counted of the answers."""
        with self.server.running(self.usage, self.build, tool,
                                 self.out(tool)) as process:
            text = servers.load_documents(self.build, process.port, REQUESTS)
            process.end(self.server.farewell)
        return text


def read_valgrind(path):
    """(allocations, bytes)"""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = re.search(r"total heap usage: ([\d,]+) allocs, [\d,]+ frees, "
                      r"([\d,]+) bytes", text)
    e2e.check(found, f"valgrind printed no totals: {text}")
    return tuple(int(group.replace(",", "")) for group in found.groups())


def check_totals(bench):
    answers = bench.run(tools.PLAIN)
    e2e.check(re.match(r"sets [1-9]\d* gets [1-9]\d* hits [1-9]\d* "
                       r"deletes [1-9]\d* bytes [1-9]", answers),
              f"the client printed {answers!r}")
    for tool in (TRACED, VALGRIND):
        e2e.check_equal(f"answers, {tool.name}", bench.run(tool), answers)
    summary = e2e.read_summary(bench.out(TRACED))
    blocks, size = read_valgrind(bench.out(VALGRIND))
    print(f"{answers.strip()}: {blocks} blocks, {size} bytes")
    e2e.check_equal("total", (summary["total_blocks"], summary["total_bytes"]),
                    (blocks, size + servers.THREADS * THREAD_LOCAL))
    for field in ("dropped_blocks", "unknown_frees", "bad_frames"):
        e2e.check_equal(field, summary[field], 0)


def is_listening(port):
    with socket.socket() as link:
        return link.connect_ex(("127.0.0.1", port)) == 0


def is_soon_gone(port):
    """What was killed goes on for a moment, as its memory is taken down."""
    limit = time.monotonic() + 20
    while is_listening(port) and time.monotonic() < limit:
        time.sleep(0.01)
    return not is_listening(port)


def check_failures(bench):
    """What fails says so, and leaves no server behind."""
    try:
        bench.run(BROKEN)
        raise e2e.Failure("a server that ends at once is measured")
    except loopback.NotMeasured as error:
        e2e.check("ended at once" in str(error), str(error))
    try:
        with bench.server.running(bench.usage, bench.build, tools.PLAIN,
                                  bench.out(tools.PLAIN)) as process:
            e2e.check(is_listening(process.port), "no server")
            loopback.run_load(["sh", "-c", "echo wrong answer; exit 1"])
        raise e2e.Failure("a client that fails is measured")
    except loopback.NotMeasured as error:
        e2e.check_equal("message", str(error), "sh failed: wrong answer")
    e2e.check(is_soon_gone(process.port), "the server goes on")
    try:
        with bench.server.running(bench.usage, bench.build, tools.PLAIN,
                                  bench.out(tools.PLAIN)) as process:
            loopback.exchange(process.port, bench.server.farewell, 60)
            servers.load_documents(bench.build, process.port, REQUESTS)
        raise e2e.Failure("a server that ends under its load is measured")
    except loopback.NotMeasured as error:
        e2e.check_equal("message", str(error),
                        "the server ended under its load, status 0: ")


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        bench = Bench(arguments.build, directory)
        check_totals(bench)
        check_failures(bench)


test.needs = ["valgrind"]
e2e.main(test)
