#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Switching alloctrace on for a build and off again leaves nothing behind.

rebuild.py BUILD SOURCE

Builds worked projects in one folder: plain, where nothing of alloctrace can be
found; instrumented, from an installed copy; and plain again, the copy still
there. The programs of the first and the last build are the same, byte for byte,
and that of the second is not.
"""
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
from projects import Installation, fail, run  # noqa: E402

PROGRAMS = {"make": "words", "cmake": "build/words"}
PLAIN = {"make": "make clean; make",
         "cmake": "cmake -S . -B build -DALLOCTRACE_ENABLE=OFF && "
                  "cmake --build build"}
TRACED = {"make": "make clean; make CC=alloctrace-gcc",
          "cmake": "cmake -S . -B build -DALLOCTRACE_ENABLE=ON && "
                   "cmake --build build"}
# Who has no alloctrace has no find_package either; the calls' header is all
# that is needed of it.
WITHOUT = {"make": "make CPPFLAGS=-I$HEADERS",
           "cmake": "sed -i -e s/alloctrace::headers// -e /alloctrace/d "
                    "CMakeLists.txt && "
                    "cmake -S . -B build -DCMAKE_C_FLAGS=-I$HEADERS && "
                    "cmake --build build"}


def build(project, folder, commands, env):
    run(["sh", "-e", "-c", commands[project]], cwd=folder, env=env)
    with open(os.path.join(folder, PROGRAMS[project]), "rb") as file:
        return file.read()


def check(project, source, folder, installation):
    place = os.path.join(folder, "projects", project)

    def fresh():
        shutil.rmtree(os.path.join(folder, "projects"), ignore_errors=True)
        shutil.copytree(os.path.join(source, "examples", "projects"),
                        os.path.join(folder, "projects"))

    headers = os.path.join(installation.prefix, "include")
    untouched = Installation().env
    env = dict(installation.env, CPPFLAGS="-I" + headers)
    fresh()
    first = build(project, place, WITHOUT, dict(untouched, HEADERS=headers))
    fresh()
    before = build(project, place, PLAIN, env)
    traced = build(project, place, TRACED, env)
    after = build(project, place, PLAIN, env)
    if before != after:
        fail(f"{project}: the plain program is another one afterwards")
    if first != after:
        fail(f"{project}: the plain program is another one than without "
             "alloctrace")
    if traced == after or b"__alloctrace" not in traced:
        fail(f"{project}: the traced program is not traced")
    print(f"{project}: {len(after)} bytes, the same as without alloctrace")


def main():
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation.make(
            sys.argv[1], os.path.join(folder, "prefix"), False)
        for project in PROGRAMS:
            check(project, sys.argv[2], folder, installation)


if __name__ == "__main__":
    main()
