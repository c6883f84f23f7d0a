#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public header can be included alone, with and without the plugin, by a
C and by a C++ compiler that warn of everything; and so can the example that
stands in the head of alloctrace/analysis.h.

    check_headers.py LANGUAGE     c11, c++14, ...
"""
import os
import re
import sys

import check_coverage
import pages
from pages import e2e

REFERENCE = check_coverage.load_reference()


def example():
    """The example of alloctrace/analysis.h as a function."""
    header = REFERENCE.Header(REFERENCE.COMMON,
                              REFERENCE.read_header(REFERENCE.COMMON))
    code = "".join(re.findall(r"^    .*\n|^\n(?=    )", header.intro, re.M))
    e2e.check("alloctrace_snapshot_load" in code, "the example was not found")
    return (f"#include <{REFERENCE.COMMON}>\n#include <stdio.h>\n"
            "extern void die(const char *message);\n"
            f"extern void example(void);\nvoid example(void)\n{{\n{code}}}\n")


def test():
    language = sys.argv[1]
    names = list(REFERENCE.HEADERS) + [REFERENCE.COMMON]
    compiler = "gcc -x c"
    if language.startswith("c++"):
        compiler = "g++ -x c++"
        names.append("alloctrace.hpp")
    include = os.path.join(pages.TOP, "include")
    flags = f"{compiler} -std={language} -fsyntax-only -Wall -Wextra " \
        "-Wshadow -pedantic -Werror"
    with e2e.scratch() as directory:
        with open(os.path.join(directory, "example"), "w",
                  encoding="utf-8") as file:
            file.write(example())
        pages.shell(include, directory, f"{flags} example")
        for name in names:
            for option in ("", "-D__ALLOCTRACE__", "-DALLOCTRACE_API"):
                pages.shell(include, directory,
                            f"printf '#include <{name}>\\nextern int i;\\n' | "
                            f"{flags} {option} -")


if __name__ == "__main__":
    e2e.main(test)
