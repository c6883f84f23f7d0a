#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the commands of a case and compares what they print and how they end.

    run_case.py --bin FOLDER --samples PROGRAM CASE [--update]

A case is a text file as one would see it on a terminal:

    # What is looked at.
    $ alloctrace stats good.dump
    ...both outputs together...
    (exit 0)

A command runs in an empty folder with the samples in it, under /bin/sh. Lines
that begin with "$[N] " run on a terminal of N columns; there ESC is shown as
^[. --update writes the case anew, to be read in the diff.
"""
import argparse
import difflib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios


COMMAND = r"\$(?:\[(\d+)\])? (.*)"


def environment(folder):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("ALLOCTRACE")
            and name not in ("NO_COLOR", "COLUMNS")}
    kept["PATH"] = f"{folder}:{kept['PATH']}"
    kept.update(LC_ALL="C", TERM="xterm", TZ="UTC")
    return kept


def run_piped(command, cwd, env):
    done = subprocess.run(["sh", "-c", command], cwd=cwd, env=env, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120)
    return done.stdout, done.returncode


def run_on_terminal(command, columns, cwd, env):
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen(["sh", "-c", command], cwd=cwd, env=env,
                             stdin=subprocess.DEVNULL, stdout=follower,
                             stderr=follower)
    os.close(follower)
    output = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the last one has closed the other end
            break
        if not part:
            break
        output += part
    os.close(leader)
    return output.replace(b"\r\n", b"\n").replace(b"\x1b", b"^["), child.wait()


def run(line, cwd, env):
    columns, command = re.match(COMMAND, line).groups()
    if columns:
        output, status = run_on_terminal(command, int(columns), cwd, env)
    else:
        output, status = run_piped(command, cwd, env)
    text = output.decode("utf-8", "backslashreplace").replace("\r", "^M")
    if text and not text.endswith("\n"):
        text += "\n"
    return f"{line}\n{text}(exit {status})\n"


def end_of_output(lines, number):
    """The line that ends a command's output; its own if there is none yet."""
    for end in range(number + 1, len(lines)):
        if re.match(r"\(exit \d+\)$", lines[end]):
            return end
        if re.match(COMMAND, lines[end]):
            break
    return number


def transcript(case, cwd, env):
    """The case as it is now: comments and blank lines are kept."""
    result = ""
    skip_to = -1
    lines = case.splitlines()
    for number, line in enumerate(lines):
        if number <= skip_to:
            continue
        if re.match(COMMAND, line):
            result += run(line, cwd, env)
            skip_to = end_of_output(lines, number)
        else:
            result += line + "\n"
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("case")
    parser.add_argument("--bin", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    with open(arguments.case, encoding="utf-8", newline="\n") as file:
        expected = file.read()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.abspath(arguments.samples)], cwd=folder,
                       check=True)
        actual = transcript(expected, folder,
                            environment(os.path.abspath(arguments.bin)))
    if arguments.update:
        with open(arguments.case, "w", encoding="utf-8", newline="\n") as file:
            file.write(actual)
        return 0
    sys.stdout.writelines(difflib.unified_diff(
        expected.splitlines(True), actual.splitlines(True), "expected",
        "actual"))
    return 0 if actual == expected else 1


if __name__ == "__main__":
    sys.exit(main())
