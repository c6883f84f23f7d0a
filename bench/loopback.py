# SPDX-License-Identifier: MIT
"""A server process on 127.0.0.1: started under a tool, on a port that is held
for it, on a processor of its own; known to be ready; always ended."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from measure import LIMIT as LOAD_LIMIT, RunError

# Seconds. A tool may make a server a hundred times as slow; beyond these
# something hangs.
READY_LIMIT = 120
END_LIMIT = 300
GRACE = 10  # between asking a server to end, and killing it
TAIL = 3  # lines of a server's messages that an error shows


class NotMeasured(RunError):
    """Why a server could not be measured with a tool: a sentence."""


def load_processors():
    """Those that usage.c leaves: it takes the last one for the server."""
    allowed = os.sched_getaffinity(0)
    return allowed - {os.cpu_count() - 1} or allowed


def run_load(command):
    """Runs a client; returns what it printed."""
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=LOAD_LIMIT, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, load_processors()))
    except subprocess.TimeoutExpired:
        raise NotMeasured(
            f"the load was not done after {LOAD_LIMIT} s") from None
    if result.returncode:
        raise NotMeasured(f"{os.path.basename(command[0])} failed: "
                          f"{last_lines(result.stderr or result.stdout)}")
    return result.stdout


def last_lines(text):
    """What a program said last; valgrind's own lines begin with ==PID==."""
    lines = [line.strip() for line in text.splitlines()
             if not re.match(r"==\d+==", line)]
    return " / ".join(lines[-TAIL:])


def exchange(port, request, limit):
    """All that is answered until the server ends the connection."""
    parts = []
    with socket.create_connection(("127.0.0.1", port), timeout=limit) as link:
        link.sendall(request)
        while part := link.recv(65536):
            parts.append(part)
    return b"".join(parts)


def hold_port():
    """A socket that is bound to a port of the system's choosing and does not
    listen: while it is there the system gives that port to nobody, and a server
    that sets SO_REUSEADDR, as all do, can bind to it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


class Process:
    """A server, from `with` on until the end of the block.

    usage.c runs it and says what it used. It is asked to end when this program
    ends in whatever way, and after LIFE_LIMIT; and killed if it does not.
    """
    LIFE_LIMIT = READY_LIMIT + LOAD_LIMIT + END_LIMIT

    def __init__(self, usage):
        self.usage = usage
        self.holder = hold_port()
        self.port = self.holder.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory(prefix="alloctrace-bench.")
        self.log = os.path.join(self.folder.name, "log")
        self.file = os.path.join(self.folder.name, "usage")
        self.process = None

    def start(self, words, variables):
        """The variables are the server's alone: what a tool preloads is not to
        be preloaded into what starts it."""
        program = shutil.which(words[0])
        if not program:
            raise NotMeasured(f"there is no {words[0]}")
        guard = ["setpriv", "--pdeathsig", "TERM", "timeout", "-k", str(GRACE),
                 str(self.LIFE_LIMIT), "env", "-i"]
        guard += [f"{name}={value}" for name, value in variables.items()]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*guard, self.usage, self.file, program, *words[1:]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder.name, start_new_session=True)

    def messages(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return last_lines(file.read())

    def wait_ready(self, request, answer):
        """Until it answers so; tools may take long before they start it."""
        limit = time.monotonic() + READY_LIMIT
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                raise NotMeasured(f"the server ended at once, "
                                  f"{self.describe_end()}")
            try:
                if exchange(self.port, request, GRACE).startswith(answer):
                    return
            except OSError:
                pass  # not listening yet, or busy
            time.sleep(0.05)
        raise NotMeasured(f"the server was not ready after {READY_LIMIT} s: "
                          f"{self.messages()}")

    def end(self, request):
        """Asks it to; returns the wall, cpu and memory (KiB) it used."""
        try:
            exchange(self.port, request, END_LIMIT)
        except ConnectionError:
            pass  # it ended before it closed the connection
        except OSError as error:
            raise NotMeasured(f"the server did not end: {error}") from None
        try:
            self.process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            raise NotMeasured(
                f"the server did not end within {END_LIMIT} s") from None
        return self.used()

    def status(self):
        """As wait(2) has it; None if usage.c could not say."""
        try:
            with open(self.file, encoding="utf-8") as file:
                return int(file.read().split()[3])
        except (FileNotFoundError, IndexError):
            return None

    def describe_end(self):
        status = self.status()
        if status is None:
            return f"and how is not known: {self.messages()}"
        code = os.waitstatus_to_exitcode(status)
        return (f"status {code}" if code >= 0 else f"by signal {-code}") + \
            f": {self.messages()}"

    def has_died(self):
        """Soon after its client has failed: was it that?"""
        try:
            self.process.wait(GRACE / 5)
        except subprocess.TimeoutExpired:
            return False
        return True

    def used(self):
        if self.status() != 0:
            raise NotMeasured(f"the server ended, {self.describe_end()}")
        with open(self.file, encoding="utf-8") as file:
            wall, cpu, kib, _ = file.read().split()
        return float(wall), float(cpu), int(kib)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.kill()
        self.holder.close()
        self.folder.cleanup()

    def kill(self):
        """Nothing if all of them are gone."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
