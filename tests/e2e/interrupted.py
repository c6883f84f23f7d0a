#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Commands that a signal ends while they write a file: nothing of it is left,
what was there stays, and the status is the signal's. One that is ignored, as
under nohup, changes nothing.

    interrupted.py BUILD
"""
import os
import signal

import e2e

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
COMMANDS = {
    "export to JSON": ["export", "--format", "json"],
    "export to CSV": ["export", "--format", "csv"],
    "export for tracemalloc": ["export", "--format", "tracemalloc"],
    "merge": ["merge"],
}


class Work:
    """A dump in a directory, and the command that is interrupted."""

    def __init__(self, build, outer):
        self.tool = os.path.join(build, "bin", "alloctrace")
        self.directory = os.path.join(outer, "run")
        self.dump = os.path.join(outer, "a.alloctrace")
        self.library = os.path.join(outer, "interruptor.so")
        os.mkdir(self.directory)
        program = e2e.compile_program(build, outer, "hello.c")
        e2e.run([program], e2e.environment(ALLOCTRACE="all",
                                           ALLOCTRACE_DUMP=self.dump))
        result = e2e.run(["gcc", "-shared", "-fPIC", "-o", self.library,
                          os.path.join(e2e.HERE, "programs", "interruptor.c")])
        e2e.check_equal("interruptor.c", (result.status, result.stderr),
                        (0, b""))

    def run(self, command, number, **options):
        """Its status; `number`: of the signal, or none comes."""
        variables = {"INTERRUPTION": str(int(number))} if number else {}
        return e2e.run([self.tool, *command, "-o", "out", self.dump],
                       e2e.environment(LD_PRELOAD=self.library, **variables),
                       cwd=self.directory, **options)

    def write(self, text):
        with open(os.path.join(self.directory, "out"), "w",
                  encoding="ascii") as file:
            file.write(text)

    def take(self):
        """{name: contents} of what is there, which is removed."""
        found = {}
        for name in os.listdir(self.directory):
            path = os.path.join(self.directory, name)
            with open(path, "rb") as file:
                found[name] = file.read()
            os.remove(path)
        return {name: text for name, text in found.items()
                if not name.startswith("core")}


def check_command(work, name, command):
    result = work.run(command, None)
    whole = work.take()
    e2e.check_equal(f"{name}: status and files", (result.status, list(whole)),
                    (0, ["out"]))
    for number in SIGNALS:
        what = f"{name}, {number.name}"
        result = work.run(command, number)
        e2e.check_equal(what, (result.status, result.stderr, work.take()),
                        (-number, b"", {}))
        work.write("old")
        result = work.run(command, number)
        e2e.check_equal(f"{what}, over a file", (result.status, work.take()),
                        (-number, {"out": b"old"}))
        result = work.run(command, number, preexec_fn=lambda which=number:
                          signal.signal(which, signal.SIG_IGN))
        e2e.check_equal(f"{what}, ignored", (result.status, work.take()),
                        (0, whole))
    print(f"{name}: {len(SIGNALS)} signals")


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as outer:
        work = Work(arguments.build, outer)
        for name, command in COMMANDS.items():
            check_command(work, name, command)


e2e.main(test)
