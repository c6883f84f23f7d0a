#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Dumps that cannot be written: one line says so, no file is left behind, and
the program's output and exit status are what they are without tracing.

    failures.py files|signals BUILD

`signals` are the failures that a signal announces, which by default would end
the program: a limit of the file size and a pipe that nobody reads.
"""
import os
import resource
import subprocess

import e2e

NOBODY = 65534


def run(program, dump, **options):
    result = e2e.run([program], e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP=dump), **options)
    e2e.check_equal(f"{dump}: output and exit status",
                    (result.stdout, result.status), (b"hello\n", 7))
    return result.stderr.decode()


def check_failure(name, program, dump, reason, **options):
    directory = os.path.dirname(dump)
    before = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    message = run(program, dump, **options)
    lines = message.splitlines()
    print(f"{name}: {message.strip()}")
    e2e.check(len(lines) == 1 and lines[0].startswith("alloctrace: ") and
              dump in lines[0], f"{name}: not one line that names the file: "
              f"{message!r}")
    e2e.check(reason in message, f"{name}: does not say {reason!r}")
    after = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    e2e.check_equal(f"{name}: files", after, before)


def become_nobody():
    if os.getuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))


def check_full_disk(program, directory):
    """A small file system of its own, if this system lets us mount one."""
    disk = os.path.join(directory, "disk")
    os.mkdir(disk)
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        print("full disk: skipped, mounting is not allowed here")
        return
    try:
        with open(os.path.join(disk, "filler"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        check_failure("full disk", program, os.path.join(disk, "a.alloctrace"),
                      "No space left on device")
    finally:
        subprocess.run(["umount", disk], check=True)


def check_files(program, directory):
    check_full_disk(program, directory)
    check_failure("full device", program, "/dev/full",
                  "No space left on device")
    check_failure("no directory", program,
                  os.path.join(directory, "none", "a.alloctrace"),
                  "No such file or directory")
    locked = os.path.join(directory, "locked")
    os.mkdir(locked)
    os.chmod(locked, 0o555)
    check_failure("unwritable directory", program,
                  os.path.join(locked, "a.alloctrace"),
                  "Permission denied", preexec_fn=become_nobody)
    check_failure("a directory under the name", program, directory + "/.",
                  "directory")


def check_signals(program, directory):
    check_failure("limited file size", program,
                  os.path.join(directory, "limited.alloctrace"),
                  "File too large", preexec_fn=limit_file_size)
    reader, writer = os.pipe()
    os.close(reader)
    check_failure("pipe without a reader", program, f"/dev/fd/{writer}",
                  "Broken pipe", pass_fds=[writer])


def test():
    arguments = e2e.parse_arguments("what")
    with e2e.scratch() as directory:
        program = e2e.compile_program(arguments.build, directory, "hello.c",
                                      "-O2")
        for path in (directory, program): # for whom we become, too
            os.chmod(path, 0o755)
        {"files": check_files, "signals": check_signals}[arguments.what](
            program, directory)


e2e.main(test)
