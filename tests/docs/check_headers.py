#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public header can be included alone, with and without the plugin, by a
C and by a C++ compiler that warn of everything.

    check_headers.py LANGUAGE     c11, c++14, ...
"""
import os
import sys

import check_coverage
import pages
from pages import e2e

REFERENCE = check_coverage.load_reference()


def test():
    language = sys.argv[1]
    names = list(REFERENCE.HEADERS) + [REFERENCE.COMMON]
    compiler = "gcc -x c"
    if language.startswith("c++"):
        compiler = "g++ -x c++"
        names.append("alloctrace.hpp")
    include = os.path.join(pages.TOP, "include")
    with e2e.scratch() as directory:
        for name in names:
            for option in ("", "-D__ALLOCTRACE__", "-DALLOCTRACE_API"):
                pages.shell(include, directory,
                            f"printf '#include <{name}>\\nextern int i;\\n' | "
                            f"{compiler} -std={language} -fsyntax-only -Wall "
                            f"-Wextra -Wshadow -pedantic -Werror {option} -")


if __name__ == "__main__":
    e2e.main(test)
