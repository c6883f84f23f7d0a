# SPDX-License-Identifier: MIT
"""What the tests of the documents share: building as a user with an installed
alloctrace would, and running what was built.

The build tree has the shape of a prefix but for its headers; CPATH and
LIBRARY_PATH stand for the compiler's own directories of a prefix.
"""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

import e2e  # noqa: E402 (what tests/e2e shares is found there)


def environment(build, **variables):
    """As e2e.environment, of a user who has installed the build tree."""
    path = os.path.join(build, "bin") + os.pathsep + os.environ["PATH"]
    return e2e.environment(**{"PATH": path,
                              "CPATH": os.path.join(TOP, "include"),
                              "LIBRARY_PATH": os.path.join(build, "lib"),
                              "LD_LIBRARY_PATH": os.path.join(build, "lib"),
                              **variables})


def shell(build, directory, command, status=0, **variables):
    """Runs a command in a directory; returns what it printed."""
    result = e2e.run(["sh", "-c", command], environment(build, **variables),
                     cwd=directory)
    e2e.check(result.status == status and not result.stderr,
              f"{command}: status {result.status}, printed "
              f"{result.stdout.decode()}{result.stderr.decode()}")
    return result.stdout.decode()


def quiet(build, directory, command, **variables):
    """The same whatever it writes to standard error, which is not returned."""
    return shell(build, directory, command + " 2>/dev/null", **variables)


def compare(what, actual, expected):
    """Fails with both texts if they differ. A line "..." of the expected one
    stands for any lines."""
    pattern = "".join(r"(?:.*\n)*" if line == "..." else
                      re.escape(line) + r"\n"
                      for line in expected.splitlines())
    e2e.check(re.fullmatch(pattern, actual),
              f"{what}: prints\n{actual}instead of\n{expected}")
