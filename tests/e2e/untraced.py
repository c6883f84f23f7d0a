#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the analysis allocates in a traced program is not counted as the
program's: each function of its headers is called, and nothing may change.

    untraced.py BUILD
"""
import glob
import os
import re

import e2e

PROGRAM = os.path.join(e2e.HERE, "programs", "untraced.c")
HEADERS = ("builder error filter resolve snapshot statistics traceback").split()


def public_functions():
    """Names of what the headers declare."""
    names = set()
    for header in HEADERS:
        path = os.path.join(e2e.TOP, "include", "alloctrace", f"{header}.h")
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        text = re.sub(r"^#.*?[^\\]$", "", text, flags=re.S | re.M)
        names |= set(re.findall(r"\b(alloctrace_\w+)\s*\(", text))
    return names - {"alloctrace_resolver"} # a type


def callbacks():
    """Names of the functions that the headers want of their user."""
    found = set()
    for header in HEADERS:
        path = os.path.join(e2e.TOP, "include", "alloctrace", f"{header}.h")
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        found |= set(re.findall(r"\(\*\s*(\w+)\)\s*\(", text))
        found |= set(re.findall(r"^typedef [^;{]*?(\w+)\(", text, re.M))
    return found


def headers_are_all():
    found = {os.path.basename(path)[:-2] for path in glob.glob(
        os.path.join(e2e.TOP, "include", "alloctrace", "*.h"))}
    e2e.check_equal("headers", found,
                    {*HEADERS, "analysis", "abi", "format", "version"})


def links(build):
    """{how the libraries are linked: what says so}"""
    return {"archives": ["-l:liballoctrace-symbol.a", "-ldwarf", "-lelf"],
            "shared": ["-lalloctrace-symbol", "-lalloctrace-analysis",
                       f"-Wl,-rpath,{build}/lib"]}


def run_all(build, directory, link):
    program = os.path.join(directory, "untraced")
    result = e2e.run([
        os.path.join(build, "bin", "alloctrace-gcc"), "-g", "-O1", "-Wall",
        "-Wextra", "-Werror", PROGRAM, "-o", program, f"-L{build}/lib", *link])
    e2e.check_equal(f"compiling: {result.stderr.decode()}", result.status, 0)
    for variables in ({}, {"ALLOCTRACE_BLOCKS": "1"}):
        result = e2e.run(
            [program, os.path.join(directory, "a.alloctrace")],
            e2e.environment(ALLOCTRACE_DETAIL="1", **variables))
        e2e.check_equal(f"{variables}: {result.stderr.decode()}",
                        result.status, 0)


def test():
    arguments = e2e.parse_arguments()
    headers_are_all()
    e2e.check_equal("callbacks that the program is known to try", callbacks(),
                    {"alloctrace_resolver", "skip"})
    names = public_functions()
    e2e.check(len(names) > 80, f"only {sorted(names)}")
    with open(PROGRAM, encoding="utf-8") as file:
        text = file.read()
    for name in sorted(names):
        e2e.check(re.search(rf"\b{name}\b", text),
                  f"{PROGRAM} does not call {name}")
    for how, link in links(arguments.build).items():
        with e2e.scratch() as directory:
            run_all(arguments.build, directory, link)
        print(f"{how}: {len(names)} functions")


e2e.main(test)
